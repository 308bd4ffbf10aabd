/** Virtual terminals tty1 to tty63 on one screen (Linux 2.6.18: drivers/char/vt.c, vt_ioctl.c). They are made when they are first opened. */
import { EBUSY, EINTR, EINVAL, ENXIO, EPERM } from '#abi/posix/errno.ts'
import { KDGETMODE, KDGKBTYPE, TIOCLINUX, VT_ACTIVATE, VT_GETSTATE, VT_WAITACTIVE } from '#abi/posix/ioctl.ts'
import { makedev } from '#abi/posix/stat.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { fail } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import type { Task } from '../../sched/task.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import { ttysOf } from '../../tty/core.ts'
import type { TtyDriver, TtyLine, TtyPort } from '../../tty/driver.ts'
import { intArg } from '../../tty/ioctl.ts'
import { stdTermios } from '../../tty/termios.ts'
import { type Font, makeFont } from './charset.ts'
import { Terminal } from './terminal.ts'
import { mapScreen, type ScreenInfo, screenInfo, VgaScreen } from './vgacon.ts'

const TTY_MAJOR = 4
const MAX_NR_CONSOLES = 63
const WRITE_ROOM = 4096

const KDGETLED = 0x4b31
const KDSETMODE = 0x4b3a
const KDGKBMODE = 0x4b44
const KDSKBMODE = 0x4b45
const KIOCSOUND = 0x4b2f
const KDMKTONE = 0x4b30
const VT_OPENQRY = 0x5600
const VT_DISALLOCATE = 0x5608
const KD_TEXT = 0
const KB_101 = 2
const K_XLATE = 1
const K_UNICODE = 3

const u16 = (...words: readonly number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word & 255, word >> 8]))
const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)

/** The keyboard as the terminals need it. */
export interface KeyboardState {
  /** Scroll, num, caps lock in bits 0 to 2. */
  readonly leds: number
  /** Shift, AltGr, Ctrl, Alt in bits 0 to 3. */
  readonly shiftState: number
}

/** One of them: its terminal, and the port of its tty. */
export class VirtualConsole implements TtyPort {
  readonly terminal: Terminal
  line: TtyLine | undefined
  readonly #vts: VirtualTerminals
  readonly index: number

  constructor(vts: VirtualTerminals, index: number) {
    this.#vts = vts
    this.index = index
    this.terminal = new Terminal(vts.info.columns, vts.info.rows, vts.font, {
      answer: (text) => this.type(bytesOfString(text)),
      toFront: (number) => vts.switchTo(number - 1),
    })
  }

  /** From the keyboard, or in answer to a query. */
  type(bytes: Uint8Array): void {
    this.line?.receive(bytes)
  }

