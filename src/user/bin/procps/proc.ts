/** What procps reads from /proc (libproc of procps 3.2.7): readproc.c, sysinfo.c, devname.c, whattime.c. */
import { DT_DIR } from '#abi/posix/stat.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../../libc/dirent.ts'
import { OsError } from '../../libc/errno.ts'
import { getpwuid } from '../../libc/pwd.ts'
import { readFile } from '../../libc/stdio.ts'
import { clock_gettime, stat } from '../../libc/syscall.ts'

/** USER_HZ. */
export const HERTZ = 100

export interface Proc {
  readonly pid: number
  readonly comm: string
  readonly state: string
  readonly ppid: number
  readonly pgrp: number
  readonly session: number
  readonly tty: number
  readonly tpgid: number
  readonly flags: number
  /** Ticks. */
  readonly utime: number
  readonly stime: number
  readonly priority: number
  readonly nice: number
  readonly start: number
  /** Bytes, and pages. */
  readonly vsize: number
  readonly rss: number
  readonly shared: number
  readonly wchan: string
  /** Arguments; empty for kernel threads. */
  readonly argv: readonly string[]
  readonly uid: number
  readonly euid: number
  readonly gid: number
  readonly egid: number
}

/** The text of a file of /proc, or undefined: a process may go at any time. */
export function* procText(path: string): Sys<string | undefined> {
  try {
    return yield* readFile(path)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

export function* readProc(pid: number): Sys<Proc | undefined> {
  const base = `/proc/${pid}`
  const text = yield* procText(`${base}/stat`)
  if (text === undefined) return undefined
  // A name may have anything in it, parentheses too.
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  const field = (n: number): number => Number(fields[n - 3])
  const status = (yield* procText(`${base}/status`)) ?? ''
  const ids = (label: string): number[] =>
    (new RegExp(`^${label}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '0 0').split(/\s+/).map(Number)
  const cmdline = (yield* procText(`${base}/cmdline`)) ?? ''
  const statm = ((yield* procText(`${base}/statm`)) ?? '0 0 0').split(' ')
  const wchan = (yield* procText(`${base}/wchan`)) ?? '0'
  const [uid = 0, euid = 0] = ids('Uid')
  const [gid = 0, egid = 0] = ids('Gid')
  return {
    pid,
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    ppid: field(4),
    pgrp: field(5),
    session: field(6),
    tty: field(7),
    tpgid: field(8),
    flags: field(9),
    utime: field(14),
    stime: field(15),
    priority: field(18),
    nice: field(19),
    start: field(22),
    vsize: field(23),
    rss: field(24),
    shared: Number(statm[2] ?? 0),
    wchan: wchan.trim(),
    argv: cmdline === '' ? [] : cmdline.replace(/\0$/, '').split('\0'),
    uid,
    euid,
    gid,
    egid,
  }
}

/** All processes, by number. */
export function* allProcs(): Sys<Proc[]> {
  const pids: number[] = []
  for (const { name, type } of yield* listDirectory('/proc')) {
    if (/^[0-9]+$/.test(name) && (type === DT_DIR || type === 0)) pids.push(Number(name))
  }
  const procs: Proc[] = []
  for (const pid of pids.sort((a, b) => a - b)) {
    const proc = yield* readProc(pid)
    if (proc) procs.push(proc)
  }
  return procs
}

export function* uptimeSeconds(): Sys<readonly [up: number, idle: number]> {
  const [up = 0, idle = 0] = ((yield* procText('/proc/uptime')) ?? '0 0').split(' ').map(Number)
  return [up, idle]
}

export function* meminfo(): Sys<ReadonlyMap<string, number>> {
  const table = new Map<string, number>()
  for (const [, name, value] of ((yield* procText('/proc/meminfo')) ?? '').matchAll(/^(\w+):\s+(\d+)/gm))
    table.set(name!, Number(value))
  return table
}

/** Numbers of /proc/stat and /proc/vmstat by the word in front of them. */
export function* numbers(path: string): Sys<ReadonlyMap<string, readonly number[]>> {
  const table = new Map<string, readonly number[]>()
  for (const line of ((yield* procText(path)) ?? '').split('\n')) {
    const [name, ...values] = line.split(/\s+/)
    if (name) table.set(name, values.map(Number))
  }
  return table
}

/** user, nice, system, idle, iowait, irq, softirq, steal: ticks since boot. */
export function* cpuTicks(): Sys<readonly number[]> {
  const values = (yield* numbers('/proc/stat')).get('cpu') ?? []
  return Array.from({ length: 8 }, (_, i) => values[i] ?? 0)
}

/** Names of terminals by device number, from /proc/tty/drivers. */
export class TtyNames {
  readonly #rows: readonly { major: number; first: number; last: number; name: string }[]

  private constructor(rows: readonly { major: number; first: number; last: number; name: string }[]) {
    this.#rows = rows
  }

  static *read(): Sys<TtyNames> {
    const rows: { major: number; first: number; last: number; name: string }[] = []
    for (const line of ((yield* procText('/proc/tty/drivers')) ?? '').split('\n')) {
      const match = /^\S+\s+\/dev\/(\S*)\s+(\d+)\s+(\d+)(?:-(\d+))?\s/.exec(line)
      if (!match) continue
      const first = Number(match[3])
      rows.push({ name: match[1]!, major: Number(match[2]), first, last: Number(match[4] ?? first) })
    }
    return new TtyNames(rows)
  }

  /** `?` for none. */
  name(dev: number): string {
    if (dev === 0) return '?'
    const major = (dev >> 8) & 0xfff
    const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00)
    const row = this.#rows.find((r) => r.major === major && minor >= r.first && minor <= r.last)
    if (major === 136) return `pts/${minor}`
    if (major === 5 && minor === 1) return 'console'
    if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
    if (!row) return '?'
    // Drivers of one line count from 0; pseudo terminals have a directory.
    return row.name === 'pts' ? `pts/${minor}` : `${row.name}${minor - row.first}`
  }
}

/** Names of users, each looked up once. */
export class UserNames {
  readonly #names: Map<number, string>

  constructor() {
    this.#names = new Map()
  }

  *name(uid: number): Sys<string> {
    let name = this.#names.get(uid)
    if (name === undefined) {
      name = (yield* getpwuid(uid))?.name ?? String(uid)
      this.#names.set(uid, name)
    }
    return name
  }
}

/** Seconds since 1970 of a time in ticks since boot. */
export function* bootTime(): Sys<number> {
  const [now, ns] = yield* clock_gettime(CLOCK_REALTIME)
  const [up] = yield* uptimeSeconds()
  return now + ns / 1e9 - up
}

/** The device number of a terminal that was named on a command line: `tty1`, `/dev/tty1`, `S0`. */
export function* ttyNumber(name: string): Sys<number | undefined> {
  for (const path of [name, `/dev/${name}`, `/dev/tty${name}`]) {
    if (!path.startsWith('/dev/')) continue
    try {
      return (yield* stat(path)).rdev
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return undefined
}
