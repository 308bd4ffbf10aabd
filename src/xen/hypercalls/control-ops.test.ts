/** platform_op, kexec_op, xenoprof_op, hvm_op, xsm_op, mca: what a host answers that has no more than this one. */
import { describe, expect, test } from 'vitest'
import type { Struct, Values } from '#abi/struct.ts'
import { XEN_DOMCTL_destroydomain, XEN_DOMCTL_unpausedomain } from '#abi/xen/domctl.ts'
import { EACCES, EBUSY, EFAULT, EINVAL, ENOENT, ENOSPC, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import * as hvm from '#abi/xen/hvm/hvm_op.ts'
import * as kexec from '#abi/xen/kexec.ts'
import { PHYSDEVOP_set_iobitmap, physdev_set_iobitmap } from '#abi/xen/physdev.ts'
import * as platform from '#abi/xen/platform.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_hvm_op,
  __HYPERVISOR_kexec_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_xenoprof_op,
  __HYPERVISOR_xsm_op,
  DOMID_SELF,
} from '#abi/xen/xen.ts'
import * as mc from '#abi/xen/xen-mca.ts'
import * as prof from '#abi/xen/xenoprof.ts'
import { byteString } from '#lib/utf8.ts'
import { books, buildDomain, changes, domctl, nothing, play, room, turns } from '#testing/xen-builder.ts'
import { TEST_BASE } from '#testing/xen-domain.ts'
import { kernel, loaded } from '#testing/xen-guest.ts'
import { BLOCK, RUN, type ScriptGuest } from '#testing/xen-script.ts'

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
type AnyStruct = Struct<any>

function platformOp<S extends AnyStruct>(
  g: ScriptGuest,
  cmd: number,
  layout: S,
  values: Partial<Values<S>>,
): { readonly result: number; readonly out: Values<S> } {
  const { mem } = g.vcpu
  mem.fill(g.scratch, platform.xen_platform_op.size, 0)
  platform.xen_platform_op.write(mem, g.scratch, { cmd, interface_version: platform.XENPF_INTERFACE_VERSION })
  const at = g.scratch + platform.XEN_PLATFORM_OP_U
  layout.write(mem, at, values as Parameters<S['write']>[2])
  const result = g.call(__HYPERVISOR_platform_op, g.scratch)
  return { result, out: layout.read(mem, at) as Values<S> }
}

