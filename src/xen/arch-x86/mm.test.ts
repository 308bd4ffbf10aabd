import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { HYPERVISOR_VIRT_END } from '#abi/xen/xen.ts'
import { GuestPageFault, guestMem, PageMap } from './mm.ts'

/** One page in each kind of place: where kernels are linked, the direct map, user addresses, the last page of all. */
const PLACES = [-0x80000000, HYPERVISOR_VIRT_END, 0x400000, -PAGE_SIZE, HYPERVISOR_VIRT_END + 2 ** 32, 0x7ffffffff000]

describe('the page map', () => {
  test.each(PLACES)('a page at %d', (va) => {
    const map = new PageMap()
    const page = va / PAGE_SIZE
    expect(() => map.forRead(va)).toThrow(GuestPageFault)
    map.map(page, 7, false)
    expect(map.count).toBe(1)
    expect(map.forRead(va + 4095)).toBe(7 * PAGE_SIZE + 4095)
    expect(() => map.forWrite(va)).toThrow('page fault: writing')
    map.map(page, 9, true)
    expect(map.count).toBe(1)
    expect(map.forWrite(va + 12)).toBe(9 * PAGE_SIZE + 12)
    expect(() => map.forRead(va - 1)).toThrow(GuestPageFault)
    expect(() => map.forRead(va + PAGE_SIZE)).toThrow(GuestPageFault)
    map.set(page, 0)
    expect(map.count).toBe(0)
    expect(() => map.forRead(va)).toThrow('page fault: reading')
  })

  test.each<[string, unknown]>([
    ['a fraction', -0x80000000 + 0.5],
    ['not a number', Number.NaN],
    ['infinite', Number.NEGATIVE_INFINITY],
    ['too large to be exact', 2 ** 60],
    ['a string', '-2147483648'],
    ['undefined', undefined],
    ['an object', { valueOf: () => -0x80000000 }],
  ])('an address that is %s leads nowhere', (_, va) => {
    const map = new PageMap()
    map.map(-0x80000, 1, true)
    expect(() => map.forRead(va as number)).toThrow(GuestPageFault)
    expect(() => map.forWrite(va as number)).toThrow(GuestPageFault)
  })

  test('an address that changes while it is looked at stays in the page', () => {
    const map = new PageMap()
    for (let i = 0; i < 4; i++) map.map(HYPERVISOR_VIRT_END / PAGE_SIZE + i, 10 + i, true)
    let looks = 0
    const va = { valueOf: () => HYPERVISOR_VIRT_END + (looks++ === 0 ? 0 : 1e9 + 77) }
    let at = -1
    try {
      at = map.forWrite(va as unknown as number)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(GuestPageFault)
    }
    expect(at === -1 || (at >= 10 * PAGE_SIZE && at < 14 * PAGE_SIZE)).toBe(true)
  })

  test('addresses scattered over the whole space cost a bounded amount', () => {
    const map = new PageMap()
    let taken = 0
    while (map.set(taken * 512, 4 + 1)) taken++
    expect(taken).toBe(8192)
    // What is there stays, and what is taken away makes no new table.
    expect(map.lookup(512)).toBe(5)
    expect(map.set(2 ** 34, 0)).toBe(true)
  })
})

describe("a guest's memory", () => {
  const setup = () => {
    const bytes = new Uint8Array(16 * PAGE_SIZE)
    const map = new PageMap()
    // Neighbours in the guest, apart in the machine; the third is read-only.
    map.map(-0x80000, 3, true)
    map.map(-0x7ffff, 9, true)
    map.map(-0x7fffe, 5, false)
    return { bytes, mem: guestMem(map, memOf(bytes)), base: -0x80000000 }
  }

  test.each([2, 4, 8] as const)('words of %d bytes across a page', (size) => {
    const { mem, base, bytes } = setup()
    const at = base + PAGE_SIZE - 1
    if (size === 2) mem.write16(at, 0x1234)
    if (size === 4) mem.write32(at, 0x89abcdef)
    if (size === 8) mem.write64(at, 0xfedcba9876543210n)
    expect(size === 2 ? mem.read16(at) : size === 4 ? mem.read32(at) : mem.read64(at)).toBe(
      size === 2 ? 0x1234 : size === 4 ? 0x89abcdef : 0xfedcba9876543210n,
    )
    expect(bytes[4 * PAGE_SIZE - 1]).toBe(size === 2 ? 0x34 : size === 4 ? 0xef : 0x10)
    expect(bytes[9 * PAGE_SIZE]).not.toBe(0)
    expect(bytes[4 * PAGE_SIZE]).toBe(0)
  })

  test('copies go page by page, and begin only when all is there', () => {
    const { mem, base, bytes } = setup()
    const part = Uint8Array.from({ length: PAGE_SIZE + 100 }, (_, i) => i & 0xff)
    mem.copyIn(base + 50, part)
    expect(mem.copyOut(base + 50, part.length)).toEqual(part)
    expect(bytes[9 * PAGE_SIZE]).toBe(part[PAGE_SIZE - 50])
    expect(() => mem.copyOut(base, 4 * PAGE_SIZE)).toThrow(GuestPageFault)
    expect(() => mem.copyOut(base, 1e15)).toThrow(GuestPageFault)
    expect(() => mem.copyOut(base, -1)).toThrow(GuestPageFault)
    expect(() => mem.copyOut(base, Number.NaN)).toThrow(GuestPageFault)
    expect(() => mem.fill(base, 3 * PAGE_SIZE, 1)).toThrow('page fault: writing')
    expect(() => mem.write8(base + 2 * PAGE_SIZE, 1)).toThrow('page fault: writing')
    expect(mem.copyOut(base, 0).length).toBe(0)
  })

  test('nobody can exchange its functions', () => {
    const { mem } = setup()
    expect(() => {
      ;(mem as { read8: unknown }).read8 = () => 0
    }).toThrow(TypeError)
  })
})
