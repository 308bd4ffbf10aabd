/**
 * Output processing (Linux 2.6.18: drivers/char/n_tty.c, opost and echo_char): what a terminal is sent for a byte that is written or echoed. It is
 * put together here and handed to the driver in one piece.
 */
import * as t from '#abi/posix/termios.ts'
import type { TtyPort } from './driver.ts'
import type { Termios } from './termios.ts'

/** A page, each byte of which became two, and the rest of a tab. */
const OUT_BYTES = 2 * 4096 + 8
const XTABS = 0o14000
const TABDLY = 0o14000
const BS = 8
const TAB = 9
const LF = 10
const CR = 13

export interface OutputHost {
  readonly termios: Termios
  readonly port: TtyPort
}

export const isControl = (c: number): boolean => c < 32 || c === 127
/** Not the first byte of a character. */
export const isContinuation = ({ iflag }: Termios, c: number): boolean => (iflag & t.IUTF8) !== 0 && (c & 0xc0) === 0x80

export class Output {
  readonly #host: OutputHost
  /** Where the terminal's cursor is, as far as this side knows. */
  column = 0
  /** Where the line that is being typed begins. */
  canonColumn = 0
  readonly #out = new Uint8Array(OUT_BYTES)
  #outLength = 0
  /** Of the port, when #out was begun; -1: not asked yet. */
  #room = -1

  constructor(host: OutputHost) {
    this.#host = host
  }

  /** Forget what was not handed over. */
  discard(): void {
    this.#outLength = 0
    this.#room = -1
  }

  echo(c: number): void {
    if (this.#host.termios.lflag & t.ECHOCTL && isControl(c) && c !== TAB) {
      this.put(0x5e)
      this.put(c ^ 0x40)
      this.column += 2
    } else this.opost(c)
  }

  /** How many bytes of output there is room for. */
  #space(): number {
    if (this.#room < 0) this.#room = this.#host.port.writeRoom()
    const left = this.#room - this.#outLength
    if (left >= 8 && this.#outLength > OUT_BYTES - 8) {
      this.flush()
      return this.#space()
    }
    return left
  }

  put(c: number): void {
    if (this.#space() > 0) this.#out[this.#outLength++] = c
  }

  /** Hand over what was put together. */
  flush(): void {
    const length = this.#outLength
    this.#outLength = 0
    this.#room = -1
    if (length > 0) this.#host.port.write(this.#out.subarray(0, length))
  }

  /** One byte through output processing. False: no room for it. */
  opost(byte: number): boolean {
    let space = this.#space()
    if (space <= 0) return false
    const { oflag } = this.#host.termios
    let c = byte
    if (oflag & t.OPOST) {
      switch (c) {
        case LF:
          if (oflag & t.ONLRET) this.column = 0
          if (oflag & t.ONLCR) {
            if (space < 2) return false
            this.#out[this.#outLength++] = CR
            this.column = 0
          }
          this.canonColumn = this.column
          break
        case CR:
          if (oflag & t.ONOCR && this.column === 0) return true
          if (oflag & t.OCRNL) {
            c = LF
            if (oflag & t.ONLRET) {
              this.column = 0
              this.canonColumn = 0
            }
            break
          }
          this.column = 0
          this.canonColumn = 0
          break
        case TAB: {
          const spaces = 8 - (this.column & 7)
          if ((oflag & TABDLY) === XTABS) {
            if (space < spaces) return false
            this.column += spaces
            for (space = spaces; space > 0; space--) this.#out[this.#outLength++] = 0x20
            return true
          }
          this.column += spaces
          break
        }
        case BS:
          if (this.column > 0) this.column--
          break
        default:
          if (oflag & t.OLCUC && c >= 97 && c <= 122) c -= 32
          if (!isControl(c) && !isContinuation(this.#host.termios, c)) this.column++
      }
    }
    this.#out[this.#outLength++] = c
    return true
  }
}
