/** grep and sed, and the pager that CentOS has in /bin. */
import { egrep, fgrep, grep } from '../bin/grep.ts'
import { more } from '../bin/more.ts'
import { sed } from '../bin/sed.ts'
import { multicall, type Package } from '../libc/program.ts'

export const textutils: Package = {
  name: 'textutils',
  programs: [
    ['/bin/egrep', () => egrep],
    ['/bin/fgrep', () => fgrep],
    ['/bin/grep', () => grep],
    ['/bin/more', () => more],
    ['/bin/sed', () => sed],
  ],
}

export const main = multicall(textutils)
