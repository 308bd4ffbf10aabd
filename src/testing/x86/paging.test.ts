/** Page tables of an x86 guest: what it may write into them and how, and that what it may not reach it does not reach (hypercall-abi.md 9; mm.c of 3.3). */
import { describe, expect, test } from 'vitest'
import { RAX, RCX, RDX, RSP } from '#abi/pc/ring3.ts'
import { EINVAL, EPERM } from '#abi/xen/errno.ts'
import { XENMEM_decrease_reservation } from '#abi/xen/memory.ts'
import { SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_vm_assist,
  DOMID_SELF,
  MMU_NORMAL_PT_UPDATE,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_PIN_L1_TABLE,
  MMUEXT_UNPIN_TABLE,
  UVMF_INVLPG,
  VMASST_CMD_enable,
  VMASST_TYPE_writable_pagetables,
} from '#abi/xen/xen.ts'
import { complaints } from '../fuzz/invariants.ts'
import { R12, R13, R14 } from './assembler.ts'
import { X86Host } from './dom0.ts'
import type { Kernel } from './kernel.ts'
import { ACCESSED, DIRTY, entryOf, NX, PFN, PRESENT, RW, slot, USER, va } from './layout.ts'
import { SmallGuest, type SmallGuestOptions } from './small-guest.ts'

const x86 = new X86Host()
const run = (
  write: (kernel: Kernel, mfns: readonly number[]) => unknown,
  options: SmallGuestOptions = {},
): SmallGuest => {
  const guest = new SmallGuest(x86, write, options).run()
  expect(complaints(x86.host.xen)).toEqual([])
  return guest
}

const SCRATCH = va(PFN.data)
const CR2 = va(PFN.sharedInfo, 16)
/** Nothing is mapped there, but the table is. */
const HOLE = va(40)
const HOLE_ENTRY = va(PFN.l1, slot(HOLE, 1) * 8)
const LEAF = PRESENT | RW | USER | ACCESSED | DIRTY
const signed = (word: bigint): number => Number(BigInt.asIntN(64, word))

/** A page fault counts in R13, leaves address and code, and goes on at R14. */
const faultHandler = (k: Kernel): Kernel => k.traps([14, 0, 'pf']).set(R13, 0)
const writeFaultHandler = (k: Kernel): Kernel =>
  k
    .label('pf')
    .aluImm('add', R13, 1)
    .load(RDX, RSP, 16)
    .save('code', RDX)
    .peek(CR2)
    .save('cr2')
    .pop(RCX)
    .pop(RCX)
    .pop(RCX)
    .store(RSP, 0, R14)
    .iret()

const writablePageTables = (k: Kernel): Kernel =>
  k.hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables)

const mmuUpdate = (k: Kernel, name: string, table: number, index: number, entry: bigint): Kernel =>
  k
    .poke(SCRATCH, BigInt(table * PAGE_SIZE + index * 8 + MMU_NORMAL_PT_UPDATE))
    .poke(SCRATCH + 8n, entry)
    .hypercall(__HYPERVISOR_mmu_update, SCRATCH, 1, 0, DOMID_SELF)
    .save(name)
const mmuext = (k: Kernel, name: string, cmd: number, mfn: number): Kernel =>
  k
    .poke(SCRATCH, cmd)
    .poke(SCRATCH + 8n, mfn)
    .hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, DOMID_SELF)
    .save(name)

