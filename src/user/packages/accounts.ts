/** passwd 0.73 and su of coreutils 5.97: an image of their own, since both are set-user-ID. */
import { passwd } from '../bin/passwd.ts'
import { su } from '../bin/su.ts'
import { multicall, type Package } from '../libc/program.ts'

export const accounts: Package = {
  name: 'accounts',
  mode: 0o4755,
  programs: [
    ['/usr/bin/passwd', () => passwd],
    ['/bin/su', () => su],
  ],
}

export const main = multicall(accounts)
