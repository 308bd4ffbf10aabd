import { expect, test } from 'vitest'
import { cmdlineParse } from '../common/kernel.ts'
import { defaultOptions, params } from '../options.ts'
import { computeDom0Pages } from './dom0-mem.ts'

const GIB = 2 ** 18

test.each([
  ['', GIB, GIB - GIB / 16],
  ['', 16 * GIB, 16 * GIB - 32768],
  ['dom0_mem=131072', GIB, 32768],
  ['dom0_mem=128M', GIB, 32768],
  ['dom0_mem=4G', GIB, GIB],
  ['dom0_mem=-64M', GIB, GIB - 16384],
  ['dom0_mem=max:512M', GIB, GIB / 2],
  ['dom0_mem=min:128M,64M', GIB, 32768],
  ['dom0_mem=min:128M,max:64M,96M', GIB, 16384],
  ['dom0_mem=max:-256M', GIB, GIB - 65536],
  ['dom0_mem=min:-512M,16M', GIB, GIB / 2],
  ['dom0_mem=0', GIB, GIB - GIB / 16],
  ['dom0_mem=junk', GIB, GIB - GIB / 16],
])('%s of %i pages', (cmdline, available, pages) => {
  const options = defaultOptions()
  cmdlineParse(params(options), cmdline)
  expect(computeDom0Pages(options, available)).toBe(pages)
})
