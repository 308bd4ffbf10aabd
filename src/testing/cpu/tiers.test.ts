/**
 * The interpreter and translated code do the same: programs of dice run on two vCPUs, one of which translates everything soon, in slices of any length; after every slice and
 * every fault registers, memory, page tables and what is left of the budget agree.
 */
import { expect, test } from 'vitest'
import { decode } from '#cpu/isa/decode.ts'
import { encode } from '#cpu/isa/encode.ts'
import { type Form, formName, formsOf } from '#cpu/isa/forms.ts'
import type { Mode } from '#cpu/isa/insn.ts'
import { semanticsOf } from '#cpu/semantics/index.ts'
import { Exit, S_LEAVE } from '#cpu/state.ts'
import { rip, setRip } from '#cpu/state-access.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { float } from './fpu-family.ts'
import { NO_EXECUTE, PagedMachine, PRESENT, USER, WRITABLE } from './paged-machine.ts'

/** Programs cross the end of their first page. */
const CODE = 0x400f80n
const CODE_FRAME = 1
/** Four pages that may be written to, one that may only be read, and nothing behind. */
const DATA = 0x10000
const DATA_FRAME = 16
const DATA_PAGES = 5
const SLICES = 40
/** R15 counts rounds; no instruction is given it. */
const ROUNDS = 15

const FORMS = formsOf(64).filter(({ row }) => semanticsOf(row) !== undefined)
const FORMS_32 = formsOf(32).filter(({ row }) => semanticsOf(row) !== undefined)
const FLOATS = FORMS.filter(
  ({ row }) =>
    /^(?:(?:add|sub|mul|div|sqrt|min|max|cmp|u?comi)[sp][sd]|cvt)/.test(row.mnemonic) && !row.attributes.has('mmx'),
)
const isJump = ({ row }: Form): boolean => row.operands.some((operand) => operand.startsWith('J'))
const PLAIN = FORMS.filter(
  (form) =>
    !isJump(form) &&
    /^(?:add|adc|sub|sbb|and|or|xor|cmp|test|inc|dec|neg|shl|sar|mov|movzx|lea)$/.test(form.row.mnemonic),
)

interface Program {
  /** What is in memory; undefined: dice. */
  readonly data?: Uint8Array
  readonly mode: Mode
  readonly bytes: readonly number[]
  readonly starts: readonly bigint[]
  readonly names: readonly string[]
}

function instruction(rng: Rng, forms: readonly Form[]): [Uint8Array, string] {
  for (;;) {
    const form = rng.pick(forms)
    const anywhere = DATA + rng.below(DATA_PAGES * 4096) + (rng.below(8) === 0 ? 4096 - 3 : 0)
    const bytes = encode(form, {
      reg: rng.below(8),
      rm: rng.below(8),
      address: {
        base: rng.below(40) === 0 ? 3 : -1,
        index: -1,
        scale: 1,
        disp: rng.below(3) === 0 ? anywhere : anywhere & ~15,
      },
      immediates: [BigInt(isJump(form) ? rng.below(24) : rng.below(65536) - 32768), BigInt(rng.below(16))],
      ...(rng.below(3) === 0 && { repeat: rng.pick(['rep', 'repne'] as const) }),
    })
    const decoded = decode((n) => bytes[n] ?? 0, form.mode)
    if (decoded && decoded.length === bytes.length) return [bytes, formName(form)]
  }
}

const dword = (value: number): readonly number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 255)

class Assembler implements Program {
  data?: Uint8Array
  readonly mode: Mode
  readonly bytes: number[] = []
  readonly starts: bigint[] = []
  readonly names: string[] = []

  constructor(mode: Mode) {
    this.mode = mode
  }

  add(part: Iterable<number>, name: string): void {
    this.starts.push(CODE + BigInt(this.bytes.length))
    this.names.push(name)
    this.bytes.push(...part)
  }
  /** What string and stack instructions like. */
  prepare(rng: Rng): void {
    this.add([0xbe, ...dword(DATA + rng.below(8192))], 'mov $,%esi')
    this.add([0xbf, ...dword(DATA + rng.below(8192))], 'mov $,%edi')
    this.add([0xb9, ...dword(rng.below(6))], 'mov $,%ecx')
    this.add([0xbc, ...dword(DATA + 8192)], 'mov $,%esp')
  }
}

