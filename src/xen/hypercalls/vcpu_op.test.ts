import { beforeAll, describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import type { Values } from '#abi/struct.ts'
import { trap_info } from '#abi/xen/arch-x86.ts'
import { EEXIST, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import * as s from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import * as v from '#abi/xen/vcpu.ts'
import * as ver from '#abi/xen/version.ts'
import * as x from '#abi/xen/xen.ts'
import { books, changes } from '#testing/xen-builder.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK, pte, type ScriptGuest } from '#testing/xen-script.ts'
import { getInfoGuest } from '../arch-x86/guest-context.ts'
import { type Domain, type Vcpu, VPF_blocked, VPF_down } from '../common/domain.ts'
import { PGT_count_mask, PGT_seg_desc_page, PGT_type_mask } from '../common/page-alloc.ts'
import { hypercall } from './index.ts'

const NOWHERE = 0x1000

interface Rig {
  readonly host: TestHost
  readonly dom0: Domain
  readonly call: (nr: number, ...args: number[]) => number
  /** Mapped memory of dom0's that nobody else uses: a page and those behind. */
  readonly at: number
}
function rig(cmdline = ''): Rig {
  let guest: ScriptGuest | undefined
  const host = scriptHost(function* (g) {
    guest = g
    yield BLOCK
  }, cmdline)
  host.runFor(1e8)
  const dom0 = host.xen.domains.get(0)!
  const call = (nr: number, ...args: number[]): number => callOf(host, dom0.vcpus[0]!, nr, ...args)
  return { host, dom0, call, at: guest!.scratch }
}
function callOf(host: TestHost, vcpu: Vcpu, nr: number, ...args: number[]): number {
  let result = 0
  host.inXen((xen) => {
    result = hypercall(xen, vcpu, nr, args)
  })
  return result
}

let r: Rig
beforeAll(() => {
  r = rig()
})

describe('VCPUOP_initialise', () => {
  type Context = Partial<Values<typeof v.vcpu_guest_context>>
  const initialise = (values: Context, id = 1): number => {
    r.dom0.mem.fill(r.at, v.vcpu_guest_context.size, 0)
    v.vcpu_guest_context.write(r.dom0.mem, r.at, { ctrlreg3: BigInt(r.dom0.root) << 12n, ...values })
    return r.call(x.__HYPERVISOR_vcpu_op, v.VCPUOP_initialise, id, r.at)
  }
  const frameOf = (page: number): number => r.dom0.pageMap.lookup(r.at / PAGE_SIZE + page) >>> 2
  const words = (count: number, ...values: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(8 * count)
    for (const [i, value] of values.entries()) memOf(bytes).write64(8 * i, BigInt.asUintN(64, BigInt(value)))
    return bytes
  }

  test.each<[string, () => Context, number]>([
    ['no root', () => ({ ctrlreg3: 0n }), -EINVAL],
    ['a root that is none', () => ({ ctrlreg3: BigInt(frameOf(5)) << 12n }), -EINVAL],
    ['a second root', () => ({ ctrlreg1: BigInt(r.dom0.root) << 12n }), -EINVAL],
    ['an LDT at no page', () => ({ ldt_base: 8, ldt_ents: 1n }), -EINVAL],
    ['an LDT too large', () => ({ ldt_ents: 8193n }), -EINVAL],
    ['an LDT in Xen', () => ({ ldt_base: x.HYPERVISOR_VIRT_START, ldt_ents: 1n }), -EINVAL],
    ['a GDT too large', () => ({ gdt_ents: 7169n }), -EINVAL],
    ['a GDT that can be written', () => ({ gdt_ents: 1n, gdt_frames: words(16, frameOf(5)) }), -EINVAL],
    ['a GDT of no frames', () => ({ gdt_ents: 1n, gdt_frames: words(16, -1) }), -EINVAL],
  ])('refuses %s', (_name, values, result) => {
    const before = books(r.host.xen)
    expect(initialise(values())).toBe(result)
    expect(changes(before, books(r.host.xen))).toEqual([])
    expect(r.dom0.vcpus[1]!.initialised).toBe(false)
  })

  test('who runs has a context already; a struct that is not there is none', () => {
    expect(initialise({}, 0)).toBe(-EEXIST)
    expect(r.call(x.__HYPERVISOR_vcpu_op, v.VCPUOP_initialise, 1, NOWHERE)).toBe(-EFAULT)
    expect(r.call(x.__HYPERVISOR_vcpu_op, v.VCPUOP_up, 1)).toBe(-EINVAL)
  })

  test('takes all of it over, made safe', () => {
    const vcpu = r.dom0.vcpus[1]!
    const gdt = frameOf(6)
    expect(r.call(x.__HYPERVISOR_update_va_mapping, r.at + 6 * PAGE_SIZE, pte(gdt, false), 0)).toBe(0)
    const traps = new Uint8Array(256 * trap_info.size)
    trap_info.write(memOf(traps), 14 * trap_info.size, { vector: 14, flags: 4, cs: 0x10, address: -4096 })
    expect(
      initialise({
        flags: BigInt(v.VGCF_in_kernel | v.VGCF_syscall_disables_events),
        rip: -0x7ff00000,
        rsi: 77,
        cs: 0xe030,
        ss: 0xe028,
        rflags: 0x1000n,
        trap_ctxt: traps,
        gdt_frames: words(16, gdt),
        gdt_ents: 8n,
        kernel_ss: 0xe028n,
        kernel_sp: -32,
        ctrlreg0: 8n,
        // DE, and what is not the guest's to choose.
        ctrlreg4: 0x8n,
        debugreg: words(8, 4096, 0, 0, 0, 0, 0, 0, 0x20001),
        event_callback_eip: -100,
        fs_base: 4096,
      }),
    ).toBe(0)
    const info = r.host.xen.heap.frames.typeInfo[gdt]!
    expect([(info & PGT_type_mask) >>> 0, info & PGT_count_mask]).toEqual([PGT_seg_desc_page, 1])
    const seen = v.vcpu_guest_context.read(memOf(getInfoGuest(vcpu)), 0)
    expect(seen).toMatchObject({
      flags: BigInt(v.VGCF_in_kernel | v.VGCF_syscall_disables_events),
      rip: -0x7ff00000,
      rsi: 77,
      cs: 0xe033,
      ss: 0xe02b,
      rflags: 0x1202n,
      gdt_ents: 8n,
      kernel_ss: 0xe02bn,
      kernel_sp: -32,
      ctrlreg0: 0x8005003bn,
      ctrlreg3: BigInt(r.dom0.root) << 12n,
      ctrlreg4: 0x628n,
      event_callback_eip: -100,
      fs_base: 4096,
    })
    expect(trap_info.read(memOf(seen.trap_ctxt), 14 * trap_info.size).cs).toBe(0x13)
    // A breakpoint at an I/O port is Xen's to watch, and shown as it was set.
    expect(memOf(seen.debugreg).read64(0)).toBe(4096n)
    expect(memOf(seen.debugreg).read64(56)).toBe(0x20401n)
    expect([vcpu.initialised, vcpu.iopl, vcpu.pauseFlags & VPF_down]).toEqual([true, 1, VPF_down])
    expect(initialise({})).toBe(-EEXIST)
    r.host.runFor(1e9)
    expect(r.host.serial).toContain('Attempt to change CR4 flags 00000620 -> 00000008')
  })
})

describe('other operations', () => {
  const op = (command: number, id: number, pointer = 0): number => r.call(x.__HYPERVISOR_vcpu_op, command, id, pointer)
  const area = (addr: number): number => {
    v.vcpu_register_runstate_memory_area.write(r.dom0.mem, r.at, { addr })
    return op(v.VCPUOP_register_runstate_memory_area, 0, r.at)
  }
  const info = (mfn: bigint, offset: number, id: number): number => {
    v.vcpu_register_vcpu_info.write(r.dom0.mem, r.at, { mfn, offset })
    return op(v.VCPUOP_register_vcpu_info, id, r.at)
  }
  const own = (): bigint => BigInt(r.dom0.pageMap.lookup(r.at / PAGE_SIZE + 8) >>> 2)

  test.each<[string, () => number, number]>([
    ['a run state area where nothing is, yet', () => area(NOWHERE), 0],
    ['a run state area in Xen', () => area(x.HYPERVISOR_VIRT_START), -EFAULT],
    ['a run state area', () => area(r.at + 64), 0],
    ['vcpu_info beyond its page', () => info(own(), 4033, 1), -EINVAL],
    ['vcpu_info in no frame', () => info(2n ** 50n, 0, 1), -EINVAL],
    ['vcpu_info in a table', () => info(BigInt(r.dom0.root), 0, 1), -EINVAL],
    ['vcpu_info of one that is down', () => info(own(), 128, 1), 0],
    ['vcpu_info once more', () => info(own(), 256, 1), -EINVAL],
    ['vcpu_info from nowhere', () => op(v.VCPUOP_register_vcpu_info, 0, NOWHERE), -EFAULT],
    ['physid of who is not pinned', () => op(v.VCPUOP_get_physid, 0, r.at), -EINVAL],
    ['physid of who is not pinned, nowhere', () => op(v.VCPUOP_get_physid, 0, NOWHERE), -EINVAL],
    ['no operation', () => op(13, 0), -ENOSYS],
  ])('%s', (_name, run, result) => {
    expect(run()).toBe(result)
  })

  test('the area has the state, and vcpu_info events for all there could be', () => {
    expect(r.dom0.mem.read32(r.at + 64)).toBeLessThanOrEqual(3)
    expect(r.dom0.vcpus[1]!.infoAt).toBe(Number(own()) * PAGE_SIZE + 128)
    expect(r.host.xen.mem.read64(r.dom0.vcpus[1]!.infoAt + 8)).toBe(0xffffffffffffffffn)
  })

  test('pinned dom0 is told its processors', () => {
    const pinned = rig('dom0_vcpus_pin')
    const physid = (id: number, pointer = pinned.at): number =>
      pinned.call(x.__HYPERVISOR_vcpu_op, v.VCPUOP_get_physid, id, pointer)
    for (const [id, { metal }] of pinned.host.xen.pcpus.entries()) {
      expect(physid(id)).toBe(0)
      expect(pinned.dom0.mem.read32(pinned.at)).toBe(metal.cpu.apicId)
      expect(pinned.dom0.mem.read32(pinned.at + 4)).toBeLessThan(0xff)
    }
    expect(physid(0, NOWHERE)).toBe(-EFAULT)
  })
})

describe('sched_op', () => {
  const sched = (command: number, pointer = 0): number => r.call(x.__HYPERVISOR_sched_op, command, pointer)
  const poll = (nr_ports: number, ports: number, timeout = 0n): number => {
    s.sched_poll.write(r.dom0.mem, r.at, { ports, nr_ports, timeout })
    return sched(s.SCHEDOP_poll, r.at)
  }
  const list = (...ports: number[]): number => {
    for (const [i, port] of ports.entries()) r.dom0.mem.write32(r.at + 256 + 4 * i, port)
    return r.at + 256
  }
  const remote = (domain_id: number, reason: number): number => {
    s.sched_remote_shutdown.write(r.dom0.mem, r.at, { domain_id, reason })
    return sched(s.SCHEDOP_remote_shutdown, r.at)
  }

  test.each<[string, () => number, number]>([
    ['more than 128 ports', () => poll(129, list()), -EINVAL],
    ['a port that is none', () => poll(2, list(1, 4096)), -EINVAL],
    ['a list that is not there', () => poll(1, NOWHERE), -EFAULT],
    ['poll from nowhere', () => sched(s.SCHEDOP_poll, NOWHERE), -EFAULT],
    ['shutdown from nowhere', () => sched(s.SCHEDOP_shutdown, NOWHERE), -EFAULT],
    ['remote_shutdown of nobody', () => remote(99, 0), -ESRCH],
    ['remote_shutdown from nowhere', () => sched(s.SCHEDOP_remote_shutdown, NOWHERE), -EFAULT],
    ['no operation', () => sched(5), -ENOSYS],
    ['a negative one', () => sched(-1), -ENOSYS],
  ])('refused: %s', (_name, run, result) => {
    const before = r.dom0.vcpus[0]!.pauseFlags
    expect(run()).toBe(result)
    expect(r.dom0.vcpus[0]!.pauseFlags & ~VPF_blocked).toBe(before & ~VPF_blocked)
    expect(r.dom0.shuttingDown).toBe(false)
  })

  test('only who may shuts another down, for a reason of eight bits', () => {
    const { host } = r
    const domain = addDomain(host, 3, () => ({ run: () => BLOCK, upcall() {} }))
    s.sched_remote_shutdown.write(domain.mem, TEST_BASE, { domain_id: 3, reason: 1 })
    const own = callOf(host, domain.vcpus[0]!, x.__HYPERVISOR_sched_op, s.SCHEDOP_remote_shutdown, TEST_BASE)
    expect([own, domain.shuttingDown]).toEqual([-EPERM, false])
    expect(remote(3, 0x101)).toBe(0)
    expect([domain.shuttingDown, domain.shutdownCode]).toEqual([true, 1])
    // A second reason comes too late.
    expect(remote(3, 2)).toBe(0)
    expect(domain.shutdownCode).toBe(1)
  })
})

describe('small ones', () => {
  test.each<[string, () => number, number]>([
    ['vm_assist 0', () => r.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, x.VMASST_TYPE_4gb_segments), 0],
    ['vm_assist 3', () => r.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, x.VMASST_TYPE_pae_extended_cr3), 0],
    ['vm_assist 4', () => r.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, 4), -EINVAL],
    ['vm_assist -1', () => r.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, -1), -EINVAL],
    ['vm_assist: no command', () => r.call(x.__HYPERVISOR_vm_assist, 2, 0), -ENOSYS],
    ['xen_version: no command', () => r.call(x.__HYPERVISOR_xen_version, 9, r.at), -ENOSYS],
    ['xen_version: page size', () => r.call(x.__HYPERVISOR_xen_version, ver.XENVER_pagesize, 0), 4096],
    ['xen_version: page size, to where', () => r.call(x.__HYPERVISOR_xen_version, ver.XENVER_pagesize, 1), -EINVAL],
    ['xen_version: nowhere', () => r.call(x.__HYPERVISOR_xen_version, ver.XENVER_changeset, NOWHERE), -EFAULT],
    ['console_io: a negative count', () => r.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_write, -5, NOWHERE), 0],
    ['console_io: nowhere', () => r.call(x.__HYPERVISOR_console_io, x.CONSOLEIO_write, 5, NOWHERE), -EFAULT],
    ['console_io: no command', () => r.call(x.__HYPERVISOR_console_io, 2, 0, r.at), -ENOSYS],
    ['set_timer_op: in 13 days and more', () => r.call(x.__HYPERVISOR_set_timer_op, 2 ** 51), 0],
    ['set_timer_op: none', () => r.call(x.__HYPERVISOR_set_timer_op, 0), 0],
    ['a number of none', () => r.call(11), -ENOSYS],
  ])('%s', (_name, run, result) => {
    expect(run()).toBe(result)
  })

  test('a huge timeout is said', () => {
    r.host.runFor(1e9)
    expect(r.host.serial).toContain('Warning: huge timeout set by vcpu 0: 8000000000000')
  })

  test('features that a guest is told of', () => {
    const features = (index: number): number => {
      ver.xen_feature_info.write(r.dom0.mem, r.at, { submap_idx: index, submap: 0 })
      return r.call(x.__HYPERVISOR_xen_version, ver.XENVER_get_features, r.at)
    }
    expect([features(1), features(0), r.dom0.mem.read32(r.at + 4)]).toEqual([-EINVAL, 0, 0xb0])
    expect(r.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_disable, x.VMASST_TYPE_pae_extended_cr3)).toBe(0)
    expect([features(0), r.dom0.mem.read32(r.at + 4)]).toEqual([0, 0xa0])
  })
})
