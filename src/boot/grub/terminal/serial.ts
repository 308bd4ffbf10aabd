/** A VT100 behind a 16550 (stage2/serial.c, terminfo.c). The UART is polled both ways; interrupts stay off. */
import type { Metal } from '#abi/pc/metal.ts'
import {
  COM1_BASE,
  COM2_BASE,
  UART_CLOCK_BAUD,
  UART_DLL,
  UART_DLM,
  UART_FCR,
  UART_FCR_ENABLE,
  UART_IER,
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
import { FOR_INPUT, forDeviceUntil, type Run, SECOND_NS } from '../run.ts'
import { type ColorState, DISP, KEY, PLAIN, type Terminal, type TerminalFlags } from './terminal.ts'

/** The speeds that GRUB has divisors for. */
const SPEEDS: readonly number[] = [2400, 4800, 9600, 19200, 38400, 57600, 115200]
/** Where the BIOS data area keeps the ports of the serial units. */
const BDA_PORTS = 0x400
const DEFAULT_PORTS: readonly number[] = [COM1_BASE, COM2_BASE, 0x3e8, 0x2e8]
/** GRUB polls 10,000 times for the rest of an escape sequence, each time anew: three port accesses of a microsecond. */
const SEQUENCE_GAP_NS = 30_000_000
/** ... and 100,000 times for the transmitter, then drops the byte. */
const TRANSMIT_LIMIT_NS = 300_000_000
/** GRUB keeps 8 bytes; ours also takes what arrives while a screen is drawn, so that pasted text is not lost. */
const PENDING_MAX = 256
const LAST_COLUMN = 79

const DISP_ASCII: ReadonlyMap<number, number> = new Map([
  [DISP.upperLeft, 0x2b],
  [DISP.upperRight, 0x2b],
  [DISP.lowerLeft, 0x2b],
  [DISP.lowerRight, 0x2b],
  [DISP.horizontal, 0x2d],
  [DISP.vertical, 0x7c],
  [DISP.left, 0x3c],
  [DISP.right, 0x3e],
  [DISP.up, 0x5e],
  [DISP.down, 0x76],
])

const SEQUENCES: readonly (readonly [string, number])[] = [
  ['\x1b[A', KEY.up],
  ['\x1b[B', KEY.down],
  ['\x1b[C', KEY.right],
  ['\x1b[D', KEY.left],
  ['\x1b[F', KEY.end],
  ['\x1b[H', KEY.home],
  ['\x1b[4', KEY.delete],
  ['\x1b[1~', KEY.home],
  ['\x1b[3~', KEY.delete],
  ['\x1b[5~', KEY.pageUp],
  ['\x1b[6~', KEY.pageDown],
  // GRUB lacks the End key's other spelling.
  ['\x1b[8~', KEY.end],
]

export interface LineSettings {
  readonly port: number
  readonly speed: number
  /** 5 to 8. */
  readonly word: number
  readonly parity: 'no' | 'odd' | 'even'
  readonly stop: 1 | 2
}

export class Serial implements Terminal {
  readonly name = 'serial'
  flags: TerminalFlags = PLAIN
  readonly #metal: Metal
  #port: number | undefined
  #byteNs = 0
  #pending: number[] = []
  #column = 0
  #row = 0

  constructor(metal: Metal) {
    this.#metal = metal
  }

  get ready(): boolean {
    return this.#port !== undefined
  }

  /** The port of serial unit 0 to 3, as the BIOS found it. */
  portOf(unit: number): number {
    return this.#metal.mem.read16(BDA_PORTS + 2 * unit) || DEFAULT_PORTS[unit]!
  }

  /** Set the chip up. False for a speed that GRUB does not know. */
  setUp({ port, speed, word, parity, stop }: LineSettings): boolean {
    const { io } = this.#metal
    io.out8(port + UART_IER, 0)
    io.out8(port + UART_LCR, UART_LCR_DLAB)
    if (!SPEEDS.includes(speed)) return false
    const divisor = UART_CLOCK_BAUD / speed
    io.out8(port + UART_DLL, divisor & 0xff)
    io.out8(port + UART_DLM, divisor >> 8)
    const parityBits = parity === 'no' ? 0 : parity === 'odd' ? 0x08 : 0x18
    io.out8(port + UART_LCR, (word - 5) | (stop === 2 ? 0x04 : 0) | parityBits)
    io.out8(port + UART_FCR, UART_FCR_ENABLE)
    io.out8(port + UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2)
    this.#port = port
    this.#byteNs = Math.ceil(((1 + word + (parity === 'no' ? 0 : 1) + stop) * SECOND_NS) / speed)
    // What came before is noise of the old speed.
    this.#receive()
    this.#pending = []
    return true
  }

  /** Take what the chip has; an absent chip reads as all ones for ever, so no more than fits. */
  #receive(): void {
    const { io } = this.#metal
    const port = this.#port!
    while (this.#pending.length < PENDING_MAX && io.in8(port + UART_LSR) & UART_LSR_DR)
      this.#pending.push(io.in8(port + UART_RBR))
  }

  /** Put a byte on the line as it is. */
  *#transmit(byte: number): Run {
    const { io } = this.#metal
    const port = this.#port!
    const limit = this.#metal.now() + TRANSMIT_LIMIT_NS
    while ((io.in8(port + UART_LSR) & UART_LSR_THRE) === 0) {
      this.#receive()
      if (this.#metal.now() >= limit) return
      yield forDeviceUntil(this.#metal.now() + this.#byteNs)
    }
    io.out8(port + UART_THR, byte)
  }

  *#send(sequence: string): Run {
    for (let i = 0; i < sequence.length; i++) yield* this.#transmit(sequence.charCodeAt(i))
  }

  *put(byte: number): Run {
    const shown = DISP_ASCII.get(byte) ?? byte
    if (shown === 13) this.#column = 0
    else if (shown === 10) this.#row++
    else if (shown === 8 || shown === 127) this.#column = Math.max(0, this.#column - 1)
    else if (shown !== 7) {
      if (this.#column >= LAST_COLUMN) {
        yield* this.#send('\r\n')
        this.#column = 0
        this.#row++
      }
      this.#column++
    }
    yield* this.#transmit(shown)
  }

  hasKey(): boolean {
    this.#receive()
    return this.#pending.length > 0
  }

  /** The key that the pending bytes begin with, and how many of them it takes; undefined while it may still grow. */
  #recognise(): { key: number; bytes: number } | undefined {
    const text = String.fromCharCode(...this.#pending.slice(0, 4))
    for (const [sequence, key] of SEQUENCES) if (text.startsWith(sequence)) return { key, bytes: sequence.length }
    if (SEQUENCES.some(([sequence]) => sequence.startsWith(text))) return undefined
    return { key: this.#pending[0]!, bytes: 1 }
  }

  *key(): Run<number> {
    while (!this.hasKey()) yield FOR_INPUT
    let found = this.#recognise()
    let heard = this.#pending.length
    let until = this.#metal.now() + SEQUENCE_GAP_NS
    while (!found && this.#metal.now() < until) {
      yield forDeviceUntil(until)
      this.#receive()
      if (this.#pending.length > heard) until = this.#metal.now() + SEQUENCE_GAP_NS
      heard = this.#pending.length
      found = this.#recognise()
    }
    const { key, bytes } = found ?? { key: this.#pending[0]!, bytes: 1 }
    this.#pending.splice(0, bytes)
    // Terminals of today send DEL for the backspace key; GRUB's serial line knows BS alone.
    return key === 127 ? KEY.backspace : key
  }

  column(): number {
    return this.#column
  }

  row(): number {
    return this.#row
  }

  *goto(column: number, row: number): Run {
    yield* this.#send(`\x1b[${row + 1};${column + 1}H`)
    this.#column = column
    this.#row = row
  }

  *clear(): Run {
    yield* this.#send('\x1b[H\x1b[J')
    this.#column = 0
    this.#row = 0
  }

  *color(state: ColorState): Run {
    yield* this.#send(state === 'highlight' ? '\x1b[7m' : '\x1b[m')
  }
}
