import { describe, expect, test } from 'vitest'
import { digest } from '#lib/digest.ts'
import { createMemory, MEMORY_MIB_MAX, type Memory } from './memory.ts'

const MIB = 2 ** 20
const hash = (memory: Memory): string => {
  const fold = digest()
  memory.digestInto(fold)
  return fold.hex()
}

/** A device that remembers its accesses and reads as its offset. */
function probe() {
  const log: string[] = []
  return {
    log,
    read(offset: number, bytes: number) {
      log.push(`r${bytes} ${offset}`)
      return offset & 0xff
    },
    write(offset: number, bytes: number, value: number) {
      log.push(`w${bytes} ${offset} ${value}`)
    },
  }
}

describe('RAM', () => {
  test.each([
    ['8 bits', 'read8', 'write8', 0xab],
    ['16 bits', 'read16', 'write16', 0xabcd],
    ['32 bits', 'read32', 'write32', 0xabcdef01],
  ] as const)('%s, at any address, across frames', (_name, read, write, value) => {
    const { mem } = createMemory(2)
    for (const at of [0, 0x1001, 0x1ffd, 0x1ffe, 0x1fff, 2 * MIB - 4]) {
      mem[write](at, value)
      expect(mem[read](at)).toBe(value)
    }
    expect(mem.read8(0x1001)).toBe(value & 0xff)
  })

  test('64 bits', () => {
    const { mem } = createMemory(2)
    for (const at of [0x3000, 0x3ffc, 0x3ffb]) {
      mem.write64(at, 0x8123456789abcdefn)
      expect(mem.read64(at)).toBe(0x8123456789abcdefn)
      expect(mem.read32(at)).toBe(0x89abcdef)
      expect(mem.read32(at + 4)).toBe(0x81234567)
    }
  })

  test('values are cut to their width', () => {
    const { mem } = createMemory(1)
    mem.write8(0, 0x1ff)
    mem.write16(2, -1)
    mem.write32(4, -1)
    expect([mem.read8(0), mem.read8(1), mem.read16(2), mem.read32(4)]).toEqual([0xff, 0, 0xffff, 0xffffffff])
  })

  test('copies', () => {
    const { mem } = createMemory(2)
    const bytes = Uint8Array.from({ length: 10_000 }, (_, n) => n & 255)
    mem.copyIn(0x1f00, bytes)
    expect(mem.copyOut(0x1f00, 10_000)).toEqual(bytes)
    expect(mem.copyOut(0x1eff, 2)).toEqual(Uint8Array.of(0, 0))
    mem.fill(0x2000, 100, 7)
    expect(mem.read8(0x2063)).toBe(7)
    expect(mem.read8(0x2064)).toBe(bytes[0x2064 - 0x1f00])
    const copy = mem.copyOut(0x2000, 4)
    copy[0] = 99
    expect(mem.read8(0x2000)).toBe(7)
  })
})

describe('clean frames', () => {
  test('power-on makes all RAM read as zero, whatever was there', () => {
    const { mem, powerOn, dirtyFrames } = createMemory(2)
    mem.fill(0, 0x9000, 0xff)
    mem.fill(0x100000, 0x3000, 0xff)
    powerOn()
    expect(dirtyFrames()).toBe(0)
    expect(mem.read32(0x100000)).toBe(0)
    mem.write8(0x100005, 1)
    expect(mem.copyOut(0x100000, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0))
    mem.copyIn(0x101800, Uint8Array.of(9))
    expect(mem.read32(0x101ffc)).toBe(0)
    mem.copyIn(0x1800, new Uint8Array(0x1800).fill(3))
    expect([mem.read8(0x17ff), mem.read8(0x1800), mem.read8(0x2fff), mem.read8(0x3000)]).toEqual([0, 3, 3, 0])
    mem.fill(0x4800, 0x1000, 5)
    expect([mem.read8(0x47ff), mem.read8(0x4800), mem.read8(0x57ff), mem.read8(0x5800)]).toEqual([0, 5, 5, 0])
  })

  test('scrubbing whole frames makes them clean', () => {
    const { mem, dirtyFrames } = createMemory(2)
    mem.fill(0x100000, 0x4000, 0xff)
    mem.fill(0x100800, 0x3000, 0)
    expect(dirtyFrames()).toBe(2)
    expect([mem.read8(0x1007ff), mem.read8(0x100800), mem.read8(0x1037ff), mem.read8(0x103800)]).toEqual([
      255, 0, 0, 255,
    ])
    mem.write8(0x101000, 1)
    expect(mem.read32(0x101000)).toBe(1)
  })

  test('a read or a fill with zero soils nothing', () => {
    const { mem, dirtyFrames } = createMemory(2)
    mem.read32(0x5000)
    mem.copyOut(0, MIB)
    mem.fill(0, 0x90000, 0)
    expect(dirtyFrames()).toBe(0)
  })

  test('digest: what was written where, after a power cycle as if new', () => {
    const memory = createMemory(2)
    const fresh = hash(memory)
    memory.mem.write8(0x5000, 1)
    const written = hash(memory)
    expect(written).not.toBe(fresh)
    memory.powerOn()
    expect(hash(memory)).toBe(fresh)
    memory.mem.write8(0x6000, 1)
    expect(hash(memory)).not.toBe(written)
  })
})

