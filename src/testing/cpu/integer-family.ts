/** Integer instructions for the comparison: which, and what their operands should be like. */
import { type Form, formsOf } from '#cpu/isa/forms.ts'
import { RAX, RBP, RBX, RCX, RDX, RSP, type Size } from '#cpu/isa/insn.ts'
import { INTEGER } from '#cpu/semantics/integer.ts'
import { AC_FLAG } from '#cpu/state.ts'
import type { Rng } from '#lib/prng.ts'
import { type Draft, inWindow, type Variant, value64, variantsOf, type Wishes } from './cases.ts'
import type { Family } from './family.ts'
import { INSTRUCTION, STACK_WINDOW, WINDOW } from './layout.ts'

const IMPLEMENTED = new Set(INTEGER.map(([mnemonic]) => mnemonic))

/**
 * What cannot be compared: system calls; what tells about the host (its time, its tables, which Linux makes up under UMIP) or would change segments that the runner lives on; and
 * opcodes that mean something else on a processor with more features, or, as AMD's have it of SYSENTER and SYSEXIT, nothing in long mode. INT1 is told wrongly by hypervisors that intercept it.
 */
const LEFT_OUT = new Set(
  'int syscall sysenter sysexit cpuid rdtsc rdtscp sgdt sidt sldt str smsw les lds lss lfs lgs int1'.split(' '),
)

function isComparable({ row }: Form): boolean {
  if (!IMPLEMENTED.has(row.mnemonic) && !row.attributes.has('priv')) return false
  if (LEFT_OUT.has(row.mnemonic) || row.name === 'tzcnt' || row.name === 'lzcnt') return false
  const loadsSegment =
    (row.mnemonic === 'mov' || row.mnemonic === 'pop') && /^(?:S|[C-GES]S$)/.test(row.operands[0] ?? '')
  return !loadsSegment
}

const variants = (): Variant[] => [...formsOf(64), ...formsOf(32)].filter(isComparable).flatMap(variantsOf)

/** Code and stack segments of Linux's programs; a data segment, none, and one that is not there. */
const SELECTORS = [0x33, 0x23, 0x2b, 0x2b, 0, 3, 0x1000, 0x1b]

function put(bytes: Uint8Array, at: number | undefined, size: number, value: bigint): void {
  if (at === undefined || at < 0 || at + size > bytes.length) return
  for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
}

function get(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!)
  return value
}

/** A multiple of the operation's size within the stack's window, counted from RSP. */
const stackOffset = ({ gpr }: Draft): number => Number(BigInt.asUintN(64, gpr[RSP]! - STACK_WINDOW))

const coin = (rng: Rng): boolean => rng.below(2) === 0

/** Dividends whose quotient mostly fits. */
function dividend({ rng, gpr, insn, set }: Draft): void {
  const operand = insn.operands[0]!
  if (operand.kind === 'reg' && operand.n === RDX) return
  const choice = rng.below(4)
  if (choice === 0) set(RDX, 0n)
  else if (choice === 1) set(RDX, BigInt.asIntN(8 * insn.size, gpr[RAX]!) < 0n ? -1n : 0n)
  else if (choice === 2) set(RDX, BigInt(rng.below(16)))
}

/** Half of the comparisons should find what they expect. */
function accumulator(draft: Draft): void {
  const { rng, insn, gpr, data, target, set } = draft
  if (coin(rng)) return
  const operand = insn.operands[0]!
  if (operand.kind === 'reg') gpr[RAX] = gpr[operand.n & 15]!
  else if (operand.kind === 'mem') {
    const at = inWindow(target, operand.size)
    if (at !== undefined) set(RAX, get(data, at, operand.size))
  }
}

function accumulators(draft: Draft): void {
  const { rng, insn, data, target, set } = draft
  const operand = insn.operands[0]!
  if (coin(rng) || operand.kind !== 'mem') return
  const half = operand.size / 2
  const at = inWindow(target, operand.size)
  if (at === undefined) return
  set(RAX, get(data, at, half))
  set(RDX, get(data, at + half, half))
}

/** Bits near the operand. What is beyond its size does not count. */
function bitOffset({ rng, insn, gpr, set }: Draft): void {
  const [memory, number] = insn.operands
  if (memory?.kind !== 'mem' || number?.kind !== 'reg') return
  const bits = 8 * number.size
  const near = BigInt.asUintN(bits, BigInt(rng.below(1024) - 512))
  set(number.n, ((gpr[number.n]! >> BigInt(bits)) << BigInt(bits)) | near)
}

/** Strings: where they are is chosen; how long, hardly ever as long as dice would have it. */
function string({ rng, insn, gpr, data }: Draft): void {
  if (insn.repeat !== undefined && rng.below(8) !== 0) gpr[RCX] = BigInt(rng.pick([0, 1, 1, 2, 3, 100]))
  // Half of all comparisons should find equals.
  if (coin(rng)) {
    data.fill(rng.below(256))
    if (coin(rng)) gpr[RAX] = get(data, 0, 8)
  }
}

/** A selector and an offset on the stack or in memory, and for IRET what else it takes. */
function farFrame(bytes: Uint8Array, at: number | undefined, size: Size, rng: Rng): void {
  if (at === undefined) return
  const offset = rng.below(4) === 0 ? value64(rng) : INSTRUCTION + BigInt(rng.below(16))
  put(bytes, at, size, offset)
  put(bytes, at + size, size, BigInt(rng.pick(SELECTORS)))
}

