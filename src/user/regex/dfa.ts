/**
 * The automaton made deterministic while it runs: a state is a set of instructions and what was before. Time is linear in the text, whatever
 * the pattern. Assertions look at both sides of a position, so a state's instructions are followed only when the next byte is known.
 */
import { holds, Op, type RegexProgram, Side } from './program.ts'
import { isWordByte } from './syntax.ts'

/** "Byte" after the last. */
const END = 256
const UNKNOWN = -1
/** Past so many states all are forgotten: patterns exist whose states are exponentially many. */
const STATES_MAX = 800

interface State {
  readonly pcs: Int32Array
  readonly before: number
  /** By next byte: the next state's number times two, plus one if the text before that byte matches. */
  readonly next: Int32Array
}

export const sideOf = (code: number): number =>
  code === END ? Side.edge : code === 10 ? Side.newline : isWordByte(code) ? Side.word : Side.other

export class Dfa {
  readonly #program: RegexProgram
  /** Whether a match may begin anywhere: each state then contains the beginning. */
  readonly #floating: boolean
  #states: State[] = []
  #numbers = new Map<string, number>()
  readonly #marks: Uint32Array
  #generation = 0

  constructor(program: RegexProgram, floating: boolean) {
    this.#program = program
    this.#floating = floating
    this.#marks = new Uint32Array(program.op.length)
  }

  /** End of the longest match that begins at `from` (floating: of the first one to end), or -1. */
  run(text: string, from: number): number {
    let found = -1
    const before = from === 0 ? Side.edge : sideOf(text.charCodeAt(from - 1))
    let number = this.#number(Int32Array.of(0), before)
    let state = this.#states[number]!
    for (let i = from; ; i++) {
      const code = i < text.length ? text.charCodeAt(i) : END
      let next = state.next[code]!
      if (next === UNKNOWN) next = this.#step(state, code)
      if ((next & 1) !== 0) {
        found = i
        if (this.#floating) return i
      }
      number = next >> 1
      state = this.#states[number]!
      if (code === END || state.pcs.length === 0) return found
    }
  }

  #number(pcs: Int32Array, before: number): number {
    const key = before + ':' + pcs.join(',')
    let number = this.#numbers.get(key)
    if (number === undefined) {
      if (this.#states.length >= STATES_MAX) {
        this.#states = []
        this.#numbers = new Map()
      }
      number = this.#states.length
      this.#states.push({ pcs, before, next: new Int32Array(257).fill(UNKNOWN) })
      this.#numbers.set(key, number)
    }
    return number
  }

  #step(state: State, code: number): number {
    const { op, x, y, sets, multiline } = this.#program
    const after = sideOf(code)
    const mark = ++this.#generation
    const marks = this.#marks
    const stack: number[] = []
    for (let i = state.pcs.length - 1; i >= 0; i--) stack.push(state.pcs[i]!)
    const targets = new Set<number>()
    let matched = 0
    while (stack.length > 0) {
      const pc = stack.pop()!
      if (marks[pc] === mark) continue
      marks[pc] = mark
      const operation = op[pc]!
      if (operation === Op.set) {
        if (code !== END && sets[x[pc]!]![code] !== 0) targets.add(pc + 1)
      } else if (operation === Op.split) stack.push(y[pc]!, x[pc]!)
      else if (operation === Op.jump) stack.push(x[pc]!)
      else if (operation === Op.save) stack.push(pc + 1)
      else if (operation === Op.assert) {
        if (holds(x[pc]!, state.before, after, multiline)) stack.push(pc + 1)
      } else if (operation === Op.match) matched = 1
    }
    if (this.#floating && code !== END) targets.add(0)
    const states = this.#states
    const number = this.#number(Int32Array.from(targets).sort(), after)
    const next = number * 2 + matched
    // If all states were forgotten meanwhile, this one's table is nobody's.
    if (states === this.#states) state.next[code] = next
    return next
  }
}
