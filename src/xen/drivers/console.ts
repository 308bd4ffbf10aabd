/**
 * xen/drivers/char/console.c: printk, the console ring, and who owns serial input. Text goes to the serial handle and the screen of
 * `console=` and into the ring.
 */
import type { Mem } from '#abi/mem.ts'
import type { Probe } from '#abi/probe.ts'
import { NO_HANDLE, type Serial } from './serial.ts'
import type { Vga } from './vga.ts'

/** Level marks at the start of a line; a line without one is a warning. */
export const XENLOG_ERR = '<0>'
export const XENLOG_WARNING = '<1>'
export const XENLOG_INFO = '<2>'
export const XENLOG_DEBUG = '<3>'
/** Provoked by a guest: guest_loglvl decides. */
export const XENLOG_GUEST = '<G>'

export const CONRING_SIZE = 16384
/** Bytes received that dom0 has not read. */
export const SERIAL_RX_SIZE = 128

const LEVEL_DEFAULT = 1
export const LEVEL_WORDS: readonly (readonly [string, number])[] = [
  ['none', 0],
  ['error', 1],
  ['warning', 2],
  ['info', 3],
  ['debug', 4],
  ['all', 4],
]
const LEVEL_NAMES = ['Nothing', 'Errors', 'Errors and warnings', 'Errors, warnings and info', 'All']

/** A level below `lower` is printed, below `upper` at a limited rate, else dropped. */
export interface Thresholds {
  readonly lower: number
  readonly upper: number
}

/** `loglvl=<always>[/<ratelimited>]`. What is not understood means warning. */
export function parseLoglvl(text: string): Thresholds {
  const one = (from: string): { readonly level: number; readonly rest: string } => {
    for (const [word, level] of LEVEL_WORDS) {
      if (from.startsWith(word)) return { level, rest: from.slice(word.length) }
    }
    return { level: 2, rest: from }
  }
  const lower = one(text)
  const upper = lower.rest[0] === '/' ? one(lower.rest.slice(1)).level : lower.level
  return { lower: lower.level, upper: Math.max(lower.level, upper) }
}

export function loglvlText({ lower, upper }: Thresholds): string {
  const limited = upper === lower ? '' : ` (Rate-limited: ${LEVEL_NAMES[upper]})`
  return `${LEVEL_NAMES[lower]}${limited}`
}

const RATELIMIT_MS = 5000
const RATELIMIT_BURST = 10

export interface ConsoleHost {
  readonly mem: Mem
  readonly serial: Serial
  readonly vga: Vga
  /** NOW(), ns. */
  now(): number
  /** `YYYY-MM-DD HH:MM:SS`, or undefined before the clock is known. */
  wallclock(): string | undefined
  probe(event: Probe): void
  /** A byte for Xen: a debug key. */
  keypress(byte: number): void
  /** VIRQ_CONSOLE to dom0: input has arrived for it. */
  inputForDom0(): void
  /** VIRQ_CON_RING to dom0: the ring holds more. */
  ringForDom0(): void
}

export class Console {
  readonly #host: ConsoleHost
  handle = NO_HANDLE
  /** The two characters of conswitch=. */
  conswitch = 'a'
  toRing = false
  timestamps = false
  thresholds: Thresholds = { lower: 2, upper: 2 }
  guestThresholds: Thresholds = { lower: 0, upper: 2 }
  /** conring: the last CONRING_SIZE bytes written; consumer and producer count from the first one ever. */
  ring = new Uint8Array(CONRING_SIZE)
  ringConsumer = 0
  ringProducer = 0
  printEverything = 0
  #startOfLine = true
  #doPrint = true
  #tokens = 10 * 5 * 1000
  #lastMessageMs = 0
  #missed = 0
  /** Input goes to Xen's keys, not to dom0. */
  xenRx = true
  #switchCodes = 0
  readonly #rx: number[] = []

  constructor(host: ConsoleHost) {
    this.#host = host
  }

  // --- Output ---

  /** To every output and into the ring, as it stands. */
  putText(text: string): void {
    this.#host.serial.puts(this.handle, text)
    this.#host.vga.puts(this.#host.mem, text)
    this.#toRing(text)
  }

