/** termios.h: terminals' settings and sizes. */
import { TCGETS, TCSETS, TCSETSF, TCSETSW, TIOCGWINSZ, TIOCSPGRP, TIOCSWINSZ } from '#abi/posix/ioctl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { NCCS } from '#abi/posix/termios.ts'
import { OsError } from './errno.ts'
import { raw } from './syscall.ts'

/** struct termios, to be changed and set. */
export interface Termios {
  iflag: number
  oflag: number
  cflag: number
  lflag: number
  line: number
  readonly cc: Uint8Array
}

export interface Winsize {
  readonly rows: number
  readonly cols: number
}

export const TCSANOW = TCSETS
export const TCSADRAIN = TCSETSW
export const TCSAFLUSH = TCSETSF

/** An ioctl that must answer; the error is about no path. */
export function* ioctlBytes(fd: number, request: number, arg: number | Uint8Array = 0): Sys<Uint8Array> {
  const result = yield* raw(SYSCALL_NR.ioctl, fd, request, arg)
  if (result instanceof Uint8Array) return result
  if (typeof result === 'number' && result < 0) throw new OsError(-result, 'ioctl')
  return new Uint8Array(0)
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

function putWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (8 * i)) & 255
}

/** tcgetattr(3). */
export function* tcgetattr(fd: number): Sys<Termios> {
  const bytes = yield* ioctlBytes(fd, TCGETS)
  return {
    iflag: word(bytes, 0),
    oflag: word(bytes, 4),
    cflag: word(bytes, 8),
    lflag: word(bytes, 12),
    line: bytes[16]!,
    cc: bytes.slice(17, 17 + NCCS),
  }
}

/** tcsetattr(3); `action`: TCSANOW, TCSADRAIN or TCSAFLUSH. */
export function* tcsetattr(fd: number, action: number, tio: Termios): Sys<void> {
  const bytes = new Uint8Array(36)
  putWord(bytes, 0, tio.iflag)
  putWord(bytes, 4, tio.oflag)
  putWord(bytes, 8, tio.cflag)
  putWord(bytes, 12, tio.lflag)
  bytes[16] = tio.line
  bytes.set(tio.cc, 17)
  yield* ioctlBytes(fd, action, bytes)
}

/** TIOCGWINSZ (tty_ioctl(4)). */
export function* tcgetwinsize(fd: number): Sys<Winsize> {
  const bytes = yield* ioctlBytes(fd, TIOCGWINSZ)
  return { rows: bytes[0]! | (bytes[1]! << 8), cols: bytes[2]! | (bytes[3]! << 8) }
}

/** TIOCSWINSZ (tty_ioctl(4)). */
export function* tcsetwinsize(fd: number, { rows, cols }: Winsize): Sys<void> {
  const bytes = Uint8Array.of(rows & 255, rows >> 8, cols & 255, cols >> 8, 0, 0, 0, 0)
  yield* ioctlBytes(fd, TIOCSWINSZ, bytes)
}

/** tcsetpgrp(3). */
export function* tcsetpgrp(fd: number, pgid: number): Sys<void> {
  yield* ioctlBytes(fd, TIOCSPGRP, pgid)
}

/** How wide output to `fd` is: the terminal's columns, else $COLUMNS, else 80. */
export function* screenColumns(fd: number, env: readonly string[]): Sys<number> {
  const given = Number(env.find((entry) => entry.startsWith('COLUMNS='))?.slice(8))
  if (given > 0 && Number.isInteger(given)) return given
  try {
    return (yield* tcgetwinsize(fd)).cols || 80
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return 80
  }
}
