/** Segment registers: what may be loaded, what it does to the base, and what is refused with which error code (Intel SDM volume 3, 5.4 to 5.6). */
import { describe, expect, test } from 'vitest'
import { GP, NP, SS_FAULT } from '../fault.ts'
import { statusFlags } from '../flags.ts'
import { FlatCpu } from '../flat-cpu.ts'
import { Interpreter } from '../interpret/interpreter.ts'
import { CS, DS, ES, FS, GS, type Mode, RAX, RBX, RSP, SS } from '../isa/insn.ts'
import { AC_FLAG, CF, DF, Exit, ID, IF, IOPL, S_EXIT_CODE, S_EXIT_VECTOR, TF, ZF } from '../state.ts'
import {
  gpr,
  otherFlags,
  rip,
  segmentBase,
  selector,
  setGpr,
  setOtherFlags,
  setRip,
  setSegmentBase,
  setSelector,
} from '../state-access.ts'

const CODE = 0x1000n
const DATA = 0x8000n

/** Bits of a descriptor's second word. */
const DATA_SEGMENT = 0x1000
const WRITABLE = 0x200
const CODE_SEGMENT = 0x1800
const READABLE = 0x200
const PRESENT = 0x8000
const LONG = 0x200000
const BIG = 0x400000
const dpl = (n: number): number => n << 13

const descriptor = (base: number, bits: number): bigint =>
  (BigInt(((base & 0xff000000) | bits | ((base >> 16) & 0xff)) >>> 0) << 32n) | BigInt(((base << 16) | 0xffff) >>> 0)

const DESCRIPTORS: readonly (readonly [index: number, descriptor: bigint])[] = [
  [1, descriptor(0x12345678, DATA_SEGMENT | WRITABLE | PRESENT | dpl(3))],
  [2, descriptor(0, DATA_SEGMENT | WRITABLE | PRESENT | dpl(0))],
  [3, descriptor(0x1000, DATA_SEGMENT | WRITABLE | dpl(3))],
  [4, descriptor(0, CODE_SEGMENT | READABLE | LONG | PRESENT | dpl(3))],
  [5, descriptor(0, CODE_SEGMENT | READABLE | BIG | PRESENT | dpl(3))],
  [6, descriptor(0, CODE_SEGMENT | PRESENT | BIG | dpl(3))],
  [7, descriptor(0, DATA_SEGMENT | PRESENT | dpl(3))],
]

function machine(mode: Mode, ...bytes: number[]): { cpu: FlatCpu; interpreter: Interpreter } {
  const cpu = new FlatCpu(
    [
      { address: CODE, bytes: 0x1000 },
      { address: DATA, bytes: 0x1000 },
    ],
    mode,
  )
  for (const [index, value] of DESCRIPTORS) cpu.descriptors.set(index, value)
  setSelector(cpu, CS, mode === 64 ? 0x23 : 0x2b)
  cpu.bytesAt(CODE, bytes.length).set(bytes)
  setRip(cpu, CODE)
  setGpr(cpu, RSP, DATA + 0x800n)
  return { cpu, interpreter: new Interpreter(cpu) }
}

const MOV_TO = (n: number): number[] => [0x8e, 0xc0 | (n << 3)]

