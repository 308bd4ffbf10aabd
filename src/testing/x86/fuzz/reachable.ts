/**
 * For tests: what machine code can reach, looked at from outside. Every entry of an x86 domain's page tables and of its processors' TLBs leads to a frame of its own
 * or to one that was granted to it; what can be written is no page table.
 */
import { R_GPR, R_RIP } from '#abi/pc/ring3.ts'
import { GNTMAP_host_map, GNTMAP_readonly } from '#abi/xen/grant_table.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { _PAGE_PRESENT, _PAGE_RW } from '#abi/xen/xen.ts'
import { S_BYTES, S_TLB } from '#cpu/state.ts'
import { TLB_ADDEND, TLB_BYTES, TLB_READ, TLB_WRITE } from '#cpu/tlb.ts'
import type { Domain, Vcpu } from '#xen/common/domain.ts'
import { PGT_l1_page_table, PGT_type_mask, PGT_writable_page } from '#xen/common/page-alloc.ts'
import type { TestHost } from '../../xen-host.ts'

const ENTRIES = 512
const ENTRY_BYTES = 32
/** Slots of the fourth level that are Xen's, and the upper half of addresses there. */
const XEN_SLOTS = [256, 271] as const
const XEN_HIGH = [0xffff8000, 0xffff87ff] as const
const AREA_BYTES = Math.ceil(S_BYTES / PAGE_SIZE) * PAGE_SIZE
const REGISTER_BYTES = R_RIP + 8

class Reach {
  readonly complaints: string[] = []
  readonly #host: TestHost
  readonly #domain: Domain
  /** Frames that others have granted: 2 writable, 1 not. */
  readonly #granted = new Map<number, number>()
  readonly #seen = new Set<number>()

  constructor(host: TestHost, domain: Domain) {
    this.#host = host
    this.#domain = domain
    const table = domain.grantTable
    for (const [handle, flags] of table?.mapFlags.entries() ?? []) {
      if ((flags & GNTMAP_host_map) === 0) continue
      const of = host.xen.domains.get(table!.mapDomid[handle]!)
      const frame = of?.grantTable?.frame[table!.mapRef[handle]!]
      if (frame === undefined) continue
      this.#granted.set(frame, Math.max(this.#granted.get(frame) ?? 0, flags & GNTMAP_readonly ? 1 : 2))
    }
  }

  #wrong(mfn: number, how: string): void {
    this.complaints.push(`domain ${this.#domain.id} reaches frame ${mfn.toString(16)} ${how}`)
  }

  /** `table`: 0 for a page, else the level that it is linked as. */
  #frame(mfn: number, writable: boolean, table: number, how: string): void {
    const { owner, typeInfo } = this.#host.xen.heap.frames
    const granted = table === 0 ? (this.#granted.get(mfn) ?? 0) : 0
    if (granted > (writable ? 1 : 0)) return
    if (owner[mfn] !== this.#domain.id) this.#wrong(mfn, `of domain ${owner[mfn]} ${how}`)
    const type = (typeInfo[mfn]! & PGT_type_mask) >>> 0
    if (table > 0 && type !== table * PGT_l1_page_table) this.#wrong(mfn, `of type ${type.toString(16)} ${how}`)
    if (writable && type !== PGT_writable_page) this.#wrong(mfn, `of type ${type.toString(16)}, writable, ${how}`)
  }

  tables(mfn: number, level: number): void {
    const key = mfn * 8 + level
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const { mem } = this.#host.machine
    for (let i = 0; i < ENTRIES; i++) {
      if (level === 4 && i >= XEN_SLOTS[0] && i <= XEN_SLOTS[1]) continue
      const low = mem.read32(mfn * PAGE_SIZE + i * 8)
      if ((low & _PAGE_PRESENT) === 0) continue
      const high = mem.read32(mfn * PAGE_SIZE + i * 8 + 4)
      const to = (low >>> 12) + (high & 0xfffff) * 2 ** 20
      this.#frame(
        to,
        level === 1 && (low & _PAGE_RW) !== 0,
        level === 1 ? 0 : level - 1,
        `by entry ${i} of ${mfn.toString(16)}`,
      )
      if (level > 1) this.tables(to, level - 1)
    }
  }

  tlbs({ ring3 }: Vcpu): void {
    if (!ring3) return
    const { wasm, reserve } = this.#host.machine.processorMemory
    const registers = ring3.registers.copyOut(R_GPR, REGISTER_BYTES)
    // Its area is the one that looks like it.
    const areas: number[] = []
    for (let at = reserve.at; at + AREA_BYTES <= reserve.at + reserve.bytes; at += AREA_BYTES) {
      const there = new Uint8Array(wasm.buffer, at, REGISTER_BYTES)
      if (registers.every((byte, i) => byte === there[i])) areas.push(at)
    }
    if (areas.length !== 1) return
    const view = new DataView(wasm.buffer, areas[0]! + S_TLB, 2 * TLB_BYTES)
    for (let at = 0; at < 2 * TLB_BYTES; at += ENTRY_BYTES) {
      const low = view.getInt32(at + TLB_READ, true)
      const high = view.getUint32(at + TLB_READ + 4, true)
      if ((low & (PAGE_SIZE - 1)) !== 0) continue
      const writable = view.getInt32(at + TLB_WRITE, true) === low
      if (!writable && high >= XEN_HIGH[0] && high <= XEN_HIGH[1]) continue
      const page = (low + view.getInt32(at + TLB_ADDEND, true)) >>> 0
      this.#frame(page / PAGE_SIZE, writable, 0, `by its TLB at ${high.toString(16)}.${(low >>> 0).toString(16)}`)
    }
  }
}

/** What is wrong; empty when all is well. */
export function reachComplaints(host: TestHost): readonly string[] {
  const found: string[] = []
  for (const domain of host.xen.domains.values()) {
    if (domain.privileged || domain.pageMapped || domain.dying) continue
    const reach = new Reach(host, domain)
    for (const vcpu of domain.vcpus) {
      if (!vcpu) continue
      for (const root of [vcpu.root, vcpu.userRoot]) if (root !== 0) reach.tables(root, 4)
      reach.tlbs(vcpu)
    }
    found.push(...reach.complaints)
  }
  return found
}
