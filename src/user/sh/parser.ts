/** The shell's grammar (POSIX.1-2004, XCU 2.10): one complete command at a time, so that it runs before the next is read. */
import { type CaseItem, makeWord, type Node, type Redir, type Word } from './ast.ts'
import { BashParser } from './bash-parser.ts'
import { braceExpand } from './braces.ts'
import { NeedMore } from './errors.ts'
import { NAME } from './simple-parser.ts'
import { REDIR_OPS } from './token-reader.ts'

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

const CLOSERS = new Set(['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}'])

export class Parser extends BashParser {
  /** Text with the expansions of a here-document: prompts. */
  static document(text: string, bash: boolean): Word {
    const parser = new Parser(text, { complete: true, bash, aliases: new Map(), line: 1 })
    return makeWord(parser.parts('document'))
  }

  /** Read one complete command from `at` on. */
  command(at: number): Parsed {
    this.at = at
    const first = this.peek()
    if (first.t === 'eof') return { node: undefined, at: this.text.length, text: this.text, line: this.line, end: true }
    if (first.t === 'newline') {
      this.take()
      return { node: undefined, at: this.at, text: this.text, line: this.line, end: false }
    }
    const node = this.#list(false)
    const last = this.peek()
    if (last.t === 'newline') this.take()
    else if (last.t !== 'eof') this.unexpected(last)
    else if (!this.options.complete && this.heredocs.length > 0) throw new NeedMore()
    return { node, at: this.at, text: this.text, line: this.line, end: false }
  }

  protected commandsUntilParen(): Node | undefined {
    const saved = this.ahead
    this.ahead = undefined
    const node = this.#compoundList(')')
    const close = this.take()
    if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
    this.ahead = saved
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

  /** and-or lists with `;` and `&` between, up to the end of the line. */
  #list(compound: boolean): Node {
    const items: Node[] = []
    for (;;) {
      const start = this.peek().start
      const node = this.#andOr()
      if (this.isOp('&')) {
        const text = this.source(start, this.peek().start)
        this.take()
        items.push({ t: 'background', cmd: node, text })
      } else {
        items.push(node)
        if (this.isOp(';')) this.take()
        else if (!compound) break
        else if (this.peek().t !== 'newline') break
      }
      if (compound) this.newlines()
      if (this.#listEnds(compound)) break
    }
    return items.length === 1 ? items[0]! : { t: 'seq', items }
  }

  #listEnds(compound: boolean): boolean {
    const token = this.peek()
    if (token.t === 'eof') return true
    if (token.t === 'newline') return !compound
    if (token.t === 'op') return token.op === ')' || token.op === ';;'
    const word = this.keyword()
    return word !== undefined && CLOSERS.has(word)
  }

