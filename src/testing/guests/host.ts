/** Dom0's control of the host: every command of sysctl, platform_op and physdev_op, and its answer. */
import { PM1_SLP_EN, SLP_TYP_S5 } from '#abi/pc/acpi.ts'
import * as d from '#abi/xen/domctl.ts'
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import * as p from '#abi/xen/physdev.ts'
import * as f from '#abi/xen/platform.ts'
import * as s from '#abi/xen/sysctl.ts'
import {
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_sysctl,
  DOMID_SELF,
  MMUEXT_FLUSH_CACHE,
  MMUEXT_PIN_L4_TABLE,
  mmuext_op,
} from '#abi/xen/xen.ts'
import { command, domctl, type Head, idle, type Layout, out } from './control.ts'
import { MS, RUN, type TestGuest } from './kit.ts'

const SYSCTL: Head = { nr: __HYPERVISOR_sysctl, version: s.XEN_SYSCTL_INTERFACE_VERSION, u: s.XEN_SYSCTL_U }
const PLATFORM: Head = { nr: __HYPERVISOR_platform_op, version: f.XENPF_INTERFACE_VERSION, u: f.XEN_PLATFORM_OP_U }

export const host: Readonly<Record<string, TestGuest>> = {
  sysctl: {
    shows: 'dom0 reads of the host what its tools show, and presses keys',
    dom0: true,
    peer: idle,
    *main(g) {
      const sysctl = (cmd: number, layout?: Layout, values: object = {}): number =>
        command(g, SYSCTL, cmd, layout, values)
      const buffer = g.page(2)
      g.is(sysctl(s.XEN_SYSCTL_readconsole, s.xen_sysctl_readconsole, { buffer, count: 100 }), 0, 'readconsole')
      g.is(sysctl(s.XEN_SYSCTL_physinfo, s.xen_sysctl_physinfo), 0, 'physinfo')
      g.is(out(g, s.xen_sysctl_physinfo, SYSCTL).nr_cpus, 2, 'processors')
      g.is(sysctl(s.XEN_SYSCTL_sched_id, s.xen_sysctl_sched_id), 0, 'sched_id')
      g.is(
        sysctl(s.XEN_SYSCTL_getdomaininfolist, s.xen_sysctl_getdomaininfolist, { max_domains: 4, buffer }),
        0,
        'getdomaininfolist',
      )
      g.is(out(g, s.xen_sysctl_getdomaininfolist, SYSCTL).num_domains, 2, 'domains')
      g.mem.write8(buffer, 0x68)
      g.is(sysctl(s.XEN_SYSCTL_debug_keys, s.xen_sysctl_debug_keys, { keys: buffer, nr_keys: 1 }), 0, 'debug_keys')
      g.is(sysctl(s.XEN_SYSCTL_getcpuinfo, s.xen_sysctl_getcpuinfo, { max_cpus: 2, info: buffer }), 0, 'getcpuinfo')
      g.is(sysctl(s.XEN_SYSCTL_availheap, s.xen_sysctl_availheap, { node: 0xffffffff }), 0, 'availheap')
      g.is(sysctl(s.XEN_SYSCTL_tbuf_op, s.xen_sysctl_tbuf_op, { cmd: s.XEN_SYSCTL_TBUFOP_get_info }), 0, 'tbuf_op')
      g.is(
        sysctl(s.XEN_SYSCTL_perfc_op, s.xen_sysctl_perfc_op, { cmd: s.XEN_SYSCTL_PERFCOP_query }),
        -ENOSYS,
        'perfc_op',
      )
      g.is(sysctl(s.XEN_SYSCTL_get_pmstat, s.xen_sysctl_get_pmstat, { type: s.PMSTAT_get_max_cx }), 0, 'get_pmstat')
      g.is(sysctl(70), -ENOSYS, 'no command')
      yield* g.sleep(MS)
      g.close()
    },
  },
  platform: {
    shows: 'dom0 sets the clock and asks for the hardware’s ways',
    dom0: true,
    *main(g) {
      const op = (cmd: number, layout?: Layout, values: object = {}): number =>
        command(g, PLATFORM, cmd, layout, values)
      g.is(op(f.XENPF_settime, f.xenpf_settime, { secs: 1242109972, system_time: 0n }), 0, 'settime')
      const add = op(f.XENPF_add_memtype, f.xenpf_add_memtype, { mfn: 0xe0000n, nr_mfns: 256n, type: 1 })
      const { handle, reg } = out(g, f.xenpf_add_memtype, PLATFORM)
      g.is(add, 0, 'add_memtype')
      g.is(op(f.XENPF_read_memtype, f.xenpf_read_memtype, { reg: reg! }), 0, 'read_memtype')
      g.is(op(f.XENPF_del_memtype, f.xenpf_del_memtype, { handle: handle!, reg: reg! }), 0, 'del_memtype')
      const microcode = (length: number): number =>
        op(f.XENPF_microcode_update, f.xenpf_microcode_update, { data: g.page(2), length })
      g.mem.fill(g.page(2), 100, 0)
      g.is(microcode(16), 0, 'microcode_update of nothing')
      g.is(microcode(100), -EINVAL, 'microcode_update of what is none')
      g.is(
        op(f.XENPF_platform_quirk, f.xenpf_platform_quirk, { quirk_id: f.QUIRK_IOAPIC_GOOD_REGSEL }),
        0,
        'platform_quirk',
      )
      g.is(op(f.XENPF_platform_quirk, f.xenpf_platform_quirk, { quirk_id: 77 }), -EINVAL, 'no quirk')
      g.ok(
        op(f.XENPF_firmware_info, f.xenpf_firmware_info, { type: f.XEN_FW_DISK_INFO, index: 200 }) < 0,
        'firmware_info of no disk',
      )
      g.ok(
        op(f.XENPF_enter_acpi_sleep, f.xenpf_enter_acpi_sleep, { sleep_state: 77 }) < 0,
        'enter_acpi_sleep of no state',
      )
      g.is(op(f.XENPF_change_freq, f.xenpf_change_freq), -ENOSYS, 'change_freq')
      g.is(op(f.XENPF_getidletime, f.xenpf_getidletime), -ENOSYS, 'getidletime')
      g.ok(
        op(f.XENPF_set_processor_pminfo, f.xenpf_set_processor_pminfo, { type: f.XEN_PM_TX }) < 0,
        'set_processor_pminfo',
      )
      g.is(op(90), -ENOSYS, 'no command')
      yield RUN
    },
  },
  'acpi-sleep': {
    shows: 'dom0 switches the host off',
    dom0: true,
    powersOff: true,
    *main(g) {
      const sleep = { pm1a_cnt_val: (SLP_TYP_S5 << 10) | PM1_SLP_EN, sleep_state: 5 }
      command(g, PLATFORM, f.XENPF_enter_acpi_sleep, f.xenpf_enter_acpi_sleep, sleep)
      yield RUN
      g.ok(false, 'it is still on')
    },
  },
  'pin-dom0': {
    shows: 'dom0 pins the root of a domain that it builds, and flushes caches',
    dom0: true,
    *main(g) {
      g.is(domctl(g, d.XEN_DOMCTL_createdomain, d.xen_domctl_createdomain, {}, 9), 0, 'createdomain')
      g.is(domctl(g, d.XEN_DOMCTL_max_mem, d.xen_domctl_max_mem, { max_memkb: 64n }, 9), 0, 'max_mem')
      const list = g.at + 256
      g.mem.write64(list, 0n)
      const one = { extent_start: list, nr_extents: 1n, domid: 9 }
      const { result } = g.op(__HYPERVISOR_memory_op, XENMEM_populate_physmap, xen_memory_reservation, one)
      g.is(result, 1, 'populate_physmap')
      const mfn = BigInt(g.mem.read32(list))
      const ext = (cmd: number, domid: number): number => {
        g.put(mmuext_op, { cmd, arg1: mfn })
        return g.call(__HYPERVISOR_mmuext_op, g.at, 1, 0, domid)
      }
      g.is(ext(MMUEXT_PIN_L4_TABLE, 9), 0, 'PIN_L4_TABLE')
      g.is(ext(MMUEXT_PIN_L4_TABLE, 9), -EINVAL, 'again')
      g.is(ext(MMUEXT_FLUSH_CACHE, DOMID_SELF), 0, 'FLUSH_CACHE')
      yield RUN
    },
  },
  'physdev-dom0': {
    shows: 'dom0 has the host’s interrupt controllers, as far as Xen lets it',
    dom0: true,
    *main(g) {
      const op = <L extends Layout>(cmd: number, layout: L, values: object = {}) =>
        g.op(__HYPERVISOR_physdev_op, cmd, layout, values as never)
      const irq = op(p.PHYSDEVOP_alloc_irq_vector, p.physdev_irq, { irq: 9 })
      g.is(irq.result, 0, 'alloc_irq_vector')
      g.is(op(p.PHYSDEVOP_free_irq_vector, p.physdev_irq, { irq: 9 }).result, -ENOSYS, 'free_irq_vector')
      g.is(op(p.PHYSDEVOP_apic_read, p.physdev_apic, { apic_physbase: 0xfec00000n, reg: 1 }).result, 0, 'apic_read')
      g.is(
        op(p.PHYSDEVOP_apic_write, p.physdev_apic, { apic_physbase: 0xfec00000n, reg: 0, value: 0 }).result,
        0,
        'apic_write',
      )
      g.is(op(p.PHYSDEVOP_apic_read, p.physdev_apic, { apic_physbase: 1n }).result, -EINVAL, 'apic_read of none')
      g.is(op(p.PHYSDEVOP_irq_status_query, p.physdev_irq_status_query, { irq: 9 }).result, 0, 'irq_status_query')
      g.is(op(p.PHYSDEVOP_irq_status_query, p.physdev_irq_status_query, { irq: 999 }).result, -EINVAL, 'of none')
      g.is(op(p.PHYSDEVOP_eoi, p.physdev_eoi, { irq: 9 }).result, 0, 'eoi')
      g.is(g.call(__HYPERVISOR_physdev_op, p.PHYSDEVOP_IRQ_UNMASK_NOTIFY, 0), 0, 'IRQ_UNMASK_NOTIFY')
      g.is(op(p.PHYSDEVOP_manage_pci_add, p.physdev_manage_pci, { bus: 0, devfn: 16 }).result, 0, 'manage_pci_add')
      g.is(
        op(p.PHYSDEVOP_manage_pci_remove, p.physdev_manage_pci, { bus: 0, devfn: 16 }).result,
        0,
        'manage_pci_remove',
      )
      const unmap = op(p.PHYSDEVOP_unmap_pirq, p.physdev_unmap_pirq, { domid: 0x7ff0, pirq: 200 }).result
      g.ok(unmap <= 0, `unmap_pirq: ${unmap}`)
      yield RUN
    },
  },
}
