/** Characters to words (POSIX.1-2004, XCU 2.2 and 2.3): quoting, expansions, here-documents. The parser is built on top. */
import { type Arith, parseArith } from './arith.ts'
import { makeWord, type Node, type Param, type ParamOp, type Part, type Redir, type Word } from './ast.ts'
import { NeedMore, SyntaxFault } from './errors.ts'

export type Token =
  | { readonly t: 'word'; readonly word: Word; readonly raw: string; readonly start: number }
  | { readonly t: 'op'; readonly op: string; readonly start: number }
  /** `2` before `>`. */
  | { readonly t: 'io'; readonly fd: number; readonly start: number }
  | { readonly t: 'newline'; readonly start: number }
  | { readonly t: 'eof'; readonly start: number }

export interface LexerOptions {
  /** No more text can come: what is unfinished is an error. */
  readonly complete: boolean
  readonly bash: boolean
  readonly aliases: ReadonlyMap<string, string>
  readonly line: number
}

/** Compound commands and expansions inside each other. */
export const DEPTH_MAX = 200

const OPERATORS = ['<<-', '<<<', '&>>', '&&', '||', ';;', '<<', '>>', '<&', '>&', '<>', '>|', '&>']
const BASH_ONLY = new Set(['<<<', '&>>', '&>'])
const META = /[ \t\n;&|<>()]/
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y

/** How text is read: as words; between double quotes; up to the `}` of an expansion, outside and inside double quotes; to the end. */
type Mode = 'word' | 'dquote' | 'brace' | 'dbrace' | 'document' | 'arith'

export abstract class Lexer {
  protected text: string
  protected at = 0
  protected line: number
  protected readonly options: LexerOptions
  protected depth = 0
  /** Here-documents whose bodies begin after the next newline. */
  protected heredocs: { redir: Redir; end: string; strip: boolean; quoted: boolean }[] = []

  constructor(text: string, options: LexerOptions) {
    this.text = text
    this.options = options
    this.line = options.line
  }

  /** The commands up to `)`, which is left for the caller. */
  protected abstract commandsUntilParen(): Node | undefined
  /** Parse the text of a backquoted substitution. */
  protected abstract commandsOf(text: string, line: number): Node | undefined

  fault(message: string): never {
    throw new SyntaxFault(`Syntax error: ${message}`, this.line)
  }

  /** At the end of the text, where there must be more. */
  protected more(message: string): never {
    if (!this.options.complete) throw new NeedMore()
    this.fault(message)
  }

  protected deeper(): void {
    if (++this.depth > DEPTH_MAX) this.fault('nested too deeply')
  }

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

