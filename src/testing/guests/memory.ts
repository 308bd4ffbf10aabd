/** Memory: reservations, page maps, what is whose. */
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from '#abi/xen/errno.ts'
import { GNTTABOP_setup_table, gnttab_setup_table } from '#abi/xen/grant_table.ts'
import * as m from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import * as x from '#abi/xen/xen.ts'
import { type Guest, MAIN, MS, PEER, RO, RUN, RW, type TestGuest } from './kit.ts'

const memoryOp = <S extends Parameters<Guest['op']>[2]>(g: Guest, command: number, layout: S, values: object) =>
  g.op(x.__HYPERVISOR_memory_op, command, layout, values as never)

/** A reservation whose list is `list`, or room for `count`: the result, and the list afterwards. */
function reserve(g: Guest, command: number, list: readonly number[], more: object = {}): [number, number[]] {
  const at = g.at + 256
  for (const [i, entry] of list.entries()) g.mem.write64(at + 8 * i, BigInt(entry))
  const values = { extent_start: at, nr_extents: BigInt(list.length), domid: x.DOMID_SELF, ...more }
  const { result } = memoryOp(g, command, m.xen_memory_reservation, values)
  return [result, list.map((_, i) => g.mem.read32(at + 8 * i))]
}

const domain = (g: Guest, command: number, domid = x.DOMID_SELF): number => {
  g.mem.write16(g.at, domid)
  return g.call(x.__HYPERVISOR_memory_op, command, g.at)
}
const owns = (g: Guest): number => domain(g, m.XENMEM_current_reservation)

