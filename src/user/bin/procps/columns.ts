/** ps's columns (procps 3.2.7: output.c). */
import { strftime } from '../../libc/time.ts'
import { HERTZ, type Proc } from './proc.ts'

/** What columns need besides the process. */
export interface Shown {
  readonly proc: Proc
  readonly user: string
  readonly realUser: string
  readonly group: string
  readonly tty: string
  /** Lines of the tree in front of the command. */
  readonly indent: string
}

export interface Now {
  readonly upSeconds: number
  readonly bootTime: number
  readonly time: number
  readonly memoryKb: number
}

export interface Column {
  readonly header: string
  /** Negative: to the left; 0: the rest of the line. */
  readonly width: number
  readonly text: (shown: Shown, now: Now) => string
  readonly sort?: (proc: Proc, now: Now) => number | string
}

const two = (n: number): string => String(n).padStart(2, '0')
const cpuSeconds = ({ utime, stime }: Proc): number => Math.floor((utime + stime) / HERTZ)

/** Thousandths of a processor since the process began. */
function cpuShare(proc: Proc, { upSeconds }: Now): number {
  const seconds = Math.max(0, Math.floor(upSeconds - proc.start / HERTZ))
  return seconds > 0 ? Math.floor(((proc.utime + proc.stime) * (1000 / HERTZ)) / seconds) : 0
}

const tenths = (value: number): string =>
  value > 999 ? String(Math.floor(value / 10)) : `${Math.floor(value / 10)}.${value % 10}`

const rssKb = ({ rss }: Proc): number => rss * 4

function fullTime(seconds: number): string {
  const days = Math.floor(seconds / 86400)
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return days > 0 ? `${days}-${clock}` : clock
}

function elapsed(proc: Proc, { upSeconds }: Now): string {
  const seconds = Math.max(0, Math.floor(upSeconds - proc.start / HERTZ))
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  if (seconds < 3600) return clock
  const hours = `${two(Math.floor(seconds / 3600) % 24)}:${clock}`
  return seconds < 86400 ? hours : `${Math.floor(seconds / 86400)}-${hours}`
}

function startTime(proc: Proc, now: Now): string {
  const started = Math.floor(now.bootTime + proc.start / HERTZ)
  if (strftime('%Y%j', started) === strftime('%Y%j', now.time)) return strftime('%H:%M', started)
  return strftime(strftime('%Y', started) === strftime('%Y', now.time) ? '%b%d' : '%Y', started)
}

/** STAT: the state and what is special about it. */
function statLetters(proc: Proc): string {
  let text = proc.state
  if (proc.nice < 0) text += '<'
  if (proc.nice > 0) text += 'N'
  if (proc.session === proc.pid) text += 's'
  if (proc.pgrp === proc.tpgid) text += '+'
  return text
}

/** A command line; a kernel thread's name in brackets. */
export function commandLine({ argv, comm, state }: Proc): string {
  const visible = (text: string) => text.replace(/[\x00-\x1f\x7f-\xff]/g, '?')
  if (state === 'Z') return `[${visible(comm)}] <defunct>`
  return argv.length > 0 ? visible(argv.join(' ')) : `[${visible(comm)}]`
}

const nameOf = ({ comm, state }: Proc): string => (state === 'Z' ? `${comm} <defunct>` : comm)

const number = (header: string, width: number, value: (proc: Proc, now: Now) => number): Column => ({
  header,
  width,
  text: ({ proc }, now) => String(value(proc, now)),
  sort: value,
})

/** A name that is too long for its column is a number. */
const user = (header: string, pick: (shown: Shown) => string, id: (proc: Proc) => number): Column => ({
  header,
  width: -8,
  text: (shown) => (pick(shown).length > 8 ? String(id(shown.proc)) : pick(shown)),
  sort: (proc) => id(proc),
})

const priority = ({ priority }: Proc): number => priority

