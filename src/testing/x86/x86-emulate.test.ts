/** Instructions that Xen executes in a guest's place, beside the processor's own way with them: registers, flags, memory and RIP are the same. */
import { expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { R_GPR, R_RFLAGS, R_RIP, R_SELECTORS, R_XMM, RCX, RDI, RSI, SEG_CS } from '#abi/pc/ring3.ts'
import { FLAT_KERNEL_CS } from '#abi/xen/vcpu.ts'
import { statusFlags } from '#cpu/flags.ts'
import { gpr, rip, setStatusFlags } from '#cpu/state-access.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import type { X86Vcpu } from '#xen/arch-x86/guest-regs.ts'
import { type EmulateOps, EmulationFailed, x86Emulate } from '#xen/arch-x86/x86-emulate.ts'
import type { Xen } from '#xen/xen.ts'
import { hex, PagedMachine } from '../cpu/paged-machine.ts'

const PAGE = 4096
const CODE = 0x1000
const DATA = 0x2000
const END = 0x4000
const RBP = 5
const STATUS = 0x8d5
const AF = 0x10
/** Operands are here. */
const AT = DATA + 0x800
/** So many bytes on both sides of them are no zeros. */
const AROUND = 64

interface State {
  readonly registers: readonly bigint[]
  readonly flags: number
  readonly memory: Uint8Array
}

/** Xen's way. Undefined: it does not know the instruction. */
function emulate({ registers, flags, memory }: State, ops?: (memory: Uint8Array) => EmulateOps): State | undefined {
  const bytes = memory.slice()
  const mem = memOf(bytes)
  const file = memOf(new Uint8Array(R_XMM))
  for (const [n, value] of registers.entries()) file.write64(R_GPR + 8 * n, value)
  file.write64(R_RIP, BigInt(CODE))
  file.write32(R_RFLAGS, flags)
  file.write16(R_SELECTORS + 2 * SEG_CS, FLAT_KERNEL_CS)
  const vcpu = { mem, ring3: { registers: file } } as unknown as X86Vcpu
  if (!x86Emulate({} as Xen, vcpu, ops ? ops(bytes) : plainOps(bytes))) return undefined
  const after = registers.map((_, n) => file.read64(R_GPR + 8 * n))
  return { registers: [...after, file.read64(R_RIP)], flags: file.read32(R_RFLAGS) & STATUS, memory: bytes }
}

function plainOps(bytes: Uint8Array): EmulateOps {
  const read = (va: number, size: number): bigint => {
    let value = 0n
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[va + i]!)
    return value
  }
  const write = (va: number, size: number, value: bigint): void => {
    for (let i = 0; i < size; i++) bytes[va + i] = Number((value >> BigInt(8 * i)) & 0xffn)
  }
  return {
    read,
    write,
    cmpxchg(va, size, old, wanted) {
      const found = read(va, size)
      if (found === old) write(va, size, wanted)
      return found
    },
  }
}

/** One for all runs of an instruction: a machine is dear. */
function machineFor(): PagedMachine {
  const machine = new PagedMachine()
  for (let at = 0; at < END; at += PAGE) machine.map(BigInt(at), at / PAGE)
  return machine
}

/** The processor's. */
function execute({ registers, flags, memory }: State, machine: PagedMachine): State {
  machine.load(BigInt(CODE), new Uint8Array(), 1)
  machine.bytes.set(memory, 0)
  machine.set(registers.map((value, n) => [n, value] as const))
  setStatusFlags(machine.vcpu, flags)
  machine.vcpu.run(1)
  const after = registers.map((_, n) => gpr(machine.vcpu, n))
  return {
    registers: [...after, rip(machine.vcpu)],
    flags: statusFlags(machine.vcpu) & STATUS,
    memory: machine.bytes.slice(0, END),
  }
}

/** RDI, RSI and RBP lead to the operand, the others hold anything. */
function anyState(code: string, rng: Rng): State {
  const word = (): bigint => (BigInt(rng.u32()) << 32n) | BigInt(rng.u32())
  const edges = [0n, 1n, 2n ** 64n - 1n, 0x80n, 0x7fffffffn, 2n ** 63n]
  const registers = Array.from({ length: 16 }, () => (rng.u32() % 3 === 0 ? edges[rng.u32() % edges.length]! : word()))
  for (const n of [RDI, RSI, RBP]) registers[n] = BigInt(AT)
  registers[RCX] = BigInt(rng.u32() % 7)
  const memory = new Uint8Array(END)
  for (let at = AT - AROUND; at < AT + AROUND; at++) memory[at] = rng.u32() % 4 === 0 ? 0 : rng.u32() & 0xff
  memory.set(hex(code), CODE)
  return { registers, flags: rng.u32() & STATUS, memory }
}

function changes(before: Uint8Array, after: Uint8Array): string[] {
  const said: string[] = []
  for (let at = 0; at < END; at++) if (after[at] !== before[at]) said.push(`${at}: ${after[at]}`)
  return said
}

