/** Runs an awk program: its rules over the records, and its statements. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Run } from '../../libc/utility.ts'
import { Evaluator, type Jump } from './evaluate.ts'
import type { Program, Stmt } from './tree.ts'
import { Field, num, sprintf, str, truth, type Value } from './values.ts'

class Next extends Error {}
class ExitNow extends Error {}

export class Awk extends Evaluator {
  readonly #program: Program
  readonly #active = new Set<number>()

  constructor(run: Run, program: Program, args: readonly string[]) {
    super(run, program.functions, args)
    this.#program = program
  }

  *main(): Sys<number> {
    const { rules } = this.#program
    try {
      for (const { when, body } of rules) if (when === 'BEGIN' && body) yield* this.#top(body)
      if (rules.some(({ when }) => when !== 'BEGIN')) {
        for (let record = yield* this.readMain(); record !== undefined; record = yield* this.readMain()) {
          this.setRecord(record)
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
    yield* this.run.out.flush()
    yield* this.streams.closeOutputs()
    return this.status
  }

  *#top(body: Stmt): Sys<void> {
    try {
      yield* this.exec(body)
    } catch (error) {
      if (!(error instanceof Next)) throw error
    }
  }

  *#rules(): Sys<void> {
    try {
      for (const [i, { when, from, to, body }] of this.#program.rules.entries()) {
        if (when !== 'main') continue
        if (to && from) {
          if (!this.#active.has(i) && !truth(yield* this.eval(from))) continue
          this.#active.add(i)
          if (truth(yield* this.eval(to))) this.#active.delete(i)
        } else if (from && !truth(yield* this.eval(from))) continue
        if (body) yield* this.exec(body)
        else yield* this.run.out.print(this.whole() + this.s('ORS'))
      }
    } catch (error) {
      if (!(error instanceof Next)) throw error
    }
  }

  protected *exec(stmt: Stmt): Sys<Jump> {
    switch (stmt.k) {
      case 'block':
        for (const inner of stmt.list) {
          const jump = yield* this.exec(inner)
          if (jump) return jump
        }
        return undefined
      case 'expr':
        yield* this.eval(stmt.e)
        return undefined
      case 'print':
        yield* this.#print(stmt)
        return undefined
      case 'if':
        if (truth(yield* this.eval(stmt.c))) return yield* this.exec(stmt.a)
        return stmt.b ? yield* this.exec(stmt.b) : undefined
      case 'while':
        for (let first = stmt.first; first || truth(yield* this.eval(stmt.c)); first = false) {
          const jump = yield* this.exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
        }
        return undefined
      case 'for':
        if (stmt.init) yield* this.exec(stmt.init)
        while (!stmt.c || truth(yield* this.eval(stmt.c))) {
          const jump = yield* this.exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
          if (stmt.step) yield* this.exec(stmt.step)
        }
        return undefined
      case 'forin':
        for (const key of [...this.array(stmt.array).keys()]) {
          if (!this.array(stmt.array).has(key)) continue
          this.set(stmt.name, new Field(key))
          const jump = yield* this.exec(stmt.body)
          if (jump === 'break') break
          if (jump === 'return') return jump
        }
        return undefined
      case 'jump':
        if (stmt.how === 'next') throw new Next()
        return stmt.how
      case 'exit':
        if (stmt.e) this.status = num(yield* this.eval(stmt.e)) & 255
        throw new ExitNow()
      case 'return':
        this.returned = stmt.e ? yield* this.eval(stmt.e) : undefined
        return 'return'
      case 'delete':
        if (stmt.subs) this.remove(this.array(stmt.name), yield* this.key(stmt.subs))
        else this.remove(this.array(stmt.name))
        return undefined
    }
  }

  *#print({ args, printf, to }: Stmt & { k: 'print' }): Sys<void> {
    const values: Value[] = []
    for (const arg of args) values.push(yield* this.eval(arg))
    const ofmt = this.s('OFMT')
    const text = printf
      ? sprintf(this.str(values[0]), values.slice(1), this.s('CONVFMT'))
      : (values.length === 0 ? this.whole() : values.map((value) => str(value, ofmt)).join(this.s('OFS'))) +
        this.s('ORS')
    if (!to) return yield* this.run.out.print(text)
    const name = this.str(yield* this.eval(to[1]))
    const target = yield* this.streams.output(to[0], name)
    yield* target.print(text)
  }
}