describe('writing page tables', () => {
  test('by mov, xchg and cmpxchg to the table itself: Xen validates and emulates', () => {
    const g = run((k, mfns) => {
      faultHandler(k).set(R14, 'bad')
      writablePageTables(k)
      const entry = (pfn: number): bigint => entryOf(mfns[pfn]!, LEAF)
      k.set(R12, HOLE_ENTRY).poke(HOLE_ENTRY, entry(PFN.spare)).poke(HOLE, 0x111).peek(va(PFN.spare)).save('mov')
      k.set(RAX, entry(PFN.spare + 1))
        .xchg(R12, 0, RAX)
        .save('old')
      k.poke(SCRATCH, MMUEXT_INVLPG_LOCAL).poke(SCRATCH + 8n, HOLE)
      k.hypercall(__HYPERVISOR_mmuext_op, SCRATCH, 1, 0, DOMID_SELF).save('invlpg')
      k.poke(HOLE, 0x222)
        .peek(va(PFN.spare + 1))
        .save('xchg')
      // Not equal: the entry comes into RAX. Equal: the new one comes into the table.
      k.set(RAX, 0x77).set(RDX, 0).cmpxchg(R12, 0, RDX).save('seen')
      k.set(RDX, 0).cmpxchg(R12, 0, RDX).peek(HOLE_ENTRY).save('gone').save('faults', R13).powerOff()
      k.label('bad').powerOff()
      writeFaultHandler(k)
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(g.results('mov', 'xchg', 'gone', 'faults')).toEqual([0x111n, 0x222n, 0n, 0n])
    expect(g.result('old') >> 12n).toBe(BigInt(g.mfns[PFN.spare]!))
    expect(g.result('seen') >> 12n).toBe(BigInt(g.mfns[PFN.spare + 1]!))
  })

  test('what may not be mapped is a page fault for whoever writes it there', () => {
    const g = run((k, mfns) => {
      faultHandler(k)
      writablePageTables(k)
      k.set(R14, 'one')
        .poke(HOLE_ENTRY, entryOf(mfns[PFN.l2]!, LEAF))
        .label('one')
        .save('cr2One', R13)
        .peek(HOLE_ENTRY)
        .save('after')
      k.set(R14, 'two').poke(HOLE, 1).label('two').save('faults', R13).powerOff()
      writeFaultHandler(k)
    })
    expect(g.results('cr2One', 'faults', 'after')).toEqual([1n, 2n, 0n])
    expect(g.results('code', 'cr2')).toEqual([2n, HOLE])
  })

  test('by update_va_mapping with NX: all 64 bits count', () => {
    const g = run((k, mfns) => {
      faultHandler(k)
      const entry = entryOf(mfns[PFN.spare]!, LEAF | NX)
      k.poke(va(PFN.spare), 0xc3).hypercall(__HYPERVISOR_update_va_mapping, HOLE, entry, UVMF_INVLPG).save('set')
      k.peek(HOLE_ENTRY).save('entry').peek(HOLE).save('read')
      k.set(R14, 'back').set(R12, HOLE).callReg(R12).label('back').save('faults', R13).powerOff()
      writeFaultHandler(k)
    })
    expect(g.results('set', 'read', 'faults')).toEqual([0n, 0xc3n, 1n])
    expect(g.result('entry') >> 63n).toBe(1n)
    // Present, an instruction fetch.
    expect(g.results('code', 'cr2')).toEqual([0x11n, HOLE])
  })

  test('what is mapped read-only is not written', () => {
    const g = run((k, mfns) => {
      faultHandler(k)
      k.hypercall(__HYPERVISOR_update_va_mapping, HOLE, entryOf(mfns[PFN.spare]!, LEAF & ~RW), UVMF_INVLPG)
      k.set(R14, 'back').poke(HOLE, 5).label('back').save('faults', R13).peek(HOLE).save('word').powerOff()
      writeFaultHandler(k)
    })
    expect(g.results('faults', 'code', 'cr2', 'word')).toEqual([1n, 3n, HOLE, 0n])
  })
})

test('without the assist that makes them writable, a table is as read-only as it looks', () => {
  const g = run((k, mfns) => {
    faultHandler(k)
    k.set(R14, 'back').poke(HOLE_ENTRY, entryOf(mfns[PFN.spare]!, LEAF)).label('back').save('faults', R13).powerOff()
    writeFaultHandler(k)
  })
  expect(g.results('faults', 'code', 'cr2')).toEqual([1n, 3n, HOLE_ENTRY])
})

describe('what mmu_update refuses, nobody can reach', () => {
  test('frames of others, tables made writable, tables of the wrong level, large pages', () => {
    const foreign = x86.host.xen.heap.frames.owner.indexOf(0, 0x1000)
    const g = run((k, mfns) => {
      faultHandler(k)
      const index = slot(HOLE, 1)
      const l1 = mfns[PFN.l1]!
      mmuUpdate(k, 'foreign', l1, index, entryOf(foreign, LEAF))
      mmuUpdate(k, 'xen', l1, index, entryOf(x86.host.xen.heap.xenHeapStart, LEAF))
      mmuUpdate(k, 'none', l1, index, entryOf(0xfffffff, LEAF))
      mmuUpdate(k, 'table', l1, index, entryOf(mfns[PFN.l1]!, LEAF))
      mmuUpdate(k, 'level', mfns[PFN.l2]!, 100, entryOf(mfns[PFN.l3]!, LEAF))
      mmuUpdate(k, 'large', mfns[PFN.l2]!, 100, entryOf(mfns[PFN.spare]! & ~511, LEAF | 0x80n))
      mmuUpdate(k, 'data', mfns[PFN.l2]!, 100, entryOf(mfns[PFN.spare]!, LEAF))
      mmuUpdate(k, 'xenSlot', mfns[PFN.l4]!, 256, entryOf(mfns[PFN.l3]!, LEAF))
      k.set(R14, 'back').peek(HOLE).label('back').save('faults', R13).powerOff()
      writeFaultHandler(k)
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    const refused = ['foreign', 'xen', 'none', 'table', 'level', 'large', 'data', 'xenSlot']
    for (const name of refused) expect([name, [-EINVAL, -EPERM].includes(signed(g.result(name)))]).toEqual([name, true])
    expect(g.results('faults', 'cr2')).toEqual([1n, HOLE])
  })

  test('a table of its own can be pinned when nobody maps it writable, and not before', () => {
    const g = run((k, mfns) => {
      const table = PFN.spare + 1
      mmuext(k, 'before', MMUEXT_PIN_L1_TABLE, mfns[table]!)
      k.hypercall(__HYPERVISOR_update_va_mapping, va(table), entryOf(mfns[table]!, LEAF & ~RW), UVMF_INVLPG)
      mmuext(k, 'after', MMUEXT_PIN_L1_TABLE, mfns[table]!)
      k.hypercall(__HYPERVISOR_update_va_mapping, HOLE, entryOf(mfns[table]!, LEAF), UVMF_INVLPG).save('writable')
      mmuUpdate(k, 'linked', mfns[PFN.l2]!, 100, entryOf(mfns[table]!, LEAF))
      mmuUpdate(k, 'leaf', mfns[table]!, 7, entryOf(mfns[PFN.spare]!, LEAF))
      k.poke(va(512 * 100 + 7), 0xabc)
        .peek(va(PFN.spare))
        .save('through')
      mmuUpdate(k, 'unlinked', mfns[PFN.l2]!, 100, 0n)
      mmuext(k, 'unpinned', MMUEXT_UNPIN_TABLE, mfns[table]!)
      k.hypercall(__HYPERVISOR_update_va_mapping, HOLE, entryOf(mfns[table]!, LEAF), UVMF_INVLPG)
        .save('again')
        .powerOff()
    })
    expect(g.ending).toBe(SHUTDOWN_poweroff)
    expect(
      ['before', 'after', 'writable', 'linked', 'leaf', 'unlinked', 'unpinned', 'again'].map((name) =>
        signed(g.result(name)),
      ),
    ).toEqual([-EINVAL, 0, -EINVAL, 0, 0, 0, 0, 0])
    expect(g.result('through')).toBe(0xabcn)
  })
})

describe('what the processor remembers', () => {
  test('of a frame that has been given away leads nowhere', () => {
    const g = run((k, mfns) => {
      faultHandler(k)
      const { spare } = PFN
      // In the TLB, writable.
      k.poke(va(spare), 1)
      // Unmapped without a flush, given back.
      mmuUpdate(k, 'unmapped', mfns[PFN.l1]!, slot(va(spare), 1), 0n)
      k.poke(SCRATCH + 64n, mfns[spare]!)
        .poke(SCRATCH, SCRATCH + 64n)
        .poke(SCRATCH + 8n, 1)
        .poke(SCRATCH + 16n, 0)
      k.poke(SCRATCH + 24n, DOMID_SELF)
      k.hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, SCRATCH).save('given')
      k.set(R14, 'back').poke(va(spare), 0xbad).label('back').save('faults', R13).powerOff()
      writeFaultHandler(k)
    })
    expect(g.results('unmapped', 'given', 'faults', 'cr2')).toEqual([0n, 1n, 1n, va(PFN.spare)])
    expect(g.peek(PFN.spare, 0)).not.toBe(0xbadn)
  })

  test('of a frame that has become a page table cannot be written through', () => {
    const g = run((k, mfns) => {
      faultHandler(k)
      const { spare } = PFN
      k.poke(va(spare), 0)
      mmuUpdate(k, 'unmapped', mfns[PFN.l1]!, slot(va(spare), 1), 0n)
      mmuext(k, 'pinned', MMUEXT_PIN_L1_TABLE, mfns[spare]!)
      k.set(R14, 'back').poke(va(spare), entryOf(0x1000, LEAF)).label('back').save('faults', R13).powerOff()
      writeFaultHandler(k)
    })
    expect(g.results('unmapped', 'pinned', 'faults')).toEqual([0n, 0n, 1n])
    expect(g.peek(PFN.spare, 0)).toBe(0n)
  })
})
