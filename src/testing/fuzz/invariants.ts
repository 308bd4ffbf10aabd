/**
 * For tests: what must hold of Xen's books whatever its guests do. Everything is counted anew from what explains it (page maps, tables,
 * roots, grants, shared pages) and compared with what the frame table, the heap and the domains say.
 */
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from '#abi/xen/grant_table.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { MAP_PRESENT, MAP_WRITABLE } from '#xen/arch-x86/mm.ts'
import { isIomemPage } from '#xen/arch-x86/page-type.ts'
import type { Domain } from '#xen/common/domain.ts'
import { pinsOf } from '#xen/common/grant-table.ts'
import {
  type Heap,
  MEMZONE_XEN,
  NO_OWNER,
  NR_ZONES,
  PGC_allocated,
  PGC_count_mask,
  PGT_count_mask,
  PGT_l1_page_table,
  PGT_l4_page_table,
  PGT_pinned,
  PGT_seg_desc_page,
  PGT_type_mask,
  PGT_validated,
  PGT_writable_page,
  pfnDomZone,
} from '#xen/common/page-alloc.ts'
import type { Xen } from '#xen/xen.ts'
import { tableEntries } from './table-entries.ts'

/** Ids from here on are no domains': DOMID_SELF, DOMID_IO, DOMID_XEN, nobody. */
const FIRST_RESERVED = 0x7ff0
const COMPLAINTS_MAX = 8

class Complaints {
  readonly list: string[] = []
  expect(okay: boolean, text: () => string): void {
    if (!okay && this.list.length < COMPLAINTS_MAX) this.list.push(text())
  }
}

/** What is wrong; empty when all is well. */
export function complaints(xen: Xen): readonly string[] {
  const found = new Complaints()
  frames(xen, found)
  freeBlocks(xen.heap, found)
  for (const domain of xen.domains.values()) {
    ports(xen, domain, found)
    maptrack(xen, domain, found)
  }
  grantPins(xen, found)
  return found.list
}

/** What a frame is used as. */
export type Use = 'nothing' | 'writable' | 'table' | 'descriptors'

/** References and uses as a type that something explains, by frame. */
class Explained {
  readonly asked: number
  /** Who refers to the frame that was asked for. */
  readonly why: string[] = []
  readonly count: Uint32Array
  readonly writable: Uint32Array
  readonly table: Uint32Array
  readonly descriptors: Uint32Array
  /** By Xen, for as long as the domain lives. */
  readonly shared: Uint8Array
  constructor(frameCount: number, asked: number) {
    this.asked = asked
    this.count = new Uint32Array(frameCount)
    this.writable = new Uint32Array(frameCount)
    this.table = new Uint32Array(frameCount)
    this.descriptors = new Uint32Array(frameCount)
    this.shared = new Uint8Array(frameCount)
  }
  add(mfn: number, as: Use, who: string): void {
    this.count[mfn] = this.count[mfn]! + 1
    if (mfn === this.asked) this.why.push(`${who} (${as})`)
    if (as !== 'nothing') this[as][mfn] = this[as][mfn]! + 1
  }
}

function explain(xen: Xen, asked = -1): Explained {
  const { maxPage, typeInfo, owner } = xen.heap.frames
  const is = new Explained(maxPage, asked)
  for (let mfn = 0; mfn < maxPage; mfn++)
    if (typeInfo[mfn]! & PGT_validated) tableEntries(xen, mfn, (of, as, who) => is.add(of, as, who))
  for (const domain of xen.domains.values()) {
    const name = `domain ${domain.id}`
    const maps = (entry: number, where: string): void => {
      if ((entry & MAP_PRESENT) !== 0 && !isIomemPage(xen, entry >>> 2))
        is.add(entry >>> 2, entry & MAP_WRITABLE ? 'writable' : 'nothing', where)
    }
    for (const entry of domain.pageMap.all()) maps(entry, `${name} maps it`)
    for (const vcpu of domain.vcpus) {
      if (!vcpu) continue
      for (const root of [vcpu.root, vcpu.userRoot]) if (root !== 0) is.add(root, 'table', `${name}'s root`)
      for (const mfn of [...vcpu.gdtFrames, ...vcpu.ldtFrames.filter((frame) => frame !== 0)])
        is.add(mfn, 'descriptors', `${name}'s descriptor tables`)
      if (vcpu.infoMoved) is.add(Math.floor(vcpu.infoAt / PAGE_SIZE), 'writable', `${name}'s vcpu_info`)
    }
    const { mfn: samples, pages: sampled } = domain.xenoprof ?? { mfn: 0, pages: 0 }
    const buffer = Array.from({ length: sampled }, (_, i) => samples + i).filter((mfn) => owner[mfn] === domain.id)
    for (const shared of [domain.sharedInfo, ...(domain.grantTable?.shared ?? []), ...buffer]) {
      is.writable[shared] = is.writable[shared]! + 1
      is.shared[shared] = 1
    }
    const own = domain.grantTable
    if (!own) continue
    for (let handle = 0; handle < own.mapFlags.length; handle++) {
      const flags = own.mapFlags[handle]!
      // A host mapping's reference is its page-map entry's.
      if ((flags & GNTMAP_device_map) === 0) continue
      const frame = xen.domains.get(own.mapDomid[handle]!)?.grantTable?.frame[own.mapRef[handle]!]
      if (frame !== undefined && !isIomemPage(xen, frame))
        is.add(frame, flags & GNTMAP_readonly ? 'nothing' : 'writable', `grant handle ${handle} of ${name}`)
    }
  }
  return is
}