describe('platform_op', () => {
  test('memory types: ranges are given out, shared, refused and taken back', () => {
    const host = play(function* (g) {
      yield RUN
      const add = (mfn: bigint, nr_mfns: bigint, type: number): number => {
        const values = { mfn, nr_mfns, type }
        const { result, out } = platformOp(g, platform.XENPF_add_memtype, platform.xenpf_add_memtype, values)
        return result === 0 ? out.reg : result
      }
      const del = (reg: number, handle = 0): number =>
        platformOp(g, platform.XENPF_del_memtype, platform.xenpf_del_memtype, { handle, reg }).result
      const read = (reg: number): unknown => {
        const { result, out } = platformOp(g, platform.XENPF_read_memtype, platform.xenpf_read_memtype, { reg })
        return result === 0 ? [out.mfn, out.nr_mfns, out.type] : result
      }
      expect([read(0), read(8)]).toEqual([[0n, 0n, 0], -EINVAL])
      expect(add(0xe0000n, 0x1000n, 1)).toBe(0)
      expect(add(0xe0000n, 0x100n, 1)).toBe(0)
      expect(read(0)).toEqual([0xe0000n, 0x1000n, 1])
      expect(add(0xe0000n, 0x100n, 6)).toBe(-EINVAL)
      expect(add(0xe0800n, 0x1800n, 1)).toBe(-EINVAL)
      // Uncachable goes with all.
      expect(add(0xe0000n, 0x100n, 0)).toBe(1)
      // Around both: with one of its type, which it replaces.
      expect(add(0xe0000n, 0x2000n, 1)).toBe(0)
      expect(read(0)).toEqual([0xe0000n, 0x2000n, 1])
      for (const [mfn, size, type] of [
        [1n, 2n, 1],
        [0n, 1n, 7],
        [0n, 0n, 1],
        [1n << 24n, 1n, 1],
        [2n ** 64n - 1n, 1n, 1],
      ] as const)
        expect(add(mfn, size, type)).toBe(-EINVAL)
      for (let i = 2; i < 8; i++) expect(add(BigInt(i) << 12n, 1n, 4)).toBe(i)
      expect(add(1n << 20n, 1n, 4)).toBe(-ENOSPC)
      expect([del(7), del(7), del(8), del(0xffffffff), del(6, 1)]).toEqual([0, -EINVAL, -EINVAL, -EINVAL, -EINVAL])
      expect([del(0), del(0), del(0), del(0)]).toEqual([0, 0, 0, -EINVAL])
      expect(read(0)).toEqual([0n, 0n, 0])
    })
    expect(host.serial).toContain('mtrr: base(0x1000) is not aligned on a size(0x2000) boundary')
    expect(host.serial).toContain('mtrr: type mismatch for e0000000,100000 old: write-combining new: write-back')
    expect(host.serial).toContain('mtrr: base or size exceeds the MTRR width')
    expect(host.serial).toContain('mtrr: no more MTRRs available')
    expect(host.serial).toContain('mtrr: MTRR 7 not used')
  })

  test('firmware: the disk that the BIOS knows of, its signature, no monitor', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { mem } = g.vcpu
      const cmd = platform.XENPF_firmware_info
      const at = room(g, 0)
      const ask = (type: number, index: number, edd_params = 0): ReturnType<typeof platformOp> =>
        platformOp(g, cmd, platform.xenpf_firmware_info, { type, index, edd_params })
      const drive = { sectors: 40960, cylinders: 40, heads: 16, sectorsPerTrack: 63 }
      xen.discs = { mbrSignatures: [0x12345678], eddInfos: [drive] }
      mem.fill(at, 64, 0xaa)
      mem.write16(at, 20)
      const { result, out } = ask(platform.XEN_FW_DISK_INFO, 0, at)
      expect(result).toBe(0)
      const legacy = { legacy_max_cylinder: 39, legacy_max_head: 15, legacy_sectors_per_track: 63 }
      expect(out).toMatchObject({ device: 0x80, version: 1, interface_support: 1, ...legacy })
      expect([mem.read16(at), mem.read32(at + 4), mem.read32(at + 16)]).toEqual([20, 40, 40960])
      expect(mem.read8(at + 20)).toBe(0xaa)
      const mbr = { type: platform.XEN_FW_DISK_MBR_SIGNATURE, index: 0 }
      const signature = platformOp(g, cmd, platform.xenpf_firmware_info_mbr, mbr)
      expect(signature).toMatchObject({ result: 0, out: { device: 0x80, mbr_signature: 0x12345678 } })
      expect(ask(platform.XEN_FW_DISK_INFO, 0, g.beyond).result).toBe(-EFAULT)
      for (const type of [1, 2]) expect(ask(type, 1, at).result).toBe(-ESRCH)
      expect(ask(platform.XEN_FW_VBEDDC_INFO, 0).result).toBe(-ESRCH)
      expect(ask(4, 0).result).toBe(-EINVAL)
    })
  })

  test('microcode: data are checked; the processor keeps what it has', () => {
    const host = play(function* (g) {
      yield RUN
      const { mem } = g.vcpu
      const data = room(g, 0)
      const update = (length: number, words: readonly number[]): number => {
        mem.fill(data, 4096, 0)
        for (const [i, word] of words.entries()) mem.write32(data + 4 * i, word >>> 0)
        const values = { data, length }
        return platformOp(g, platform.XENPF_microcode_update, platform.xenpf_microcode_update, values).result
      }
      const { eax: signature } = g.vcpu.cpuid(1)
      const header = (sum: number): number[] => [1, 0xb6, 0x10022008, signature, sum, 1, 1]
      const sum = -header(0).reduce((all, word) => all + word, 0)
      expect(update(0, [])).toBe(0)
      expect(update(2048, [1, 0xb6])).toBe(-EINVAL)
      expect(update(2000, header(sum))).toBe(-EINVAL)
      expect(update(2048, header(sum + 1))).toBe(-EINVAL)
      expect(update(2048, [1, 0xb6, 0, 0x6f2, 0, 1, 1])).toBe(0)
      expect(update(2048, header(sum))).toBe(0)
      const far = { data: g.beyond, length: 2048 }
      const faulty = platformOp(g, platform.XENPF_microcode_update, platform.xenpf_microcode_update, far)
      expect(faulty.result).toBe(-EFAULT)
    })
    expect(host.serial).toContain('microcode: error! Unknown microcode update format')
    expect(host.serial).toContain('microcode: error! Bad data in microcode data file')
    expect(host.serial).toContain('microcode: CPU0 aborting, bad checksum')
    expect(host.serial.match(/CPU\d updated from revision 0x0 to 0x0, date = 10022008/g)).toHaveLength(2)
  })

  test('the others', () => {
    const results: number[] = []
    const { xenpf_platform_quirk: quirk, xenpf_set_processor_pminfo: pminfo } = platform
    const host = play(function* (g) {
      yield RUN
      const ask = (cmd: number, layout: AnyStruct, values: Record<string, unknown>): void => {
        results.push(platformOp(g, cmd, layout, values).result)
      }
      for (const quirk_id of [1, 2, 3, 4]) ask(platform.XENPF_platform_quirk, quirk, { quirk_id })
      for (const type of [0, 1, 2, 3]) ask(platform.XENPF_set_processor_pminfo, pminfo, { type })
      ask(platform.XENPF_change_freq, platform.xenpf_change_freq, {})
      ask(platform.XENPF_getidletime, platform.xenpf_getidletime, {})
      ask(99, nothing, {})
      results.push(g.call(__HYPERVISOR_xsm_op, g.scratch))
    })
    expect(results).toEqual([
      ...[0, -EINVAL, 0, -EINVAL],
      ...[-ENOSYS, -ENOSYS, -ENOSYS, -EINVAL],
      ...[-ENOSYS, -ENOSYS, -ENOSYS, -ENOSYS],
    ])
    expect(host.serial).toContain('Platform quirk -- Disabling IRQ balancing/affinity.')
  })
})