  /** Pieces of a word up to where `mode` ends; the end itself is consumed, except a word's. */
  protected parts(mode: Mode): Part[] {
    const parts: Part[] = []
    let lit = ''
    let litQuoted = false
    const quotedMode = mode === 'dquote' || mode === 'dbrace' || mode === 'document' || mode === 'arith'
    const flush = (): void => {
      if (lit !== '') parts.push(litQuoted ? { k: 'quoted', s: lit } : { k: 'lit', s: lit })
      lit = ''
    }
    const add = (s: string, quoted: boolean): void => {
      if (quoted !== litQuoted) {
        flush()
        litQuoted = quoted
      }
      lit += s
    }
    let parens = 0
    for (;;) {
      // A substitution inside may have replaced aliases in it.
      const { text } = this
      const c = text[this.at]
      if (c === undefined) {
        if (mode === 'word' || mode === 'document') break
        if (mode === 'arith') this.more("Missing '))'")
        this.more(mode === 'dquote' ? 'Unterminated quoted string' : "Missing '}'")
      }
      // Runs of ordinary characters at once.
      ORDINARY.lastIndex = this.at
      const run = ORDINARY.exec(text)
      if (run) {
        this.at += run[0].length
        add(run[0], quotedMode)
        continue
      }
      if (mode === 'word' && META.test(c)) break
      if (mode === 'dquote' && c === '"') {
        this.at++
        break
      }
      if ((mode === 'brace' || mode === 'dbrace') && c === '}') {
        this.at++
        break
      }
      if (mode === 'arith') {
        if (c === '(') parens++
        else if (c === ')') {
          if (parens === 0) {
            if (text[this.at + 1] === ')') {
              this.at += 2
              break
            }
            if (text[this.at + 1] === undefined) this.more("Missing '))'")
            this.fault("Missing '))'")
          }
          parens--
        }
      }
      if (c === '\n') this.line++
      switch (c) {
        case '\\': {
          const next = text[this.at + 1]
          if (next === undefined) {
            if (mode !== 'document' && !this.options.complete) throw new NeedMore()
            this.at++
            add('\\', true)
          } else if (next === '\n') {
            this.at += 2
            this.line++
          } else if (quotedMode && !isEscapable(next, mode)) {
            this.at++
            add('\\', true)
          } else {
            this.at += 2
            add(next, true)
          }
          continue
        }
        case "'":
          if (quotedMode) break
          {
            const end = text.indexOf("'", this.at + 1)
            if (end < 0) this.more('Unterminated quoted string')
            const inner = text.slice(this.at + 1, end)
            this.#countLines(inner)
            this.at = end + 1
            if (inner === '') {
              flush()
              parts.push({ k: 'quoted', s: '' })
            } else add(inner, true)
          }
          continue
        case '"':
          if (mode === 'document' || mode === 'arith') break
          {
            this.at++
            flush()
            this.deeper()
            const inner = this.parts('dquote')
            this.depth--
            if (inner.length === 0) parts.push({ k: 'quoted', s: '' })
            for (const part of inner) parts.push(part)
          }
          continue
        case '`': {
          flush()
          parts.push(this.#backquote(quotedMode))
          continue
        }
        case '$': {
          const part = this.#dollar(quotedMode)
          if (part) {
            flush()
            parts.push(part)
            continue
          }
          break
        }
        case '~':
          if (mode === 'word' && lit === '' && parts.length === 0 && this.#tilde(parts)) continue
          if (mode === 'brace' && lit === '' && parts.length === 0 && this.#tilde(parts)) continue
          break
      }
      this.at++
      add(c, quotedMode)
    }
    flush()
    return parts
  }

  #countLines(text: string): void {
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.line++
  }

  /** `~user` at the beginning of a word. */
  #tilde(parts: Part[]): boolean {
    TILDE.lastIndex = this.at
    const match = TILDE.exec(this.text)
    if (!match) return false
    this.at += match[0].length
    parts.push({ k: 'tilde', user: match[1]! })
    return true
  }

  #dollar(q: boolean): Part | undefined {
    const { text } = this
    const next = text[this.at + 1]
    if (next === undefined) return undefined
    if (next === '(') {
      this.deeper()
      let part: Part
      if (text[this.at + 2] === '(') part = this.#arithmetic(q)
      else {
        this.at += 2
        const body = this.commandsUntilParen()
        part = { k: 'cmd', body, q }
      }
      this.depth--
      return part
    }
    if (next === '{') {
      this.deeper()
      this.at += 2
      const part = this.#braced(q)
      this.depth--
      return part
    }
    if (next === "'" && this.options.bash && !q) return this.#ansi()
    NAME.lastIndex = this.at + 1
    const name = NAME.exec(text)?.[0] ?? (/[0-9@*#?$!-]/.test(next) ? next : undefined)
    if (name === undefined) return undefined
    this.at += 1 + name.length
    return { k: 'param', name, op: '', colon: false, word: undefined, word2: undefined, q }
  }

  /** `$'...'` of bash. */
  #ansi(): Part {
    let s = ''
    this.at += 2
    for (;;) {
      const c = this.text[this.at]
      if (c === undefined) this.more('Unterminated quoted string')
      this.at++
      if (c === "'") return { k: 'quoted', s }
      if (c !== '\\') {
        if (c === '\n') this.line++
        s += c
        continue
      }
      ANSI.lastIndex = this.at
      const match = ANSI.exec(this.text)
      if (!match) {
        s += '\\'
        continue
      }
      this.at += match[0].length
      const code = match[0]
      if (code[0] === 'x') s += String.fromCharCode(Number.parseInt(code.slice(1), 16))
      else if (/^[0-7]/.test(code)) s += String.fromCharCode(Number.parseInt(code, 8) & 255)
      else if (code[0] === 'c') s += String.fromCharCode(code.charCodeAt(1) & 31)
      else s += ANSI_LETTERS[code] ?? code
    }
  }

  #arithmetic(q: boolean): Part {
    this.at += 3
    const parts = this.parts('arith')
    return this.arithPart(parts, q)
  }

  protected arithPart(parts: readonly Part[], q: boolean): Part {
    let tree: Arith | undefined
    let text: string | undefined = ''
    for (const part of parts) {
      // $x means the same as x here, as long as it holds one operand; that is for run time to know.
      if (part.k === 'lit' || part.k === 'quoted') text = text === undefined ? undefined : text + part.s
      else text = undefined
    }
    if (text !== undefined) {
      try {
        tree = parseArith(text, { steps: this.options.bash, fault: (what) => what })
      } catch {
        tree = undefined // The error is for when it is evaluated.
      }
    }
    return { k: 'arith', word: makeWord(parts), q, tree }
  }

