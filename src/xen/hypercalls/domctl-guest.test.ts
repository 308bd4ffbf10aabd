/** domctl's commands for devices, for what a domain sees and is to others, and the answers of a host without HVM and IOMMU. */
import { describe, expect, test } from 'vitest'
import type { Struct } from '#abi/struct.ts'
import * as abi from '#abi/xen/domctl.ts'
import { EBUSY, EINVAL, ENOENT, ENOMEM, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import {
  EVTCHNOP_alloc_unbound,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain as evtchn_bind,
} from '#abi/xen/event_channel.ts'
import { SCHEDOP_remote_shutdown, SHUTDOWN_poweroff, SHUTDOWN_suspend, sched_remote_shutdown } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_event_channel_op, __HYPERVISOR_sched_op } from '#abi/xen/xen.ts'
import {
  books,
  buildDomain,
  changes,
  createDomain,
  domainInfo,
  domctl,
  nothing,
  play,
  populate,
  room,
  turns,
} from '#testing/xen-builder.ts'
import { TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, RUN, type ScriptGuest } from '#testing/xen-script.ts'
import { isPending } from '../common/event-channel.ts'

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
type AnyStruct = Struct<any>
const simple = (g: ScriptGuest, cmd: number, domid: number): number => domctl(g, cmd, domid, nothing, {}).result
const destroy = (g: ScriptGuest, domid: number): number => simple(g, abi.XEN_DOMCTL_destroydomain, domid)