describe('what is not RAM', () => {
  test.each([
    ['behind the RAM', 2 * MIB],
    ["the machine's own 64 MiB", 32 * MIB],
    ['graphics memory in text mode', 0xa0000],
    ['below 4 GiB', 0xf0000000],
    ['above 4 GiB', 2 ** 32],
    ['far above, where frame numbers wrap', 2 ** 32 + 0x1000],
  ])('%s: reads as ones, writes vanish', (_name, at) => {
    const { mem, dirtyFrames } = createMemory(2)
    mem.write32(at, 5)
    mem.copyIn(at, Uint8Array.of(1, 2, 3))
    mem.fill(at, 3, 4)
    expect([mem.read8(at), mem.read16(at), mem.read32(at)]).toEqual([0xff, 0xffff, 0xffffffff])
    expect(mem.read64(at)).toBe(0xffffffffffffffffn)
    expect(mem.copyOut(at, 3)).toEqual(Uint8Array.of(255, 255, 255))
    expect(dirtyFrames()).toBe(0)
  })

  test('accesses over the end of RAM are half here, half nowhere', () => {
    const { mem } = createMemory(2)
    mem.write32(2 * MIB - 2, 0x11223344)
    expect(mem.read32(2 * MIB - 2)).toBe(0xffff3344)
    expect(mem.copyOut(2 * MIB - 2, 4)).toEqual(Uint8Array.of(0x44, 0x33, 255, 255))
  })

  test('the ROM is written by its programmer only, and answers at the top of 4 GiB too', () => {
    const { mem, burn } = createMemory(2)
    expect(mem.read8(0xf0000)).toBe(0xff)
    burn(0xffff0, Uint8Array.of(0xea))
    mem.write8(0xffff0, 1)
    mem.fill(0xc0000, 0x40000, 0)
    expect([mem.read8(0xffff0), mem.read8(0xfffffff0)]).toEqual([0xea, 0xea])
    expect(() => burn(0x100000, Uint8Array.of(1))).toThrow(RangeError)
  })

  test('devices see offset, width and value; what crosses their edge comes in bytes', () => {
    const memory = createMemory(2)
    const device = probe()
    memory.map(0xfee00000, 4096, device)
    const { mem } = memory
    mem.write32(0xfee00080, 0x80000001)
    mem.write16(0xfee00010, 0x12345)
    expect(mem.read32(0xfee00020)).toBe(0x20)
    expect(mem.read16(0xfee00fff)).toBe(0xffff)
    mem.write64(0xfee00100, 0x200000001n)
    expect(device.log).toEqual(['w4 128 2147483649', 'w2 16 9029', 'r4 32', 'r1 4095', 'w4 256 1', 'w4 260 2'])
  })

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('address %d is a defect of the caller', (at) => {
    const { mem } = createMemory(1)
    expect(() => mem.copyOut(at, 1)).toThrow(RangeError)
    if (at !== 0.5) expect(() => mem.read32(at)).toThrow(RangeError)
  })
})

test.each([-1, 0.5, MEMORY_MIB_MAX + 1])('%d MiB is refused', (size) => {
  expect(() => createMemory(size)).toThrow(RangeError)
})

test('no RAM at all is a machine too', () => {
  const { mem } = createMemory(0)
  expect(mem.read8(0)).toBe(0xff)
})
