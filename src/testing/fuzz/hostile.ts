/** A guest kernel that means harm: random hypercalls, sequences that have broken hypervisors before, odd exits, ports and addresses. */

import type { Mem } from '#abi/mem.ts'
import {
  GNTTABOP_copy,
  GNTTABOP_setup_table,
  GNTTABOP_transfer,
  GTF_accept_transfer,
  GTF_permit_access,
  GTF_readonly,
  gnttab_copy,
  gnttab_setup_table,
  gnttab_transfer,
} from '#abi/xen/grant_table.ts'
import type { GuestEntry, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { XENMEM_decrease_reservation, xen_memory_reservation } from '#abi/xen/memory.ts'
import { SCHEDOP_block, SCHEDOP_poll, SCHEDOP_shutdown, SCHEDOP_yield } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { VCPUOP_register_vcpu_info, vcpu_register_vcpu_info } from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_vcpu_op,
  DOMID_SELF,
  start_info,
} from '#abi/xen/xen.ts'
import type { Shot } from './shot.ts'
import { multicall, single } from './shots.ts'
import {
  FIRST_REF,
  GRANT_FRAMES,
  GRANT_TABLE,
  type Lore,
  offer,
  pageOf,
  REFS,
  SHARED_INFO,
  SLOTS,
  Values,
} from './values.ts'

/** Told of each call before it is made and of its result. */
export interface Scribe {
  /** False: no more calls are wanted. */
  before(domid: number, shot: Shot): boolean
  after(domid: number, shot: Shot, result: number): void
}

const PER_RUN = 24
const sched = (...args: number[]): VcpuExit => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op, args })
const RW = 0x67

class Hostile {
  readonly #vcpu: VirtualCpu
  readonly #v: Values
  readonly #scribe: Scribe

  constructor(vcpu: VirtualCpu, lore: Lore, scribe: Scribe) {
    this.#vcpu = vcpu
    this.#v = new Values(lore)
    this.#scribe = scribe
  }

