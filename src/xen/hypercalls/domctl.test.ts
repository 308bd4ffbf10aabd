/** The lives of domains, as the control domain's tools make them, and what they are refused. */
import { describe, expect, test } from 'vitest'
import type { Struct } from '#abi/struct.ts'
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_get_address_size,
  XEN_DOMCTL_getmemlist,
  XEN_DOMCTL_getpageframeinfo,
  XEN_DOMCTL_getpageframeinfo2,
  XEN_DOMCTL_getvcpuaffinity,
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_getvcpuinfo,
  XEN_DOMCTL_hypercall_init,
  XEN_DOMCTL_iomem_permission,
  XEN_DOMCTL_ioport_permission,
  XEN_DOMCTL_irq_permission,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_PFINFO_L1TAB,
  XEN_DOMCTL_PFINFO_L4TAB,
  XEN_DOMCTL_PFINFO_LPINTAB,
  XEN_DOMCTL_PFINFO_XTAB,
  XEN_DOMCTL_pausedomain,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_SENDTRIGGER_NMI,
  XEN_DOMCTL_SENDTRIGGER_RESET,
  XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION,
  XEN_DOMCTL_scheduler_op,
  XEN_DOMCTL_sendtrigger,
  XEN_DOMCTL_set_address_size,
  XEN_DOMCTL_setdebugging,
  XEN_DOMCTL_setdomainhandle,
  XEN_DOMCTL_settimeoffset,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
  XEN_DOMCTL_unpausedomain,
  XEN_DOMINF_blocked,
  XEN_DOMINF_paused,
  XEN_DOMINF_shutdown,
  XEN_DOMINF_shutdownshift,
  xen_domctl,
  xen_domctl_address_size,
  xen_domctl_createdomain,
  xen_domctl_getmemlist,
  xen_domctl_getpageframeinfo,
  xen_domctl_getpageframeinfo2,
  xen_domctl_getvcpuinfo,
  xen_domctl_hypercall_init,
  xen_domctl_iomem_permission,
  xen_domctl_ioport_permission,
  xen_domctl_irq_permission,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_scheduler_op,
  xen_domctl_sendtrigger,
  xen_domctl_setdebugging,
  xen_domctl_setdomainhandle,
  xen_domctl_settimeoffset,
  xen_domctl_shadow_op,
  xen_domctl_vcpuaffinity,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import { E2BIG, EACCES, EFAULT, EINVAL, ENODATA, ENOMEM, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import { SCHEDOP_shutdown, SHUTDOWN_crash, SHUTDOWN_suspend, sched_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_domctl, __HYPERVISOR_sched_op, shared_info, start_info } from '#abi/xen/xen.ts'
import { complaints } from '#testing/fuzz/invariants.ts'
import {
  books,
  buildDomain,
  changes,
  createDomain,
  domainInfo,
  domctl,
  L1,
  L2,
  L3,
  L4,
  mapForeign,
  nothing,
  pinL4,
  play,
  room,
  setContext,
  turns,
  unmap,
  writeTables,
} from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { convertToPageMap } from '../arch-x86/page-tables.ts'
import { PGC_allocated } from '../common/page-alloc.ts'

const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result
const destroy = (g: ScriptGuest, domid: number): number => simple(g, XEN_DOMCTL_destroydomain, domid)
const nmi = (g: ScriptGuest, domid: number): number =>
  domctl(g, XEN_DOMCTL_sendtrigger, domid, xen_domctl_sendtrigger, { trigger: XEN_DOMCTL_SENDTRIGGER_NMI }).result

/** A kernel that blocks until the byte in its page 8 says for which reason to shut down: 128 more than that. */
const obedient = kernel((vcpu) => {
  const order = vcpu.mem.read8(TEST_BASE + 8 * PAGE_SIZE)
  if (order < 128) return BLOCK
  vcpu.mem.write8(TEST_BASE + 8 * PAGE_SIZE, 1)
  const at = TEST_BASE + 9 * PAGE_SIZE
  sched_shutdown.write(vcpu.mem, at, { reason: order - 128 })
  return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_shutdown, at] }
})

