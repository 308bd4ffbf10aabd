/** One 8250-compatible UART behind I/O ports (Linux 2.6.18: drivers/serial/8250.c): its registers, and how it is found. */

import type { PortIo } from '#abi/pc/metal.ts'
import {
  UART_CLOCK_BAUD,
  UART_DLL,
  UART_DLM,
  UART_FCR,
  UART_FCR_CLRX,
  UART_FCR_CLTX,
  UART_FCR_ENABLE,
  UART_FCR_TRG14,
  UART_FIFO_BYTES,
  UART_IER,
  UART_IIR,
  UART_LCR,
  UART_LCR_DLAB,
  UART_LSR,
  UART_LSR_TEMT,
  UART_LSR_THRE,
  UART_MCR,
  UART_MCR_LOOP,
  UART_MSR,
  UART_SCR,
  UART_THR,
} from '#abi/pc/uart16550.ts'
import { CSIZE, CSTOPB, PARENB, PARODD } from '#abi/posix/termios.ts'

export type UartKind = '8250' | '16450' | '16550' | '16550A'

/** Looks at the status register while one character leaves, at the slowest rate anybody prints with. */
const POLLS_MAX = 100_000
/** Outputs that come back in loopback as CTS and DCD. */
const LOOP_TEST = UART_MCR_LOOP | 0x0a
const LOOP_ANSWER = 0x90

export class Uart {
  readonly #io: PortIo
  readonly base: number
  readonly irq: number
  kind: UartKind | undefined

  constructor(io: PortIo, base: number, irq: number) {
    this.#io = io
    this.base = base
    this.irq = irq
  }

  get fifoBytes(): number {
    return this.kind === '16550A' ? UART_FIFO_BYTES : 1
  }

  in(register: number): number {
    return this.#io.in8(this.base + register)
  }

  out(register: number, value: number): void {
    this.#io.out8(this.base + register, value)
  }

  /** autoconfig. False: nothing there, or somebody else has it. */
  probe(): boolean {
    const before = this.in(UART_IER)
    this.out(UART_IER, 0)
    const none = this.in(UART_IER)
    this.out(UART_IER, 0x0f)
    const all = this.in(UART_IER)
    this.out(UART_IER, before)
    if (none !== 0 || all !== 0x0f) return false
    const mcr = this.in(UART_MCR)
    this.out(UART_MCR, LOOP_TEST)
    const status = this.in(UART_MSR) & 0xf0
    this.out(UART_MCR, mcr)
    if (status !== LOOP_ANSWER) return false
    this.out(UART_FCR, UART_FCR_ENABLE)
    const fifo = this.in(UART_IIR) >> 6
    this.out(UART_FCR, UART_FCR_ENABLE | UART_FCR_CLRX | UART_FCR_CLTX)
    this.out(UART_FCR, 0)
    this.kind = fifo === 3 ? '16550A' : fifo === 2 ? '16550' : this.#hasScratch() ? '16450' : '8250'
    this.out(UART_IER, 0)
    return true
  }

  #hasScratch(): boolean {
    const before = this.in(UART_SCR)
    this.out(UART_SCR, 0xa5)
    const first = this.in(UART_SCR)
    this.out(UART_SCR, 0x5a)
    const second = this.in(UART_SCR)
    this.out(UART_SCR, before)
    return first === 0xa5 && second === 0x5a
  }

  /** Word length, parity and stop bits of c_cflag, and the rate. */
  setLine(cflag: number, baud: number): void {
    let lcr = (cflag & CSIZE) >> 4
    if (cflag & CSTOPB) lcr |= 0x04
    if (cflag & PARENB) lcr |= cflag & PARODD ? 0x08 : 0x18
    const divisor = Math.max(1, Math.round(UART_CLOCK_BAUD / Math.max(baud, 1)))
    this.out(UART_LCR, lcr | UART_LCR_DLAB)
    this.out(UART_DLL, divisor & 255)
    this.out(UART_DLM, (divisor >> 8) & 255)
    this.out(UART_LCR, lcr)
    if (this.kind === '16550A') this.out(UART_FCR, UART_FCR_ENABLE | UART_FCR_TRG14)
  }

  clearFifos(): void {
    this.out(UART_FCR, UART_FCR_ENABLE)
    this.out(UART_FCR, UART_FCR_ENABLE | UART_FCR_CLRX | UART_FCR_CLTX)
    this.out(UART_FCR, 0)
  }

  /** serial8250_console_write: by looking, with interrupts off. */
  print(text: string): void {
    const ier = this.in(UART_IER)
    this.out(UART_IER, 0)
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i) & 255
      if (c === 10) this.#printByte(13)
      this.#printByte(c)
    }
    this.#wait(UART_LSR_TEMT | UART_LSR_THRE)
    this.out(UART_IER, ier)
  }

  #printByte(byte: number): void {
    this.#wait(UART_LSR_THRE)
    this.out(UART_THR, byte)
  }

  #wait(bits: number): void {
    for (let i = 0; i < POLLS_MAX; i++) if ((this.in(UART_LSR) & bits) === bits) return
  }
}
