/** ioctls of terminals (Linux 2.6.18: drivers/char/tty_io.c tty_ioctl, tty_ioctl.c n_tty_ioctl). */
import { EFAULT, EINTR, EINVAL, EIO, ENOTTY, EPERM } from '#abi/posix/errno.ts'
import * as io from '#abi/posix/ioctl.ts'
import { SIGCONT, SIGHUP, SIGWINCH } from '#abi/posix/signal.ts'
import { TCIFLUSH, TCIOFLUSH, TCOFLUSH, VSTART, VSTOP } from '#abi/posix/termios.ts'
import { Errno, fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { checkChange } from './job-control.ts'
import type { OpenTty } from './open-tty.ts'
import { termiosBytes, termiosOf } from './termios.ts'
import type { TtyDevice } from './tty.ts'

/** TCSBRK's break, and TCSBRKP's. */
const BREAK_NS = 250_000_000
const TENTH_NS = 100_000_000
const TCSBRKP = 0x5425
const TIOCSBRK = 0x5427
const TIOCCBRK = 0x5428
const TIOCNXCL = 0x540d
const TIOCGETD = 0x5424
const TIOCSETD = 0x5423
const TIOCPKT = 0x5420

/** What TCXONC takes. */
const TCOOFF = 0
const TCOON = 1
const TCIOFF = 2
const TCION = 3

const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255)

/** The int that a pointer names. */
export function intArg(arg: number | Uint8Array): number {
  if (typeof arg === 'number') return arg | 0
  if (arg.length < 4) fail(EFAULT)
  return arg[0]! | (arg[1]! << 8) | (arg[2]! << 16) | (arg[3]! << 24)
}

const isRoot = (task: Task): boolean => task.cred.euid === 0
const isLeader = (task: Task): boolean => task.pid === task.session.sid

export function* ttyIoctl(
  tty: TtyDevice,
  open: OpenTty,
  request: number,
  arg: number | Uint8Array,
): Sleeping<number | Uint8Array> {
  const { kernel } = tty
  const task = kernel.sched.current
  // A pty's master speaks for its slave.
  const real = tty.driver.kind === 'pty:master' ? (tty.link ?? tty) : tty
  switch (request) {
    case io.TCGETS:
      return termiosBytes(real.termios)
    case io.TCSETS:
    case io.TCSETSW:
    case io.TCSETSF: {
      checkChange(kernel, tty)
      const next = termiosOf(arg)
      if (request === io.TCSETSF) real.flushInput()
      if (request !== io.TCSETS && !(yield* real.waitUntilSent())) fail(EINTR)
      real.setTermios(next)
      return 0
    }
    case io.TIOCGPGRP:
      needControlling(tty, task)
      return u32(real.pgrp)
    case io.TIOCSPGRP:
      return setForeground(tty, real, task, intArg(arg))
    case io.TIOCGSID:
      needControlling(tty, task)
      if (real.session <= 0) fail(ENOTTY)
      return u32(real.session)
    case io.TIOCSCTTY:
      return takeControl(tty, task, arg)
    case io.TIOCNOTTY:
      return dropControl(tty, task)
    case io.TIOCGWINSZ:
      return Uint8Array.of(tty.rows & 255, tty.rows >> 8, tty.columns & 255, tty.columns >> 8, 0, 0, 0, 0)
    case io.TIOCSWINSZ:
      return setSize(tty, arg)
    case io.TIOCOUTQ:
      return u32(tty.port.charsInBuffer())
    case io.FIONREAD:
      return u32(tty.ldisc.inputBytes)
    case io.TCFLSH:
      checkChange(kernel, tty)
      return flush(tty, intArg(arg))
    case io.TCXONC:
      checkChange(kernel, tty)
      return flowControl(tty, intArg(arg))
    case io.TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
      return yield* breakRequest(tty, request, intArg(arg))
    case io.TIOCSTI: {
      if (task.session.tty !== tty && !isRoot(task)) fail(EPERM)
      tty.stuff(typeof arg === 'number' ? arg & 255 : (arg[0] ?? fail(EFAULT)))
      return 0
    }
    case io.TIOCEXCL:
      tty.exclusive = true
      return 0
    case TIOCNXCL:
      tty.exclusive = false
      return 0
    case io.TIOCCONS:
      if (!isRoot(task)) fail(EPERM)
      kernel.ttys?.redirectConsole(open.console ? undefined : tty)
      return 0
    case TIOCGETD:
      return u32(tty.termios.line)
    case TIOCSETD:
      // There is no discipline but N_TTY.
      if (intArg(arg) !== 0) fail(EINVAL)
      return 0
    case TIOCPKT:
      return fail(ENOTTY)
    default: {
      const answer = tty.port.ioctl?.(task, request, arg)
      // tty_ioctl's EINVAL of an unknown request is n_tty_ioctl's -ENOIOCTLCMD.
      return answer ? yield* answer : fail(EINVAL)
    }
  }
}