export const memory: Readonly<Record<string, TestGuest>> = {
  balloon: {
    shows: 'a frame that is given up is gone, comes back cleared, and never more of them than the domain may have',
    *main(g) {
      const pages = owns(g)
      g.is(pages, g.pages, 'current_reservation')
      g.is(domain(g, m.XENMEM_maximum_reservation), pages, 'maximum_reservation')
      const va = g.page(5)
      const mfn = g.frameOf(va)
      g.mem.write32(va, 0xdeadbeef)
      g.is(g.unmap(va), 0, 'unmap')
      g.faults(() => g.mem.read8(va), 'what is not mapped')
      g.is(reserve(g, m.XENMEM_decrease_reservation, [mfn])[0], 1, 'decrease_reservation')
      g.is(owns(g), pages - 1, 'pages afterwards')
      g.is(g.map(va, mfn), -EINVAL, 'mapping a frame that was given up')
      const [got, [back]] = reserve(g, m.XENMEM_populate_physmap, [5])
      g.is(got, 1, 'populate_physmap')
      g.is(g.map(va, back!), 0, 'map')
      g.is(g.mem.read32(va), 0, 'what a new frame holds')
      g.is(reserve(g, m.XENMEM_populate_physmap, [6])[0], 0, 'one more than it may have')
      g.is(reserve(g, m.XENMEM_increase_reservation, [0])[0], 0, 'one more than it may have')
      yield RUN
    },
  },
  'balloon-increase': {
    shows: 'increase_reservation gives frames without a place, and says which',
    *main(g) {
      const mfn = g.frameOf(g.page(6))
      g.unmap(g.page(6))
      g.is(reserve(g, m.XENMEM_decrease_reservation, [mfn, 0xffffff])[0], 1, 'decrease_reservation of one that is none')
      const [got, [back]] = reserve(g, m.XENMEM_increase_reservation, [0])
      g.is(got, 1, 'increase_reservation')
      g.is(g.map(g.window(0), back!), 0, 'map')
      g.is(reserve(g, m.XENMEM_increase_reservation, [0], { extent_order: 3 })[0], 0, 'more than a page at a time')
      g.is(reserve(g, m.XENMEM_decrease_reservation, [back!], { domid: PEER })[0], 0, 'for another domain')
      yield RUN
    },
  },
  exchange: {
    shows: 'a frame is exchanged for another one, which takes its place',
    *main(g) {
      const va = g.page(7)
      const old = g.frameOf(va)
      g.unmap(va)
      const [ins, outs] = [g.at + 256, g.at + 512]
      g.mem.write64(ins, BigInt(old))
      g.mem.write64(outs, 77n)
      const half = { nr_extents: 1n, extent_order: 0, mem_flags: 0, domid: x.DOMID_SELF }
      g.mem.fill(g.at, m.xen_memory_exchange.size, 0)
      m.xen_memory_reservation.write(g.mem, g.at, { ...half, extent_start: ins })
      m.xen_memory_reservation.write(g.mem, g.at + m.XEN_MEMORY_EXCHANGE_OUT, { ...half, extent_start: outs })
      g.is(g.call(x.__HYPERVISOR_memory_op, m.XENMEM_exchange, g.at), 0, 'exchange')
      g.is(m.xen_memory_exchange.read(g.mem, g.at).nr_exchanged, 1n, 'nr_exchanged')
      g.is(g.map(va, old), -EINVAL, 'mapping the old one')
      g.is(g.map(va, g.mem.read32(outs)), 0, 'mapping the new one')
      g.is(owns(g), g.pages, 'pages')
      m.xen_memory_reservation.fields.nr_extents.set(g.mem, g.at, 2n)
      g.is(g.call(x.__HYPERVISOR_memory_op, m.XENMEM_exchange, g.at), -EINVAL, 'two for one')
      yield RUN
    },
  },
  'memory-figures': {
    shows: 'what a domain may ask of memory, of itself alone',
    *main(g) {
      g.ok(g.call(x.__HYPERVISOR_memory_op, m.XENMEM_maximum_ram_page, 0) > 0x8000, 'maximum_ram_page')
      const max = x.shared_info.fields.max_pfn
      max.set(g.mem, g.shared, 1000n)
      g.is(domain(g, m.XENMEM_maximum_gpfn), 999, 'maximum_gpfn')
      for (const command of [m.XENMEM_current_reservation, m.XENMEM_maximum_reservation, m.XENMEM_maximum_gpfn]) {
        g.is(domain(g, command, 0), -EPERM, 'of dom0')
        g.is(domain(g, command, 99), -ESRCH, 'of nobody')
      }
      const { result, out } = memoryOp(g, m.XENMEM_machphys_mapping, m.xen_machphys_mapping, {})
      g.is(result, 0, 'machphys_mapping')
      g.is(out.v_start, x.HYPERVISOR_VIRT_START, 'v_start')
      g.is(g.call(x.__HYPERVISOR_memory_op, 63, g.at), -ENOSYS, 'no command')
      g.is(
        g.call(x.__HYPERVISOR_memory_op, m.XENMEM_current_reservation, g.window(0)),
        -EFAULT,
        'a struct that is not there',
      )
      yield RUN
    },
  },
  'memory-maps': {
    shows: 'the maps of memory: its own once it has one, the host’s for dom0 alone; and what a PV guest has no use for',
    *main(g) {
      g.is(memoryOp(g, m.XENMEM_memory_map, m.xen_memory_map, {}).result, -ENOSYS, 'memory_map')
      g.is(
        memoryOp(g, m.XENMEM_machine_memory_map, m.xen_memory_map, { nr_entries: 128, buffer: g.page(1) }).result,
        -EINVAL,
        'machine_memory_map',
      )
      const self = { domid: x.DOMID_SELF }
      g.ok(memoryOp(g, m.XENMEM_add_to_physmap, m.xen_add_to_physmap, self).result < 0, 'add_to_physmap')
      g.is(
        memoryOp(g, m.XENMEM_translate_gpfn_list, m.xen_translate_gpfn_list, self).result,
        -EINVAL,
        'translate_gpfn_list',
      )
      g.ok(memoryOp(g, m.XENMEM_set_memory_map, m.xen_foreign_memory_map, { domid: 0 }).result < 0, 'set_memory_map')
      const list = memoryOp(g, m.XENMEM_machphys_mfn_list, m.xen_machphys_mfn_list, {
        max_extents: 4,
        extent_start: g.page(2),
      })
      g.is(list.result, 0, 'machphys_mfn_list')
      g.ok(list.out.nr_extents > 0, 'frames of the M2P')
      yield RUN
    },
  },
  'memory-maps-dom0': {
    shows: 'dom0 reads the host’s map, and gives a domain its own',
    dom0: true,
    *main(g) {
      const { result, out } = memoryOp(g, m.XENMEM_machine_memory_map, m.xen_memory_map, {
        nr_entries: 128,
        buffer: g.page(1),
      })
      g.is(result, 0, 'machine_memory_map')
      g.ok(out.nr_entries > 2, 'entries')
      m.e820entry.write(g.mem, g.page(1), { addr: 0n, size: 0x2000000n, type: 1 })
      const map = { domid: PEER, nr_entries: 1, buffer: g.page(1) }
      g.is(memoryOp(g, m.XENMEM_set_memory_map, m.xen_foreign_memory_map, map).result, 0, 'set_memory_map')
      g.is(
        memoryOp(g, m.XENMEM_set_memory_map, m.xen_foreign_memory_map, { ...map, domid: 99 }).result,
        -ESRCH,
        'of nobody',
      )
      yield* g.sleep(10 * MS)
    },
    *peer(g) {
      const values = { nr_entries: 4, buffer: g.page(1) }
      yield* g.until(() => memoryOp(g, m.XENMEM_memory_map, m.xen_memory_map, values).result === 0, 'memory_map')
      g.is(m.e820entry.read(g.mem, g.page(1)).size, 0x2000000n, 'its map')
    },
  },
  'map-rights': {
    shows: 'the page map has the rights that it was given, and neither tables nor Xen’s addresses are written',
    *main(g) {
      const mfn = g.frameOf(g.page(4))
      g.is(g.map(g.window(1), mfn, RO), 0, 'a read-only mapping')
      g.mem.write32(g.page(4), 1234)
      g.is(g.mem.read32(g.window(1)), 1234, 'what is read through it')
      g.faults(() => g.mem.write8(g.window(1), 1), 'writing what is read-only')
      const table = g.frameOf(-0x80000000)
      g.is(g.map(g.window(2), table, RW), -EINVAL, 'a page table, writable')
      g.is(g.map(g.window(2), table, RO), 0, 'a page table, read-only')
      g.faults(() => g.mem.write8(-0x80000000, 1), 'writing a page table')
      g.is(g.map(x.HYPERVISOR_VIRT_START, mfn), -EINVAL, 'an address of Xen’s')
      g.faults(() => g.mem.read8(x.HYPERVISOR_VIRT_START), 'the M2P table')
      g.faults(() => g.mem.write8(x.HYPERVISOR_VIRT_START, 0), 'writing the M2P table')
      g.is(g.map(2 ** 47, mfn), -EINVAL, 'no canonical address')
      g.is(g.map(g.window(1), mfn, RW | 0x10), -EINVAL, 'uncached')
      yield RUN
    },
  },
  'map-foreign': {
    shows: 'no frame of another’s, of Xen’s or of the hardware is mapped, written or given up',
    *main(g) {
      yield* g.sleep(3 * MS)
      g.is(g.mem.read32(g.page(1)), 0, 'its memory')
    },
    *peer(g) {
      // Domain 1 was built just before: its frames are near by. Its own it knows.
      const own = new Set(Array.from({ length: g.pages }, (_, pfn) => g.frameOf(-0x80000000 + pfn * PAGE_SIZE)))
      const first = Math.min(...own)
      // What Xen shares with it is among them too.
      own.add(x.start_info.fields.shared_info.get(g.mem, g.vcpu.startInfo) / PAGE_SIZE)
      const { frame_list } = g.grant(GNTTABOP_setup_table, gnttab_setup_table, {
        dom: x.DOMID_SELF,
        nr_frames: 4,
        frame_list: g.at + 64,
      }).out
      for (let i = 0; i < 4; i++) own.add(g.mem.read32(frame_list + 8 * i))
      const others = [0, 0xb8, 0x100, 0x4000, 0xffff, 0xfec00, 0xfffffff]
      for (let mfn = first - 40; mfn < first + 80; mfn++) if (!own.has(mfn)) others.push(mfn)
      for (const mfn of others) {
        g.is(g.map(g.window(1), mfn), -EINVAL, `frame ${mfn.toString(16)}, to be written`)
        g.is(g.map(g.window(1), mfn, RO), -EINVAL, `frame ${mfn.toString(16)}, to be read`)
        g.is(reserve(g, m.XENMEM_decrease_reservation, [mfn])[0], 0, `giving up frame ${mfn.toString(16)}`)
      }
      for (const domid of [0, MAIN, x.DOMID_IO, x.DOMID_XEN]) {
        const other = g.call(
          x.__HYPERVISOR_update_va_mapping_otherdomain,
          g.window(1),
          (first - 1) * PAGE_SIZE + RW,
          0,
          domid,
        )
        g.ok(other < 0, `update_va_mapping_otherdomain of ${domid}`)
      }
      g.is(
        g.call(x.__HYPERVISOR_update_va_mapping_otherdomain, g.window(1), first * PAGE_SIZE + RO, 0, x.DOMID_SELF),
        0,
        'its own',
      )
      yield RUN
    },
  },
  'mmu-update': {
    shows: 'mmu_update writes the M2P of one’s own frames and their words, and nobody else’s',
    *main(g) {
      const mfn = g.frameOf(g.page(4))
      const one = (ptr: number, val: bigint, domid = x.DOMID_SELF): number => {
        g.put(x.mmu_update, { ptr: BigInt(ptr), val })
        return g.call(x.__HYPERVISOR_mmu_update, g.at, 1, g.at + 64, domid)
      }
      g.is(one(mfn * PAGE_SIZE + x.MMU_MACHPHYS_UPDATE, 123n), 0, 'MMU_MACHPHYS_UPDATE')
      g.is(g.mem.read32(g.at + 64), 1, 'updates that were done')
      g.is(one(mfn * PAGE_SIZE + 8 + x.MMU_NORMAL_PT_UPDATE, 0x1234n), 0, 'MMU_NORMAL_PT_UPDATE')
      g.is(g.mem.read32(g.page(4) + 8), 0x1234, 'the word')
      g.is(one(mfn * PAGE_SIZE + 16 + x.MMU_PT_UPDATE_PRESERVE_AD, 0x5678n), 0, 'MMU_PT_UPDATE_PRESERVE_AD')
      g.is(one(0x4000 * PAGE_SIZE + x.MMU_MACHPHYS_UPDATE, 1n), -EINVAL, 'the M2P of another’s frame')
      g.is(one(0x4000 * PAGE_SIZE, 1n), -EINVAL, 'a word of another’s frame')
      g.is(g.mem.read32(g.at + 64), 0, 'updates that were done')
      g.is(one(mfn * PAGE_SIZE + 5, 1n), -ENOSYS, 'no command')
      g.ok(one(mfn * PAGE_SIZE, 1n, 0) < 0, 'for dom0')
      g.is(g.call(x.__HYPERVISOR_mmu_update, g.window(0), 1, 0, x.DOMID_SELF), -EFAULT, 'a list that is not there')
      g.is(g.call(x.__HYPERVISOR_mmu_update, g.at, 0, 0, x.DOMID_SELF), 0, 'none')
      yield RUN
    },
  },
  mmuext: {
    shows: 'what a module vCPU may ask of tables and caches: pins by type, flushes that have nothing to do, an LDT',
    *main(g) {
      const ext = (cmd: number, arg1: number | bigint = 0, arg2: number | bigint = 0): number => {
        g.put(x.mmuext_op, { cmd, arg1: BigInt(arg1), arg2: BigInt.asUintN(64, BigInt(arg2)) })
        return g.call(x.__HYPERVISOR_mmuext_op, g.at, 1, 0, x.DOMID_SELF)
      }
      const root = g.frameOf(-0x80000000)
      for (const cmd of [x.MMUEXT_TLB_FLUSH_LOCAL, x.MMUEXT_INVLPG_LOCAL, x.MMUEXT_TLB_FLUSH_ALL, x.MMUEXT_INVLPG_ALL])
        g.is(ext(cmd, g.page(1)), 0, `flush ${cmd}`)
      g.mem.write64(g.page(1), 1n)
      for (const cmd of [x.MMUEXT_TLB_FLUSH_MULTI, x.MMUEXT_INVLPG_MULTI]) {
        g.is(ext(cmd, 0, g.page(1)), 0, `flush ${cmd}`)
        g.is(ext(cmd, 0, g.window(0)), -EINVAL, 'a set of vCPUs that is not there')
      }
      g.is(ext(x.MMUEXT_FLUSH_CACHE), -EINVAL, 'FLUSH_CACHE')
      g.is(ext(x.MMUEXT_PIN_L4_TABLE, root), -EINVAL, 'a root that is pinned')
      g.is(ext(x.MMUEXT_PIN_L4_TABLE, 0x4000), -EINVAL, 'another’s root')
      const tables = [g.page(4), g.page(5), g.page(6)]
      for (const va of tables) {
        const mfn = g.frameOf(va)
        g.mem.fill(va, PAGE_SIZE, 0)
        g.is(ext(x.MMUEXT_PIN_L1_TABLE + tables.indexOf(va), mfn), -EINVAL, 'a table that is writable')
        g.is(g.map(va, mfn, RO), 0, 'read-only')
        g.is(ext(x.MMUEXT_PIN_L1_TABLE + tables.indexOf(va), mfn), 0, `PIN_L${tables.indexOf(va) + 1}_TABLE`)
        g.is(g.map(va, mfn), -EINVAL, 'writing a pinned table')
        g.is(ext(x.MMUEXT_UNPIN_TABLE, mfn), 0, 'UNPIN_TABLE')
        g.is(g.map(va, mfn), 0, 'writing it again')
      }
      g.is(ext(x.MMUEXT_UNPIN_TABLE, g.frameOf(tables[0]!)), -EINVAL, 'unpinning what is not pinned')
      g.is(ext(x.MMUEXT_NEW_BASEPTR, root), 0, 'NEW_BASEPTR of the same')
      g.is(ext(x.MMUEXT_NEW_BASEPTR, g.frameOf(tables[0]!)), -EINVAL, 'NEW_BASEPTR of another')
      g.is(ext(x.MMUEXT_NEW_USER_BASEPTR, 0), 0, 'NEW_USER_BASEPTR of none')
      g.is(ext(x.MMUEXT_SET_LDT, g.page(3), 0), 0, 'SET_LDT of none')
      g.is(ext(x.MMUEXT_SET_LDT, g.page(3) + 8, 10), -EINVAL, 'SET_LDT of what is not aligned')
      g.is(ext(60), -ENOSYS, 'no command')
      yield RUN
    },
  },
  multicall: {
    shows: 'a list of calls is made in order, each with its result; what cannot be in a list says so',
    *main(g) {
      const call = (i: number, op: number, ...args: number[]): void => {
        const at = g.at + i * x.multicall_entry.size
        g.put(x.multicall_entry, { op: BigInt(op) }, at)
        for (const [n, arg] of args.entries())
          g.mem.write64(at + x.MULTICALL_ARGS + 8 * n, BigInt.asUintN(64, BigInt(arg)))
      }
      const result = (i: number): number => g.mem.read32(g.at + i * x.multicall_entry.size + 8) | 0
      const mfn = g.frameOf(g.page(4))
      call(0, x.__HYPERVISOR_update_va_mapping, g.window(1), mfn * PAGE_SIZE + RW, 0)
      call(1, x.__HYPERVISOR_xen_version, 0, 0)
      call(2, 63)
      call(3, x.__HYPERVISOR_multicall, g.at, 1)
      g.mem.write32(g.page(4), 4711)
      g.is(g.call(x.__HYPERVISOR_multicall, g.at, 4), 0, 'multicall')
      g.is(result(0), 0, 'update_va_mapping')
      g.is(g.mem.read32(g.window(1)), 4711, 'what it has mapped')
      g.is(result(1), 0x30003, 'xen_version')
      g.is(result(2), -ENOSYS, 'no hypercall')
      g.is(result(3), -EINVAL, 'a list in a list')
      g.is(g.call(x.__HYPERVISOR_multicall, g.window(0), 1), -EFAULT, 'a list that is not there')
      yield RUN
    },
  },
  'vm-assist': {
    shows: 'assists are switched on and off, those that there are',
    *main(g) {
      for (let type = 0; type <= x.MAX_VMASST_TYPE; type++) {
        g.is(g.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, type), 0, `enable ${type}`)
        g.is(g.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_disable, type), 0, `disable ${type}`)
      }
      g.is(g.call(x.__HYPERVISOR_vm_assist, x.VMASST_CMD_enable, x.MAX_VMASST_TYPE + 1), -EINVAL, 'no assist')
      g.is(g.call(x.__HYPERVISOR_vm_assist, 2, 0), -ENOSYS, 'no command')
      yield RUN
    },
  },
}
