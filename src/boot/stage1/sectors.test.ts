/** The two sector programs fit their sectors and find their way. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cc } from '#toolchain/cc.ts'
import { sectorBody } from '#toolchain/sector.ts'

const bodyOf = (file: string): string => {
  const path = `boot/stage1/${file}`
  return sectorBody(cc(path, readFileSync(`src/${path}`, 'utf8')))
}
test('sizes', () => {
  console.log(bodyOf('stage1.ts').length, bodyOf('start.ts').length, bodyOf('start.ts'))
})