/** Any instructions, a number of rounds. */
function anything(rng: Rng): Program {
  const made = new Assembler(64)
  made.prepare(rng)
  const length = 4 + rng.below(40)
  for (let n = 0; n < length; n++) made.add(...instruction(rng, FORMS))
  made.add([0x49, 0xff, 0xcf], 'dec %r15')
  made.add([0x0f, 0x85, ...dword(-(made.bytes.length + 6))], 'jnz')
  made.add([0xf4], 'hlt')
  return made
}

/** The same in compatibility mode, without an end. */
function anything32(rng: Rng): Program {
  const made = new Assembler(32)
  made.prepare(rng)
  const length = 4 + rng.below(40)
  for (let n = 0; n < length; n++) made.add(...instruction(rng, FORMS_32))
  made.add([0xe9, ...dword(-(made.bytes.length + 5))], 'jmp')
  return made
}

/** Few instructions between many jumps to anywhere, loops that no compiler would make among them. */
function jumps(rng: Rng): Program {
  const made = new Assembler(64)
  made.prepare(rng)
  const patches: number[] = []
  const length = 8 + rng.below(30)
  for (let n = 0; n < length; n++) {
    if (rng.below(3) !== 0) made.add(...instruction(rng, PLAIN))
    else {
      const condition = rng.below(18)
      made.add(condition < 16 ? [0x0f, 0x80 + condition, 0, 0, 0, 0] : [0xe9, 0, 0, 0, 0], 'jump')
      patches.push(made.bytes.length)
    }
  }
  made.add([0x49, 0xff, 0xcf], 'dec %r15')
  made.add([0x0f, 0x85, ...dword(-(made.bytes.length + 6))], 'jnz')
  made.add([0xf4], 'hlt')
  for (const end of patches) made.bytes.splice(end - 4, 4, ...dword(Number(rng.pick(made.starts) - CODE) - end))
  return made
}

/** Floats of all kinds, with whatever is in MXCSR; often what lets translated code use the engine's own. */
function floats(rng: Rng): Program {
  const made = new Assembler(64)
  made.data = new Uint8Array(DATA_PAGES * 4096)
  const view = new DataView(made.data.buffer)
  for (let at = 0; at < made.data.length; at += 8) {
    const single = (): bigint => float(rng, 4)
    view.setBigUint64(at, rng.below(2) === 0 ? float(rng, 8) : single() | (single() << 32n), true)
  }
  for (let n = 0; n < 16; n++) view.setUint32(4 * n, rng.below(3) === 0 ? rng.below(65536) | 0x1f80 : 0x1fa0, true)
  const length = 20 + rng.below(30)
  for (let n = 0; n < length; n++) {
    // ldmxcsr, and movups into a register, from somewhere.
    if (n % 16 === 0) made.add([0x0f, 0xae, 0x14, 0x25, ...dword(DATA + 4 * rng.below(16))], 'ldmxcsr')
    const from = DATA + 64 + 8 * rng.below(2000)
    if (rng.below(2) === 0) made.add([0x0f, 0x10, 4 + 8 * rng.below(8), 0x25, ...dword(from)], 'movups')
    made.add(...instruction(rng, FLOATS))
  }
  made.add([0xe9, ...dword(-(made.bytes.length + 5))], 'jmp')
  return made
}

/** Long copies and fills: across pages, over themselves, backwards, onto pages that may not be written to. */
function strings(rng: Rng): Program {
  const made = new Assembler(64)
  made.add([0x49, 0xc7, 0xc7, ...dword(2 ** 31 - 1)], 'mov $,%r15')
  const length = 3 + rng.below(6)
  for (let n = 0; n < length; n++) {
    const from = DATA + rng.below(3 * 4096)
    const to = rng.below(3) === 0 ? from + rng.below(40) - 20 : DATA + rng.below((rng.below(4) === 0 ? 5 : 3) * 4096)
    made.add([0xbe, ...dword(from & (rng.below(2) === 0 ? ~7 : ~0))], 'mov $,%esi')
    made.add([0xbf, ...dword(to & (rng.below(2) === 0 ? ~7 : ~0))], 'mov $,%edi')
    made.add([0xb9, ...dword(rng.below(rng.pick([6, 1500, 9000])))], 'mov $,%ecx')
    const value = rng.pick([0, 0, -1, 0x41414141, rng.below(2 ** 31)])
    made.add([0x48, 0xc7, 0xc0, ...dword(value)], 'mov $,%rax')
    made.add([rng.below(5) === 0 ? 0xfd : 0xfc], 'cld or std')
    const size = rng.pick([[], [0x66], [0x48], [0x67, 0x48]])
    made.add([0xf3, ...size, rng.pick([0xa4, 0xa5, 0xa5, 0xaa, 0xab, 0xab])], 'rep movs or stos')
  }
  made.add([0xe9, ...dword(-(made.bytes.length + 5))], 'jmp')
  return made
}

