/** The shell's grammar (POSIX.1-2004, XCU 2.10): one complete command at a time, so that it runs before the next is read. */
import {
  type Assign,
  type CaseItem,
  makeWord,
  type Node,
  type Part,
  quotedWord,
  type Redir,
  type RedirOp,
  type TestExpr,
  type Word,
} from './ast.ts'
import { braceExpand } from './braces.ts'
import { NeedMore, SyntaxFault } from './errors.ts'
import { Lexer, type LexerOptions, type Token } from './lexer.ts'

export interface Parsed {
  /** Undefined: only blank lines and comments. */
  readonly node: Node | undefined
  /** Where the next command begins. */
  readonly at: number
  /** The text after aliases were replaced: `at` is a place in it. */
  readonly text: string
  readonly line: number
  readonly end: boolean
}

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
  'if',
  'then',
  'until',
  'while',
])
const BASH_KEYWORDS = new Set([...KEYWORDS, '[[', 'function'])
export const isKeyword = (word: string, bash: boolean): boolean => (bash ? BASH_KEYWORDS : KEYWORDS).has(word)
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)(\+?)=/
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const REDIR_OPS = new Set(['<', '>', '>>', '>|', '<>', '<&', '>&', '<<', '<<-', '<<<', '&>', '&>>'])
const UNARY = /^-[a-hknoprstuwxzGLOSN]$/
const BINARY = new Set(['=', '==', '!=', '<', '>', '=~', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'])

export class Parser extends Lexer {
  #ahead: Token | undefined
  /** Aliases being replaced, and where their text ends: none is replaced inside itself. */
  #inAlias: { readonly name: string; readonly end: number }[] = []
  /** The word at this place may be an alias although it is no command: one ended in a blank. */
  #aliasNextAt = -1
  #bash: boolean

  constructor(text: string, options: LexerOptions) {
    super(text, options)
    this.#bash = options.bash
  }

  /** Text with the expansions of a here-document: prompts. */
  static document(text: string, bash: boolean): Word {
    const parser = new Parser(text, { complete: true, bash, aliases: new Map(), line: 1 })
    return makeWord(parser.parts('document'))
  }

  /** Read one complete command from `at` on. */
  command(at: number): Parsed {
    this.at = at
    const first = this.#peek()
    if (first.t === 'eof') return { node: undefined, at: this.text.length, text: this.text, line: this.line, end: true }
    if (first.t === 'newline') {
      this.#take()
      return { node: undefined, at: this.at, text: this.text, line: this.line, end: false }
    }
    const node = this.#list(false)
    const last = this.#peek()
    if (last.t === 'newline') this.#take()
    else if (last.t !== 'eof') this.#unexpected(last)
    else if (!this.options.complete && this.heredocs.length > 0) throw new NeedMore()
    return { node, at: this.at, text: this.text, line: this.line, end: false }
  }

  protected commandsUntilParen(): Node | undefined {
    const saved = this.#ahead
    this.#ahead = undefined
    const node = this.#compoundList(')')
    const close = this.#take()
    if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
    this.#ahead = saved
    return node
  }

  protected commandsOf(text: string, line: number): Node | undefined {
    const parser = new Parser(text, { ...this.options, complete: true, line })
    parser.depth = this.depth
    const items: Node[] = []
    for (let at = 0; ; ) {
      const parsed = parser.command(at)
      at = parsed.at
      if (parsed.node) items.push(parsed.node)
      if (parsed.end) break
    }
    return items.length > 1 ? { t: 'seq', items } : items[0]
  }

  #peek(): Token {
    this.#ahead ??= this.lex()
    return this.#ahead
  }

  #take(): Token {
    const token = this.#peek()
    this.#ahead = undefined
    return token
  }

  #unexpected(token: Token, expecting?: string): never {
    if (token.t === 'eof' && !this.options.complete) throw new NeedMore()
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
              : isKeyword(token.raw, this.#bash)
                ? `"${token.raw}"`
                : 'word'
    // The newline has been counted already.
    if (token.t === 'newline') this.line--
    this.fault(`${what} unexpected${expecting ? ` (expecting ${expecting})` : ''}`)
  }

  /** The word ahead, if it is this keyword. */
  #keyword(): string | undefined {
    const token = this.#peek()
    return token.t === 'word' && isKeyword(token.raw, this.#bash) ? token.raw : undefined
  }

  #expect(keyword: string): void {
    this.#alias()
    const token = this.#peek()
    if (token.t !== 'word' || token.raw !== keyword) this.#unexpected(token, `"${keyword}"`)
    this.#take()
  }

  #isOp(op: string): boolean {
    const token = this.#peek()
    return token.t === 'op' && token.op === op
  }

  #newlines(): void {
    while (this.#peek().t === 'newline') this.#take()
  }

  /** Replace the word ahead if it is an alias. */
  #alias(): void {
    const { aliases } = this.options
    if (aliases.size === 0) return
    for (;;) {
      const token = this.#peek()
      if (token.t !== 'word' || token.word.lit !== token.raw) return
      const value = aliases.get(token.raw)
      if (value === undefined) return
      this.#inAlias = this.#inAlias.filter(({ end }) => token.start < end)
      if (this.#inAlias.some(({ name }) => name === token.raw)) return
      const grown = value.length - token.raw.length
      this.#inAlias = this.#inAlias.map(({ name, end }) => ({ name, end: end + grown }))
      this.#inAlias.push({ name: token.raw, end: token.start + value.length })
      // A blank, so that the text after it is no part of the value's last word.
      this.text = this.text.slice(0, token.start) + value + this.text.slice(token.start + token.raw.length)
      this.at = token.start
      this.#ahead = undefined
      this.#aliasNextAt = /[ \t]$/.test(value) ? token.start + value.length : -1
    }
  }

  /** and-or lists with `;` and `&` between, up to the end of the line. */
  #list(compound: boolean): Node {
    const items: Node[] = []
    for (;;) {
      const start = this.#peek().start
      const node = this.#andOr()
      if (this.#isOp('&')) {
        const text = this.#source(start, this.#peek().start)
        this.#take()
        items.push({ t: 'background', cmd: node, text })
      } else {
        items.push(node)
        if (this.#isOp(';')) this.#take()
        else if (!compound) break
        else if (this.#peek().t !== 'newline') break
      }
      if (compound) this.#newlines()
      if (this.#listEnds(compound)) break
    }
    return items.length === 1 ? items[0]! : { t: 'seq', items }
  }

  #listEnds(compound: boolean): boolean {
    const token = this.#peek()
    if (token.t === 'eof') return true
    if (token.t === 'newline') return !compound
    if (token.t === 'op') return token.op === ')' || token.op === ';;'
    const word = this.#keyword()
    return word !== undefined && CLOSERS.has(word)
  }

  /** Commands of a compound one, up to a closing keyword or operator. */
  #compoundList(end: string): Node | undefined {
    this.deeper()
    this.#newlines()
    if (this.#listEnds(true)) {
      this.depth--
      const token = this.#peek()
      if (token.t === 'eof' && end !== ')') this.#unexpected(token, `"${end}"`)
      return undefined
    }
    const node = this.#list(true)
    this.depth--
    return node
  }

  /** The same where there must be one. */
  #body(end: string): Node {
    const node = this.#compoundList(end)
    if (!node) this.#unexpected(this.#peek())
    return node
  }

  #source(start: number, end: number): string {
    return this.text
      .slice(start, end)
      .trim()
      .replace(/\s*\n\s*/g, '; ')
  }

  #andOr(): Node {
    const first = this.#pipeline()
    const rest: { and: boolean; cmd: Node }[] = []
    for (;;) {
      const token = this.#peek()
      if (token.t !== 'op' || (token.op !== '&&' && token.op !== '||')) break
      this.#take()
      this.#newlines()
      rest.push({ and: token.op === '&&', cmd: this.#pipeline() })
    }
    return rest.length > 0 ? { t: 'andor', first, rest } : first
  }

  #pipeline(): Node {
    this.#alias()
    if (this.#keyword() === '!') {
      this.#take()
      this.deeper()
      const cmd = this.#pipeline()
      this.depth--
      return { t: 'not', cmd }
    }
    const start = this.#peek().start
    const first = this.#command()
    if (!this.#isOp('|')) return first
    const cmds = [first]
    while (this.#isOp('|')) {
      this.#take()
      this.#newlines()
      cmds.push(this.#command())
    }
    return { t: 'pipe', cmds, text: this.#source(start, this.#peek().start) }
  }

  #command(): Node {
    this.#alias()
    const token = this.#peek()
    const { line } = this
    let body: Node
    if (token.t === 'op') {
      if (token.op === '(') {
        this.#take()
        if (this.#bash && this.text[this.at] === '(') {
          const arith = this.#arithCommand(line)
          if (arith) return this.#withRedirs(arith, line)
        }
        const inner = this.#compoundList(')')
        const close = this.#take()
        if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
        if (!inner) this.#unexpected(close)
        body = { t: 'subshell', body: inner, text: this.#source(token.start, this.at) }
        return this.#withRedirs(body, line)
      }
      if (!REDIR_OPS.has(token.op)) this.#unexpected(token)
      return this.#simple()
    }
    if (token.t === 'newline' || token.t === 'eof') this.#unexpected(token)
    const keyword = this.#keyword()
    if (keyword === undefined) return this.#simple()
    switch (keyword) {
      case '{': {
        this.#take()
        const inner = this.#body('}')
        this.#expect('}')
        body = inner
        // Without redirections braces are nothing of their own.
        return this.#withRedirs(body, line)
      }
      case 'if':
        this.#take()
        body = this.#if()
        break
      case 'while':
      case 'until': {
        this.#take()
        const cond = this.#body('do')
        this.#expect('do')
        const inner = this.#body('done')
        this.#expect('done')
        body = { t: keyword, cond, body: inner }
        break
      }
      case 'for':
        this.#take()
        body = this.#for(line)
        break
      case 'case':
        this.#take()
        body = this.#case(line)
        break
      case '[[':
        this.#take()
        body = { t: 'test', expr: this.#testOr(), line }
        this.#expect(']]')
        break
      case 'function': {
        this.#take()
        const name = this.#take()
        if (name.t !== 'word') this.#unexpected(name)
        if (this.#isOp('(')) {
          this.#take()
          const close = this.#take()
          if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
        }
        this.#newlines()
        return { t: 'function', name: name.raw, body: this.#command() }
      }
      default:
        this.#unexpected(token)
    }
    return this.#withRedirs(body, line)
  }

  #withRedirs(body: Node, line: number): Node {
    const redirs: Redir[] = []
    for (let redir = this.#redirection(); redir; redir = this.#redirection()) redirs.push(redir)
    return redirs.length > 0 ? { t: 'redir', body, redirs, line } : body
  }

  #if(): Node {
    const cond = this.#body('then')
    this.#expect('then')
    const then = this.#body('fi')
    const keyword = this.#keyword()
    if (keyword === 'elif') {
      this.#take()
      this.deeper()
      const otherwise = this.#if()
      this.depth--
      return { t: 'if', cond, then, otherwise }
    }
    let otherwise: Node | undefined
    if (keyword === 'else') {
      this.#take()
      otherwise = this.#body('fi')
    }
    this.#expect('fi')
    return { t: 'if', cond, then, otherwise }
  }

  #for(line: number): Node {
    const name = this.#take()
    if (name.t !== 'word' || !NAME.test(name.raw)) {
      if (name.t === 'eof' && !this.options.complete) throw new NeedMore()
      this.fault('Bad for loop variable')
    }
    this.#newlines()
    let words: Word[] | undefined
    const next = this.#peek()
    if (next.t === 'word' && next.raw === 'in') {
      this.#take()
      words = []
      for (;;) {
        const token = this.#peek()
        if (token.t !== 'word') break
        this.#take()
        if (this.#bash) for (const word of braceExpand(token.word)) words.push(word)
        else words.push(token.word)
      }
      const end = this.#peek()
      if (end.t !== 'newline' && !this.#isOp(';')) this.#unexpected(end)
      this.#take()
    } else if (this.#isOp(';')) this.#take()
    this.#newlines()
    this.#expect('do')
    const body = this.#body('done')
    this.#expect('done')
    return { t: 'for', name: name.raw, words, body, line }
  }

  #case(line: number): Node {
    const token = this.#take()
    if (token.t !== 'word') this.#unexpected(token, 'word')
    this.#newlines()
    this.#expect('in')
    const items: CaseItem[] = []
    for (;;) {
      this.#newlines()
      const first = this.#peek()
      if (first.t === 'word' && first.raw === 'esac') break
      if (this.#isOp('(')) this.#take()
      const patterns: Word[] = []
      for (;;) {
        const pattern = this.#take()
        if (pattern.t !== 'word') this.#unexpected(pattern, pattern.t === 'eof' ? '")"' : undefined)
        patterns.push(pattern.word)
        if (!this.#isOp('|')) break
        this.#take()
      }
      const close = this.#take()
      if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
      const body = this.#compoundList('esac')
      items.push({ patterns, body })
      if (this.#isOp(';;')) {
        this.#take()
        continue
      }
      const last = this.#peek()
      if (last.t === 'word' && last.raw === 'esac') break
      this.#unexpected(last, '";;"')
    }
    this.#expect('esac')
    return { t: 'case', word: token.word, items, line }
  }

  /** `((expression))`: undefined if it is two parentheses. */
  #arithCommand(line: number): Node | undefined {
    const { at } = this
    this.at++
    try {
      const parts = this.parts('arith')
      return { t: 'arith', word: makeWord([this.arithPart(parts, true)]), line }
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error
      this.at = at
      return undefined
    }
  }

  #testOr(): TestExpr {
    this.deeper()
    let left = this.#testAnd()
    for (this.#newlines(); this.#isOp('||'); this.#newlines()) {
      this.#take()
      this.#newlines()
      left = { t: 'or', left, right: this.#testAnd() }
    }
    this.depth--
    return left
  }

  #testAnd(): TestExpr {
    let left = this.#testPrimary()
    for (this.#newlines(); this.#isOp('&&'); this.#newlines()) {
      this.#take()
      this.#newlines()
      left = { t: 'and', left, right: this.#testPrimary() }
    }
    return left
  }

  #testPrimary(): TestExpr {
    this.#newlines()
    const token = this.#take()
    if (token.t === 'op' && token.op === '(') {
      const inner = this.#testOr()
      const close = this.#take()
      if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
      return inner
    }
    if (token.t !== 'word' || token.raw === ']]') this.#unexpected(token)
    if (token.raw === '!') {
      this.deeper()
      const expr = this.#testPrimary()
      this.depth--
      return { t: 'not', expr }
    }
    const next = this.#peek()
    if (UNARY.test(token.raw) && next.t === 'word' && next.raw !== ']]') {
      this.#take()
      return { t: 'unary', op: token.raw, word: next.word }
    }
    const op = next.t === 'op' ? next.op : next.t === 'word' ? next.raw : ''
    if (!BINARY.has(op)) return { t: 'unary', op: '-n', word: token.word }
    this.#take()
    if (op === '=~') this.fault("'=~' is not supported")
    const right = this.#take()
    if (right.t !== 'word') this.#unexpected(right)
    return { t: 'binary', op, left: token.word, right: right.word }
  }

  #redirection(): Redir | undefined {
    const token = this.#peek()
    let fd = -1
    let op: string
    if (token.t === 'io') {
      this.#take()
      fd = token.fd
      const next = this.#take()
      if (next.t !== 'op') this.#unexpected(next)
      op = next.op
    } else if (token.t === 'op' && REDIR_OPS.has(token.op)) {
      this.#take()
      op = token.op
    } else return undefined
    if (fd < 0) fd = op.startsWith('<') ? 0 : 1
    const target = this.#take()
    if (target.t !== 'word') this.#unexpected(target)
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
      if (this.#bash && op === '>&') return { op: '&>', fd, word: target.word }
      this.fault('Bad fd number')
    }
    return { op: op as RedirOp, fd, word: target.word }
  }

  #simple(): Node {
    const { line } = this
    const start = this.#peek().start
    const assigns: Assign[] = []
    const words: Word[] = []
    const redirs: Redir[] = []
    let end = start
    for (;;) {
      const redir = this.#redirection()
      if (redir) {
        redirs.push(redir)
        end = this.#ahead?.start ?? this.at
        continue
      }
      if (words.length === 0 && (assigns.length > 0 || redirs.length > 0)) this.#alias()
      else if (this.#aliasNextAt >= 0 && words.length > 0) {
        const ahead = this.#peek()
        if (ahead.start >= this.#aliasNextAt) {
          this.#aliasNextAt = -1
          this.#alias()
        }
      }
      const token = this.#peek()
      if (token.t === 'op' && token.op === '(' && words.length === 1 && assigns.length === 0 && redirs.length === 0) {
        const name = words[0]!.lit
        this.#take()
        const close = this.#take()
        if (close.t !== 'op' || close.op !== ')') this.#unexpected(close, '")"')
        if (name === undefined || (!this.#bash && !NAME.test(name))) this.fault('Bad function name')
        this.#newlines()
        return { t: 'function', name, body: this.#command() }
      }
      if (token.t !== 'word') break
      this.#take()
      end = this.at
      const assign = words.length === 0 ? this.#assignment(token) : undefined
      if (assign) assigns.push(assign)
      else if (words.length > 0 && DECLARATIONS.has(words[0]!.lit ?? '') && this.#assignment(token)) {
        words.push(this.#assignmentWord(token))
      } else if (this.#bash) for (const word of braceExpand(token.word)) words.push(word)
      else words.push(token.word)
    }
    return { t: 'simple', line, assigns, words, redirs, text: this.#source(start, end) }
  }

  #assignment(token: Token & { t: 'word' }): Assign | undefined {
    const first = token.word.parts[0]
    if (first?.k !== 'lit') return undefined
    const match = ASSIGNMENT.exec(first.s)
    if (!match) {
      if (this.#bash && /^[A-Za-z_][A-Za-z0-9_]*\[[^\]]*\]=/.test(token.raw)) this.fault('arrays are not supported')
      return undefined
    }
    if (match[2] === '+' && !this.#bash) return undefined
    if (this.#bash && first.s.length === match[0].length && token.word.parts.length === 1) {
      const next = this.#peek()
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

const CLOSERS = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}'])
const DECLARATIONS = new Set(['export', 'readonly', 'local'])

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
