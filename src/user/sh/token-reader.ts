/** The parser's one token of lookahead: keywords are known where they may stand, aliases are replaced (POSIX.1-2004, XCU 2.3.1 and 2.4). */
import { NeedMore, SyntaxFault } from './errors.ts'
import { Lexer, type Token } from './lexer.ts'
import type { LexerOptions } from './parameter-reader.ts'

const KEYWORDS = new Set([
  '!',
  '{',
  '}',
  'case',
  'do',
  'done',
  'elif',
  'else',
  'esac',
  'fi',
  'for',
  // dash has it not. But whoever writes #!/bin/sh on a CentOS has bash in mind, and to dash it is nothing else.
  'function',
  'if',
  'then',
  'until',
  'while',
])
const BASH_KEYWORDS = new Set([...KEYWORDS, '[['])
export const isKeyword = (word: string, bash: boolean): boolean => (bash ? BASH_KEYWORDS : KEYWORDS).has(word)
export const REDIR_OPS = new Set(['<', '>', '>>', '>|', '<>', '<&', '>&', '<<', '<<-', '<<<', '&>', '&>>'])

export abstract class TokenReader extends Lexer {
  protected ahead: Token | undefined
  /** Aliases being replaced, and where their text ends: none is replaced inside itself. */
  protected inAlias: { readonly name: string; readonly end: number }[] = []
  /** The word at this place may be an alias although it is no command: one ended in a blank. */
  protected aliasNextAt = -1
  protected bash: boolean

  constructor(text: string, options: LexerOptions) {
    super(text, options)
    this.bash = options.bash
  }

  protected peek(): Token {
    this.ahead ??= this.lex()
    return this.ahead
  }

  protected take(): Token {
    const token = this.peek()
    this.ahead = undefined
    return token
  }

  protected unexpected(token: Token, expecting?: string): never {
    if (token.t === 'eof' && !this.options.complete) throw new NeedMore()
    if (this.bash) this.bashUnexpected(token)
    const what =
      token.t === 'eof'
        ? 'end of file'
        : token.t === 'newline'
          ? 'newline'
          : token.t === 'io'
            ? 'redirection'
            : token.t === 'op'
              ? REDIR_OPS.has(token.op)
                ? 'redirection'
                : `"${token.op}"`
              : isKeyword(token.raw, this.bash)
                ? `"${token.raw}"`
                : 'word'
    // The newline has been counted already.
    if (token.t === 'newline') this.line--
    this.fault(`${what} unexpected${expecting ? ` (expecting ${expecting})` : ''}`)
  }

  private bashUnexpected(token: Token): never {
    if (token.t === 'eof') this.fault('unexpected end of file')
    const what =
      token.t === 'newline' ? 'newline' : token.t === 'op' ? token.op : token.t === 'io' ? String(token.fd) : token.raw
    if (token.t === 'newline') this.line--
    throw new SyntaxFault(`syntax error near unexpected token \`${what}'`, this.line)
  }

  /** The word ahead, if it is this keyword. */
  protected keyword(): string | undefined {
    const token = this.peek()
    return token.t === 'word' && isKeyword(token.raw, this.bash) ? token.raw : undefined
  }

  protected expect(keyword: string): void {
    this.alias()
    const token = this.peek()
    if (token.t !== 'word' || token.raw !== keyword) this.unexpected(token, `"${keyword}"`)
    this.take()
  }

  protected isOp(op: string): boolean {
    const token = this.peek()
    return token.t === 'op' && token.op === op
  }

  protected newlines(): void {
    while (this.peek().t === 'newline') this.take()
  }

  /** Replace the word ahead if it is an alias. */
  protected alias(): void {
    const { aliases } = this.options
    if (aliases.size === 0) return
    for (;;) {
      const token = this.peek()
      if (token.t !== 'word' || token.word.lit !== token.raw) return
      const value = aliases.get(token.raw)
      if (value === undefined) return
      this.inAlias = this.inAlias.filter(({ end }) => token.start < end)
      if (this.inAlias.some(({ name }) => name === token.raw)) return
      const grown = value.length - token.raw.length
      this.inAlias = this.inAlias.map(({ name, end }) => ({ name, end: end + grown }))
      this.inAlias.push({ name: token.raw, end: token.start + value.length })
      // A blank, so that the text after it is no part of the value's last word.
      this.text = this.text.slice(0, token.start) + value + this.text.slice(token.start + token.raw.length)
      this.at = token.start
      this.ahead = undefined
      this.aliasNextAt = /[ \t]$/.test(value) ? token.start + value.length : -1
    }
  }

  /** The text between two places, on one line: for jobs and traces. */
  protected source(start: number, end: number): string {
    return this.text
      .slice(start, end)
      .trim()
      .replace(/\s*\n\s*/g, '; ')
  }
}
