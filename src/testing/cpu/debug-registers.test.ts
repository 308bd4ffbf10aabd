/** Breakpoints and watchpoints (Intel SDM volume 3, 17.2 and 17.3.1) on the bare vCPU, as it runs without a translator and with everything translated before they are set. */
import { describe, expect, test } from 'vitest'
import { DB } from '#cpu/fault.ts'
import { RAX, RBX, RCX, RDI } from '#cpu/isa/insn.ts'
import { Exit, RF, S_EXIT_VECTOR, TF } from '#cpu/state.ts'
import { gpr, otherFlags, rip, setOtherFlags, setRip } from '#cpu/state-access.ts'
import { hex, PagedMachine } from './paged-machine.ts'

const CODE = 0x400000n
const DATA = 0x10000n
const EXECUTE = 0
const WRITE = 1
const ACCESS = 3
const SINGLE_STEP = 0x4000n
const ONES = 0xffff0ff0n

/** 0: mov %eax,(%rbx); 2: mov 4(%rbx),%ecx; 5: incl 4(%rbx); 8: nop; 9: hlt */
const PROGRAM = '8903' + '8b4b04' + 'ff4304' + '90' + 'f4'

interface Watched {
  readonly kind: number
  readonly bytes?: number
  readonly at: bigint
}

class Debugged extends PagedMachine {
  constructor(code: string, threshold?: number) {
    super(threshold)
    this.map(DATA, 16)
    this.map(DATA + 4096n, 17)
    this.load(CODE, hex(code), 1)
    this.begin()
    // Whatever there is to be translated is translated before anybody watches.
    for (let n = 0; n < 12; n++) {
      this.run()
      this.begin()
    }
  }
  begin(): void {
    setRip(this.vcpu, CODE)
    this.set([
      [RAX, 1n],
      [RBX, DATA],
      [RCX, 3n],
      [RDI, DATA],
    ])
  }
  watch(n: number, { kind, bytes = 1, at }: Watched): void {
    const { debugRegisters } = this.vcpu
    const length = BigInt(bytes === 8 ? 2 : bytes - 1)
    debugRegisters.set(n, at)
    const control = (1n << BigInt(2 * n)) | (BigInt(kind) << BigInt(16 + 4 * n)) | (length << BigInt(18 + 4 * n))
    debugRegisters.set(7, debugRegisters.get(7) | control)
  }
  /** Where #DB was raised, and what DR6 says of it; undefined: nowhere. */
  run(budget = 1000): readonly [at: number, met: bigint] | undefined {
    const { vcpu, view, base } = this
    if (vcpu.run(budget) !== Exit.fault) return undefined
    expect(view.getUint32(base + S_EXIT_VECTOR, true)).toBe(DB)
    return [Number(rip(vcpu) - CODE), vcpu.debugRegisters.get(6) & ~ONES]
  }
  /** All of them until the end. */
  all(): (readonly [at: number, met: bigint])[] {
    const found: (readonly [at: number, met: bigint])[] = []
    for (let met = this.run(); met; met = this.run()) found.push(met)
    return found
  }
}

describe.each([
  ['interpreted', undefined],
  ['translated', 4],
])('%s', (_name, threshold) => {
  const machine = (code = PROGRAM): Debugged => new Debugged(code, threshold)

  test('a breakpoint is a fault before its instruction, until RF is set', () => {
    const made = machine()
    made.watch(2, { kind: EXECUTE, at: CODE + 5n })
    expect(made.run()).toEqual([5, 4n])
    expect(made.run()).toEqual([5, 4n])
    setOtherFlags(made.vcpu, otherFlags(made.vcpu) | RF)
    expect(made.run()).toBeUndefined()
    made.begin()
    expect(made.run()).toEqual([5, 4n])
  })

  test('a watchpoint is a trap behind the access', () => {
    const made = machine()
    made.watch(0, { kind: WRITE, bytes: 4, at: DATA + 4n })
    expect(made.all()).toEqual([[8, 1n]])
    made.begin()
    made.watch(1, { kind: ACCESS, bytes: 2, at: DATA + 6n })
    expect(made.all()).toEqual([
      [5, 2n],
      [8, 3n],
    ])
  })

  test('any byte of the two is enough, and the address is that of a multiple of the length', () => {
    const made = machine()
    made.watch(0, { kind: WRITE, bytes: 1, at: DATA + 3n })
    made.watch(1, { kind: ACCESS, bytes: 8, at: DATA + 13n })
    made.watch(2, { kind: ACCESS, bytes: 1, at: DATA - 1n })
    expect(made.all()).toEqual([[2, 1n]])
  })

  test('what is not enabled says what it has seen, when another one is raised', () => {
    const made = machine()
    const { debugRegisters } = made.vcpu
    made.watch(0, { kind: WRITE, bytes: 4, at: DATA })
    debugRegisters.set(7, debugRegisters.get(7) & ~0xffn)
    expect(made.all()).toEqual([])
    made.begin()
    made.watch(3, { kind: WRITE, bytes: 1, at: DATA })
    expect(made.all()).toEqual([[2, 9n]])
  })

  test('DR6 keeps that there was a single step, until somebody clears it', () => {
    const made = machine()
    made.watch(0, { kind: WRITE, bytes: 4, at: DATA })
    setOtherFlags(made.vcpu, otherFlags(made.vcpu) | TF)
    expect(made.run()).toEqual([2, 1n | SINGLE_STEP])
    setOtherFlags(made.vcpu, otherFlags(made.vcpu) & ~TF)
    expect(made.run()).toBeUndefined()
    made.begin()
    expect(made.run()).toEqual([2, 1n | SINGLE_STEP])
    made.vcpu.debugRegisters.set(6, 0n)
    made.begin()
    expect(made.run()).toEqual([2, 1n])
  })

  test('a string instruction is left behind the iteration', () => {
    // rep stosb; hlt
    const made = machine('f3aaf4')
    made.watch(0, { kind: WRITE, at: DATA + 1n })
    expect(made.run()).toEqual([0, 1n])
    expect([gpr(made.vcpu, RCX), gpr(made.vcpu, RDI)]).toEqual([1n, DATA + 2n])
    expect(otherFlags(made.vcpu) & RF).toBe(RF)
    expect(made.run()).toBeUndefined()
  })

  test('reserved bits are as they have to be', () => {
    const { debugRegisters } = machine().vcpu
    for (const value of [0n, ~0n]) {
      debugRegisters.set(6, value)
      expect(debugRegisters.get(6) & 0x1000n).toBe(0n)
      expect(debugRegisters.get(6) & ONES).toBe(ONES)
      debugRegisters.set(7, value)
      expect(debugRegisters.get(7) & 0xdc00n).toBe(0x400n)
    }
  })

  test('with the last one gone, nothing is looked at any more, and counts are the same', () => {
    const made = machine()
    made.watch(0, { kind: WRITE, bytes: 4, at: DATA })
    expect(made.run()).toEqual([2, 1n])
    expect(made.vcpu.executed).toBe(1)
    made.vcpu.debugRegisters.set(7, 0n)
    expect(made.run()).toBeUndefined()
    expect(made.vcpu.executed).toBe(3)
  })
})
