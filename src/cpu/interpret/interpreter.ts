/** The interpreter: one instruction after the other, until the budget is used up or something is not the processor's to do. */
import { DR6_BS, DR6_TRAPS } from '#abi/pc/debug-registers.ts'
import type { Cpu } from '../cpu.ts'
import { DB, Fault, UD } from '../fault.ts'
import { MAX_LENGTH } from '../isa/decoding.ts'
import { CS, type Insn, type Mode, SS } from '../isa/insn.ts'
import {
  Exit,
  RF,
  S_DR6,
  S_END,
  S_EXIT,
  S_EXIT_ADDRESS,
  S_EXIT_CODE,
  S_EXIT_VECTOR,
  S_FLAGS,
  S_MODE,
  S_RIP,
  S_SEGMENT_BASES,
  TF,
} from '../state.ts'
import { InterpretingEmitter } from './emitter.ts'
import { InsnCache } from './insn-cache.ts'

/** What `step` gives where the run goes on. */
export const GOES_ON = -1

const RIP = S_RIP / 4
const CS_BASE = (S_SEGMENT_BASES + 8 * CS) / 4

export class Interpreter {
  readonly #cpu: Cpu
  readonly #state: Int32Array
  readonly #cache: InsnCache
  readonly #emitter: InterpretingEmitter
  /** Instructions and iterations that were executed since it was made. Those that faulted, and those left to somebody else, were not. */
  executed = 0
  /** `block` is to end behind this instruction: whoever says so takes it back. */
  asked = false
  /** MOV or POP has just loaded SS: there is neither an interrupt nor #DB before the next instruction is done, which is to load RSP. */
  isInhibited = false
  /** What `step` executed last. */
  protected insn: Insn | undefined

  constructor(cpu: Cpu) {
    this.#cpu = cpu
    this.#state = new Int32Array(cpu.view.buffer, cpu.base, S_END / 4)
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
    const traps = (this.#state[S_FLAGS / 4]! & TF) !== 0
    const exit = this.once()
    if (exit !== GOES_ON || !traps) return exit
    return this.inhibits() ? GOES_ON : this.debugTrap(DR6_BS)
  }

  /** The same without #DB. */
  protected once(): number {
    try {
      this.insn = this.#cache.next()
      this.#execute(this.insn)
    } catch (error) {
      this.isInhibited = false
      return this.#caught(error)
    }
    const exit = this.#ended()
    if (exit !== GOES_ON) this.isInhibited = false
    return exit
  }

  /** What was executed last was an iteration of a string instruction, and not its last one. */
  protected get isIterating(): boolean {
    const { jumps, targetLow, targetHigh, low, high } = this.#emitter
    return jumps && this.insn?.repeat !== undefined && targetLow === low && targetHigh === high
  }

  /** Whether what was executed last keeps #DB waiting. Of several in a row only the first one does. */
  protected inhibits(): boolean {
    const { mnemonic } = this.insn!.row
    const [target] = this.insn!.operands
    const loadsStack = (mnemonic === 'mov' || mnemonic === 'pop') && target?.kind === 'sreg' && target.n === SS
    this.isInhibited = loadsStack && !this.isInhibited
    return this.isInhibited
  }

  /** #DB behind an instruction, with so many bits of DR6. RF says whether the instruction is in the middle of what it does. */
  protected debugTrap(bits: number): Exit {
    const state = this.#state
    if (this.isIterating) state[S_FLAGS / 4]! |= RF
    else state[S_FLAGS / 4]! &= ~RF
    return this.debugException(bits)
  }
  /** DR6's other bits stay until somebody clears them. */
  protected debugException(bits: number): Exit {
    const { view, base } = this.#cpu
    const before = view.getUint32(base + S_DR6, true) & ~DR6_TRAPS
    view.setUint32(base + S_DR6, before | bits, true)
    return this.#fault(new Fault(DB))
  }

  /**
   * Up to a jump, which is what does not go on within the length of an instruction: at least one instruction, and no more than the budget has. An Exit, or GOES_ON. As many
   * times `step` would do the same.
   */
  block(budget: number): number {
    const end = this.executed + budget
    if (this.isOnlyStepped) return this.step()
    for (;;) {
      const exit = this.#row(end)
      if (exit !== GOES_ON || this.asked || this.executed >= end) return exit
      const length = (this.#state[RIP]! - this.#emitter.low) | 0
      if (length <= 0 || length > MAX_LENGTH || this.isOnlyStepped) return GOES_ON
    }
  }

  /** Single steps, and code segments that do not begin at 0, take their time. */
  get isOnlyStepped(): boolean {
    const state = this.#state
    if ((state[S_FLAGS / 4]! & TF) !== 0) return true
    return state[S_MODE / 4] !== 64 && (state[CS_BASE] !== 0 || state[CS_BASE + 1] !== 0)
  }

  /** Up to the first one that is not plain. */
  #row(end: number): number {
    const emitter = this.#emitter
    const cache = this.#cache
    const state = this.#state
    try {
      this.#execute(cache.next())
      while (emitter.isPlain) {
        this.executed++
        state[RIP] = emitter.nextLow
        state[RIP + 1] = emitter.nextHigh
        if (this.executed >= end || this.asked) return GOES_ON
        this.#execute(cache.following() ?? cache.next())
      }
    } catch (error) {
      return this.#caught(error)
    }
    return this.#ended()
  }

  #execute(insn: Insn | undefined): void {
    if (!insn) throw new Fault(UD)
    const { low, high, semantics } = this.#cache
    this.#emitter.beginAt(low, high, insn.length, insn.mode === 64)
    semantics(this.#emitter, insn)
  }

  /** An instruction is done: counts it, and RIP is where it goes on. */
  #ended(): number {
    const { jumps, exitReason, exitNumber, targetLow, targetHigh, nextLow, nextHigh } = this.#emitter
    if (exitReason === Exit.privileged) return this.#leave(Exit.privileged, 0)
    this.executed++
    this.#state[RIP] = jumps ? targetLow : nextLow
    this.#state[RIP + 1] = jumps ? targetHigh : nextHigh
    return exitReason === GOES_ON ? GOES_ON : this.#leave(exitReason as Exit, exitNumber)
  }

  #caught(error: unknown): Exit {
    if (!(error instanceof Fault)) throw error
    return this.#fault(error)
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
