/** Small programs as bytes, run in flat memory: what steps, faults, exits and counts look like. What each instruction does is compared with the host's processor elsewhere. */
import { describe, expect, test } from 'vitest'
import { GP, PF, PF_PRESENT, PF_USER, PF_WRITE, UD } from '../fault.ts'
import { statusFlags } from '../flags.ts'
import { FlatCpu } from '../flat-cpu.ts'
import { RAX, RBX, RCX, RDI, RSI, RSP } from '../isa/insn.ts'
import { Exit, S_EXIT_ADDRESS, S_EXIT_CODE, S_EXIT_VECTOR, TF, ZF } from '../state.ts'
import { gpr, otherFlags, rip, setGpr, setOtherFlags, setRip } from '../state-access.ts'
import { GOES_ON, Interpreter } from './interpreter.ts'

const CODE = 0x1000n
const DATA = 0x8000n
const READ_ONLY = 0xa000n

function machine(...bytes: number[]): { cpu: FlatCpu; interpreter: Interpreter } {
  const cpu = new FlatCpu([
    { address: CODE, bytes: 0x2000 },
    { address: DATA, bytes: 0x2000 },
    { address: READ_ONLY, bytes: 0x1000, writable: false },
  ])
  cpu.bytesAt(CODE, bytes.length).set(bytes)
  setRip(cpu, CODE)
  setGpr(cpu, RSP, DATA + 0x1000n)
  return { cpu, interpreter: new Interpreter(cpu) }
}

const exitOf = ({ view }: FlatCpu): unknown => ({
  vector: view.getUint32(S_EXIT_VECTOR, true),
  code: view.getInt32(S_EXIT_CODE, true),
  address: view.getBigUint64(S_EXIT_ADDRESS, true),
})

describe('a run', () => {
  test('adds up the numbers to a hundred in a loop, and counts every instruction', () => {
    // mov $100,%ecx; 1: add %rcx,%rax; dec %ecx; jne 1b; ud2
    const { cpu, interpreter } = machine(0xb9, 100, 0, 0, 0, 0x48, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xf9, 0x0f, 0x0b)
    expect(interpreter.run(1000)).toBe(Exit.fault)
    expect(exitOf(cpu)).toEqual({ vector: UD, code: -1, address: 0n })
    expect(gpr(cpu, RAX)).toBe(5050n)
    expect(rip(cpu)).toBe(CODE + 12n)
    expect(interpreter.executed).toBe(301)
    expect(statusFlags(cpu) & ZF).toBe(ZF)
  })

  test('ends when its budget does, between iterations too', () => {
    const { cpu, interpreter } = machine(0xf3, 0xa4, 0x90) // rep movsb; nop
    setGpr(cpu, RCX, 5n)
    setGpr(cpu, RSI, CODE)
    setGpr(cpu, RDI, DATA)
    expect(interpreter.run(3)).toBe(Exit.budget)
    expect([gpr(cpu, RCX), gpr(cpu, RSI), rip(cpu)]).toEqual([2n, CODE + 3n, CODE])
    expect(interpreter.run(2)).toBe(Exit.budget)
    expect([gpr(cpu, RCX), rip(cpu)]).toEqual([0n, CODE + 2n])
    expect([...cpu.bytesAt(DATA, 4)]).toEqual([0xf3, 0xa4, 0x90, 0])
  })

  test('sees code that changes', () => {
    const { cpu, interpreter } = machine(0xff, 0xc0) // inc %eax
    interpreter.run(1)
    cpu.bytesAt(CODE, 2)[1] = 0xc3 // inc %ebx
    setRip(cpu, CODE)
    interpreter.run(1)
    expect([gpr(cpu, RAX), gpr(cpu, RBX)]).toEqual([1n, 1n])
  })

  test('executes what lies across the end of a page', () => {
    const { cpu, interpreter } = machine()
    cpu.bytesAt(CODE + 0xffen, 5).set([0xb8, 1, 2, 3, 4])
    setRip(cpu, CODE + 0xffen)
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect(gpr(cpu, RAX)).toBe(0x04030201n)
  })
})