function machine(rng: Rng, { bytes, mode, data }: Program, threshold: number | undefined): PagedMachine {
  const made = new PagedMachine(threshold)
  made.setMode(mode)
  for (let n = 0; n < DATA_PAGES; n++) {
    const rights = PRESENT | USER | NO_EXECUTE | (n < DATA_PAGES - 1 ? WRITABLE : 0n)
    made.map(BigInt(DATA + n * 4096), DATA_FRAME + n, rights)
  }
  made.bytes.set(data ?? rng.bytes(DATA_PAGES * 4096), DATA_FRAME * 4096)
  made.load(CODE, Uint8Array.from(bytes), CODE_FRAME)
  made.set([
    [ROUNDS, 60n],
    ...[0, 2, 3, 5, 8].map((n) => [n, BigInt(rng.below(2 ** 32)) << BigInt(rng.below(33))] as const),
  ])
  return made
}

/** State, RAM and page tables; not what belongs to the translator. */
const seen = ({ bytes, base }: PagedMachine): readonly Buffer[] => [
  Buffer.from(bytes.buffer, base, S_LEAVE),
  Buffer.from(bytes.buffer, 0, base),
]

function difference(interpreted: readonly Buffer[], translated: readonly Buffer[]): string {
  for (const [which, a] of interpreted.entries()) {
    const b = translated[which]!
    if (a.equals(b)) continue
    const at = a.findIndex((byte, n) => byte !== b[n]) & ~7
    const words = [a, b].map((buffer) => buffer.readBigUInt64LE(at).toString(16))
    return `${which === 0 ? 'state' : 'memory'} at ${at}: ${words[0]} interpreted, ${words[1]} translated`
  }
  return ''
}

/** What differs first, and how much was translated. Slices have up to `longest` instructions. */
function compare(make: (rng: Rng) => Program, longest: number, seed: number): readonly [string, number] {
  const rng = createRng(seed)
  const made = make(rng)
  const one = machine(createRng(seed), made, undefined)
  const two = machine(createRng(seed), made, 2)
  for (let slice = 0; slice < SLICES; slice++) {
    const budget = 1 + rng.below(rng.below(4) === 0 ? 40 : longest)
    const before = rip(one.vcpu)
    const exits = [one, two].map(({ vcpu }) => vcpu.run(budget))
    const found = difference(seen(one), seen(two))
    if (found !== '') {
      const listing = made.starts.map((start, n) => `${start.toString(16)} ${made.names[n]}`)
      const where = `seed ${seed}, slice ${slice}: ${budget} from ${before.toString(16)}, exits ${exits}: ${found}`
      return [[where, ...listing].join('\n'), 0]
    }
    if (exits[0] === Exit.budget) continue
    const next = made.starts.find((start) => start > rip(one.vcpu)) ?? CODE
    for (const { vcpu } of [one, two]) setRip(vcpu, next)
  }
  return ['', two.translator!.counts.instructions]
}

test.each([
  ['any instructions', anything, 700, 60],
  ['any instructions of compatibility mode', anything32, 700, 60],
  ['jumps to anywhere', jumps, 700, 60],
  ['floats', floats, 700, 15],
  ['long strings', strings, 5000, 10],
])('%s end alike, slice by slice', (_, make, longest, programs) => {
  let translated = 0
  for (let n = 0; n < programs; n++) {
    const [found, instructions] = compare(make, longest, 1000 * n + Number(process.env['TIER_FIRST'] ?? 1))
    expect(found).toBe('')
    translated += instructions
  }
  expect(translated).toBeGreaterThan(programs * 10)
})
