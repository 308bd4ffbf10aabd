/** Xen's console daemon and client, its tracer, and what Xen installs into its own bin (tools/console, tools/xentrace, tools/xcutils). */
import { multicall, type Package } from '#user/libc/program.ts'
import { lsevtchn } from '../misc/lsevtchn.ts'
import { readnotes } from '../misc/readnotes.ts'
import { xenconsole } from '../xenconsole/xenconsole.ts'
import { xenconsoled } from '../xenconsoled/xenconsoled.ts'
import { xentrace } from '../xentrace/xentrace.ts'

export const xenTools: Package = {
  name: 'xen-tools',
  programs: [
    ['/usr/sbin/xenconsoled', () => xenconsoled],
    ['/usr/lib/xen/bin/xenconsole', () => xenconsole],
    ['/usr/bin/xentrace', () => xentrace],
    ['/usr/lib/xen/bin/lsevtchn', () => lsevtchn],
    ['/usr/lib/xen/bin/readnotes', () => readnotes],
  ],
}

export const main = multicall(xenTools)
