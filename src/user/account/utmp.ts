/** utmp and wtmp as programs write them (getutent(3), pututline, updwtmp). Files that are missing are not made, as in life. */
import { O_APPEND, O_RDONLY, O_RDWR, O_WRONLY, SEEK_SET } from '#abi/posix/fcntl.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import {
  DEAD_PROCESS,
  INIT_PROCESS,
  LOGIN_PROCESS,
  readUtmp,
  readUtmpRecord,
  USER_PROCESS,
  UTMP_BYTES,
  UTMP_FILE,
  type Utmp,
  utmpBytes,
  WTMP_FILE,
} from '#abi/posix/utmp.ts'
import { OsError } from '../libc/errno.ts'
import { writeAll } from '../libc/stdio.ts'
import { clock_gettime, close, lseek, open, read } from '../libc/syscall.ts'

const isProcess = (type: number): boolean => type >= INIT_PROCESS && type <= DEAD_PROCESS

/** What `work` does with the file; undefined where it cannot be opened. */
function* withFile<T>(path: string, flags: number, work: (fd: number) => Sys<T>): Sys<T | undefined> {
  let fd: number
  try {
    fd = yield* open(path, flags, 0)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
  try {
    return yield* work(fd)
  } catch (error) {
    // A full disk or a read-only one: nobody can be told.
    if (error instanceof OsError) return undefined
    throw error
  } finally {
    yield* close(fd)
  }
}

function* readWhole(fd: number): Sys<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for (let part = yield* read(fd, 65536); part.length > 0; part = yield* read(fd, 65536)) {
    parts.push(part)
    length += part.length
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** All records of `path`; none where there is no such file. */
export function* utmpRecords(path = UTMP_FILE): Sys<Utmp[]> {
  const bytes = yield* withFile(path, O_RDONLY, readWhole)
  return bytes ? readUtmp(bytes) : []
}

/** Now, for a record. */
export function* utmpTime(): Sys<{ seconds: number; microseconds: number }> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_REALTIME)
  return { seconds, microseconds: Math.floor(ns / 1000) }
}

/** pututline(3): in place of the record of the same id (a process's), or type (any other), or at the end. */
export function* putUtmp(record: Partial<Utmp> & { readonly type: number }): Sys<void> {
  yield* withFile(UTMP_FILE, O_RDWR, function* (fd) {
    const bytes = yield* readWhole(fd)
    let at = 0
    for (; at + UTMP_BYTES <= bytes.length; at += UTMP_BYTES) {
      const old = readUtmpRecord(bytes, at)
      const same = isProcess(record.type)
        ? isProcess(old.type) && (record.id ? old.id === record.id : old.line === record.line)
        : old.type === record.type
      if (same) break
    }
    yield* lseek(fd, at, SEEK_SET)
    yield* writeAll(fd, utmpBytes(record))
    return 0
  })
}

/** updwtmp(3). */
export function* appendWtmp(record: Partial<Utmp>, path = WTMP_FILE): Sys<void> {
  yield* withFile(path, O_WRONLY | O_APPEND, function* (fd) {
    yield* writeAll(fd, utmpBytes(record))
    return 0
  })
}

/** The record of the process `pid` of this boot: what init made for it. */
export function* utmpOfPid(pid: number): Sys<Utmp | undefined> {
  const records = yield* utmpRecords()
  return records.find(
    (record) =>
      record.pid === pid &&
      (record.type === INIT_PROCESS || record.type === LOGIN_PROCESS || record.type === USER_PROCESS),
  )
}
