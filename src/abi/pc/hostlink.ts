/**
 * The host link chip: a way from outside the machine to a socket inside it (design D9). No such chip was ever sold. Links are numbered by whoever opens
 * them, outside; what happens to each goes in frames, which the chip copies from and to memory by bus mastering. Each side may send so much of a
 * link's data as the other has given it credit for, HOSTLINK_WINDOW to begin with.
 */
import { setWord, word } from '#lib/words.ts'

export const HOSTLINK_BASE = 0x2c0
export const HOSTLINK_PORTS = 16
export const HOSTLINK_IRQ = 10

// Registers, all of 32 bits.
/** Reads HOSTLINK_SIGNATURE. */
export const HOSTLINK_ID = 0
export const HOSTLINK_STATUS = 4
/** Machine address of a frame's place: HOSTLINK_FRAME_BYTES from there on. */
export const HOSTLINK_ADDRESS = 8
/** Written: what to do, at once. */
export const HOSTLINK_COMMAND = 12

/** `HLNK` */
export const HOSTLINK_SIGNATURE = 0x4b4e4c48

/** Status: a frame waits to be received (the interrupt's reason); the last command was refused. */
export const HOSTLINK_RECEIVABLE = 1
export const HOSTLINK_REFUSED = 2

/** Somebody is there now, or no longer: without, every link is refused. Either closes all links. */
export const HOSTLINK_ENABLE = 1
export const HOSTLINK_DISABLE = 2
/** Copy the next frame to ADDRESS; refused when there is none. */
export const HOSTLINK_RECEIVE = 3
/** Take the frame at ADDRESS; refused when it makes no sense. */
export const HOSTLINK_SEND = 4

/** A frame: u8 kind, u8 flags, u16 length of what follows, u32 link. */
export const HOSTLINK_HEADER_BYTES = 8
/** Where the length is. */
export const HOSTLINK_LENGTH = 2
export const HOSTLINK_FRAME_BYTES = 4096
export const HOSTLINK_DATA_BYTES = HOSTLINK_FRAME_BYTES - HOSTLINK_HEADER_BYTES
export const HOSTLINK_WINDOW = 65536

/** From outside: a new link, to the socket that the data names. */
export const HOSTLINK_OPEN = 1
/** Both ways: bytes of a link. */
export const HOSTLINK_DATA = 2
/** Both ways: no more bytes will come from this side. After both the link is no more. */
export const HOSTLINK_END = 3
/** Both ways: the link is no more. From inside the data says why. */
export const HOSTLINK_CLOSE = 4
/** Both ways: u32, so many bytes more may be sent. */
export const HOSTLINK_CREDIT = 5
/** From inside: text for observers; of no link. */
export const HOSTLINK_TRACE = 6

/** What comes in on a link. */
export type LinkInput =
  /** A path of a unix socket, or `tcp:PORT`: a byte string. */
  | { readonly kind: 'open'; readonly to: string }
  | { readonly kind: 'data'; readonly bytes: Uint8Array | readonly number[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'close' }
  | { readonly kind: 'credit'; readonly bytes: number }

/** What comes out. */
export type LinkOutput =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'close'; readonly reason: string }
  | { readonly kind: 'credit'; readonly bytes: number }

export interface HostlinkFrame {
  readonly kind: number
  readonly link: number
  readonly data: Uint8Array
}

/** The frame at `at`. Undefined: it is not all there. */
export function readFrame(bytes: Uint8Array, at = 0): HostlinkFrame | undefined {
  if (bytes.length - at < HOSTLINK_HEADER_BYTES) return undefined
  const length = bytes[at + HOSTLINK_LENGTH]! | (bytes[at + HOSTLINK_LENGTH + 1]! << 8)
  const from = at + HOSTLINK_HEADER_BYTES
  if (length > HOSTLINK_DATA_BYTES || bytes.length - from < length) return undefined
  return { kind: bytes[at]!, link: word(bytes, at + 4), data: bytes.slice(from, from + length) }
}

export function frameBytes({ kind, link, data }: HostlinkFrame): Uint8Array {
  const bytes = new Uint8Array(HOSTLINK_HEADER_BYTES + data.length)
  bytes[0] = kind
  bytes[HOSTLINK_LENGTH] = data.length
  bytes[HOSTLINK_LENGTH + 1] = data.length >>> 8
  setWord(bytes, 4, link)
  bytes.set(data, HOSTLINK_HEADER_BYTES)
  return bytes
}

/** CREDIT's. */
export const creditBytes = (count: number): Uint8Array => new Uint8Array(Uint32Array.of(count).buffer)
export const creditOf = ({ data }: HostlinkFrame): number =>
  data.length === 4 ? new DataView(data.buffer, data.byteOffset).getUint32(0, true) : 0
