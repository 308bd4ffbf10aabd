/** The grammar of simple commands (POSIX.1-2004, XCU 2.9.1 and 2.7): assignments, words, redirections; and of function definitions. */
import { type Assign, makeWord, type Node, type Part, quotedWord, type Redir, type RedirOp, type Word } from './ast.ts'
import { braceExpand } from './braces.ts'
import type { Token } from './lexer.ts'
import { REDIR_OPS, TokenReader } from './token-reader.ts'

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)(\+?)=/
export const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const DECLARATIONS = new Set(['export', 'readonly', 'local'])

export abstract class SimpleParser extends TokenReader {
  /** Any command: a function's body. */
  protected abstract anyCommand(): Node

  protected redirection(): Redir | undefined {
    const token = this.peek()
    let fd = -1
    let op: string
    if (token.t === 'io') {
      this.take()
      fd = token.fd
      const next = this.take()
      if (next.t !== 'op') this.unexpected(next)
      op = next.op
    } else if (token.t === 'op' && REDIR_OPS.has(token.op)) {
      this.take()
      op = token.op
    } else return undefined
    if (fd < 0) fd = op.startsWith('<') ? 0 : 1
    const target = this.take()
    if (target.t !== 'word') this.unexpected(target)
    if (op === '<<' || op === '<<-') {
      const redir: Redir = { op: '<<', fd, word: quotedWord('') }
      const { parts } = target.word
      const quoted = parts.some(({ k }) => k === 'quoted')
      // The word as it stands, without its quotes: it is not expanded.
      const end = quoted ? target.raw.replace(/\\(.)|['"]/g, '$1') : target.raw
      this.heredocs.push({ redir, end, strip: op === '<<-', quoted })
      return redir
    }
    if ((op === '>&' || op === '<&') && target.word.lit !== undefined && !/^(?:[0-9]+|-)$/.test(target.word.lit)) {
      if (this.bash && op === '>&') return { op: '&>', fd, word: target.word }
      this.fault('Bad fd number')
    }
    return { op: op as RedirOp, fd, word: target.word }
  }

  protected simple(): Node {
    const { line } = this
    const start = this.peek().start
    const assigns: Assign[] = []
    const words: Word[] = []
    const redirs: Redir[] = []
    let end = start
    for (;;) {
      const redir = this.redirection()
      if (redir) {
        redirs.push(redir)
        end = this.ahead?.start ?? this.at
        continue
      }
      if (words.length === 0 && (assigns.length > 0 || redirs.length > 0)) this.alias()
      else if (this.aliasNextAt >= 0 && words.length > 0) {
        const ahead = this.peek()
        if (ahead.start >= this.aliasNextAt) {
          this.aliasNextAt = -1
          this.alias()
        }
      }
      const token = this.peek()
      if (token.t === 'op' && token.op === '(' && words.length === 1 && assigns.length === 0 && redirs.length === 0) {
        const name = words[0]!.lit
        this.take()
        const close = this.take()
        if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
        if (name === undefined || (!this.bash && !NAME.test(name))) this.fault('Bad function name')
        this.newlines()
        return { t: 'function', name, body: this.anyCommand() }
      }
      if (token.t !== 'word') break
      this.take()
      end = this.at
      const assign = words.length === 0 ? this.#assignment(token) : undefined
      if (assign) assigns.push(assign)
      else if (words.length > 0 && DECLARATIONS.has(words[0]!.lit ?? '') && this.#assignment(token)) {
        words.push(this.#assignmentWord(token))
      } else if (this.bash) for (const word of braceExpand(token.word)) words.push(word)
      else words.push(token.word)
    }
    return { t: 'simple', line, assigns, words, redirs, text: this.source(start, end) }
  }

  #assignment(token: Token & { t: 'word' }): Assign | undefined {
    const first = token.word.parts[0]
    if (first?.k !== 'lit') return undefined
    const match = ASSIGNMENT.exec(first.s)
    if (!match) {
      if (this.bash && /^[A-Za-z_][A-Za-z0-9_]*\[[^\]]*\]=/.test(token.raw)) this.fault('arrays are not supported')
      return undefined
    }
    if (match[2] === '+' && !this.bash) return undefined
    if (this.bash && first.s.length === match[0].length && token.word.parts.length === 1) {
      const next = this.peek()
      if (next.t === 'op' && next.op === '(' && next.start === token.start + token.raw.length)
        this.fault('arrays are not supported')
    }
    return { name: match[1]!, append: match[2] === '+', word: assignValue(token.word.parts, match[0].length) }
  }

  /** `export x=~/bin`: the word is expanded as an assignment is, and not split (as dash does since 0.5.11). */
  #assignmentWord(token: Token & { t: 'word' }): Word {
    const { parts } = token.word
    const first = parts[0] as { s: string }
    const [prefix] = ASSIGNMENT.exec(first.s)!
    const value = assignValue(parts, prefix.length)
    return makeWord([{ k: 'quoted', s: prefix }, ...value.parts.map(asQuoted)])
  }
}

const asQuoted = (part: Part): Part =>
  part.k === 'lit' ? { k: 'quoted', s: part.s } : 'q' in part ? { ...part, q: true } : part

/** What follows `name=`: a tilde may stand at its beginning and after each colon. */
function assignValue(parts: readonly Part[], skip: number): Word {
  const out: Part[] = []
  for (const [i, part] of parts.entries()) {
    if (part.k !== 'lit') {
      out.push(part)
      continue
    }
    const text = i === 0 ? part.s.slice(skip) : part.s
    if (text === '') continue
    if (!text.includes('~')) {
      out.push({ k: 'lit', s: text })
      continue
    }
    const next = i + 1 < parts.length
    let rest = text
    let begin = i === 0
    while (rest !== '') {
      const match = begin ? /^~([A-Za-z0-9_.+-]*)(?=[/:]|$)/.exec(rest) : null
      if (match && !(match[0].length === rest.length && next)) {
        out.push({ k: 'tilde', user: match[1]! })
        rest = rest.slice(match[0].length)
      }
      const colon = rest.indexOf(':')
      const piece = colon < 0 ? rest : rest.slice(0, colon + 1)
      if (piece !== '') out.push({ k: 'lit', s: piece })
      rest = rest.slice(piece.length)
      begin = true
    }
  }
  return makeWord(out)
}
