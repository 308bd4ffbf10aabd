/** Python's time.time(): seconds since 1970, to the microsecond. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { clock_gettime } from '#user/libc/syscall.ts'

export function* now(): Sys<number> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_REALTIME)
  return seconds + Math.floor(ns / 1000) / 1e6
}