function interruptFrame(draft: Draft): void {
  const { rng, insn, stack } = draft
  const { size } = insn
  const at = stackOffset(draft)
  farFrame(stack, at, size, rng)
  put(stack, at + 2 * size, size, flagsImage(rng))
  put(stack, at + 3 * size, size, value64(rng))
  put(stack, at + 4 * size, size, BigInt(rng.pick([0x2b, 0x2b, 0x2b, 0x33, 0, 0x1000])))
}

/** Without AC, which would have the runner itself fault. */
const flagsImage = (rng: Rng): bigint => value64(rng) & ~BigInt(AC_FLAG)

/** The selector that LAR and its kin look at. Number 15 tells which processor it is. */
function selectorOperand(draft: Draft): void {
  const { rng, insn, gpr, data, target } = draft
  const operand = insn.operands.at(-1)!
  const value = BigInt(coin(rng) ? rng.pick(SELECTORS) : 8 * (14 + 2 * rng.below(64)) + rng.below(4))
  if (operand.kind === 'reg') gpr[operand.n] = value
  // Across the end of the window its upper byte is zero.
  data[WINDOW - 1] = 0x2b
  if (operand.kind === 'mem') put(data, inWindow(target, 2), 2, value)
}

const PREPARE: Readonly<Record<string, (draft: Draft) => void>> = {
  div: dividend,
  idiv: dividend,
  cmpxchg: accumulator,
  cmpxchg8b: accumulators,
  cmpxchg16b: accumulators,
  bt: bitOffset,
  bts: bitOffset,
  btr: bitOffset,
  btc: bitOffset,
  movs: string,
  cmps: string,
  stos: string,
  lods: string,
  scas: string,
  ins: string,
  outs: string,
  lar: selectorOperand,
  lsl: selectorOperand,
  verr: selectorOperand,
  verw: selectorOperand,
  xlat: ({ gpr }) => {
    gpr[RBX] = BigInt.asUintN(64, gpr[RBX]! - (gpr[RAX]! & 0xffn))
  },
  leave: (draft) => {
    draft.gpr[RBP] = draft.gpr[RSP]!
    draft.gpr[RSP] = value64(draft.rng)
  },
  enter: (draft) => {
    draft.gpr[RBP] = STACK_WINDOW + BigInt(draft.rng.below(WINDOW))
  },
  popf: (draft) => put(draft.stack, stackOffset(draft), 8, flagsImage(draft.rng)),
  // Where it cannot read all, some processors have changed the registers that they could read; ours have not.
  popa: ({ gpr }) => {
    gpr[RSP] = STACK_WINDOW
  },
  iret: interruptFrame,
  retf: (draft) => farFrame(draft.stack, stackOffset(draft), draft.insn.size, draft.rng),
  jmpf: (draft) => farFrame(draft.data, inWindow(draft.target, 2 * draft.insn.size), draft.insn.size, draft.rng),
  callf: (draft) => farFrame(draft.data, inWindow(draft.target, 2 * draft.insn.size), draft.insn.size, draft.rng),
  ret: (draft) => {
    if (coin(draft.rng)) put(draft.stack, stackOffset(draft), 8, INSTRUCTION + 5n)
  },
  jcxz: ({ rng, gpr }) => {
    if (coin(rng)) gpr[RCX] = rng.below(3) === 0 ? 0xffffffff00000000n : 0n
  },
  loop: ({ gpr, rng }) => {
    if (coin(rng)) gpr[RCX] = 1n
  },
}

const CHOOSE: Readonly<Record<string, NonNullable<Wishes['choose']>>> = {
  jmpf: (rng, _, choice) => {
    choice.immediates = [value64(rng), BigInt(rng.pick(SELECTORS))]
  },
  callf: (rng, _, choice) => {
    choice.immediates = [value64(rng), BigInt(rng.pick(SELECTORS))]
  },
  // What lies further up the stack is looked at by some processors, as if it were a return to an outer level.
  retf: (rng, _, choice) => {
    choice.immediates = [BigInt(rng.below(32))]
  },
  enter: (rng, _, choice) => {
    choice.immediates = [
      BigInt(rng.pick([0, 8, 16, 40, rng.below(65536)])),
      BigInt(rng.pick([0, 0, 1, 2, 3, rng.below(256)])),
    ]
  },
}

/** Control and debug registers that there are; whether there is one is asked before whether it is allowed. */
const REGISTER_FILES: Readonly<Record<string, readonly number[]>> = {
  C: [0, 2, 3, 4, 8],
  D: [0, 1, 2, 3, 6, 7],
  S: [0, 1, 2, 3, 4, 5],
}

const wishes: Wishes = {
  choose(rng, variant, choice) {
    const { mnemonic, operands } = variant.form.row
    for (const operand of operands) {
      const file = REGISTER_FILES[operand[0]!]
      if (file && /^[CDS][nw]$/.test(operand)) choice.reg = rng.pick(file)
    }
    CHOOSE[mnemonic]?.(rng, variant, choice)
  },
  prepare(draft) {
    PREPARE[draft.insn.row.mnemonic]?.(draft)
  },
  alignment: (insn) => (insn.row.mnemonic === 'cmpxchg16b' ? 16 : 1),
}

export const INTEGER_FAMILY: Family = { name: 'integer', variants, wishes }
