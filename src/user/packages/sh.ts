/** The shell's image. */
import { bash, sh as shell } from '../bin/sh.ts'
import { multicall, type Package } from '../libc/program.ts'

export const sh: Package = {
  name: 'sh',
  programs: [
    ['/bin/sh', () => shell],
    ['/bin/bash', () => bash],
  ],
}

export const main = multicall(sh)
