/** awk's expressions: operators, assignments, functions of the program and of the language, getline. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { Heap, stringCost } from '../../libc/heap.ts'
import { run as runCommand, shellStatus } from '../../libc/process.ts'
import type { In } from '../../libc/stdio.ts'
import type { Run } from '../../libc/utility.ts'
import type { Regex } from '../../regex/regex.ts'
import { type Cell, Records } from './records.ts'
import { Streams } from './streams.ts'
import { AwkError, type Expr, type Func, type Stmt } from './tree.ts'
import { compare, Field, num, sprintf, truth, type Value } from './values.ts'

/** A statement that ends others: break, continue, return. */
export type Jump = 'break' | 'continue' | 'return' | undefined

/** Functions inside each other; the stack is ours. */
const CALLS_MAX = 200

/** An element's node in its table, besides key and value. */
const NODE_BYTES = 48
const elementCost = (key: string): number => NODE_BYTES + stringCost(key.length)
const costOf = (value: Value): number =>
  typeof value === 'string' ? stringCost(value.length) : value instanceof Field ? stringCost(value.s.length) : 0

export abstract class Evaluator extends Records {
  protected readonly streams: Streams
  readonly #functions: ReadonlyMap<string, Func>
  protected returned: Value
  readonly #heap = new Heap()
  #depth = 0
  #seed = 0

  constructor(run: Run, functions: ReadonlyMap<string, Func>, args: readonly string[]) {
    super(run, args)
    this.#functions = functions
    this.streams = new Streams(run)
  }

  /** Run a statement: a function's body. */
  protected abstract exec(stmt: Stmt): Sys<Jump>

  protected *key(subs: readonly Expr[]): Sys<string> {
    if (subs.length === 1) return this.str(yield* this.eval(subs[0]!))
    const parts: string[] = []
    for (const sub of subs) parts.push(this.str(yield* this.eval(sub)))
    return parts.join(this.s('SUBSEP'))
  }

  /** So many bytes more, or fewer, are kept in variables. */
  *#keep(bytes: number): Sys<void> {
    if (bytes > this.#heap.room) yield* this.#heap.keep(bytes)
    else this.#heap.free(-bytes)
  }

  /** `delete`: an element, or with no key all of them. */
  protected remove(array: Map<string, Value>, key?: string): void {
    if (key === undefined) {
      for (const [one, value] of array) this.#heap.free(elementCost(one) + costOf(value))
      array.clear()
    } else if (array.has(key)) {
      this.#heap.free(elementCost(key) + costOf(array.get(key)))
      array.delete(key)
    }
  }

  protected *assign(to: Expr, value: Value): Sys<void> {
    if (to.k === 'name') {
      if (to.name === 'NF') {
        this.need()
        const count = Math.max(0, Math.min(100_000, num(value)))
        this.fields.splice(count)
        while (this.fields.length < count) this.fields.push(undefined)
        this.joined = false
      }
      const cell = this.cell(to.name)
      const more = costOf(value) - costOf(cell.value)
      if (more !== 0) yield* this.#keep(more)
      cell.value = value
    } else if (to.k === 'index') {
      const key = yield* this.key(to.subs)
      const array = this.array(to.name)
      yield* this.#keep(costOf(value) - (array.has(key) ? costOf(array.get(key)) : -elementCost(key)))
      array.set(key, value)
    } else if (to.k === 'field') this.setField(num(yield* this.eval(to.e)), value)
    else throw new AwkError('syntax error: assignment to what is no variable')
  }

