import { describe, expect, test } from 'vitest'
import { EFAULT, EINVAL, ENOSYS, ESRCH } from '#abi/xen/errno.ts'
import {
  e820entry,
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_machine_memory_map,
  XENMEM_machphys_mapping,
  XENMEM_maximum_ram_page,
  XENMEM_maximum_reservation,
  XENMEM_memory_map,
  XENMEM_populate_physmap,
  xen_memory_map,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_memory_op, __HYPERVISOR_update_va_mapping, DOMID_SELF, start_info } from '#abi/xen/xen.ts'
import { ask, scriptHost } from '#testing/xen-domain.ts'
import { pte, RUN, type ScriptGuest } from '#testing/xen-script.ts'

/** Frame of the domain's `n`th page behind the boot region: its own, and mapped nowhere. */
const spare = (g: ScriptGuest, n: number): number => {
  const { mem, startInfo } = g.vcpu
  const pfn = (g.beyond + 0x80000000) / PAGE_SIZE + n
  return mem.read32(start_info.fields.mfn_list.get(mem, startInfo) + 8 * pfn)
}
const map = (g: ScriptGuest, va: number, entry: number, flags = 0): number =>
  g.call(__HYPERVISOR_update_va_mapping, va, entry, flags)

describe('memory_op', () => {
  test('the balloon: down, the frames are free; up again, they are the domain’s', () => {
    let figures: number[] = []
    const host = scriptHost(function* (g) {
      const { mem } = g.vcpu
      const list = g.scratch + 1024
      const reserve = (command: number, count: number): number => {
        xen_memory_reservation.write(mem, g.scratch, {
          extent_start: list,
          nr_extents: BigInt(count),
          extent_order: 0,
          mem_flags: 0,
          domid: DOMID_SELF,
        })
        return g.call(__HYPERVISOR_memory_op, command, g.scratch)
      }
      const current = (): number => {
        mem.write16(g.scratch, DOMID_SELF)
        return g.call(__HYPERVISOR_memory_op, XENMEM_current_reservation, g.scratch)
      }
      figures.push(current())
      for (let i = 0; i < 100; i++) mem.write64(list + 8 * i, BigInt(spare(g, i)))
      // One of them is still mapped: it goes when the mapping goes.
      map(g, g.beyond, pte(spare(g, 50)))
      figures.push(reserve(XENMEM_decrease_reservation, 100), current())
      map(g, g.beyond, 0)
      figures.push(current())
      // Given away already.
      figures.push(reserve(XENMEM_decrease_reservation, 1))
      for (let i = 0; i < 100; i++) mem.write64(list + 8 * i, BigInt(5000 + i))
      figures.push(reserve(XENMEM_populate_physmap, 100), current())
      figures.push(map(g, g.beyond, Number(mem.read64(list)) * PAGE_SIZE + 0x67))
      figures.push(mem.read32(g.beyond))
      yield RUN
    })
    const free = host.xen.heap.availDomHeapPages()
    host.runFor(1e9)
    expect(figures).toEqual([16384, 100, 16285, 16284, 0, 100, 16384, 0, figures[8]])
    expect(host.xen.heap.availDomHeapPages()).toBe(free)
    expect(host.serial).toMatch(/memory\.c:158:d0 Bad page free for domain 0/)
    figures = []
  })

  test('what it says and what it refuses', () => {
    const seen = ask(function* (g) {
      const { mem } = g.vcpu
      const op = (command: number, pointer = g.scratch): number => g.call(__HYPERVISOR_memory_op, command, pointer)
      const domid = (command: number, dom: number): number => {
        mem.write16(g.scratch, dom)
        return op(command)
      }
      const reserve = (values: Partial<ReturnType<typeof xen_memory_reservation.read>>): number => {
        xen_memory_reservation.write(mem, g.scratch, {
          extent_start: g.scratch + 1024,
          nr_extents: 1n,
          extent_order: 0,
          mem_flags: 0,
          domid: DOMID_SELF,
          ...values,
        })
        return op(XENMEM_populate_physmap)
      }
      xen_memory_map.write(mem, g.scratch, { nr_entries: 128, buffer: g.beyond })
      const bufferNowhere = op(XENMEM_machine_memory_map)
      map(g, g.beyond, pte(spare(g, 0)))
      const machineMap = op(XENMEM_machine_memory_map)
      const entries = mem.read32(g.scratch)
      const first = e820entry.read(mem, g.beyond)
      xen_memory_map.write(mem, g.scratch, { nr_entries: 3, buffer: g.beyond })
      yield RUN
      return {
        bufferNowhere,
        machineMap,
        entries,
        first,
        tooFew: op(XENMEM_machine_memory_map),
        memoryMap: op(XENMEM_memory_map),
        maximumRamPage: op(XENMEM_maximum_ram_page, 0),
        maximum: domid(XENMEM_maximum_reservation, DOMID_SELF),
        nobody: domid(XENMEM_maximum_reservation, 9),
        nowhere: op(XENMEM_current_reservation, 0x1000),
        m2p: op(XENMEM_machphys_mapping, 0x1000),
        listNowhere: reserve({ extent_start: 0x1000 }),
        reservationNowhere: op(XENMEM_populate_physmap, 0x1000),
        tooManyBits: reserve({ mem_flags: 12 }),
        blockTooLarge: reserve({ extent_order: 40 }),
        foreign: reserve({ domid: 77 }),
        unknown: op(40),
      }
    })
    expect(seen).toEqual({
      bufferNowhere: -EFAULT,
      machineMap: 0,
      entries: 10,
      first: { addr: 0n, size: 0x9fc00n, type: 1 },
      tooFew: -EINVAL,
      memoryMap: -ENOSYS,
      maximumRamPage: seen.maximumRamPage,
      maximum: -1,
      nobody: -ESRCH,
      nowhere: -EFAULT,
      m2p: -EFAULT,
      listNowhere: 0,
      reservationNowhere: 0,
      tooManyBits: 0,
      blockTooLarge: 0,
      foreign: 0,
      unknown: -ENOSYS,
    })
    expect(seen.maximumRamPage).toBeGreaterThan(65000)
  })
})
