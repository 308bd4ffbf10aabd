/** Memory that machine code and others write to, several at once, and the machine's own part of it. */
import { describe, expect, test } from 'vitest'
import { R_RFLAGS, RAX, RDI, type Ring3, Trap } from '#abi/pc/ring3.ts'
import { PAGE_BYTES } from '#machine/frame-kind.ts'
import {
  ALL,
  Bench,
  CODE,
  CODE_FRAME,
  DATA,
  DATA_FRAME,
  gpr,
  hex,
  jump,
  ripOf,
  SUM,
  set,
} from '#testing/ring3-bench.ts'

describe.each([Number.POSITIVE_INFINITY, 1, 64])('at threshold %d', (threshold) => {
  test('code that somebody else writes is the new code; what lies beside it is written as ever', () => {
    const bench = new Bench(threshold)
    const { mem } = bench.memory
    // add $1,%eax; syscall
    const ring3 = bench.program('83c001 0f05')
    const run = (): bigint => {
      jump(ring3)
      set(ring3, RAX, 0)
      expect(ring3.enter(bench.nowNs + 1e6)).toBe(Trap.syscall)
      return gpr(ring3, RAX)
    }
    const at = CODE_FRAME * PAGE_BYTES
    const warm = (n: bigint): void => {
      for (let i = 0; i < 200; i++) expect(run()).toBe(n)
    }
    warm(1n)
    mem.write8(at + 2, 2)
    warm(2n)
    mem.write16(at + 1, 0x03c0)
    warm(3n)
    mem.write32(at, 0x0f04c083)
    warm(4n)
    mem.write64(at, 0x050f05c083n)
    warm(5n)
    mem.copyIn(at - 6, hex('000000000000 83c006 0f05'))
    warm(6n)
    mem.fill(at + 2, 1, 7)
    warm(7n)
    mem.write32(at + 100, 12345)
    expect(mem.read32(at + 100)).toBe(12345)
    warm(7n)
    mem.fill(at, PAGE_BYTES, 0)
    mem.copyIn(at, hex('83c008 0f05'))
    warm(8n)
  })

  test('frames are what everybody reads and writes, also once they have been cleared', () => {
    const bench = new Bench(threshold)
    const { mem } = bench.memory
    const at = DATA_FRAME * PAGE_BYTES
    mem.write32(at, 77)
    mem.fill(at, PAGE_BYTES, 0)
    // mov (%rdi),%rax; incq (%rdi); syscall
    const ring3 = bench.program('488b07 48ff07 0f05')
    set(ring3, RDI, DATA)
    const read = (): bigint => {
      jump(ring3)
      expect(ring3.enter(bench.nowNs + 1e6)).toBe(Trap.syscall)
      return gpr(ring3, RAX)
    }
    // Stale bytes do not show through.
    expect(read()).toBe(0n)
    for (let i = 0; i < 200; i++) read()
    expect([mem.read64(at), read()]).toEqual([201n, 201n])
    mem.fill(at, PAGE_BYTES, 0)
    expect([mem.read32(at), read(), mem.copyOut(at, 4)]).toEqual([0, 0n, new Uint8Array([1, 0, 0, 0])])
    mem.fill(at - PAGE_BYTES, 3 * PAGE_BYTES, 0x11)
    expect(read()).toBe(0x1111111111111111n)
  })

  test('two spaces have a root each, and keep what they know of it', () => {
    const bench = new Bench(threshold)
    const { mem } = bench.memory
    // mov (%rdi),%rax; syscall
    const ring3 = bench.program('488b07 0f05')
    const user = 100
    bench.map(CODE, CODE_FRAME, ALL, user)
    bench.map(DATA, DATA_FRAME + 1, ALL, user)
    ring3.setRoot(1, user)
    mem.write32(DATA_FRAME * PAGE_BYTES, 1)
    mem.write32((DATA_FRAME + 1) * PAGE_BYTES, 2)
    set(ring3, RDI, DATA)
    const read = (space: 0 | 1): bigint => {
      ring3.selectSpace(space)
      jump(ring3)
      expect(ring3.enter(bench.nowNs + 1e6)).toBe(Trap.syscall)
      return gpr(ring3, RAX)
    }
    for (let n = 0; n < 150; n++) expect([read(0), read(1)]).toEqual([1n, 2n])
    // What the page tables say now is seen after a flush; another root at once.
    bench.map(DATA, DATA_FRAME + 2)
    mem.write32((DATA_FRAME + 2) * PAGE_BYTES, 3)
    expect([read(0), read(1)]).toEqual([1n, 2n])
    ring3.flush()
    expect([read(0), read(1)]).toEqual([3n, 2n])
    ring3.setRoot(0, user)
    expect([read(0), read(1)]).toEqual([2n, 2n])
  })
})

