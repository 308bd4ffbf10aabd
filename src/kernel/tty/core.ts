/** The drivers of terminals, and how /dev names are opened (Linux 2.6.18: drivers/char/tty_io.c). */
import { EBUSY, ENODEV, ENXIO } from '#abi/posix/errno.ts'
import { O_NOCTTY, O_NONBLOCK } from '#abi/posix/fcntl.ts'
import { major, minor } from '#abi/posix/stat.ts'
import type { VirtualTerminals } from '../drivers/vt/vt.ts'
import type { Xencons } from '../drivers/xencons/xencons.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { FileOps } from '../vfs/file.ts'
import type { OpenDevice } from '../vfs/vfs.ts'
import type { TtyDriver } from './driver.ts'
import { resizeTty } from './ioctl.ts'
import { OpenTty } from './open-tty.ts'
import { TtyDevice } from './tty.ts'

const TTY_MAJOR = 4
const TTYAUX_MAJOR = 5
/** Minors of TTYAUX_MAJOR. */
const AUX_TTY = 0
const AUX_CONSOLE = 1
const AUX_PTMX = 2

type Opened = { readonly inode: { readonly rdev: number }; readonly flags: number }

export class Ttys {
  readonly #kernel: Kernel
  readonly drivers: TtyDriver[] = []
  /** By device number. */
  readonly #ttys = new Map<number, TtyDevice>()
  #redirect: TtyDevice | undefined
  /** Xen's console, once it is there. */
  xencons: Xencons | undefined
  /** Line of the 8250 driver that the log goes to. */
  serialConsole: number | undefined
  /** Virtual terminals; null: there is no screen, undefined: nobody has looked yet. */
  vts: VirtualTerminals | null | undefined
  /** The virtual terminal in front, for /dev/tty0; set by the vt driver. */
  foreground: (() => number) | undefined
  /** /dev/ptmx, set by the pty driver. */
  ptmx: ((file: Opened, task: Task) => Sleeping<FileOps>) | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    kernel.vfs.registerCharDevice(TTYAUX_MAJOR, '/dev/tty', (file, task) => this.#openAux(file, task))
  }

  /** Names in /proc/devices under one major number. */
  names(majorNumber: number): readonly string[] {
    if (majorNumber === TTYAUX_MAJOR) return ['/dev/tty', '/dev/console', ...(this.ptmx ? ['/dev/ptmx'] : [])]
    const names = this.foreground && majorNumber === TTY_MAJOR ? ['/dev/vc/0'] : []
    const found = this.drivers.filter((driver) => driver.major === majorNumber)
    found.sort((a, b) => a.minorStart - b.minorStart)
    return [...names, ...found.map((driver) => driver.name.replace(/\/$/, ''))]
  }

  /** tty_register_driver. Fails with EBUSY where another has the numbers. */
  register(driver: TtyDriver): void {
    const last = driver.minorStart + driver.count
    const taken = this.drivers.some(
      (other) =>
        other.major === driver.major && other.minorStart < last && driver.minorStart < other.minorStart + other.count,
    )
    if (taken) fail(EBUSY)
    const known = this.drivers.some((other) => other.major === driver.major)
    this.drivers.push(driver)
    if (known) return
    const open: OpenDevice = (file, task) => this.#openNumber(file, task)
    this.#kernel.vfs.registerCharDevice(driver.major, driver.name.replace(/\/$/, ''), open)
  }

