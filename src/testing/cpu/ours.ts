/** A case on our processor, by the interpreter: the result is laid out as the host's. */

import { statusFlags } from '#cpu/flags.ts'
import { FlatCpu } from '#cpu/flat-cpu.ts'
import { Interpreter } from '#cpu/interpret/interpreter.ts'
import { CS, DS, ES, GS, type Mode, SS } from '#cpu/isa/insn.ts'
import {
  CcOp,
  Exit,
  IF,
  OSZAPC,
  RF,
  S_CC_OP,
  S_CC_SRC,
  S_EXIT_ADDRESS,
  S_EXIT_CODE,
  S_EXIT_VECTOR,
  S_MODE,
  TF,
} from '#cpu/state.ts'
import { gpr, otherFlags, rip, setGpr, setOtherFlags, setRip, setSegmentBase, setSelector } from '#cpu/state-access.ts'
import {
  type Case,
  CODE,
  DATA,
  DATA_WINDOW,
  INSTRUCTION,
  NO_FAULT,
  OUT_BYTES,
  PAGE,
  R_CR2,
  R_DATA,
  R_ERROR,
  R_FLAGS,
  R_FX,
  R_GPR,
  R_RIP,
  R_STACK,
  R_VECTOR,
  READ_ONLY,
  STACK,
  STACK_WINDOW,
  WINDOW,
} from './layout.ts'

/** #DB, which follows every instruction as TF is set. */
const SINGLE_STEP = 1
const GP = 13

/** Linux's descriptors for programs: selectors 23, 2B and 33. */
const USER_DESCRIPTORS: readonly (readonly [number, bigint])[] = [
  [4, 0x00cffb000000ffffn],
  [5, 0x00cff3000000ffffn],
  [6, 0x00affb000000ffffn],
]

/** How x87, MMX and SSE get in and out: FXSAVE images. */
export interface FxState {
  load(cpu: FlatCpu, image: Uint8Array): void
  save(cpu: FlatCpu): Uint8Array
}

export class OurProcessor {
  readonly cpu: FlatCpu
  readonly #interpreter: Interpreter
  readonly #fx: FxState | undefined

  constructor(fx?: FxState) {
    this.cpu = new FlatCpu([
      { address: CODE, bytes: PAGE },
      { address: DATA, bytes: PAGE },
      { address: READ_ONLY, bytes: PAGE, writable: false },
      { address: STACK, bytes: PAGE },
    ])
    for (const [index, descriptor] of USER_DESCRIPTORS) this.cpu.descriptors.set(index, descriptor)
    this.cpu.bytesAt(CODE, PAGE).fill(0xcc)
    this.#interpreter = new Interpreter(this.cpu)
    this.#fx = fx
  }

  run(case_: Case): Uint8Array {
    this.#setUp(case_)
    const { cpu } = this
    const exit = this.#interpreter.step()
    const out = new Uint8Array(OUT_BYTES)
    const view = new DataView(out.buffer)
    this.#reason(exit, view)
    view.setBigUint64(R_RIP, rip(cpu), true)
    // RF is what the fault pushes, which is not compared.
    view.setBigUint64(R_FLAGS, BigInt(statusFlags(cpu) | (otherFlags(cpu) & ~RF)), true)
    for (let n = 0; n < 16; n++) view.setBigUint64(R_GPR + 8 * n, gpr(cpu, n), true)
    out.set(cpu.bytesAt(DATA_WINDOW, WINDOW), R_DATA)
    out.set(cpu.bytesAt(STACK_WINDOW, WINDOW), R_STACK)
    if (case_.fx && this.#fx) out.set(this.#fx.save(cpu), R_FX)
    return out
  }

  #reason(exit: number, view: DataView): void {
    const state = this.cpu.view
    const vector = exit === Exit.privileged ? GP : state.getUint32(S_EXIT_VECTOR, true)
    view.setUint32(R_VECTOR, NO_FAULT, true)
    if (exit !== Exit.fault && exit !== Exit.interrupt && exit !== Exit.privileged) throw new Error(`exit ${exit}`)
    if (vector === SINGLE_STEP) return
    view.setUint32(R_VECTOR, vector, true)
    if (exit !== Exit.fault) return
    view.setUint32(R_ERROR, Math.max(0, state.getInt32(S_EXIT_CODE, true)), true)
    if (vector === 14) view.setBigUint64(R_CR2, state.getBigUint64(S_EXIT_ADDRESS, true), true)
  }

  #setUp(case_: Case): void {
    const { cpu } = this
    const { view } = cpu
    view.setUint32(S_MODE, case_.mode, true)
    this.#segments(case_.mode)
    for (let n = 0; n < 16; n++) setGpr(cpu, n, case_.gpr[n]!)
    setRip(cpu, INSTRUCTION)
    setOtherFlags(cpu, (case_.flags & ~OSZAPC) | TF | IF | 2)
    view.setUint32(S_CC_OP, CcOp.flags * 4 + 2, true)
    view.setBigUint64(S_CC_SRC, BigInt(case_.flags & OSZAPC), true)
    cpu.bytesAt(INSTRUCTION, 32).fill(0xcc).set(case_.code)
    cpu.bytesAt(DATA, PAGE).fill(0)
    cpu.bytesAt(STACK, PAGE).fill(0)
    cpu.bytesAt(DATA_WINDOW, WINDOW).set(case_.data)
    cpu.bytesAt(STACK_WINDOW, WINDOW).set(case_.stack)
    if (case_.fx) this.#fx?.load(cpu, case_.fx)
  }

  #segments(mode: Mode): void {
    const { cpu } = this
    setSelector(cpu, CS, mode === 64 ? 0x33 : 0x23)
    setSelector(cpu, SS, 0x2b)
    for (const n of [ES, DS]) setSelector(cpu, n, mode === 64 ? 0 : 0x2b)
    setSegmentBase(cpu, GS, DATA)
  }
}
