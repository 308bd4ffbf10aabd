/** The interpreter: one instruction after the other, until the budget is used up or something is not the processor's to do. */
import type { Cpu } from '../cpu.ts'
import { DB, Fault, UD } from '../fault.ts'
import type { Insn, Mode } from '../isa/insn.ts'
import { Exit, S_EXIT, S_EXIT_ADDRESS, S_EXIT_CODE, S_EXIT_VECTOR, S_RIP, TF } from '../state.ts'
import { otherFlags } from '../state-access.ts'
import { InterpretingEmitter } from './emitter.ts'
import { type Decoded, InsnCache } from './insn-cache.ts'

/** What `step` gives where the run goes on. */
export const GOES_ON = -1

export class Interpreter {
  readonly #cpu: Cpu
  readonly #cache: InsnCache
  readonly #emitter: InterpretingEmitter
  /** Instructions and iterations that were executed since it was made. Those that faulted, and those left to somebody else, were not. */
  executed = 0

  constructor(cpu: Cpu) {
    this.#cpu = cpu
    this.#cache = new InsnCache(cpu)
    this.#emitter = new InterpretingEmitter(cpu)
  }

  /** The instruction there, of this address, if it has been interpreted. */
  known(at: number, low: number, high: number, mode: Mode): Insn | undefined {
    return this.#cache.known(at, low, high, mode)
  }

  /** So many counts (ADR 0011), unless an exit comes before: S_EXIT and what follows it tell. */
  run(budget: number): Exit {
    const end = this.executed + budget
    while (this.executed < end) {
      const exit = this.step()
      if (exit !== GOES_ON) return exit as Exit
    }
    return this.#leave(Exit.budget, 0)
  }

  /** One instruction, or one iteration of a repeated one: an Exit, or GOES_ON. */
  step(): number {
    const cpu = this.#cpu
    const emitter = this.#emitter
    const traps = (otherFlags(cpu) & TF) !== 0
    let decoded: Decoded | undefined
    try {
      decoded = this.#cache.next()
      if (!decoded) throw new Fault(UD)
      emitter.begin(decoded.rip, decoded.nextRip)
      decoded.semantics(emitter, decoded.insn)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return this.#fault(error)
    }
    if (emitter.exitReason === Exit.privileged) return this.#leave(Exit.privileged, 0)
    this.executed++
    const { jumps } = emitter
    cpu.view.setInt32(cpu.base + S_RIP, jumps ? emitter.targetLow : decoded.nextLow, true)
    cpu.view.setInt32(cpu.base + S_RIP + 4, jumps ? emitter.targetHigh : decoded.nextHigh, true)
    if (emitter.exitReason !== GOES_ON) return this.#leave(emitter.exitReason as Exit, emitter.exitNumber)
    return traps ? this.#fault(new Fault(DB)) : GOES_ON
  }

  #fault({ vector, code, address }: Fault): Exit {
    const { view, base } = this.#cpu
    view.setInt32(base + S_EXIT_CODE, code ?? -1, true)
    view.setBigUint64(base + S_EXIT_ADDRESS, address, true)
    return this.#leave(Exit.fault, vector)
  }

  #leave(exit: Exit, vector: number): Exit {
    const { view, base } = this.#cpu
    view.setUint32(base + S_EXIT, exit, true)
    view.setUint32(base + S_EXIT_VECTOR, vector, true)
    return exit
  }
}
