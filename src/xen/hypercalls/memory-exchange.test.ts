import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Values } from '#abi/struct.ts'
import { EFAULT, EINVAL, ENOMEM, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import * as m from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_memory_op, __HYPERVISOR_update_va_mapping, DOMID_SELF } from '#abi/xen/xen.ts'
import { books, changes } from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte } from '#testing/xen-script.ts'
import { INVALID_M2P_ENTRY } from '../arch-x86/m2p.ts'
import type { Domain } from '../common/domain.ts'
import { domainKill } from '../common/domain-destroy.ts'
import { domainShutdown } from '../common/domain-shutdown.ts'
import { hypercall } from './index.ts'

const PAGES = 24
const ARG = TEST_BASE
const IN = TEST_BASE + 256
const OUT = TEST_BASE + 512
const NOWHERE = 0x1000

let host: TestHost
let next = 1
let domain: Domain
beforeAll(() => {
  host = scriptHost(function* () {
    yield BLOCK
  })
})
beforeEach(() => {
  domain = addDomain(host, next++, () => ({ run: () => BLOCK, upcall() {} }), { pages: PAGES })
})

function call(caller: Domain, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, caller.vcpus[0]!, __HYPERVISOR_memory_op, args)
  })
  return result
}
const op = (command: number, pointer = ARG, caller = domain): number => call(caller, command, pointer)
const map = (va: number, entry: number): number => {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, domain.vcpus[0]!, __HYPERVISOR_update_va_mapping, [va, entry, 0])
  })
  return result
}
const va = (page: number): number => TEST_BASE + page * PAGE_SIZE
const mfnOf = (page: number): number => domain.pageMap.lookup(TEST_BASE / PAGE_SIZE + page) >>> 2
const frames = () => host.xen.heap.frames

/** Unmapped, so that the domain alone holds it: its frame. */
function spare(page: number): number {
  const mfn = mfnOf(page)
  expect(map(va(page), 0)).toBe(0)
  return mfn
}

type Half = Partial<Values<typeof m.xen_memory_reservation>>
function exchange(from: Half, to: Half, done = 0n): readonly [result: number, done: bigint] {
  const half = { nr_extents: 1n, extent_order: 0, mem_flags: 0, domid: DOMID_SELF }
  m.xen_memory_reservation.write(domain.mem, ARG, { ...half, extent_start: IN, ...from })
  m.xen_memory_reservation.write(domain.mem, ARG + m.XEN_MEMORY_EXCHANGE_OUT, { ...half, extent_start: OUT, ...to })
  m.xen_memory_exchange.fields.nr_exchanged.set(domain.mem, ARG, done)
  const result = op(m.XENMEM_exchange)
  return [result, m.xen_memory_exchange.fields.nr_exchanged.get(domain.mem, ARG)]
}
const list = (at: number, ...words: number[]): void => {
  for (const [i, word] of words.entries()) domain.mem.write64(at + 8 * i, BigInt(word))
}
const read = (at: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number(domain.mem.read64(at + 8 * i)))

