/**
 * Cases for the processors, the host's and ours: a form of an instruction in one of its variants (how it is addressed, which registers, which prefixes), with operands that are
 * half dice, half edges. All of it comes from a seeded generator, so that none of it need be kept.
 */
import { decode } from '#cpu/isa/decode.ts'
import { entryOf } from '#cpu/isa/dispatch.ts'
import { type Address, type Choice, encode } from '#cpu/isa/encode.ts'
import type { Form } from '#cpu/isa/forms.ts'
import { GS, type Insn, type MemOperand, RSP } from '#cpu/isa/insn.ts'
import { AF, CF, DF, OF_FLAG, PF_FLAG, SF, ZF } from '#cpu/state.ts'
import type { Rng } from '#lib/prng.ts'
import { type Case, DATA, DATA_WINDOW, INSTRUCTION, READ_ONLY, STACK, STACK_WINDOW, WINDOW } from './layout.ts'

export type Addressing = 'base' | 'index' | 'rip' | 'absolute' | 'short' | 'gs'

export interface Variant {
  readonly form: Form
  readonly name: string
  /** Where there is memory. */
  readonly addressing?: Addressing
  /** Register operands among the new ones of 64-bit mode; otherwise among the old ones. */
  readonly isHigh: boolean
  readonly lock: boolean
  readonly repeat?: 'rep' | 'repne'
}

/** A case in the making. */
export interface Draft {
  readonly rng: Rng
  readonly insn: Insn
  readonly gpr: BigUint64Array
  readonly data: Uint8Array
  readonly stack: Uint8Array
  flags: number
  fx?: Uint8Array
  /** Linear address of what the instruction's memory operand names. */
  readonly target: bigint | undefined
  /** A register's value, unless an address is made of it. */
  set(n: number, value: bigint): void
}

/** What a family of instructions wants of its cases. */
export interface Wishes {
  /** Before there are bytes. */
  choose?(rng: Rng, variant: Variant, choice: { -readonly [K in keyof Choice]: Choice[K] }): void
  /** Before the case is complete. */
  prepare?(draft: Draft): void
  /** Of the memory operand, where it may well be one. */
  alignment?(insn: Insn): number
}

export function variantsOf(form: Form): Variant[] {
  const { row, mode, rm } = form
  const entry = entryOf(row)
  // Opcode and operands; the mnemonic, as rows for all conditions have one text.
  const [opcode, , operands] = row.text.split(/\s+/)
  const rowName = `${opcode} ${row.mnemonic} ${operands}`
  const has = (...methods: string[]): boolean => entry.operands.some(({ method }) => methods.includes(method))
  const isWide = mode === 64
  const out: Variant[] = []
  const add = (label: string, variant: Partial<Variant>): void => {
    const name = [`${rowName} | ${mode} bit`, `size ${form.size}`, rm, label]
      .filter((part) => part && part !== 'none')
      .join(', ')
    out.push({ form, name, isHigh: false, lock: false, ...variant })
  }
  if (rm === 'mem') {
    const ways: Addressing[] = isWide ? ['base', 'index', 'rip', 'short', 'gs'] : ['base', 'index', 'absolute']
    for (const addressing of ways) add(addressing, { addressing })
    if (entry.lockable) add('lock', { addressing: 'base', lock: true })
  } else if (has('X', 'Y', 'BX', 'DI')) {
    const prefixes = [undefined, ...(entry.repeatable ? (['rep', 'repne'] as const) : [])]
    const ways: Addressing[] = isWide ? ['base', 'short', ...(has('X', 'BX') ? (['gs'] as const) : [])] : ['base']
    for (const repeat of prefixes) {
      for (const addressing of ways)
        add([repeat, addressing].filter(Boolean).join(' '), { addressing, ...(repeat && { repeat }) })
    }
  } else if (has('O')) {
    for (const addressing of (isWide ? ['base', 'short', 'gs'] : ['base']) as Addressing[])
      add(addressing, { addressing })
  } else {
    const isGeneral = has('E', 'G', 'R', 'Z')
    add(isGeneral ? 'old registers' : '', {})
    if (isWide && isGeneral) add('new registers', { isHigh: true })
  }
  return out
}