  protected *eval(e: Expr): Sys<Value> {
    switch (e.k) {
      case 'num':
        return e.n
      case 'str':
        return e.s
      case 're':
        return e.re.test(this.whole()) ? 1 : 0
      case 'name':
        if (e.name === 'NF') this.need()
        return this.cell(e.name).value
      case 'index': {
        const key = yield* this.key(e.subs)
        const array = this.array(e.name)
        if (!array.has(key)) {
          yield* this.#keep(elementCost(key))
          array.set(key, undefined)
        }
        return array.get(key)
      }
      case 'field':
        return this.field(Math.trunc(num(yield* this.eval(e.e))))
      case 'group':
        return e.list.length === 1 ? yield* this.eval(e.list[0]!) : yield* this.key(e.list)
      case 'assign': {
        const value =
          e.op === ''
            ? yield* this.eval(e.e)
            : arithmetic(e.op, num(yield* this.eval(e.to)), num(yield* this.eval(e.e)))
        yield* this.assign(e.to, value)
        return value
      }
      case 'cond':
        return truth(yield* this.eval(e.c)) ? yield* this.eval(e.a) : yield* this.eval(e.b)
      case 'in':
        return this.array(e.name).has(yield* this.key(e.subs)) ? 1 : 0
      case 'unary': {
        const value = yield* this.eval(e.e)
        return e.op === '!' ? (truth(value) ? 0 : 1) : e.op === '-' ? -num(value) : num(value)
      }
      case 'step': {
        const old = num(yield* this.eval(e.e))
        yield* this.assign(e.e, old + e.by)
        return e.before ? old + e.by : old
      }
      case 'bin':
        return yield* this.#binary(e.op, e.a, e.b)
      case 'getline':
        return yield* this.#getline(e)
      case 'call':
        return e.builtin ? yield* this.#builtin(e.name, e.args) : yield* this.#call(e.name, e.args)
    }
  }

  *#binary(op: string, left: Expr, right: Expr): Sys<Value> {
    if (op === '&&') return truth(yield* this.eval(left)) && truth(yield* this.eval(right)) ? 1 : 0
    if (op === '||') return truth(yield* this.eval(left)) || truth(yield* this.eval(right)) ? 1 : 0
    const a = yield* this.eval(left)
    if (op === '~' || op === '!~') return (yield* this.#pattern(right)).test(this.str(a)) === (op === '~') ? 1 : 0
    const b = yield* this.eval(right)
    if (op === ' ') return this.str(a) + this.str(b)
    if (!COMPARISONS.includes(op)) return arithmetic(op, num(a), num(b))
    const order = compare(a, b, this.s('CONVFMT'))
    const holds =
      op === '<'
        ? order < 0
        : op === '<='
          ? order <= 0
          : op === '=='
            ? order === 0
            : op === '!='
              ? order !== 0
              : op === '>'
                ? order > 0
                : order >= 0
    return holds ? 1 : 0
  }

