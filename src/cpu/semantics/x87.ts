/**
 * All x87 instructions: helpers over the register file. Each waits first for exceptions that earlier ones have left, if
 * it is one that waits.
 */
import { type Insn, SS } from '../isa/insn.ts'
import type { Emitter, Helper, Semantics } from './emitter.ts'
import { helper } from './helper.ts'
import { effectiveAddress, linear, resize } from './operands.ts'
import { X87_ARITHMETIC, type X87Action } from './x87-arithmetic.ts'
import { X87_CONTROL, X87_CONTROL_WAITING, X87_STACK } from './x87-control.ts'
import { checkStack, X87 } from './x87-file.ts'
import { X87_TRANSCENDENTAL } from './x87-transcendental.ts'
import { moveIf, X87_TRANSFER } from './x87-transfer.ts'

interface Kind {
  readonly waits: boolean
  /** FIP and FDP remember it. */
  readonly noted: boolean
}

/** The memory operand, if `bytes` is not 0, is at `address`, and at `offset` in its segment; `stack`: that is SS. */
const helperOf = (mnemonic: string, action: X87Action, { waits, noted }: Kind): Helper =>
  helper(`x87.${mnemonic}`, (cpu, rip, address, offset, bytes, stack, to, from) => {
    const fpu = new X87(cpu, rip as bigint)
    if (waits) fpu.wait()
    if (stack === 1) checkStack(address as bigint, bytes as number)
    action(fpu, { address: address as bigint, bytes: bytes as number, to: to as number, from: from as number })
    if (noted) fpu.note(bytes === 0 ? undefined : (offset as bigint))
    return undefined
  })

/**
 * An instruction's operands as arguments of its helper: FP stack registers and memory, in the order in which they are
 * written.
 */
function call<V>(e: Emitter<V>, insn: Insn, action: Helper): void {
  const registers = insn.operands.flatMap((operand) => (operand.kind === 'st' ? [operand.n] : []))
  const memory = insn.operands.find((operand) => operand.kind === 'mem')
  const offset = memory ? effectiveAddress(e, insn, memory) : e.imm(insn.addressSize, 0)
  const address = memory ? linear(e, insn, memory.segment, offset) : e.imm(8, 0)
  // The only register is source or destination.
  const [to = 0, from = to] = registers
  const numbers = [memory?.size ?? 0, memory?.segment === SS ? 1 : 0, to, from].map((n) => e.imm(4, n))
  e.helper(action, 0, e.imm(8, e.rip), address, resize(e, insn.addressSize, 8, offset), ...numbers)
}

function table(actions: Record<string, X87Action>, kind: Kind): [string, Semantics][] {
  return Object.entries(actions).map(([mnemonic, action]) => {
    const whole = helperOf(mnemonic, action, kind)
    return [
      mnemonic,
      (e, insn) => {
        e.fpu()
        call(e, insn, whole)
      },
    ]
  })
}

const NOTED: Kind = { waits: true, noted: true }

const conditionalMove = helper('x87.fcmov', (cpu, rip, from, holds) => {
  const fpu = new X87(cpu, rip as bigint)
  fpu.wait()
  moveIf(fpu, from as number, holds === 1)
  fpu.note(undefined)
  return undefined
})

/** FCMOVcc by the condition of its name, Jcc's number. */
const MOVES: [string, number][] = [
  ['b', 2],
  ['e', 4],
  ['be', 6],
  ['u', 10],
  ['nb', 3],
  ['ne', 5],
  ['nbe', 7],
  ['nu', 11],
]

const move =
  (condition: number): Semantics =>
  (e, insn) => {
    e.fpu()
    const [, from] = insn.operands
    e.helper(conditionalMove, 0, e.imm(8, e.rip), e.imm(4, from?.kind === 'st' ? from.n : 0), e.condition(condition))
  }

export const X87_SEMANTICS: Record<string, Semantics> = Object.fromEntries([
  ...table({ ...X87_ARITHMETIC, ...X87_TRANSCENDENTAL, ...X87_TRANSFER, ...X87_STACK }, NOTED),
  ...table(X87_CONTROL_WAITING, { waits: true, noted: false }),
  ...table(X87_CONTROL, { waits: false, noted: false }),
  ...MOVES.map(([name, condition]): [string, Semantics] => [`fcmov${name}`, move(condition)]),
])
