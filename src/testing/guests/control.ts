import * as d from '#abi/xen/domctl.ts'
import { EACCES, EINVAL, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_domctl } from '#abi/xen/xen.ts'
import { type Guest, PEER, RUN, type Steps, type TestGuest } from './kit.ts'

export type Layout = Parameters<Guest['op']>[2]
export interface Head {
  readonly nr: number
  readonly version: number
  readonly u: number
}
const DOMCTL: Head = { nr: __HYPERVISOR_domctl, version: d.XEN_DOMCTL_INTERFACE_VERSION, u: d.XEN_DOMCTL_U }

/** The result; the struct stays in the scratch page. */
export function command(
  g: Guest,
  { nr, version, u }: Head,
  cmd: number,
  layout?: Layout,
  values: object = {},
  domain = PEER,
): number {
  g.mem.fill(g.at, 256, 0)
  g.mem.write32(g.at, cmd)
  g.mem.write32(g.at + 4, version)
  if (nr === __HYPERVISOR_domctl) g.mem.write16(g.at + 8, domain)
  layout?.write(g.mem, g.at + u, values as never)
  return g.call(nr, g.at)
}
export const domctl = (g: Guest, cmd: number, layout?: Layout, values: object = {}, domain = PEER): number =>
  command(g, DOMCTL, cmd, layout, values, domain)
export const out = (g: Guest, layout: Layout, { u }: Head = DOMCTL) =>
  layout.read(g.mem, g.at + u) as Record<string, number>

export function* idle(): Steps {
  for (;;) yield RUN
}

