/** Words (POSIX.1-2004, XCU 2.2 and 2.6): quoting and expansions, read from characters. */
import type { Node, Part } from './ast.ts'
import { NeedMore } from './errors.ts'
import { type Mode, ParameterReader } from './parameter-reader.ts'

export const META = /[ \t\n;&|<>()]/
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y

export abstract class WordReader extends ParameterReader {
  /** The commands up to `)`, which is left for the caller. */
  protected abstract commandsUntilParen(): Node | undefined
  /** Parse the text of a backquoted substitution. */
  protected abstract commandsOf(text: string, line: number): Node | undefined

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
      const part = this.braced(q)
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
}

const ORDINARY = /[A-Za-z0-9_./,:=+@%^-]+/y
const TILDE = /~([A-Za-z0-9_.+-]*)(?=[/\s;&|<>():}]|$)/y
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
