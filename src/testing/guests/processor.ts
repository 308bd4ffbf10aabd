/** What belongs to the processor's state: traps, descriptors, segments, debug registers, callbacks; and what Xen says of itself. */
import * as a from '#abi/xen/arch-x86.ts'
import * as c from '#abi/xen/callback.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { XENNMI_register_callback, XENNMI_unregister_callback, xennmi_callback } from '#abi/xen/nmi.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, FLAT_KERNEL_SS } from '#abi/xen/vcpu.ts'
import * as v from '#abi/xen/version.ts'
import * as x from '#abi/xen/xen.ts'
import { RO, RUN, type TestGuest } from './kit.ts'

const NOT_CANONICAL = 2 ** 50

export const processor: Readonly<Record<string, TestGuest>> = {
  'trap-table': {
    shows: 'the trap table is read up to its end, and one that is not there is an error',
    *main(g) {
      for (const [i, vector] of [3, 14, 128].entries())
        g.put(a.trap_info, { vector, flags: 3, cs: FLAT_KERNEL_CS, address: g.page(1) }, g.at + 16 * i)
      g.mem.fill(g.at + 48, 16, 0)
      g.is(g.call(x.__HYPERVISOR_set_trap_table, g.at), 0, 'set_trap_table')
      g.is(g.call(x.__HYPERVISOR_set_trap_table, 0), 0, 'none')
      g.is(g.call(x.__HYPERVISOR_set_trap_table, g.window(0)), -EFAULT, 'one that is not there')
      yield RUN
    },
  },
  gdt: {
    shows: 'frames of descriptors are read-only while they are in use, and each descriptor is one that does no harm',
    *main(g) {
      const va = g.page(4)
      const mfn = g.frameOf(va)
      const use = (...frames: number[]): number => {
        for (const [i, frame] of frames.entries()) g.mem.write64(g.at + 8 * i, BigInt(frame))
        return g.call(x.__HYPERVISOR_set_gdt, g.at, frames.length * 512)
      }
      g.mem.fill(va, PAGE_SIZE, 0)
      g.is(use(mfn), -EINVAL, 'a frame that is writable')
      g.is(g.map(va, mfn, RO), 0, 'read-only')
      g.is(use(mfn), 0, 'set_gdt')
      g.is(g.map(va, mfn), -EINVAL, 'writing it now')
      const flat = 0x00cff2000000ffffn
      const update = (at: number, descriptor: bigint): number => {
        const entry = g.put(x.multicall_entry, { op: BigInt(x.__HYPERVISOR_update_descriptor) })
        g.mem.write64(entry + x.MULTICALL_ARGS, BigInt(at))
        g.mem.write64(entry + x.MULTICALL_ARGS + 8, descriptor)
        g.is(g.call(x.__HYPERVISOR_multicall, entry, 1), 0, 'multicall')
        return g.mem.read32(entry + 8) | 0
      }
      g.is(update(mfn * PAGE_SIZE + 8, flat), 0, 'update_descriptor')
      g.is(g.mem.read64(va + 8), flat, 'the descriptor')
      g.is(update(mfn * PAGE_SIZE + 16, 0x0000_8200_0000_0000n), -EINVAL, 'an LDT’s descriptor')
      g.is(update(0x4000 * PAGE_SIZE, flat), -EINVAL, 'in another’s frame')
      g.is(g.call(x.__HYPERVISOR_update_descriptor, mfn * PAGE_SIZE + 24, 0), 0, 'an empty one')
      g.is(use(0x4000), -EINVAL, 'another’s frame')
      g.is(g.call(x.__HYPERVISOR_set_gdt, g.at, 8000), -EINVAL, 'more than there can be')
      g.is(g.call(x.__HYPERVISOR_set_gdt, g.at, 0), 0, 'none')
      g.is(g.map(va, mfn), 0, 'writing it again')
      yield RUN
    },
  },
  segments: {
    shows: 'bases of segments and a kernel stack are taken, addresses that are none are not',
    *main(g) {
      for (const which of [a.SEGBASE_FS, a.SEGBASE_GS_USER, a.SEGBASE_GS_KERNEL]) {
        g.is(g.call(x.__HYPERVISOR_set_segment_base, which, g.page(1)), 0, `base ${which}`)
        g.ok(g.call(x.__HYPERVISOR_set_segment_base, which, NOT_CANONICAL) < 0, `base ${which} that is no address`)
      }
      g.is(g.call(x.__HYPERVISOR_set_segment_base, a.SEGBASE_GS_USER_SEL, 0), 0, 'a selector')
      g.is(g.call(x.__HYPERVISOR_set_segment_base, 9, 0), -EINVAL, 'no base')
      g.is(g.call(x.__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, g.page(2)), 0, 'stack_switch')
      g.is(g.call(x.__HYPERVISOR_fpu_taskswitch, 1), 0, 'fpu_taskswitch')
      g.is(g.call(x.__HYPERVISOR_fpu_taskswitch, 0), 0, 'fpu_taskswitch')
      yield RUN
    },
  },
  debugreg: {
    shows: 'debug registers keep what they are given, not Xen’s addresses and not what is reserved',
    *main(g) {
      const set = (reg: number, value: number): number => g.call(x.__HYPERVISOR_set_debugreg, reg, value)
      const get = (reg: number): number => g.call(x.__HYPERVISOR_get_debugreg, reg)
      for (let reg = 0; reg < 4; reg++) {
        g.is(set(reg, 0x1000 * (reg + 1)), 0, `set DR${reg}`)
        g.is(get(reg), 0x1000 * (reg + 1), `DR${reg}`)
      }
      g.ok(set(0, x.HYPERVISOR_VIRT_START) < 0, 'an address of Xen’s')
      g.is(set(6, 0), 0, 'set DR6')
      g.is(set(7, 0x401), 0, 'set DR7')
      g.is(set(4, 0), -EINVAL, 'set DR4')
      g.is(get(9), -EINVAL, 'no register')
      yield RUN
    },
  },
  callbacks: {
    shows: 'callbacks are registered by either hypercall, and only the NMI’s is taken back',
    *main(g) {
      const op = (command: number, type: number, address = g.page(1)): number =>
        g.op(x.__HYPERVISOR_callback_op, command, c.callback_register, { type, address }).result
      const types = [
        c.CALLBACKTYPE_event,
        c.CALLBACKTYPE_failsafe,
        c.CALLBACKTYPE_syscall,
        c.CALLBACKTYPE_sysenter,
        c.CALLBACKTYPE_syscall32,
      ]
      for (const type of types) {
        g.is(op(c.CALLBACKOP_register, type), 0, `register ${type}`)
        g.is(op(c.CALLBACKOP_unregister, type), -EINVAL, `unregister ${type}`)
      }
      g.ok(op(c.CALLBACKOP_register, c.CALLBACKTYPE_event, NOT_CANONICAL) < 0, 'no address')
      g.is(op(c.CALLBACKOP_unregister, c.CALLBACKTYPE_nmi), 0, 'unregister the NMI’s')
      g.is(op(c.CALLBACKOP_register, 40), -ENOSYS, 'no type')
      g.is(op(7, 0), -ENOSYS, 'no command')
      g.is(g.call(x.__HYPERVISOR_set_callbacks, g.page(1), g.page(1), g.page(1)), 0, 'set_callbacks')
      const nmi = { handler_address: g.page(1) }
      g.is(g.op(x.__HYPERVISOR_nmi_op, XENNMI_register_callback, xennmi_callback, nmi).result, 0, 'the NMI’s')
      g.is(g.call(x.__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0), 0, 'unregister it')
      g.is(g.call(x.__HYPERVISOR_nmi_op, 5, 0), -ENOSYS, 'no command')
      yield RUN
    },
  },
  'nmi-dom0': {
    shows: 'dom0 registers a callback for NMIs',
    dom0: true,
    *main(g) {
      const nmi = { handler_address: g.page(1) }
      g.is(g.op(x.__HYPERVISOR_nmi_op, XENNMI_register_callback, xennmi_callback, nmi).result, 0, 'register')
      g.is(g.call(x.__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0), 0, 'unregister')
      yield RUN
    },
  },
  iret: {
    shows: 'iret without a stack to return from is the guest’s end',
    ends: SHUTDOWN_crash,
    *main(g) {
      g.call(x.__HYPERVISOR_iret)
      yield RUN
      g.error('it has survived')
    },
  },
  'xen-version': {
    shows: 'Xen tells its version, how it was built, what it can, and its features',
    *main(g) {
      const version = (command: number, pointer = g.at): number => g.call(x.__HYPERVISOR_xen_version, command, pointer)
      const text = (): string => {
        const bytes = g.mem.copyOut(g.at, 64)
        return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)))
      }
      g.is(version(v.XENVER_version), 0x30003, 'version')
      g.is(version(v.XENVER_extraversion), 0, 'extraversion')
      g.ok(text().startsWith('.'), 'extraversion')
      g.is(version(v.XENVER_compile_info), 0, 'compile_info')
      g.is(version(v.XENVER_capabilities), 0, 'capabilities')
      g.ok(text().includes('xen-3.0-x86_64'), 'capabilities')
      g.is(version(v.XENVER_changeset), 0, 'changeset')
      g.is(version(v.XENVER_platform_parameters), 0, 'platform_parameters')
      g.is(g.mem.read64(g.at), BigInt.asUintN(64, BigInt(x.HYPERVISOR_VIRT_START)), 'virt_start')
      g.put(v.xen_feature_info, { submap_idx: 0 })
      g.is(version(v.XENVER_get_features), 0, 'get_features')
      g.is(version(v.XENVER_pagesize, 0), PAGE_SIZE, 'pagesize')
      g.is(version(v.XENVER_pagesize), -EINVAL, 'pagesize, with a place for it')
      g.is(version(v.XENVER_guest_handle), 0, 'guest_handle')
      g.ok(
        g.mem.copyOut(g.at, 16).every((byte, i) => byte === i),
        'its handle',
      )
      g.is(version(40), -ENOSYS, 'no command')
      g.is(version(v.XENVER_extraversion, g.window(0)), -EFAULT, 'nowhere to put it')
      yield RUN
    },
  },
}
