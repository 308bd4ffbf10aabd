/**
 * A vCPU: registers and TLB in the machine's memory, an interpreter for what is cold, translated code for what is hot (ADR 0011). What it does, and after how many
 * instructions, does not depend on which of them does it.
 */
import type { Cpu } from './cpu.ts'
import { DebugRegisters } from './debug-registers.ts'
import { DB, Fault } from './fault.ts'
import { GOES_ON, Interpreter } from './interpret/interpreter.ts'
import { lowOf } from './interpret/long.ts'
import { WatchingInterpreter } from './interpret/watching-interpreter.ts'
import { CS, type Insn } from './isa/insn.ts'
import { LinearMemory } from './linear-memory.ts'
import type { PageOf } from './mmu.ts'
import {
  Exit,
  RF,
  S_BUDGET,
  S_BYTES,
  S_CC_OP,
  S_CHAINS,
  S_EXIT,
  S_EXIT_ADDRESS,
  S_EXIT_CODE,
  S_EXIT_VECTOR,
  S_FLAGS,
  S_INDIRECT,
  S_LEAVE,
  S_MODE,
  S_RIP,
  S_SCRATCH,
} from './state.ts'
import { otherFlags, rip, segmentBase, setOtherFlags } from './state-access.ts'
import { ACCESS_STACK, ACCESS_WRITE } from './translate/access-writer.ts'
import { BLOCK_INSTRUCTIONS_MAX } from './translate/region.ts'
import { CHAIN_BYTES, CHAIN_GENERATION, CHAIN_REGION, chainOf } from './translate/runtime.ts'
import { LEAVE_ASKED, LEAVE_EXIT, LEAVE_INTERPRET } from './translate/statement.ts'
import type { Translating, Translator } from './translate/translator.ts'

/** What is around a vCPU. */
export interface VcpuHost {
  readonly pageOf: PageOf
  /** The eight bytes of a segment descriptor; undefined: beyond the table's end. */
  descriptor(selector: number): bigint | undefined
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number]
  tsc(): bigint
}

/** Blocks are translated when they have been interpreted so often. */
export const THRESHOLD = 20
/** Translated code is called for so many at a time: engines put better code in place of what they compiled in haste only where a function is called anew. */
const BUDGET_MAX = 2 ** 21
const COUNTERS = 65536
/** The opcode of `int1`. */
const INT1 = 0xf1

export class Vcpu extends LinearMemory implements Cpu, Translating {
  /** Undefined: everything is interpreted. */
  readonly #translator: Translator | undefined
  readonly #host: VcpuHost
  readonly debugRegisters: DebugRegisters
  /** Who interprets: most often the plain one, and with breakpoints who looks out for them. */
  #interpreter: Interpreter
  readonly #plain: Interpreter
  #watching: WatchingInterpreter | undefined
  readonly #counters = new Uint16Array(COUNTERS)
  readonly #threshold: number
  /** The lower half of where the last run's budget ended: in the middle of a block, most often. */
  #pausedAt = 0
  /** What this run has executed, but for the interpreter's count, and for the translated code that is running with so much of the budget. */
  #translatedBefore = 0
  #given = 0

  /** `base`: of its area of S_BYTES in the memory, a multiple of 4096; all of it is cleared. */
  constructor(memory: ArrayBuffer, base: number, host: VcpuHost, translator?: Translator, threshold = THRESHOLD) {
    new Uint8Array(memory).fill(0, base, base + S_BYTES)
    super(memory, base, host.pageOf, translator)
    this.#host = host
    this.#translator = translator
    this.#threshold = threshold
    this.view.setUint32(base + S_MODE, 64, true)
    this.view.setUint32(base + S_FLAGS, 2, true)
    this.view.setUint32(base + S_CC_OP, 2, true)
    this.debugRegisters = new DebugRegisters(this)
    this.#plain = new Interpreter(this)
    this.#interpreter = this.#plain
    translator?.attach(this)
  }

