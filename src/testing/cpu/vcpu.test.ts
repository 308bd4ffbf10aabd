/** A vCPU with page tables, in both tiers: what changes under running code, what it may not touch, and what it leaves in page tables. */
import { describe, expect, test } from 'vitest'
import { GP, PF, PF_FETCH, PF_PRESENT, PF_RESERVED, PF_USER, PF_WRITE } from '#cpu/fault.ts'
import { RAX, RBX, RCX, RDI, RSI, RSP } from '#cpu/isa/insn.ts'
import { Exit, S_BUDGET, S_EXIT_ADDRESS, S_EXIT_CODE, S_EXIT_VECTOR, S_FLAGS, TF } from '#cpu/state.ts'
import { gpr, rip, setRip } from '#cpu/state-access.ts'
import { hex, NO_EXECUTE, PagedMachine, PRESENT, USER, WRITABLE } from './paged-machine.ts'

const CODE = 0x400000n
const DATA = 0x10000n
const ALL = PRESENT | WRITABLE | USER
const ACCESSED = 0x20n
const DIRTY = 0x40n
const LARGE = 0x80n
const TIERS = [
  ['interpreted', undefined],
  ['translated', 1],
] as const

const left = ({ view, base }: PagedMachine): bigint => view.getBigUint64(base + S_BUDGET, true)
const entry = (machine: PagedMachine, address: bigint): bigint =>
  machine.view.getBigUint64(machine.entry(address), true)
const fault = ({ view, base }: PagedMachine): readonly [number, number, bigint] => [
  view.getUint32(base + S_EXIT_VECTOR, true),
  view.getInt32(base + S_EXIT_CODE, true),
  view.getBigUint64(base + S_EXIT_ADDRESS, true),
]

/** Runs it until translated code, if there is any, has run for a while. */
function warmUp(machine: PagedMachine, registers: readonly (readonly [number, bigint])[]): void {
  for (let n = 0; n < 6; n++) {
    machine.set(registers)
    setRip(machine.vcpu, CODE)
    machine.vcpu.run(1000)
  }
}