function tellToShutDown(g: ScriptGuest, domid: number, mfn: number, reason: number): void {
  mapForeign(g, g.beyond, mfn, domid)
  g.vcpu.mem.write8(g.beyond, 128 + reason)
  unmap(g, g.beyond)
  nmi(g, domid)
}

describe('a life', () => {
  test('created, built, started, shut down, destroyed: all is given back', () => {
    const seen: Record<string, number> = {}
    let before: ReturnType<typeof books> = {}
    const guest = kernel((vcpu, result) => {
      expect(start_info.fields.nr_pages.get(vcpu.mem, vcpu.startInfo)).toBe(16)
      return obedient(vcpu).run(0, result)
    })
    const host = play(function* (g, { xen }) {
      const flags = (when: string): void => {
        seen[when] = domainInfo(g, 1)!.flags
      }
      yield RUN
      before = books(xen)
      const { domid, mfns } = buildDomain(g)
      expect(domid).toBe(1)
      flags('built')
      // As often as one likes: it is paused or not.
      expect(simple(g, XEN_DOMCTL_unpausedomain, domid)).toBe(0)
      expect(simple(g, XEN_DOMCTL_unpausedomain, domid)).toBe(0)
      yield* turns(20)
      flags('blocked')
      expect(simple(g, XEN_DOMCTL_pausedomain, domid)).toBe(0)
      expect(simple(g, XEN_DOMCTL_pausedomain, domid)).toBe(0)
      flags('paused')
      tellToShutDown(g, domid, mfns[8]!, SHUTDOWN_suspend)
      simple(g, XEN_DOMCTL_unpausedomain, domid)
      yield* turns(50)
      flags('shut down')
      expect(simple(g, XEN_DOMCTL_resumedomain, domid)).toBe(0)
      yield* turns(50)
      flags('resumed')
      expect(destroy(g, domid)).toBe(0)
      expect(domainInfo(g, domid)).toBeUndefined()
      expect(destroy(g, domid)).toBe(-ESRCH)
      yield RUN
    }, loaded(guest))
    const suspended = SHUTDOWN_suspend << XEN_DOMINF_shutdownshift
    expect(seen).toEqual({
      built: XEN_DOMINF_paused,
      blocked: XEN_DOMINF_blocked,
      paused: XEN_DOMINF_paused | XEN_DOMINF_blocked,
      'shut down': XEN_DOMINF_shutdown | suspended,
      resumed: XEN_DOMINF_blocked | suspended,
    })
    expect(changes(before, books(host.xen))).toEqual([])
    expect(host.serial).not.toMatch(/BUG|crashed/)
  })

  test('ids: what was asked for, else the next after the last', () => {
    play(function* (g) {
      expect(createDomain(g, { pages: 1 }).domid).toBe(1)
      expect(createDomain(g, { pages: 1, id: 7 }).domid).toBe(7)
      expect(createDomain(g, { pages: 1 }).domid).toBe(2)
      destroy(g, 2)
      expect(createDomain(g, { pages: 1 }).domid).toBe(3)
      // The list is in their order, and the first from one on is asked for.
      expect(createDomain(g, { pages: 1, id: 5 }).domid).toBe(5)
      const ids: number[] = []
      for (let first = 0; ; ) {
        const { result, domain } = domctl(g, 5, first, nothing, {})
        if (result !== 0) break
        ids.push(domain)
        first = domain + 1
      }
      expect(ids).toEqual([0, 1, 3, 5, 7])
      yield RUN
    })
  })

  test.each<[string, Parameters<typeof play>[1], RegExp]>([
    [
      'no image',
      { ok: false, isImage: true, why: 'no image there' },
      /Unhandled invalid opcode fault\/trap \[#6\] on VCPU 0/,
    ],
    ['an image that is none', loaded({}, 2), /Unhandled invalid opcode/],
    ['a kernel that throws', loaded(kernel(() => JSON.parse('{'))), /guest\.ts:7/],
  ])('%s at the entry: it crashes, dom0 lives and sees it', (_, guest, words) => {
    let flags = 0
    let before: ReturnType<typeof books> = {}
    const host = play(function* (g, { xen }) {
      yield RUN
      before = books(xen)
      const { domid } = buildDomain(g)
      simple(g, XEN_DOMCTL_unpausedomain, domid)
      yield* turns(50)
      flags = domainInfo(g, domid)!.flags
      destroy(g, domid)
    }, guest)
    expect(flags & XEN_DOMINF_shutdown).toBe(XEN_DOMINF_shutdown)
    expect(flags >> XEN_DOMINF_shutdownshift).toBe(SHUTDOWN_crash)
    expect(host.serial).toMatch(words)
    expect(host.serial).toMatch(/Domain 1 \(vcpu#0\) crashed on cpu#\d:/)
    expect(changes(before, books(host.xen))).toEqual([])
  })

  test('a frame that dom0 still maps outlives its domain, and the domain with it', () => {
    let before: ReturnType<typeof books> = {}
    const host = play(function* (g, { xen }) {
      yield RUN
      before = books(xen)
      const { domid, mfns } = buildDomain(g)
      expect(mapForeign(g, g.beyond, mfns[12]!, domid)).toBe(0)
      g.vcpu.mem.write32(g.beyond, 0xabad1dea)
      expect(destroy(g, domid)).toBe(0)
      expect(destroy(g, domid)).toBe(0)
      const info = domainInfo(g, domid)!
      expect([info.tot_pages, info.flags & 1]).toEqual([1, 1])
      expect(g.vcpu.mem.read32(g.beyond)).toBe(0xabad1dea)
      // What nobody used is gone, and it gets nothing new.
      expect(mapForeign(g, g.beyond + PAGE_SIZE, mfns[13]!, domid)).toBe(-EINVAL)
      expect(domctl(g, XEN_DOMCTL_createdomain, domid, xen_domctl_createdomain, {}).result).toBe(-EINVAL)
      domctl(g, XEN_DOMCTL_setvcpucontext, domid, xen_domctl_vcpucontext, { ctxt: 0 })
      expect(setContext(g, domid, mfns[L4]!)).toBe(-EINVAL)
      expect(domctl(g, XEN_DOMCTL_getmemlist, domid, xen_domctl_getmemlist, { max_pfns: 9n }).result).toBe(-EINVAL)
      unmap(g, g.beyond)
      expect(domainInfo(g, domid)).toBeUndefined()
      expect(destroy(g, domid)).toBe(-ESRCH)
    })
    expect(changes(before, books(host.xen))).toEqual([])
  })
})

describe('page tables', () => {
  type Change = NonNullable<Parameters<typeof writeTables>[3]>
  test.each<[string, (mfns: readonly number[]) => Change]>([
    ['a writable mapping of a table', () => (level, slot, entry) => (level === 1 && slot === L2 ? entry | 2n : entry)],
    [
      'a table twice, as different ones',
      (m) => (level, _s, entry) => (level === 2 ? (BigInt(m[L3]!) << 12n) | 0x67n : entry),
    ],
    ['the root as its own L3', (m) => (level, _s, entry) => (level === 4 ? (BigInt(m[L4]!) << 12n) | 0x67n : entry)],
    ["dom0's frame", () => (level, slot, entry) => (level === 1 && slot === 9 ? (1n << 20n) * 0xe0n + 0x25n : entry)],
    ['a frame that there is not', () => (level, _s, entry) => (level === 3 ? 0xffffffff067n : entry)],
    ['a large page', () => (level, _s, entry) => (level === 2 ? entry | 0x80n : entry)],
    ['a global table', () => (level, _s, entry) => (level === 4 ? entry | 0x100n : entry)],
    ['an uncached page', () => (level, slot, entry) => (level === 1 && slot === 15 ? entry | 0x10n : entry)],
    ['the VGA', () => (level, slot, entry) => (level === 1 && slot === 15 ? 0xb8027n : entry)],
  ])('%s: refused, and no count has changed', (_, change) => {
    play(function* (g, { xen }) {
      const { domid, mfns } = createDomain(g)
      yield RUN
      writeTables(g, domid, mfns, change(mfns))
      const before = books(xen)
      expect(pinL4(g, mfns[L4]!, domid)).toBe(-EINVAL)
      expect(setContext(g, domid, mfns[L4]!)).toBe(-EINVAL)
      expect(changes(before, books(xen))).toEqual([])
      expect(xen.domains.get(domid)!.pageMap.count).toBe(0)
      destroy(g, domid)
    })
  })

  test('tables that lead to each other for ever are given up by a module kernel', () => {
    play(function* (g, { xen }) {
      const { domid, mfns } = createDomain(g)
      const fill = (table: number, next: number): void => {
        mapForeign(g, g.beyond, mfns[table]!, domid)
        for (let i = 0; i < 512; i++) g.vcpu.mem.write64(g.beyond + 8 * i, (BigInt(mfns[next]!) << 12n) | 0x67n)
        unmap(g, g.beyond)
      }
      fill(L4, L3)
      fill(L3, L2)
      fill(L2, L1)
      fill(L1, 9)
      // Each table is looked through once; a page map cannot be made of it.
      expect(pinL4(g, mfns[L4]!, domid)).toBe(0)
      expect(setContext(g, domid, mfns[L4]!)).toBe(0)
      expect(convertToPageMap(xen, xen.domains.get(domid)!)).toBe(false)
      expect(complaints(xen)).toEqual([])
      expect(destroy(g, domid)).toBe(0)
      expect(domainInfo(g, domid)).toBeUndefined()
      yield RUN
    })
  })

  test('counts are as construct_dom0 makes them; one root, one pin', () => {
    play(function* (g, { xen }) {
      const { domid, mfns } = buildDomain(g)
      const { countInfo, typeInfo } = xen.heap.frames
      const of = (pfn: number): string =>
        `${countInfo[mfns[pfn]!]! - PGC_allocated} ${typeInfo[mfns[pfn]!]!.toString(16)}`
      expect([L4, L3, L2, L1, 9].map(of)).toEqual([
        '4 98000002',
        '3 68000001',
        '3 48000001',
        '3 28000001',
        '2 e8000001',
      ])
      expect(pinL4(g, mfns[L4]!, domid)).toBe(-EINVAL)
      expect(pinL4(g, mfns[L3]!, domid)).toBe(-EINVAL)
      expect(pinL4(g, mfns[9]!, domid)).toBe(-EINVAL)
      expect([L4, L3, L2, L1, 9].map(of)).toEqual([
        '4 98000002',
        '3 68000001',
        '3 48000001',
        '3 28000001',
        '2 e8000001',
      ])
      // Nobody gets at a table by another way.
      expect(mapForeign(g, g.beyond, mfns[L1]!, domid)).toBe(-EINVAL)
      expect(mapForeign(g, g.beyond, mfns[L1]!, domid, false)).toBe(0)
      const types = room(g, 1)
      for (const [i, mfn] of [mfns[L4]!, mfns[L1]!, mfns[9]!, 5].entries()) g.vcpu.mem.write32(types + 4 * i, mfn)
      domctl(g, XEN_DOMCTL_getpageframeinfo2, domid, xen_domctl_getpageframeinfo2, { num: 4n, array: types })
      expect([0, 1, 2, 3].map((i) => (g.vcpu.mem.read32(types + 4 * i) & 0xf0000000) >>> 0)).toEqual([
        (XEN_DOMCTL_PFINFO_LPINTAB | XEN_DOMCTL_PFINFO_L4TAB) >>> 0,
        XEN_DOMCTL_PFINFO_L1TAB,
        0,
        XEN_DOMCTL_PFINFO_XTAB,
      ])
      const { out } = domctl(g, XEN_DOMCTL_getpageframeinfo, domid, xen_domctl_getpageframeinfo, {
        gmfn: BigInt(mfns[L1]!),
      })
      expect(out.type).toBe(XEN_DOMCTL_PFINFO_L1TAB)
      yield RUN
    })
  })

  test('reset and set again; the context is told back', () => {
    let runs = 0
    play(
      function* (g, { xen }) {
        const { domid, mfns } = buildDomain(g)
        simple(g, XEN_DOMCTL_unpausedomain, domid)
        yield* turns(20)
        expect(runs).toBe(1)
        const ctxt = room(g, 0)
        const get = (): number => domctl(g, XEN_DOMCTL_getvcpucontext, domid, xen_domctl_vcpucontext, { ctxt }).result
        expect(get()).toBe(0)
        const context = vcpu_guest_context.read(g.vcpu.mem, ctxt)
        expect([context.rip, Number(context.ctrlreg3 >> 12n), context.flags & 0x20n]).toEqual([
          TEST_BASE,
          mfns[L4],
          0x20n,
        ])
        // What runs cannot be moved.
        expect(setContext(g, domid, mfns[L4]!)).toBe(-EINVAL)
        const reset = domctl(g, XEN_DOMCTL_setvcpucontext, domid, xen_domctl_vcpucontext, { vcpu: 0, ctxt: 0 })
        expect(reset.result).toBe(0)
        expect(get()).toBe(-ENODATA)
        yield* turns(20)
        expect(setContext(g, domid, mfns[L4]!)).toBe(0)
        yield* turns(20)
        expect(runs).toBe(2)
        destroy(g, domid)
        expect(xen.domains.size).toBe(1)
      },
      loaded(
        kernel(() => {
          runs++
          return BLOCK
        }),
      ),
    )
  })
})

describe('commands', () => {
  test('settings are told back', () => {
    play(function* (g, { xen }) {
      const { domid } = buildDomain(g, { vcpus: 3 })
      const domain = xen.domains.get(domid)!
      const info = domainInfo(g, domid)!
      expect(info).toMatchObject({ tot_pages: 16, max_pages: 16, nr_online_vcpus: 1, max_vcpu_id: 2, ssidref: 0 })
      expect([...info.handle]).toEqual(Array.from({ length: 16 }, (_, i) => i))
      expect(info.shared_info_frame).toBe(domain.sharedInfo)
      domctl(g, XEN_DOMCTL_setdomainhandle, domid, xen_domctl_setdomainhandle, { handle: new Uint8Array(16).fill(9) })
      expect(domainInfo(g, domid)!.handle[5]).toBe(9)
      domctl(g, XEN_DOMCTL_setdebugging, domid, xen_domctl_setdebugging, { enable: 1 })
      expect(domainInfo(g, domid)!.flags & 64).toBe(64)
      const sched = (values: object): number =>
        domctl(g, XEN_DOMCTL_scheduler_op, domid, xen_domctl_scheduler_op, { sched_id: 5, ...values }).result
      expect(sched({ cmd: 0, credit_weight: 512, credit_cap: 50 })).toBe(0)
      expect(sched({ cmd: 0, credit_weight: 0, credit_cap: 0xffff })).toBe(0)
      const { out } = domctl(g, XEN_DOMCTL_scheduler_op, domid, xen_domctl_scheduler_op, { sched_id: 5, cmd: 1 })
      expect([out.credit_weight, out.credit_cap]).toEqual([512, 50])
      domctl(g, XEN_DOMCTL_irq_permission, domid, xen_domctl_irq_permission, { pirq: 9, allow_access: 1 })
      domctl(g, XEN_DOMCTL_iomem_permission, domid, xen_domctl_iomem_permission, {
        first_mfn: 0xb8n,
        nr_mfns: 8n,
        allow_access: 1,
      })
      domctl(g, XEN_DOMCTL_ioport_permission, domid, xen_domctl_ioport_permission, {
        first_port: 0x3c0,
        nr_ports: 32,
        allow_access: 1,
      })
      domctl(g, XEN_DOMCTL_ioport_permission, domid, xen_domctl_ioport_permission, { first_port: 0x3d0, nr_ports: 1 })
      expect([domain.irqCaps, domain.iomemCaps, domain.ioportCaps].map((caps) => caps.text())).toEqual([
        '{ 9 }',
        '{ b8-bf }',
        '{ 3c0-3cf, 3d1-3df }',
      ])
      const size = domctl(g, XEN_DOMCTL_get_address_size, domid, xen_domctl_address_size, {}).out
      expect(size.size).toBe(64)
      const list = domctl(g, XEN_DOMCTL_getmemlist, domid, xen_domctl_getmemlist, { max_pfns: 99n, buffer: room(g, 1) })
      expect(list.out.num_pfns).toBe(16n)
      const page = room(g, 2)
      const { mfns } = { mfns: Array.from({ length: 16 }, (_, i) => g.vcpu.mem.read32(room(g, 1) + 8 * i)) }
      const free = mfns.find((mfn) => (xen.heap.frames.typeInfo[mfn]! & 0xe0000000) >>> 0 === 0xe0000000)!
      expect(
        domctl(g, XEN_DOMCTL_hypercall_init, domid, xen_domctl_hypercall_init, { gmfn: BigInt(free) }).result,
      ).toBe(0)
      expect([...xen.mem.copyOut(free * PAGE_SIZE + 32 * 29, 6)]).toEqual([0x51, 0x41, 0x53, 0xb8, 29, 0])
      g.vcpu.mem.write32(page, 0)
      yield RUN
    })
  })

  test('the time offset is in the wall clock that it starts with', () => {
    play(function* (g, { xen }) {
      const { domid, mfns } = createDomain(g)
      const values = { time_offset_seconds: -3600 >>> 0 }
      expect(domctl(g, XEN_DOMCTL_settimeoffset, domid, xen_domctl_settimeoffset, values).result).toBe(0)
      writeTables(g, domid, mfns)
      setContext(g, domid, mfns[L4]!)
      const seconds = shared_info.fields.wc_sec.get(xen.mem, xen.domains.get(domid)!.sharedInfo * PAGE_SIZE)
      expect(seconds).toBe(xen.time.wallclockSeconds - 3600)
      yield RUN
    })
  })

  type Row = readonly [string, number, number, Struct<never> | Struct<Record<string, never>>, object, number]
  // biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
  const one = (name: string, cmd: number, domid: number, layout: Struct<any>, values: object, result: number): Row =>
    [name, cmd, domid, layout, values, result] as unknown as Row
  const affinity = (values: object, result: number, name: string): Row =>
    one(`affinity: ${name}`, XEN_DOMCTL_setvcpuaffinity, 1, xen_domctl_vcpuaffinity, values, result)
  const rows: readonly Row[] = [
    ...[2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 24, 25, 27, 28, 35, 36].map((cmd) =>
      one(`command ${cmd}, no such domain`, cmd, 99, nothing, {}, cmd === 6 || cmd === 7 ? -EINVAL : -ESRCH),
    ),
    ...[0, 23, 26, 37, 44, 45, 47, 50, 53, 0xffffffff].map((cmd) =>
      one(`command ${cmd}`, cmd, 1, nothing, {}, -ENOSYS),
    ),
    one('create: taken', XEN_DOMCTL_createdomain, 1, xen_domctl_createdomain, {}, -EINVAL),
    one('create: unknown flags', XEN_DOMCTL_createdomain, 9, xen_domctl_createdomain, { flags: 4 }, -EINVAL),
    one('create: HVM', XEN_DOMCTL_createdomain, 9, xen_domctl_createdomain, { flags: 1 }, -ENOMEM),
    one('pause oneself', XEN_DOMCTL_pausedomain, 0, nothing, {}, -EINVAL),
    one('destroy oneself', XEN_DOMCTL_destroydomain, 0, nothing, {}, -EINVAL),
    one('reset oneself', XEN_DOMCTL_setvcpucontext, 0, xen_domctl_vcpucontext, {}, -EINVAL),
    one('vCPUs: too many', XEN_DOMCTL_max_vcpus, 1, xen_domctl_max_vcpus, { max: 33 }, -EINVAL),
    one('vCPUs: fewer', XEN_DOMCTL_max_vcpus, 1, xen_domctl_max_vcpus, { max: 0 }, -EINVAL),
    one('memory: less than it has', XEN_DOMCTL_max_mem, 1, xen_domctl_max_mem, { max_memkb: 60n }, -EINVAL),
    one('context: no such vCPU', XEN_DOMCTL_setvcpucontext, 1, xen_domctl_vcpucontext, { vcpu: 1 }, -EINVAL),
    one('context: nowhere', XEN_DOMCTL_setvcpucontext, 1, xen_domctl_vcpucontext, { vcpu: 0, ctxt: 8 }, -EFAULT),
    one('context: of no vCPU', XEN_DOMCTL_getvcpucontext, 1, xen_domctl_vcpucontext, { vcpu: 1 }, -ESRCH),
    one('context: of none at all', XEN_DOMCTL_getvcpucontext, 1, xen_domctl_vcpucontext, { vcpu: 32 }, -EINVAL),
    one('context: told nowhere', XEN_DOMCTL_getvcpucontext, 1, xen_domctl_vcpucontext, { ctxt: 8 }, -EFAULT),
    one('vCPU info: none', XEN_DOMCTL_getvcpuinfo, 1, xen_domctl_getvcpuinfo, { vcpu: 31 }, -ESRCH),
    one('vCPU info: never', XEN_DOMCTL_getvcpuinfo, 1, xen_domctl_getvcpuinfo, { vcpu: 32 }, -EINVAL),
    affinity({}, -EINVAL, 'no map'),
    affinity({ vcpu: 1 }, -ESRCH, 'no vCPU'),
    affinity({ vcpu: 77 }, -EINVAL, 'no vCPU that there could be'),
    affinity({ cpumap_bitmap: 8, cpumap_nr_cpus: 8 }, -EFAULT, 'nowhere'),
    one(
      'affinity told nowhere',
      XEN_DOMCTL_getvcpuaffinity,
      1,
      xen_domctl_vcpuaffinity,
      { cpumap_bitmap: 8, cpumap_nr_cpus: 64 },
      -EFAULT,
    ),
    one('scheduler: another', XEN_DOMCTL_scheduler_op, 1, xen_domctl_scheduler_op, { sched_id: 4 }, -EINVAL),
    one(
      'scheduler: neither put nor get',
      XEN_DOMCTL_scheduler_op,
      1,
      xen_domctl_scheduler_op,
      { sched_id: 5, cmd: 2 },
      -EINVAL,
    ),
    one(
      'ports: too many',
      XEN_DOMCTL_ioport_permission,
      1,
      xen_domctl_ioport_permission,
      { first_port: 65536, nr_ports: 1 },
      -EINVAL,
    ),
    one('frames: none', XEN_DOMCTL_iomem_permission, 1, xen_domctl_iomem_permission, { first_mfn: 5n }, -EINVAL),
    one(
      'frames: round the corner',
      XEN_DOMCTL_iomem_permission,
      1,
      xen_domctl_iomem_permission,
      { first_mfn: 5n, nr_mfns: 2n ** 64n - 1n },
      -EINVAL,
    ),
    one('frame info: too many', XEN_DOMCTL_getpageframeinfo2, 1, xen_domctl_getpageframeinfo2, { num: 1025n }, -E2BIG),
    one(
      'frame info: nowhere',
      XEN_DOMCTL_getpageframeinfo2,
      1,
      xen_domctl_getpageframeinfo2,
      { num: 1n, array: 8 },
      -EFAULT,
    ),
    one(
      'frame info: not its own',
      XEN_DOMCTL_getpageframeinfo,
      1,
      xen_domctl_getpageframeinfo,
      { gmfn: 0xe000n },
      -EINVAL,
    ),
    one(
      'frame info: no frame',
      XEN_DOMCTL_getpageframeinfo,
      1,
      xen_domctl_getpageframeinfo,
      { gmfn: 2n ** 63n },
      -EINVAL,
    ),
    one(
      'memory list: nowhere',
      XEN_DOMCTL_getmemlist,
      1,
      xen_domctl_getmemlist,
      { max_pfns: 2n ** 64n - 1n, buffer: 8 },
      -EFAULT,
    ),
    one(
      'hypercall page: not its own',
      XEN_DOMCTL_hypercall_init,
      1,
      xen_domctl_hypercall_init,
      { gmfn: 0xe000n },
      -EACCES,
    ),
    one(
      'trigger: reset',
      XEN_DOMCTL_sendtrigger,
      1,
      xen_domctl_sendtrigger,
      { trigger: XEN_DOMCTL_SENDTRIGGER_RESET },
      -ENOSYS,
    ),
    one('trigger: no vCPU', XEN_DOMCTL_sendtrigger, 1, xen_domctl_sendtrigger, { vcpu: 3 }, -ESRCH),
    one('32 bits', XEN_DOMCTL_set_address_size, 1, xen_domctl_address_size, { size: 32 }, -EINVAL),
    one('64 bits, too late', XEN_DOMCTL_set_address_size, 1, xen_domctl_address_size, { size: 64 }, -EACCES),
    one('shadow of oneself', XEN_DOMCTL_shadow_op, 0, xen_domctl_shadow_op, {}, -EINVAL),
    one(
      'shadow memory',
      XEN_DOMCTL_shadow_op,
      1,
      xen_domctl_shadow_op,
      { op: XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, mb: 1 },
      -ENOMEM,
    ),
    one('log dirty', XEN_DOMCTL_shadow_op, 1, xen_domctl_shadow_op, { op: 2 }, -ENOSYS),
  ]

  test('refusals change nothing', () => {
    const results: string[] = []
    play(function* (g, { xen }) {
      const { domid } = buildDomain(g)
      yield RUN
      const before = books(xen)
      for (const [name, cmd, domain, layout, values] of rows)
        results.push(`${name}: ${domctl(g, cmd, domain, layout as Struct<never>, values as never).result}`)
      expect(changes(before, books(xen))).toEqual([])
      expect(domainInfo(g, domid)!.flags).toBe(XEN_DOMINF_paused)
    })
    expect(results).toEqual(rows.map(([name, , , , , result]) => `${name}: ${result}`))
  })

  test('only for the privileged, of this version, at an address', () => {
    const results: number[] = []
    const host = scriptHost(function* (g) {
      const { mem } = g.vcpu
      results.push(g.call(__HYPERVISOR_domctl, 8), g.call(__HYPERVISOR_domctl, g.beyond - 100))
      xen_domctl.write(mem, g.scratch, { cmd: 5, interface_version: 6, domain: 0 })
      results.push(g.call(__HYPERVISOR_domctl, g.scratch))
      yield BLOCK
    })
    addDomain(
      host,
      1,
      kernel((vcpu) => {
        results.push(vcpu.hypercall(__HYPERVISOR_domctl, TEST_BASE), vcpu.hypercall(35, TEST_BASE))
        return BLOCK
      }),
    )
    host.runFor(1e8)
    expect(results).toEqual([-EFAULT, -EFAULT, -EACCES, -EPERM, -EPERM])
  })
})