  /** Executes up to so many instructions, and one more where nothing can come between two; S_BUDGET has what is left. */
  run(budget: number): Exit {
    if (this.#translator) this.#translator.current = this
    this.#takeInterpreter()
    let left = budget
    let exit = GOES_ON
    this.#translatedBefore = -this.#interpreter.executed
    while ((left > 0 || this.#interpreter.isInhibited) && exit === GOES_ON) {
      const before = this.#interpreter.executed
      if (!this.#translator || this.#interpreter.isOnlyStepped) exit = this.#interpreter.block(left)
      else {
        const given = Math.min(left, BUDGET_MAX)
        this.view.setInt32(this.base + S_LEAVE, 0, true)
        this.#given = given
        const result = this.#translator.runtime.dispatch(this.base, given)
        this.#given = 0
        const rest = result < 0 ? ~result : result
        left -= given - rest
        this.#translatedBefore += given - rest
        if (result < 0) exit = this.#afterLeaving(left, rest)
        else if (left > 0 && !this.#chain()) exit = this.#interpreter.block(left)
      }
      left -= this.#interpreter.executed - before
      if (this.#interpreter.asked && exit === GOES_ON) exit = this.#finish(Exit.asked)
    }
    this.#interpreter.asked = false
    if (exit === GOES_ON) this.#pausedAt = this.view.getInt32(this.base + S_RIP, true)
    this.view.setBigUint64(this.base + S_BUDGET, BigInt(Math.max(left, 0)), true)
    return exit === GOES_ON ? this.#finish(Exit.budget) : this.#trapped(exit as Exit)
  }

  /** Once a run: nothing that runs can write a debug register. RF means nothing where no breakpoint is enabled. */
  #takeInterpreter(): void {
    let wanted = this.#plain
    if (this.debugRegisters.areEnabled) {
      this.#watching ??= new WatchingInterpreter(this, this.debugRegisters)
      wanted = this.#watching
    } else setOtherFlags(this, otherFlags(this) & ~RF)
    if (wanted === this.#interpreter) return
    wanted.executed = this.#interpreter.executed
    wanted.asked = this.#interpreter.asked
    this.#interpreter = wanted
  }

  /** As it is pushed: with RF by every fault but that of an instruction breakpoint. `int1` is #DB, and no interrupt through a gate that could refuse it. */
  #trapped(exit: Exit): Exit {
    const vector = this.view.getUint32(this.base + S_EXIT_VECTOR, true)
    if (exit === Exit.privileged || (exit === Exit.fault && vector !== DB)) setOtherFlags(this, otherFlags(this) | RF)
    if (exit !== Exit.interrupt || vector !== DB || !this.#isBehindInt1()) return exit
    this.faulted(new Fault(DB))
    return Exit.fault
  }
  #isBehindInt1(): boolean {
    const last = BigInt.asUintN(this.mode, segmentBase(this, CS) + rip(this) - 1n)
    return this.view.getUint8(this.translate(last, 'fetch')) === INT1
  }

  /** Instructions of this run, or the last one, so far; exact within helpers too, before which translated code says what is left to it. */
  get executed(): number {
    const running = this.#given === 0 ? 0 : this.#given - this.view.getInt32(this.base + S_BUDGET, true)
    return this.#translatedBefore + running + this.#interpreter.executed
  }
  /** Since it was made, by the interpreter. */
  get interpreted(): number {
    return this.#interpreter.executed
  }

  #finish(exit: Exit): Exit {
    this.view.setUint32(this.base + S_EXIT, exit, true)
    this.view.setUint32(this.base + S_EXIT_VECTOR, 0, true)
    return exit
  }

  #afterLeaving(left: number, rest: number): number {
    switch (this.view.getInt32(this.base + S_LEAVE, true)) {
      case LEAVE_EXIT:
        return this.view.getUint32(this.base + S_EXIT, true)
      case LEAVE_ASKED:
        return GOES_ON
      case LEAVE_INTERPRET:
        return this.#interpreter.step()
      default:
        this.#translator!.spent(this, rip(this))
        return rest < left ? GOES_ON : this.#interpretRest(left)
    }
  }

  /** Less is left than a block has: to the end, or past the block. */
  #interpretRest(left: number): number {
    const end = this.#interpreter.executed + Math.min(left, BLOCK_INSTRUCTIONS_MAX)
    let exit = GOES_ON
    while (exit === GOES_ON && this.#interpreter.executed < end && !this.#interpreter.asked)
      exit = this.#interpreter.block(end - this.#interpreter.executed)
    return exit
  }

  /** Chains RIP to translated code, if there is any, and counts if not. */
  #chain(): boolean {
    const { view, base } = this
    const translator = this.#translator!
    const low = view.getInt32(base + S_RIP, true)
    const high = view.getInt32(base + S_RIP + 4, true)
    if (!this.#isFetched(low, high)) return false
    let region = translator.find(this, low, high)
    if (region < 0) {
      // A loop that runs for long ends everywhere in its blocks, which are not to be translated from there, too.
      if (low === this.#pausedAt) return false
      const counter = (low ^ (low >>> 16)) & (COUNTERS - 1)
      const count = ++this.#counters[counter]!
      if (count >= this.#threshold && view.getInt32(base + S_INDIRECT, true) === low) translator.reached(rip(this))
      if (count === this.#threshold) translator.want(this, rip(this))
      if (count < 2 * this.#threshold) return false
      this.#counters[counter] = 0
      translator.translateWanted()
      region = translator.find(this, low, high)
      if (region < 0) return false
    }
    const chain = base + S_CHAINS + chainOf(low) * CHAIN_BYTES
    view.setInt32(chain, low, true)
    view.setInt32(chain + 4, high, true)
    view.setUint32(chain + CHAIN_GENERATION, this.context.generation, true)
    view.setUint32(chain + CHAIN_REGION, region, true)
    return true
  }

  interpretedAt(rip: bigint, at: number): Insn | undefined {
    return this.#plain.known(at, lowOf(rip), lowOf(rip >> 32n), this.mode)
  }

  /** The run is to end behind this instruction. */
  ask(): void {
    this.#interpreter.asked = true
  }

  address(low: number, high: number, what: number): number {
    const write = (what & ACCESS_WRITE) !== 0
    const stack = (what & ACCESS_STACK) !== 0
    const bytes = what & 0xffff
    try {
      if ((low & 0xfff) + bytes > 4096)
        return write ? this.#leaveToInterpreter() : this.#gather(low, high, bytes, stack)
      const at = this.resolve(low, high, write, stack)
      if (!write) return at
      const page = at - (at % 4096)
      if (!this.#translator!.isGuarded(page)) {
        // It may have been guarded when its tag was made.
        this.context.tlb.fill(low, high, page, true, false)
        return at
      }
      if (!this.#translator!.hasCode(at, bytes)) return at
      return this.#leaveToInterpreter()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.faulted(error)
      return -1
    }
  }
  #leaveToInterpreter(): -1 {
    this.view.setInt32(this.base + S_LEAVE, LEAVE_INTERPRET, true)
    return -1
  }
  /** The bytes of a load across two pages, put together. */
  #gather(low: number, high: number, bytes: number, stack: boolean): number {
    const first = this.resolve(low, high, false, stack)
    const [nextLow, nextHigh] = this.nextPage(low, high)
    const second = this.resolve(nextLow, nextHigh, false, stack)
    const scratch = this.base + S_SCRATCH
    const here = 4096 - (low & 0xfff)
    for (let i = 0; i < bytes; i++)
      this.view.setUint8(scratch + i, this.view.getUint8(i < here ? first + i : second + i - here))
    return scratch
  }
  /** The interpreter would fetch from there now, too. */
  #isFetched(low: number, high: number): boolean {
    try {
      this.fetch(low, high)
      return true
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return false
    }
  }

  faulted({ vector, code, address }: Fault): void {
    const { view, base } = this
    view.setUint32(base + S_EXIT, Exit.fault, true)
    view.setUint32(base + S_EXIT_VECTOR, vector, true)
    view.setInt32(base + S_EXIT_CODE, code ?? -1, true)
    view.setBigUint64(base + S_EXIT_ADDRESS, address, true)
    view.setInt32(base + S_LEAVE, LEAVE_EXIT, true)
  }
  helped(): void {
    if (this.#interpreter.asked) this.view.setInt32(this.base + S_LEAVE, LEAVE_ASKED, true)
  }

  descriptor(selector: number): bigint | undefined {
    return this.#host.descriptor(selector)
  }
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
    return this.#host.cpuid(leaf, subleaf)
  }
  tsc(): bigint {
    return this.#host.tsc()
  }
}