describe('XENMEM_exchange', () => {
  test('single frames for others, which are the domain’s at the place that it said', () => {
    const given = [spare(3), spare(4), spare(5)]
    list(IN, ...given)
    list(OUT, 100, 101, 102)
    expect(exchange({ nr_extents: 3n }, { nr_extents: 3n })).toEqual([0, 3n])
    const got = read(OUT, 3)
    expect(domain.totPages).toBe(PAGES)
    for (const [i, mfn] of got.entries())
      expect([frames().owner[mfn], frames().m2p.get(mfn)]).toEqual([domain.id, 100 + i])
    for (const mfn of given.filter((each) => !got.includes(each)))
      expect([frames().allocated[mfn], frames().m2p.get(mfn)]).toEqual([0, INVALID_M2P_ENTRY])
    expect(map(va(3), pte(got[0]!))).toBe(0)
    expect(domain.mem.read32(va(3))).toBe(0)
  })

  test('what was done before counts, and the rest is untouched', () => {
    const given = [spare(3), spare(4)]
    list(IN, 1, given[1]!)
    list(OUT, 7, 8)
    expect(exchange({ nr_extents: 2n }, { nr_extents: 2n }, 1n)).toEqual([0, 2n])
    expect(read(OUT, 1)).toEqual([7])
    expect(frames().owner[given[0]!]).toBe(domain.id)
  })

  test('with a device: four frames for one block and back', () => {
    domain.iomemCaps.add(0xa0, 0xa0)
    const given = [spare(3), spare(4), spare(5), spare(6)]
    list(IN, ...given)
    list(OUT, 200)
    expect(exchange({ nr_extents: 4n }, { extent_order: 2 })).toEqual([0, 4n])
    const [block] = read(OUT, 1)
    expect(block! % 4).toBe(0)
    expect([0, 1, 2, 3].map((i) => frames().m2p.get(block! + i))).toEqual([200, 201, 202, 203])
    list(IN, block!)
    list(OUT, 300, 301, 302, 303)
    expect(exchange({ extent_order: 2 }, { nr_extents: 4n })).toEqual([0, 1n])
    expect(domain.totPages).toBe(PAGES)
  })

  test('below so many bits of address', () => {
    list(IN, spare(3))
    list(OUT, 9)
    const bits = 27
    expect(exchange({}, { mem_flags: bits })).toEqual([0, 1n])
    expect(read(OUT, 1)[0]).toBeLessThan(2 ** (bits - 12))
  })

  test('that the second list cannot be written harms only the caller', () => {
    list(IN, spare(3))
    expect(exchange({}, { extent_start: NOWHERE })).toEqual([0, 1n])
    expect(domain.totPages).toBe(PAGES)
  })

  test.each<[string, () => readonly [number, bigint], number]>([
    ['more done than there is', () => exchange({}, {}, 2n), -EINVAL],
    ['different domains', () => exchange({ domid: 0 }, {}), -EINVAL],
    ['different sizes', () => exchange({ nr_extents: 2n }, {}), -EINVAL],
    ['another domain', () => exchange({ domid: 0 }, { domid: 0 }), -EPERM],
    ['its own number', () => exchange({ domid: domain.id }, { domid: domain.id }), -EPERM],
    ['blocks without a device', () => exchange({ nr_extents: 2n }, { extent_order: 1 }), -EPERM],
    ['blocks of no size', () => exchange({ extent_order: 70 }, { extent_order: 70 }), -EPERM],
    ['no list', () => exchange({ extent_start: NOWHERE }, {}), -EFAULT],
    ['a frame that is mapped', () => exchangeOf(mfnOf(3), {}), -EINVAL],
    ['no frame', () => exchangeOf(2 ** 40, {}), -EINVAL],
    ['a frame of dom0’s', () => exchangeOf(host.xen.domains.get(0)!.root, {}), -EINVAL],
    ['a frame of Xen’s', () => exchangeOf(domain.sharedInfo, {}), -EINVAL],
    ['the same twice in a block', () => twice(), -EINVAL],
    ['nowhere below', () => exchangeOf(once(), { mem_flags: 13 }), -ENOMEM],
  ])('%s: nothing has changed', (_name, run, result) => {
    // What the row itself unmaps first is not the call's doing.
    run()
    const before = books(host.xen)
    expect(run()[0]).toBe(result)
    expect(changes(before, books(host.xen))).toEqual([])
  })
  function exchangeOf(mfn: number, to: Half): readonly [number, bigint] {
    list(IN, mfn)
    return exchange({}, to)
  }
  let unmapped = 0
  /** Page 3's frame, unmapped by the first of two calls. */
  function once(): number {
    if (mfnOf(3) !== 0) unmapped = spare(3)
    return unmapped
  }
  function twice(): readonly [number, bigint] {
    domain.iomemCaps.add(0xa0, 0xa0)
    list(IN, once(), unmapped)
    return exchange({ nr_extents: 2n }, { extent_order: 1 })
  }

  test('the second of two fails: the first is exchanged, and said to be', () => {
    list(IN, spare(3), mfnOf(4))
    list(OUT, 50, 51)
    expect(exchange({ nr_extents: 2n }, { nr_extents: 2n })).toEqual([-EINVAL, 1n])
    expect(frames().m2p.get(read(OUT, 1)[0]!)).toBe(50)
    expect(domain.totPages).toBe(PAGES)
  })

  test('a struct that is not there', () => {
    expect(op(m.XENMEM_exchange, NOWHERE)).toBe(-EFAULT)
  })
})

