/**
 * N_TTY, the line discipline (Linux 2.6.18: drivers/char/n_tty.c): what becomes of bytes on their way from the line to a reader and back.
 * As there, signal characters are not echoed, and echo that finds no room in the driver is lost.
 */
import { SIGINT, SIGQUIT, SIGTSTP } from '#abi/posix/signal.ts'
import * as t from '#abi/posix/termios.ts'
import type { ReceiveError, TtyPort } from './driver.ts'
import { isContinuation, isControl, Output } from './opost.ts'
import type { Termios } from './termios.ts'

export const N_TTY_BUF_SIZE = 4096
const MASK = N_TTY_BUF_SIZE - 1
/** A driver is told to hold its line when less than so much is free, and to go on when no more is waiting. */
const THRESHOLD_THROTTLE = 128
const THRESHOLD_UNTHROTTLE = 128
/** _POSIX_VDISABLE. Marks the end of a file in the buffer too. */
const DISABLED = 0

const BEL = 7
const BS = 8
const TAB = 9
const LF = 10
const CR = 13

/** What the discipline needs of its terminal. */
export interface LdiscHost {
  readonly termios: Termios
  readonly port: TtyPort
  readonly stopped: boolean
  /** To the foreground group. */
  signal(signo: number): void
  start(): void
  stop(): void
  /** There is something to read. */
  wakeReaders(): void
  /** isig flushes what waits on the other side too. */
  flushOutput(): void
}

const isAlnum = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122)

export class NTty {
  readonly #host: LdiscHost
  readonly #output: Output
  readonly #buffer = new Uint8Array(N_TTY_BUF_SIZE)
  /** 1 where a line ends. */
  readonly #ends = new Uint8Array(N_TTY_BUF_SIZE)
  #head = 0
  #tail = 0
  #count = 0
  /** Up to here lines are complete. */
  #canonHead = 0
  #canonData = 0
  #literalNext = false
  #erasing = false
  /** An end of file came in the middle of a line: the line was pushed, its end is none of the file. */
  push = false
  throttled = false
  /** Characters that receive must look at. */
  readonly #special = new Uint8Array(256)
  #raw = false
  #canon = true

  constructor(host: LdiscHost) {
    this.#host = host
    this.#output = new Output(host)
    this.settingsChanged()
  }

  get canonical(): boolean {
    return this.#canon
  }

  /** chars_in_buffer: what a read could get. */
  get available(): number {
    return this.#canon ? this.#completeBytes : this.#count
  }

