/** The rig's terminal: termios, the line discipline N_TTY, and what was printed. */

import { SIGINT, SIGQUIT, SIGTSTP } from '#abi/posix/signal.ts'
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  NCCS,
  NOFLSH,
  ONLCR,
  OPOST,
  VEOF,
  VEOL,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSUSP,
  VTIME,
  VWERASE,
} from '#abi/posix/termios.ts'

const INIT_CC = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0]

/** struct termios after open, as a getty leaves it. */
function initialTermios(): Uint8Array {
  const bytes = new Uint8Array(36)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0o2400, true) // ICRNL IXON
  view.setUint32(4, OPOST | ONLCR, true)
  view.setUint32(8, 0o277 | 0o10000, true)
  view.setUint32(12, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN, true)
  for (let i = 0; i < NCCS; i++) bytes[17 + i] = INIT_CC[i] ?? 0
  return bytes
}

export class RigTty {
  termios = initialTermios()
  rows: number
  columns: number
  pgrp = 0
  session = 0
  hungUp = false
  output = ''
  readonly signal: (signo: number) => void
  /** Input that read may take; in canonical mode whole lines, of which an empty one is the end of the file. */
  #lines: number[][] = []
  #raw: number[] = []
  #line: number[] = []
  #quoteNext = false

  constructor(rows: number, columns: number, signal: (signo: number) => void) {
    this.rows = rows
    this.columns = columns
    this.signal = signal
  }

  #flags(at: number): number {
    return new DataView(this.termios.buffer, this.termios.byteOffset).getUint32(at, true)
  }
  #cc(index: number): number {
    return this.termios[17 + index]!
  }
  get canonical(): boolean {
    return (this.#flags(12) & ICANON) !== 0
  }
  get stopsWriters(): boolean {
    return (this.#flags(12) & 0o400) !== 0
  }

  setTermios(bytes: Uint8Array): void {
    const was = this.canonical
    this.termios = bytes.slice(0, 36)
    if (was && !this.canonical) {
      for (const line of this.#lines) this.#raw.push(...line)
      this.#raw.push(...this.#line)
      this.#lines = []
      this.#line = []
    } else if (!was && this.canonical) {
      const raw = this.#raw
      this.#raw = []
      for (const byte of raw) this.#cooked(byte, 0)
    }
  }

  flush(): void {
    this.#lines = []
    this.#raw = []
    this.#line = []
  }

  /** One byte from the keyboard. */
  input(byte: number): void {
    const iflag = this.#flags(0)
    const lflag = this.#flags(12)
    let c = byte
    if (this.#quoteNext) {
      this.#quoteNext = false
      this.#line.push(c)
      this.#echo(c, lflag)
      return
    }
    if (c === 13) {
      if (iflag & IGNCR) return
      if (iflag & ICRNL) c = 10
    } else if (c === 10 && iflag & INLCR) c = 13
    if (lflag & ISIG && c !== 0) {
      const signo =
        c === this.#cc(VINTR) ? SIGINT : c === this.#cc(VQUIT) ? SIGQUIT : c === this.#cc(VSUSP) ? SIGTSTP : 0
      if (signo) {
        this.#echo(c, lflag)
        if (!(lflag & NOFLSH)) this.flush()
        this.signal(signo)
        return
      }
    }
    if (lflag & ICANON) this.#cooked(c, lflag)
    else {
      this.#raw.push(c)
      this.#echo(c, lflag)
    }
  }

  #cooked(c: number, lflag: number): void {
    if (c !== 0) {
      if (c === this.#cc(VERASE)) {
        this.#rub(lflag)
        return
      }
      if (c === this.#cc(VKILL)) {
        while (this.#line.length > 0) this.#rub(lflag)
        return
      }
      if (lflag & IEXTEN && c === this.#cc(VWERASE)) {
        while (this.#line.at(-1) === 32) this.#rub(lflag)
        while (this.#line.length > 0 && this.#line.at(-1) !== 32) this.#rub(lflag)
        return
      }
      if (lflag & IEXTEN && c === this.#cc(VLNEXT)) {
        this.#quoteNext = true
        return
      }
      if (lflag & IEXTEN && c === this.#cc(VREPRINT)) {
        this.write('\n' + String.fromCharCode(...this.#line))
        return
      }
      if (c === this.#cc(VEOF)) {
        this.#lines.push(this.#line)
        this.#line = []
        return
      }
    }
    this.#line.push(c)
    if (c === 10 && !(lflag & ECHO) && lflag & ECHONL) this.write('\n')
    else this.#echo(c, lflag)
    if (c === 10 || (c !== 0 && c === this.#cc(VEOL))) {
      this.#lines.push(this.#line)
      this.#line = []
    }
  }

  #rub(lflag: number): void {
    const gone = this.#line.pop()
    if (gone === undefined || !(lflag & ECHO)) return
    this.output += gone < 32 && gone !== 9 ? '\b \b\b \b' : '\b \b'
  }

  #echo(c: number, lflag: number): void {
    if (!(lflag & ECHO)) return
    if (lflag & ECHOCTL && c < 32 && c !== 10 && c !== 9) this.output += '^' + String.fromCharCode(c + 64)
    else this.write(String.fromCharCode(c))
  }

  write(text: string): void {
    const oflag = this.#flags(4)
    this.output += oflag & OPOST && oflag & ONLCR ? text.replace(/\n/g, '\r\n') : text
  }

  get readable(): boolean {
    if (this.hungUp) return true
    if (this.canonical) return this.#lines.length > 0
    const min = this.#cc(VMIN)
    return this.#raw.length >= Math.max(1, min) || (min === 0 && this.#cc(VTIME) === 0)
  }

  /** For FIONREAD. */
  get available(): number {
    return this.canonical ? (this.#lines[0]?.length ?? 0) : this.#raw.length
  }

  /** Tenths of a second after which a read in raw mode gives up. */
  get readTimeout(): number {
    return !this.canonical && this.#cc(VMIN) === 0 ? this.#cc(VTIME) : 0
  }

  read(count: number): Uint8Array {
    if (!this.canonical) return Uint8Array.from(this.#raw.splice(0, count))
    const line = this.#lines[0]
    if (!line) return new Uint8Array(0)
    const taken = Uint8Array.from(line.splice(0, count))
    if (line.length === 0) this.#lines.shift()
    return taken
  }
}
