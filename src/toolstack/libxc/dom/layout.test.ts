import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { PAGE_SIZE, signedVaddr } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { start_info, start_info_domU, vcpu_info } from '#abi/xen/xen.ts'
import { byteString } from '#lib/utf8.ts'
import { Layout, type Segment, type TableCounts } from './layout.ts'
import { Panic } from './log.ts'
import { pageTables } from './page-tables.ts'
import { sharedInfoPage, startInfoPage, vcpuContext } from './pages.ts'

const BASE = 0xffffffff80000000n
const START = 0xffffffff80200000n

const quiet = (): void => {}

/** Kernel, ramdisk, lists and tables as the builder lays them out. */
function lay(base: bigint, kernelAt: bigint, kernelBytes: bigint, ramdiskBytes: bigint, pages: number) {
  const layout = new Layout(base, pages, quiet)
  const kernel = layout.segment('kernel', kernelBytes, kernelAt)
  const ramdisk = ramdiskBytes > 0n ? layout.segment('ramdisk', ramdiskBytes) : undefined
  const p2m = layout.segment('phys2mach', BigInt(pages * 8))
  const special = [layout.page('start info'), layout.page('xenstore'), layout.page('console')]
  const counts = layout.countTables()
  const tables = layout.segment('page tables', BigInt((counts.l4 + counts.l3 + counts.l2 + counts.l1) * PAGE_SIZE))
  const stack = layout.page('boot stack')
  return { layout, kernel, ramdisk, p2m, special, counts, tables, stack }
}

describe('the layout', () => {
  test('of a Linux domain: everything in its order, one page behind the other', () => {
    const { layout, kernel, ramdisk, p2m, special, counts, tables, stack } = lay(BASE, START, 0x98001n, 5000n, 0x8000)
    expect(kernel).toMatchObject({ vstart: START, vend: START + 0x99000n, pfn: 0x200, pages: 0x99 })
    expect(ramdisk).toMatchObject({ vstart: kernel.vend, pages: 2 })
    expect(p2m).toMatchObject({ vstart: ramdisk!.vend, pages: 64 })
    expect(special).toEqual([p2m.pfn + 64, p2m.pfn + 65, p2m.pfn + 66])
    expect(counts).toEqual({ l4: 1, l3: 1, l2: 1, l1: 2, end: BASE + 0x400000n })
    expect(tables.pfn).toBe(special[2]! + 1)
    expect(stack).toBe(tables.pfn + 5)
    expect(layout.end).toBe(tables.vend + 0x1000n)
  })

  test.each<[number, number]>([
    // In pages, from 2 MiB on; 67 pages of lists, 5 of tables, the stack and 128 of slack follow.
    [512 - 201, 4],
    [512 - 200, 8],
    // Without tables it would end at 4 MiB exactly: the real arithmetic takes the next multiple then.
    [512 - 196, 8],
    [1024, 8],
  ])('ends at a multiple of 4 MiB with half a MiB to spare: a kernel of %i pages: %i MiB', (pages, mib) => {
    const { layout, counts } = lay(BASE, START, BigInt(pages) * 4096n, 0n, 0x8000)
    expect(counts.end).toBe(BASE + BigInt(mib) * 0x100000n)
    expect(counts.end - layout.end).toBeGreaterThanOrEqual(0x80000n)
  })

  test.each<[string, (layout: Layout) => unknown, RegExp, string]>([
    [
      'a kernel that begins inside a page',
      (l) => l.segment('kernel', 1n, START + 1n),
      /start isn't page aligned \(0xffffffff80200001\)\n$/,
      'core.c:395',
    ],
    [
      'a segment below the last',
      (l) => {
        l.segment('kernel', 4096n, START)
        l.segment('ramdisk', 1n, BASE)
      },
      /segment start too low \(0xffffffff80000000 < 0xffffffff80201000\)\n$/,
      'core.c:402',
    ],
    [
      'a segment that is larger than the domain',
      (l) => l.segment('kernel', 1n << 40n, START),
      /failed to mmap domU pages 0x200\+0x10000000 \[mmap, errno=22 \(Invalid argument\)\]\n$/,
      'boot.c:177',
    ],
    ['a start beyond the domain', (l) => l.segment('kernel', 1n, BASE + (1n << 30n)), /^$/, ''],
  ])('refuses %s', (_name, act, text, where) => {
    const layout = new Layout(BASE, 0x1000, quiet)
    expect(() => act(layout)).toThrow(Panic)
    try {
      act(new Layout(BASE, 0x1000, quiet))
    } catch (error) {
      expect((error as Panic).text).toMatch(text)
      expect((error as Panic).where).toContain(where)
    }
  })
})

/** What the processor would make of the tables: every address that is mapped, to its frame and whether it may be written. */
function walk(bytes: Uint8Array, tables: Segment, p2m: Uint32Array): Map<bigint, { mfn: number; writable: boolean }> {
  const words = new BigUint64Array(bytes.buffer)
  const tableOf = new Map<number, number>()
  for (let i = 0; i < tables.pages; i++) tableOf.set(p2m[tables.pfn + i]!, i)
  const found = new Map<bigint, { mfn: number; writable: boolean }>()
  const descend = (table: number, level: number, va: bigint): void => {
    for (let i = 0; i < 512; i++) {
      const entry = words[table * 512 + i]!
      if (!(entry & 1n)) continue
      const at = va + (BigInt(i) << BigInt(12 + 9 * (level - 1)))
      const mfn = Number((entry >> 12n) & 0xffffffffffn)
      if (level === 1) {
        expect(entry & 0xfffn & ~2n).toBe(0x21n)
        found.set(BigInt.asUintN(64, BigInt.asIntN(48, at)), { mfn, writable: (entry & 2n) !== 0n })
      } else {
        expect(entry & 0xfffn).toBe(0x67n)
        descend(tableOf.get(mfn)!, level - 1, at)
      }
    }
  }
  descend(0, 4, 0n)
  return found
}