function frames(xen: Xen, found: Complaints): void {
  const { heap, domains } = xen
  const { maxPage, owner, countInfo, typeInfo, allocated } = heap.frames
  const is = explain(xen)
  const owned = new Map<number, number>()
  const sharedBy = new Map<number, number>()
  for (let mfn = 0; mfn < maxPage; mfn++) {
    const who = owner[mfn]!
    const name = (): string => `frame ${mfn.toString(16)} of ${who === NO_OWNER ? 'nobody' : `domain ${who}`}`
    if (!allocated[mfn]) {
      found.expect(who === NO_OWNER && countInfo[mfn] === 0, () => `${name()} is free and has references`)
      found.expect(is.count[mfn] === 0, () => `${name()} is free, and somebody has a reference`)
      continue
    }
    if (who >= FIRST_RESERVED) {
      found.expect(is.count[mfn] === 0 || who !== NO_OWNER, () => `${name()} is used by somebody`)
      continue
    }
    const domain = domains.get(who)
    found.expect(domain !== undefined, () => `${name()}, which is no more`)
    const info = countInfo[mfn]!
    const type = typeInfo[mfn]!
    const isXenHeap = heap.isXenHeap(mfn)
    const isAllocated = info >= PGC_allocated
    // A guest may give up what Xen shares with it: it has no reference then, and Xen uses it all the same.
    const base = isAllocated ? 1 : 0
    const pinned = type & PGT_pinned ? 1 : 0
    const counts = is.count[mfn]! + base + pinned
    if ((info & PGC_count_mask) > 0 && isXenHeap) sharedBy.set(who, (sharedBy.get(who) ?? 0) + 1)
    if (!isXenHeap) owned.set(who, (owned.get(who) ?? 0) + 1)
    if (isXenHeap && !is.shared[mfn]) {
      found.expect(false, () => `${name()} is of the Xen heap and shared by nobody`)
      continue
    }
    found.expect(
      (info & PGC_count_mask) === counts,
      () =>
        `${name()} has ${info & PGC_count_mask} references, explained are ${[...explain(xen, mfn).why, ...(base ? ['owned'] : []), ...(pinned ? ['pinned'] : [])].join(', ') || 'none'}`,
    )
    typeOf(is, mfn, type, pinned, name, found)
  }
  for (const domain of domains.values()) {
    const { id, totPages, xenheapPages } = domain
    found.expect(totPages === (owned.get(id) ?? 0), () => `domain ${id} has ${totPages} pages, owns ${owned.get(id)}`)
    found.expect(
      xenheapPages === (sharedBy.get(id) ?? 0),
      () => `domain ${id} shares ${xenheapPages} pages of Xen's, owns ${sharedBy.get(id)}`,
    )
  }
}

function typeOf(is: Explained, mfn: number, type: number, pinned: number, name: () => string, found: Complaints): void {
  const count = type & PGT_count_mask
  const uses = [is.writable[mfn]!, is.table[mfn]! + pinned, is.descriptors[mfn]!]
  const sum = uses.reduce((all, some) => all + some)
  found.expect(uses.includes(sum), () => `${name()} is used as ${uses.join(', ')} of three kinds`)
  found.expect(count === sum, () => `${name()} is used as its type ${count} times, not ${sum}`)
  if (count === 0) return
  const kind = (type & PGT_type_mask) >>> 0
  const kinds = [PGT_writable_page, Math.min(Math.max(kind, PGT_l1_page_table), PGT_l4_page_table), PGT_seg_desc_page]
  found.expect(kind === kinds[uses.indexOf(sum)], () => `${name()} has the type ${type.toString(16)}`)
}