export const control: Readonly<Record<string, TestGuest>> = {
  'domctl-life': {
    shows: 'a domain is made, given vCPUs and memory, paused, resumed and destroyed by dom0',
    dom0: true,
    peer: idle,
    *main(g) {
      g.is(
        domctl(g, d.XEN_DOMCTL_createdomain, d.xen_domctl_createdomain, {}, PEER),
        -EINVAL,
        'createdomain of one that is there',
      )
      g.is(domctl(g, d.XEN_DOMCTL_createdomain, d.xen_domctl_createdomain, {}, 9), 0, 'createdomain')
      g.is(domctl(g, d.XEN_DOMCTL_max_vcpus, d.xen_domctl_max_vcpus, { max: 2 }, 9), 0, 'max_vcpus')
      g.is(domctl(g, d.XEN_DOMCTL_max_mem, d.xen_domctl_max_mem, { max_memkb: 64n }, 9), 0, 'max_mem')
      g.is(
        domctl(
          g,
          d.XEN_DOMCTL_setdomainhandle,
          d.xen_domctl_setdomainhandle,
          { handle: new Uint8Array(16).fill(7) },
          9,
        ),
        0,
        'setdomainhandle',
      )
      g.is(domctl(g, d.XEN_DOMCTL_set_address_size, d.xen_domctl_address_size, { size: 64 }, 9), 0, 'set_address_size')
      g.is(
        domctl(g, d.XEN_DOMCTL_set_machine_address_size, d.xen_domctl_address_size, { size: 36 }, 9),
        0,
        'set_machine_address_size',
      )
      g.is(domctl(g, d.XEN_DOMCTL_destroydomain, undefined, {}, 9), 0, 'destroydomain')
      g.is(domctl(g, d.XEN_DOMCTL_destroydomain, undefined, {}, 9), -ESRCH, 'destroydomain of none')
      g.is(domctl(g, d.XEN_DOMCTL_pausedomain), 0, 'pausedomain')
      g.is(domctl(g, d.XEN_DOMCTL_getdomaininfo, d.xen_domctl_getdomaininfo), 0, 'getdomaininfo')
      g.ok((out(g, d.xen_domctl_getdomaininfo).flags! & d.XEN_DOMINF_paused) !== 0, 'it is paused')
      g.is(domctl(g, d.XEN_DOMCTL_unpausedomain), 0, 'unpausedomain')
      g.is(domctl(g, d.XEN_DOMCTL_resumedomain), 0, 'resumedomain')
      g.is(domctl(g, d.XEN_DOMCTL_destroydomain, undefined, {}, 0), -EINVAL, 'destroying oneself')
      g.is(domctl(g, 77), -ENOSYS, 'no command')
      g.mem.write32(g.at + 4, 4)
      g.is(g.call(__HYPERVISOR_domctl, g.at), -EACCES, 'another version of the interface')
      yield RUN
    },
  },
  'domctl-vcpus': {
    shows: 'dom0 reads and sets the vCPUs of a domain: context, place, priority',
    dom0: true,
    peer: idle,
    *main(g) {
      const room = g.page(2)
      g.is(domctl(g, d.XEN_DOMCTL_getvcpuinfo, d.xen_domctl_getvcpuinfo, { vcpu: 0 }), 0, 'getvcpuinfo')
      g.is(out(g, d.xen_domctl_getvcpuinfo).online, 1, 'online')
      g.is(domctl(g, d.XEN_DOMCTL_getvcpuinfo, d.xen_domctl_getvcpuinfo, { vcpu: 4 }), -ESRCH, 'getvcpuinfo of none')
      g.is(
        domctl(g, d.XEN_DOMCTL_getvcpucontext, d.xen_domctl_vcpucontext, { vcpu: 0, ctxt: room }),
        0,
        'getvcpucontext',
      )
      const root = vcpu_guest_context.fields.ctrlreg3.get(g.mem, room)
      g.ok(root !== 0n, 'its root')
      g.is(
        domctl(g, d.XEN_DOMCTL_setvcpucontext, d.xen_domctl_vcpucontext, { vcpu: 7, ctxt: room }),
        -EINVAL,
        'setvcpucontext of none',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_setvcpucontext, d.xen_domctl_vcpucontext, { vcpu: 0, ctxt: 0 }),
        0,
        'setvcpucontext that resets',
      )
      g.mem.write32(room, 1)
      const map = { vcpu: 0, cpumap_bitmap: room, cpumap_nr_cpus: 8 }
      g.is(domctl(g, d.XEN_DOMCTL_setvcpuaffinity, d.xen_domctl_vcpuaffinity, map), 0, 'setvcpuaffinity')
      g.mem.write32(room, 0)
      g.is(domctl(g, d.XEN_DOMCTL_setvcpuaffinity, d.xen_domctl_vcpuaffinity, map), -EINVAL, 'to no processor')
      g.is(domctl(g, d.XEN_DOMCTL_getvcpuaffinity, d.xen_domctl_vcpuaffinity, map), 0, 'getvcpuaffinity')
      g.is(g.mem.read8(room), 1, 'where it may run')
      const credit = {
        sched_id: d.XEN_SCHEDULER_CREDIT,
        cmd: d.XEN_DOMCTL_SCHEDOP_putinfo,
        credit_weight: 512,
        credit_cap: 0xffff,
      }
      g.is(domctl(g, d.XEN_DOMCTL_scheduler_op, d.xen_domctl_scheduler_op, credit), 0, 'scheduler_op')
      g.is(
        domctl(g, d.XEN_DOMCTL_scheduler_op, d.xen_domctl_scheduler_op, { ...credit, sched_id: 4 }),
        -EINVAL,
        'of another scheduler',
      )
      const trigger = { trigger: d.XEN_DOMCTL_SENDTRIGGER_NMI, vcpu: 0 }
      g.is(domctl(g, d.XEN_DOMCTL_sendtrigger, d.xen_domctl_sendtrigger, trigger), 0, 'sendtrigger')
      const ext = { vcpu: 0, size: 32 }
      g.is(domctl(g, d.XEN_DOMCTL_get_ext_vcpucontext, d.xen_domctl_ext_vcpucontext, ext), 0, 'get_ext_vcpucontext')
      g.is(domctl(g, d.XEN_DOMCTL_set_ext_vcpucontext, d.xen_domctl_ext_vcpucontext, ext), 0, 'set_ext_vcpucontext')
      g.is(domctl(g, d.XEN_DOMCTL_setdebugging, d.xen_domctl_setdebugging, { enable: 1 }), 0, 'setdebugging')
      yield RUN
    },
  },
  'domctl-frames': {
    shows: 'dom0 looks at the frames of a domain',
    dom0: true,
    peer: idle,
    *main(g) {
      const room = g.page(2)
      g.is(
        domctl(g, d.XEN_DOMCTL_getmemlist, d.xen_domctl_getmemlist, { max_pfns: 64n, buffer: room }),
        0,
        'getmemlist',
      )
      g.is(out(g, d.xen_domctl_getmemlist).num_pfns as unknown, 32n, 'how many')
      const frame = g.mem.read32(room)
      g.is(
        domctl(g, d.XEN_DOMCTL_getpageframeinfo, d.xen_domctl_getpageframeinfo, { gmfn: BigInt(frame) }),
        0,
        'getpageframeinfo',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_getpageframeinfo, d.xen_domctl_getpageframeinfo, { gmfn: 0xfffffffn }),
        -EINVAL,
        'of none',
      )
      g.mem.write32(room + 4, frame)
      g.is(
        domctl(g, d.XEN_DOMCTL_getpageframeinfo2, d.xen_domctl_getpageframeinfo2, { num: 1n, array: room + 4 }),
        0,
        'getpageframeinfo2',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_hypercall_init, d.xen_domctl_hypercall_init, { gmfn: 0xfffffffn }),
        -EACCES,
        'hypercall_init of none',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_hypercall_init, d.xen_domctl_hypercall_init, { gmfn: BigInt(frame) }),
        0,
        'hypercall_init',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_shadow_op, d.xen_domctl_shadow_op, { op: d.XEN_DOMCTL_SHADOW_OP_OFF }),
        0,
        'shadow_op',
      )
      yield RUN
    },
  },
  'domctl-rights': {
    shows: 'dom0 gives a domain rights to the hardware, and takes them',
    dom0: true,
    peer: idle,
    *main(g) {
      for (const allow_access of [1, 0]) {
        g.is(
          domctl(g, d.XEN_DOMCTL_irq_permission, d.xen_domctl_irq_permission, { pirq: 5, allow_access }),
          0,
          'irq_permission',
        )
        g.is(
          domctl(g, d.XEN_DOMCTL_iomem_permission, d.xen_domctl_iomem_permission, {
            first_mfn: 0xe0000n,
            nr_mfns: 4n,
            allow_access,
          }),
          0,
          'iomem_permission',
        )
        g.is(
          domctl(g, d.XEN_DOMCTL_ioport_permission, d.xen_domctl_ioport_permission, {
            first_port: 0x2f8,
            nr_ports: 8,
            allow_access,
          }),
          0,
          'ioport_permission',
        )
      }
      g.is(
        domctl(g, d.XEN_DOMCTL_ioport_permission, d.xen_domctl_ioport_permission, { first_port: 65535, nr_ports: 2 }),
        -EINVAL,
        'ports that are none',
      )
      g.is(
        domctl(g, d.XEN_DOMCTL_settimeoffset, d.xen_domctl_settimeoffset, { time_offset_seconds: 3600 }),
        0,
        'settimeoffset',
      )
      g.is(domctl(g, d.XEN_DOMCTL_get_address_size, d.xen_domctl_address_size), 0, 'get_address_size')
      g.is(out(g, d.xen_domctl_address_size).size, 64, 'bits')
      g.is(
        domctl(g, d.XEN_DOMCTL_set_address_size, d.xen_domctl_address_size, { size: 64 }),
        -EACCES,
        'set_address_size of one with memory',
      )
      g.ok(
        domctl(g, d.XEN_DOMCTL_set_machine_address_size, d.xen_domctl_address_size, { size: 36 }) < 0,
        'set_machine_address_size of one with memory',
      )
      g.is(domctl(g, d.XEN_DOMCTL_get_machine_address_size, d.xen_domctl_address_size), 0, 'get_machine_address_size')
      g.is(
        domctl(g, d.XEN_DOMCTL_set_cpuid, d.xen_domctl_cpuid, { input: 1, subleaf: d.XEN_CPUID_INPUT_UNUSED }),
        0,
        'set_cpuid',
      )
      g.is(domctl(g, d.XEN_DOMCTL_set_target, d.xen_domctl_set_target, { target: 0 }), 0, 'set_target')
      yield RUN
    },
  },
  'domctl-absent': {
    shows: 'commands about what this host does not have: HVM domains, an IOMMU',
    dom0: true,
    peer: idle,
    *main(g) {
      const answers: readonly (readonly [string, number, Layout, number])[] = [
        ['arch_setup', d.XEN_DOMCTL_arch_setup, d.xen_domctl_arch_setup, -ENOSYS],
        ['real_mode_area', d.XEN_DOMCTL_real_mode_area, d.xen_domctl_real_mode_area, -ENOSYS],
        ['subscribe', d.XEN_DOMCTL_subscribe, d.xen_domctl_subscribe, 0],
        ['gethvmcontext', d.XEN_DOMCTL_gethvmcontext, d.xen_domctl_hvmcontext, -EINVAL],
        ['sethvmcontext', d.XEN_DOMCTL_sethvmcontext, d.xen_domctl_hvmcontext, -EINVAL],
        ['assign_device', d.XEN_DOMCTL_assign_device, d.xen_domctl_assign_device, -ENOSYS],
        ['test_assign_device', d.XEN_DOMCTL_test_assign_device, d.xen_domctl_assign_device, -ENOSYS],
        ['deassign_device', d.XEN_DOMCTL_deassign_device, d.xen_domctl_assign_device, -ENOSYS],
        ['get_device_group', d.XEN_DOMCTL_get_device_group, d.xen_domctl_get_device_group, -ENOSYS],
        ['bind_pt_irq', d.XEN_DOMCTL_bind_pt_irq, d.xen_domctl_bind_pt_irq, -ESRCH],
        ['unbind_pt_irq', d.XEN_DOMCTL_unbind_pt_irq, d.xen_domctl_bind_pt_irq, -ESRCH],
        ['memory_mapping', d.XEN_DOMCTL_memory_mapping, d.xen_domctl_memory_mapping, 0],
        ['ioport_mapping', d.XEN_DOMCTL_ioport_mapping, d.xen_domctl_ioport_mapping, -EINVAL],
        ['pin_mem_cacheattr', d.XEN_DOMCTL_pin_mem_cacheattr, d.xen_domctl_pin_mem_cacheattr, -EINVAL],
        ['set_opt_feature', d.XEN_DOMCTL_set_opt_feature, d.xen_domctl_set_opt_feature, -ENOSYS],
      ]
      const others: string[] = []
      for (const [name, cmd, layout, wanted] of answers) {
        const result = domctl(g, cmd, layout)
        if (result !== wanted) others.push(`${name} ${result}`)
      }
      g.is(others.join(', '), '', 'other answers')
      yield RUN
    },
  },
}
