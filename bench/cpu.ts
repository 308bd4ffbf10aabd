/** The x86-64 vCPU: how many guest instructions a second translated code and the interpreter do, and what it costs to translate them. */
import { RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '#cpu/isa/insn.ts'
import { THRESHOLD } from '#cpu/vcpu.ts'
import { hex, PagedMachine } from '#testing/cpu/paged-machine.ts'
import { type Figure, median } from './reference.ts'

const CODE = 0x400000n
const DATA = 0x10000n
const DATA_PAGES = 8
const R12 = 12
const R13 = 13

interface Program {
  readonly name: string
  readonly code: Uint8Array
  /** Instructions that a round takes, about. */
  readonly perRound: number
  /** Registers for so many rounds. */
  start(rounds: bigint): readonly (readonly [n: number, value: bigint])[]
}

const PROGRAMS: readonly Program[] = [
  {
    // mov (%rsi),%rax; add; xor; shr; add, and twice; mov %rax,(%rdi); dec %rcx; jnz
    name: 'loop of 11 with a load and a store',
    code: hex('488b064801d84831d048c1e8034883c31181e3ffff00004883c6084881e6ffdfffff48890748ffc975d6f4'),
    perRound: 11,
    start: (rounds) => [
      [RCX, rounds],
      [RSI, DATA],
      [RDI, DATA + 4096n],
      [RBX, 5n],
      [RDX, 7n],
    ],
  },
  {
    // cmp; jae; xor; jmp; cmp; jne; inc; inc; cmp; jne
    name: 'xen_vmalloc_p2m_tree: 10 in four blocks',
    code: hex('4c39e373048b06eb0531c0eb019039c2750affc548ffc34439ed75e4f4'),
    perRound: 10,
    start: (rounds) => [
      [RBX, 0n],
      [R12, 0n],
      [RDX, 0n],
      [RBP, 0n],
      [R13, rounds],
    ],
  },
  {
    // mov %rbx,%rdi; mov %rdx,%rcx; xor %eax,%eax; rep stosq; mov %r8,%rdi; mov %rbx,%rsi; mov %rdx,%rcx; rep movsq; dec %rbp; jnz
    name: 'pages cleared and copied (an iteration is an instruction)',
    code: hex('4889df4889d131c0f348ab4c89c74889de4889d1f348a548ffcd75e4f4'),
    perRound: 1034,
    start: (rounds) => [
      [RBP, rounds],
      [RBX, DATA],
      [RDX, 512n],
      [8, DATA + 4096n],
    ],
  },
  {
    // Three xorshifts, then two jumps as the bits fall.
    name: 'jumps by data',
    code: hex(
      '89c2c1e20d31d089c2c1ea1131d089c2c1e20531d0a801740e4983c001a80274134983c102eb174983ea01a80475054931c3eb0a4c8b264d01e54c896e0848ffc975bdf4',
    ),
    perRound: 17,
    start: (rounds) => [
      [0, 12345n],
      [RCX, rounds],
      [RSI, DATA],
    ],
  },
  {
    // call; dec; jnz and push; mov; add; imul; pop; ret
    name: 'calls of a function nearby',
    code: hex('e80b00000048ffc975f6f40f1f440000534889cb4883c303480fafc35bc3'),
    perRound: 9,
    start: (rounds) => [
      [RCX, rounds],
      [RSP, DATA + 4096n],
    ],
  },
]

export const names = PROGRAMS.map(({ name }) => name)

/** Instructions a second. */
export function speed(which: number, instructions: number, threshold: number | undefined, now: () => number): number {
  const { code, perRound, start } = PROGRAMS[which]!
  const machine = new PagedMachine(threshold)
  for (let n = 0; n < DATA_PAGES; n++) machine.map(DATA + BigInt(n * 4096), 16 + n)
  const run = (): number => {
    machine.load(CODE, code, 1)
    machine.set(start(BigInt(Math.ceil(instructions / perRound)) + 1n))
    const from = now()
    machine.vcpu.run(instructions)
    return now() - from
  }
  // The engine needs a while to compile again what has turned out to be hot.
  run()
  return (instructions / median(3, run)) * 1000
}

/** Loads, lea, compare-and-jump, a store, additions: seven instructions of 23 bytes. */
const PIECE = hex('488b4608488d5c0301483b5e10750048895e184883c008')
const PIECES = 4000
const PIECE_INSTRUCTIONS = 7
/** Regions begin so many pieces apart. */
const STEP = 40

/** Microseconds an instruction: to translate it, and to translate it and run it once (engines compile a function when it is first called). */
export function translating(now: () => number): readonly [translated: number, andRun: number] {
  const code = new Uint8Array(PIECE.length * PIECES + 1).fill(0xf4)
  for (let n = 0; n < PIECES; n++) code.set(PIECE, n * PIECE.length)
  const machine = new PagedMachine(THRESHOLD)
  const { vcpu, translator } = machine
  const once = (): void => {
    machine.load(CODE, code, 32)
    machine.set([[RSI, DATA]])
    vcpu.run(PIECES * PIECE_INSTRUCTIONS)
  }
  machine.map(DATA, 16)
  once()
  const from = now()
  for (let n = 0; n < PIECES; n += STEP) translator!.want(vcpu, CODE + BigInt(n * PIECE.length))
  translator!.translateWanted()
  const translated = now()
  once()
  const { instructions } = translator!.counts
  return [((translated - from) * 1000) / instructions, ((now() - from) * 1000) / instructions]
}

export function benchCpu(): Figure[] {
  const now = (): number => performance.now()
  const figures: Figure[] = []
  PROGRAMS.forEach(({ name }, n) => {
    figures.push({
      name: `translated, ${name}: million instructions a second`,
      unit: 'count',
      value: speed(n, 3e8, 64, now) / 1e6,
    })
  })
  figures.push({
    name: 'interpreted: million instructions a second',
    unit: 'count',
    value: speed(0, 5e5, undefined, now) / 1e6,
  })
  const [translated, andRun] = translating(now)
  figures.push({ name: 'to translate an instruction', unit: 'us', value: translated })
  figures.push({ name: 'to translate it and run it once', unit: 'us', value: andRun })
  return figures
}