describe('memory maps', () => {
  const setMap = (domid: number, entries: number, buffer: number, caller = host.xen.domains.get(0)!): number => {
    // dom0 asks from its own first page of memory that it can write.
    const at = caller === domain ? ARG : dom0At
    m.xen_foreign_memory_map.write(caller.mem, at, { domid, nr_entries: entries, buffer })
    return op(m.XENMEM_set_memory_map, at, caller)
  }
  /** Behind dom0's tables: its boot stack. */
  let dom0At = 0
  beforeAll(() => {
    const { pageMap, mem } = host.xen.domains.get(0)!
    const base = -0x80000000
    for (let page = 0; dom0At === 0; page++)
      if ((pageMap.lookup(base / PAGE_SIZE + page) & 2) !== 0) dom0At = base + page * PAGE_SIZE
    mem.read8(dom0At)
  })

  test('a domain is told what was set for it, as much as it has room for', () => {
    m.xen_memory_map.write(domain.mem, ARG, { nr_entries: 4, buffer: OUT })
    expect(op(m.XENMEM_memory_map)).toBe(-ENOSYS)
    const dom0 = host.xen.domains.get(0)!
    m.e820entry.write(dom0.mem, dom0At + 64, { addr: 0n, size: 0x9f000n, type: 1 })
    m.e820entry.write(dom0.mem, dom0At + 84, { addr: 0x100000n, size: 0x700000n, type: 1 })
    expect(setMap(domain.id, 2, dom0At + 64)).toBe(0)
    expect(op(m.XENMEM_memory_map)).toBe(0)
    expect(m.xen_memory_map.fields.nr_entries.get(domain.mem, ARG)).toBe(2)
    expect(m.e820entry.read(domain.mem, OUT + 20)).toEqual({ addr: 0x100000n, size: 0x700000n, type: 1 })
    m.xen_memory_map.write(domain.mem, ARG, { nr_entries: 1, buffer: OUT + 64 })
    expect(op(m.XENMEM_memory_map)).toBe(0)
    expect([domain.mem.read32(ARG), domain.mem.read32(OUT + 64 + 20)]).toEqual([1, 0])
    expect(op(m.XENMEM_memory_map, NOWHERE)).toBe(-EFAULT)
    expect(setMap(domain.id, 0, 0)).toBe(0)
    expect(op(m.XENMEM_memory_map)).toBe(-ENOSYS)
  })

  test.each<[string, () => number, number]>([
    ['too many entries', () => setMap(domain.id, 4, dom0At), -EINVAL],
    ['of nobody', () => setMap(77, 1, dom0At), -ESRCH],
    ['of dom0, by a guest', () => setMap(0, 1, IN, domain), -EPERM],
    ['of its own', () => setMap(DOMID_SELF, 1, IN, domain), 0],
    ['from nowhere', () => setMap(domain.id, 1, NOWHERE), -EFAULT],
    ['the machine’s, by a guest', () => op(m.XENMEM_machine_memory_map), -EINVAL],
  ])('%s', (_name, run, result) => {
    expect(run()).toBe(result)
  })

  test('where the machine-to-physical table lies', () => {
    const ask = (max_extents: number, extent_start = OUT): number[] => {
      m.xen_machphys_mfn_list.write(domain.mem, ARG, { max_extents, extent_start })
      return [op(m.XENMEM_machphys_mfn_list), domain.mem.read32(ARG + 16)]
    }
    const blocks = Math.ceil((host.xen.maxPage * 8) / 2 ** 21)
    expect(ask(100)).toEqual([0, blocks])
    const [first] = read(OUT, 1)
    expect([first! % 512, frames().allocated[first!]]).toEqual([0, 1])
    expect(ask(0)).toEqual([0, 0])
    expect(ask(1, NOWHERE)[0]).toBe(-EFAULT)
  })
})

