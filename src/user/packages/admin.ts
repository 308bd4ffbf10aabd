/** What administrators reach for and no other package here has: file 4.17, GNU time 1.7, strings, last, cal, column, shadow-utils, and small tools. */
import { cal } from '../bin/cal.ts'
import { column } from '../bin/column.ts'
import { blockdev, chvt, resize, uuidgen } from '../bin/console-tools.ts'
import { file } from '../bin/file.ts'
import { last, lastb, lastlog } from '../bin/last.ts'
import { strings } from '../bin/strings.ts'
import { time } from '../bin/time.ts'
import { groupadd, groupdel, useradd, userdel } from '../bin/useradd.ts'
import { multicall, type Package } from '../libc/program.ts'
import { answering } from '../libc/utility.ts'

export const admin: Package = {
  name: 'admin',
  programs: [
    ['/usr/bin/file', () => file],
    ['/usr/bin/time', () => answering(time, 'GNU time 1.7')],
    ['/usr/bin/strings', () => strings],
    ['/usr/bin/column', () => column],
    ['/usr/bin/cal', () => cal],
    ['/usr/bin/last', () => answering(last, 'last (SysVinit 2.86)')],
    ['/usr/bin/lastb', () => answering(lastb, 'lastb (SysVinit 2.86)')],
    ['/usr/bin/lastlog', () => answering(lastlog, 'lastlog (shadow-utils 4.0.17)')],
    ['/usr/bin/chvt', () => answering(chvt, 'chvt (kbd 1.12)')],
    ['/usr/bin/uuidgen', () => answering(uuidgen, 'uuidgen (e2fsprogs 1.39)')],
    ['/usr/bin/resize', () => answering(resize, 'resize (xterm 215)')],
    ['/usr/sbin/useradd', () => answering(useradd)],
    ['/usr/sbin/userdel', () => answering(userdel)],
    ['/usr/sbin/groupadd', () => answering(groupadd)],
    ['/usr/sbin/groupdel', () => answering(groupdel)],
    ['/sbin/blockdev', () => answering(blockdev, 'blockdev (util-linux 2.13-pre7)')],
  ],
}

export const main = multicall(admin)
