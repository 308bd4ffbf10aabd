/** Reads the arguments of a tape's commands. A command ends with its line. */
import { Lexer, type TapeError, type Token } from './lexer.ts'
import { compilePattern, type Pattern } from './pattern.ts'

export const COUNT_MAX = 10_000
const SECOND_NS = 1_000_000_000
const TIME_NS_MAX = 7 * 24 * 3600 * SECOND_NS

/** Words that are never text of a `Type` without quotes. */
export const KEYWORDS = new Set(
  (
    'em px ms s m Set Sleep Type Enter Space Backspace Delete Insert Ctrl Alt Shift Down Left Right Up PageUp PageDown ScrollUp ScrollDown ' +
    'Tab Escape Home End Hide Require Show Output Shell FontFamily MarginFill Margin WindowBar WindowBarSize BorderRadius FontSize Framerate ' +
    'Height LetterSpacing LineHeight PlaybackSpeed TypingSpeed Padding Theme Width LoopOffset WaitTimeout WaitPattern Wait Source CursorBlink ' +
    'true false Screenshot Copy Paste Env Target'
  ).split(' '),
)

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', SECOND_NS / 1000],
  ['s', SECOND_NS],
  ['m', 60 * SECOND_NS],
])

/** Carries a mistake to where the line is given up. */
export class Mistake {
  readonly at: { readonly line: number; readonly column: number }
  readonly message: string

  constructor(at: { readonly line: number; readonly column: number }, message: string) {
    this.at = at
    this.message = message
  }
}

export class ArgumentReader {
  readonly #lexer: Lexer
  #peeked: Token | undefined
  #last: Token = { kind: 'end', text: '', flags: '', line: 0, column: 0 }

  constructor(text: string, report: (error: TapeError) => void) {
    this.#lexer = new Lexer(text, report)
  }

  /** What a modifier is held down with, right after its plus sign. */
  key(): Token {
    return this.#lexer.key()
  }

  /** What follows a mistake on its line would only be mistaken for more of them. */
  skipLine(): void {
    if (this.#peeked && this.#peeked.line !== this.#last.line) return
    this.#peeked = undefined
    this.#lexer.skipLine()
  }

  peek(): Token {
    this.#peeked ??= this.#lexer.next()
    return this.#peeked
  }

  next(): Token {
    const token = this.peek()
    this.#peeked = undefined
    this.#last = token
    return token
  }

  /** The next word of this command: a command ends with its line. */
  peekArgument(): Token {
    const token = this.peek()
    return token.line === this.#last.line && token.kind !== 'end' ? token : { ...this.#last, kind: 'end', text: '' }
  }

  argument(): Token {
    const token = this.peekArgument()
    if (token.kind !== 'end') this.next()
    return token
  }

  nextIs(kind: Token['kind'], text?: string): boolean {
    const token = this.peekArgument()
    return token.kind === kind && (text === undefined || token.text === text)
  }

  /** `<number>[ms|s|m]`; a bare number is seconds. */
  time(after: Token): number {
    if (!this.nextIs('number')) throw new Mistake(this.peekArgument(), `Expected time after ${after.text}`)
    const number = this.next()
    const unit = this.nextIs('word') && UNITS.has(this.peekArgument().text) ? this.next().text : 's'
    const ns = Math.round(this.number(number) * UNITS.get(unit)!)
    if (ns > TIME_NS_MAX) throw new Mistake(number, `Time longer than ${TIME_NS_MAX / 3600 / SECOND_NS} hours`)
    return ns
  }

  number(token: Token): number {
    if (!/^(\d+\.?\d*|\.\d+)$/.test(token.text)) throw new Mistake(token, `Not a number: ${token.text}`)
    return Number(token.text)
  }

  /** `[@<time>]` */
  speed(): number | undefined {
    return this.nextIs('sign', '@') ? this.time(this.next()) : undefined
  }

  /** `[@<time>] [count]` */
  repeat(): { speedNs: number | undefined; count: number } {
    const speedNs = this.speed()
    if (!this.nextIs('number')) return { speedNs, count: 1 }
    const token = this.next()
    const count = this.number(token)
    if (!Number.isInteger(count)) throw new Mistake(token, `Not a whole number: ${token.text}`)
    if (count > COUNT_MAX) throw new Mistake(token, `Count greater than ${COUNT_MAX}`)
    return { speedNs, count }
  }

  /** Strings and words without quotes, joined by a blank. */
  strings(command: Token): string {
    const parts: string[] = []
    for (;;) {
      const token = this.peekArgument()
      if (token.kind !== 'string' && (token.kind !== 'word' || KEYWORDS.has(token.text))) break
      parts.push(this.next().text)
    }
    if (parts.length === 0) throw new Mistake(this.peekArgument(), `${command.text} expects string`)
    return parts.join(' ')
  }

  path(command: Token, missing: string): Token {
    const token = this.#lexer.bare()
    if (token.text === '') throw new Mistake(command, missing)
    return token
  }

  pattern(token: Token): Pattern {
    const pattern = compilePattern(token.text, token.flags)
    if (typeof pattern === 'string') throw new Mistake(token, pattern)
    return pattern
  }
}