test('the same digest and the same times, whatever executes it', () => {
  /** Stores of what time it is, in a loop; a program beside it that is rewritten while it runs. */
  const run = (threshold: number): unknown => {
    const bench = new Bench(threshold)
    const { mem } = bench.memory
    // mov $300,%ecx; 1: rdtsc; mov %eax,(%rdi,%rcx,4); imul $7,%edx,%ebx; dec %ecx; jne 1b; syscall
    const ring3 = bench.program('b92c010000 0f31 89048f 6bda07 ffc9 75f4 0f05')
    set(ring3, RDI, DATA)
    const told: unknown[] = []
    for (let n = 0; n < 40; n++) {
      if (n % 10 === 9) mem.write8(CODE_FRAME * PAGE_BYTES + 12, n)
      if (n % 7 === 6) ring3.flush()
      const trap = ring3.enter(bench.nowNs + 333)
      told.push([trap, ripOf(ring3), bench.nowNs, ring3.registers.read64(R_RFLAGS)])
      if (trap === Trap.syscall) jump(ring3)
    }
    return [bench.digest(), told]
  }
  const expected = run(Number.POSITIVE_INFINITY)
  expect([1, 2, 64].map(run)).toEqual([expected, expected, expected])
})

describe('the machine’s own memory', () => {
  test('has room for so many, and for as many again once they are released', () => {
    const bench = new Bench()
    const made: Ring3[] = []
    for (let one = bench.ring3s.create(); one; one = bench.ring3s.create()) made.push(one)
    expect(made.length).toBeGreaterThan(100)
    const [first, second] = made as [Ring3, Ring3]
    set(second, RAX, 2)
    first.release()
    const again = bench.ring3s.create()!
    expect([gpr(again, RAX), bench.ring3s.create()]).toEqual([0n, undefined])
    set(again, RAX, 1)
    expect(gpr(second, RAX)).toBe(2n)
    // Who has been released reaches nothing.
    for (const act of [() => first.enter(1e6), () => gpr(first, RAX), () => first.release(), () => first.flush()])
      expect(act).toThrow(RangeError)
  })

  test('is nobody’s after a reset; the code of before is forgotten', () => {
    const bench = new Bench(1)
    const { mem } = bench.memory
    const before = bench.program(SUM)
    for (let n = 0; n < 3; n++) {
      jump(before)
      before.enter(1e9)
    }
    bench.powerOn()
    expect([bench.memory.dirtyFrames(), mem.read32(CODE_FRAME * PAGE_BYTES)]).toEqual([0, 0])
    expect(() => before.enter(1e9)).toThrow(RangeError)
    const other = new Bench(1)
    const ring3 = bench.program('83c001 0f05')
    const twin = other.program('83c001 0f05')
    for (let n = 0; n < 3; n++) {
      for (const each of [ring3, twin]) {
        jump(each)
        expect(each.enter(1e9)).toBe(Trap.syscall)
      }
    }
    expect([gpr(ring3, RAX), bench.digest()]).toEqual([3n, other.digest()])
  })
})

test('several share RAM and translated code, not registers', () => {
  const bench = new Bench(1)
  const one = bench.program(SUM)
  const two = bench.program(SUM)
  for (let n = 1; n < 5; n++) {
    for (const each of [one, two]) {
      jump(each)
      expect(each.enter(bench.nowNs + 1e6)).toBe(Trap.syscall)
      expect(gpr(each, RAX)).toBe(BigInt(n * 5050))
    }
  }
  one.release()
  bench.memory.mem.write8(CODE_FRAME * PAGE_BYTES + 1, 1)
  jump(two)
  set(two, RAX, 0)
  expect([two.enter(bench.nowNs + 1e6), gpr(two, RAX)]).toEqual([Trap.syscall, 1n])
})