describe('a block', () => {
  // inc %eax; jmp +0; inc %eax; jmp back to the first
  const bytes = [0xff, 0xc0, 0xeb, 0x00, 0xff, 0xc0, 0xeb, 0xf8]

  test('goes up to a jump that leads further than the next instruction', () => {
    const { cpu, interpreter } = machine(...bytes)
    expect([interpreter.block(100), interpreter.executed, rip(cpu)]).toEqual([GOES_ON, 4, CODE])
    expect([interpreter.block(100), interpreter.executed, gpr(cpu, RAX)]).toEqual([GOES_ON, 8, 4n])
  })

  test('has no more instructions than the budget, and ends where somebody asks', () => {
    const { cpu, interpreter } = machine(...bytes)
    expect([interpreter.block(3), interpreter.executed, rip(cpu)]).toEqual([GOES_ON, 3, CODE + 6n])
    setRip(cpu, CODE)
    interpreter.asked = true
    expect([interpreter.block(100), interpreter.executed, rip(cpu)]).toEqual([GOES_ON, 4, CODE + 2n])
  })

  test('sees what its own instructions change behind them', () => {
    // movb $0xc3,2(%rip): makes the second of `inc %eax; inc %eax` an `inc %ebx`; jmp to the start
    const { cpu, interpreter } = machine(0xc6, 0x05, 3, 0, 0, 0, 0xc3, 0xff, 0xc0, 0xff, 0xc0, 0xeb, 0xf3)
    interpreter.block(2)
    cpu.bytesAt(CODE, 11)[10] = 0xc0
    setRip(cpu, CODE + 7n)
    interpreter.block(100)
    expect([gpr(cpu, RAX), gpr(cpu, RBX)]).toEqual([3n, 0n])
    interpreter.block(100)
    expect([gpr(cpu, RAX), gpr(cpu, RBX)]).toEqual([4n, 1n])
  })

  test('is one instruction with TF', () => {
    const { cpu, interpreter } = machine(...bytes)
    setOtherFlags(cpu, otherFlags(cpu) | TF)
    expect([interpreter.block(100), interpreter.executed, interpreter.isOnlyStepped]).toEqual([Exit.fault, 1, true])
  })

  test('of a fault leaves what came before done', () => {
    const { cpu, interpreter } = machine(0xff, 0xc0, 0x48, 0x89, 0x03) // inc %eax; mov %rax,(%rbx)
    setGpr(cpu, RBX, READ_ONLY)
    expect([interpreter.block(100), interpreter.executed, rip(cpu)]).toEqual([Exit.fault, 1, CODE + 2n])
  })
})

describe('a fault', () => {
  test('leaves everything as it was', () => {
    const { cpu, interpreter } = machine(0x48, 0x01, 0x03) // add %rax,(%rbx)
    setGpr(cpu, RAX, 1n)
    setGpr(cpu, RBX, READ_ONLY)
    expect(interpreter.run(10)).toBe(Exit.fault)
    expect(exitOf(cpu)).toEqual({ vector: PF, code: PF_PRESENT | PF_WRITE | PF_USER, address: READ_ONLY })
    expect([rip(cpu), interpreter.executed]).toEqual([CODE, 0])
  })

  test('of an access across pages is at the second page', () => {
    const { cpu, interpreter } = machine(0x48, 0x89, 0x03) // mov %rax,(%rbx)
    setGpr(cpu, RBX, DATA + 0x1ffcn)
    setGpr(cpu, RAX, 0xffffffffffffffffn)
    interpreter.run(1)
    expect(exitOf(cpu)).toEqual({ vector: PF, code: PF_PRESENT | PF_WRITE | PF_USER, address: READ_ONLY })
    expect([...cpu.bytesAt(DATA + 0x1ffcn, 4)]).toEqual([0, 0, 0, 0])
  })

  test('comes where nothing is mapped, from the next byte needed', () => {
    const { cpu, interpreter } = machine()
    cpu.bytesAt(CODE + 0x1ffen, 2).set([0xb8, 1])
    setRip(cpu, CODE + 0x1ffen)
    expect(interpreter.run(1)).toBe(Exit.fault)
    expect(exitOf(cpu)).toEqual({ vector: PF, code: PF_USER, address: CODE + 0x2000n })
  })

  test('of a jump to what is not canonical is the jump’s own', () => {
    const { cpu, interpreter } = machine(0xff, 0xe0) // jmp *%rax
    setGpr(cpu, RAX, 0x8000_0000_0000n)
    expect(interpreter.run(1)).toBe(Exit.fault)
    expect([exitOf(cpu), rip(cpu)]).toEqual([{ vector: GP, code: 0, address: 0n }, CODE])
  })
})

test('what is not the processor’s to do ends the run', () => {
  const { cpu, interpreter } = machine(0xcc, 0xcd, 0x80, 0x0f, 0x05, 0xf4) // int3; int $0x80; syscall; hlt
  expect([interpreter.run(9), cpu.view.getUint32(S_EXIT_VECTOR, true), rip(cpu)]).toEqual([
    Exit.interrupt,
    3,
    CODE + 1n,
  ])
  expect([interpreter.run(9), cpu.view.getUint32(S_EXIT_VECTOR, true)]).toEqual([Exit.interrupt, 0x80])
  expect([interpreter.run(9), gpr(cpu, RCX)]).toEqual([Exit.syscall, CODE + 5n])
  expect([interpreter.run(9), rip(cpu), interpreter.executed]).toEqual([Exit.privileged, CODE + 5n, 3])
})

test('with TF every instruction is followed by #DB', () => {
  const { cpu, interpreter } = machine(0xff, 0xc0, 0xff, 0xc0)
  setOtherFlags(cpu, otherFlags(cpu) | TF)
  expect(interpreter.run(9)).toBe(Exit.fault)
  expect([exitOf(cpu), rip(cpu)]).toEqual([{ vector: 1, code: -1, address: 0n }, CODE + 2n])
})
