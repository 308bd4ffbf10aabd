/** What a domain without privilege is refused, what this host does not have, and numbers that mean nothing. */
import { EACCES, EBUSY, EINVAL, ENOENT, ENOSYS, EPERM } from '#abi/xen/errno.ts'
import * as h from '#abi/xen/hvm/hvm_op.ts'
import * as k from '#abi/xen/kexec.ts'
import * as p from '#abi/xen/physdev.ts'
import * as x from '#abi/xen/xen.ts'
import {
  __HYPERVISOR_mca,
  XEN_MC_fetch,
  XEN_MC_notifydomain,
  XEN_MCA_INTERFACE_VERSION,
  xen_mc,
} from '#abi/xen/xen-mca.ts'
import * as o from '#abi/xen/xenoprof.ts'
import { type Guest, MS, PEER, RUN, type TestGuest } from './kit.ts'

/** Every hypercall without a row. */
const UNASSIGNED: readonly number[] = [
  11,
  ...Array.from({ length: 26 }, (_, i) => 38 + i).filter((nr) => nr !== __HYPERVISOR_mca),
]

const physdev = (g: Guest, command: number): number => {
  g.mem.fill(g.at, 64, 0)
  return g.call(x.__HYPERVISOR_physdev_op, command, g.at)
}

export const refused: Readonly<Record<string, TestGuest>> = {
  'no-hypercall': {
    shows: 'a number without a hypercall is -ENOSYS',
    *main(g) {
      for (const nr of UNASSIGNED) g.is(g.call(nr, 0, 0), -ENOSYS, `hypercall ${nr}`)
      g.is(g.call(64), -ENOSYS, 'hypercall 64')
      g.is(g.call(-1), -ENOSYS, 'hypercall -1')
      g.is(g.call(x.__HYPERVISOR_xsm_op, g.at), -ENOSYS, 'xsm_op')
      yield RUN
    },
  },
  'control-refused': {
    shows: 'a domain without privilege is refused all control of others, whatever it says',
    *main(g) {
      for (const nr of [x.__HYPERVISOR_domctl, x.__HYPERVISOR_sysctl, x.__HYPERVISOR_platform_op])
        for (let command = 0; command < 60; command++) {
          g.mem.fill(g.at, 144, 0)
          g.mem.write32(g.at, command)
          g.mem.write32(g.at + 4, nr === x.__HYPERVISOR_domctl ? 5 : nr === x.__HYPERVISOR_sysctl ? 6 : 0x03000001)
          g.is(g.call(nr, g.at), -EPERM, `${nr}, ${command}`)
        }
      g.is(g.call(x.__HYPERVISOR_kexec_op, k.KEXEC_CMD_kexec_get_range, g.at), -EPERM, 'kexec_op')
      yield RUN
    },
  },
  'console-refused': {
    shows: 'Xen’s console is dom0’s',
    *main(g) {
      g.is(g.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_write, 4, g.at), -EPERM, 'write')
      g.is(g.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_read, 4, g.at), -EPERM, 'read')
      yield RUN
    },
  },
  'console-dom0': {
    shows: 'dom0 writes on Xen’s console, and reads what was typed there',
    dom0: true,
    *main(g) {
      g.mem.copyIn(g.at, Uint8Array.from([0x68, 0x69, 0x0a]))
      g.is(g.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_write, 3, g.at), 0, 'write')
      g.is(g.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_read, 16, g.at), 0, 'read of nothing')
      g.is(g.call(x.__HYPERVISOR_console_io, 7, 16, g.at), -ENOSYS, 'no command')
      yield RUN
    },
  },
  'physdev-refused': {
    shows: 'a domain without privilege has no interrupts, no APIC and no ports of the host',
    *main(g) {
      const { io } = g.vcpu
      g.is(g.op(x.__HYPERVISOR_physdev_op, p.PHYSDEVOP_set_iopl, p.physdev_set_iopl, { iopl: 3 }).result, 0, 'set_iopl')
      g.is(
        g.op(x.__HYPERVISOR_physdev_op, p.PHYSDEVOP_set_iopl, p.physdev_set_iopl, { iopl: 4 }).result,
        -EINVAL,
        'no IOPL',
      )
      for (const port of [0x60, 0x64, 0x70, 0x1f7, 0x3f8, 0xcfc]) g.is(io.in8(port), 0xff, `port ${port}`)
      io.out8(0x64, 0xfe)
      for (const command of [
        p.PHYSDEVOP_alloc_irq_vector,
        p.PHYSDEVOP_apic_read,
        p.PHYSDEVOP_apic_write,
        p.PHYSDEVOP_manage_pci_add,
        p.PHYSDEVOP_manage_pci_remove,
      ])
        g.is(physdev(g, command), -EPERM, `physdev_op ${command}`)
      g.is(physdev(g, p.PHYSDEVOP_set_iobitmap), 0, 'set_iobitmap')
      // Without MSI nothing is done, and nobody told.
      g.is(physdev(g, p.PHYSDEVOP_map_pirq), 0, 'map_pirq')
      g.is(physdev(g, p.PHYSDEVOP_unmap_pirq), 0, 'unmap_pirq')
      g.is(physdev(g, 60), -ENOSYS, 'no command')
      yield RUN
    },
  },
  'physdev-compat': {
    shows: 'the older hypercall does the same',
    *main(g) {
      g.mem.fill(g.at, p.PHYSDEV_OP_BYTES, 0)
      g.mem.write32(g.at, p.PHYSDEVOP_set_iopl)
      g.mem.write32(g.at + p.PHYSDEV_OP_U, 1)
      g.is(g.call(x.__HYPERVISOR_physdev_op_compat, g.at), 0, 'set_iopl')
      g.mem.write32(g.at, p.PHYSDEVOP_IRQ_UNMASK_NOTIFY)
      g.is(g.call(x.__HYPERVISOR_physdev_op_compat, g.at), 0, 'IRQ_UNMASK_NOTIFY')
      yield RUN
    },
  },
  'hvm-refused': {
    shows: 'what is about HVM domains finds none',
    dom0: true,
    *main(g) {
      for (const command of [
        h.HVMOP_set_param,
        h.HVMOP_get_param,
        h.HVMOP_set_pci_intx_level,
        h.HVMOP_set_isa_irq_level,
        h.HVMOP_set_pci_link_route,
        h.HVMOP_track_dirty_vram,
        h.HVMOP_modified_memory,
        h.HVMOP_set_mem_type,
      ]) {
        g.mem.fill(g.at, 64, 0)
        g.mem.write16(g.at, PEER)
        g.is(g.call(x.__HYPERVISOR_hvm_op, command, g.at), -EINVAL, `hvm_op ${command}`)
      }
      g.is(g.call(x.__HYPERVISOR_hvm_op, h.HVMOP_flush_tlbs, 0), -EINVAL, 'flush_tlbs')
      g.is(g.call(x.__HYPERVISOR_hvm_op, 30, g.at), -ENOSYS, 'no command')
      yield RUN
    },
    *peer(g) {
      yield* g.sleep(1e9)
    },
  },
  'mca-dom0': {
    shows: 'machine checks: there is none to fetch, and nobody is told of one',
    dom0: true,
    *main(g) {
      const op = (cmd: number): number => {
        g.mem.fill(g.at, xen_mc.size, 0)
        g.put(xen_mc, { cmd, interface_version: XEN_MCA_INTERFACE_VERSION })
        return g.call(__HYPERVISOR_mca, g.at)
      }
      g.is(op(XEN_MC_fetch), 0, 'fetch')
      g.is(op(XEN_MC_notifydomain), -EACCES, 'notifydomain')
      yield RUN
    },
  },
  kexec: {
    shows: 'kexec knows its ranges, and has no image to go to',
    dom0: true,
    *main(g) {
      const range = (of: number) =>
        g.op(x.__HYPERVISOR_kexec_op, k.KEXEC_CMD_kexec_get_range, k.xen_kexec_range, { range: of })
      g.is(range(k.KEXEC_RANGE_MA_XEN).result, 0, 'the range of Xen')
      g.is(range(40).result, -EINVAL, 'no range')
      g.is(g.op(x.__HYPERVISOR_kexec_op, k.KEXEC_CMD_kexec_load, k.xen_kexec_load, { type: 1 }).result, -ENOSYS, 'load')
      g.is(g.op(x.__HYPERVISOR_kexec_op, k.KEXEC_CMD_kexec_unload, k.xen_kexec_load, { type: 1 }).result, 0, 'unload')
      g.is(g.op(x.__HYPERVISOR_kexec_op, k.KEXEC_CMD_kexec, k.xen_kexec_exec, { type: 1 }).result, -ENOENT, 'kexec')
      yield RUN
    },
  },
  'xenoprof-dom0': {
    shows: 'the profiler: domains get their turn, but this processor has no counters that could be reserved',
    dom0: true,
    *main(g) {
      const op = (command: number, word = 0): number => {
        g.mem.fill(g.at, 128, 0)
        g.mem.write16(g.at, word)
        return g.call(x.__HYPERVISOR_xenoprof_op, command, g.at)
      }
      g.is(op(o.XENOPROF_init), 0, 'init')
      g.is(op(o.XENOPROF_reset_passive_list), 0, 'reset_passive_list')
      g.is(op(o.XENOPROF_set_active, 99), -EINVAL, 'set_active of none')
      g.is(op(o.XENOPROF_set_active, PEER), 0, 'set_active')
      g.is(op(o.XENOPROF_reserve_counters), -EBUSY, 'reserve_counters')
      const later = [
        o.XENOPROF_counter,
        o.XENOPROF_setup_events,
        o.XENOPROF_start,
        o.XENOPROF_stop,
        o.XENOPROF_release_counters,
      ]
      for (const command of later) g.is(op(command), -EPERM, `${command} without counters`)
      g.ok(op(o.XENOPROF_set_passive, PEER) < 0, 'set_passive')
      g.is(op(o.XENOPROF_set_backtrace, 1), 0, 'set_backtrace')
      yield* g.sleep(10 * MS)
      g.is(op(o.XENOPROF_reset_active_list), 0, 'reset_active_list')
      g.is(op(o.XENOPROF_shutdown), 0, 'shutdown')
    },
    *peer(g) {
      const buffer = () =>
        g.op(x.__HYPERVISOR_xenoprof_op, o.XENOPROF_get_buffer, o.xenoprof_get_buffer, { max_samples: 16 }).result
      g.is(buffer(), 0, 'get_buffer')
      yield* g.until(() => g.call(x.__HYPERVISOR_xenoprof_op, o.XENOPROF_enable_virq, 0) === 0, 'enable_virq')
      g.is(g.call(x.__HYPERVISOR_xenoprof_op, o.XENOPROF_disable_virq, 0), 0, 'disable_virq')
    },
  },
  xenoprof: {
    shows: 'a domain gets its buffer of samples, and is not the one who profiles',
    *main(g) {
      const { result, out } = g.op(x.__HYPERVISOR_xenoprof_op, o.XENOPROF_get_buffer, o.xenoprof_get_buffer, {
        max_samples: 16,
      })
      g.is(result, 0, 'get_buffer')
      g.is(out.nbuf, 1, 'buffers')
      g.is(g.call(x.__HYPERVISOR_xenoprof_op, o.XENOPROF_start, 0), -EPERM, 'start')
      g.is(g.call(x.__HYPERVISOR_xenoprof_op, 60, 0), -EINVAL, 'no command')
      yield RUN
    },
  },
}
