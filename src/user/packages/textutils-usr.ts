/** awk, findutils, diffutils, less, man, which, and ncurses' clear and reset: what of text CentOS has in /usr/bin. */
import { awk } from '../bin/awk.ts'
import { clear, reset } from '../bin/clear.ts'
import { cmp } from '../bin/cmp.ts'
import { diff } from '../bin/diff.ts'
import { find } from '../bin/find.ts'
import { less } from '../bin/less.ts'
import { apropos, man, whatis } from '../bin/man.ts'
import { which } from '../bin/which.ts'
import { xargs } from '../bin/xargs.ts'
import { multicall, type Package } from '../libc/program.ts'
import { answering } from '../libc/utility.ts'

export const textutilsUsr: Package = {
  name: 'textutils-usr',
  programs: [
    ['/usr/bin/awk', () => awk],
    ['/usr/bin/clear', () => clear],
    ['/usr/bin/cmp', () => cmp],
    ['/usr/bin/diff', () => diff],
    ['/usr/bin/find', () => find],
    ['/usr/bin/less', () => less],
    ['/usr/bin/reset', () => reset],
    ['/usr/bin/which', () => which],
    ['/usr/bin/man', () => answering(man, 'man, version 1.6d')],
    ['/usr/bin/apropos', () => answering(apropos, 'apropos, version 1.6d')],
    ['/usr/bin/whatis', () => answering(whatis, 'whatis, version 1.6d')],
    ['/usr/bin/xargs', () => xargs],
  ],
}

export const main = multicall(textutilsUsr)