describe.each(TIERS)('%s', (_, threshold) => {
  function made(code: string, registers: readonly (readonly [number, bigint])[] = []): PagedMachine {
    const machine = new PagedMachine(threshold)
    for (let n = 0n; n < 4n; n++) machine.map(DATA + n * 4096n, 16 + Number(n))
    machine.load(CODE, hex(code), 1)
    machine.set(registers)
    return machine
  }

  test('counts exactly, and goes on where it was', () => {
    // inc %rax; jmp back
    const machine = made('48ffc0ebfb')
    for (const budget of [1, 2, 3, 7, 1000, 1, 64, 65, 63]) {
      expect(machine.vcpu.run(budget)).toBe(Exit.budget)
      expect(left(machine)).toBe(0n)
    }
    expect([gpr(machine.vcpu, RAX), rip(machine.vcpu)]).toEqual([603n, CODE])
  })

  // mov (%rsi),%rax; mov %rax,(%rdi); inc %rbx; dec %rcx; jnz; hlt
  const COPY = '488b0648890748ffc348ffc975f2f4'
  test.each([
    ['a page that is not there', DATA + 0x8000n, DATA, PF, PF_USER, DATA + 0x8000n],
    ['a store to it', DATA, DATA + 0x8000n, PF, PF_USER | PF_WRITE, DATA + 0x8000n],
    ['an address that is not canonical', 1n << 47n, DATA, GP, 0, 0n],
    ['one across the end of what is there', DATA + 0x3ffcn, DATA, PF, PF_USER, DATA + 0x4000n],
    ['a store across it', DATA, DATA + 0x3ffcn, PF, PF_USER | PF_WRITE, DATA + 0x4000n],
  ])('a fault at %s changes nothing', (_name, from, to, vector, code, address) => {
    const machine = made(COPY)
    warmUp(machine, [
      [RSI, DATA],
      [RDI, DATA + 8n],
      [RCX, 50n],
    ])
    machine.set([
      [RSI, from],
      [RDI, to],
      [RCX, 5n],
      [RBX, 0n],
      [RAX, 77n],
    ])
    machine.bytes.fill(0x11, 16 * 4096, 20 * 4096)
    setRip(machine.vcpu, CODE)
    expect(machine.vcpu.run(1000)).toBe(Exit.fault)
    expect(fault(machine)).toEqual([vector, code, address])
    const isStore = (code & PF_WRITE) !== 0
    expect([rip(machine.vcpu), left(machine)]).toEqual(isStore ? [CODE + 3n, 999n] : [CODE, 1000n])
    expect([gpr(machine.vcpu, RCX), gpr(machine.vcpu, RBX)]).toEqual([5n, 0n])
    expect(gpr(machine.vcpu, RAX)).toBe(isStore ? 0x1111111111111111n : 77n)
    expect(machine.bytes.subarray(16 * 4096, 20 * 4096).every((byte) => byte === 0x11)).toBe(true)
  })

  test('loads and stores go across pages', () => {
    const machine = made(COPY)
    machine.map(DATA + 4096n, 40)
    machine.bytes.set(hex('0102030405060708'), 17 * 4096 - 3)
    machine.bytes.set(hex('a4a5a6a7a8'), 40 * 4096)
    warmUp(machine, [
      [RSI, DATA + 4093n],
      [RDI, DATA + 0x2fffn],
      [RCX, 50n],
    ])
    expect(gpr(machine.vcpu, RAX)).toBe(0xa8a7a6a5a4030201n)
    expect([...machine.bytes.subarray(19 * 4096 - 1, 19 * 4096)]).toEqual([1])
    expect([...machine.bytes.subarray(19 * 4096, 19 * 4096 + 7)]).toEqual([2, 3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8])
  })

  test('rights of page tables hold', () => {
    const machine = made(COPY)
    const attempt = (from: bigint, to: bigint): readonly unknown[] => {
      machine.set([
        [RSI, from],
        [RDI, to],
        [RCX, 5n],
      ])
      setRip(machine.vcpu, CODE)
      const exit = machine.vcpu.run(100)
      return exit === Exit.fault ? fault(machine) : [exit]
    }
    machine.map(DATA + 0x5000n, 30, PRESENT | USER)
    machine.map(DATA + 0x6000n, 31, PRESENT | WRITABLE)
    machine.map(DATA + 0x7000n, 0xfffffff)
    machine.map(DATA + 0x8000n, 32, ALL | (1n << 51n))
    expect(attempt(DATA + 0x5000n, DATA)).toEqual([Exit.privileged])
    expect(attempt(DATA, DATA + 0x5000n)).toEqual([PF, PF_USER | PF_WRITE | PF_PRESENT, DATA + 0x5000n])
    expect(attempt(DATA + 0x6000n, DATA)).toEqual([PF, PF_USER | PF_PRESENT, DATA + 0x6000n])
    expect(attempt(DATA + 0x7000n, DATA)).toEqual([PF, PF_USER | PF_PRESENT | PF_RESERVED, DATA + 0x7000n])
    expect(attempt(DATA + 0x8000n, DATA)).toEqual([PF, PF_USER | PF_PRESENT | PF_RESERVED, DATA + 0x8000n])
    machine.map(CODE, 1, ALL | NO_EXECUTE)
    machine.vcpu.flush()
    expect(attempt(DATA, DATA)).toEqual([PF, PF_USER | PF_PRESENT | PF_FETCH, CODE])
  })

  test('accessed and dirty bits are set as pages are used', () => {
    const machine = made(COPY)
    warmUp(machine, [
      [RSI, DATA],
      [RDI, DATA + 4096n],
      [RCX, 50n],
    ])
    const bits = [CODE, DATA, DATA + 4096n, DATA + 8192n].map((address) => entry(machine, address) & (ACCESSED | DIRTY))
    expect(bits).toEqual([ACCESSED, ACCESSED, ACCESSED | DIRTY, 0n])
  })

  test('a page of 2 MiB is one', () => {
    const machine = made(COPY)
    machine.map(0x40000000n, 0)
    const directory = machine.entry(0x40000000n)
    // The entry above the table that was made just now.
    const above = [...Array(machine.base / 8).keys()].find(
      (n) => (machine.view.getBigUint64(n * 8, true) & ~0xfffn) === BigInt(directory & ~4095) && n * 8 >= 1024 * 4096,
    )!
    machine.view.setBigUint64(above * 8, 0x200000n | ALL | LARGE, true)
    machine.vcpu.flush()
    machine.bytes.set(hex('efbeadde'), 0x200000 + 0x12340)
    warmUp(machine, [
      [RSI, 0x40012340n],
      [RDI, DATA],
      [RCX, 50n],
    ])
    expect(gpr(machine.vcpu, RAX)).toBe(0xdeadbeefn)
  })

  test('a store changes the very next instruction', () => {
    // movb $n,1f+2(%rip) with n of %al; 1: add $1,%ebx; dec %rcx; jnz; hlt
    const code = '88050200000083c30148ffc975f2f4'
    const machine = made(code)
    warmUp(machine, [
      [RAX, 1n],
      [RCX, 50n],
    ])
    machine.set([
      [RAX, 5n],
      [RBX, 0n],
      [RCX, 10n],
    ])
    setRip(machine.vcpu, CODE)
    machine.vcpu.run(1000)
    expect(gpr(machine.vcpu, RBX)).toBe(50n)
    // The TLB is filled anew while there is translated code.
    machine.vcpu.flush()
    machine.set([
      [RAX, 7n],
      [RBX, 0n],
      [RCX, 100n],
    ])
    setRip(machine.vcpu, CODE)
    machine.vcpu.run(1000)
    expect(gpr(machine.vcpu, RBX)).toBe(700n)
    const { translator } = machine
    if (translator) expect(translator.counts.invalidated).toBeGreaterThan(0)
  })

  test('a store beside code does not open its page for one into it', () => {
    // mov %al,(%rdi); add $1,%ebx; dec %rcx; jnz; hlt
    const machine = made('880783c30148ffc975f6f4')
    const run = (to: bigint): bigint => {
      machine.set([
        [RAX, 9n],
        [RBX, 0n],
        [RCX, 50n],
        [RDI, to],
      ])
      setRip(machine.vcpu, CODE)
      machine.vcpu.run(1000)
      return gpr(machine.vcpu, RBX)
    }
    for (let n = 0; n < 4; n++) expect(run(DATA)).toBe(50n)
    machine.vcpu.flush()
    for (let n = 0; n < 4; n++) expect(run(CODE + 0x800n)).toBe(50n)
    expect(run(CODE + 4n)).toBe(450n)
  })

  test('code that somebody else has changed is new code, once that is told', () => {
    const machine = made('83c30148ffc975f8f4')
    warmUp(machine, [[RCX, 50n]])
    machine.bytes[4096 + 2] = 3
    machine.translator?.written(4096 + 2, 1)
    machine.set([
      [RBX, 0n],
      [RCX, 50n],
    ])
    setRip(machine.vcpu, CODE)
    machine.vcpu.run(1000)
    expect(gpr(machine.vcpu, RBX)).toBe(150n)
  })

  test('other code at the same address, and other data, are seen after a flush', () => {
    const machine = made(COPY)
    const run = (): bigint => {
      warmUp(machine, [
        [RSI, DATA],
        [RDI, DATA + 4096n],
        [RCX, 50n],
        [RBX, 0n],
      ])
      return gpr(machine.vcpu, RBX)
    }
    expect(run()).toBe(50n)
    // The same with add $2,%ebx in place of inc %rbx.
    machine.bytes.set(hex('488b064889078d5b0248ffc975f2f4'), 2 * 4096)
    machine.bytes[50 * 4096] = 99
    machine.map(CODE, 2)
    machine.map(DATA, 50)
    machine.vcpu.flushPage(CODE)
    machine.vcpu.flushPage(DATA)
    expect([run(), gpr(machine.vcpu, RAX)]).toEqual([100n, 99n])
    machine.map(CODE, 1)
    machine.vcpu.flush()
    expect(run()).toBe(50n)
  })

  test('two contexts do not see each other', () => {
    const machine = made('488b06f4')
    machine.bytes[16 * 4096] = 1
    machine.bytes[50 * 4096] = 2
    const read = (): bigint => {
      machine.set([[RSI, DATA]])
      for (let n = 0; n < 4; n++) {
        setRip(machine.vcpu, CODE)
        machine.vcpu.run(10)
      }
      return gpr(machine.vcpu, RAX)
    }
    expect(read()).toBe(1n)
    machine.map(DATA, 50)
    machine.vcpu.selectContext(1)
    expect(read()).toBe(2n)
    machine.vcpu.selectContext(0)
    expect(read()).toBe(1n)
    machine.vcpu.flushAll()
    expect(read()).toBe(2n)
  })

  test('whoever asks within a helper gets a pause behind the instruction', () => {
    const machine: PagedMachine = new PagedMachine(threshold, {
      tsc: () => {
        if (asks) machine.vcpu.ask()
        return 0x100000002n
      },
    })
    let asks = false
    // rdtsc; inc %rbx; jmp back
    machine.load(CODE, hex('0f3148ffc3ebf9'), 1)
    machine.vcpu.run(3000)
    asks = true
    expect(machine.vcpu.run(3000)).toBe(Exit.asked)
    expect([rip(machine.vcpu), left(machine), gpr(machine.vcpu, RAX)]).toEqual([CODE + 2n, 2999n, 2n])
    asks = false
    expect(machine.vcpu.run(3000)).toBe(Exit.budget)
  })

  test('with TF every instruction traps', () => {
    // push $0x100; popf; nop; nop
    const code = '68000100009d9090f4'
    const machine = made(code)
    warmUp(machine, [[RSP, DATA + 4096n]])
    machine.view.setUint32(machine.base + S_FLAGS, 2, true)
    machine.set([[RSP, DATA + 4096n]])
    setRip(machine.vcpu, CODE)
    expect(machine.vcpu.run(100)).toBe(Exit.fault)
    expect([fault(machine)[0], rip(machine.vcpu)]).toEqual([1, CODE + 7n])
    expect(machine.view.getUint32(machine.base + S_FLAGS, true) & TF).toBe(TF)
  })

  test('code goes on from one page to the next', () => {
    const machine = made('f4')
    // On the border: add $1,%rax; add $0x01020304,%ebx; jmp back
    const code = hex('4883c00181c304030201ebf4')
    machine.map(CODE + 4096n, 3)
    machine.bytes.set(code.subarray(0, 7), 2 * 4096 - 7)
    machine.bytes.set(code.subarray(7), 3 * 4096)
    setRip(machine.vcpu, CODE + 4096n - 7n)
    machine.vcpu.run(3000)
    expect([gpr(machine.vcpu, RAX), gpr(machine.vcpu, RBX)]).toEqual([1000n, (1000n * 0x01020304n) & 0xffffffffn])
    expect(machine.translator?.hasCode(3 * 4096, 1) ?? true).toBe(true)
    // Another second page is other code.
    machine.bytes.set(code.subarray(7), 60 * 4096)
    machine.bytes[60 * 4096] = 4
    machine.map(CODE + 4096n, 60)
    machine.vcpu.flush()
    machine.set([[RBX, 0n]])
    machine.vcpu.run(3000)
    expect(gpr(machine.vcpu, RBX)).toBe((1000n * 0x01020404n) & 0xffffffffn)
  })

  test('compatibility mode has addresses of 32 bits', () => {
    // mov (%esi),%eax; inc %ebx; dec %ecx; jnz; hlt
    const machine = made('8b06434975faf4')
    machine.setMode(32)
    machine.bytes[16 * 4096] = 9
    warmUp(machine, [
      [RSI, (5n << 32n) | DATA],
      [RBX, 0xffffffffn],
      [RCX, 20n],
    ])
    expect([gpr(machine.vcpu, RAX), gpr(machine.vcpu, RBX)]).toEqual([9n, 19n])
  })
})

