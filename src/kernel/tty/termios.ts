/** A terminal's settings inside the kernel (Linux: termios.h, tty_ioctl.c). */
import { EINVAL } from '#abi/posix/errno.ts'
import * as t from '#abi/posix/termios.ts'
import { fail } from '../errno.ts'

export interface Termios {
  iflag: number
  oflag: number
  cflag: number
  lflag: number
  line: number
  readonly cc: Uint8Array
}

/** INIT_C_CC: ^C ^\ DEL ^U ^D, VTIME 0, VMIN 1, no VSWTC, ^Q ^S ^Z, no VEOL, ^R ^O ^W ^V, no VEOL2. */
const INIT_C_CC = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]

/** tty_std_termios; `cflag` as the driver wants it. */
export const stdTermios = (cflag = t.B38400 | t.CS8 | t.CREAD | t.HUPCL): Termios => ({
  iflag: t.ICRNL | t.IXON,
  oflag: t.OPOST | t.ONLCR,
  cflag,
  lflag: t.ISIG | t.ICANON | t.ECHO | t.ECHOE | t.ECHOK | t.ECHOCTL | t.ECHOKE | t.IEXTEN,
  line: 0,
  cc: Uint8Array.from(INIT_C_CC),
})

export const copyTermios = (from: Termios): Termios => ({ ...from, cc: from.cc.slice() })

/** struct termios, 36 bytes. */
export function termiosBytes(from: Termios): Uint8Array {
  const bytes = new Uint8Array(t.termios.size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, from.iflag >>> 0, true)
  view.setUint32(4, from.oflag >>> 0, true)
  view.setUint32(8, from.cflag >>> 0, true)
  view.setUint32(12, from.lflag >>> 0, true)
  bytes[16] = from.line
  bytes.set(from.cc, 17)
  return bytes
}

/** Fails with EINVAL where `arg` is no struct termios. */
export function termiosOf(arg: number | Uint8Array): Termios {
  if (typeof arg === 'number' || arg.length < t.termios.size) fail(EINVAL)
  const view = new DataView(arg.buffer, arg.byteOffset, arg.byteLength)
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: arg[16]!,
    cc: arg.slice(17, 17 + t.NCCS),
  }
}

/** By CBAUD without CBAUDEX, then with it. */
const BAUDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400]
const BAUDS_EX = [0, 57600, 115200, 230400, 460800, 500000, 576000, 921600]
const CBAUDEX = 0o10000

/** Bits a second by CBAUD; 0: hang up (tty_get_baud_rate). */
export function baudRate(cflag: number): number {
  const index = cflag & 15
  return (cflag & CBAUDEX ? BAUDS_EX[index] : BAUDS[index]) ?? 9600
}

/** CBAUD for so many bits a second; undefined where there is no code for it. */
export function baudCode(baud: number): number | undefined {
  const plain = BAUDS.indexOf(baud)
  if (plain > 0) return plain
  const extended = BAUDS_EX.indexOf(baud)
  return extended > 0 ? CBAUDEX | extended : undefined
}
