/** A serial line as a terminal's port (Linux 2.6.18: drivers/serial/8250.c and serial_core.c): a ring of output, interrupts, modem lines. */
import {
  UART_FIFO_BYTES,
  UART_IER,
  UART_IER_ELSI,
  UART_IER_EMSI,
  UART_IER_ERDAI,
  UART_IER_ETHREI,
  UART_IIR,
  UART_IIR_NOINT,
  UART_LCR,
  UART_LSR,
  UART_LSR_DR,
  UART_LSR_OE,
  UART_LSR_THRE,
  UART_MCR,
  UART_MCR_DTR,
  UART_MCR_OUT2,
  UART_MCR_RTS,
  UART_MSR,
  UART_MSR_CTS,
  UART_MSR_DCD,
  UART_MSR_DSR,
  UART_RBR,
  UART_THR,
} from '#abi/pc/uart16550.ts'
import { EINTR, EIO } from '#abi/posix/errno.ts'
import { CLOCAL, CREAD, CRTSCTS, HUPCL, IXOFF, VSTART, VSTOP } from '#abi/posix/termios.ts'
import { fail } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import type { Task } from '../../sched/task.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { TtyLine, TtyPort } from '../../tty/driver.ts'
import { intArg } from '../../tty/ioctl.ts'
import { baudRate, type Termios } from '../../tty/termios.ts'
import type { Uart } from './uart.ts'

/** UART_XMIT_SIZE. */
const XMIT_BYTES = 4096
/** Below this writers are woken. */
const WAKEUP_CHARS = 256
const LSR_PARITY = 0x04
const LSR_FRAMING = 0x08
const LSR_BREAK = 0x10
const LCR_BREAK = 0x40
const MSR_RI = 0x40
/** Rounds of one interrupt. */
const PASSES_MAX = 256

const TIOCMGET = 0x5415
const TIOCMBIS = 0x5416
const TIOCMBIC = 0x5417
const TIOCMSET = 0x5418
const TIOCM_DTR = 0x002
const TIOCM_RTS = 0x004
const TIOCM_CTS = 0x020
const TIOCM_CAR = 0x040
const TIOCM_RNG = 0x080
const TIOCM_DSR = 0x100

export class SerialPort implements TtyPort {
  readonly #kernel: Kernel
  readonly #uart: Uart
  readonly #line: TtyLine
  /** Its console prints by this port too: the line stays set up. */
  readonly #isConsole: boolean
  readonly #xmit = new Uint8Array(XMIT_BYTES)
  #from = 0
  #length = 0
  #ier = 0
  #mcr = 0
  #xchar = 0
  #open = false
  #held = false
  readonly #carrier = new WaitQueue()

  constructor(kernel: Kernel, uart: Uart, line: TtyLine, isConsole: boolean) {
    this.#kernel = kernel
    this.#uart = uart
    this.#line = line
    this.#isConsole = isConsole
  }

  // --- Open and close ---