describe('what a PV domain on this host is answered', () => {
  /** Command, struct, values, the answer for a built domain, and for one that is not there. */
  const answers: readonly (readonly [string, number, AnyStruct, Record<string, unknown>, number, number])[] = [
    ['gethvmcontext', abi.XEN_DOMCTL_gethvmcontext, abi.xen_domctl_hvmcontext, { size: 9 }, -EINVAL, -ESRCH],
    ['sethvmcontext', abi.XEN_DOMCTL_sethvmcontext, abi.xen_domctl_hvmcontext, { size: 9 }, -EINVAL, -ESRCH],
    ['assign_device', abi.XEN_DOMCTL_assign_device, abi.xen_domctl_assign_device, {}, -ENOSYS, -ENOSYS],
    ['test_assign_device', abi.XEN_DOMCTL_test_assign_device, abi.xen_domctl_assign_device, {}, -ENOSYS, -ENOSYS],
    ['deassign_device', abi.XEN_DOMCTL_deassign_device, abi.xen_domctl_assign_device, {}, -ENOSYS, -ENOSYS],
    ['get_device_group', abi.XEN_DOMCTL_get_device_group, abi.xen_domctl_get_device_group, {}, -ENOSYS, -ENOSYS],
    ['bind_pt_irq', abi.XEN_DOMCTL_bind_pt_irq, abi.xen_domctl_bind_pt_irq, {}, -ESRCH, -ESRCH],
    ['unbind_pt_irq', abi.XEN_DOMCTL_unbind_pt_irq, abi.xen_domctl_bind_pt_irq, {}, -ESRCH, -ESRCH],
    ['pin_mem_cacheattr', abi.XEN_DOMCTL_pin_mem_cacheattr, abi.xen_domctl_pin_mem_cacheattr, {}, -EINVAL, -ESRCH],
    ['arch_setup', abi.XEN_DOMCTL_arch_setup, abi.xen_domctl_arch_setup, {}, -ENOSYS, -ENOSYS],
    ['real_mode_area', abi.XEN_DOMCTL_real_mode_area, abi.xen_domctl_real_mode_area, {}, -ENOSYS, -ENOSYS],
    ['set_opt_feature', abi.XEN_DOMCTL_set_opt_feature, abi.xen_domctl_set_opt_feature, {}, -ENOSYS, -ENOSYS],
    ['memory_mapping', abi.XEN_DOMCTL_memory_mapping, abi.xen_domctl_memory_mapping, { nr_mfns: 1n }, 0, -ESRCH],
    [
      'memory_mapping of none',
      abi.XEN_DOMCTL_memory_mapping,
      abi.xen_domctl_memory_mapping,
      { first_mfn: 5n },
      -EINVAL,
      -EINVAL,
    ],
    ['ioport_mapping', abi.XEN_DOMCTL_ioport_mapping, abi.xen_domctl_ioport_mapping, { nr_ports: 1 }, 0, -ESRCH],
    ['ioport_mapping of none', abi.XEN_DOMCTL_ioport_mapping, abi.xen_domctl_ioport_mapping, {}, -EINVAL, -EINVAL],
    [
      'ioport_mapping beyond',
      abi.XEN_DOMCTL_ioport_mapping,
      abi.xen_domctl_ioport_mapping,
      { first_gport: 0xffff, nr_ports: 2 },
      -EINVAL,
      -EINVAL,
    ],
    ['max_vcpus of too many', abi.XEN_DOMCTL_max_vcpus, abi.xen_domctl_max_vcpus, { max: 33 }, -EINVAL, -EINVAL],
    ['max_vcpus', abi.XEN_DOMCTL_max_vcpus, abi.xen_domctl_max_vcpus, { max: 32 }, 0, -ESRCH],
    [
      'set_machine_address_size',
      abi.XEN_DOMCTL_set_machine_address_size,
      abi.xen_domctl_address_size,
      { size: 40 },
      -EBUSY,
      -ESRCH,
    ],
    [
      'set_ext_vcpucontext of a wrong size',
      abi.XEN_DOMCTL_set_ext_vcpucontext,
      abi.xen_domctl_ext_vcpucontext,
      { size: 31 },
      -EINVAL,
      -ESRCH,
    ],
    [
      'get_ext_vcpucontext of no vCPU',
      abi.XEN_DOMCTL_get_ext_vcpucontext,
      abi.xen_domctl_ext_vcpucontext,
      { vcpu: 32 },
      -ESRCH,
      -ESRCH,
    ],
    ['set_target, none', abi.XEN_DOMCTL_set_target, abi.xen_domctl_set_target, { target: 77 }, -ESRCH, -ESRCH],
    ['set_target, itself', abi.XEN_DOMCTL_set_target, abi.xen_domctl_set_target, { target: 1 }, -EINVAL, -ESRCH],
    ['subscribe', abi.XEN_DOMCTL_subscribe, abi.xen_domctl_subscribe, { port: 0 }, 0, -ESRCH],
    ['set_cpuid', abi.XEN_DOMCTL_set_cpuid, abi.xen_domctl_cpuid, { input: 1 }, 0, -ESRCH],
    ['suppress_spurious_page_faults, which 3.4 has', 53, nothing, {}, -ENOSYS, -ENOSYS],
    ['debug_op, which 3.4 has', 54, nothing, {}, -ENOSYS, -ENOSYS],
    ['no command', 0, nothing, {}, -ENOSYS, -ENOSYS],
  ]
  const results: number[][] = []
  const shadow: Record<string, number> = {}
  const host = play(function* (g) {
    yield RUN
    const { domid } = buildDomain(g)
    for (const [, cmd, layout, values] of answers)
      results.push([domid, 99].map((id) => domctl(g, cmd, id, layout, values).result))
    const ops: Readonly<Record<string, Record<string, unknown>>> = {
      off: { op: abi.XEN_DOMCTL_SHADOW_OP_OFF },
      peek: { op: abi.XEN_DOMCTL_SHADOW_OP_PEEK },
      'peek into a bitmap': { op: abi.XEN_DOMCTL_SHADOW_OP_PEEK, dirty_bitmap: room(g, 0) },
      clean: { op: abi.XEN_DOMCTL_SHADOW_OP_CLEAN },
      'log dirty': { op: abi.XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY },
      allocation: { op: abi.XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION },
      'more of it': { op: abi.XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, mb: 1 },
      none: { op: 99 },
    }
    for (const [name, values] of Object.entries(ops))
      shadow[name] = domctl(g, abi.XEN_DOMCTL_shadow_op, domid, abi.xen_domctl_shadow_op, values).result
    const flags = abi.XEN_DOMCTL_CDF_hvm_guest
    const hvm = domctl(g, abi.XEN_DOMCTL_createdomain, 0, abi.xen_domctl_createdomain, { flags })
    expect(hvm.result).toBe(-ENOMEM)
    const odd = domctl(g, abi.XEN_DOMCTL_createdomain, 0, abi.xen_domctl_createdomain, { flags: 4 })
    expect(odd.result).toBe(-EINVAL)
  })
  test.each(answers.map((row, i) => ({ name: row[0], got: results[i], wanted: [row[4], row[5]] })))(
    '$name',
    ({ got, wanted }) => expect(got).toEqual(wanted),
  )
  test('paging: nothing can be switched on, nothing is there to be seen', () => {
    expect(shadow).toEqual({
      off: 0,
      peek: 0,
      'peek into a bitmap': -EINVAL,
      clean: -EINVAL,
      'log dirty': -ENOSYS,
      allocation: 0,
      'more of it': -ENOMEM,
      none: -EINVAL,
    })
  })
  test('what is worth a line is said', () => {
    expect(host.serial).toContain('hvm.c:298:d0 Attempt to create a HVM guest on a non-VT/AMDV platform.')
    expect(host.serial).toContain('domctl.c:739:d0 pt_irq_create_bind failed!')
    expect(host.serial).toContain('domctl.c:791:d0 memory_map:remove: gfn=0 mfn=0 nr_mfns=1')
    expect(host.serial).toContain('domctl.c:819:d0 ioport_map:invalid:gport=ffff mport=0 nr_ports=2')
    expect(host.serial).toContain('sh error: shadow_domctl(): Bad shadow op 99')
  })
})

