/** Runs an awk program. */
import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { run as runCommand, shellStatus, spawn, waitpid } from '../../libc/process.ts'
import { In, Out, STDERR, STDIN } from '../../libc/stdio.ts'
import { close, dup2, open, pipe } from '../../libc/syscall.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import type { Regex } from '../../regex/regex.ts'
import { AwkError, type Expr, type Func, type Program, regexOf, type Stmt, unescaped } from './parse.ts'
import { compare, Field, num, sprintf, str, truth, type Value } from './values.ts'

type Cell = { value: Value; array: Map<string, Value> | undefined; from: Cell | undefined }
type Jump = 'break' | 'continue' | 'return' | undefined

class Next extends Error {}
class ExitNow extends Error {}

/** Functions inside each other; the stack is ours. */
const CALLS_MAX = 200

export class Awk {
  readonly #run: Run
  readonly #program: Program
  readonly #globals = new Map<string, Cell>()
  #locals: Map<string, Cell> | undefined
  #record = ''
  #fields: Value[] = []
  #split = true
  #joined = true
  #args: string[]
  #arg = 1
  #in: In | undefined
  #usedFile = false
  readonly #outs = new Map<string, { out: Out; pid: number }>()
  readonly #ins = new Map<string, { input: In; pid: number }>()
  readonly #regexes = new Map<string, Regex>()
  readonly #active = new Set<number>()
  #status = 0
  #returned: Value
  #depth = 0
  #seed = 0

