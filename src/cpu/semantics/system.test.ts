/** What cannot be compared with the host's processor: CPUID, the time stamp, system calls, what only some processors have, and what is left to the hypervisor. */
import { describe, expect, test } from 'vitest'
import { UD } from '../fault.ts'
import { FlatCpu } from '../flat-cpu.ts'
import { Interpreter } from '../interpret/interpreter.ts'
import { RAX, RBX, RCX, RDX } from '../isa/insn.ts'
import { CF, Exit, RF, S_EXIT_VECTOR, S_MODE } from '../state.ts'
import { gpr, rip, setGpr, setOtherFlags, setRip, setStatusFlags } from '../state-access.ts'

const CODE = 0x1000n

class TalkativeCpu extends FlatCpu {
  override cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
    return [leaf + 1, subleaf + 2, 0xffffffff, 4]
  }
  override tsc(): bigint {
    return 0x1234_5678_9abc_def0n
  }
}

function machine(...bytes: number[]): { cpu: FlatCpu; interpreter: Interpreter } {
  const cpu = new TalkativeCpu([{ address: CODE, bytes: 0x1000 }])
  cpu.bytesAt(CODE, bytes.length).set(bytes)
  setRip(cpu, CODE)
  for (const n of [RAX, RBX, RCX, RDX]) setGpr(cpu, n, 0xffff_ffff_0000_0000n | BigInt(n))
  return { cpu, interpreter: new Interpreter(cpu) }
}

test('CPUID asks with EAX and ECX and clears the upper halves', () => {
  const { cpu, interpreter } = machine(0x0f, 0xa2)
  interpreter.run(1)
  expect([RAX, RBX, RCX, RDX].map((n) => gpr(cpu, n))).toEqual([1n, 3n, 0xffffffffn, 4n])
})

test('RDTSC is in EDX and EAX', () => {
  const { cpu, interpreter } = machine(0x0f, 0x31)
  interpreter.run(1)
  expect([gpr(cpu, RAX), gpr(cpu, RDX)]).toEqual([0x9abcdef0n, 0x12345678n])
})

test('SYSCALL keeps where to go on and the flags, without RF', () => {
  const { cpu, interpreter } = machine(0x0f, 0x05)
  setOtherFlags(cpu, 2 | RF)
  setStatusFlags(cpu, CF)
  expect(interpreter.run(5)).toBe(Exit.syscall)
  expect([gpr(cpu, RCX), gpr(cpu, 11), rip(cpu)]).toEqual([CODE + 2n, 3n, CODE + 2n])
})

test.each([
  ['int $0x80', [0xcd, 0x80], 0x80],
  ['int3', [0xcc], 3],
  ['int1', [0xf1], 1],
])('%s is a trap', (_, bytes, vector) => {
  const { cpu, interpreter } = machine(...bytes)
  expect(interpreter.run(5)).toBe(Exit.interrupt)
  expect([cpu.view.getUint32(S_EXIT_VECTOR, true), rip(cpu)]).toEqual([vector, CODE + BigInt(bytes.length)])
})