describe('a domain', () => {
  test('sees of CPUID what the tools have set, and nothing else; Xen’s own leaves always', () => {
    const seen: Record<string, unknown>[] = []
    const guest = kernel(({ cpuid }) => {
      if (seen.length === 0)
        for (const leaf of [0, 1, 2, 4, 0x80000001, 0x40000000]) seen.push({ leaf, ...cpuid(leaf) })
      return BLOCK
    })
    play(function* (g) {
      yield RUN
      const { domid } = buildDomain(g)
      const set = (values: Record<string, number>): number =>
        domctl(g, abi.XEN_DOMCTL_set_cpuid, domid, abi.xen_domctl_cpuid, values).result
      const any = abi.XEN_CPUID_INPUT_UNUSED
      expect(set({ input: 0, subleaf: any, eax: 4, ebx: 5, ecx: 6, edx: 7 })).toBe(0)
      expect(set({ input: 1, subleaf: any, eax: 1 })).toBe(0)
      // The second replaces the first.
      expect(set({ input: 1, subleaf: 3, eax: 2 })).toBe(0)
      expect(set({ input: 4, subleaf: 0, eax: 40 })).toBe(0)
      expect(set({ input: 4, subleaf: 1, eax: 41 })).toBe(0)
      for (let i = 4; i < 40; i++) expect(set({ input: 1000 + i, subleaf: any })).toBe(0)
      expect(set({ input: 2001, subleaf: any })).toBe(-ENOENT)
      expect(set({ input: 1000 + 4, subleaf: 1, eax: 9 })).toBe(0)
      simple(g, abi.XEN_DOMCTL_unpausedomain, domid)
      yield* turns(20)
    }, loaded(guest))
    const zeros = { eax: 0, ebx: 0, ecx: 0, edx: 0 }
    expect(seen).toMatchObject([
      { leaf: 0, eax: 4, ebx: 5, ecx: 6, edx: 7 },
      // Its answer is now that of subleaf 3 alone.
      { leaf: 1, ...zeros },
      { leaf: 2, ...zeros },
      { leaf: 4, ...zeros, eax: 40 },
      { leaf: 0x80000001, ...zeros },
      { leaf: 0x40000000, eax: 0x40000002, ebx: 0x566e6558 },
    ])
  })

  test('touches the ports, frames and interrupts that it was given, until they are taken away', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { domid } = createDomain(g, { pages: 0 })
      const domain = xen.domains.get(domid)!
      const map = (add_mapping: number): void => {
        const frames = { first_gfn: 7n, first_mfn: 0xfec00n, nr_mfns: 2n, add_mapping }
        expect(domctl(g, abi.XEN_DOMCTL_memory_mapping, domid, abi.xen_domctl_memory_mapping, frames).result).toBe(0)
        const ports = { first_gport: 0x10, first_mport: 0x3f8, nr_ports: 8, add_mapping }
        expect(domctl(g, abi.XEN_DOMCTL_ioport_mapping, domid, abi.xen_domctl_ioport_mapping, ports).result).toBe(0)
      }
      map(abi.DPCI_ADD_MAPPING)
      expect(domain.iomemCaps.text()).toBe('{ fec00-fec01 }')
      expect(domain.ioportCaps.text()).toBe('{ 3f8-3ff }')
      map(abi.DPCI_REMOVE_MAPPING)
      expect([domain.iomemCaps.text(), domain.ioportCaps.text()]).toEqual(['{ }', '{ }'])
      // From frame 0 to the last of all: the count of 0 wraps.
      const all = { first_mfn: 0n, nr_mfns: 0n, allow_access: 1 }
      expect(domctl(g, abi.XEN_DOMCTL_iomem_permission, domid, abi.xen_domctl_iomem_permission, all).result).toBe(0)
      expect(domain.iomemCaps.text()).toBe('{ 0-ffffffffffffffff }')
      expect(destroy(g, domid)).toBe(0)
    })
  })

  test('gets frames below the width of addresses that was set, before it has any', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { domid } = createDomain(g, { pages: 0 })
      const set = (size: number): number =>
        domctl(g, abi.XEN_DOMCTL_set_machine_address_size, domid, abi.xen_domctl_address_size, { size }).result
      const get = (): number =>
        domctl(g, abi.XEN_DOMCTL_get_machine_address_size, domid, abi.xen_domctl_address_size, {}).out.size
      expect(get()).toBe(0)
      expect(set(24)).toBe(0)
      expect(get()).toBe(24)
      domctl(g, abi.XEN_DOMCTL_max_mem, domid, abi.xen_domctl_max_mem, { max_memkb: 64n })
      const { mfns } = populate(g, domid, 4)
      expect(mfns.length).toBeGreaterThan(0)
      for (const mfn of mfns) expect(mfn * PAGE_SIZE).toBeLessThan(2 ** 24)
      expect(set(32)).toBe(-EBUSY)
      expect(destroy(g, domid)).toBe(0)
      // Nothing lies so low.
      const other = createDomain(g, { pages: 0 }).domid
      const size = { size: 13 }
      domctl(g, abi.XEN_DOMCTL_set_machine_address_size, other, abi.xen_domctl_address_size, size)
      domctl(g, abi.XEN_DOMCTL_max_mem, other, abi.xen_domctl_max_mem, { max_memkb: 64n })
      expect(populate(g, other, 1).got).toBe(0)
      expect(xen.domains.get(other)!.totPages).toBe(0)
      expect(destroy(g, other)).toBe(0)
    })
  })

  test('has entries of 32-bit code, in ring 3', () => {
    play(function* (g) {
      yield RUN
      const { domid } = createDomain(g, { vcpus: 2 })
      const values = {
        vcpu: 1,
        size: 32,
        syscall32_callback_eip: 0x1234,
        sysenter_callback_eip: -0x80000000,
        syscall32_callback_cs: 0xe030,
        sysenter_callback_cs: 0xe033,
        syscall32_disables_events: 7,
        sysenter_disables_events: 0,
      }
      const layout = abi.xen_domctl_ext_vcpucontext
      expect(domctl(g, abi.XEN_DOMCTL_set_ext_vcpucontext, domid, layout, values).result).toBe(0)
      const got = domctl(g, abi.XEN_DOMCTL_get_ext_vcpucontext, domid, layout, { vcpu: 1 })
      expect(got.result).toBe(0)
      expect(got.out).toEqual({ ...values, syscall32_callback_cs: 0xe033, syscall32_disables_events: 1 })
      const first = domctl(g, abi.XEN_DOMCTL_get_ext_vcpucontext, domid, layout, { vcpu: 0 }).out
      expect(first).toMatchObject({ size: 32, syscall32_callback_eip: 0, sysenter_callback_cs: 0 })
    })
  })

  test('that suspends tells who has subscribed, by a port of its own, and dom0 otherwise', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { domid } = createDomain(g, { pages: 0 })
      // A port of the domain's towards itself.
      const port = g.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: domid, remote_dom: 0 })[1].port
      const bound = g.op(__HYPERVISOR_event_channel_op, 0, evtchn_bind, { remote_dom: domid, remote_port: port })[1]
      const dom0 = xen.domains.get(0)!
      const pending = (): boolean => isPending(xen, dom0, bound.local_port)
      g.vcpu.mem.fill(g.scratch, 64, 0)
      xen.mem.fill(dom0.sharedInfo * PAGE_SIZE + 2048, 512, 0)
      const subscribe = { port }
      expect(domctl(g, abi.XEN_DOMCTL_subscribe, domid, abi.xen_domctl_subscribe, subscribe).result).toBe(0)
      const shut = (reason: number): number =>
        g.op(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, sched_remote_shutdown, { domain_id: domid, reason })[0]
      expect(shut(SHUTDOWN_poweroff)).toBe(0)
      expect(pending()).toBe(false)
      expect(simple(g, abi.XEN_DOMCTL_resumedomain, domid)).toBe(0)
      expect(shut(SHUTDOWN_suspend)).toBe(0)
      expect(pending()).toBe(true)
      expect(destroy(g, domid)).toBe(0)
    })
  })

  test('acts for its target alone, which stays until it is gone', () => {
    const asked: number[] = []
    const guest = kernel(({ mem, hypercall }) => {
      const at = TEST_BASE + 8 * PAGE_SIZE
      if (asked.length < 2)
        for (const dom of [1, 3]) {
          evtchn_alloc_unbound.write(mem, at, { dom, remote_dom: 2 })
          asked.push(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, at))
        }
      return BLOCK
    })
    play(function* (g, { xen }) {
      yield RUN
      const before = books(xen)
      const target = createDomain(g, { pages: 4 }).domid
      const { domid } = buildDomain(g)
      const third = createDomain(g, { pages: 4 }).domid
      const aim = (at: number): number =>
        domctl(g, abi.XEN_DOMCTL_set_target, domid, abi.xen_domctl_set_target, { target: at }).result
      expect([target, domid, third]).toEqual([1, 2, 3])
      expect(aim(target)).toBe(0)
      // Once and for all.
      expect(aim(third)).toBe(-EINVAL)
      simple(g, abi.XEN_DOMCTL_unpausedomain, domid)
      yield* turns(20)
      expect(destroy(g, target)).toBe(0)
      expect(domainInfo(g, target)).toMatchObject({ flags: expect.any(Number), tot_pages: 0 })
      expect(destroy(g, target)).toBe(0)
      const late = { target: third }
      expect(domctl(g, abi.XEN_DOMCTL_set_target, target, abi.xen_domctl_set_target, late).result).toBe(-EINVAL)
      expect(destroy(g, domid)).toBe(0)
      expect(domainInfo(g, target)).toBeUndefined()
      expect(destroy(g, third)).toBe(0)
      // Each other's: neither keeps the other.
      const pair = [createDomain(g).domid, createDomain(g).domid]
      for (const i of [0, 1]) {
        const values = { target: pair[1 - i]! }
        expect(domctl(g, abi.XEN_DOMCTL_set_target, pair[i]!, abi.xen_domctl_set_target, values).result).toBe(0)
      }
      expect(pair.map((id) => destroy(g, id))).toEqual([0, 0])
      expect([...xen.domains.keys()]).toEqual([0])
      expect(changes(before, books(xen))).toEqual([])
    }, loaded(guest))
    expect(asked).toEqual([0, -EPERM])
  })
})