  constructor(run: Run, program: Program, args: readonly string[]) {
    this.#run = run
    this.#program = program
    this.#args = ['awk', ...args]
    for (const [name, value] of Object.entries({
      FS: ' ',
      OFS: ' ',
      ORS: '\n',
      RS: '\n',
      SUBSEP: '\x1c',
      CONVFMT: '%.6g',
      OFMT: '%.6g',
      FILENAME: '',
    }))
      this.set(name, value)
    for (const name of ['NR', 'NF', 'FNR', 'RSTART']) this.set(name, 0)
    this.set('RLENGTH', -1)
    this.set('ARGC', this.#args.length)
    this.#array('ARGV')
    for (const [i, arg] of this.#args.entries()) this.#array('ARGV').set(String(i), new Field(arg))
    for (const entry of run.env) {
      const equals = entry.indexOf('=')
      this.#array('ENVIRON').set(entry.slice(0, equals), new Field(entry.slice(equals + 1)))
    }
  }

  set(name: string, value: Value): void {
    this.#cell(name).value = value
  }

  *main(): Sys<number> {
    const { rules } = this.#program
    try {
      for (const { when, body } of rules) if (when === 'BEGIN' && body) yield* this.#top(body)
      if (rules.some(({ when }) => when !== 'BEGIN')) {
        for (let record = yield* this.#readMain(); record !== undefined; record = yield* this.#readMain()) {
          this.#setRecord(record)
          yield* this.#rules()
        }
      }
    } catch (error) {
      if (!(error instanceof ExitNow)) throw error
    }
    try {
      for (const { when, body } of rules) if (when === 'END' && body) yield* this.#top(body)
    } catch (error) {
      if (!(error instanceof ExitNow)) throw error
    }
    yield* this.#run.out.flush()
    for (const name of [...this.#outs.keys()]) yield* this.#close(name)
    return this.#status
  }

  *#top(body: Stmt): Sys<void> {
    try {
      yield* this.#exec(body)
    } catch (error) {
      if (!(error instanceof Next)) throw error
    }
  }

  *#rules(): Sys<void> {
    try {
      for (const [i, { when, from, to, body }] of this.#program.rules.entries()) {
        if (when !== 'main') continue
        if (to && from) {
          if (!this.#active.has(i) && !truth(yield* this.#eval(from))) continue
          this.#active.add(i)
          if (truth(yield* this.#eval(to))) this.#active.delete(i)
        } else if (from && !truth(yield* this.#eval(from))) continue
        if (body) yield* this.#exec(body)
        else yield* this.#run.out.print(this.#whole() + this.#s('ORS'))
      }
    } catch (error) {
      if (!(error instanceof Next)) throw error
    }
  }

  #cell(name: string): Cell {
    const scope = this.#locals?.get(name)
    if (scope) return scope
    let cell = this.#globals.get(name)
    if (!cell) {
      cell = { value: undefined, array: undefined, from: undefined }
      this.#globals.set(name, cell)
    }
    return cell
  }

  #array(name: string): Map<string, Value> {
    const cell = this.#cell(name)
    if (!cell.array) {
      cell.array = new Map()
      // A name that was handed to a function before it was anything is an array out there, too.
      for (let outer = cell.from; outer; outer = outer.from) outer.array = cell.array
    }
    return cell.array
  }

  #s(name: string): string {
    return str(this.#cell(name).value, '%.6g')
  }

  #str(value: Value): string {
    return typeof value === 'string' ? value : str(value, this.#s('CONVFMT'))
  }

  #regex(text: string): Regex {
    let regex = this.#regexes.get(text)
    if (!regex) {
      regex = regexOf(text)
      if (this.#regexes.size > 200) this.#regexes.clear()
      this.#regexes.set(text, regex)
    }
    return regex
  }

  // Records and fields.

  #setRecord(record: string): void {
    this.#record = record
    this.#split = false
    this.#joined = true
  }

  #whole(): string {
    if (!this.#joined) {
      this.#record = this.#fields.map((field) => this.#str(field)).join(this.#s('OFS'))
      this.#joined = true
    }
    return this.#record
  }

  #need(): void {
    if (this.#split) return
    this.#split = true
    this.#fields = this.#pieces(this.#record, this.#s('FS')).map((piece) => new Field(piece))
    this.#cell('NF').value = this.#fields.length
  }

  #pieces(text: string, separator: string | Regex): string[] {
    if (separator === ' ') return text.split(/[ \t\n]+/).filter((piece) => piece !== '')
    if (text === '') return []
    if (separator === '') return [...text]
    const paragraphs = this.#s('RS') === ''
    if (typeof separator === 'string' && separator.length === 1 && separator !== '\\')
      return paragraphs ? text.split('\n').flatMap((line) => line.split(separator)) : text.split(separator)
    const regex = typeof separator === 'string' ? this.#regex(separator) : separator
    const pieces: string[] = []
    let from = 0
    for (let at = 0; at <= text.length; ) {
      const match = regex.exec(text, at, false)
      if (!match) break
      if (match[1]! > match[0]!) {
        pieces.push(text.slice(from, match[0]))
        from = match[1]!
        at = from
      } else at = match[1]! + 1
    }
    pieces.push(text.slice(from))
    return pieces
  }

  #field(index: number): Value {
    if (index < 0) throw new AwkError(`attempt to access field ${index}`)
    if (index === 0) return new Field(this.#whole())
    this.#need()
    return this.#fields[index - 1]
  }

  #setField(index: number, value: Value): void {
    if (index < 0 || index > 100_000) throw new AwkError(`attempt to access field ${index}`)
    if (index === 0) {
      this.#setRecord(this.#str(value))
      return
    }
    this.#need()
    while (this.#fields.length < index) this.#fields.push(undefined)
    this.#fields.splice(index - 1, 1, value)
    this.#cell('NF').value = this.#fields.length
    this.#joined = false
  }

  *#readFrom(input: In): Sys<string | undefined> {
    const rs = this.#s('RS')
    if (rs !== '') return yield* input.delimited(rs[0]!)
    let text: string | undefined
    for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
      if (line !== '') text = text === undefined ? line : `${text}\n${line}`
      else if (text !== undefined) break
    }
    return text
  }

