/** Words, operators and here-documents (POSIX.1-2004, XCU 2.3 and 2.7.4), one token at a time. The parser is built on top. */
import { makeWord, type Part, type Redir, type Word } from './ast.ts'
import { NeedMore, SyntaxFault } from './errors.ts'
import { META, WordReader } from './words.ts'

export type Token =
  | { readonly t: 'word'; readonly word: Word; readonly raw: string; readonly start: number }
  | { readonly t: 'op'; readonly op: string; readonly start: number }
  /** `2` before `>`. */
  | { readonly t: 'io'; readonly fd: number; readonly start: number }
  | { readonly t: 'newline'; readonly start: number }
  | { readonly t: 'eof'; readonly start: number }

const OPERATORS = ['<<-', '<<<', '&>>', '&&', '||', ';;', '<<', '>>', '<&', '>&', '<>', '>|', '&>']
const BASH_ONLY = new Set(['<<<', '&>>', '&>'])

export abstract class Lexer extends WordReader {
  /** Here-documents whose bodies begin after the next newline. */
  protected heredocs: { redir: Redir; end: string; strip: boolean; quoted: boolean }[] = []

  protected lex(): Token {
    const { text } = this
    for (;;) {
      const c = text[this.at]
      if (c === ' ' || c === '\t') this.at++
      else if (c === '\\' && text[this.at + 1] === '\n') {
        this.at += 2
        this.line++
      } else if (c === '#') {
        const end = text.indexOf('\n', this.at)
        this.at = end < 0 ? text.length : end
      } else break
    }
    const start = this.at
    const c = text[start]
    if (c === undefined) {
      if (this.heredocs.length > 0) {
        if (!this.options.complete) throw new NeedMore()
        this.#readHeredocs()
      }
      return { t: 'eof', start }
    }
    if (c === '\n') {
      this.at++
      this.line++
      if (this.heredocs.length > 0) this.#readHeredocs()
      return { t: 'newline', start }
    }
    if (c === '\\' && start + 1 === text.length && !this.options.complete) throw new NeedMore()
    if (META.test(c)) {
      for (const op of OPERATORS)
        if (text.startsWith(op, start) && (this.options.bash || !BASH_ONLY.has(op))) {
          this.at += op.length
          return { t: 'op', op, start }
        }
      this.at++
      return { t: 'op', op: c, start }
    }
    if (c >= '0' && c <= '9') {
      let end = start + 1
      while (text[end] !== undefined && text[end]! >= '0' && text[end]! <= '9') end++
      if (text[end] === '<' || text[end] === '>') {
        this.at = end
        return { t: 'io', fd: Number(text.slice(start, end)), start }
      }
    }
    const parts = this.parts('word')
    return { t: 'word', word: makeWord(parts), raw: this.text.slice(start, this.at), start }
  }

  #readHeredocs(): void {
    const pending = this.heredocs
    this.heredocs = []
    for (const { redir, end, strip, quoted } of pending) {
      const line = this.line
      let body = ''
      for (;;) {
        if (this.at >= this.text.length) {
          if (!this.options.complete) throw new NeedMore()
          break
        }
        const newline = this.text.indexOf('\n', this.at)
        if (newline < 0 && !this.options.complete) throw new NeedMore()
        let row = newline < 0 ? this.text.slice(this.at) : this.text.slice(this.at, newline)
        this.at = newline < 0 ? this.text.length : newline + 1
        this.line++
        if (!quoted && newline >= 0)
          // A line that goes on: its newline is no end.
          while (/(?:^|[^\\])(?:\\\\)*\\$/.test(row)) {
            const next = this.text.indexOf('\n', this.at)
            if (next < 0) break
            let tail = this.text.slice(this.at, next)
            if (strip) tail = tail.replace(/^\t+/, '')
            row = row.slice(0, -1) + tail
            this.at = next + 1
            this.line++
          }
        if (strip) row = row.replace(/^\t+/, '')
        if (row === end) break
        body += newline < 0 ? row : row + '\n'
      }
      redir.word = quoted ? makeWord([{ k: 'quoted', s: body }]) : this.#document(body, line)
    }
  }

  /** The expansions in a here-document. */
  #document(body: string, line: number): Word {
    const saved = { text: this.text, at: this.at, line: this.line }
    this.text = body
    this.at = 0
    this.line = line
    let parts: Part[]
    try {
      parts = this.parts('document')
    } catch (error) {
      if (error instanceof NeedMore) throw new SyntaxFault('Syntax error: Unterminated quoted string', line)
      throw error
    }
    this.text = saved.text
    this.at = saved.at
    this.line = saved.line
    return parts.length === 0 ? makeWord([{ k: 'quoted', s: '' }]) : makeWord(parts)
  }
}