  /** Of complete lines, ends of files among them. A full buffer's ends meet. */
  get #completeBytes(): number {
    return this.#canonData === 0 ? 0 : (this.#canonHead - this.#tail) & MASK || N_TTY_BUF_SIZE
  }

  /** n_tty_receive_room: without complete lines erasing must remain possible, so there is always room. */
  get receiveRoom(): number {
    const left = N_TTY_BUF_SIZE - this.#count - 1
    return left <= 0 ? (this.#canon && this.#canonData === 0 ? 1 : 0) : left
  }

  inputAvailable(amount: number): boolean {
    return this.#canon ? this.#canonData > 0 : this.#count >= (amount || 1)
  }

  /** FIONREAD: a line's end that is an end of file is none of its bytes. */
  get inputBytes(): number {
    if (!this.#canon) return this.#count
    const complete = this.#completeBytes
    let count = complete
    for (let i = 0, at = this.#tail; i < complete; i++, at = (at + 1) & MASK)
      if (this.#ends[at] && this.#buffer[at] === DISABLED) count--
    return count
  }

  /** The switch between lines and bytes: what was typed so far is of the new kind. */
  canonChanged(): void {
    this.#ends.fill(0)
    this.#canonHead = this.#tail
    this.#canonData = 0
    this.#erasing = false
  }

  /** n_tty_set_termios. */
  settingsChanged(): void {
    const { iflag, lflag, cc } = this.#host.termios
    const special = this.#special
    special.fill(0)
    this.#canon = (lflag & t.ICANON) !== 0
    const cooked =
      iflag & (t.ISTRIP | t.IUCLC | t.IGNCR | t.ICRNL | t.INLCR | t.IXON | t.PARMRK) ||
      lflag & (t.ICANON | t.ISIG | t.ECHO)
    this.#raw = !cooked
    if (!cooked) return
    if (iflag & (t.IGNCR | t.ICRNL)) special[CR] = 1
    if (iflag & t.INLCR) special[LF] = 1
    const mark = (...indices: readonly number[]): void => {
      for (const index of indices) special[cc[index]!] = 1
    }
    if (lflag & t.ICANON) {
      special[LF] = 1
      mark(t.VERASE, t.VKILL, t.VEOF, t.VEOL)
      if (lflag & t.IEXTEN) {
        mark(t.VWERASE, t.VLNEXT, t.VEOL2)
        if (lflag & t.ECHO) mark(t.VREPRINT)
      }
    }
    if (iflag & t.IXON) mark(t.VSTART, t.VSTOP)
    if (lflag & t.ISIG) mark(t.VINTR, t.VQUIT, t.VSUSP)
    special[DISABLED] = 0
  }

  // --- From the line ---

  /** n_tty_receive_buf. How many bytes were taken: fewer only where the buffer is full. */
  receive(bytes: Uint8Array, from: number): number {
    let at = from
    if (this.#raw) {
      while (at < bytes.length && this.#count < N_TTY_BUF_SIZE) this.#put(bytes[at++]!)
    } else {
      while (at < bytes.length && this.receiveRoom > 0) this.#receiveByte(bytes[at++]!)
      this.#output.flush()
    }
    this.#afterReceive()
    return at - from
  }

  receiveError(kind: ReceiveError, byte: number): void {
    const { iflag } = this.#host.termios
    if (kind === 'break') {
      if (iflag & t.IGNBRK) return
      if (iflag & t.BRKINT) {
        this.#signal(SIGINT, true)
        return
      }
      if (iflag & t.PARMRK) {
        this.#put(0xff)
        this.#put(0)
      }
      this.#put(0)
    } else if (kind === 'parity') {
      if (iflag & t.IGNPAR) return
      if (iflag & t.PARMRK) {
        this.#put(0xff)
        this.#put(0)
        this.#put(byte)
      } else this.#put(iflag & t.INPCK ? 0 : byte)
    } else return
    this.#host.wakeReaders()
  }

  #afterReceive(): void {
    if (!this.#canon && this.#count > 0) this.#host.wakeReaders()
    if (!this.throttled && this.receiveRoom < THRESHOLD_THROTTLE) {
      this.throttled = true
      this.#host.port.throttle?.()
    }
  }

  #put(c: number): void {
    if (this.#count >= N_TTY_BUF_SIZE) return
    this.#buffer[this.#head] = c
    this.#head = (this.#head + 1) & MASK
    this.#count++
  }

  #receiveByte(byte: number): void {
    const { iflag, lflag, cc } = this.#host.termios
    let c = byte
    if (this.#host.stopped && iflag & t.IXON && iflag & t.IXANY) {
      this.#host.start()
      return
    }
    if (iflag & t.ISTRIP) c &= 0x7f
    if (iflag & t.IUCLC && lflag & t.IEXTEN && c >= 65 && c <= 90) c += 32
    if (this.#special[c] === 0 || this.#literalNext) {
      this.#literalNext = false
      this.#ordinary(c, false)
      return
    }
    if (c === CR) {
      if (iflag & t.IGNCR) return
      if (iflag & t.ICRNL) c = LF
    } else if (c === LF && iflag & t.INLCR) c = CR
    if (iflag & t.IXON) {
      if (c === cc[t.VSTART]) {
        this.#host.start()
        return
      }
      if (c === cc[t.VSTOP]) {
        this.#host.stop()
        return
      }
    }
    if (lflag & t.ISIG) {
      const signo = c === cc[t.VINTR] ? SIGINT : c === cc[t.VQUIT] ? SIGQUIT : c === cc[t.VSUSP] ? SIGTSTP : 0
      if (signo !== 0) {
        this.#signal(signo, false)
        return
      }
    }
    if (this.#canon && this.#canonByte(c)) return
    this.#ordinary(c, true)
  }

  /** A character that stands for itself. `special`: it could have been another, so a newline is echoed as one. */
  #ordinary(c: number, special: boolean): void {
    const { iflag, lflag } = this.#host.termios
    this.#finishErasing()
    if (lflag & t.ECHO) {
      if (this.#count >= N_TTY_BUF_SIZE - 1) {
        this.#output.put(BEL)
        return
      }
      if (special && c === LF) this.#output.opost(LF)
      else {
        if (this.#canonHead === this.#head) this.#output.canonColumn = this.#output.column
        this.#output.echo(c)
      }
    }
    if (iflag & t.PARMRK && c === 0xff) this.#put(c)
    this.#put(c)
  }

  /** Editing and line ends. False: an ordinary character after all. */
  #canonByte(c: number): boolean {
    const { iflag, lflag, cc } = this.#host.termios
    const extended = (lflag & t.IEXTEN) !== 0
    if (c === cc[t.VERASE] || c === cc[t.VKILL] || (c === cc[t.VWERASE] && extended)) {
      this.#erase(c)
      return true
    }
    if (c === cc[t.VLNEXT] && extended) {
      this.#literalNext = true
      if (lflag & t.ECHO) {
        this.#finishErasing()
        if (lflag & t.ECHOCTL) {
          this.#output.put(0x5e)
          this.#output.put(BS)
        }
      }
      return true
    }
    if (c === cc[t.VREPRINT] && lflag & t.ECHO && extended) {
      this.#finishErasing()
      this.#output.echo(c)
      this.#output.opost(LF)
      for (let at = this.#canonHead; at !== this.#head; at = (at + 1) & MASK) this.#output.echo(this.#buffer[at]!)
      return true
    }
    if (c === LF) {
      if (lflag & (t.ECHO | t.ECHONL)) {
        if (this.#count >= N_TTY_BUF_SIZE - 1) this.#output.put(BEL)
        this.#output.opost(LF)
      }
      this.#endLine(c)
      return true
    }
    if (c === cc[t.VEOF]) {
      if (this.#canonHead !== this.#head) this.push = true
      this.#endLine(DISABLED)
      return true
    }
    if (c === cc[t.VEOL] || (c === cc[t.VEOL2] && extended)) {
      if (lflag & t.ECHO) {
        if (this.#count >= N_TTY_BUF_SIZE - 1) this.#output.put(BEL)
        if (this.#canonHead === this.#head) this.#output.canonColumn = this.#output.column
        this.#output.echo(c)
      }
      if (iflag & t.PARMRK && c === 0xff) this.#put(c)
      this.#endLine(c)
      return true
    }
    return false
  }

  #endLine(c: number): void {
    if (this.#count < N_TTY_BUF_SIZE) {
      this.#ends[this.#head] = 1
      this.#put(c)
    } else this.#ends[(this.#head - 1) & MASK] = 1
    this.#canonHead = this.#head
    this.#canonData++
    this.#host.wakeReaders()
  }

  #signal(signo: number, flush: boolean): void {
    this.#host.signal(signo)
    if (!flush && this.#host.termios.lflag & t.NOFLSH) return
    this.flushInput()
    this.#output.discard()
    this.#host.flushOutput()
  }

  // --- Erasing ---

  #finishErasing(): void {
    if (!this.#erasing) return
    this.#output.put(0x2f)
    this.#output.column++
    this.#erasing = false
  }

  #dropLine(): void {
    this.#count -= (this.#head - this.#canonHead) & MASK
    this.#head = this.#canonHead
  }

  #erase(by: number): void {
    const { lflag, cc } = this.#host.termios
    if (this.#head === this.#canonHead) return
    const kind = by === cc[t.VERASE] ? 'char' : by === cc[t.VWERASE] ? 'word' : 'line'
    if (kind === 'line') {
      if (!(lflag & t.ECHO)) {
        this.#dropLine()
        return
      }
      if (!(lflag & t.ECHOK) || !(lflag & t.ECHOKE) || !(lflag & t.ECHOE)) {
        this.#dropLine()
        this.#finishErasing()
        this.#output.echo(cc[t.VKILL]!)
        if (lflag & t.ECHOK) this.#output.opost(LF)
        return
      }
    }
    let seenAlnums = false
    while (this.#head !== this.#canonHead) {
      let head = this.#head
      let c: number
      do {
        head = (head - 1) & MASK
        c = this.#buffer[head]!
      } while (isContinuation(this.#host.termios, c) && head !== this.#canonHead)
      if (isContinuation(this.#host.termios, c)) break
      if (kind === 'word') {
        if (isAlnum(c) || c === 0x5f) seenAlnums = true
        else if (seenAlnums) break
      }
      const bytes = (this.#head - head) & MASK
      this.#head = head
      this.#count -= bytes
      if (lflag & t.ECHO) this.#echoErased(c, bytes, kind === 'char')
      if (kind === 'char') break
    }
    if (this.#head === this.#canonHead) this.#finishErasing()
  }

  #echoErased(c: number, bytes: number, single: boolean): void {
    const { lflag, cc } = this.#host.termios
    if (lflag & t.ECHOPRT) {
      if (!this.#erasing) {
        this.#output.put(0x5c)
        this.#output.column++
        this.#erasing = true
      }
      this.#output.echo(c)
      for (let i = 1; i < bytes; i++) this.#output.put(this.#buffer[(this.#head + i) & MASK]!)
    } else if (single && !(lflag & t.ECHOE)) this.#output.echo(cc[t.VERASE]!)
    else if (c === TAB) this.#backToColumn()
    else {
      if (isControl(c) && lflag & t.ECHOCTL) this.#rubOut()
      if (!isControl(c) || lflag & t.ECHOCTL) this.#rubOut()
    }
  }

  #rubOut(): void {
    this.#output.put(BS)
    this.#output.put(0x20)
    this.#output.put(BS)
    if (this.#output.column > 0) this.#output.column--
  }

  /** A tab was erased: back to where the line ends without it. */
  #backToColumn(): void {
    const { lflag } = this.#host.termios
    let column = this.#output.canonColumn
    for (let at = this.#canonHead; at !== this.#head; at = (at + 1) & MASK) {
      const c = this.#buffer[at]!
      if (c === TAB) column = (column | 7) + 1
      else if (isControl(c)) column += lflag & t.ECHOCTL ? 2 : 0
      else if (!isContinuation(this.#host.termios, c)) column++
    }
    while (this.#output.column > column) {
      this.#output.put(BS)
      this.#output.column--
    }
  }

  // --- To the line ---

  /** Output for a writer: as many of `bytes` from `from` on as there is room for. */
  output(bytes: Uint8Array, from: number): number {
    if (!(this.#host.termios.oflag & t.OPOST)) {
      return this.#host.port.write(from === 0 ? bytes : bytes.subarray(from))
    }
    let at = from
    while (at < bytes.length && this.#output.opost(bytes[at]!)) at++
    this.#output.flush()
    return at - from
  }

  // --- To a reader ---

  flushInput(): void {
    this.#head = 0
    this.#tail = 0
    this.#count = 0
    this.#canonHead = 0
    this.#canonData = 0
    this.#ends.fill(0)
    this.#erasing = false
    this.push = false
    this.unthrottle()
  }

  /** At most `count` bytes; in canonical mode no further than the line's end. Something is available. */
  take(count: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(count, this.#count))
    let length = 0
    if (this.#canon) {
      while (length < count && this.#count > 0) {
        const at = this.#tail
        const c = this.#buffer[at]!
        const end = this.#ends[at] === 1
        this.#ends[at] = 0
        this.#tail = (at + 1) & MASK
        this.#count--
        if (end && this.#canonData > 0) this.#canonData--
        if (!end || c !== DISABLED) bytes[length++] = c
        if (end) break
      }
    } else {
      for (; length < bytes.length; length++) {
        bytes[length] = this.#buffer[this.#tail]!
        this.#tail = (this.#tail + 1) & MASK
      }
      this.#count -= length
    }
    return length === bytes.length ? bytes : bytes.subarray(0, length)
  }

  /** The reader has made room. */
  unthrottle(): void {
    if (!this.throttled || this.available > THRESHOLD_UNTHROTTLE) return
    this.throttled = false
    this.#host.port.unthrottle?.()
  }
}
