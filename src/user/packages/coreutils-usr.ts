/** GNU coreutils 5.97, what CentOS 5 installs in /usr/bin; with rev of util-linux. */
import { dirname } from '../bin/basename.ts'
import { cksum, sum } from '../bin/cksum.ts'
import { comm } from '../bin/comm.ts'
import { du } from '../bin/du.ts'
import { printenv } from '../bin/env.ts'
import { expand, unexpand } from '../bin/expand.ts'
import { expr } from '../bin/expr.ts'
import { factor } from '../bin/factor.ts'
import { fmt } from '../bin/fmt.ts'
import { fold } from '../bin/fold.ts'
import { head } from '../bin/head.ts'
import { groups, id, logname, whoami } from '../bin/id.ts'
import { install } from '../bin/install.ts'
import { join } from '../bin/join.ts'
import { md5sum, sha1sum } from '../bin/md5sum.ts'
import { mkfifo } from '../bin/mknod.ts'
import { nohup } from '../bin/nice.ts'
import { nl } from '../bin/nl.ts'
import { od } from '../bin/od.ts'
import { paste } from '../bin/paste.ts'
import { pathchk } from '../bin/pathchk.ts'
import { printf } from '../bin/printf.ts'
import { readlink } from '../bin/readlink.ts'
import { seq } from '../bin/seq.ts'
import { split } from '../bin/split.ts'
import { stat } from '../bin/stat.ts'
import { rev, tac } from '../bin/tac.ts'
import { tail } from '../bin/tail.ts'
import { tee } from '../bin/tee.ts'
import { bracket, test } from '../bin/test.ts'
import { tr } from '../bin/tr.ts'
import { tsort } from '../bin/tsort.ts'
import { tty } from '../bin/tty.ts'
import { uniq } from '../bin/uniq.ts'
import { wc } from '../bin/wc.ts'
import { users, who } from '../bin/who.ts'
import { yes } from '../bin/yes.ts'
import { multicall, type Package } from '../libc/program.ts'

export const coreutilsUsr: Package = {
  name: 'coreutils-usr',
  programs: [
    ['/usr/bin/[', () => bracket],
    ['/usr/bin/cksum', () => cksum],
    ['/usr/bin/comm', () => comm],
    ['/usr/bin/dirname', () => dirname],
    ['/usr/bin/du', () => du],
    ['/usr/bin/expand', () => expand],
    ['/usr/bin/expr', () => expr],
    ['/usr/bin/factor', () => factor],
    ['/usr/bin/fmt', () => fmt],
    ['/usr/bin/fold', () => fold],
    ['/usr/bin/groups', () => groups],
    ['/usr/bin/head', () => head],
    ['/usr/bin/id', () => id],
    ['/usr/bin/install', () => install],
    ['/usr/bin/join', () => join],
    ['/usr/bin/logname', () => logname],
    ['/usr/bin/md5sum', () => md5sum],
    ['/usr/bin/mkfifo', () => mkfifo],
    ['/usr/bin/nl', () => nl],
    ['/usr/bin/nohup', () => nohup],
    ['/usr/bin/od', () => od],
    ['/usr/bin/paste', () => paste],
    ['/usr/bin/pathchk', () => pathchk],
    ['/usr/bin/printenv', () => printenv],
    ['/usr/bin/printf', () => printf],
    ['/usr/bin/readlink', () => readlink],
    ['/usr/bin/rev', () => rev],
    ['/usr/bin/seq', () => seq],
    ['/usr/bin/sha1sum', () => sha1sum],
    ['/usr/bin/split', () => split],
    ['/usr/bin/stat', () => stat],
    ['/usr/bin/sum', () => sum],
    ['/usr/bin/tac', () => tac],
    ['/usr/bin/tail', () => tail],
    ['/usr/bin/tee', () => tee],
    ['/usr/bin/test', () => test],
    ['/usr/bin/tr', () => tr],
    ['/usr/bin/tsort', () => tsort],
    ['/usr/bin/tty', () => tty],
    ['/usr/bin/unexpand', () => unexpand],
    ['/usr/bin/uniq', () => uniq],
    ['/usr/bin/users', () => users],
    ['/usr/bin/wc', () => wc],
    ['/usr/bin/who', () => who],
    ['/usr/bin/whoami', () => whoami],
    ['/usr/bin/yes', () => yes],
  ],
}

export const main = multicall(coreutilsUsr)
