/** Bytes of an instruction's form: the decoder's inverse, for tests. AMD APM volume 3, chapter 1. */
import { type Entry, entryOf } from './dispatch.ts'
import type { Form } from './forms.ts'
import { MAP_ESCAPES, type Mode } from './insn.ts'

export interface Address {
  /** -1: none. RSP is no index. */
  readonly base: number
  readonly index: number
  readonly scale: 1 | 2 | 4 | 8
  readonly disp: number
  /** `base` and `index` are -1, `disp` counts from the next instruction. */
  readonly ripRelative?: boolean
}

/** What a form leaves open. What is not given is 0, or not there. */
export interface Choice {
  /** Of ModRM's reg field, by whatever file it is of; general byte registers 16 to 19 are AH to BH. */
  readonly reg?: number
  /** Of ModRM's rm field, or the one in the opcode. */
  readonly rm?: number
  readonly address?: Address
  /** Immediates, distances of jumps and offsets of memory, in the row's order. */
  readonly immediates?: readonly bigint[]
  readonly lock?: boolean
  readonly repeat?: 'rep' | 'repne'
  /** Of an override. */
  readonly segment?: number
  /** 67: 4 instead of 8 bytes in 64-bit mode. In compatibility mode addresses of 2 bytes are not offered. */
  readonly shortAddress?: boolean
}

/** The bytes of an instruction. What the choice asks for is not checked: the decoder will. */
export function encode(form: Form, choice: Choice = {}): Uint8Array {
  const { row, mode, size, rm } = form
  const { encoding } = row
  const entry = entryOf(row)
  const takesReg = entry.operands.some(({ method }) => 'GVPSCD'.includes(method))
  const reg = encoding.reg >= 0 ? encoding.reg : takesReg ? (choice.reg ?? 0) : 0
  const { base, index } =
    rm === 'mem' ? (choice.address ?? NOWHERE) : { base: entry.takesRegister ? (choice.rm ?? 0) : 0, index: -1 }
  const w = size === 8 && mode === 64 && !entry.d64 && entry.sizeType !== 'n'
  const rex = (w ? 8 : 0) | (isHigh(reg) ? 4 : 0) | (isHigh(index) ? 2 : 0) | (isHigh(base) ? 1 : 0)
  const out = prefixes(form, choice)
  if (rex || needsRex(entry, form, reg, base)) out.push(0x40 | rex)
  out.push(...MAP_ESCAPES[encoding.map]!)
  out.push(encoding.opcode | (encoding.registerInOpcode ? low3(base) : 0))
  if (encoding.modrm >= 0) out.push(encoding.modrm)
  else if (entry.hasModrm) {
    if (rm === 'mem') out.push(...memory(mode, low3(reg), choice.address ?? NOWHERE))
    else out.push(0xc0 | (low3(reg) << 3) | low3(base))
  }
  let next = 0
  for (const spec of entry.operands) {
    const bytes = immediateBytes(spec.method, spec.type, form, choice)
    if (bytes > 0) out.push(...littleEndian(choice.immediates?.[next++] ?? 0n, bytes))
  }
  return Uint8Array.from(out)
}

const NOWHERE: Address = { base: -1, index: -1, scale: 1, disp: 0 }
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]
const REPEAT_PREFIXES: Record<string, number> = { f2: 0xf2, f3: 0xf3, repne: 0xf2, rep: 0xf3 }

function prefixes({ row: { encoding }, size }: Form, choice: Choice): number[] {
  const out: number[] = []
  if (choice.segment !== undefined) out.push(SEGMENT_PREFIXES[choice.segment]!)
  if (choice.shortAddress) out.push(0x67)
  if (encoding.prefix === '66' || size === 2) out.push(0x66)
  if (choice.lock) out.push(0xf0)
  const repeat = REPEAT_PREFIXES[encoding.prefix] ?? REPEAT_PREFIXES[choice.repeat ?? '']
  if (repeat !== undefined) out.push(repeat)
  return out
}

const isHigh = (n: number): boolean => n >= 8 && n < 16
/** AH to BH are byte registers 4 to 7. */
const low3 = (n: number): number => (n >= 16 ? n - 12 : n & 7)

/** SPL to DIL are there only with it. */
function needsRex({ operands }: Entry, { mode, rm }: Form, reg: number, base: number): boolean {
  const isNew = (n: number): boolean => n >= 4 && n < 8
  return operands.some(
    ({ method, type }) =>
      mode === 64 &&
      type === 'b' &&
      ((method === 'G' && isNew(reg)) || ('ERZ'.includes(method) && rm !== 'mem' && isNew(base))),
  )
}

/** Of an operand; 0: it is none that has bytes of its own. */
function immediateBytes(method: string, type: string, { mode, size }: Form, choice: Choice): number {
  if (method === 'O') return mode === 32 ? 4 : choice.shortAddress ? 4 : 8
  if (method === 'J') return type === 'b' ? 1 : size === 2 ? 2 : 4
  if (method !== 'I') return 0
  if (type === 'b' || type === 'bs') return 1
  return type === 'w' ? 2 : type === 'z' && size === 8 ? 4 : size
}

const littleEndian = (value: bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, at) => Number((value >> BigInt(at * 8)) & 0xffn))

/** ModRM, SIB and displacement: the shortest there are. */
function memory(mode: Mode, reg: number, { base, index, scale, disp, ripRelative }: Address): number[] {
  const disp32 = littleEndian(BigInt(disp), 4)
  const sib = ([1, 2, 4, 8].indexOf(scale) << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base < 0 ? 5 : base & 7)
  if (base < 0) {
    if (ripRelative || (mode === 32 && index < 0)) return [(reg << 3) | 5, ...disp32]
    return [(reg << 3) | 4, sib, ...disp32]
  }
  const mod = disp === 0 && (base & 7) !== 5 ? 0 : disp >= -128 && disp < 128 ? 1 : 2
  const address = index >= 0 || (base & 7) === 4 ? [4, sib] : [base & 7]
  return [(mod << 6) | (reg << 3) | address[0]!, ...address.slice(1), ...disp32.slice(0, [0, 1, 4][mod])]
}
