/** Machine code on the world's own terms: traps, budgets, time, segments, what its owner may not do. */
import { describe, expect, test } from 'vitest'
import {
  R_RFLAGS,
  R_SEGMENT_BASES,
  R_SELECTORS,
  R_XMM,
  R11,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  SEG_CS,
  SEG_DS,
  SEG_FS,
  SEG_SS,
  Trap,
} from '#abi/pc/ring3.ts'
import { PAGE_BYTES } from '#machine/frame-kind.ts'
import {
  Bench,
  CODE,
  DATA,
  DATA_FRAME,
  gpr,
  hex,
  jump,
  PRESENT,
  ripOf,
  SUM,
  set,
  trapOf,
  USER,
} from '#testing/ring3-bench.ts'

describe.each([Number.POSITIVE_INFINITY, 1, 64])('at threshold %d', (threshold) => {
  test('a program runs until its system call, and pays for each instruction', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program(SUM)
    expect(ring3.enter(1e6)).toBe(Trap.syscall)
    expect(gpr(ring3, RAX)).toBe(5050n)
    expect(ripOf(ring3)).toBe(CODE + 14)
    expect(gpr(ring3, RCX)).toBe(BigInt(CODE + 14))
    // ZF and PF of the last dec.
    expect([gpr(ring3, R11), ring3.registers.read64(R_RFLAGS)]).toEqual([0x46n, 0x46n])
    // 302 instructions.
    expect(bench.nowNs).toBe(151)
  })

  test('the deadline ends it after so many instructions, wherever that is', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program(SUM)
    const seen: number[] = []
    // Seven, and then one more each time: mov, and rounds of three.
    for (let end = 3.5; bench.nowNs < 12; end = bench.nowNs + 0.5) {
      expect(ring3.enter(end)).toBe(Trap.none)
      seen.push(ripOf(ring3) - CODE)
    }
    expect(seen).toEqual([5, 8, 10, 5, 8, 10, 5, 8, 10])
    while (ring3.enter(bench.nowNs + 7) === Trap.none);
    expect([gpr(ring3, RAX), ripOf(ring3)]).toEqual([5050n, CODE + 14])
  })

  test('a fault names its address, and its instruction has not happened', () => {
    const bench = new Bench(threshold)
    // 1: mov %rax,(%rdi); add $0x1000,%rdi; jmp 1b
    const ring3 = bench.program('488907 4881c700100000 ebf4')
    set(ring3, RDI, DATA)
    expect(ring3.enter(1e6)).toBe(Trap.exception)
    expect([trapOf(ring3), ripOf(ring3)]).toEqual([[14, 6, BigInt(DATA + 0x1000)], CODE])
    bench.map(DATA + 0x1000, DATA_FRAME + 1, PRESENT | USER)
    ring3.flushPage(DATA + 0x1000)
    expect(ring3.enter(1e6)).toBe(Trap.exception)
    expect(trapOf(ring3)).toEqual([14, 7, BigInt(DATA + 0x1000)])
    // Where there is no RAM: a hole, the VGA's window, beyond everything.
    for (const frame of [0x900, 0xb8, 0xfee00, 0xfffffff]) {
      bench.map(DATA + 0x1000, frame)
      ring3.flush()
      expect(ring3.enter(1e6)).toBe(Trap.exception)
      expect(trapOf(ring3)).toEqual([14, 15, BigInt(DATA + 0x1000)])
    }
  })

  test('what needs CPL 0 is told with its own address; interrupts with the next', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program('fa cd80 cc f4') // cli; int $0x80; int3; hlt
    expect([ring3.enter(1e6), trapOf(ring3), ripOf(ring3)]).toEqual([Trap.privileged, [13, 0, 0n], CODE])
    jump(ring3, CODE + 1)
    expect([ring3.enter(1e6), trapOf(ring3), ripOf(ring3)]).toEqual([Trap.interrupt, [0x80, -1, 0n], CODE + 3])
    expect([ring3.enter(1e6), trapOf(ring3), ripOf(ring3)]).toEqual([Trap.interrupt, [3, -1, 0n], CODE + 4])
  })

  test('a single step is told behind the instruction', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program('ffc0 ffc0')
    ring3.registers.write64(R_RFLAGS, 0x102n)
    expect([ring3.enter(1e6), trapOf(ring3), ripOf(ring3)]).toEqual([Trap.exception, [1, -1, 0n], CODE + 2])
    expect(ring3.registers.read64(R_RFLAGS)).toBe(0x102n)
  })

  test('flags that are written count', () => {
    const bench = new Bench(threshold)
    // setc %al; std; syscall
    const ring3 = bench.program('0f92c0 fd 0f05')
    ring3.registers.write64(R_RFLAGS, 0xffff_ffff_0000_0201n)
    expect(ring3.enter(1e6)).toBe(Trap.syscall)
    expect([gpr(ring3, RAX), ring3.registers.read64(R_RFLAGS)]).toEqual([1n, 0x603n])
  })

  test('the time stamp counts the instructions before it', () => {
    const bench = new Bench(threshold)
    // mov $50,%ebx; 1: dec %ebx; jne 1b; rdtsc; mov %eax,%esi; rdtsc; syscall
    const ring3 = bench.program('bb32000000 ffcb 75fc 0f31 89c6 0f31 0f05')
    for (let n = 0; n < 4; n++) {
      jump(ring3)
      const from = bench.nowNs
      expect(ring3.enter(1e9)).toBe(Trap.syscall)
      // A hundred and one instructions; two more.
      const seen = [RSI, RAX].map((register) => Number(gpr(ring3, register)))
      expect(seen).toEqual([50.5, 51.5].map((ns) => Math.floor(((from + ns) / 1e9) * 2.4e9)))
    }
  })

  test('CPUID is that of the processor that runs it', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program('0fa2 0f05')
    set(ring3, RAX, 5)
    ring3.enter(1e6)
    expect([RAX, RBX, RDX].map((n) => gpr(ring3, n))).toEqual([6n, 1n, 4n])
  })

  test('segments are loaded by the tables in RAM, and one of 32 bits is another mode', () => {
    const bench = new Bench(threshold)
    const { mem } = bench.memory
    // In 64-bit mode: dec %eax is 48 ff c8; in compatibility mode 48 is dec %eax alone. syscall behind it.
    const ring3 = bench.program('48 90 0f05')
    expect(ring3.loadSegment(SEG_CS, 0x33)).toBe(false)
    const gdt = 90
    mem.write64(gdt * PAGE_BYTES + 6 * 8, 0x00affb000000ffffn)
    mem.write64(gdt * PAGE_BYTES + 4 * 8, 0x00cffb000000ffffn)
    mem.write64(gdt * PAGE_BYTES + 5 * 8, 0x00cff3000000ffffn)
    mem.write64(gdt * PAGE_BYTES + 7 * 8, 0x12cff3345678ffffn)
    mem.write64(gdt * PAGE_BYTES + 8 * 8, 0x00cf93000000ffffn)
    ring3.setGdt([0, gdt], 512 + 8)
    const index = (n: number): number => ((512 + n) << 3) | 3
    expect([SEG_CS, SEG_SS, SEG_DS].map((n, i) => ring3.loadSegment(n, index([4, 5, 0][i]!)))).toEqual([
      true,
      true,
      false,
    ])
    // Of DPL 0, beyond the end, of the LDT that there is none of, in a frame that is none: refused, and nothing has changed.
    expect([index(8), (519 << 3) | 3 | 8, 7, 3 | 8].map((n) => ring3.loadSegment(SEG_DS, n))).toEqual([
      false,
      true,
      false,
      false,
    ])
    expect(ring3.loadSegment(SEG_SS, 0)).toBe(false)
    expect([ring3.loadSegment(SEG_DS, 0), ring3.loadSegment(SEG_FS, index(7))]).toEqual([true, true])
    expect(ring3.registers.read64(R_SEGMENT_BASES + 8 * SEG_FS)).toBe(0x12345678n)
    expect([SEG_CS, SEG_SS, SEG_DS].map((n) => ring3.registers.read16(R_SELECTORS + 2 * n))).toEqual([
      index(4),
      index(5),
      0,
    ])
    set(ring3, RAX, 10)
    expect([ring3.enter(1e6), gpr(ring3, RAX)]).toEqual([Trap.syscall, 9n])
    expect(ring3.loadSegment(SEG_CS, index(6))).toBe(true)
    jump(ring3)
    expect([ring3.enter(1e6), gpr(ring3, RAX)]).toEqual([Trap.syscall, 9n])
    ring3.setLdt([gdt], 7)
    expect([ring3.loadSegment(SEG_DS, (5 << 3) | 7), ring3.loadSegment(SEG_DS, (7 << 3) | 7)]).toEqual([true, false])
  })

  test('a deadline that has passed lets one instruction through', () => {
    const bench = new Bench(threshold)
    const ring3 = bench.program(SUM)
    bench.nowNs = 50
    expect(ring3.enter(10)).toBe(Trap.none)
    expect([ripOf(ring3), bench.nowNs]).toEqual([CODE + 5, 51])
  })
})