describe('a selector that is loaded', () => {
  test.each([
    ['DS', DS],
    ['ES', ES],
    ['FS', FS],
    ['GS', GS],
    ['SS', SS],
  ])('into %s brings its base', (_, n) => {
    const { cpu, interpreter } = machine(64, ...MOV_TO(n))
    setGpr(cpu, RAX, 0xffff000bn)
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect([selector(cpu, n), segmentBase(cpu, n)]).toEqual([0x0b, 0x12345678n])
  })

  test('may be null, which clears the base', () => {
    const { cpu, interpreter } = machine(64, ...MOV_TO(FS))
    setSegmentBase(cpu, FS, 0x7000_0000_0000n)
    setGpr(cpu, RAX, 3n)
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect([selector(cpu, FS), segmentBase(cpu, FS)]).toEqual([3, 0n])
  })

  test('comes from the stack and from far pointers, too', () => {
    const { cpu, interpreter } = machine(64, 0x0f, 0xa9, 0x0f, 0xb4, 0x18) // pop %gs; lfs (%rax),%ebx
    cpu.store(8, DATA + 0x800n, 0x0bn)
    setGpr(cpu, RAX, DATA)
    cpu.store(4, DATA, 0xcafe)
    cpu.store(2, DATA + 4n, 0x0b)
    expect(interpreter.run(2)).toBe(Exit.budget)
    expect([selector(cpu, GS), segmentBase(cpu, FS), gpr(cpu, RBX)]).toEqual([0x0b, 0x12345678n, 0xcafen])
    expect(gpr(cpu, RSP)).toBe(DATA + 0x808n)
  })

  test.each([
    ['beyond the table', DS, 0x803n, GP, 0x800],
    ['in the local table, which is not there', DS, 0x0fn, GP, 0x0c],
    ['of a more privileged segment', DS, 0x13n, GP, 0x10],
    ['of one that is not present', DS, 0x1bn, NP, 0x18],
    ['of a stack that is not present', SS, 0x1bn, SS_FAULT, 0x18],
    ['of code that cannot be read', ES, 0x33n, GP, 0x30],
    ['of code, for the stack', SS, 0x23n, GP, 0x20],
    ['of data that cannot be written, for the stack', SS, 0x3bn, GP, 0x38],
    ['with another RPL, for the stack', SS, 0x08n, GP, 0x08],
    ['null, for the stack', SS, 0n, GP, 0],
  ])('%s is refused', (_, n, value, vector, code) => {
    const { cpu, interpreter } = machine(64, ...MOV_TO(n))
    setSelector(cpu, n, 0x55)
    setGpr(cpu, RAX, value)
    expect(interpreter.run(1)).toBe(Exit.fault)
    expect([cpu.view.getUint32(S_EXIT_VECTOR, true), cpu.view.getInt32(S_EXIT_CODE, true)]).toEqual([vector, code])
    expect([selector(cpu, n), rip(cpu)]).toEqual([0x55, CODE])
  })
})

test('a far jump changes the mode, and RSP with it', () => {
  const { cpu, interpreter } = machine(64, 0xff, 0x28) // ljmp *(%rax)
  setGpr(cpu, RAX, DATA)
  setGpr(cpu, RSP, 0x1_0000_8800n)
  cpu.store(4, DATA, Number(CODE) + 0x100)
  cpu.store(2, DATA + 4n, 0x2b)
  cpu.bytesAt(CODE + 0x100n, 1).set([0x40]) // inc %eax, which 64-bit mode does not have
  expect(interpreter.run(2)).toBe(Exit.budget)
  expect([cpu.mode, gpr(cpu, RAX), gpr(cpu, RSP)]).toEqual([32, DATA + 1n, 0x8800n])
})

test('in compatibility mode all bases count, and addresses have 32 bits', () => {
  const { cpu, interpreter } = machine(32, 0x8b, 0x03, 0x65, 0x8b, 0x03) // mov (%ebx),%eax; mov %gs:(%ebx),%eax
  setGpr(cpu, RBX, 0x18n)
  setSegmentBase(cpu, DS, DATA)
  setSegmentBase(cpu, GS, 0xffff_fff0n)
  cpu.store(4, DATA + 0x18n, 7)
  expect(interpreter.run(1)).toBe(Exit.budget)
  expect(gpr(cpu, RAX)).toBe(7n)
  expect(interpreter.run(1)).toBe(Exit.fault)
  setGpr(cpu, RBX, 0x8028n)
  expect(interpreter.run(1)).toBe(Exit.budget)
  expect(gpr(cpu, RAX)).toBe(7n)
})

test('addresses of 16 bits wrap', () => {
  const { cpu, interpreter } = machine(32, 0x67, 0x8b, 0x07, 0x67, 0xe3, 0x10) // mov (%bx),%eax; jcxz
  setGpr(cpu, RBX, 0xabcd_8010n)
  cpu.store(4, DATA + 0x10n, 9)
  setGpr(cpu, 1, 0xffff0000n)
  expect(interpreter.run(2)).toBe(Exit.budget)
  expect([gpr(cpu, RAX), rip(cpu)]).toEqual([9n, CODE + 0x16n])
})