  *open(first: boolean, nonblock: boolean): Sleeping<void> {
    if (!this.#open) this.#startup()
    if (first) this.#setMcr(this.#mcr | UART_MCR_DTR | UART_MCR_RTS)
    // uart_block_til_ready
    while (!nonblock && !(this.#line.termios.cflag & CLOCAL) && !(this.#uart.in(UART_MSR) & UART_MSR_DCD)) {
      if ((yield* this.#kernel.sched.sleepOn(this.#carrier)) === 'signal') fail(EINTR)
    }
  }

  #startup(): void {
    const uart = this.#uart
    uart.clearFifos()
    uart.in(UART_LSR)
    uart.in(UART_RBR)
    uart.in(UART_IIR)
    uart.in(UART_MSR)
    this.#kernel.irq.requestPirq(uart.irq, 'serial', () => this.#interrupt())
    this.#open = true
    this.#length = 0
    this.#held = false
    this.setTermios(this.#line.termios)
    this.#setMcr(this.#mcr | UART_MCR_OUT2)
    this.#setIer(UART_IER_ERDAI | UART_IER_ELSI | (this.#line.termios.cflag & CLOCAL ? 0 : UART_IER_EMSI))
  }

  *close(): Sleeping<void> {
    if (!this.#open) return
    // What was written goes out, for thirty seconds at most (closing_wait).
    const end = this.#kernel.time.nowNs() + 30e9
    while (this.#length > 0 && !this.#line.stopped && this.#kernel.time.nowNs() < end) {
      const woken = yield* this.#kernel.sched.sleepFor(10_000_000)
      if (woken === 'signal') break
    }
    this.#shutdown()
  }

  #shutdown(): void {
    this.#open = false
    this.#setIer(0)
    this.#kernel.irq.freePirq(this.#uart.irq)
    this.#length = 0
    let mcr = this.#mcr & ~UART_MCR_OUT2
    if (this.#line.termios.cflag & HUPCL && !this.#isConsole) mcr &= ~(UART_MCR_DTR | UART_MCR_RTS)
    this.#setMcr(mcr)
    this.#uart.clearFifos()
  }

  hangup(): void {
    if (this.#open) this.#shutdown()
    this.#carrier.wakeUp()
  }

  // --- Output ---

  writeRoom(): number {
    return this.#open ? XMIT_BYTES - this.#length : 0
  }

  charsInBuffer(): number {
    return this.#length
  }

  write(bytes: Uint8Array): number {
    if (!this.#open) return 0
    const count = Math.min(bytes.length, XMIT_BYTES - this.#length)
    let at = (this.#from + this.#length) % XMIT_BYTES
    for (let i = 0; i < count; i++) {
      this.#xmit[at] = bytes[i]!
      at = at + 1 === XMIT_BYTES ? 0 : at + 1
    }
    this.#length += count
    this.#startTx()
    return count
  }

  flushBuffer(): void {
    this.#length = 0
  }

  sendXchar(byte: number): void {
    this.#xchar = byte
    this.#startTx()
  }

  start(): void {
    this.#startTx()
  }

  stop(): void {
    this.#setIer(this.#ier & ~UART_IER_ETHREI)
  }

  #startTx(): void {
    if (!this.#open || (this.#length === 0 && this.#xchar === 0)) return
    this.#setIer(this.#ier | UART_IER_ETHREI)
    if (this.#uart.in(UART_LSR) & UART_LSR_THRE) this.#transmit()
  }

  #transmit(): void {
    const uart = this.#uart
    if (this.#xchar !== 0) {
      uart.out(UART_THR, this.#xchar)
      this.#xchar = 0
      return
    }
    if (this.#length === 0 || this.#line.stopped || this.#held) {
      this.#setIer(this.#ier & ~UART_IER_ETHREI)
      return
    }
    const before = this.#length
    for (let i = uart.fifoBytes; i > 0 && this.#length > 0; i--) {
      uart.out(UART_THR, this.#xmit[this.#from]!)
      this.#from = (this.#from + 1) % XMIT_BYTES
      this.#length--
    }
    if (this.#length < WAKEUP_CHARS || before === XMIT_BYTES) this.#line.wakeWriters()
    if (this.#length === 0) this.#setIer(this.#ier & ~UART_IER_ETHREI)
  }

  // --- Interrupts ---

  #interrupt(): void {
    const uart = this.#uart
    for (let pass = 0; pass < PASSES_MAX && (uart.in(UART_IIR) & UART_IIR_NOINT) === 0; pass++) {
      const status = uart.in(UART_LSR)
      if (status & UART_LSR_DR) this.#receive(status)
      this.#modemStatus()
      if (uart.in(UART_LSR) & UART_LSR_THRE) this.#transmit()
    }
  }

  #receive(firstStatus: number): void {
    const uart = this.#uart
    const bytes = new Uint8Array(UART_FIFO_BYTES)
    let length = 0
    const pass = (): void => {
      if (length > 0) this.#line.receive(bytes.subarray(0, length))
      length = 0
    }
    for (let status = firstStatus, i = 0; status & UART_LSR_DR && i < 256; status = uart.in(UART_LSR), i++) {
      const byte = uart.in(UART_RBR)
      if (status & (LSR_BREAK | LSR_PARITY | LSR_FRAMING)) {
        pass()
        this.#line.receiveError(status & LSR_BREAK ? 'break' : 'parity', byte)
      } else if (this.#line.termios.cflag & CREAD) bytes[length++] = byte
      if (status & UART_LSR_OE) {
        pass()
        this.#line.receiveError('overrun', 0)
      }
      if (length === bytes.length) pass()
    }
    pass()
  }

  #modemStatus(): void {
    const msr = this.#uart.in(UART_MSR)
    const { cflag } = this.#line.termios
    if (msr & 0x08 && !(cflag & CLOCAL)) {
      if (msr & UART_MSR_DCD) this.#carrier.wakeUp()
      else this.#line.lineHangup()
    }
    if (cflag & CRTSCTS) {
      const held = (msr & UART_MSR_CTS) === 0
      if (this.#held && !held) {
        this.#held = false
        this.#startTx()
      } else this.#held = held
    }
  }

  // --- Settings ---

  setTermios(now: Termios, before?: Termios): void {
    if (!this.#open) return
    const baud = baudRate(now.cflag)
    if (baud === 0) {
      // B0 hangs up.
      this.#setMcr(this.#mcr & ~(UART_MCR_DTR | UART_MCR_RTS))
      return
    }
    if (before && baudRate(before.cflag) === 0) this.#setMcr(this.#mcr | UART_MCR_DTR | UART_MCR_RTS)
    this.#uart.setLine(now.cflag, baud)
    const watches = (now.cflag & CLOCAL) === 0 || (now.cflag & CRTSCTS) !== 0
    this.#setIer(watches ? this.#ier | UART_IER_EMSI : this.#ier & ~UART_IER_EMSI)
    if (now.cflag & CRTSCTS) this.#held = (this.#uart.in(UART_MSR) & UART_MSR_CTS) === 0
    else if (this.#held) {
      this.#held = false
      this.#startTx()
    }
  }

  throttle(): void {
    const { iflag, cflag, cc } = this.#line.termios
    if (iflag & IXOFF) this.sendXchar(cc[VSTOP]!)
    if (cflag & CRTSCTS) this.#setMcr(this.#mcr & ~UART_MCR_RTS)
  }

  unthrottle(): void {
    const { iflag, cflag, cc } = this.#line.termios
    if (iflag & IXOFF) this.sendXchar(cc[VSTART]!)
    if (cflag & CRTSCTS) this.#setMcr(this.#mcr | UART_MCR_RTS)
  }

  breakControl(on: boolean): void {
    const lcr = this.#uart.in(UART_LCR)
    this.#uart.out(UART_LCR, on ? lcr | LCR_BREAK : lcr & ~LCR_BREAK)
  }

  ioctl(_task: Task, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> | undefined {
    if (request < TIOCMGET || request > TIOCMSET) return undefined
    return this.#modemIoctl(request, arg)
  }

  *#modemIoctl(request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> {
    if (!this.#open) fail(EIO)
    if (request === TIOCMGET) {
      const msr = this.#uart.in(UART_MSR)
      const bits =
        (this.#mcr & UART_MCR_DTR ? TIOCM_DTR : 0) |
        (this.#mcr & UART_MCR_RTS ? TIOCM_RTS : 0) |
        (msr & UART_MSR_CTS ? TIOCM_CTS : 0) |
        (msr & UART_MSR_DCD ? TIOCM_CAR : 0) |
        (msr & MSR_RI ? TIOCM_RNG : 0) |
        (msr & UART_MSR_DSR ? TIOCM_DSR : 0)
      return Uint8Array.of(bits & 255, bits >> 8, 0, 0)
    }
    const wanted = intArg(arg)
    const lines = (wanted & TIOCM_DTR ? UART_MCR_DTR : 0) | (wanted & TIOCM_RTS ? UART_MCR_RTS : 0)
    const others = this.#mcr & ~(UART_MCR_DTR | UART_MCR_RTS)
    if (request === TIOCMBIS) this.#setMcr(this.#mcr | lines)
    else if (request === TIOCMBIC) this.#setMcr(this.#mcr & ~lines)
    else this.#setMcr(others | lines)
    return 0
  }

  #setIer(value: number): void {
    if (value === this.#ier) return
    this.#ier = value
    this.#uart.out(UART_IER, value)
  }

  #setMcr(value: number): void {
    if (value === this.#mcr) return
    this.#mcr = value
    this.#uart.out(UART_MCR, value)
  }
}