  *#readMain(): Sys<string | undefined> {
    for (;;) {
      if (!this.#in && !(yield* this.#nextFile())) return undefined
      const record = yield* this.#readFrom(this.#in!)
      if (record !== undefined) {
        this.set('NR', num(this.#cell('NR').value) + 1)
        this.set('FNR', num(this.#cell('FNR').value) + 1)
        return record
      }
      if (this.#in!.fd !== STDIN) yield* close(this.#in!.fd)
      this.#in = undefined
    }
  }

  *#nextFile(): Sys<boolean> {
    while (this.#arg < num(this.#cell('ARGC').value)) {
      const arg = this.#str(this.#array('ARGV').get(String(this.#arg++)))
      if (arg === '') continue
      const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(arg)
      if (assignment) {
        this.set(assignment[1]!, new Field(unescaped(assignment[2]!)))
        continue
      }
      this.#usedFile = true
      try {
        this.#in = new In(arg === '-' ? STDIN : yield* open(arg, O_RDONLY, 0))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* this.#run.complain(`cannot open file \`${arg}' for reading (${strerror(error.errno)})`, 2)
        this.#status = 2
        continue
      }
      this.set('FILENAME', arg)
      this.set('FNR', 0)
      return true
    }
    if (this.#usedFile) return false
    this.#usedFile = true
    this.#in = new In(STDIN)
    return true
  }

  // Statements.

  *#exec(stmt: Stmt): Sys<Jump> {
    switch (stmt.k) {
      case 'block':
        for (const inner of stmt.list) {
          const jump = yield* this.#exec(inner)
          if (jump) return jump
        }
        return undefined
      case 'expr':
        yield* this.#eval(stmt.e)
        return undefined
      case 'print':
        yield* this.#print(stmt)
        return undefined
      case 'if':
        if (truth(yield* this.#eval(stmt.c))) return yield* this.#exec(stmt.a)
        return stmt.b ? yield* this.#exec(stmt.b) : undefined
      case 'while':
        for (let first = stmt.first; first || truth(yield* this.#eval(stmt.c)); first = false) {
          const jump = yield* this.#exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
        }
        return undefined
      case 'for':
        if (stmt.init) yield* this.#exec(stmt.init)
        while (!stmt.c || truth(yield* this.#eval(stmt.c))) {
          const jump = yield* this.#exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
          if (stmt.step) yield* this.#exec(stmt.step)
        }
        return undefined
      case 'forin':
        for (const key of [...this.#array(stmt.array).keys()]) {
          if (!this.#array(stmt.array).has(key)) continue
          this.set(stmt.name, new Field(key))
          const jump = yield* this.#exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
        }
        return undefined
      case 'jump':
        if (stmt.how === 'next') throw new Next()
        return stmt.how
      case 'exit':
        if (stmt.e) this.#status = num(yield* this.#eval(stmt.e)) & 255
        throw new ExitNow()
      case 'return':
        this.#returned = stmt.e ? yield* this.#eval(stmt.e) : undefined
        return 'return'
      case 'delete':
        if (stmt.subs) this.#array(stmt.name).delete(yield* this.#key(stmt.subs))
        else this.#array(stmt.name).clear()
        return undefined
    }
  }

  *#print({ args, printf, to }: Stmt & { k: 'print' }): Sys<void> {
    const values: Value[] = []
    for (const arg of args) values.push(yield* this.#eval(arg))
    const ofmt = this.#s('OFMT')
    const text = printf
      ? sprintf(this.#str(values[0]), values.slice(1), this.#s('CONVFMT'))
      : (values.length === 0 ? this.#whole() : values.map((value) => str(value, ofmt)).join(this.#s('OFS'))) +
        this.#s('ORS')
    if (!to) return yield* this.#run.out.print(text)
    const name = this.#str(yield* this.#eval(to[1]))
    let target = this.#outs.get(name)
    if (!target) {
      target = yield* this.#openOut(to[0], name)
      this.#outs.set(name, target)
    }
    yield* target.out.print(text)
  }

  *#openOut(how: string, name: string): Sys<{ out: Out; pid: number }> {
    if (how === '|') {
      yield* this.#run.out.flush()
      const [from, to] = yield* pipe()
      const pid = yield* spawn('/bin/sh', ['sh', '-c', name], this.#run.env, function* () {
        yield* close(to)
        yield* dup2(from, 0)
        yield* close(from)
      })
      yield* close(from)
      return { out: new Out(to, false), pid }
    }
    if (name === '/dev/stdout') return { out: this.#run.out, pid: 0 }
    if (name === '/dev/stderr') return { out: new Out(STDERR, true), pid: 0 }
    try {
      return {
        out: new Out(yield* open(name, O_WRONLY | O_CREAT | (how === '>>' ? O_APPEND : O_TRUNC), 0o666), false),
        pid: 0,
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      throw new Exit(2, `can't redirect to \`${name}' (${strerror(error.errno)})`)
    }
  }

  /** close(): the exit status of a command, -1 for what is not open. */
  *#close(name: string): Sys<number> {
    const target = this.#outs.get(name)
    const source = this.#ins.get(name)
    let status = -1
    if (target) {
      this.#outs.delete(name)
      yield* target.out.flush()
      if (target.out.fd > STDERR) yield* close(target.out.fd)
      status = target.pid > 0 ? shellStatus((yield* waitpid(target.pid)).status) : 0
    }
    if (source) {
      this.#ins.delete(name)
      if (source.input.fd > STDERR) yield* close(source.input.fd)
      status = source.pid > 0 ? shellStatus((yield* waitpid(source.pid)).status) : 0
    }
    return status
  }

  // Expressions.

  *#key(subs: readonly Expr[]): Sys<string> {
    if (subs.length === 1) return this.#str(yield* this.#eval(subs[0]!))
    const parts: string[] = []
    for (const sub of subs) parts.push(this.#str(yield* this.#eval(sub)))
    return parts.join(this.#s('SUBSEP'))
  }

  *#assign(to: Expr, value: Value): Sys<void> {
    if (to.k === 'name') {
      if (to.name === 'NF') {
        this.#need()
        const count = Math.max(0, Math.min(100_000, num(value)))
        this.#fields.splice(count)
        while (this.#fields.length < count) this.#fields.push(undefined)
        this.#joined = false
      }
      this.#cell(to.name).value = value
    } else if (to.k === 'index') {
      const key = yield* this.#key(to.subs)
      this.#array(to.name).set(key, value)
    } else if (to.k === 'field') this.#setField(num(yield* this.#eval(to.e)), value)
    else throw new AwkError('syntax error: assignment to what is no variable')
  }

  *#eval(e: Expr): Sys<Value> {
    switch (e.k) {
      case 'num':
        return e.n
      case 'str':
        return e.s
      case 're':
        return e.re.test(this.#whole()) ? 1 : 0
      case 'name':
        if (e.name === 'NF') this.#need()
        return this.#cell(e.name).value
      case 'index': {
        const key = yield* this.#key(e.subs)
        const array = this.#array(e.name)
        if (!array.has(key)) array.set(key, undefined)
        return array.get(key)
      }
      case 'field':
        return this.#field(Math.trunc(num(yield* this.#eval(e.e))))
      case 'group':
        return e.list.length === 1 ? yield* this.#eval(e.list[0]!) : yield* this.#key(e.list)
      case 'assign': {
        const value =
          e.op === ''
            ? yield* this.#eval(e.e)
            : arithmetic(e.op, num(yield* this.#eval(e.to)), num(yield* this.#eval(e.e)))
        yield* this.#assign(e.to, value)
        return value
      }
      case 'cond':
        return truth(yield* this.#eval(e.c)) ? yield* this.#eval(e.a) : yield* this.#eval(e.b)
      case 'in':
        return this.#array(e.name).has(yield* this.#key(e.subs)) ? 1 : 0
      case 'unary': {
        const value = yield* this.#eval(e.e)
        return e.op === '!' ? (truth(value) ? 0 : 1) : e.op === '-' ? -num(value) : num(value)
      }
      case 'step': {
        const old = num(yield* this.#eval(e.e))
        yield* this.#assign(e.e, old + e.by)
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
    if (op === '&&') return truth(yield* this.#eval(left)) && truth(yield* this.#eval(right)) ? 1 : 0
    if (op === '||') return truth(yield* this.#eval(left)) || truth(yield* this.#eval(right)) ? 1 : 0
    const a = yield* this.#eval(left)
    if (op === '~' || op === '!~') return (yield* this.#pattern(right)).test(this.#str(a)) === (op === '~') ? 1 : 0
    const b = yield* this.#eval(right)
    if (op === ' ') return this.#str(a) + this.#str(b)
    if (!COMPARISONS.includes(op)) return arithmetic(op, num(a), num(b))
    const order = compare(a, b, this.#s('CONVFMT'))
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
    return e.k === 're' ? e.re : this.#regex(this.#str(yield* this.#eval(e)))
  }

  *#getline({ from, e, to }: Expr & { k: 'getline' }): Sys<Value> {
    let record: string | undefined
    if (from === 'main') record = yield* this.#readMain()
    else {
      const name = this.#str(yield* this.#eval(e!))
      let source = this.#ins.get(name)
      if (!source) {
        try {
          source =
            from === 'file'
              ? { input: new In(name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)), pid: 0 }
              : yield* this.#openPipe(name)
        } catch (error) {
          if (error instanceof OsError) return -1
          throw error
        }
        this.#ins.set(name, source)
      }
      record = yield* this.#readFrom(source.input)
      if (record !== undefined && from === 'pipe') this.set('NR', num(this.#cell('NR').value) + 1)
    }
    if (record === undefined) return 0
    if (to) yield* this.#assign(to, new Field(record))
    else this.#setRecord(record)
    return 1
  }

  *#openPipe(command: string): Sys<{ input: In; pid: number }> {
    yield* this.#run.out.flush()
    const [from, to] = yield* pipe()
    const pid = yield* spawn('/bin/sh', ['sh', '-c', command], this.#run.env, function* () {
      yield* close(from)
      yield* dup2(to, 1)
      yield* close(to)
    })
    yield* close(to)
    return { input: new In(from), pid }
  }

  *#call(name: string, args: readonly Expr[]): Sys<Value> {
    const func: Func | undefined = this.#program.functions.get(name)
    if (!func) throw new AwkError(`function \`${name}' not defined`)
    if (args.length > func.params.length)
      throw new AwkError(`function \`${name}' called with more arguments than declared`)
    if (++this.#depth > CALLS_MAX) throw new AwkError(`function \`${name}': too many calls inside each other`)
    const locals = new Map<string, Cell>()
    for (const [i, param] of func.params.entries()) {
      const arg = args[i]
      const outer = arg?.k === 'name' ? this.#cell(arg.name) : undefined
      const value = arg && !outer?.array ? yield* this.#eval(arg) : undefined
      locals.set(param, {
        value,
        array: outer?.array,
        from: outer && !outer.array && outer.value === undefined ? outer : undefined,
      })
    }
    const before = this.#locals
    this.#locals = locals
    this.#returned = undefined
    yield* this.#exec(func.body)
    this.#locals = before
    this.#depth--
    const value = this.#returned
    this.#returned = undefined
    return value
  }

  *#builtin(name: string, args: readonly Expr[]): Sys<Value> {
    if (name === 'length' && args[0]?.k === 'name' && this.#cell(args[0].name).array)
      return this.#array(args[0].name).size
    if (name === 'split') return yield* this.#splitCall(args)
    if (name === 'sub' || name === 'gsub') return yield* this.#substitute(args, name === 'gsub')
    if (name === 'match') {
      const text = this.#str(yield* this.#eval(args[0]!))
      const match = (yield* this.#pattern(args[1]!)).exec(text, 0, false)
      this.set('RSTART', match ? match[0]! + 1 : 0)
      this.set('RLENGTH', match ? match[1]! - match[0]! : -1)
      return match ? match[0]! + 1 : 0
    }
    const values: Value[] = []
    for (const arg of args) values.push(yield* this.#eval(arg))
    const text = (i: number): string => this.#str(values[i])
    switch (name) {
      case 'length':
        return args.length === 0 ? this.#whole().length : text(0).length
      case 'substr': {
        const round = (n: number) => Math.round(n)
        const from = round(num(values[1]))
        const to = values.length > 2 ? from + round(num(values[2])) : Number.POSITIVE_INFINITY
        return text(0).slice(Math.max(0, from - 1), Math.max(0, to - 1))
      }
      case 'index':
        return text(0).indexOf(text(1)) + 1
      case 'sprintf':
        return sprintf(text(0), values.slice(1), this.#s('CONVFMT'))
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
        yield* this.#flushAll()
        return shellStatus(yield* runCommand('/bin/sh', ['sh', '-c', text(0)], this.#run.env))
      case 'close':
        return yield* this.#close(text(0))
      default:
        yield* this.#flushAll()
        return 0
    }
  }

  *#flushAll(): Sys<void> {
    yield* this.#run.out.flush()
    for (const { out } of this.#outs.values()) yield* out.flush()
  }

  *#splitCall(args: readonly Expr[]): Sys<Value> {
    const text = this.#str(yield* this.#eval(args[0]!))
    if (args[1]?.k !== 'name') throw new AwkError('split: second argument is not an array')
    const by = args[2]
    const separator = by === undefined ? this.#s('FS') : by.k === 're' ? by.re : this.#str(yield* this.#eval(by))
    const array = this.#array(args[1].name)
    array.clear()
    const pieces = this.#pieces(text, separator)
    for (const [i, piece] of pieces.entries()) array.set(String(i + 1), new Field(piece))
    return pieces.length
  }

  *#substitute(args: readonly Expr[], everywhere: boolean): Sys<Value> {
    const regex = yield* this.#pattern(args[0]!)
    const by = this.#str(yield* this.#eval(args[1]!))
    const target: Expr = args[2] ?? { k: 'field', e: { k: 'num', n: 0 } }
    const text = this.#str(yield* this.#eval(target))
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
    if (count > 0) yield* this.#assign(target, result + text.slice(done))
    return count
  }
}

const COMPARISONS = ['<', '<=', '==', '!=', '>', '>=']

function arithmetic(op: string, a: number, b: number): number {
  if ((op === '/' || op === '%') && b === 0)
    throw new AwkError(`division by zero attempted${op === '%' ? " in `%'" : ''}`)
  return op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : op === '/' ? a / b : op === '%' ? a % b : a ** b
}
