/** `${parameter}` with its operators, and `$((expression))` (POSIX.1-2004, XCU 2.6.2 and 2.6.4), read from characters. */
import { type Arith, parseArith } from './arith.ts'
import { makeWord, type Param, type ParamOp, type Part, type Word } from './ast.ts'
import { NeedMore, SyntaxFault } from './errors.ts'

export interface LexerOptions {
  /** No more text can come: what is unfinished is an error. */
  readonly complete: boolean
  readonly bash: boolean
  readonly aliases: ReadonlyMap<string, string>
  readonly line: number
}

/** Compound commands and expansions inside each other. */
const DEPTH_MAX = 200
/** How text is read: as words; between double quotes; up to the `}` of an expansion, outside and inside double quotes; to the end. */
export type Mode = 'word' | 'dquote' | 'brace' | 'dbrace' | 'document' | 'arith'

const PARAMETER = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]/y

export abstract class ParameterReader {
  protected text: string
  protected at = 0
  protected line: number
  protected readonly options: LexerOptions
  protected depth = 0

  constructor(text: string, options: LexerOptions) {
    this.text = text
    this.options = options
    this.line = options.line
  }

  /** Pieces of a word, up to where `mode` ends. */
  protected abstract parts(mode: Mode): Part[]

  fault(message: string): never {
    throw new SyntaxFault(`${this.options.bash ? 's' : 'S'}yntax error: ${message}`, this.line)
  }

  /** At the end of the text, where there must be more. */
  protected more(message: string): never {
    if (!this.options.complete) throw new NeedMore()
    this.fault(message)
  }

  protected deeper(): void {
    if (++this.depth > DEPTH_MAX) this.fault('nested too deeply')
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
  protected braced(q: boolean): Part {
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
