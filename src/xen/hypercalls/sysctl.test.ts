import { describe, expect, test } from 'vitest'
import { E820_RAM } from '#abi/pc/e820.ts'
import { XEN_SCHEDULER_CREDIT, xen_domctl_getdomaininfo } from '#abi/xen/domctl.ts'
import { EACCES, EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { EVTCHNOP_bind_virq, evtchn_bind_virq } from '#abi/xen/event_channel.ts'
import {
  PMSTAT_get_cxstat,
  PMSTAT_get_max_cx,
  PMSTAT_get_max_px,
  PMSTAT_reset_cxstat,
  XEN_SYSCTL_availheap,
  XEN_SYSCTL_debug_keys,
  XEN_SYSCTL_get_pmstat,
  XEN_SYSCTL_getcpuinfo,
  XEN_SYSCTL_getdomaininfolist,
  XEN_SYSCTL_physinfo,
  XEN_SYSCTL_readconsole,
  XEN_SYSCTL_sched_id,
  xen_sysctl,
  xen_sysctl_availheap,
  xen_sysctl_cpuinfo,
  xen_sysctl_debug_keys,
  xen_sysctl_get_pmstat,
  xen_sysctl_getcpuinfo,
  xen_sysctl_getdomaininfolist,
  xen_sysctl_physinfo,
  xen_sysctl_readconsole,
  xen_sysctl_sched_id,
} from '#abi/xen/sysctl.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_va_mapping,
  DOMID_IO,
  DOMID_XEN,
  start_info,
  VIRQ_CON_RING,
} from '#abi/xen/xen.ts'
import { buildDomain, createDomain, nothing, play, room, sysctl, turns } from '#testing/xen-builder.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { NO_OWNER } from '../common/page-alloc.ts'

const list = (g: ScriptGuest, first: number, max: number): { id: number; pages: number }[] => {
  const { out } = sysctl(g, XEN_SYSCTL_getdomaininfolist, xen_sysctl_getdomaininfolist, {
    first_domain: first,
    max_domains: max,
    buffer: room(g, 1),
  })
  return Array.from({ length: out.num_domains }, (_, i) => {
    const info = xen_domctl_getdomaininfo.read(g.vcpu.mem, room(g, 1) + i * xen_domctl_getdomaininfo.size)
    return { id: info.domain, pages: info.tot_pages }
  })
}

const readConsole = (g: ScriptGuest, values: object): { text: string; index: number } => {
  const { out } = sysctl(g, XEN_SYSCTL_readconsole, xen_sysctl_readconsole, {
    buffer: room(g, 1),
    count: 16384,
    ...values,
  })
  const bytes = g.vcpu.mem.copyOut(room(g, 1), out.count)
  return { text: String.fromCharCode(...bytes), index: out.index }
}

describe('memory', () => {
  test("all frames of RAM are domains', free, or Xen's own; the tools' figures are the frame table's", () => {
    play(function* (g, { xen }) {
      const { frames } = xen.heap
      const total = (): number[] => {
        const physinfo = sysctl(g, XEN_SYSCTL_physinfo, xen_sysctl_physinfo, {}).out
        const domains = list(g, 0, 10)
        const theirs = domains.reduce((sum, { pages }) => sum + pages, 0)
        // Counted in the frame table: what is nobody's and not free is Xen's own.
        let own = 0
        let shared = 0
        let free = 0
        // RAM that is treated as I/O memory: the first megabyte.
        let legacy = 0
        const ram = xen.e820.filter(({ type }) => type === E820_RAM)
        for (const { base, length } of ram)
          for (let mfn = Math.ceil(base / PAGE_SIZE); mfn < Math.floor((base + length) / PAGE_SIZE); mfn++)
            if (frames.owner[mfn] === DOMID_IO) legacy++
        for (let mfn = 0; mfn < frames.maxPage; mfn++) {
          const owner = frames.owner[mfn]!
          if (!frames.allocated[mfn]) free++
          // The machine-to-physical table is Xen's own, and the privileged may look at it.
          else if (owner === NO_OWNER || (owner === DOMID_XEN && !xen.heap.isXenHeap(mfn))) own++
          else if (owner !== DOMID_IO && xen.heap.isXenHeap(mfn)) shared++
        }
        const heap = sysctl(g, XEN_SYSCTL_availheap, xen_sysctl_availheap, { node: 0xffffffff }).out
        expect(heap.avail_bytes).toBe(physinfo.free_pages * PAGE_SIZE)
        expect(physinfo.total_pages).toBe(xen.totalPages)
        expect(theirs + physinfo.free_pages + xen.heap.availHeapPages(0, 0) + own + shared + legacy).toBe(
          physinfo.total_pages,
        )
        expect(free).toBe(physinfo.free_pages + xen.heap.availHeapPages(0, 0))
        return [
          theirs + physinfo.free_pages + xen.heap.availHeapPages(0, 0) + own + shared,
          theirs,
          physinfo.free_pages,
        ]
      }
      const [all, theirs, free] = total()
      const { domid } = buildDomain(g, { pages: 100 })
      createDomain(g, { pages: 7 })
      const [allNow, theirsNow, freeNow] = total()
      expect([allNow, theirsNow, freeNow]).toEqual([all, theirs! + 107, free! - 107])
      expect(list(g, domid, 10).map(({ id }) => id)).toEqual([1, 2])
      expect(list(g, 0, 2).map(({ id }) => id)).toEqual([0, 1])
      expect(list(g, 3, 2)).toEqual([])
      yield RUN
    })
  })

  test('availheap by width', () => {
    play(function* (g, { xen }) {
      const bytes = (min_bitwidth: number, max_bitwidth: number, node = 0xffffffff): number =>
        sysctl(g, XEN_SYSCTL_availheap, xen_sysctl_availheap, { min_bitwidth, max_bitwidth, node }).out.avail_bytes
      const all = xen.heap.availDomHeapPages() * PAGE_SIZE
      expect([bytes(0, 0), bytes(0, 0, 0), bytes(0, 52), bytes(40, 0), bytes(0, 0, 1)]).toEqual([all, all, all, 0, 0])
      expect(bytes(0, 27) + bytes(28, 0)).toBe(all)
      yield RUN
    })
  })
})