  /** Commands of a compound one, up to a closing keyword or operator. */
  #compoundList(end: string): Node | undefined {
    this.deeper()
    this.newlines()
    if (this.#listEnds(true)) {
      this.depth--
      const token = this.peek()
      if (token.t === 'eof' && end !== ')') this.unexpected(token, `"${end}"`)
      return undefined
    }
    const node = this.#list(true)
    this.depth--
    return node
  }

  /** The same where there must be one. */
  #body(end: string): Node {
    const node = this.#compoundList(end)
    if (!node) this.unexpected(this.peek())
    return node
  }

  #andOr(): Node {
    const first = this.#pipeline()
    const rest: { and: boolean; cmd: Node }[] = []
    for (;;) {
      const token = this.peek()
      if (token.t !== 'op' || (token.op !== '&&' && token.op !== '||')) break
      this.take()
      this.newlines()
      rest.push({ and: token.op === '&&', cmd: this.#pipeline() })
    }
    return rest.length > 0 ? { t: 'andor', first, rest } : first
  }

  #pipeline(): Node {
    this.alias()
    if (this.keyword() === '!') {
      this.take()
      this.deeper()
      const cmd = this.#pipeline()
      this.depth--
      return { t: 'not', cmd }
    }
    const start = this.peek().start
    const first = this.anyCommand()
    if (!this.isOp('|')) return first
    const cmds = [first]
    while (this.isOp('|')) {
      this.take()
      this.newlines()
      cmds.push(this.anyCommand())
    }
    return { t: 'pipe', cmds, text: this.source(start, this.peek().start) }
  }

  protected anyCommand(): Node {
    this.alias()
    const token = this.peek()
    const { line } = this
    let body: Node
    if (token.t === 'op') {
      if (token.op === '(') {
        this.take()
        if (this.bash && this.text[this.at] === '(') {
          const arith = this.arithCommand(line)
          if (arith) return this.#withRedirs(arith, line)
        }
        const inner = this.#compoundList(')')
        const close = this.take()
        if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
        if (!inner) this.unexpected(close)
        body = { t: 'subshell', body: inner, text: this.source(token.start, this.at) }
        return this.#withRedirs(body, line)
      }
      if (!REDIR_OPS.has(token.op)) this.unexpected(token)
      return this.simple()
    }
    if (token.t === 'newline' || token.t === 'eof') this.unexpected(token)
    const keyword = this.keyword()
    if (keyword === undefined) return this.simple()
    switch (keyword) {
      case '{': {
        this.take()
        const inner = this.#body('}')
        this.expect('}')
        body = inner
        // Without redirections braces are nothing of their own.
        return this.#withRedirs(body, line)
      }
      case 'if':
        this.take()
        body = this.#if()
        break
      case 'while':
      case 'until': {
        this.take()
        const cond = this.#body('do')
        this.expect('do')
        const inner = this.#body('done')
        this.expect('done')
        body = { t: keyword, cond, body: inner }
        break
      }
      case 'for':
        this.take()
        body = this.#for(line)
        break
      case 'case':
        this.take()
        body = this.#case(line)
        break
      case '[[':
        this.take()
        body = { t: 'test', expr: this.testOr(), line }
        this.expect(']]')
        break
      case 'function': {
        this.take()
        const name = this.take()
        if (name.t !== 'word') this.unexpected(name)
        if (this.isOp('(')) {
          this.take()
          const close = this.take()
          if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
        }
        this.newlines()
        return { t: 'function', name: name.raw, body: this.anyCommand() }
      }
      default:
        this.unexpected(token)
    }
    return this.#withRedirs(body, line)
  }

  #withRedirs(body: Node, line: number): Node {
    const redirs: Redir[] = []
    for (let redir = this.redirection(); redir; redir = this.redirection()) redirs.push(redir)
    return redirs.length > 0 ? { t: 'redir', body, redirs, line } : body
  }

  #if(): Node {
    const cond = this.#body('then')
    this.expect('then')
    const then = this.#body('fi')
    const keyword = this.keyword()
    if (keyword === 'elif') {
      this.take()
      this.deeper()
      const otherwise = this.#if()
      this.depth--
      return { t: 'if', cond, then, otherwise }
    }
    let otherwise: Node | undefined
    if (keyword === 'else') {
      this.take()
      otherwise = this.#body('fi')
    }
    this.expect('fi')
    return { t: 'if', cond, then, otherwise }
  }

  #for(line: number): Node {
    const name = this.take()
    if (name.t !== 'word' || !NAME.test(name.raw)) {
      if (name.t === 'eof' && !this.options.complete) throw new NeedMore()
      this.fault('Bad for loop variable')
    }
    this.newlines()
    let words: Word[] | undefined
    const next = this.peek()
    if (next.t === 'word' && next.raw === 'in') {
      this.take()
      words = []
      for (;;) {
        const token = this.peek()
        if (token.t !== 'word') break
        this.take()
        if (this.bash) for (const word of braceExpand(token.word)) words.push(word)
        else words.push(token.word)
      }
      const end = this.peek()
      if (end.t !== 'newline' && !this.isOp(';')) this.unexpected(end)
      this.take()
    } else if (this.isOp(';')) this.take()
    this.newlines()
    this.expect('do')
    const body = this.#body('done')
    this.expect('done')
    return { t: 'for', name: name.raw, words, body, line }
  }

  #case(line: number): Node {
    const token = this.take()
    if (token.t !== 'word') this.unexpected(token, 'word')
    this.newlines()
    this.expect('in')
    const items: CaseItem[] = []
    for (;;) {
      this.newlines()
      const first = this.peek()
      if (first.t === 'word' && first.raw === 'esac') break
      if (this.isOp('(')) this.take()
      const patterns: Word[] = []
      for (;;) {
        const pattern = this.take()
        if (pattern.t !== 'word') this.unexpected(pattern, pattern.t === 'eof' ? '")"' : undefined)
        patterns.push(pattern.word)
        if (!this.isOp('|')) break
        this.take()
      }
      const close = this.take()
      if (close.t !== 'op' || close.op !== ')') this.unexpected(close, '")"')
      const body = this.#compoundList('esac')
      items.push({ patterns, body })
      if (this.isOp(';;')) {
        this.take()
        continue
      }
      const last = this.peek()
      if (last.t === 'word' && last.raw === 'esac') break
      this.unexpected(last, '";;"')
    }
    this.expect('esac')
    return { t: 'case', word: token.word, items, line }
  }
}