/** Where arithmetic turns over: powers of two and what is beside them, of either sign, small numbers, and the top bits of all sizes. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  -1n,
  -2n,
  0x8000_0080_8000_8080n,
  ...Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).flatMap((power) => [
    power,
    power - 1n,
    power + 1n,
    -power,
  ]),
  ...Array.from({ length: 64 }, (_, n) => BigInt(4 * n) - 128n),
].map((value) => BigInt.asUintN(64, value))
/** The first ones come as often as all others. */
const COMMON = 6

const word = new BigUint64Array(1)
const halves = new Uint32Array(word.buffer)

/** Eight bytes: dice or an edge. */
export function value64(rng: Rng): bigint {
  const draw = rng.u32()
  if ((draw & 1) === 0) return EDGES[(draw >>> 2) % ((draw & 2) === 0 ? EDGES.length : COMMON)]!
  halves[0] = rng.u32()
  halves[1] = rng.u32()
  return word[0]!
}

const OLD_BYTE_REGISTERS = [0, 1, 2, 3, 16, 17, 18, 19]

function registerFor(rng: Rng, { isHigh }: Variant, isByte: boolean): number {
  if (isHigh) return isByte && rng.below(3) === 0 ? 4 + rng.below(4) : 8 + rng.below(8)
  if (isByte) return rng.pick(OLD_BYTE_REGISTERS)
  return rng.below(8)
}

const ONE_IN = (rng: Rng, n: number): boolean => rng.below(n) === 0

/** Somewhere that `bytes` fit into the window; or, now and then, across its end into the read-only page, or where nothing is, or no address. */
function targetFor(rng: Rng, bytes: number, alignment: number, isWide: boolean): bigint {
  const size = BigInt(Math.max(bytes, 1))
  const room = WINDOW - Math.min(Math.max(bytes, 1), WINDOW)
  switch (rng.below(20)) {
    case 0:
      return READ_ONLY - BigInt(rng.below(Number(size)))
    case 1:
      return READ_ONLY + BigInt(rng.below(64))
    case 2:
      return READ_ONLY + 0x1000n - BigInt(rng.below(Number(size) + 1))
    case 3:
      return DATA - BigInt(rng.below(Number(size) + 1))
    case 4:
      if (isWide) return BigInt.asUintN(64, 0x1234_0000_0000_0000n + BigInt(rng.u32()))
  }
  const offset = rng.below(room + 1)
  return DATA_WINDOW + BigInt(ONE_IN(rng, 8) ? offset : offset - (offset % alignment))
}

/** In the middle of the stack's window; or, now and then, at the end of its page, or no address. */
function stackFor(rng: Rng, isWide: boolean): bigint {
  switch (rng.below(24)) {
    case 0:
      return STACK + BigInt(rng.below(9))
    case 1:
      return STACK + 0x1000n - BigInt(rng.below(9))
    case 2:
      if (isWide) return 0xffff_0000_0000_0000n
  }
  return STACK_WINDOW + BigInt(WINDOW / 2 + (ONE_IN(rng, 4) ? rng.below(8) : 0))
}

function addressFor(rng: Rng, { addressing, form: { mode } }: Variant): Address {
  const registers = mode === 64 ? 16 : 8
  const base = rng.below(registers)
  switch (addressing) {
    case 'rip':
      return { base: -1, index: -1, scale: 1, disp: 0, ripRelative: true }
    case 'absolute':
      return { base: -1, index: -1, scale: 1, disp: 0 }
    case 'index': {
      let index = rng.below(registers)
      while (index === RSP || index === base) index = rng.below(registers)
      const scale = rng.pick([1, 2, 4, 8] as const)
      return { base: ONE_IN(rng, 4) ? -1 : base, index, scale, disp: rng.below(0x2000) - 0x1000 }
    }
    default:
      return { base, index: -1, scale: 1, disp: rng.pick([0, 0, rng.below(256) - 128, rng.below(0x20000) - 0x10000]) }
  }
}

/** Registers such that the operand is at `target`. */
function point(gpr: BigUint64Array, insn: Insn, mem: MemOperand, target: bigint, rng: Rng): void {
  const bits = 8 * insn.addressSize
  let offset = target - (insn.mode === 64 && mem.segment === GS ? DATA : 0n) - mem.disp
  if (mem.index >= 0) {
    if (mem.base < 0) {
      gpr[mem.index] = BigInt.asUintN(bits, offset) / BigInt(mem.scale)
      return
    }
    gpr[mem.index] = BigInt.asUintN(bits, ONE_IN(rng, 2) ? value64(rng) : BigInt(rng.below(64)))
    offset -= gpr[mem.index]! * BigInt(mem.scale)
  }
  if (mem.base < 0) return
  // What is beyond the address size does not count.
  const garbage = insn.mode === 64 && insn.addressSize === 4 ? BigInt(rng.u32()) << 32n : 0n
  gpr[mem.base] = BigInt.asUintN(bits, offset) | garbage
}