/** Name, code, and the flags that the instruction leaves undefined. */
const rows: [string, string, number?][] = [
  ['mov %bl,(%rdi)', '881f'],
  ['mov %ah,(%rdi)', '8827'],
  ['mov %spl,8(%rdi)', '40886708'],
  ['mov %r9,(%rdi)', '4c890f'],
  ['mov %ebx,(%rbp)', '895d00'],
  ['mov %bx,0x10(%rdi)', '66895f10'],
  ['mov %rbx,-8(%rdi,%rcx,8)', '48895ccff8'],
  ['mov %rbx,0x20(%rip)', '48891df90f0000'],
  ['movq $-2,0x100(%rdi)', '48c78700010000feffffff'],
  ['movb $5,0x1000(%rip) before its immediate', 'c6050010000005'],
  ['mov %rax,moffs', '48a30028000000000000'],
  ['movnti %rbx,(%rdi)', '480fc31f'],
  ['mov %ebx,(%edi)', '67891f'],
  ['add %rbx,(%rdi)', '48011f'],
  ['add %bl,(%rdi)', '001f'],
  ['or %ebx,(%rdi)', '091f', AF],
  ['adc %bx,(%rdi)', '66111f'],
  ['sbb %rbx,(%rdi)', '48191f'],
  ['lock and %rbx,(%rdi)', 'f048211f', AF],
  ['sub %rdx,(%rdi)', '482917'],
  ['xor %r10,(%rdi)', '4c3117', AF],
  ['and $-3,(%rdi)', '488327fd', AF],
  ['lock or $imm32,(%rdi)', 'f048810f78563412', AF],
  ['sbb $imm8,(%rdi)', '801fff'],
  ['lock and $~2,1(%rdi)', 'f0806701fd', AF],
  ['not (%rdi)', '48f717'],
  ['neg (%rdi)', '48f71f'],
  ['neg byte', 'f61f'],
  ['inc (%rdi)', '48ff07'],
  ['dec byte', 'fe0f'],
  ['lock dec dword', 'f0ff0f'],
  ['xchg %rbx,(%rdi)', '48871f'],
  ['xchg %bh,(%rdi)', '863f'],
  ['xchg %r11d,(%rdi)', '44871f'],
  ['lock xadd %rbx,(%rdi)', 'f0480fc11f'],
  ['lock cmpxchg %rbx,(%rdi)', 'f0480fb11f'],
  ['cmpxchg %bl,(%rdi)', '0fb01f'],
  ['cmpxchg8b', '0fc70f'],
  ['lock cmpxchg16b', 'f0480fc70f'],
  ['lock bts $1,(%rdi)', 'f0480fba2f01', STATUS & ~1],
  ['lock btr $63,(%rdi)', 'f0480fba373f', STATUS & ~1],
  ['btc $33,dword', '0fba3f21', STATUS & ~1],
  ['bts %rcx,(%rdi)', '480fab0f', STATUS & ~1],
  ['btr %ecx,(%rdi)', '0fb30f', STATUS & ~1],
  ['movsq', '48a5'],
  ['rep movsb', 'f3a4'],
  ['stosd', 'ab'],
  ['rep stosq', 'f348ab'],
]

test.each(rows)('%s is what the processor makes of it', (name, code, undefinedFlags = 0) => {
  const rng = createRng(7).fork(name)
  const machine = machineFor()
  for (let i = 0; i < 24; i++) {
    const before = anyState(code, rng)
    const ours = emulate(before)
    const real = execute(before, machine)
    const defined = ({ registers, flags, memory }: State): unknown => ({
      registers,
      flags: flags & ~undefinedFlags,
      changed: changes(before.memory, memory),
    })
    expect(ours && defined(ours)).toEqual(defined(real))
  }
})

test('bits outside of the operand are counted from it, backwards too', () => {
  const machine = machineFor()
  for (const number of [200n, -1n, -64n, -65n]) {
    const before = anyState('480fab0f', createRng(3))
    const state = {
      ...before,
      registers: before.registers.map((value, n) => (n === RCX ? BigInt.asUintN(64, number) : value)),
    }
    expect(emulate(state)?.memory).toEqual(execute(state, machine).memory)
  }
})

test.each([
  ['a register is no memory', '4889c3'],
  ['it writes nothing', '488b07'],
  ['only compared', '483b07'],
  ['floating point', 'd91f'],
  ['no instruction', '0f0b'],
  ['cmp with memory first', '48391f'],
])('%s: false, and nothing has happened', (_, code) => {
  expect(emulate(anyState(code, createRng(1)))).toBeUndefined()
})

test('what its memory refuses changes no register', () => {
  const refuse = (): never => {
    throw new EmulationFailed()
  }
  for (const code of ['48871f', 'f0480fc11f', 'f348ab', '48ff07'])
    expect(
      emulate(anyState(code, createRng(5)), (memory) => ({ ...plainOps(memory), write: refuse, cmpxchg: refuse })),
    ).toBeUndefined()
})