  /** A regular expression is itself, anything else the text of one. */
  *#pattern(e: Expr): Sys<Regex> {
    return e.k === 're' ? e.re : this.regex(this.str(yield* this.eval(e)))
  }

  *#getline({ from, e, to }: Expr & { k: 'getline' }): Sys<Value> {
    let record: string | undefined
    if (from === 'main') record = yield* this.readMain()
    else {
      const name = this.str(yield* this.eval(e!))
      let source: In
      try {
        source = yield* this.streams.input(from, name)
      } catch (error) {
        if (error instanceof OsError) return -1
        throw error
      }
      record = yield* this.readFrom(source)
      if (record !== undefined && from === 'pipe') this.set('NR', num(this.cell('NR').value) + 1)
    }
    if (record === undefined) return 0
    if (to) yield* this.assign(to, new Field(record))
    else this.setRecord(record)
    return 1
  }

  *#call(name: string, args: readonly Expr[]): Sys<Value> {
    const func: Func | undefined = this.#functions.get(name)
    if (!func) throw new AwkError(`function \`${name}' not defined`)
    if (args.length > func.params.length)
      throw new AwkError(`function \`${name}' called with more arguments than declared`)
    if (++this.#depth > CALLS_MAX) throw new AwkError(`function \`${name}': too many calls inside each other`)
    const locals = new Map<string, Cell>()
    for (const [i, param] of func.params.entries()) {
      const arg = args[i]
      const outer = arg?.k === 'name' ? this.cell(arg.name) : undefined
      const value = arg && !outer?.array ? yield* this.eval(arg) : undefined
      locals.set(param, {
        value,
        array: outer?.array,
        from: outer && !outer.array && outer.value === undefined ? outer : undefined,
      })
    }
    const before = this.locals
    this.locals = locals
    this.returned = undefined
    yield* this.exec(func.body)
    this.locals = before
    this.#depth--
    const value = this.returned
    this.returned = undefined
    return value
  }

  *#builtin(name: string, args: readonly Expr[]): Sys<Value> {
    if (name === 'length' && args[0]?.k === 'name' && this.cell(args[0].name).array)
      return this.array(args[0].name).size
    if (name === 'split') return yield* this.#splitCall(args)
    if (name === 'sub' || name === 'gsub') return yield* this.#substitute(args, name === 'gsub')
    if (name === 'match') {
      const text = this.str(yield* this.eval(args[0]!))
      const match = (yield* this.#pattern(args[1]!)).exec(text, 0, false)
      this.set('RSTART', match ? match[0]! + 1 : 0)
      this.set('RLENGTH', match ? match[1]! - match[0]! : -1)
      return match ? match[0]! + 1 : 0
    }
    const values: Value[] = []
    for (const arg of args) values.push(yield* this.eval(arg))
    const text = (i: number): string => this.str(values[i])
    switch (name) {
      case 'length':
        return args.length === 0 ? this.whole().length : text(0).length
      case 'substr': {
        const round = (n: number) => Math.round(n)
        const from = round(num(values[1]))
        const to = values.length > 2 ? from + round(num(values[2])) : Number.POSITIVE_INFINITY
        return text(0).slice(Math.max(0, from - 1), Math.max(0, to - 1))
      }
      case 'index':
        return text(0).indexOf(text(1)) + 1
      case 'sprintf':
        return sprintf(text(0), values.slice(1), this.s('CONVFMT'))
      case 'int':
        return Math.trunc(num(values[0]))
      case 'sqrt':
        return Math.sqrt(num(values[0]))
      case 'tolower':
        return text(0).replace(/[A-Z]+/g, (part) => part.toLowerCase())
      case 'toupper':
        return text(0).replace(/[a-z]+/g, (part) => part.toUpperCase())
      case 'rand':
        // ANSI C's example generator.
        this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) & 0x7fffffff
        return this.#seed / 0x80000000
      case 'srand': {
        const old = this.#seed
        this.#seed = values.length > 0 ? num(values[0]) & 0x7fffffff : 0
        return old
      }
      case 'system':
        yield* this.streams.flush()
        return shellStatus(yield* runCommand('/bin/sh', ['sh', '-c', text(0)], this.run.env))
      case 'close':
        return yield* this.streams.close(text(0))
      default:
        yield* this.streams.flush()
        return 0
    }
  }

  *#splitCall(args: readonly Expr[]): Sys<Value> {
    const text = this.str(yield* this.eval(args[0]!))
    if (args[1]?.k !== 'name') throw new AwkError('split: second argument is not an array')
    const by = args[2]
    const separator = by === undefined ? this.s('FS') : by.k === 're' ? by.re : this.str(yield* this.eval(by))
    const array = this.array(args[1].name)
    array.clear()
    const pieces = this.pieces(text, separator)
    for (const [i, piece] of pieces.entries()) array.set(String(i + 1), new Field(piece))
    return pieces.length
  }

  *#substitute(args: readonly Expr[], everywhere: boolean): Sys<Value> {
    const regex = yield* this.#pattern(args[0]!)
    const by = this.str(yield* this.eval(args[1]!))
    const target: Expr = args[2] ?? { k: 'field', e: { k: 'num', n: 0 } }
    const text = this.str(yield* this.eval(target))
    let result = ''
    let done = 0
    let count = 0
    let lastEnd = -1
    for (let at = 0; at <= text.length; ) {
      const match = regex.exec(text, at, false)
      if (!match) break
      const [start, end] = [match[0]!, match[1]!]
      if (start !== end || start !== lastEnd) {
        const found = text.slice(start, end)
        result += text.slice(done, start) + by.replace(/\\\\|\\&|&/g, (what) => (what === '&' ? found : what.slice(1)))
        done = end
        count++
        if (!everywhere) break
      }
      lastEnd = end
      at = end > start ? end : end + 1
    }
    if (count > 0) yield* this.assign(target, result + text.slice(done))
    return count
  }
}

const COMPARISONS = ['<', '<=', '==', '!=', '>', '>=']

function arithmetic(op: string, a: number, b: number): number {
  if ((op === '/' || op === '%') && b === 0)
    throw new AwkError(`division by zero attempted${op === '%' ? " in `%'" : ''}`)
  return op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : op === '/' ? a / b : op === '%' ? a % b : a ** b
}