describe('kexec_op', () => {
  test('says where a crash would be noted, and takes no image', () => {
    play(function* (g, { xen }) {
      yield RUN
      const op = (cmd: number, layout: AnyStruct, values: Record<string, unknown>): [number, Record<string, unknown>] =>
        g.op(__HYPERVISOR_kexec_op, cmd, layout, values) as [number, Record<string, unknown>]
      const range = (which: number, nr = 0): [number, unknown, unknown] => {
        const [result, out] = op(kexec.KEXEC_CMD_kexec_get_range, kexec.xen_kexec_range, { range: which, nr })
        return [result, out['start'], out['size']]
      }
      const { xenHeapStart, xenHeapEnd } = xen.heap
      expect(range(kexec.KEXEC_RANGE_MA_CRASH)).toEqual([0, 0n, 0n])
      const whole = BigInt(xenHeapEnd - xenHeapStart) * 4096n
      expect(range(kexec.KEXEC_RANGE_MA_XEN)).toEqual([0, BigInt(xenHeapStart) * 4096n, whole])
      const [, first, bytes] = range(kexec.KEXEC_RANGE_MA_CPU)
      const [, second, less] = range(kexec.KEXEC_RANGE_MA_CPU, 1)
      expect([bytes, less]).toEqual([484n, 404n])
      expect(first).not.toBe(second)
      expect(range(kexec.KEXEC_RANGE_MA_CPU)).toEqual([0, first, bytes])
      expect(byteString(xen.mem.copyOut(Number(first) + 12, 4))).toBe('CORE')
      expect(range(kexec.KEXEC_RANGE_MA_CPU, 2)[0]).toBe(-EINVAL)
      expect(range(kexec.KEXEC_RANGE_MA_VMCOREINFO)[2]).toBe(4096n)
      expect(range(kexec.KEXEC_RANGE_MA_XENHEAP)[0]).toBe(-EINVAL)
      const load = (cmd: number, type: number): number => op(cmd, kexec.xen_kexec_load, { type })[0]
      expect([0, 1, 2].map((type) => load(kexec.KEXEC_CMD_kexec_load, type))).toEqual([-ENOSYS, -ENOSYS, -EINVAL])
      expect([0, 1, 2].map((type) => load(kexec.KEXEC_CMD_kexec_unload, type))).toEqual([0, 0, -EINVAL])
      expect([0, 1, 2].map((type) => op(kexec.KEXEC_CMD_kexec, kexec.xen_kexec_exec, { type })[0])).toEqual([
        -ENOENT,
        -ENOENT,
        -EINVAL,
      ])
      expect(g.call(__HYPERVISOR_kexec_op, 4, g.scratch)).toBe(-EINVAL)
      expect(g.call(__HYPERVISOR_kexec_op, 3, g.beyond)).toBe(-EFAULT)
    })
  })
})