  /** Scroll lock: as ^S and ^Q. */
  hold(): void {
    const tty = ttysOf(this.#vts.kernel).peek(makedev(TTY_MAJOR, this.index + 1))
    if (tty?.stopped) tty.start()
    else tty?.stop()
  }

  writeRoom(): number {
    return this.line?.stopped ? 0 : WRITE_ROOM
  }

  charsInBuffer(): number {
    return 0
  }

  write(bytes: Uint8Array): number {
    this.terminal.write(bytes)
    this.#vts.changed(this)
    return bytes.length
  }

  ioctl(task: Task, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> | undefined {
    return this.#vts.ioctl(this, task, request, arg)
  }
}

export class VirtualTerminals {
  readonly kernel: Kernel
  readonly info: ScreenInfo
  readonly screen: VgaScreen
  readonly font: Font = makeFont()
  readonly consoles: (VirtualConsole | undefined)[] = []
  keyboard: KeyboardState | undefined
  /** Which is on the screen. */
  front = 0
  #previous = 0
  readonly #switched = new WaitQueue()

  constructor(kernel: Kernel, info: ScreenInfo) {
    this.kernel = kernel
    this.info = info
    this.screen = new VgaScreen(kernel, info)
    for (let i = 0; i < MAX_NR_CONSOLES; i++) this.consoles.push(undefined)
    const { terminal } = this.console(0)
    this.screen.takeOver(terminal)
    terminal.place(info.x, info.y)
    this.screen.show(terminal)
  }

  /** Made if need be. */
  console(index: number): VirtualConsole {
    let found = this.consoles[index]
    if (!found) {
      // vc_allocate: the struct and the screen.
      this.kernel.pages.charge('slab', 2048 + this.info.columns * this.info.rows * 2)
      found = new VirtualConsole(this, index)
      this.consoles[index] = found
    }
    return found
  }

  get current(): VirtualConsole {
    return this.console(this.front)
  }

  changed(console: VirtualConsole): void {
    if (console.index === this.front) this.screen.show(console.terminal)
  }

  /** set_console: only to what is allocated. */
  switchTo(index: number): boolean {
    const next = this.consoles[index]
    if (!next) return false
    if (index === this.front) return true
    this.#previous = this.front
    this.front = index
    this.screen.redraw(next.terminal)
    this.#switched.wakeUp()
    return true
  }

  /** Alt-Left and Alt-Right: the nearest that is allocated. */
  step(direction: 1 | -1): void {
    for (let i = 1; i < MAX_NR_CONSOLES; i++) {
      const index = (this.front + direction * i + MAX_NR_CONSOLES * i) % MAX_NR_CONSOLES
      if (this.switchTo(index)) return
    }
  }

  /** Alt-PrintScreen, and back. */
  last(): void {
    this.switchTo(this.#previous)
  }

  /** printk. */
  print(text: string): void {
    const { current } = this
    current.terminal.print(text)
    this.screen.show(current.terminal)
  }

  ioctl(
    console: VirtualConsole,
    task: Task,
    request: number,
    arg: number | Uint8Array,
  ): Sleeping<number | Uint8Array> | undefined {
    // Whoever has it as his terminal, and root, may change things.
    const mine = task.session.tty?.dev === makedev(TTY_MAJOR, console.index + 1) || task.cred.euid === 0
    switch (request) {
      case KDGETMODE:
        return answer(Uint8Array.of(KD_TEXT))
      case KDSETMODE:
        return mine ? answer(intArg(arg) === KD_TEXT ? 0 : fail(EINVAL)) : fail(EPERM)
      case KDGKBTYPE:
        return answer(Uint8Array.of(KB_101))
      case KDGKBMODE:
        return answer(u32(K_XLATE))
      case KDSKBMODE:
        if (!mine) fail(EPERM)
        return answer(intArg(arg) === K_XLATE || intArg(arg) === K_UNICODE ? 0 : fail(EINVAL))
      case KDGETLED:
        return answer(Uint8Array.of(this.keyboard?.leds ?? 0))
      case KIOCSOUND:
      case KDMKTONE: // there is no speaker
        return mine ? answer(0) : fail(EPERM)
      case VT_GETSTATE: {
        let state = 1
        for (let i = 0; i < 15; i++) if (this.consoles[i]?.line) state |= 2 << i
        return answer(u16(this.front + 1, 0, state))
      }
      case VT_OPENQRY: {
        const free = this.consoles.findIndex((each) => !each?.line)
        return answer(u32(free < 0 ? 0xffffffff : free + 1))
      }
      case VT_ACTIVATE:
        if (!mine) fail(EPERM)
        this.switchTo(this.console(consoleNumber(arg)).index)
        return answer(0)
      case VT_WAITACTIVE:
        if (!mine) fail(EPERM)
        return this.#waitActive(consoleNumber(arg))
      case VT_DISALLOCATE:
        return answer(this.#disallocate(intArg(arg)))
      case TIOCLINUX:
        return answer(this.#linux(mine, arg))
      default:
        return undefined
    }
  }

  *#waitActive(index: number): Sleeping<number> {
    while (this.front !== index) if ((yield* this.kernel.sched.sleepOn(this.#switched)) === 'signal') return fail(EINTR)
    return 0
  }

  #disallocate(number: number): number {
    if (number < 0 || number > MAX_NR_CONSOLES) fail(ENXIO)
    const busy = (index: number): boolean =>
      index === 0 || index === this.front || ttysOf(this.kernel).peek(makedev(TTY_MAJOR, index + 1))?.opens.size !== 0
    const free = (index: number): void => {
      const console = this.consoles[index]
      if (!console || busy(index)) return
      this.consoles[index] = undefined
      const tty = ttysOf(this.kernel).peek(makedev(TTY_MAJOR, index + 1))
      if (tty) ttysOf(this.kernel).remove(tty)
      this.kernel.pages.uncharge('slab', 2048 + this.info.columns * this.info.rows * 2)
    }
    if (number === 0) for (let index = 1; index < MAX_NR_CONSOLES; index++) free(index)
    else if (this.consoles[number - 1] && busy(number - 1)) fail(EBUSY)
    else free(number - 1)
    return 0
  }

  /** console_ioctl(4)'s subcodes: the keyboard's shift state, the console in front. */
  #linux(mine: boolean, arg: number | Uint8Array): number | Uint8Array {
    if (!mine) fail(EPERM)
    const code = typeof arg === 'number' ? arg : (arg[0] ?? fail(EINVAL))
    if (code === 6) return Uint8Array.of(this.keyboard?.shiftState ?? 0)
    return code === 12 ? this.front : fail(EINVAL)
  }

  /** vty_init. */
  register(): void {
    const ttys = ttysOf(this.kernel)
    const driver: TtyDriver = {
      driverName: undefined,
      name: 'tty',
      kind: 'console',
      major: TTY_MAJOR,
      minorStart: 1,
      count: MAX_NR_CONSOLES,
      nameBase: 1,
      initTermios: stdTermios(),
      resetTermios: true,
      rows: this.info.rows,
      columns: this.info.columns,
      port: (index, line) => {
        const console = this.console(index)
        console.line = line
        return console
      },
    }
    ttys.register(driver)
    ttys.foreground = () => makedev(TTY_MAJOR, this.front + 1)
  }
}

function consoleNumber(arg: number | Uint8Array): number {
  const number = intArg(arg)
  return number >= 1 && number <= MAX_NR_CONSOLES ? number - 1 : fail(ENXIO)
}

function* answer<T>(value: T): Sleeping<T> {
  return value
}

/** con_init: the screen becomes the kernel's console. Without one there are no virtual terminals. */
export function vtConsoleInit(kernel: Kernel): void {
  const ttys = ttysOf(kernel)
  if (ttys.vts !== undefined || /^tty\d*$/.test(kernel.params.get('xencons') ?? '')) return
  const info = screenInfo(kernel)
  if (!info || !mapScreen(kernel)) {
    ttys.vts = null
    kernel.log.printk('Console: colour dummy device 80x25\n')
    return
  }
  const vts = new VirtualTerminals(kernel, info)
  ttys.vts = vts
  kernel.log.printk(`Console: colour VGA+ ${info.columns}x${info.rows}\n`)
  // console=tty0 is the one in front, console=ttyN another for /dev/console; the log goes to the screen.
  const named = [...kernel.cmdline.matchAll(/(?:^|\s)console=tty(\d+)/g)].at(-1)?.[1]
  const index = named === undefined ? 0 : Number(named)
  kernel.log.registerConsole({
    name: 'tty',
    index,
    device: makedev(TTY_MAJOR, index),
    write: (text) => vts.print(text),
  })
}
