/** w(1): procps 3.2.7. */

import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { USER_PROCESS } from '#abi/posix/utmp.ts'
import { utmpRecords } from '../account/utmp.ts'
import { OsError } from '../libc/errno.ts'
import { clock_gettime, stat } from '../libc/syscall.ts'
import { gmtime, strftime } from '../libc/time.ts'
import { utility } from '../libc/utility.ts'
import { commandLine } from './procps/columns.ts'
import { allProcs, HERTZ, type Proc, ttyNumber } from './procps/proc.ts'
import { uptimeLine } from './procps/uptime-line.ts'

export const w = utility({
  name: 'w',
  usage: 'w -hlsufV [user]',
  help: `    -h    skip header
    -l    long listing (default)
    -s    short listing
    -u    ignore uid of processes
    -f    toggle FROM field (default on)
    -V    display version
`,
  version: 'procps version 3.2.7',
  short: 'hlsufV',
  *main(run) {
    const short = run.has('s')
    const from = !run.has('f')
    if (!run.has('h')) {
      yield* run.out.line(yield* uptimeLine())
      const middle = short ? '   IDLE ' : 'LOGIN@   IDLE   JCPU   PCPU '
      yield* run.out.line(`USER     TTY      ${from ? 'FROM            ' : ''}  ${middle}WHAT`)
    }
    const [now] = yield* clock_gettime(CLOCK_REALTIME)
    const procs = yield* allProcs()
    for (const record of yield* utmpRecords()) {
      if (record.type !== USER_PROCESS || record.user === '') continue
      if (run.operands[0] !== undefined && run.operands[0] !== record.user) continue
      const dev = yield* ttyNumber(record.line)
      const own = procs.filter((proc) => dev !== undefined && proc.tty === dev)
      const front = own.filter((proc) => proc.pgrp === proc.tpgid)
      const best = front.at(-1) ?? own.at(-1)
      const seconds = (list: readonly Proc[]) => list.reduce((sum, p) => sum + p.utime + p.stime, 0) / HERTZ
      const idle = yield* idleSeconds(record.line, now)
      const head = `${record.user.slice(0, 8).padEnd(8)} ${record.line.slice(0, 8).padEnd(8)} ${from ? (record.host || '-').slice(0, 16).padEnd(16) : ''}`
      const times = short
        ? duration(idle)
        : `${loginTime(record.seconds, now)}${duration(idle)}${duration(seconds(own), true)}${duration(best ? seconds([best]) : 0, true)}`
      yield* run.out.line(`${head}${times} ${best ? commandLine(best) : '-'}`)
    }
    return 0
  },
})

function* idleSeconds(line: string, now: number): Sys<number> {
  try {
    return Math.max(0, now - (yield* stat(`/dev/${line}`)).atime)
  } catch (error) {
    if (error instanceof OsError) return 0
    throw error
  }
}

function loginTime(at: number, now: number): string {
  const { hour, minute } = gmtime(at)
  if (now - at > 12 * 3600 && strftime('%j', at) !== strftime('%j', now))
    return now - at > 6 * 86400 ? strftime(' %d%b%y', at) : strftime(' %a%H  ', at)
  return ` ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}  `.padStart(8).slice(-8)
}

/** print_time_ival7: seven columns. */
function duration(seconds: number, fraction = false): string {
  const s = Math.floor(seconds)
  if (s >= 2 * 86400) return ` ${String(Math.floor(s / 86400)).padStart(2)}days`
  if (s >= 3600)
    return ` ${String(Math.floor(s / 3600)).padStart(2)}:${String(Math.floor(s / 60) % 60).padStart(2, '0')}m`
  if (s >= 60) return ` ${String(Math.floor(s / 60)).padStart(2)}:${String(s % 60).padStart(2, '0')} `
  return ` ${String(s).padStart(2)}.${String(fraction ? Math.floor((seconds % 1) * 100) : 0).padStart(2, '0')}s`
}