describe('mca and hvm_op', () => {
  test('nothing is known of machine checks', () => {
    play(function* (g) {
      yield RUN
      const { mem } = g.vcpu
      const { domid } = buildDomain(g)
      const at = g.scratch + mc.XEN_MC_U
      const ask = (cmd: number, layout: AnyStruct, values: Record<string, unknown>): number => {
        mem.fill(g.scratch, mc.xen_mc.size, 0xff)
        mc.xen_mc.write(mem, g.scratch, { cmd, interface_version: mc.XEN_MCA_INTERFACE_VERSION })
        layout.write(mem, at, values)
        return g.call(mc.__HYPERVISOR_mca, g.scratch)
      }
      for (const flags of [mc.XEN_MC_CORRECTABLE, mc.XEN_MC_TRAP]) {
        expect(ask(mc.XEN_MC_fetch, mc.xen_mc_fetch, { flags })).toBe(0)
        const told = mc.xen_mc_fetch.read(mem, at)
        expect(told).toEqual({ flags: mc.XEN_MC_NODATA, fetch_idx: 0, mc_info: new Uint8Array(768) })
      }
      expect(ask(mc.XEN_MC_fetch, mc.xen_mc_fetch, { flags: 2 })).toBe(-EFAULT)
      const notify = (mc_domid: number, mc_vcpuid = 0): number =>
        ask(mc.XEN_MC_notifydomain, mc.xen_mc_notifydomain, { mc_domid, mc_vcpuid })
      expect([notify(0), notify(9), notify(domid, 32), notify(domid)]).toEqual([-EACCES, -EACCES, -EACCES, 0])
      expect(mc.xen_mc_notifydomain.fields.flags.get(mem, at)).toBe(mc.XEN_MC_NOMATCH)
      expect(ask(3, nothing, {})).toBe(0)
      mem.write32(g.scratch + 4, 1)
      expect(g.call(mc.__HYPERVISOR_mca, g.scratch)).toBe(-EACCES)
    })
  })

  const refusals: readonly (readonly [string, number, AnyStruct, Record<string, number>, number])[] = [
    ['set_param', hvm.HVMOP_set_param, hvm.xen_hvm_param, { domid: 1 }, -EINVAL],
    ['get_param', hvm.HVMOP_get_param, hvm.xen_hvm_param, { domid: DOMID_SELF }, -EINVAL],
    ['get_param of nobody', hvm.HVMOP_get_param, hvm.xen_hvm_param, { domid: 9 }, -ESRCH],
    ['a param too far', hvm.HVMOP_get_param, hvm.xen_hvm_param, { domid: 9, index: 15 }, -EINVAL],
    ['intx', hvm.HVMOP_set_pci_intx_level, hvm.xen_hvm_set_pci_intx_level, { domid: 1 }, -EINVAL],
    ['intx of nobody', hvm.HVMOP_set_pci_intx_level, hvm.xen_hvm_set_pci_intx_level, { domid: DOMID_SELF }, -ESRCH],
    ['isa irq', hvm.HVMOP_set_isa_irq_level, hvm.xen_hvm_set_isa_irq_level, { domid: 9, isa_irq: 16 }, -EINVAL],
    ['pci link', hvm.HVMOP_set_pci_link_route, hvm.xen_hvm_set_pci_link_route, { domid: 9 }, -ESRCH],
    ['dirty vram', hvm.HVMOP_track_dirty_vram, hvm.xen_hvm_track_dirty_vram, { domid: 1 }, -EINVAL],
    ['modified memory', hvm.HVMOP_modified_memory, hvm.xen_hvm_modified_memory, { domid: 9 }, -ESRCH],
    ['mem type', hvm.HVMOP_set_mem_type, hvm.xen_hvm_set_mem_type, { domid: DOMID_SELF }, -EINVAL],
    ['flush with an argument', hvm.HVMOP_flush_tlbs, nothing, {}, -ENOSYS],
    ['no op', 9, nothing, {}, -ENOSYS],
  ]
  test('HVM’s are refused', () => {
    const results: unknown[] = []
    const host = play(function* (g) {
      yield RUN
      buildDomain(g)
      for (const [name, cmd, layout, values] of refusals)
        results.push([name, g.op(__HYPERVISOR_hvm_op, cmd, layout, values)[0]])
      expect(g.call(__HYPERVISOR_hvm_op, hvm.HVMOP_flush_tlbs, 0)).toBe(-EINVAL)
    })
    expect(results).toEqual(refusals.map(([name, , , , result]) => [name, result]))
    expect(host.serial).toContain('hvm.c:2692:d0 Bad HVM op 9.')
  })
})

