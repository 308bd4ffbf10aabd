/** sysvinit 2.86. */
import { halt, poweroff, reboot } from '../bin/halt.ts'
import { init } from '../bin/init/init.ts'
import { telinit } from '../bin/init/telinit.ts'
import { killall5, pidof } from '../bin/killall5.ts'
import { mesg } from '../bin/mesg.ts'
import { runlevel } from '../bin/runlevel.ts'
import { shutdown } from '../bin/shutdown.ts'
import { sulogin } from '../bin/sulogin.ts'
import { wall } from '../bin/wall.ts'
import { multicall, type Package } from '../libc/program.ts'

export const sysvinit: Package = {
  name: 'sysvinit',
  programs: [
    ['/sbin/init', () => init],
    ['/sbin/telinit', () => telinit],
    ['/sbin/halt', () => halt],
    ['/sbin/reboot', () => reboot],
    ['/sbin/poweroff', () => poweroff],
    ['/sbin/killall5', () => killall5],
    ['/sbin/pidof', () => pidof],
    ['/sbin/runlevel', () => runlevel],
    ['/sbin/shutdown', () => shutdown],
    ['/sbin/sulogin', () => sulogin],
    ['/usr/bin/mesg', () => mesg],
    ['/usr/bin/wall', () => wall],
  ],
}

export const main = multicall(sysvinit)
