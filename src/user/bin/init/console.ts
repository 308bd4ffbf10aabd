/** init's console: where its messages go, and what its children get as their terminal. */
import { O_NOCTTY, O_NONBLOCK, O_RDWR, O_WRONLY } from '#abi/posix/fcntl.ts'
import { TCSETS } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BRKINT,
  CBAUD,
  CLOCAL,
  CREAD,
  CS8,
  CSIZE,
  CSTOPB,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  HUPCL,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IXANY,
  IXON,
  ONLCR,
  OPOST,
  PARENB,
  PARODD,
} from '#abi/posix/termios.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../../libc/errno.ts'
import { close, open, write } from '../../libc/syscall.ts'
import { type Termios, tcgetattr, tcsetattr } from '../../libc/termios.ts'

export const CONSOLE = '/dev/console'

/** The console's descriptor, or undefined where there is none. It does not become the controlling terminal. */
export function* openConsole(flags: number): Sys<number | undefined> {
  try {
    return yield* open(CONSOLE, flags | O_NOCTTY, 0)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

/** `text` to the console, if there is one. */
export function* printConsole(text: string): Sys<void> {
  const fd = yield* openConsole(O_WRONLY | O_NONBLOCK)
  if (fd === undefined) return
  try {
    yield* write(fd, bytesOfString(text))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  } finally {
    yield* close(fd)
  }
}

/** `INIT: text` in the form of 2.86. */
export const initlog = (text: string): Sys<void> => printConsole(`\rINIT: ${text}\r\n`)

/** intr, quit, erase, kill, eof, ..., as console_stty() sets them; VMIN 1, start ^Q, stop ^S, susp ^Z, reprint ^R, discard ^O, werase ^W, lnext ^V. */
const CHARACTERS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]

/** The console's settings as a person expects them: console_stty(). */
export function* resetConsole(): Sys<void> {
  const fd = yield* openConsole(O_RDWR | O_NONBLOCK)
  if (fd === undefined) return
  try {
    const tio = yield* tcgetattr(fd)
    saneSettings(tio)
    yield* tcsetattr(fd, TCSETS, tio)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  } finally {
    yield* close(fd)
  }
}

/** Erasing wipes the characters out. */
const ERASING = ECHOE | ECHOK | ECHOKE | IEXTEN

/** Settings as a person expects them. */
export function saneSettings(tio: Termios): void {
  tio.cflag &= CBAUD | CSIZE | CSTOPB | PARENB | PARODD
  if ((tio.cflag & CSIZE) === 0) tio.cflag |= CS8
  tio.cflag |= HUPCL | CLOCAL | CREAD
  tio.cc.set(CHARACTERS)
  tio.iflag = BRKINT | ICRNL | IXON | IXANY
  tio.oflag = OPOST | ONLCR
  tio.lflag = ISIG | ICANON | ECHO | ECHOCTL | ERASING
}
