/** xen/drivers/char/ns16550.c: the 16550 UARTs behind com1 and com2. */
import type { PortIo } from '#abi/pc/metal.ts'
import {
  COM1_BASE,
  COM1_IRQ,
  COM2_BASE,
  COM2_IRQ,
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
  UART_IER_ERDAI,
  UART_IER_ETHREI,
  UART_IIR,
  UART_IIR_NOINT,
  UART_LCR,
  UART_LCR_DLAB,
  UART_LSR,
  UART_LSR_DR,
  UART_LSR_THRE,
  UART_MCR,
  UART_MCR_DTR,
  UART_MCR_OUT2,
  UART_MCR_RTS,
  UART_RBR,
  UART_THR,
} from '#abi/pc/uart16550.ts'
import { strtoul } from '../common/lib.ts'

/** Keep the rate that the boot loader programmed. */
export const BAUD_AUTO = -1

/** Line control bits of `n`, `o`, `e`, `m`, `s`; anything else is none. */
const PARITY: Readonly<Record<string, number>> = { n: 0 << 3, o: 1 << 3, e: 3 << 3, m: 5 << 3, s: 7 << 3 }

export interface UartConfig {
  baud: number
  dataBits: number
  parity: number
  stopBits: number
  ioBase: number
  /** 0: polled. */
  irq: number
}

/**
 * The value of `com1=` or `com2=`: `<baud>|auto[,<data><parity><stop>[,<io-base>[,<irq>]]]`. Undefined: no UART there. A text is the
 * error that Xen prints after `ERROR: `.
 */
export function parseUart(port: 0 | 1, option: string, isConsole: boolean): UartConfig | string | undefined {
  const config: UartConfig = {
    baud: isConsole ? BAUD_AUTO : 0,
    dataBits: 8,
    parity: 0,
    stopBits: 1,
    ioBase: port === 0 ? COM1_BASE : COM2_BASE,
    irq: port === 0 ? COM1_IRQ : COM2_IRQ,
  }
  if (option === '') {
    if (config.baud === 0) return undefined
  } else parseFields(config, option)
  if (config.baud !== BAUD_AUTO && (config.baud < 1200 || config.baud > 115200))
    return `Baud rate ${config.baud} outside supported range.`
  if (config.dataBits < 5 || config.dataBits > 8) return `${config.dataBits} data bits are unsupported.`
  if (config.stopBits < 1 || config.stopBits > 2) return `${config.stopBits} stop bits are unsupported.`
  if (config.ioBase === 0) return 'I/O base address must be specified.'
  return config
}

function parseFields(config: UartConfig, option: string): void {
  let rest = option
  if (rest.startsWith('auto')) {
    config.baud = BAUD_AUTO
    rest = rest.slice(4)
  } else {
    const baud = strtoul(rest, 10)
    if (baud.value !== 0) config.baud = baud.value
    rest = baud.rest
  }
  if (rest[0] !== ',') return
  const data = strtoul(rest.slice(1), 10)
  config.dataBits = data.value
  config.parity = PARITY[data.rest[0] ?? ''] ?? 0
  const stop = strtoul(data.rest.slice(1), 10)
  config.stopBits = stop.value
  if (stop.rest[0] !== ',') return
  const base = strtoul(stop.rest.slice(1), 0)
  config.ioBase = base.value
  if (base.rest[0] === ',') config.irq = strtoul(base.rest.slice(1), 10).value
}

/** A UART as the generic serial layer uses it. */
export class Ns16550 {
  readonly config: UartConfig
  readonly #io: PortIo
  /** Bytes that fit behind one THRE. */
  txFifoBytes = 1

  constructor(io: PortIo, config: UartConfig) {
    this.#io = io
    this.config = config
  }

  #read(register: number): number {
    return this.#io.in8(this.config.ioBase + register)
  }

  #write(register: number, value: number): void {
    this.#io.out8(this.config.ioBase + register, value)
  }

  initPreIrq(): void {
    const { config } = this
    const lcr = (config.dataBits - 5) | ((config.stopBits - 1) << 2) | config.parity
    this.#write(UART_IER, 0)
    this.#write(UART_LCR, lcr | UART_LCR_DLAB)
    if (config.baud !== BAUD_AUTO) {
      const divisor = Math.floor(UART_CLOCK_BAUD / config.baud)
      this.#write(UART_DLL, divisor & 0xff)
      this.#write(UART_DLM, divisor >> 8)
    } else {
      const divisor = this.#read(UART_DLL) | (this.#read(UART_DLM) << 8)
      // A chip that nobody has programmed reads 0: the fastest rate it has.
      config.baud = Math.floor(UART_CLOCK_BAUD / Math.max(divisor, 1))
    }
    this.#write(UART_LCR, lcr)
    this.#write(UART_MCR, UART_MCR_DTR | UART_MCR_RTS)
    this.#write(UART_FCR, UART_FCR_ENABLE | UART_FCR_CLRX | UART_FCR_CLTX | UART_FCR_TRG14)
    if ((this.#read(UART_IIR) & 0xc0) === 0xc0) this.txFifoBytes = UART_FIFO_BYTES
  }

  /** Receive and transmit interrupts on. */
  enableInterrupts(): void {
    this.#write(UART_MCR, UART_MCR_OUT2 | UART_MCR_DTR | UART_MCR_RTS)
    this.#write(UART_IER, UART_IER_ERDAI | UART_IER_ETHREI)
  }

  /** Whether the chip asks for service; reading it answers a transmit request. */
  interruptPending(): boolean {
    return (this.#read(UART_IIR) & UART_IIR_NOINT) === 0
  }

  txEmpty(): boolean {
    return (this.#read(UART_LSR) & UART_LSR_THRE) !== 0
  }

  putByte(byte: number): void {
    this.#write(UART_THR, byte)
  }

  /** The next byte received, if there is one. */
  getByte(): number | undefined {
    return this.#read(UART_LSR) & UART_LSR_DR ? this.#read(UART_RBR) : undefined
  }

  /** Time on the line of one character, in ns. */
  characterNs(): number {
    const { baud, dataBits, stopBits, parity } = this.config
    return Math.ceil(((1 + dataBits + stopBits + (parity === 0 ? 0 : 1)) * 1e9) / baud)
  }

  /** Between two looks at a polled UART: the time to fill the receive FIFO, at least 1 ms. */
  pollPeriodNs(): number {
    const { baud, dataBits, stopBits, parity } = this.config
    const bits = dataBits + stopBits + (parity === 0 ? 0 : 1)
    return Math.max(1, Math.floor((bits * this.txFifoBytes * 1000) / baud)) * 1_000_000
  }
}
