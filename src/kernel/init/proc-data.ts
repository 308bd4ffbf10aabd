/** What of /proc the core knows (Linux 2.6.18: fs/proc/proc_misc.c, kernel/sysctl.c). */
import { EINTR, EINVAL } from '#abi/posix/errno.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { PAGE_SIZE, unsignedVaddr } from '#abi/xen/types.ts'
import { bytesOfString } from '#lib/utf8.ts'
import type { Core } from '../core.ts'
import { fail } from '../errno.ts'
import { registerHotplug } from '../sched/usermodehelper.ts'
import { NS } from '../time/timekeeper.ts'
import type { FileOps } from '../vfs/file.ts'
import { registerSysrq } from './sysrq.ts'
import { COMPILED_BY } from './version.ts'

/** USER_HZ: what /proc counts time in. */
const TICK_NS = NS / 100
const READ_ONLY = 0o444
const TUNABLE = 0o644
const UTS_LEN = 64
/** VmallocTotal: 32 TiB. */
const VMALLOC_KB = 34_359_738_367

const ticks = (ns: number): number => Math.floor(ns / TICK_NS)
const kb = (pages: number): number => (pages * PAGE_SIZE) / 1024
const two = (value: number): string => String(value).padStart(2, '0')

export function registerCoreProc(core: Core): void {
  const { proc } = core
  const files: Readonly<Record<string, (core: Core) => string>> = {
    version: ({ uts }) => `Linux version ${uts.release} ${COMPILED_BY} ${uts.version}\n`,
    cmdline: ({ cmdline }) => `${cmdline}\n`,
    uptime,
    loadavg,
    stat,
    meminfo,
    vmstat,
    interrupts,
    modules,
    'sys/kernel/ostype': ({ uts }) => `${uts.sysname}\n`,
    'sys/kernel/osrelease': ({ uts }) => `${uts.release}\n`,
    'sys/kernel/version': ({ uts }) => `${uts.version}\n`,
    'sys/kernel/pid_max': () => '32768\n',
  }
  for (const [path, read] of Object.entries(files)) proc.add(path, { mode: READ_ONLY, read: () => read(core) })
  for (const [name, field] of [
    ['hostname', 'nodename'],
    ['domainname', 'domainname'],
  ] as const)
    proc.add(`sys/kernel/${name}`, {
      mode: TUNABLE,
      read: () => `${core.uts[field]}\n`,
      write: (text) => {
        core.uts[field] = text.split('\n')[0]!.slice(0, UTS_LEN)
      },
    })
  const number = (path: string, get: () => number, set: (value: number) => void): void =>
    proc.add(path, {
      mode: TUNABLE,
      read: () => `${get()}\n`,
      write: (text) => set(whole(text)),
    })
  number(
    'sys/kernel/panic',
    () => core.panicTimeout,
    (value) => {
      core.panicTimeout = value
    },
  )
  number(
    'sys/kernel/ctrl-alt-del',
    () => (core.ctrlAltDelRestarts ? 1 : 0),
    (value) => {
      core.ctrlAltDelRestarts = value !== 0
    },
  )
  number(
    'sys/kernel/threads-max',
    () => core.sched.maxThreads,
    (value) => {
      if (value < 20) fail(EINVAL)
      core.sched.maxThreads = value
    },
  )
  number(
    'sys/vm/min_free_kbytes',
    () => kb(core.pages.min),
    (value) => core.pages.setMinimum(Math.ceil((value * 1024) / PAGE_SIZE)),
  )
  registerHotplug(core)
  registerSysrq(core)
  proc.add('kmsg', { mode: 0o400, ops: () => kmsgOps(core) })
  proc.add('sys/kernel/printk', {
    mode: TUNABLE,
    read: () => `${core.log.consoleLevel}\t4\t1\t7\n`,
    write: (text) => {
      core.log.consoleLevel = whole(text.trim().split(/\s+/)[0]!)
    },
  })
}

/** Each line goes to one reader, who waits for the next. */
const kmsgOps = ({ log, sched }: Core): FileOps => ({
  seekable: false,
  *read(_file, count) {
    while (!log.unread) if ((yield* sched.sleepOn(log.readers)) === 'signal') fail(EINTR)
    return bytesOfString(log.takeUnread(count))
  },
  poll: () => (log.unread ? POLLIN : 0),
  pollQueues: () => [log.readers],
})

function whole(text: string): number {
  const trimmed = text.trim()
  return /^\d{1,10}$/.test(trimmed) ? Number(trimmed) : fail(EINVAL)
}

function uptime({ time, sched }: Core): string {
  const text = (ns: number): string => `${Math.floor(ns / NS)}.${two(Math.floor((ns % NS) / TICK_NS))}`
  return `${text(time.nowNs() - time.bootNs)} ${text(sched.idleNs)}\n`
}