test('the processors', () => {
  play(function* (g, { xen }) {
    const map = room(g, 2)
    const { out } = sysctl(g, XEN_SYSCTL_physinfo, xen_sysctl_physinfo, { max_cpu_id: 5, cpu_to_node: map })
    expect(out).toMatchObject({
      threads_per_core: 1,
      cores_per_socket: 2,
      nr_cpus: 2,
      nr_nodes: 1,
      cpu_khz: Math.floor(xen.time.tscHz / 1000),
      scrub_pages: 0,
      max_cpu_id: 1,
      capabilities: 0,
    })
    expect([0, 1].map((i) => g.vcpu.mem.read32(map + 4 * i))).toEqual([0, 0])
    expect([...new Uint32Array(out.hw_cap.slice().buffer)].slice(2, 4)).toEqual([0, 0x140])
    expect(sysctl(g, XEN_SYSCTL_sched_id, xen_sysctl_sched_id, {}).out.sched_id).toBe(XEN_SCHEDULER_CREDIT)
    const idle = (): number[] => {
      const { nr_cpus } = sysctl(g, XEN_SYSCTL_getcpuinfo, xen_sysctl_getcpuinfo, { max_cpus: 9, info: map }).out
      return Array.from({ length: nr_cpus }, (_, i) => xen_sysctl_cpuinfo.fields.idletime.get(g.vcpu.mem, map + 8 * i))
    }
    const before = idle()
    yield* turns(100)
    const after = idle()
    expect(after).toHaveLength(2)
    // dom0 runs on the first, nobody on the second.
    expect(after[0]! - before[0]!).toBe(0)
    expect(after[1]! - before[1]!).toBeGreaterThan(0)
  })
})

describe('readconsole', () => {
  test('all of it, what is new, and cleared', () => {
    play(function* (g, { xen }) {
      const all = readConsole(g, {})
      expect(all.text).toContain('(XEN) Brought up 2 CPUs\n')
      expect(all.text).toBe(xen.console.ringText())
      expect(readConsole(g, {}).text).toBe(all.text)
      expect(readConsole(g, { clear: 1 }).text).toBe(all.text)
      expect(readConsole(g, {}).text).toBe('')
      // What was cleared can still be asked for by its place.
      expect(readConsole(g, { incremental: 1, index: 0 }).text).toBe(all.text)
      xen.console.printk('one\n')
      expect(readConsole(g, { incremental: 1, index: all.index })).toEqual({
        text: '(XEN) one\n',
        index: all.index + 10,
      })
      expect(readConsole(g, { count: 3, clear: 1 }).text).toBe('(XE')
      expect(readConsole(g, {}).text).toBe('N) one\n')
      expect(readConsole(g, { incremental: 1, index: 0x80000000 }).text.length).toBeLessThanOrEqual(16384)
      yield RUN
    })
  })

  test('dom0 hears that there is more', () => {
    play(function* (g, { xen }) {
      const { mem, startInfo } = g.vcpu
      const mfn = start_info.fields.shared_info.get(mem, startInfo) / PAGE_SIZE
      g.call(__HYPERVISOR_update_va_mapping, g.beyond, pte(mfn), 0)
      g.shared = g.beyond
      mem.write8(g.shared + 1, 0)
      const { port } = g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_CON_RING, vcpu: 0 })[1]
      yield RUN
      expect(g.events).toEqual([])
      xen.console.printk('more\n')
      yield BLOCK
      expect(g.events).toEqual([port])
    })
  })

  test('a ring that has gone round', () => {
    play(function* (g, { xen }) {
      for (let i = 0; i < 1000; i++) xen.console.printk(`line ${i} of a thousand\n`)
      const { text } = readConsole(g, { count: 20000 })
      expect(text).toHaveLength(16384)
      expect(text.endsWith('(XEN) line 999 of a thousand\n')).toBe(true)
      expect(readConsole(g, { incremental: 1, index: 5, count: 100000 }).text).toBe(text)
      yield RUN
    })
  })
})

