/** Words of the .tape language (charmbracelet/vhs, lexer/lexer.go), with where each stands. */

export interface TapeError {
  /** Both from 1. */
  readonly line: number
  readonly column: number
  readonly message: string
}

export type TokenKind =
  | 'word'
  | 'number'
  | 'string'
  | 'regex'
  | 'json'
  /** One character: @ + - % = [ ] ^ \ and the like. */
  | 'sign'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** Of a string or regex: what is between the delimiters. */
  readonly text: string
  /** Of a regex: the letters right after the closing slash. */
  readonly flags: string
  readonly line: number
  readonly column: number
}

const QUOTES = '"\'`'
const isDigit = (char: string): boolean => char >= '0' && char <= '9'
const isLetter = (char: string): boolean => (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z')
const isWordPart = (char: string): boolean => isLetter(char) || isDigit(char) || (char !== '' && './_-%'.includes(char))
const isBlank = (char: string): boolean => char === ' ' || char === '\t' || char === '\n' || char === '\r'
const isLineEnd = (char: string): boolean => char === '' || char === '\n' || char === '\r'

export class Lexer {
  readonly #text: string
  readonly #report: (error: TapeError) => void
  #at = 0
  #line = 1
  #lineStart = 0

  constructor(text: string, report: (error: TapeError) => void) {
    this.#text = text
    this.#report = report
  }

  next(): Token {
    this.#skipBlanks()
    const start = this.#at
    const at = { line: this.#line, column: start - this.#lineStart + 1 }
    const token = (kind: TokenKind, text: string, flags = ''): Token => ({ kind, text, flags, ...at })
    const char = this.#char()
    if (char === '') return token('end', '')
    if (QUOTES.includes(char)) return token('string', this.#until(char, 'string', at))
    if (char === '/') {
      const text = this.#regex(at)
      return token('regex', text, this.#while(isLetter))
    }
    if (char === '{') return token('json', this.#json(at))
    if (isDigit(char) || (char === '.' && isDigit(this.#char(1)))) {
      return token(
        'number',
        this.#while((part) => isDigit(part) || part === '.'),
      )
    }
    if (isLetter(char) || char === '.') return token('word', this.#while(isWordPart))
    const sign = String.fromCodePoint(this.#text.codePointAt(start)!)
    this.#at += sign.length
    return token('sign', sign)
  }

  /** A path or name as it stands, up to the next blank, or a quoted string. An empty one at the end of the line. */
  bare(): Token {
    this.#while((char) => char === ' ' || char === '\t')
    const at = { line: this.#line, column: this.#at - this.#lineStart + 1, flags: '' }
    const char = this.#char()
    if (char !== '' && QUOTES.includes(char)) return { kind: 'string', text: this.#until(char, 'string', at), ...at }
    return { kind: 'word', text: this.#while((part) => !isBlank(part)), ...at }
  }

  /** What is held down with a modifier, right after its plus sign: a name, a quoted string, or any one character. */
  key(): Token {
    const at = { line: this.#line, column: this.#at - this.#lineStart + 1, flags: '' }
    const char = this.#char()
    if (isLetter(char)) return { kind: 'word', text: this.#while((part) => isLetter(part) || isDigit(part)), ...at }
    if (char === '' || isBlank(char)) return { kind: 'end', text: '', ...at }
    const close = QUOTES.includes(char) ? this.#text.indexOf(char, this.#at + 1) : -1
    if (close > this.#at + 1 && !this.#text.slice(this.#at, close).includes('\n')) {
      return { kind: 'string', text: this.#until(char, 'string', at), ...at }
    }
    const sign = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    this.#at += sign.length
    return { kind: 'sign', text: sign, ...at }
  }

  /** Go to the end of the line. */
  skipLine(): void {
    this.#while((char) => char !== '\n')
  }

  #char(ahead = 0): string {
    return this.#text[this.#at + ahead] ?? ''
  }

  /** Blanks, line ends and comments. */
  #skipBlanks(): void {
    for (;;) {
      const char = this.#char()
      if (char === '\n') {
        this.#line++
        this.#lineStart = this.#at + 1
      }
      if (isBlank(char)) this.#at++
      else if (char === '#') this.#while((part) => !isLineEnd(part))
      else return
    }
  }

  #while(holds: (char: string) => boolean): string {
    const start = this.#at
    while (this.#char() !== '' && holds(this.#char())) this.#at++
    return this.#text.slice(start, this.#at)
  }

  #until(close: string, what: string, at: { line: number; column: number }): string {
    this.#at++
    const text = this.#while((char) => char !== close && !isLineEnd(char))
    if (this.#char() === close) this.#at++
    else this.#report({ ...at, message: `Unterminated ${what}: no closing ${close} on this line` })
    return text
  }

  /** A slash after an odd number of backslashes is part of the pattern. */
  #regex(at: { line: number; column: number }): string {
    const start = ++this.#at
    while (!isLineEnd(this.#char()) && this.#char() !== '/') {
      this.#at += this.#char() === '\\' && !isLineEnd(this.#char(1)) ? 2 : 1
    }
    const text = this.#text.slice(start, this.#at)
    if (this.#char() === '/') this.#at++
    else this.#report({ ...at, message: 'Unterminated regular expression: no closing / on this line' })
    return text
  }

  /** A flat object, as themes are: up to the first closing brace, over several lines too. */
  #json(at: { line: number; column: number }): string {
    const start = this.#at
    while (this.#char() !== '' && this.#char() !== '}') {
      if (this.#char() === '\n') {
        this.#line++
        this.#lineStart = this.#at + 1
      }
      this.#at++
    }
    if (this.#char() === '}') this.#at++
    else this.#report({ ...at, message: 'Unterminated JSON: no closing }' })
    return this.#text.slice(start, this.#at)
  }
}
