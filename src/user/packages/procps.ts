/** procps, psmisc's killall, and util-linux's kill. */
import { free } from '../bin/free.ts'
import { kill, killall, pgrep, pkill } from '../bin/kill.ts'
import { ps } from '../bin/ps.ts'
import { sysctl } from '../bin/sysctl.ts'
import { top } from '../bin/top.ts'
import { uptime } from '../bin/uptime.ts'
import { vmstat } from '../bin/vmstat.ts'
import { w } from '../bin/w.ts'
import { watch } from '../bin/watch.ts'
import { multicall, type Package } from '../libc/program.ts'

export const procps: Package = {
  name: 'procps',
  programs: [
    ['/bin/kill', () => kill],
    ['/bin/ps', () => ps],
    ['/sbin/sysctl', () => sysctl],
    ['/usr/bin/free', () => free],
    ['/usr/bin/killall', () => killall],
    ['/usr/bin/pgrep', () => pgrep],
    ['/usr/bin/pkill', () => pkill],
    ['/usr/bin/top', () => top],
    ['/usr/bin/uptime', () => uptime],
    ['/usr/bin/vmstat', () => vmstat],
    ['/usr/bin/w', () => w],
    ['/usr/bin/watch', () => watch],
  ],
}

export const main = multicall(procps)