/** TIOCGPGRP and TIOCGSID tell of one's own terminal only. */
function needControlling(tty: TtyDevice, task: Task): void {
  if (tty.driver.kind !== 'pty:master' && task.session.tty !== tty) fail(ENOTTY)
}

function setForeground(tty: TtyDevice, real: TtyDevice, task: Task, pgrp: number): number {
  const { sched } = tty.kernel
  try {
    checkChange(tty.kernel, real)
  } catch (error) {
    if (error instanceof Errno && error.errno === EIO) fail(ENOTTY)
    throw error
  }
  if (task.session.tty !== real || real.session !== task.session.sid) fail(ENOTTY)
  if (pgrp < 0) fail(EINVAL)
  // session_of_pgrp
  const member = sched.tasks.find((other) => other.pgid === pgrp)
  if (!member || member.session.sid !== task.session.sid) fail(EPERM)
  real.pgrp = pgrp
  return 0
}

/** tiocsctty. `arg` 1: steal it, as root may. */
function takeControl(tty: TtyDevice, task: Task, arg: number | Uint8Array): number {
  if (isLeader(task) && task.session.sid === tty.session) return 0
  if (!isLeader(task) || task.session.tty) fail(EPERM)
  if (tty.session > 0) {
    if (intArg(arg) !== 1 || !isRoot(task)) fail(EPERM)
    tty.clearSession()
  }
  tty.adopt(task)
  return 0
}

/** TIOCNOTTY. The leader's giving it up is everybody's. */
function dropControl(tty: TtyDevice, task: Task): number {
  if (task.session.tty !== tty) fail(ENOTTY)
  if (isLeader(task)) {
    const { pgrp } = tty
    tty.clearSession()
    if (pgrp > 0) {
      tty.kernel.sched.killPgrp(pgrp, SIGHUP)
      tty.kernel.sched.killPgrp(pgrp, SIGCONT)
    }
  } else task.session = { sid: task.session.sid, tty: undefined }
  return 0
}

function setSize(tty: TtyDevice, arg: number | Uint8Array): number {
  if (typeof arg === 'number' || arg.length < 8) fail(EFAULT)
  const rows = arg[0]! | (arg[1]! << 8)
  const columns = arg[2]! | (arg[3]! << 8)
  tty.kernel.ttys?.resize(tty, rows, columns)
  return 0
}

/** tiocswinsz: whoever is in the foreground hears of it. */
export function resizeTty(tty: TtyDevice, rows: number, columns: number): void {
  if (tty.rows === rows && tty.columns === columns) return
  tty.rows = rows
  tty.columns = columns
  tty.signal(SIGWINCH)
}

function flush(tty: TtyDevice, what: number): number {
  if (what !== TCIFLUSH && what !== TCOFLUSH && what !== TCIOFLUSH) fail(EINVAL)
  if (what !== TCOFLUSH) tty.flushInput()
  if (what !== TCIFLUSH) tty.flushOutput()
  return 0
}

function flowControl(tty: TtyDevice, what: number): number {
  const { cc } = tty.termios
  switch (what) {
    case TCOOFF:
      tty.stop()
      return 0
    case TCOON:
      tty.start()
      return 0
    case TCIOFF:
    case TCION: {
      const byte = cc[what === TCIOFF ? VSTOP : VSTART]!
      if (byte !== 0) sendXchar(tty, byte)
      return 0
    }
    default:
      return fail(EINVAL)
  }
}

function sendXchar(tty: TtyDevice, byte: number): void {
  if (tty.port.sendXchar) tty.port.sendXchar(byte)
  else tty.port.write(Uint8Array.of(byte))
}

function* breakRequest(tty: TtyDevice, request: number, arg: number): Sleeping<number> {
  checkChange(tty.kernel, tty)
  if (request !== TIOCCBRK && !(yield* tty.waitUntilSent())) fail(EINTR)
  const { port } = tty
  if (request === TIOCSBRK || request === TIOCCBRK) {
    port.breakControl?.(request === TIOCSBRK)
    return 0
  }
  // TCSBRK with an argument is tcdrain: the waiting was all.
  if ((request === io.TCSBRK && arg !== 0) || !port.breakControl) return 0
  port.breakControl(true)
  const woken = yield* tty.kernel.sched.sleepFor(request === TCSBRKP && arg > 0 ? arg * TENTH_NS : BREAK_NS)
  port.breakControl(false)
  if (woken === 'signal') fail(EINTR)
  return 0
}