/** Free frames are blocks, aligned, linked and as many as are said to be there. */
function freeBlocks(heap: Heap, found: Complaints): void {
  const { allocated, order, next, prev, maxPage } = heap.frames
  const free = new Float64Array(NR_ZONES)
  for (let mfn = 0; mfn < maxPage; ) {
    if (allocated[mfn]) {
      mfn++
      continue
    }
    const head = mfn
    const size = 2 ** order[head]!
    const zone = heap.isXenHeap(head) ? MEMZONE_XEN : pfnDomZone(head)
    found.expect(head % size === 0, () => `free block ${head.toString(16)} of ${size} is not aligned`)
    found.expect(next[head]! < 0 || prev[next[head]!] === head, () => `free block ${head.toString(16)} is not linked`)
    found.expect(prev[head]! < 0 || next[prev[head]!] === head, () => `free block ${head.toString(16)} is not linked`)
    const taken = allocated.indexOf(1, head)
    found.expect(taken >= head + size, () => `free block ${head.toString(16)} of ${size} is not free`)
    free[zone] = free[zone]! + size
    mfn = head + size
  }
  for (const [zone, avail] of heap.avail.entries())
    found.expect(avail === free[zone], () => `zone ${zone} has ${free[zone]} free frames, not ${avail}`)
}

function ports(xen: Xen, domain: Domain, found: Complaints): void {
  const name = (port: number): string => `port ${port} of domain ${domain.id}`
  let lowestFree = domain.ports.length
  for (const [port, { state, notifyVcpu, remoteDom, remotePort, irq }] of domain.ports.entries()) {
    if (state === 'free') {
      lowestFree = Math.min(lowestFree, port)
      continue
    }
    found.expect(
      port === 0 || domain.vcpus[notifyVcpu] !== undefined || domain.vcpus.length === 0,
      () => `${name(port)} tells vCPU ${notifyVcpu}`,
    )
    if (state === 'interdomain') {
      const far = xen.domains.get(remoteDom)?.ports[remotePort]
      const back = far?.state === 'interdomain' && far.remoteDom === domain.id && far.remotePort === port
      found.expect(back, () => `${name(port)}: the other end is ${far?.state}`)
    } else if (state === 'virq')
      found.expect(
        domain.vcpus.some((vcpu) => vcpu?.virqPorts[irq] === port),
        () => `${name(port)}: no vCPU has VIRQ ${irq} there`,
      )
    else if (state === 'pirq')
      found.expect(domain.pirqPorts[irq] === port, () => `${name(port)}: PIRQ ${irq} is not there`)
  }
  found.expect(domain.firstFreePort <= lowestFree, () => `domain ${domain.id}: port ${lowestFree} is free`)
  for (const vcpu of domain.vcpus)
    for (const [virq, port] of vcpu?.virqPorts.entries() ?? [])
      found.expect(
        port === 0 || domain.ports[port]?.state === 'virq',
        () => `VIRQ ${virq} of domain ${domain.id} has port ${port}`,
      )
}

/** Handles are in use or in the free list, each once. */
function maptrack(xen: Xen, domain: Domain, found: Complaints): void {
  const table = domain.grantTable
  if (!table) return
  const handles = table.mapFlags.length
  let used = 0
  for (const flags of table.mapFlags) if (flags & (GNTMAP_device_map | GNTMAP_host_map)) used++
  found.expect(used === table.mapCount, () => `domain ${domain.id} has ${used} grants mapped, not ${table.mapCount}`)
  let free = 0
  let handle = table.maptrackHead
  for (; handle < handles && free <= handles; free++) {
    const at = handle
    found.expect(table.mapFlags[at] === 0, () => `free handle ${at} of domain ${domain.id} is in use`)
    handle = table.mapRef[at]!
  }
  found.expect(free + used === handles, () => `domain ${domain.id}: ${free} + ${used} handles, not ${handles}`)
  found.expect(
    table.shared.length <= xen.options.gnttabMaxNrFrames,
    () => `domain ${domain.id} has ${table.shared.length} grant frames`,
  )
}

/** Every pin of an entry is somebody's mapping: copies hold theirs only while they run. */
function grantPins(xen: Xen, found: Complaints): void {
  const pins = new Map<Domain, Uint32Array>()
  for (const { grantTable } of xen.domains.values()) {
    if (!grantTable) continue
    for (const [handle, flags] of grantTable.mapFlags.entries()) {
      if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) continue
      const granter = xen.domains.get(grantTable.mapDomid[handle]!)
      if (!granter?.grantTable) continue
      const sums = pins.get(granter) ?? new Uint32Array(granter.grantTable.pin.length)
      pins.set(granter, sums)
      const ref = grantTable.mapRef[handle]!
      sums[ref] = sums[ref]! + pinsOf(flags)
    }
  }
  for (const domain of xen.domains.values())
    for (const [ref, pin] of domain.grantTable?.pin.entries() ?? []) {
      const sum = pins.get(domain)?.[ref] ?? 0
      found.expect(
        pin === sum,
        () => `grant ${ref} of domain ${domain.id} is pinned ${pin.toString(16)}, not ${sum.toString(16)}`,
      )
    }
}
