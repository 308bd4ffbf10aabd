/** openpty(3) and cfmakeraw(3): a pseudo terminal, in raw mode unless its maker wants it otherwise. */
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { TIOCGPTN, TIOCSPTLCK } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BRKINT,
  CS8,
  CSIZE,
  ECHO,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IXON,
  OPOST,
  PARENB,
  PARMRK,
} from '#abi/posix/termios.ts'
import { close, ioctl, open } from '#user/libc/syscall.ts'
import { ioctlBytes, TCSANOW, type Termios, tcgetattr, tcsetattr } from '#user/libc/termios.ts'

export interface Pty {
  /** Non-blocking. */
  readonly master: number
  /** Kept open, so that nobody else's closing it is its end. */
  readonly slave: number
  readonly path: string
}

/** cfmakeraw. */
export function makeRaw(tio: Termios): void {
  tio.iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON)
  tio.oflag &= ~OPOST
  tio.lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN)
  tio.cflag = (tio.cflag & ~(CSIZE | PARENB)) | CS8
}

/** Raw, whatever it was: that is the value. */
export function* setRaw(fd: number, action: number): Sys<Termios> {
  const before = yield* tcgetattr(fd)
  const tio = { ...before, cc: before.cc.slice() }
  makeRaw(tio)
  yield* tcsetattr(fd, action, tio)
  return before
}

export function* openPty(setUp = (slave: number): Sys<unknown> => setRaw(slave, TCSANOW)): Sys<Pty> {
  const master = yield* open('/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK, 0)
  let slave = -1
  try {
    const number = yield* ioctlBytes(master, TIOCGPTN)
    yield* ioctl(master, TIOCSPTLCK, 0)
    const path = `/dev/pts/${number[0]! | (number[1]! << 8) | (number[2]! << 16)}`
    slave = yield* open(path, O_RDWR | O_NOCTTY, 0)
    yield* setUp(slave)
    return { master, slave, path }
  } catch (error) {
    if (slave >= 0) yield* close(slave)
    yield* close(master)
    throw error
  }
}

export function* closePty({ master, slave }: Pty): Sys<void> {
  yield* close(master)
  yield* close(slave)
}
