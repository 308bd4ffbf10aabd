/**
 * Bytes to terminal actions: ECMA-48 control functions and UTF-8, after Paul Williams' state machine of DEC's parser (vt100.net/emu/dec_ansi_parser)
 * without 8-bit C1 controls, which UTF-8 leaves no room for. Bounded: parameters are counted and clamped, strings (OSC, DCS, APC, PM, SOS) are skipped.
 */

export const PARAMETERS_MAX = 16
export const PARAMETER_MAX = 9999

/** What the parser found. `intermediates` holds the private marker (`?`, `>`, ...) and intermediate bytes, in order. */
export interface VtActions {
  print(codePoint: number): void
  /** A C0 control. */
  execute(control: number): void
  escape(intermediates: string, final: string): void
  /** A parameter that was left out is 0. */
  csi(intermediates: string, parameters: readonly number[], final: string): void
}

type State = 'ground' | 'escape' | 'csi' | 'csi-ignore' | 'string' | 'string-escape'

const REPLACEMENT = 0xfffd

export class VtParser {
  #state: State = 'ground'
  #intermediates = ''
  #parameters: number[] = []
  /** UTF-8: bits so far, continuation bytes still to come, and the smallest value that is not overlong. */
  #codePoint = 0
  #pending = 0
  #smallest = 0
  readonly #actions: VtActions

  constructor(actions: VtActions) {
    this.#actions = actions
  }

  /** Forget a half-read sequence. */
  reset(): void {
    this.#state = 'ground'
    this.#pending = 0
  }

  byte(byte: number): void {
    if (this.#pending > 0 && (byte & 0xc0) !== 0x80) {
      this.#pending = 0
      this.#actions.print(REPLACEMENT)
    }
    if (byte === 0x18 || byte === 0x1a) this.#state = 'ground'
    else if (byte === 0x1b) this.#state = this.#enterEscape()
    else if (this.#state === 'ground') this.#ground(byte)
    else if (this.#state === 'string') this.#state = byte === 0x07 ? 'ground' : 'string'
    else if (this.#state === 'string-escape') this.#state = byte === 0x5c ? 'ground' : 'string'
    else if (byte < 0x20) this.#actions.execute(byte)
    else if (byte >= 0x7f) return
    else if (this.#state === 'escape') this.#escape(byte)
    else this.#csi(byte)
  }

  #enterEscape(): State {
    if (this.#state === 'string') return 'string-escape'
    this.#intermediates = ''
    return 'escape'
  }

  #ground(byte: number): void {
    if (byte < 0x20) this.#actions.execute(byte)
    else if (byte < 0x7f) this.#actions.print(byte)
    else if (byte === 0x7f) return
    else if (byte < 0xc0) this.#continuation(byte)
    else if (byte < 0xe0) this.#lead(byte & 0x1f, 1, 0x80)
    else if (byte < 0xf0) this.#lead(byte & 0x0f, 2, 0x800)
    else if (byte < 0xf8) this.#lead(byte & 0x07, 3, 0x10000)
    else this.#actions.print(REPLACEMENT)
  }

  #lead(bits: number, pending: number, smallest: number): void {
    this.#codePoint = bits
    this.#pending = pending
    this.#smallest = smallest
  }

  #continuation(byte: number): void {
    if (this.#pending === 0) {
      this.#actions.print(REPLACEMENT)
      return
    }
    this.#codePoint = this.#codePoint * 64 + (byte & 0x3f)
    if (--this.#pending > 0) return
    const value = this.#codePoint
    const valid = value >= this.#smallest && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff)
    // C1 controls written as UTF-8 are not printable either.
    if (valid && value < 0xa0) return
    this.#actions.print(valid ? value : REPLACEMENT)
  }

  #escape(byte: number): void {
    const char = String.fromCharCode(byte)
    if (byte < 0x30) {
      if (this.#intermediates.length < 2) this.#intermediates += char
    } else if (this.#intermediates !== '') {
      this.#state = 'ground'
      this.#actions.escape(this.#intermediates, char)
    } else if (char === '[') {
      this.#state = 'csi'
      this.#parameters = [0]
    } else if (']PX^_'.includes(char)) {
      this.#state = 'string'
    } else {
      this.#state = 'ground'
      this.#actions.escape('', char)
    }
  }

  #csi(byte: number): void {
    const parameters = this.#parameters
    if (byte >= 0x40) {
      const ignored = this.#state === 'csi-ignore'
      this.#state = 'ground'
      if (!ignored) this.#actions.csi(this.#intermediates, parameters, String.fromCharCode(byte))
    } else if (byte >= 0x30 && byte <= 0x39) {
      const last = parameters.length - 1
      parameters[last] = Math.min(PARAMETER_MAX, parameters[last]! * 10 + byte - 0x30)
    } else if (byte === 0x3b) {
      if (parameters.length < PARAMETERS_MAX) parameters.push(0)
      else this.#state = 'csi-ignore'
    } else if (byte === 0x3a || this.#intermediates.length >= 2) {
      this.#state = 'csi-ignore'
    } else {
      this.#intermediates += String.fromCharCode(byte)
    }
  }
}