export const COLUMNS: Readonly<Record<string, Column>> = {
  pid: number('PID', 5, (p) => p.pid),
  ppid: number('PPID', 5, (p) => p.ppid),
  pgid: number('PGID', 5, (p) => p.pgrp),
  sid: number('SID', 5, (p) => p.session),
  tpgid: number('TPGID', 5, (p) => p.tpgid),
  uid: number('UID', 5, (p) => p.euid),
  ruid: number('RUID', 5, (p) => p.uid),
  gid: number('GID', 5, (p) => p.egid),
  user: user(
    'USER',
    (s) => s.user,
    (p) => p.euid,
  ),
  uname: user(
    'USER',
    (s) => s.user,
    (p) => p.euid,
  ),
  euser: user(
    'EUSER',
    (s) => s.user,
    (p) => p.euid,
  ),
  ruser: user(
    'RUSER',
    (s) => s.realUser,
    (p) => p.uid,
  ),
  // -f: a user under the header UID.
  uidname: user(
    'UID',
    (s) => s.user,
    (p) => p.euid,
  ),
  group: user(
    'GROUP',
    (s) => s.group,
    (p) => p.egid,
  ),
  c: number('C', 2, (p, now) => Math.min(99, Math.floor(cpuShare(p, now) / 10))),
  pcpu: { header: '%CPU', width: 4, text: ({ proc }, now) => tenths(cpuShare(proc, now)), sort: cpuShare },
  pmem: {
    header: '%MEM',
    width: 4,
    text: ({ proc }, { memoryKb }) => tenths(Math.min(999, Math.floor((rssKb(proc) * 1000) / Math.max(1, memoryKb)))),
    sort: (proc) => rssKb(proc),
  },
  vsz: number('VSZ', 6, (p) => Math.floor(p.vsize / 1024)),
  rss: number('RSS', 5, rssKb),
  sz: number('SZ', 5, (p) => Math.floor(p.vsize / 4096)),
  // -l counts from 60; PRI of BSD's l from the real-time end.
  pri: number('PRI', 3, (p) => priority(p) + 60),
  opri: number('PRI', 3, priority),
  ni: number('NI', 3, (p) => p.nice),
  f: number('F', 1, (p) => (p.flags >> 6) & 7),
  addr: { header: 'ADDR', width: 4, text: () => '-' },
  wchan: { header: 'WCHAN', width: -6, text: ({ proc }) => (proc.wchan === '0' ? '-' : proc.wchan).slice(0, 6) },
  s: { header: 'S', width: 1, text: ({ proc }) => proc.state, sort: (p) => p.state },
  stat: { header: 'STAT', width: -4, text: ({ proc }) => statLetters(proc), sort: (p) => p.state },
  tty: { header: 'TTY', width: -8, text: ({ tty }) => tty, sort: (p) => p.tty },
  time: { header: 'TIME', width: 8, text: ({ proc }) => fullTime(cpuSeconds(proc)), sort: cpuSeconds },
  bsdtime: {
    header: 'TIME',
    width: 6,
    text: ({ proc }) => `${Math.floor(cpuSeconds(proc) / 60)}:${two(cpuSeconds(proc) % 60)}`,
    sort: cpuSeconds,
  },
  etime: { header: 'ELAPSED', width: 11, text: ({ proc }, now) => elapsed(proc, now), sort: (p) => -p.start },
  stime: { header: 'STIME', width: 5, text: ({ proc }, now) => startTime(proc, now), sort: (p) => p.start },
  start: { header: 'START', width: -5, text: ({ proc }, now) => startTime(proc, now), sort: (p) => p.start },
  lstart: {
    header: 'STARTED',
    width: 24,
    text: ({ proc }, now) => strftime('%a %b %e %H:%M:%S %Y', Math.floor(now.bootTime + proc.start / HERTZ)),
    sort: (p) => p.start,
  },
  comm: { header: 'COMMAND', width: -15, text: ({ proc, indent }) => indent + nameOf(proc), sort: (p) => p.comm },
  ucmd: { header: 'CMD', width: -15, text: ({ proc, indent }) => indent + nameOf(proc), sort: (p) => p.comm },
  args: { header: 'COMMAND', width: -27, text: ({ proc, indent }) => indent + commandLine(proc), sort: (p) => p.comm },
  cmd: { header: 'CMD', width: -27, text: ({ proc, indent }) => indent + commandLine(proc), sort: (p) => p.comm },
}

/** Other names of the same columns. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  vsize: 'vsz',
  rssize: 'rss',
  rsz: 'rss',
  nice: 'ni',
  state: 's',
  tt: 'tty',
  tname: 'tty',
  pgrp: 'pgid',
  sess: 'sid',
  session: 'sid',
  cputime: 'time',
  start_time: 'start',
  bsdstart: 'start',
  command: 'args',
  ucomm: 'comm',
  euid: 'uid',
  egroup: 'group',
  flags: 'f',
}
