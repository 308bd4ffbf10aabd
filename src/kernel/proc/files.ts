/** Files of /proc that belong to no one part: processors, device numbers, terminals, dice, Xen (Linux 2.6.18: fs/proc/proc_misc.c, proc_tty.c). */
import type { Kernel } from '../kernel.ts'
import { ttysOf } from '../tty/core.ts'
import { cpuinfoText } from './cpuinfo.ts'

const POOL_BITS = 4096

/** RFC 4122, version 4, as generate_random_uuid and its format do. */
export function uuidText(random: Uint8Array): string {
  const bytes = random.slice(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** /proc/devices. */
function devicesText(kernel: Kernel): string {
  const rows: string[] = []
  const ttys = ttysOf(kernel)
  const numbers = [...kernel.vfs.charDevices.keys()].sort((a, b) => a - b)
  for (const number of numbers) {
    const ttyNames = ttys.names(number)
    const names = ttyNames.length > 0 ? ttyNames : [kernel.vfs.charDevices.get(number)!.name]
    for (const name of names) rows.push(`${String(number).padStart(3)} ${name}\n`)
  }
  const blocks = [...kernel.blocks.majors].sort(([a], [b]) => a - b)
  const blockRows = blocks.map(([number, name]) => `${String(number).padStart(3)} ${name}\n`)
  return `Character devices:\n${rows.join('')}\nBlock devices:\n${blockRows.join('')}`
}

/** /proc/tty/drivers: the numbers that belong to no driver, then drivers, the last registered first. */
function ttyDriversText(kernel: Kernel): string {
  const ttys = ttysOf(kernel)
  const row = (driver: string, name: string, number: number, range: string, kind: string): string =>
    `${driver.padEnd(20)} /dev/${name.padEnd(8)} ${String(number).padStart(3)} ${range} ${kind}\n`
  const one = (minor: number): string => String(minor).padStart(7)
  let text = row('/dev/tty', 'tty', 5, one(0), 'system:/dev/tty')
  text += row('/dev/console', 'console', 5, one(1), 'system:console')
  if (ttys.ptmx) text += row('/dev/ptmx', 'ptmx', 5, one(2), 'system')
  if (ttys.foreground) text += row('/dev/vc/0', 'vc/0', 4, one(0), 'system:vtmaster')
  for (const driver of [...ttys.drivers].reverse()) {
    const { minorStart, count } = driver
    const range = count > 1 ? `${minorStart}-${minorStart + count - 1}` : one(minorStart)
    text += row(driver.driverName ?? 'unknown', driver.name.replace(/\/$/, ''), driver.major, range, driver.kind)
  }
  return text
}

export function registerProcFiles(kernel: Kernel): void {
  const { proc } = kernel
  const add = (path: string, read: () => string, mode = 0o444): void => proc.add(path, { mode, read })
  add('cpuinfo', () => cpuinfoText(kernel))
  add('devices', () => devicesText(kernel))
  add('tty/drivers', () => ttyDriversText(kernel))
  add('xen/capabilities', () => (kernel.dom0 ? 'control_d\n' : ''), 0o400)
  const bootId = uuidText(kernel.random(16))
  add('sys/kernel/random/boot_id', () => `${bootId}\n`)
  add('sys/kernel/random/uuid', () => `${uuidText(kernel.random(16))}\n`)
  add('sys/kernel/random/poolsize', () => `${POOL_BITS / 8}\n`)
  // The dice of this world never run dry.
  add('sys/kernel/random/entropy_avail', () => `${POOL_BITS}\n`)
}