  /** The other hostile domain. */
  get #mate(): number {
    const { self, domids } = this.#v.lore
    return domids.findLast((id) => id !== self)!
  }

  /** Its own fault: it has unmapped what it touches. */
  #dare(body: () => void): void {
    try {
      body()
    } catch {
      // A page fault is no more than that to it.
    }
  }

  #fire(shot: Shot): void {
    const { lore } = this.#v
    if (!this.#scribe.before(lore.self, shot)) return
    let result = this.#vcpu.hypercall(shot.nr, ...shot.args)
    this.#dare(() => {
      result = shot.learn?.(this.#vcpu.mem, result) ?? result
    })
    this.#scribe.after(lore.self, shot, result)
  }

  #call(nr: number, ...args: number[]): void {
    this.#fire({ nr, args })
  }

  /** As a kernel that is up to something sets itself up. */
  begin(): void {
    const { mem, startInfo } = this.#vcpu
    this.#dare(() => {
      const at = pageOf(SLOTS)
      gnttab_setup_table.write(mem, at, { dom: DOMID_SELF, nr_frames: GRANT_FRAMES, frame_list: at + 64 })
      this.#call(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, at, 1)
      for (let i = 0; i < GRANT_FRAMES; i++) {
        const frame = mem.read32(at + 64 + 8 * i)
        this.#call(__HYPERVISOR_update_va_mapping, GRANT_TABLE + i * PAGE_SIZE, frame * PAGE_SIZE + RW, 0)
      }
      const shared = start_info.fields.shared_info.get(mem, startInfo)
      this.#call(__HYPERVISOR_update_va_mapping, SHARED_INFO, shared + RW, 0)
    })
  }

  /** Entries of its grant table, as a granter writes them. */
  #grantSomething(): void {
    const v = this.#v
    const ref = v.chance(20) ? v.lore.rng.below(GRANT_FRAMES * 512) : FIRST_REF + v.lore.rng.below(REFS)
    const flags = v.chance(10)
      ? v.lore.rng.below(65536)
      : v.chance(4)
        ? GTF_accept_transfer
        : GTF_permit_access | (v.chance(3) ? GTF_readonly : 0)
    const { mem } = this.#vcpu
    mem.write32(GRANT_TABLE + 8 * ref + 4, v.frame() >>> 0)
    mem.write16(GRANT_TABLE + 8 * ref + 2, v.chance(3) ? v.pick(v.lore.domids) : this.#mate)
    mem.write16(GRANT_TABLE + 8 * ref, flags)
    const { accepts, refs } = v.lore.offers
    offer(flags === GTF_accept_transfer ? accepts : refs, { dom: v.lore.self, at: ref })
  }

  /** Frames that are given away in one way, and used in another. */
  #sequence(): void {
    const v = this.#v
    const { mem } = this.#vcpu
    const at = v.slot()
    const frame = v.chance(2) ? v.pick(v.lore.own) : v.fresh()
    const taker = v.chance(4) || v.lore.offers.accepts.length === 0 ? undefined : v.pick(v.lore.offers.accepts)
    const mate = taker?.dom ?? v.pick(v.lore.domids)
    const ref = taker?.at ?? FIRST_REF + v.lore.rng.below(REFS)
    const end = (): number => (v.chance(3) ? v.domid() : DOMID_SELF)
    const uses: (() => void)[] = [
      () => this.#call(__HYPERVISOR_update_va_mapping, v.window(), frame * PAGE_SIZE + RW, 0),
      () => this.#grantFrame(ref, mate, frame),
      () => {
        mem.write64(at, BigInt(frame))
        xen_memory_reservation.write(mem, at + 8, {
          extent_start: at,
          nr_extents: 1n,
          extent_order: 0,
          mem_flags: 0,
          domid: DOMID_SELF,
        })
        this.#call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, at + 8)
      },
      () => {
        gnttab_transfer.write(mem, at, { mfn: BigInt(frame), domid: mate, ref })
        this.#grantOp(GNTTABOP_transfer, at, (after) => gnttab_transfer.fields.status.get(after, at))
      },
      () => {
        const source = BigInt(v.chance(2) ? frame : ref)
        const dest = BigInt(v.chance(2) ? frame : ref)
        const ends = { source_domid: end(), source_offset: 0, dest_domid: end(), dest_offset: 64 }
        const flags = v.chance(2) ? 0 : v.lore.rng.below(4)
        gnttab_copy.write(mem, at, { source, dest, ...ends, len: 64, flags })
        this.#grantOp(GNTTABOP_copy, at, (after) => gnttab_copy.fields.status.get(after, at))
      },
      () => {
        vcpu_register_vcpu_info.write(mem, at, { mfn: BigInt(frame), offset: v.lore.rng.below(64) * 64 })
        this.#call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, v.lore.rng.below(2), at)
      },
      () => {
        mem.write64(at, BigInt(frame * PAGE_SIZE) + 1n)
        mem.write64(at + 8, BigInt(v.lore.rng.below(2 ** 20)))
        this.#call(__HYPERVISOR_mmu_update, at, 1, 0, DOMID_SELF)
      },
    ]
    for (let i = 2 + v.lore.rng.below(4); i > 0; i--) v.pick(uses)()
  }

  #grantOp(command: number, at: number, status: (after: Mem) => number): void {
    const learn = (after: Mem, result: number): number => (result === 0 ? status(after) : result)
    this.#fire({ nr: __HYPERVISOR_grant_table_op, args: [command, at, 1], learn })
  }

  #grantFrame(ref: number, domid: number, frame: number): void {
    const { mem } = this.#vcpu
    const flags = this.#v.chance(3) ? GTF_accept_transfer : GTF_permit_access
    mem.write32(GRANT_TABLE + 8 * ref + 4, frame >>> 0)
    mem.write32(GRANT_TABLE + 8 * ref, (domid * 65536 + flags) >>> 0)
  }

  /** Nothing but its own memory and the processor. */
  #touch(): void {
    const v = this.#v
    const { mem, io } = this.#vcpu
    const at = v.pointer()
    const acts: (() => void)[] = [
      () => mem.write64(at, BigInt(v.lore.rng.u32())),
      () => mem.read64(at),
      () => mem.fill(v.window(), v.lore.rng.below(2 * PAGE_SIZE), 0xa5),
      () => mem.copyIn(at, v.lore.rng.bytes(v.lore.rng.below(64))),
      () => mem.copyOut(at, v.chance(10) ? v.odd() : v.lore.rng.below(9000)),
      () => mem.write32(v.window() + v.lore.rng.below(1024) * 4, v.lore.rng.u32()),
      () => io.out8(v.lore.rng.below(70000), v.odd()),
      () => io.out16(v.odd(), v.odd()),
      () => io.out32(v.pick([0xcf8, 0xcfc, 0x3f8, 0x64, 0xcf9]), v.odd()),
      () => io.in32(v.pick([0xcf8, 0xcfc, 0x3f8, 0x64, v.odd()])),
      () => this.#vcpu.cpuid(v.odd()),
      () => mem.write32(SHARED_INFO + v.lore.rng.below(1024) * 4, v.chance(2) ? 0xffffffff : v.lore.rng.u32()),
    ]
    v.pick(acts)()
  }

  /** So many calls; how it leaves the processor then. */
  run(nowNs: number): VcpuExit {
    const v = this.#v
    const { mem } = this.#vcpu
    for (let i = 0; i < PER_RUN; i++)
      this.#dare(() => {
        const dice = v.lore.rng.below(20)
        if (dice < 12) this.#fire(single(v, mem, v.chance(30) ? v.pointer() : v.slot()))
        else if (dice < 14) this.#fire(multicall(v, mem, 0))
        else if (dice < 16) this.#grantSomething()
        else if (dice < 18) this.#sequence()
        else this.#touch()
      })
    return this.#leave(nowNs)
  }

  #leave(nowNs: number): VcpuExit {
    const v = this.#v
    if (!v.chance(8)) return { kind: 'run' }
    const { mem } = this.#vcpu
    const at = v.slot()
    switch (v.lore.rng.below(12)) {
      case 0:
        return sched(SCHEDOP_yield, 0)
      case 1:
        return v.chance(40) ? sched(SCHEDOP_block, 0) : sched(SCHEDOP_yield, at)
      case 2:
        return v.chance(40) ? sched(SCHEDOP_shutdown, at) : { kind: 'run' }
      case 3:
        return sched(v.lore.rng.below(4) === 2 ? SCHEDOP_yield : SCHEDOP_poll, v.pointer())
      case 4:
        return { kind: 'hypercall', nr: v.odd(), args: Array.from({ length: v.lore.rng.below(12) }, () => v.odd()) }
      case 5:
        // What is no exit at all.
        if (v.chance(60)) return undefined as unknown as VcpuExit
        return { kind: 'bogus', nr: 29, args: [1] } as unknown as VcpuExit
      case 6:
        if (v.chance(60)) throw new Error('hostile')
        return { kind: 'hypercall', nr: Number.NaN, args: [Number.NaN, 0.5] }
      default:
        this.#dare(() => {
          mem.write32(at, v.port())
          mem.write64(at + 8, BigInt.asUintN(64, BigInt(at)))
          mem.write32(at + 16, v.chance(10) ? v.lore.rng.below(1000) : 1)
          mem.write64(at + 24, BigInt(Math.floor(nowNs) + v.lore.rng.below(200_000)))
        })
        return sched(SCHEDOP_poll, at + 8)
    }
  }

  upcall(): void {
    this.#dare(() => {
      if (this.#v.chance(3)) this.#fire(single(this.#v, this.#vcpu.mem, this.#v.slot()))
      if (!this.#v.chance(4)) this.#vcpu.mem.write16(SHARED_INFO + 64 * this.#vcpu.vcpuId, 0)
    })
  }
}

/** Its first call of all is not among those that are counted as random. */
export const hostileKernel =
  (lore: Lore, scribe: Scribe): GuestEntry =>
  (vcpu) => {
    const hostile = new Hostile(vcpu, lore, scribe)
    let begun = vcpu.vcpuId > 0
    return {
      run(deadlineNs) {
        if (!begun) hostile.begin()
        begun = true
        return hostile.run(deadlineNs)
      },
      upcall: () => hostile.upcall(),
    }
  }