describe('xenoprof_op', () => {
  test('buffers are shared, given back and go with the domain; there is nothing to count with', () => {
    const asked: number[] = []
    const guest = kernel(({ mem, hypercall }) => {
      const at = TEST_BASE + 8 * PAGE_SIZE
      const op = (cmd: number): number => hypercall(__HYPERVISOR_xenoprof_op, cmd, at)
      if (asked.length === 0) {
        mem.write32(at, 100_000)
        for (const cmd of [prof.XENOPROF_init, prof.XENOPROF_shutdown, prof.XENOPROF_enable_virq]) asked.push(op(cmd))
        mem.write32(at, 100_000)
        asked.push(op(prof.XENOPROF_get_buffer), op(prof.XENOPROF_get_buffer), op(16), op(prof.XENOPROF_enable_virq))
        asked.push(op(prof.XENOPROF_disable_virq))
      }
      return BLOCK
    })
    const host = play(function* (g, { xen }) {
      yield RUN
      const op = <S extends AnyStruct>(cmd: number, layout: S, values: Partial<Values<S>>): [number, Values<S>] =>
        g.op(__HYPERVISOR_xenoprof_op, cmd, layout, values)
      const plain = (cmd: number): number => op(cmd, nothing, {})[0]
      const before = books(xen)
      expect(plain(prof.XENOPROF_reserve_counters)).toBe(-EPERM)
      const [result, init] = op(prof.XENOPROF_init, prof.xenoprof_init, {})
      expect([result, init.num_events, init.is_primary]).toEqual([0, 2, 1])
      expect(byteString(init.cpu_type.subarray(0, 12))).toBe('i386/core_2\0')
      const [, buffer] = op(prof.XENOPROF_get_buffer, prof.xenoprof_get_buffer, { max_samples: 1000 })
      expect([buffer.nbuf, buffer.bufsize]).toEqual([2, 64 + 999 * 16])
      const head = prof.xenoprof_buf.read(xen.mem, Number(buffer.buf_gmaddr) + buffer.bufsize)
      expect(head).toMatchObject({ event_size: 1000, vcpu_id: 1, event_head: 0 })
      expect(op(prof.XENOPROF_get_buffer, prof.xenoprof_get_buffer, { max_samples: 1 })[0]).toBe(-EBUSY)
      g.vcpu.mem.write16(g.scratch, 0)
      expect(plain(prof.XENOPROF_set_active)).toBe(0)
      expect(plain(prof.XENOPROF_enable_virq)).toBe(0)
      for (const cmd of [5, 6, 7, 9, 10, 12]) expect(plain(cmd)).toBe(cmd === 5 ? -EBUSY : -EPERM)
      expect(plain(prof.XENOPROF_disable_virq)).toBe(0)
      expect(plain(prof.XENOPROF_disable_virq)).toBe(-EPERM)
      expect(plain(prof.XENOPROF_set_passive)).toBe(-ENOSYS)
      // Its own frames again, which it keeps.
      const [again, same] = op(prof.XENOPROF_get_buffer, prof.xenoprof_get_buffer, { max_samples: 5 })
      expect([again, same.buf_gmaddr]).toEqual([0, buffer.buf_gmaddr])
      const meanwhile = books(xen)
      const { domid } = buildDomain(g)
      domctl(g, XEN_DOMCTL_unpausedomain, domid, nothing, {})
      yield* turns(20)
      expect(xen.domains.get(domid)!.xenoprof).toMatchObject({ pages: 32, order: 5, count: 1 })
      g.vcpu.mem.write16(g.scratch, domid)
      expect(g.call(__HYPERVISOR_xenoprof_op, prof.XENOPROF_set_active, g.scratch)).toBe(0)
      expect(domctl(g, XEN_DOMCTL_destroydomain, domid, nothing, {}).result).toBe(0)
      // On the list it is not gone yet.
      expect(xen.domains.has(domid)).toBe(true)
      expect(plain(prof.XENOPROF_reset_active_list)).toBe(0)
      expect(xen.domains.has(domid)).toBe(false)
      expect(changes(meanwhile, books(xen))).toEqual([])
      expect(changes(before, meanwhile).length).toBeGreaterThan(0)
      expect(plain(prof.XENOPROF_shutdown)).toBe(0)
      expect(plain(prof.XENOPROF_shutdown)).toBe(-EPERM)
    }, loaded(guest))
    expect(asked).toEqual([0, -EPERM, -EPERM, 0, -EBUSY, -EINVAL, -EPERM, -EPERM])
    expect(host.serial).toContain('xenoprof: dom 1 denied privileged operation 13')
    expect(host.serial).toContain('xenoprof: invalid operation 16 for domain 1')
    expect(host.serial).toContain('xenoprof: operation 14 failed for dom 1 (status : -16)')
  })
})

