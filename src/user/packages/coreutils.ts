/** GNU coreutils 5.97, what CentOS 5 installs in /bin: what a system needs before /usr is there. With hostname of net-tools and mktemp of its own package. */
import { basename } from '../bin/basename.ts'
import { cat } from '../bin/cat.ts'
import { chmod } from '../bin/chmod.ts'
import { chgrp, chown } from '../bin/chown.ts'
import { cp } from '../bin/cp.ts'
import { cut } from '../bin/cut.ts'
import { date } from '../bin/date.ts'
import { dd } from '../bin/dd.ts'
import { df } from '../bin/df.ts'
import { echo } from '../bin/echo.ts'
import { env } from '../bin/env.ts'
import { hostname } from '../bin/hostname.ts'
import { link, ln, unlink } from '../bin/ln.ts'
import { ls } from '../bin/ls.ts'
import { mkdir, rmdir } from '../bin/mkdir.ts'
import { mknod } from '../bin/mknod.ts'
import { mktemp } from '../bin/mktemp.ts'
import { mv } from '../bin/mv.ts'
import { nice } from '../bin/nice.ts'
import { pwd } from '../bin/pwd.ts'
import { rm } from '../bin/rm.ts'
import { sleep } from '../bin/sleep.ts'
import { sort } from '../bin/sort.ts'
import { stty } from '../bin/stty.ts'
import { sync } from '../bin/sync.ts'
import { touch } from '../bin/touch.ts'
import { falsehood, truth } from '../bin/true.ts'
import { uname } from '../bin/uname.ts'
import { multicall, type Package } from '../libc/program.ts'

export const coreutils: Package = {
  name: 'coreutils',
  programs: [
    ['/bin/basename', () => basename],
    ['/bin/cat', () => cat],
    ['/bin/chgrp', () => chgrp],
    ['/bin/chmod', () => chmod],
    ['/bin/chown', () => chown],
    ['/bin/cp', () => cp],
    ['/bin/cut', () => cut],
    ['/bin/date', () => date],
    ['/bin/dd', () => dd],
    ['/bin/df', () => df],
    ['/bin/echo', () => echo],
    ['/bin/env', () => env],
    ['/bin/false', () => falsehood],
    ['/bin/hostname', () => hostname],
    ['/bin/link', () => link],
    ['/bin/ln', () => ln],
    ['/bin/ls', () => ls],
    ['/bin/mkdir', () => mkdir],
    ['/bin/mknod', () => mknod],
    ['/bin/mktemp', () => mktemp],
    ['/bin/mv', () => mv],
    ['/bin/nice', () => nice],
    ['/bin/pwd', () => pwd],
    ['/bin/rm', () => rm],
    ['/bin/rmdir', () => rmdir],
    ['/bin/sleep', () => sleep],
    ['/bin/sort', () => sort],
    ['/bin/stty', () => stty],
    ['/bin/sync', () => sync],
    ['/bin/touch', () => touch],
    ['/bin/true', () => truth],
    ['/bin/uname', () => uname],
    ['/bin/unlink', () => unlink],
  ],
}

export const main = multicall(coreutils)