describe('the page tables', () => {
  const scattered = (pages: number): Uint32Array =>
    Uint32Array.from({ length: pages }, (_, i) => ((i * 2654435761) >>> 0) | 1)

  test.each<[string, bigint, bigint]>([
    ['where Linux lies', BASE, START],
    ['in the lower half, across tables of three levels', 0x7fffffe00000n - 0x200000n, 0x7fffffe00000n],
    ['at zero', 0n, 0x100000n],
    ['up to the end of a gigabyte', 0x3fc00000n, 0x3fd00000n],
  ])('map the whole region and write-protect themselves: %s', (_name, base, kernelAt) => {
    const p2m = scattered(0x4000)
    const { tables, counts } = lay(base, kernelAt, 0x123456n, 0n, p2m.length)
    const bytes = pageTables(base, tables, counts, p2m)
    expect(bytes.length).toBe((counts.l4 + counts.l3 + counts.l2 + counts.l1) * PAGE_SIZE)
    const mapped = walk(bytes, tables, p2m)
    const pages = Number((counts.end - base) >> 12n)
    expect(mapped.size).toBe(pages)
    for (let pfn = 0; pfn < pages; pfn++)
      expect(mapped.get(BigInt.asUintN(64, base + BigInt(pfn) * 4096n))).toEqual({
        mfn: p2m[pfn],
        writable: pfn < tables.pfn || pfn >= tables.pfn + tables.pages,
      })
  })

  test('name the table frames in the order L4, L3, L2, L1', () => {
    const p2m = scattered(0x4000)
    const { tables, counts } = lay(BASE, START, 0x1000n, 0n, p2m.length)
    const words = new BigUint64Array(pageTables(BASE, tables, counts, p2m).buffer)
    const frame = (page: number): bigint => BigInt(p2m[tables.pfn + page]!)
    expect(words[511]! >> 12n).toBe(frame(1))
    expect(words[512 + 510]! >> 12n).toBe(frame(2))
    expect([words[1024]! >> 12n, words[1025]! >> 12n]).toEqual([frame(3), frame(4)])
  })

  test('lead to frame 0 where the domain has no frame: pinning them fails then', () => {
    const counts: TableCounts = { l4: 1, l3: 1, l2: 1, l1: 1, end: BASE + 0x200000n }
    const tables: Segment = { vstart: BASE, vend: BASE + 0x4000n, pfn: 0, pages: 4 }
    const words = new BigUint64Array(pageTables(BASE, tables, counts, scattered(16)).buffer)
    expect(words[3 * 512 + 16]).toBe(0x23n)
  })
})

test('start_info', () => {
  const page = memOf(
    startInfoPage({
      guestType: 'xen-3.0-x86_64',
      totalPages: 0x8000,
      sharedInfoMfn: 0x3ef51,
      flags: 0,
      storeMfn: 0x3ec03,
      storeEvtchn: 1,
      consoleMfn: 0x3ec02,
      consoleEvtchn: 2,
      ptBase: START,
      nrPtFrames: 5,
      mfnList: BASE,
      ramdisk: { start: START, length: 8192 },
      cmdline: 'x'.repeat(2000),
    }),
  )
  const { magic, cmd_line, ...rest } = start_info.read(page, 0)
  expect(byteString(magic)).toBe(`xen-3.0-x86_64${'\0'.repeat(18)}`)
  expect(byteString(cmd_line)).toBe(`${'x'.repeat(1023)}\0`)
  expect(rest).toMatchObject({
    nr_pages: 0x8000,
    shared_info: 0x3ef51000,
    flags: 0,
    store_mfn: 0x3ec03,
    store_evtchn: 1,
    pt_base: signedVaddr(START),
    nr_pt_frames: 5,
    mfn_list: signedVaddr(BASE),
    mod_start: signedVaddr(START),
    mod_len: 8192,
  })
  expect(start_info_domU.read(page, 0)).toEqual({ console_mfn: 0x3ec02, console_evtchn: 2 })
})

test('shared_info masks the events of all 32 vCPUs and says nothing else', () => {
  const bytes = sharedInfoPage()
  for (let i = 0; i < 32; i++) expect(vcpu_info.fields.evtchn_upcall_mask.get(memOf(bytes), i * 64)).toBe(1)
  expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(32)
})

test('the vCPU starts at the entry, on the boot stack, with start_info in RSI', () => {
  const context = vcpu_guest_context.read(
    memOf(vcpuContext({ entry: START, stackEnd: BASE + 0x5000n, startInfo: BASE, cr3Mfn: 0x123 })),
    0,
  )
  expect(context).toMatchObject({
    rip: signedVaddr(START),
    rsp: signedVaddr(BASE + 0x5000n),
    kernel_sp: signedVaddr(BASE + 0x5000n),
    rsi: signedVaddr(BASE),
    rflags: 0x200n,
    cs: FLAT_KERNEL_CS,
    ctrlreg3: 0x123000n,
    flags: 0x24n,
  })
})
