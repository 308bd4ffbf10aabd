/** What is said through /dev/initctl: struct init_request of sysvinit's initreq.h, 384 bytes. */
import { byteString, bytesOfString } from '#lib/utf8.ts'

export const INIT_FIFO = '/dev/initctl'
export const REQUEST_BYTES = 384
const MAGIC = 0x03091969

export const INIT_CMD_RUNLVL = 1
export const INIT_CMD_POWERFAIL = 2
export const INIT_CMD_POWERFAILNOW = 3
export const INIT_CMD_POWEROK = 4
export const INIT_CMD_SETENV = 6

export interface InitRequest {
  readonly cmd: number
  /** A character. */
  readonly level: string
  /** Seconds between TERM and KILL; 0: as it is. */
  readonly sleep: number
  /** INIT_CMD_SETENV: `NAME=value`. */
  readonly data: string
}

export function requestBytes({ cmd, level, sleep, data }: InitRequest): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setInt32(4, cmd, true)
  view.setInt32(8, level.charCodeAt(0), true)
  view.setInt32(12, sleep, true)
  bytes.set(bytesOfString(data.slice(0, REQUEST_BYTES - 17)), 16)
  return bytes
}

/** Undefined for bytes that are no request. */
export function readRequest(bytes: Uint8Array): InitRequest | undefined {
  if (bytes.length !== REQUEST_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) return undefined
  const data = byteString(bytes.subarray(16))
  return {
    cmd: view.getInt32(4, true),
    level: String.fromCharCode(view.getInt32(8, true) & 0x7f),
    sleep: view.getInt32(12, true),
    data: data.slice(0, data.indexOf('\0') < 0 ? data.length : data.indexOf('\0')),
  }
}