  /** After `${`. */
  #braced(q: boolean): Part {
    const { text } = this
    const plain = (name: string, op: ParamOp): Param => ({
      k: 'param',
      name,
      op,
      colon: false,
      word: undefined,
      word2: undefined,
      q,
    })
    const bad = (): Param => {
      this.parts(q ? 'dbrace' : 'brace')
      return plain('', 'bad')
    }
    const parameter = (): string | undefined => {
      PARAMETER.lastIndex = this.at
      return PARAMETER.exec(text)?.[0]
    }
    if (this.at >= text.length) this.more("Missing '}'")
    if (text[this.at] === '#') {
      // ${#}, ${#-x} and ${#x}.
      const after = text[this.at + 1]
      if (after === undefined) this.more("Missing '}'")
      PARAMETER.lastIndex = this.at + 1
      const name = PARAMETER.exec(text)?.[0]
      if (name !== undefined && text[this.at + 1 + name.length] === '}') {
        this.at += 2 + name.length
        return plain(name, '#len')
      }
    }
    const name = parameter()
    if (name === undefined) return bad()
    this.at += name.length
    let c = text[this.at]
    if (c === undefined) this.more("Missing '}'")
    if (c === '}') {
      this.at++
      return plain(name, '')
    }
    let colon = false
    if (c === ':') {
      const next = text[this.at + 1]
      if (next === undefined) this.more("Missing '}'")
      if ('-=?+'.includes(next)) {
        colon = true
        this.at++
        c = next
      } else if (this.options.bash) {
        this.at++
        return this.#substring(name, q)
      } else return bad()
    }
    if ('-=?+'.includes(c)) {
      this.at++
      const word = makeWord(this.parts(q ? 'dbrace' : 'brace'))
      return { k: 'param', name, op: c as ParamOp, colon, word, word2: undefined, q }
    }
    if (c === '#' || c === '%') {
      const twice = text[this.at + 1] === c
      this.at += twice ? 2 : 1
      const word = makeWord(this.parts('brace'))
      return { k: 'param', name, op: (twice ? c + c : c) as ParamOp, colon, word, word2: undefined, q }
    }
    if (c === '/' && this.options.bash) {
      this.at++
      let op: ParamOp = '/'
      if (text[this.at] === '/') op = '//'
      else if (text[this.at] === '#') op = '/#'
      else if (text[this.at] === '%') op = '/%'
      if (op !== '/') this.at++
      const all = this.parts('brace')
      const [pattern, replacement] = splitAt(all, '/')
      return { k: 'param', name, op, colon, word: makeWord(pattern), word2: replacement && makeWord(replacement), q }
    }
    return bad()
  }

  #substring(name: string, q: boolean): Part {
    const all = this.parts('dbrace')
    const [from, length] = splitAt(all, ':')
    const arith = (parts: readonly Part[]): Word => makeWord([this.arithPart(parts, true)])
    return { k: 'param', name, op: ':', colon: false, word: arith(from), word2: length && arith(length), q }
  }

  #backquote(q: boolean): Part {
    let inner = ''
    const line = this.line
    this.at++
    for (;;) {
      const c = this.text[this.at]
      if (c === undefined) this.more('EOF in backquote substitution')
      this.at++
      if (c === '`') break
      if (c === '\n') this.line++
      if (c === '\\') {
        const next = this.text[this.at]
        if (next === undefined) this.more('EOF in backquote substitution')
        if (next === '\n') {
          this.at++
          this.line++
          continue
        }
        if (next === '`' || next === '$' || next === '\\' || (q && next === '"')) {
          inner += next
          this.at++
          continue
        }
      }
      inner += c
    }
    this.deeper()
    const body = this.commandsOf(inner, line)
    this.depth--
    return { k: 'cmd', body, q }
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

const ORDINARY = /[A-Za-z0-9_./,:=+@%^-]+/y
const TILDE = /~([A-Za-z0-9_.+-]*)(?=[/\s;&|<>():}]|$)/y
const PARAMETER = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]/y
const ANSI = /x[0-9a-fA-F]{1,2}|[0-7]{1,3}|c[\s\S]|[\s\S]/y
const ANSI_LETTERS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

function isEscapable(c: string, mode: Mode): boolean {
  if (c === '$' || c === '`' || c === '\\') return true
  if (c === '"') return mode === 'dquote' || mode === 'dbrace'
  return c === '}' && mode === 'dbrace'
}

/** Cut at the first unquoted `separator`. */
function splitAt(parts: readonly Part[], separator: string): [Part[], Part[] | undefined] {
  const before: Part[] = []
  for (const [i, part] of parts.entries()) {
    const at = part.k === 'lit' || (separator === ':' && part.k === 'quoted') ? part.s.indexOf(separator) : -1
    if (at < 0 || (part.k !== 'lit' && part.k !== 'quoted')) {
      before.push(part)
      continue
    }
    if (at > 0) before.push({ k: part.k, s: part.s.slice(0, at) })
    const after = parts.slice(i + 1)
    if (at + 1 < part.s.length) after.unshift({ k: part.k, s: part.s.slice(at + 1) })
    return [before, after]
  }
  return [before, undefined]
}
