/** The line that uptime, w and top begin with (procps 3.2.7: whattime.c). */

import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { USER_PROCESS } from '#abi/posix/utmp.ts'
import { utmpRecords } from '../../account/utmp.ts'
import { clock_gettime } from '../../libc/syscall.ts'
import { gmtime } from '../../libc/time.ts'
import { procText, uptimeSeconds } from './proc.ts'

const two = (n: number): string => String(n).padStart(2, '0')

export function* uptimeLine(): Sys<string> {
  const [now] = yield* clock_gettime(CLOCK_REALTIME)
  const { hour, minute, second } = gmtime(now)
  const [up] = yield* uptimeSeconds()
  const days = Math.floor(up / 86400)
  const hours = Math.floor(up / 3600) % 24
  const minutes = Math.floor(up / 60) % 60
  let users = 0
  for (const { type, user } of yield* utmpRecords()) if (type === USER_PROCESS && user !== '') users++
  const loads = ((yield* procText('/proc/loadavg')) ?? '0.00 0.00 0.00').split(' ').slice(0, 3)
  const since = `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${
    hours > 0 ? `${String(hours).padStart(2)}:${two(minutes)}` : `${minutes} min`
  }`
  const who = `${String(users).padStart(2)} user${users === 1 ? '' : 's'}`
  return ` ${two(hour)}:${two(minute)}:${two(second)} up ${since}, ${who},  load average: ${loads.join(', ')}`
}