test('x87 and SSE registers are an image of 512 bytes', () => {
  const bench = new Bench()
  // movaps %xmm1,%xmm15; fld1; fxch; syscall
  const ring3 = bench.program('440f28f9 d9e8 d9c9 0f05')
  const image = ring3.fxsave()
  const view = new DataView(image.buffer)
  expect([view.getUint16(0, true), view.getUint32(24, true), view.getUint32(28, true)]).toEqual([0x40, 0x1f80, 0xffff])
  view.setUint16(0, 0x37f, true)
  view.setUint8(4, 0)
  image.set(hex('000102030405060708090a0b0c0d0e0f'), 160 + 16)
  ring3.fxrstor(image)
  expect(ring3.enter(1e6)).toBe(Trap.syscall)
  const after = ring3.fxsave()
  expect(after.slice(160 + 16 * 15, 160 + 16 * 16)).toEqual(hex('000102030405060708090a0b0c0d0e0f'))
  expect(after.slice(32 + 16, 32 + 26)).toEqual(hex('0000000000000080ff3f'))
  expect(ring3.registers.read32(R_XMM + 16 * 15 + 12)).toBe(0x0f0e0d0c)
})

test('nothing but numbers gets in, and nothing beside the registers is reached', () => {
  const bench = new Bench()
  const ring3 = bench.program(SUM)
  const sly = { valueOf: () => 0 } as unknown as number
  const attempts: (() => unknown)[] = [
    () => ring3.enter(sly),
    () => ring3.setRoot(0, sly),
    () => ring3.setRoot(0, 1.5),
    () => ring3.setGdt([sly], 1),
    () => ring3.flushPage(sly),
    () => ring3.loadSegment(6, 0),
    () => ring3.registers.read8(R_XMM + 256),
    () => ring3.registers.read64(R_XMM + 249),
    () => ring3.registers.write8(-1, 0),
    () => ring3.registers.copyOut(0, 4096),
    () => ring3.registers.copyIn(R_XMM, new Uint8Array(257)),
    () => ring3.registers.fill(0, 1e9, 0),
  ]
  for (const attempt of attempts) expect(attempt).toThrow(RangeError)
  expect(ring3.enter(Number.NaN)).toBe(Trap.none)
})