  unregister(driver: TtyDriver): void {
    const at = this.drivers.indexOf(driver)
    if (at < 0) return
    this.drivers.splice(at, 1)
    for (const [dev, tty] of [...this.#ttys]) if (tty.driver === driver) this.#ttys.delete(dev)
    if (!this.drivers.some((other) => other.major === driver.major)) this.#kernel.vfs.unregisterCharDevice(driver.major)
  }

  /** The terminal of a device number, made if need be. ENODEV: there is no driver for it. */
  byNumber(dev: number): TtyDevice {
    const found = this.#ttys.get(dev)
    if (found) return found
    const at = minor(dev)
    for (const driver of this.drivers) {
      if (driver.major !== major(dev) || at < driver.minorStart || at >= driver.minorStart + driver.count) continue
      const tty = new TtyDevice(this.#kernel, driver, at - driver.minorStart)
      // The driver may say that there is no such line.
      void tty.port
      this.#ttys.set(dev, tty)
      return tty
    }
    return fail(ENODEV)
  }

  /** As it is, if it was ever opened. */
  peek(dev: number): TtyDevice | undefined {
    return this.#ttys.get(dev)
  }

  /** A pty's end: it comes and goes. */
  add(tty: TtyDevice): void {
    this.#ttys.set(tty.dev, tty)
  }

  remove(tty: TtyDevice): void {
    if (this.#ttys.get(tty.dev) === tty) this.#ttys.delete(tty.dev)
  }

  /** TIOCCONS. Fails with EBUSY where somebody has it already. */
  redirectConsole(tty: TtyDevice | undefined): void {
    if (tty && this.#redirect) fail(EBUSY)
    this.#redirect = tty
  }

  resize(tty: TtyDevice, rows: number, columns: number): void {
    resizeTty(tty, rows, columns)
    if (tty.link) resizeTty(tty.link, rows, columns)
  }

  *#openAux(file: Opened, task: Task): Sleeping<FileOps> {
    switch (minor(file.inode.rdev)) {
      case AUX_TTY: {
        const tty = task.session.tty
        if (!tty) return fail(ENXIO)
        return yield* this.openTty(tty as TtyDevice, task, file.flags | O_NONBLOCK, {})
      }
      case AUX_CONSOLE: {
        const dev = this.#kernel.log.consoleDevice
        if (dev === 0) return fail(ENODEV)
        const tty = this.#redirect ?? this.#console(dev)
        return yield* this.openTty(tty, task, file.flags | O_NONBLOCK | O_NOCTTY, { console: true })
      }
      case AUX_PTMX:
        return this.ptmx ? yield* this.ptmx(file, task) : fail(ENXIO)
      default:
        return fail(ENXIO)
    }
  }

  /** A console on the virtual terminals is the one in front. */
  #console(dev: number): TtyDevice {
    return this.byNumber(major(dev) === TTY_MAJOR && minor(dev) === 0 ? this.#front() : dev)
  }

  #front(): number {
    return this.foreground?.() ?? fail(ENODEV)
  }

  *#openNumber(file: Opened, task: Task): Sleeping<FileOps> {
    const dev = file.inode.rdev
    if (major(dev) === TTY_MAJOR && minor(dev) === 0)
      return yield* this.openTty(this.byNumber(this.#front()), task, file.flags | O_NOCTTY, {})
    return yield* this.openTty(this.byNumber(dev), task, file.flags, {})
  }

  /** What all opens end in: the driver's own, exclusive use, a controlling terminal for a session's leader without one. */
  *openTty(tty: TtyDevice, task: Task, flags: number, options: { console?: boolean }): Sleeping<FileOps> {
    const open = new OpenTty(tty, options.console ?? false)
    yield* tty.open(open, (flags & O_NONBLOCK) !== 0)
    if (tty.exclusive && task.cred.euid !== 0) {
      yield* tty.close(open)
      fail(EBUSY)
    }
    if (
      !(flags & O_NOCTTY) &&
      tty.driver.kind !== 'pty:master' &&
      task.pid === task.session.sid &&
      !task.session.tty &&
      tty.session === 0
    )
      tty.adopt(task)
    return open
  }
}

/** The kernel's terminals; made when first asked for. */
export function ttysOf(kernel: Kernel): Ttys {
  kernel.ttys ??= new Ttys(kernel)
  return kernel.ttys
}