describe('left to the hypervisor, with nothing done', () => {
  test.each([
    ['hlt', [0xf4]],
    ['cli', [0xfa]],
    ['in (%dx),%al', [0xec]],
    ['rep outsb', [0xf3, 0x6e]],
    ['mov %cr3,%rax', [0x0f, 0x20, 0xd8]],
    ['mov %rax,%db7', [0x0f, 0x23, 0xf8]],
    ['wrmsr', [0x0f, 0x30]],
    ['lgdt (%rax)', [0x0f, 0x01, 0x10]],
    ['sgdt (%rax)', [0x0f, 0x01, 0x00]],
    ['str %eax', [0x0f, 0x00, 0xc8]],
    ['smsw %eax', [0x0f, 0x01, 0xe0]],
    ['sysretq', [0x48, 0x0f, 0x07]],
    ['sysexitq', [0x48, 0x0f, 0x35]],
    ['sti', [0xfb]],
    ['swapgs', [0x0f, 0x01, 0xf8]],
    ['rdmsr', [0x0f, 0x32]],
    ['clts', [0x0f, 0x06]],
    ['mov %rax,%cr2', [0x0f, 0x22, 0xd0]],
    ['outl %eax,$0xcf', [0xe7, 0xcf]],
  ])('%s', (_, bytes) => {
    const { cpu, interpreter } = machine(...bytes)
    const before = [...cpu.bytesAt(CODE, 64)]
    expect(interpreter.run(5)).toBe(Exit.privileged)
    expect([rip(cpu), interpreter.executed, gpr(cpu, RAX)]).toEqual([CODE, 0, 0xffff_ffff_0000_0000n])
    expect([...cpu.bytesAt(CODE, 64)]).toEqual(before)
  })
})

test.each([
  ['64-bit', 64],
  ['compatibility', 32],
] as const)('SYSENTER in %s mode is left to the hypervisor, which alone knows where it leads', (_, mode) => {
  const { cpu, interpreter } = machine(0x0f, 0x34)
  cpu.view.setUint32(S_MODE, mode, true)
  expect(interpreter.run(5)).toBe(Exit.privileged)
  expect([rip(cpu), interpreter.executed]).toEqual([CODE, 0])
})

describe('hints do nothing', () => {
  test.each([
    ['pause', [0xf3, 0x90]],
    ['endbr64', [0xf3, 0x0f, 0x1e, 0xfa]],
    ['nopl (%rax)', [0x0f, 0x1f, 0x00]],
    ['prefetcht0 (%rax)', [0x0f, 0x18, 0x08]],
    ['prefetchw (%rax)', [0x0f, 0x0d, 0x08]],
    ['lfence', [0x0f, 0xae, 0xe8]],
    ['mfence', [0x0f, 0xae, 0xf0]],
    ['sfence', [0x0f, 0xae, 0xf8]],
  ])('%s', (_, bytes) => {
    const { cpu, interpreter } = machine(...bytes)
    const registers = (): bigint[] => [...Array(16).keys()].map((n) => gpr(cpu, n))
    const before = registers()
    expect(interpreter.run(1)).toBe(Exit.budget)
    expect([rip(cpu), registers()]).toEqual([CODE + BigInt(bytes.length), before])
  })
})

describe('what this processor does not have is #UD', () => {
  test.each([
    ['rdtscp', [0x0f, 0x01, 0xf9]],
    ['monitor', [0x0f, 0x01, 0xc8]],
    ['mwait', [0x0f, 0x01, 0xc9]],
    ['vmcall', [0x0f, 0x01, 0xc1]],
    ['xgetbv', [0x0f, 0x01, 0xd0]],
    ['xsave (%rax)', [0x0f, 0xae, 0x20]],
    ['xsaves (%rax)', [0x0f, 0xc7, 0x28]],
    ['rdfsbase %rax', [0xf3, 0x48, 0x0f, 0xae, 0xc0]],
    ['rdrand %eax', [0x0f, 0xc7, 0xf0]],
    ['pmulld %xmm0,%xmm0', [0x66, 0x0f, 0x38, 0x40, 0xc0]],
    ['crc32b %al,%eax', [0xf2, 0x0f, 0x38, 0xf0, 0xc0]],
    ['vzeroupper', [0xc5, 0xf8, 0x77]],
    ['clac', [0x0f, 0x01, 0xca]],
    ['ud2', [0x0f, 0x0b]],
  ])('%s', (_, bytes) => {
    const { cpu, interpreter } = machine(...bytes)
    expect(interpreter.run(5)).toBe(Exit.fault)
    expect([cpu.view.getUint32(S_EXIT_VECTOR, true), rip(cpu), interpreter.executed]).toEqual([UD, CODE, 0])
  })
})