function loadavg({ sched }: Core): string {
  const text = (load: number): string => {
    // FIXED_1 / 200 rounds to the second digit.
    const rounded = load + 65536 / 200
    return `${Math.floor(rounded / 65536)}.${two(Math.floor(((rounded % 65536) * 100) / 65536))}`
  }
  const [one, five, fifteen] = sched.loads
  return `${text(one)} ${text(five)} ${text(fifteen)} ${sched.runnable}/${sched.count} ${sched.lastPid}\n`
}

function stat({ sched, irq, time }: Core): string {
  const cpu = [sched.userNs, sched.niceNs, sched.systemNs, sched.idleNs].map(ticks).join(' ')
  const counts = new Map(irq.rows.map((row) => [row.irq, row.count]))
  const last = Math.max(...counts.keys(), 0)
  let list = ''
  for (let nr = 0; nr <= last; nr++) list += ` ${counts.get(nr) ?? 0}`
  const [seconds] = time.wall()
  const boot = seconds - Math.floor((time.nowNs() - time.bootNs) / NS)
  const blocked = sched.tasks.filter(({ state }) => state === 'D').length
  return (
    `cpu  ${cpu} 0 0 0 0\ncpu0 ${cpu} 0 0 0 0\nintr ${irq.total}${list}\nctxt ${sched.switches}\nbtime ${boot}\n` +
    `processes ${sched.forks}\nprocs_running ${sched.runnable}\nprocs_blocked ${blocked}\n`
  )
}

function meminfo({ pages, vfs }: Core): string {
  const { used } = pages
  const { dirty = 0, writeback = 0 } = (vfs as { cache?: { dirty?: number; writeback?: number } }).cache ?? {}
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal', kb(pages.total)],
    ['MemFree', kb(pages.free)],
    ['Buffers', kb(used.buffers)],
    ['Cached', kb(used.cache)],
    ['SwapCached', 0],
    ['Active', kb(used.anon)],
    ['Inactive', kb(used.cache + used.buffers)],
    ['HighTotal', 0],
    ['HighFree', 0],
    ['LowTotal', kb(pages.total)],
    ['LowFree', kb(pages.free)],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', kb(dirty)],
    ['Writeback', kb(writeback)],
    ['AnonPages', kb(used.anon)],
    ['Mapped', kb(used.anon)],
    ['Slab', kb(used.slab)],
    ['PageTables', kb(used.pagetables)],
    ['NFS_Unstable', 0],
    ['Bounce', 0],
    ['CommitLimit', Math.floor(kb(pages.total) / 2)],
    ['Committed_AS', kb(used.anon)],
    ['VmallocTotal', VMALLOC_KB],
    ['VmallocUsed', 0],
    ['VmallocChunk', VMALLOC_KB],
  ]
  return rows.map(([name, value]) => `${`${name}:`.padEnd(13)} ${String(value).padStart(8)} kB\n`).join('')
}

function vmstat({ pages, reclaim, vfs }: Core): string {
  const { used } = pages
  const { dirty = 0, writeback = 0 } = (vfs as { cache?: { dirty?: number; writeback?: number } }).cache ?? {}
  const rows: readonly (readonly [string, number])[] = [
    ['nr_anon_pages', used.anon],
    ['nr_mapped', used.anon],
    ['nr_file_pages', used.cache + used.buffers],
    ['nr_slab', used.slab],
    ['nr_page_table_pages', used.pagetables],
    ['nr_dirty', dirty],
    ['nr_writeback', writeback],
    ['nr_unstable', 0],
    ['nr_bounce', 0],
    ['pgalloc_dma', pages.allocated],
    ['pgfree', pages.freed],
    ['kswapd_steal', reclaim?.kswapd ?? 0],
    ['pgsteal_dma', (reclaim?.kswapd ?? 0) + (reclaim?.direct ?? 0)],
  ]
  return rows.map(([name, value]) => `${name} ${value}\n`).join('')
}

function interrupts({ irq }: Core): string {
  let text = `           CPU${'0'.padEnd(8)}\n`
  for (const { irq: nr, count, chip, name } of irq.rows)
    text += `${String(nr).padStart(3)}: ${String(count).padStart(10)}  ${chip.padStart(14)}  ${name}\n`
  return `${text}NMI: ${'0'.padStart(10)} \nLOC: ${'0'.padStart(10)} \nERR: ${'0'.padStart(10)}\n`
}

function modules({ modules: table }: Core): string {
  let text = ''
  for (const { name, bytes, users, usedBy, state, address } of table.values()) {
    const by = usedBy.length === 0 ? '-' : `${usedBy.join(',')},`
    text += `${name} ${bytes} ${users + usedBy.length} ${by} ${state} 0x${unsignedVaddr(address).toString(16)}\n`
  }
  return text
}
