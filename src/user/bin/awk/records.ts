/** awk's variables, and its records and fields: splitting, joining, and reading them from the files of the command line. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { In, STDIN } from '../../libc/stdio.ts'
import { close, open } from '../../libc/syscall.ts'
import type { Run } from '../../libc/utility.ts'
import type { Regex } from '../../regex/regex.ts'
import { regexOf, unescaped } from './lex.ts'
import { AwkError } from './tree.ts'
import { Field, num, str, type Value } from './values.ts'

export type Cell = { value: Value; array: Map<string, Value> | undefined; from: Cell | undefined }

export class Records {
  protected readonly run: Run
  readonly #globals = new Map<string, Cell>()
  protected locals: Map<string, Cell> | undefined
  #record = ''
  protected fields: Value[] = []
  #split = true
  protected joined = true
  #args: string[]
  #arg = 1
  #in: In | undefined
  #usedFile = false
  readonly #regexes = new Map<string, Regex>()
  protected status = 0

  constructor(run: Run, args: readonly string[]) {
    this.run = run
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
    this.array('ARGV')
    for (const [i, arg] of this.#args.entries()) this.array('ARGV').set(String(i), new Field(arg))
    for (const entry of run.env) {
      const equals = entry.indexOf('=')
      this.array('ENVIRON').set(entry.slice(0, equals), new Field(entry.slice(equals + 1)))
    }
  }

  set(name: string, value: Value): void {
    this.cell(name).value = value
  }

  protected cell(name: string): Cell {
    const scope = this.locals?.get(name)
    if (scope) return scope
    let cell = this.#globals.get(name)
    if (!cell) {
      cell = { value: undefined, array: undefined, from: undefined }
      this.#globals.set(name, cell)
    }
    return cell
  }

  protected array(name: string): Map<string, Value> {
    const cell = this.cell(name)
    if (!cell.array) {
      cell.array = new Map()
      // A name that was handed to a function before it was anything is an array out there, too.
      for (let outer = cell.from; outer; outer = outer.from) outer.array = cell.array
    }
    return cell.array
  }

  protected s(name: string): string {
    return str(this.cell(name).value, '%.6g')
  }

  protected str(value: Value): string {
    return typeof value === 'string' ? value : str(value, this.s('CONVFMT'))
  }

  protected regex(text: string): Regex {
    let regex = this.#regexes.get(text)
    if (!regex) {
      regex = regexOf(text)
      if (this.#regexes.size > 200) this.#regexes.clear()
      this.#regexes.set(text, regex)
    }
    return regex
  }

  // Records and fields.

  protected setRecord(record: string): void {
    this.#record = record
    this.#split = false
    this.joined = true
  }

  protected whole(): string {
    if (!this.joined) {
      this.#record = this.fields.map((field) => this.str(field)).join(this.s('OFS'))
      this.joined = true
    }
    return this.#record
  }

  protected need(): void {
    if (this.#split) return
    this.#split = true
    this.fields = this.pieces(this.#record, this.s('FS')).map((piece) => new Field(piece))
    this.cell('NF').value = this.fields.length
  }

  protected pieces(text: string, separator: string | Regex): string[] {
    if (separator === ' ') return text.split(/[ \t\n]+/).filter((piece) => piece !== '')
    if (text === '') return []
    if (separator === '') return [...text]
    const paragraphs = this.s('RS') === ''
    if (typeof separator === 'string' && separator.length === 1 && separator !== '\\')
      return paragraphs ? text.split('\n').flatMap((line) => line.split(separator)) : text.split(separator)
    const regex = typeof separator === 'string' ? this.regex(separator) : separator
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

  protected field(index: number): Value {
    if (index < 0) throw new AwkError(`attempt to access field ${index}`)
    if (index === 0) return new Field(this.whole())
    this.need()
    return this.fields[index - 1]
  }

  protected setField(index: number, value: Value): void {
    if (index < 0 || index > 100_000) throw new AwkError(`attempt to access field ${index}`)
    if (index === 0) {
      this.setRecord(this.str(value))
      return
    }
    this.need()
    while (this.fields.length < index) this.fields.push(undefined)
    this.fields.splice(index - 1, 1, value)
    this.cell('NF').value = this.fields.length
    this.joined = false
  }

  protected *readFrom(input: In): Sys<string | undefined> {
    const rs = this.s('RS')
    if (rs !== '') return yield* input.delimited(rs[0]!)
    let text: string | undefined
    for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
      if (line !== '') text = text === undefined ? line : `${text}\n${line}`
      else if (text !== undefined) break
    }
    return text
  }

  protected *readMain(): Sys<string | undefined> {
    for (;;) {
      if (!this.#in && !(yield* this.#nextFile())) return undefined
      const record = yield* this.readFrom(this.#in!)
      if (record !== undefined) {
        this.set('NR', num(this.cell('NR').value) + 1)
        this.set('FNR', num(this.cell('FNR').value) + 1)
        return record
      }
      if (this.#in!.fd !== STDIN) yield* close(this.#in!.fd)
      this.#in = undefined
    }
  }

  *#nextFile(): Sys<boolean> {
    while (this.#arg < num(this.cell('ARGC').value)) {
      const arg = this.str(this.array('ARGV').get(String(this.#arg++)))
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
        yield* this.run.complain(`cannot open file \`${arg}' for reading (${strerror(error.errno)})`, 2)
        this.status = 2
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
}
