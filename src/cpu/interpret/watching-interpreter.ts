/**
 * The interpreter while DR7 enables breakpoints (Intel SDM volume 3, 17.3.1): one instruction after the other, each address and each access looked at. An instruction breakpoint is a
 * fault before its instruction, unless RF is set; a data breakpoint is a trap behind the instruction, or behind the iteration of a string instruction.
 */
import { DR6_BS, DR6_TRAPS } from '#abi/pc/debug-registers.ts'
import type { Cpu } from '../cpu.ts'
import type { DebugRegisters } from '../debug-registers.ts'
import { CS } from '../isa/insn.ts'
import { RF, S_FLAGS, S_MODE, S_RIP, S_SEGMENT_BASES, TF } from '../state.ts'
import { GOES_ON, Interpreter } from './interpreter.ts'
import { WatchedMemory } from './watched-memory.ts'

export class WatchingInterpreter extends Interpreter {
  readonly #registers: DebugRegisters
  readonly #memory: WatchedMemory
  /** Data breakpoints of an instruction that has loaded SS, for the next one's #DB. */
  #held = 0

  constructor(cpu: Cpu, registers: DebugRegisters) {
    const memory = new WatchedMemory(cpu, registers)
    super(memory)
    this.#memory = memory
    this.#registers = registers
  }

  override get isOnlyStepped(): boolean {
    return true
  }

  override step(): number {
    const { view, base } = this.#memory
    const registers = this.#registers
    const flags = view.getUint32(base + S_FLAGS, true)
    const held = this.#held
    this.#held = 0
    if ((flags & RF) === 0 && !this.isInhibited) {
      const met = this.#metByFetch()
      if (registers.raises(met)) return this.debugException(met)
    }
    view.setUint32(base + S_FLAGS, flags & ~RF, true)
    this.#memory.met = 0
    const exit = this.once()
    if (exit !== GOES_ON) return exit
    const met = held | this.#memory.met
    if (this.inhibits()) {
      this.#held = met
      return GOES_ON
    }
    const bits = met | ((flags & TF) !== 0 ? DR6_BS : 0)
    if ((bits & ~DR6_TRAPS) !== 0 || registers.raises(met)) return this.debugTrap(bits)
    if (this.isIterating) view.setUint32(base + S_FLAGS, view.getUint32(base + S_FLAGS, true) | RF, true)
    return GOES_ON
  }

  #metByFetch(): number {
    const { view, base } = this.#memory
    const low = view.getInt32(base + S_RIP, true)
    if (view.getUint32(base + S_MODE, true) === 64)
      return this.#registers.met(low, view.getInt32(base + S_RIP + 4, true))
    return this.#registers.met((low + view.getInt32(base + S_SEGMENT_BASES + 8 * CS, true)) | 0, 0)
  }
}