describe('a bitmap of ports', () => {
  test('lets a kernel without IOPL touch those that it names', () => {
    play(function* (g, { xen }) {
      yield RUN
      const { mem, io } = g.vcpu
      const vcpu = xen.domains.get(0)!.vcpus[0]!
      const bitmap = room(g, 0)
      mem.fill(bitmap, 8192, 0xff)
      const set = (values: Partial<Values<typeof physdev_set_iobitmap>>): number =>
        g.op(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, physdev_set_iobitmap, values)[0]
      expect(set({ bitmap, nr_ports: 65537 })).toBe(-EINVAL)
      expect(set({ bitmap: -0x800000000000, nr_ports: 8 })).toBe(-EINVAL)
      expect(set({ bitmap, nr_ports: 0x72 })).toBe(0)
      vcpu.iopl = 0
      const seconds = (): number => {
        io.out8(0x70, 0x0a)
        return io.in8(0x71)
      }
      expect(seconds()).toBe(0xff)
      // Ports 0x70 and 0x71, of which the last is not below the limit by more than its width.
      mem.write8(bitmap + 0x0e, 0xfc)
      expect(io.in8(0x71)).toBe(0xff)
      expect(set({ bitmap, nr_ports: 0x73 })).toBe(0)
      expect(seconds()).not.toBe(0xff)
      // A bitmap that is not there forbids.
      expect(set({ bitmap: g.beyond, nr_ports: 0x73 })).toBe(0)
      expect(seconds()).toBe(0xff)
    })
  })
})