const FLAGS = [CF, PF_FLAG, AF, ZF, SF, OF_FLAG] as const

function words(rng: Rng, bytes: number): Uint8Array {
  const out = new Uint32Array(bytes / 4)
  for (let i = 0; i < out.length; i++) out[i] = rng.u32()
  return new Uint8Array(out.buffer)
}

const decodeBytes = (bytes: Uint8Array, variant: Variant): Insn => {
  const insn = decode((at) => bytes[at] ?? 0, variant.form.mode)
  if (!insn) throw new Error(`cannot be decoded: ${variant.name}: ${bytes}`)
  return insn
}

export function caseOf(variant: Variant, rng: Rng, wishes: Wishes = {}): Case {
  const { form, addressing, lock, repeat } = variant
  const { mode } = form
  const isWide = mode === 64 && addressing !== 'short'
  const entry = entryOf(form.row)
  const isByte = (methods: string): boolean =>
    entry.operands.some(({ method, type }) => methods.includes(method) && type === 'b')
  const isMemory = form.rm === 'mem'
  const choice: { -readonly [K in keyof Choice]: Choice[K] } = {
    reg: registerFor(rng, variant, isByte('G')),
    rm: registerFor(rng, variant, isByte('ERZ')),
    immediates: [value64(rng), value64(rng), value64(rng)],
    lock,
    ...(repeat && { repeat }),
    ...(isMemory && { address: addressFor(rng, variant) }),
    ...(addressing === 'short' && { shortAddress: true }),
    ...(addressing === 'gs' && { segment: GS }),
  }
  wishes.choose?.(rng, variant, choice)
  let code = encode(form, choice)
  const insn = decodeBytes(code, variant)
  const gpr = new BigUint64Array(16)
  for (let n = 0; n < 16; n++) gpr[n] = BigInt.asUintN(mode, value64(rng))
  gpr[RSP] = stackFor(rng, mode === 64)
  let target: bigint | undefined
  const memories = insn.operands.filter((operand) => operand.kind === 'mem')
  const isOffset = entry.operands.some(({ method }) => method === 'O')
  const isFixed = addressing === 'rip' || addressing === 'absolute' || isOffset
  for (const mem of memories) {
    const alignment = wishes.alignment?.(insn) ?? 1
    target = targetFor(rng, mem.size, alignment, isWide && !isFixed)
    if (isOffset) choice.immediates = [target - (addressing === 'gs' ? DATA : 0n)]
    else if (isFixed) {
      const from = addressing === 'rip' ? INSTRUCTION + BigInt(code.length) : 0n
      choice.address = { ...choice.address!, disp: Number(target - from) }
    } else point(gpr, insn, mem, target, rng)
  }
  if (isFixed) code = encode(form, choice)
  let flags = 0
  for (const flag of FLAGS) if (ONE_IN(rng, 2)) flags |= flag
  if (form.row.reads.includes('d') && ONE_IN(rng, 2)) flags |= DF
  const isAddress = (n: number): boolean => memories.some((mem) => mem.base === n || mem.index === n)
  const set = (n: number, value: bigint): void => {
    if (!isAddress(n)) gpr[n] = BigInt.asUintN(64, value)
  }
  const draft: Draft = { rng, insn, gpr, data: words(rng, WINDOW), stack: words(rng, WINDOW), flags, target, set }
  wishes.prepare?.(draft)
  if (mode === 32) for (let n = 0; n < 16; n++) gpr[n] = gpr[n]! & 0xffffffffn
  return {
    mode,
    code,
    gpr,
    flags: draft.flags,
    data: draft.data,
    stack: draft.stack,
    ...(draft.fx && { fx: draft.fx }),
  }
}

/** Offset of a target in the data window; undefined where it is not wholly there. */
export function inWindow(target: bigint | undefined, bytes: number): number | undefined {
  if (target === undefined || target < DATA_WINDOW || target + BigInt(bytes) > READ_ONLY) return undefined
  return Number(target - DATA_WINDOW)
}