test('translated code is what runs', () => {
  const machine = new PagedMachine(4)
  machine.load(CODE, hex('48ffc0ebfb'), 1)
  machine.vcpu.run(100)
  expect(machine.translator!.counts).toEqual({ instructions: 2, regions: 1, taken: 0, modules: 1, invalidated: 0 })
})

test('a store beside code leaves it translated, until one into it', () => {
  // mov %al,(%rdi); add $1,%ebx; dec %rcx; jnz; hlt
  const machine = new PagedMachine(1)
  machine.load(CODE, hex('880783c30148ffc975f6f4'), 1)
  const { counts } = machine.translator!
  const run = (to: bigint): bigint => {
    machine.set([
      [RAX, 2n],
      [RBX, 0n],
      [RCX, 50n],
      [RDI, to],
    ])
    setRip(machine.vcpu, CODE)
    machine.vcpu.run(1000)
    return gpr(machine.vcpu, RBX)
  }
  for (let n = 0; n < 5; n++) expect(run(CODE + 0x800n)).toBe(50n)
  expect([counts.invalidated, machine.bytes[4096 + 0x800]]).toEqual([0, 2])
  expect(counts.regions).toBeGreaterThan(0)
  expect(run(CODE + 4n)).toBe(100n)
  expect(counts.invalidated).toBeGreaterThan(0)
})

test('there are never more regions than there may be', () => {
  const machine = new PagedMachine(1, {}, { regionsMax: 3 })
  // dec %rcx; jnz; hlt: on eight pages
  for (let n = 0; n < 8; n++) {
    machine.load(CODE + BigInt(n * 4096), hex('48ffc975fbf4'), 1 + n)
    machine.set([[RCX, 20n]])
    machine.vcpu.run(1000)
    expect(gpr(machine.vcpu, RCX)).toBe(0n)
  }
  const { regions, invalidated } = machine.translator!.counts
  expect(regions).toBeGreaterThan(7)
  expect(regions - invalidated).toBeLessThan(4)
})