  #toRing(text: string): void {
    const { ring } = this
    for (let i = 0; i < text.length; i++) ring[this.ringProducer++ % ring.length] = text.charCodeAt(i) & 0xff
    if (this.ringProducer - this.ringConsumer > ring.length) this.ringConsumer = this.ringProducer - ring.length
    this.#host.ringForDom0()
  }

  /** What a guest writes by console_io: to the outputs, and into the ring with console_to_ring. */
  guestText(text: string): void {
    this.#host.serial.guestPuts(this.handle, text)
    this.#host.vga.puts(this.#host.mem, text)
    if (this.toRing) this.#toRing(text)
  }

  /** From now on a ring of `size` bytes, a power of two, with what the old one holds. */
  growRing(size: number): void {
    const ring = new Uint8Array(size)
    for (let i = this.ringConsumer; i < this.ringProducer; i++) ring[i % size] = this.ring[i % this.ring.length]!
    this.ring = ring
  }

  /** All that the ring holds, oldest first. */
  ringText(): string {
    let text = ''
    for (let i = this.ringConsumer; i < this.ringProducer; i++)
      text += String.fromCharCode(this.ring[i % this.ring.length]!)
    return text
  }

  /** Print `text`; each line may begin with a level mark. A text without newline leaves its line open. */
  printk(text: string): void {
    const lines = text.split('\n')
    const open = lines.pop()!
    for (const line of lines) {
      this.#part(line, true)
      this.#startOfLine = true
    }
    if (open !== '') {
      this.#part(open, false)
      this.#startOfLine = false
    }
  }

  #part(line: string, ended: boolean): void {
    let text = line
    if (this.#startOfLine) {
      let level = -1
      let { lower, upper } = this.thresholds
      while (text[0] === '<' && text.length > 2 && text[2] === '>') {
        const mark = text[1]!
        if (mark === 'G') {
          lower = this.guestThresholds.lower
          upper = this.guestThresholds.upper
          if (level < 0) level = LEVEL_DEFAULT
        } else if (mark >= '0' && mark <= '3') level = Number(mark)
        text = text.slice(3)
      }
      if (level < 0) level = LEVEL_DEFAULT
      this.#doPrint = this.printEverything > 0 || level < lower || (level < upper && this.#ratelimit())
    }
    if (!this.#doPrint) return
    if (this.#startOfLine) this.#beginLine()
    this.putText(ended ? `${text}\n` : text)
  }

  #beginLine(): void {
    this.putText('(XEN) ')
    if (!this.timestamps) return
    const time = this.#host.wallclock()
    if (time !== undefined) this.putText(`[${time}] `)
  }

  /** Whether a rate-limited message may be printed now. */
  #ratelimit(): boolean {
    const ms = Math.floor(this.#host.now() / 1e6)
    this.#tokens = Math.min(this.#tokens + ms - this.#lastMessageMs, RATELIMIT_BURST * RATELIMIT_MS)
    this.#lastMessageMs = ms
    if (this.#tokens < RATELIMIT_MS) {
      this.#missed++
      return false
    }
    this.#tokens -= RATELIMIT_MS
    const lost = this.#missed
    this.#missed = 0
    if (lost > 0) {
      this.#beginLine()
      this.putText(`printk: ${lost} messages suppressed.\n`)
    }
    return true
  }

  startLogEverything(): void {
    this.#host.serial.startLogEverything(this.handle)
    this.printEverything++
  }

  endLogEverything(): void {
    this.#host.serial.endLogEverything(this.handle)
    this.printEverything--
  }

  startSync(): void {
    this.printEverything++
    this.#host.serial.startSync(this.handle)
  }

  endSync(): void {
    this.#host.serial.endSync(this.handle)
    this.printEverything--
  }

  // --- Input ---

  /** CTRL-<conswitch>; 0 when switching is disabled. */
  get switchCode(): number {
    return this.conswitch === '' ? 0 : (this.conswitch.charCodeAt(0) - 96) & 0xff
  }

  switchSerialInput(): void {
    this.xenRx = !this.xenRx
    const [to, other] = this.xenRx ? ['Xen', 'DOM0'] : ['DOM0', 'Xen']
    this.printk(`*** Serial input -> ${to}`)
    if (this.switchCode !== 0)
      this.printk(` (type 'CTRL-${this.conswitch[0]}' three times to switch input to ${other})`)
    this.printk('\n')
    this.#host.probe({ kind: 'serial-input', owner: this.xenRx ? 'xen' : 'dom0' })
  }

  /** A byte from the serial line: three switch codes in a row are eaten, all else is delivered in order. */
  serialRx(byte: number): void {
    const code = this.switchCode
    if (code !== 0 && byte === code) {
      if (++this.#switchCodes === 3) {
        this.switchSerialInput()
        this.#switchCodes = 0
      }
      return
    }
    for (; this.#switchCodes !== 0; this.#switchCodes--) this.#deliver(code)
    this.#deliver(byte)
  }

  #deliver(byte: number): void {
    if (this.xenRx) {
      this.#host.keypress(byte)
      return
    }
    if (this.#rx.length < SERIAL_RX_SIZE) this.#rx.push(byte)
    // Told even when the byte was dropped: else a reader that missed one notice would never come again.
    this.#host.inputForDom0()
  }

  /** console_io read: at most `count` bytes of input for dom0. */
  readInput(count: number): Uint8Array {
    return Uint8Array.from(this.#rx.splice(0, Math.max(count, 0)))
  }
}
