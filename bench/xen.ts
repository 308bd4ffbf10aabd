/**
 * What guests do all the time, on the hypervisor as it is on the disk: compiled, in the locked realm, its fuel counted. Its two domains run
 * testing/guests/bench.ts, which does nothing else.
 */
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { utf8Encode } from '#lib/utf8.ts'
import { compileGuest } from '#testing/dom0/test-program.ts'
import { ROUNDS } from '#testing/guests/bench.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { BenchHost } from './host.ts'
import type { Figure } from './reference.ts'

/** Each byte of the console is out before the guest goes on: its lines are the stopwatch. */
const MENU = `default 0
timeout 0
title bench
	root (hd0,0)
	kernel /boot/xen-3.3.gz console=com1 com1=115200,8n1 sync_console dom0_mem=64M
	module /boot/bench
`

const UNITS: Readonly<Record<keyof typeof ROUNDS, Figure['unit']>> = {
  'null hypercall': 'ns',
  'create and destroy': 'us',
  'grant map and unmap': 'ns',
  'grant copy': 'ns',
  'event round trip': 'ns',
  'context switch': 'ns',
}
const IN_MS: Readonly<Record<string, number>> = { ns: 1e6, us: 1e3 }

export function benchXen(container: Uint8Array, known: readonly string[]): Figure[] {
  const host = new BenchHost(container, new ImageLoader(known), (disk) => {
    const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
    fs.writeFile('/boot/bench', compileGuest('bench', 'testing/guests/bench.ts'))
    fs.writeFile('/boot/grub/menu.lst', utf8Encode(MENU))
    fs.unmount()
  })
  return (Object.keys(UNITS) as (keyof typeof ROUNDS)[]).map((name) => {
    host.until(`begin ${name}\r\n`)
    const unit = UNITS[name]
    return { name, unit, value: (host.until(`end ${name}\r\n`) * IN_MS[unit]!) / ROUNDS[name] }
  })
}
