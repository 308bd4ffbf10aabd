/** vim-minimal and nano. */
import { nano } from '../bin/nano.ts'
import { vi, view } from '../bin/vi.ts'
import { multicall, type Package } from '../libc/program.ts'

export const editors: Package = {
  name: 'editors',
  programs: [
    ['/bin/vi', () => vi],
    ['/bin/view', () => view],
    ['/usr/bin/nano', () => nano],
  ],
}

export const main = multicall(editors)