describe('what is only for domains whose addresses Xen translates', () => {
  test.each<[string, number, Partial<Values<typeof m.xen_add_to_physmap>>, number]>([
    ['the shared page', m.XENMEM_add_to_physmap, { domid: DOMID_SELF, space: m.XENMAPSPACE_shared_info }, -EINVAL],
    [
      'a grant frame',
      m.XENMEM_add_to_physmap,
      { domid: DOMID_SELF, space: m.XENMAPSPACE_grant_table, idx: 5n },
      -EINVAL,
    ],
    ['of dom0', m.XENMEM_add_to_physmap, { domid: 0 }, -EPERM],
    ['of nobody', m.XENMEM_add_to_physmap, { domid: 99 }, -ESRCH],
    ['translated: its own', m.XENMEM_translate_gpfn_list, { domid: DOMID_SELF, idx: 1n }, -EINVAL],
    ['translated: dom0’s', m.XENMEM_translate_gpfn_list, { domid: 0, idx: 1n }, -EPERM],
    ['translated: too many', m.XENMEM_translate_gpfn_list, { domid: 99, idx: 2n ** 60n }, -EINVAL],
    ['translated: nobody’s', m.XENMEM_translate_gpfn_list, { domid: 99, idx: 1n }, -ESRCH],
  ])('%s', (_name, command, values, result) => {
    domain.mem.fill(ARG, 64, 0)
    m.xen_add_to_physmap.write(domain.mem, ARG, values)
    expect(op(command)).toBe(result)
    // A grant table grows before anybody asks what for.
    expect(domain.grantTable!.shared.length).toBe(values.idx === 5n ? 6 : 4)
  })
})

describe('nothing of one domain is left for another to find', () => {
  const SECRET = 0x5ec2e7
  /** All frames that a new domain can get of those that the old one had, read through its own page map. */
  function findSecrets(had: readonly number[]): { seen: number; secrets: number } {
    const taker = addDomain(host, next++, () => ({ run: () => BLOCK, upcall() {} }), { pages: 4000 })
    let seen = 0
    let secrets = 0
    for (let page = 0; page < 4000; page++) {
      const at = TEST_BASE + page * PAGE_SIZE
      if (had.includes(taker.pageMap.lookup(at / PAGE_SIZE) >>> 2)) seen++
      for (const offset of [0, 2048, 4092]) if (taker.mem.read32(at + offset) !== 0) secrets++
    }
    host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, taker))
    return { seen, secrets }
  }
  const fill = (page: number): number => {
    for (const offset of [0, 2048, 4092]) domain.mem.write32(va(page) + offset, SECRET)
    return mfnOf(page)
  }

  test.each<[string, (mfns: number[]) => void]>([
    ['of one that died', () => host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, domain))],
    [
      'of one that crashed, and was destroyed',
      () =>
        host.inXen((xen) => {
          domainShutdown(xen, domain, 3)
          domainKill(xen, xen.domains.get(0)!, domain)
        }),
    ],
    [
      'of what a living one gave up',
      (mfns) => {
        for (let page = 2; page < PAGES; page++) map(va(page), 0)
        list(IN, ...mfns)
        m.xen_memory_reservation.write(domain.mem, ARG, {
          extent_start: IN,
          nr_extents: BigInt(mfns.length),
          extent_order: 0,
          mem_flags: 0,
          domid: DOMID_SELF,
        })
        expect(op(m.XENMEM_decrease_reservation)).toBe(mfns.length)
      },
    ],
    [
      'of what it exchanged',
      (mfns) => {
        for (let page = 2; page < PAGES; page++) map(va(page), 0)
        list(IN, ...mfns)
        const nr_extents = BigInt(mfns.length)
        expect(exchange({ nr_extents }, { nr_extents, extent_start: OUT + 512 })[0]).toBe(0)
      },
    ],
  ])('%s', (_name, leave) => {
    const had = Array.from({ length: PAGES - 2 }, (_, i) => fill(i + 2))
    leave(had)
    const { seen, secrets } = findSecrets(had)
    expect(seen).toBeGreaterThan(0)
    expect(secrets).toBe(0)
  })

  test('not even of frames that somebody could not be given', () => {
    const had = Array.from({ length: PAGES - 2 }, (_, i) => fill(i + 2))
    host.inXen((xen) => domainKill(xen, xen.domains.get(0)!, domain))
    // One that is at its limit asks for each of them in vain.
    const full = addDomain(host, next++, () => ({ run: () => BLOCK, upcall() {} }), { pages: 2 })
    domain = full
    m.xen_memory_reservation.write(full.mem, ARG, {
      extent_start: 0,
      nr_extents: 9n,
      extent_order: 0,
      mem_flags: 0,
      domid: DOMID_SELF,
    })
    for (let i = 0; i < 100; i++) expect(op(m.XENMEM_increase_reservation)).toBe(0)
    expect(findSecrets(had).secrets).toBe(0)
  })
})