/** What IRETQ finds on the stack: RIP, CS, RFLAGS, RSP and SS. */
function frame(cpu: FlatCpu, ...words: readonly bigint[]): void {
  for (const [n, word] of words.entries()) cpu.store(8, gpr(cpu, RSP) + BigInt(8 * n), word)
}
const IRETQ = [0x48, 0xcf]

describe('IRETQ', () => {
  test('brings RIP, CS, RFLAGS, RSP and SS; of the flags not what is the kernel’s', () => {
    const { cpu, interpreter } = machine(64, ...IRETQ)
    setOtherFlags(cpu, 2 | IF)
    frame(cpu, CODE + 0x123n, 0x23n, BigInt(CF | ZF | TF | DF | IOPL | AC_FLAG | ID), DATA + 0x10n, 0x0bn)
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect([rip(cpu), gpr(cpu, RSP), selector(cpu, CS), selector(cpu, SS)]).toEqual([
      CODE + 0x123n,
      DATA + 0x10n,
      0x23,
      0x0b,
    ])
    expect(otherFlags(cpu)).toBe(2 | IF | TF | DF | AC_FLAG | ID)
    expect(statusFlags(cpu)).toBe(CF | ZF)
  })

  test('leads to compatibility mode', () => {
    const { cpu, interpreter } = machine(64, ...IRETQ)
    frame(cpu, 0x1234n, 0x2bn, 2n, 0x5_0000_6789n, 0x0bn)
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect([cpu.mode, rip(cpu), gpr(cpu, RSP)]).toEqual([32, 0x1234n, 0x6789n])
  })

  test.each([
    ['code of level 0', 0x20n, 0x0bn, GP, 0x20],
    ['data for code', 0x0bn, 0x0bn, GP, 0x08],
    ['no code segment', 0n, 0x0bn, GP, 0],
    ['no stack segment', 0x23n, 0n, GP, 0],
    ['code for the stack', 0x23n, 0x2bn, GP, 0x28],
    ['a stack that is not present', 0x23n, 0x1bn, SS_FAULT, 0x18],
  ])('to %s is refused, and nothing has happened', (_, code, stack, vector, error) => {
    const { cpu, interpreter } = machine(64, ...IRETQ)
    const top = gpr(cpu, RSP)
    frame(cpu, CODE, code, 2n, DATA, stack)
    expect(interpreter.run(1)).toBe(Exit.fault)
    expect([cpu.view.getUint32(S_EXIT_VECTOR, true), cpu.view.getInt32(S_EXIT_CODE, true)]).toEqual([vector, error])
    expect([rip(cpu), gpr(cpu, RSP), selector(cpu, CS)]).toEqual([CODE, top, 0x23])
  })

  test('to an address that is not canonical is #GP(0)', () => {
    const { cpu, interpreter } = machine(64, ...IRETQ)
    frame(cpu, 0x8000_0000_0000n, 0x23n, 2n, DATA, 0x0bn)
    expect(interpreter.run(1)).toBe(Exit.fault)
    expect([cpu.view.getUint32(S_EXIT_VECTOR, true), cpu.view.getInt32(S_EXIT_CODE, true)]).toEqual([GP, 0])
  })
})

test('LRETQ loads CS, as kernels do that have made a new GDT', () => {
  const { cpu, interpreter } = machine(64, 0x48, 0xcb)
  setSelector(cpu, CS, 0x33)
  frame(cpu, CODE + 0x40n, 0x23n)
  expect(interpreter.run(1)).toBe(Exit.budget)
  expect([rip(cpu), selector(cpu, CS), gpr(cpu, RSP)]).toEqual([CODE + 0x40n, 0x23, DATA + 0x810n])
})

test('POPF leaves IOPL and IF alone', () => {
  const { cpu, interpreter } = machine(64, 0x9d)
  setOtherFlags(cpu, 2 | IF)
  frame(cpu, BigInt(IOPL | DF | CF))
  expect(interpreter.run(1)).toBe(Exit.budget)
  expect([otherFlags(cpu), statusFlags(cpu)]).toEqual([2 | IF | DF, CF])
})