test('debug keys are pressed', () => {
  const host = play(function* (g) {
    g.vcpu.mem.copyIn(room(g, 1), Uint8Array.of(0x68))
    expect(sysctl(g, XEN_SYSCTL_debug_keys, xen_sysctl_debug_keys, { keys: room(g, 1), nr_keys: 1 }).result).toBe(0)
    yield* turns(10)
  })
  expect(host.serial).toContain("'h' pressed -> showing installed handlers")
})

test('keys q and r show a domain that was built', () => {
  const host = play(
    function* (g) {
      buildDomain(g, { pages: 9 })
      for (const key of ['q', 'r']) {
        g.vcpu.mem.write8(room(g, 1), key.charCodeAt(0))
        sysctl(g, XEN_SYSCTL_debug_keys, xen_sysctl_debug_keys, { keys: room(g, 1), nr_keys: 1 })
        yield* turns(10)
      }
    },
    loaded(kernel(() => RUN)),
  )
  const text = host.serial.replaceAll('\r', '')
  expect(text).toMatch(
    /General information for domain 1:\n\(XEN\) {5}refcnt=3 nr_pages=9 xenheap_pages=5 dirty_cpus=\{\}\n\(XEN\) {5}handle=00010203-0405-0607-0809-0a0b0c0d0e0f vm_assist=00000000\n/,
  )
  expect(text.match(/\(XEN\) {5}DomPage [0-9a-f]{16}: caf=8000000[234], taf=/g)).toHaveLength(9)
})

test('there are no sleep states and no clock rates to count; a processor has idled all the same', () => {
  const host = play(function* (g) {
    yield RUN
    const ask = (type: number, cpuid: number): ReturnType<typeof sysctl<typeof xen_sysctl_get_pmstat>> =>
      sysctl(g, XEN_SYSCTL_get_pmstat, xen_sysctl_get_pmstat, { type, cpuid, cx_nr: 9, cx_last: 9 })
    expect(ask(PMSTAT_get_max_cx, 0)).toMatchObject({ result: 0, out: { cx_nr: 0 } })
    const { result, out } = ask(PMSTAT_get_cxstat, 1)
    expect([result, out.cx_nr, out.cx_last]).toEqual([0, 0, 0])
    expect(out.cx_idle_time).toBeGreaterThan(1_000_000n)
    expect(ask(PMSTAT_reset_cxstat, 1).result).toBe(0)
    expect(
      [ask(PMSTAT_get_max_px, 0), ask(PMSTAT_get_max_cx, 2), ask(0x24, 0), ask(0, 1)].map((each) => each.result),
    ).toEqual([-EINVAL, -EINVAL, -ENOSYS, -ENOSYS])
  })
  expect(host.serial).toContain('not defined sub-hypercall @ do_get_pm_info')
})

test('refusals', () => {
  const results: number[] = []
  play(function* (g) {
    const one = (cmd: number, values: object = {}, layout: Parameters<typeof sysctl>[2] = nothing): void => {
      results.push(sysctl(g, cmd, layout, values).result)
    }
    for (const cmd of [0, 5, 10, 11, 0xffffffff]) one(cmd)
    one(XEN_SYSCTL_readconsole, { count: 10, buffer: 8 }, xen_sysctl_readconsole)
    one(XEN_SYSCTL_physinfo, { cpu_to_node: 8 }, xen_sysctl_physinfo)
    one(XEN_SYSCTL_getdomaininfolist, { max_domains: 1, buffer: 8 }, xen_sysctl_getdomaininfolist)
    one(XEN_SYSCTL_debug_keys, { nr_keys: 1, keys: 8 }, xen_sysctl_debug_keys)
    one(XEN_SYSCTL_getcpuinfo, { max_cpus: 1, info: 8 }, xen_sysctl_getcpuinfo)
    results.push(g.call(__HYPERVISOR_sysctl, 8))
    xen_sysctl.write(g.vcpu.mem, g.scratch, { cmd: 4, interface_version: 5 })
    results.push(g.call(__HYPERVISOR_sysctl, g.scratch))
    yield RUN
  })
  expect(results).toEqual([...Array(5).fill(-ENOSYS), ...Array(5).fill(-EFAULT), -EFAULT, -EACCES])
})
