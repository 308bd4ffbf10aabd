/** Who is logged in and what init did: /var/run/utmp and /var/log/wtmp (glibc x86_64: bits/utmp.h), 384 bytes a record; /var/log/lastlog. */
import { byteString, bytesOfString } from '#lib/utf8.ts'

export const UTMP_BYTES = 384
export const UTMP_FILE = '/var/run/utmp'
export const WTMP_FILE = '/var/log/wtmp'
export const BTMP_FILE = '/var/log/btmp'
export const LASTLOG_FILE = '/var/log/lastlog'

export const EMPTY = 0
export const RUN_LVL = 1
export const BOOT_TIME = 2
export const NEW_TIME = 3
export const OLD_TIME = 4
export const INIT_PROCESS = 5
export const LOGIN_PROCESS = 6
export const USER_PROCESS = 7
export const DEAD_PROCESS = 8

export interface Utmp {
  /** EMPTY to DEAD_PROCESS. */
  readonly type: number
  /** RUN_LVL: the level's character plus 256 times the one before. */
  readonly pid: number
  /** Without `/dev/`. At most 32 bytes, as all of these have their sizes. */
  readonly line: string
  /** 4 bytes. */
  readonly id: string
  /** 32 bytes. */
  readonly user: string
  /** 256 bytes. */
  readonly host: string
  /** Of a dead process. */
  readonly termination: number
  readonly exit: number
  readonly session: number
  /** Seconds since 1970, and microseconds. */
  readonly seconds: number
  readonly microseconds: number
}

const TEXTS = { line: [8, 32], id: [40, 4], user: [44, 32], host: [76, 256] } as const

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A fixed field of bytes: what is behind the first NUL is no text. */
function text(bytes: Uint8Array, at: number, length: number): string {
  const all = byteString(bytes.subarray(at, at + length))
  const end = all.indexOf('\0')
  return end < 0 ? all : all.slice(0, end)
}

/** The record at `at`. */
export function readUtmpRecord(bytes: Uint8Array, at = 0): Utmp {
  const record = view(bytes.subarray(at, at + UTMP_BYTES))
  const field = (name: keyof typeof TEXTS): string => text(bytes, at + TEXTS[name][0], TEXTS[name][1])
  return {
    type: record.getInt16(0, true),
    pid: record.getInt32(4, true),
    line: field('line'),
    id: field('id'),
    user: field('user'),
    host: field('host'),
    termination: record.getInt16(332, true),
    exit: record.getInt16(334, true),
    session: record.getInt32(336, true),
    seconds: record.getUint32(340, true),
    microseconds: record.getUint32(344, true),
  }
}

/** All whole records of a file. */
export function readUtmp(bytes: Uint8Array): Utmp[] {
  const records: Utmp[] = []
  for (let at = 0; at + UTMP_BYTES <= bytes.length; at += UTMP_BYTES) records.push(readUtmpRecord(bytes, at))
  return records
}

/** A record's bytes; what is not given is empty. Texts that are too long are cut. */
export function utmpBytes(values: Partial<Utmp>): Uint8Array {
  const bytes = new Uint8Array(UTMP_BYTES)
  const record = view(bytes)
  record.setInt16(0, values.type ?? EMPTY, true)
  record.setInt32(4, values.pid ?? 0, true)
  for (const name of ['line', 'id', 'user', 'host'] as const)
    bytes.set(bytesOfString((values[name] ?? '').slice(0, TEXTS[name][1])), TEXTS[name][0])
  record.setInt16(332, values.termination ?? 0, true)
  record.setInt16(334, values.exit ?? 0, true)
  record.setInt32(336, values.session ?? 0, true)
  record.setUint32(340, values.seconds ?? 0, true)
  record.setUint32(344, values.microseconds ?? 0, true)
  return bytes
}

/** /var/log/lastlog: one record for each uid. */
export const LASTLOG_BYTES = 292

export interface Lastlog {
  /** 0: never. */
  readonly seconds: number
  readonly line: string
  readonly host: string
}

export const readLastlog = (bytes: Uint8Array): Lastlog =>
  bytes.length < LASTLOG_BYTES
    ? { seconds: 0, line: '', host: '' }
    : { seconds: view(bytes).getUint32(0, true), line: text(bytes, 4, 32), host: text(bytes, 36, 256) }

export function lastlogBytes({ seconds, line, host }: Lastlog): Uint8Array {
  const bytes = new Uint8Array(LASTLOG_BYTES)
  view(bytes).setUint32(0, seconds, true)
  bytes.set(bytesOfString(line.slice(0, 32)), 4)
  bytes.set(bytesOfString(host.slice(0, 256)), 36)
  return bytes
}
