/**
 * For tests: a paravirtual kernel, booted as libxc's builder boots it, but at once: dom0's script makes the domain by hypercalls, and what goes into its frames is
 * written into the machine's memory. Console and store are served from outside.
 */

import type { Sys } from '#abi/posix/syscalls.ts'
import {
  XEN_DOMCTL_createdomain,
  XEN_DOMCTL_max_mem,
  XEN_DOMCTL_max_vcpus,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_unpausedomain,
  xen_domctl_createdomain,
  xen_domctl_max_mem,
  xen_domctl_max_vcpus,
  xen_domctl_vcpucontext,
} from '#abi/xen/domctl.ts'
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_bind_interdomain,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
} from '#abi/xen/event_channel.ts'
import { xenstore_domain_interface } from '#abi/xen/io/xs_wire.ts'
import { XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_memory_op } from '#abi/xen/xen.ts'
import { parseImage } from '#toolstack/libxc/dom/image.ts'
import { Layout, type Segment } from '#toolstack/libxc/dom/layout.ts'
import { loadedPart } from '#toolstack/libxc/dom/libelf.ts'
import { Charge } from '#toolstack/libxc/dom/memory.ts'
import { pageTables } from '#toolstack/libxc/dom/page-tables.ts'
import { sharedInfoPage, startInfoPage, vcpuContext } from '#toolstack/libxc/dom/pages.ts'
import type { Domain } from '#xen/common/domain.ts'
import { TinyXenstored } from '../tiny-xenstored.ts'
import { domainInfo, domctl, nothing, pinL4, room } from '../xen-builder.ts'
import type { TestHostOptions } from '../xen-host.ts'
import type { ScriptGuest } from '../xen-script.ts'
import { ConsoleRing } from './console.ts'
import { X86Host } from './dom0.ts'

const MIB_PAGES = 256
const POPULATE_PAGES = 4096
/** What the host has besides the guest: Xen, dom0. */
const HOST_MIB = 192
const CHUNK_PAGES = 256

export interface PvBoot {
  /** A bzImage, or an ELF file with Xen's notes. */
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array | undefined
  readonly cmdline?: string
  readonly memoryMiB?: number
  readonly vcpus?: number
  readonly host?: Omit<TestHostOptions, 'modules' | 'load'>
}

interface Built {
  readonly domid: number
  readonly p2m: Uint32Array
  readonly consoleMfn: number
  readonly consolePort: number
  readonly storeMfn: number
  readonly storePort: number
}

export class PvGuest extends X86Host {
  readonly console: ConsoleRing
  readonly store: TinyXenstored
  readonly built: Built
  readonly #storePage: number

  constructor(boot: PvBoot) {
    const { memoryMiB = 128 } = boot
    super({ memoryMiB: HOST_MIB + memoryMiB, ...boot.host })
    const { mem } = this.host.machine
    this.built = this.ask((dom0) => build(this, dom0, boot))
    const { consoleMfn, consolePort, storeMfn, storePort, domid } = this.built
    this.console = new ConsoleRing(mem, consoleMfn * PAGE_SIZE, () => this.notify(consolePort))
    this.#storePage = storeMfn * PAGE_SIZE
    this.store = new TinyXenstored(mem, this.#storePage, () => this.notify(storePort), domid)
    this.ask((dom0) => domctl(dom0, XEN_DOMCTL_unpausedomain, domid, nothing, {}))
  }

  get domain(): Domain {
    return this.host.xen.domains.get(this.built.domid)!
  }

  /** Until `stop`, the domain's end, or `ns`. */
  runUntil(stop: () => boolean, ns: number): boolean {
    const { mem } = this.host.machine
    const { req_cons, req_prod } = xenstore_domain_interface.fields
    let stopped = false
    const look = (): boolean => {
      this.console.serve()
      if (req_prod.get(mem, this.#storePage) !== req_cons.get(mem, this.#storePage)) this.store.serve()
      stopped = stop()
      return stopped || this.domain.shuttingDown
    }
    this.host.runUntil(look, ns)
    this.console.serve()
    return stopped
  }

  /** Until its console has said `text`, from character `from` on; throws with what it said instead. */
  expect(text: string, ns: number, from = 0): void {
    let seen = -1
    const said = (): boolean => {
      const { length } = this.console.text
      if (length === seen) return false
      const start = Math.max(from, seen - text.length)
      seen = length
      return this.console.text.includes(text, start)
    }
    if (this.runUntil(said, ns) || said()) return
    throw new Error(`no "${text}" in:\n${this.console.text}\n--- Xen:\n${this.host.serial.slice(-3000)}`)
  }
}

/** A port of the domain's for dom0, bound: the domain's end, and dom0's. */
function channel(dom0: ScriptGuest, domid: number): readonly [remote: number, local: number] {
  const [, { port }] = dom0.evtchn(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, { dom: domid, remote_dom: 0 })
  const [, { local_port }] = dom0.evtchn(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, {
    remote_dom: domid,
    remote_port: port,
  })
  return [port, local_port]
}

function populate(dom0: ScriptGuest, domid: number, pages: number): Uint32Array {
  const p2m = new Uint32Array(pages)
  const list = room(dom0, 0)
  const { mem } = dom0.vcpu
  for (let from = 0; from < pages; from += POPULATE_PAGES) {
    const count = Math.min(POPULATE_PAGES, pages - from)
    for (let i = 0; i < count; i++) mem.write64(list + 8 * i, BigInt(from + i))
    const [got] = dom0.op(__HYPERVISOR_memory_op, XENMEM_populate_physmap, xen_memory_reservation, {
      extent_start: list,
      nr_extents: BigInt(count),
      domid,
    })
    if (got !== count) throw new Error(`${got} of ${count} pages`)
    for (let i = 0; i < count; i++) p2m[from + i] = mem.read32(list + 8 * i)
  }
  return p2m
}

/** All that the builder asks of its kernel is memory. */
function atOnce<T>(sys: Sys<T>): T {
  let next = sys.next()
  while (!next.done) next = sys.next(0)
  return next.value
}

/** A command of dom0's that has to succeed. */
const must = ({ result }: { readonly result: number }, what: string): void => {
  if (result !== 0) throw new Error(`${what}: ${result}`)
}

function build({ host }: X86Host, dom0: ScriptGuest, boot: PvBoot): Built {
  const { kernel, initrd, cmdline = '', memoryMiB = 128, vcpus = 1 } = boot
  const pages = memoryMiB * MIB_PAGES
  const handle = Uint8Array.from({ length: 16 }, (_, i) => i)
  const created = domctl(dom0, XEN_DOMCTL_createdomain, 0, xen_domctl_createdomain, { handle })
  must(created, 'createdomain')
  const domid = created.domain
  must(domctl(dom0, XEN_DOMCTL_max_vcpus, domid, xen_domctl_max_vcpus, { max: vcpus }), 'max_vcpus')
  must(domctl(dom0, XEN_DOMCTL_max_mem, domid, xen_domctl_max_mem, { max_memkb: BigInt(pages * 4) }), 'max_mem')
  const [storeEvtchn, storePort] = channel(dom0, domid)
  const [consoleEvtchn, consolePort] = channel(dom0, domid)
  const p2m = populate(dom0, domid, pages)

  const said = (): void => {}
  const { elf, parms } = atOnce(parseImage(kernel, '', new Charge(), said))
  const { mem } = host.machine
  /** `bytes` gives any part of what goes into the segment. */
  const fill = ({ pfn, pages: count }: Segment, bytes: (from: number, length: number) => Uint8Array): void => {
    for (let at = 0; at < count; at += CHUNK_PAGES) {
      const part = bytes(at * PAGE_SIZE, Math.min(CHUNK_PAGES, count - at) * PAGE_SIZE)
      for (let i = 0; i * PAGE_SIZE < part.length; i++)
        mem.copyIn(p2m[pfn + at + i]! * PAGE_SIZE, part.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))
    }
  }
  const layout = new Layout(parms.virtBase, pages, said)
  fill(layout.segment('kernel', parms.virtKend - parms.virtKstart, parms.virtKstart), (from, length) =>
    loadedPart(elf, from, length),
  )
  const ramdisk = initrd && layout.segment('ramdisk', BigInt(initrd.length))
  if (ramdisk) fill(ramdisk, (from, length) => initrd.subarray(from, from + length))
  const list = new Uint8Array(BigUint64Array.from(p2m, BigInt).buffer)
  const mfns = layout.segment('phys2mach', BigInt(pages * 8))
  fill(mfns, (from, length) => list.subarray(from, from + length))
  const startInfo = layout.page('start info')
  const xenstore = layout.page('xenstore')
  const console = layout.page('console')
  const counts = layout.countTables()
  const tables = layout.segment('page tables', BigInt((counts.l4 + counts.l3 + counts.l2 + counts.l1) * PAGE_SIZE))
  const stack = layout.page('boot stack')
  const tableBytes = pageTables(parms.virtBase, tables, counts, p2m)
  fill(tables, (from, length) => tableBytes.subarray(from, from + length))

  const sharedInfoMfn = Number(domainInfo(dom0, domid)!.shared_info_frame)
  const info = startInfoPage({
    guestType: 'xen-3.0-x86_64',
    totalPages: pages,
    sharedInfoMfn,
    flags: 0,
    storeMfn: p2m[xenstore]!,
    storeEvtchn,
    consoleMfn: p2m[console]!,
    consoleEvtchn,
    ptBase: tables.vstart,
    nrPtFrames: tables.pages,
    mfnList: mfns.vstart,
    ramdisk: ramdisk && { start: ramdisk.vstart, length: initrd.length },
    cmdline,
  })
  mem.copyIn(p2m[startInfo]! * PAGE_SIZE, info)
  mem.copyIn(sharedInfoMfn * PAGE_SIZE, sharedInfoPage())
  must({ result: pinL4(dom0, p2m[tables.pfn]!, domid) }, 'pin')
  const vaddr = (pfn: number): bigint => parms.virtBase + BigInt(pfn * PAGE_SIZE)
  const context = vcpuContext({
    entry: parms.virtEntry,
    stackEnd: vaddr(stack + 1),
    startInfo: vaddr(startInfo),
    cr3Mfn: p2m[tables.pfn]!,
  })
  const ctxt = room(dom0, 0)
  dom0.vcpu.mem.copyIn(ctxt, context)
  must(domctl(dom0, XEN_DOMCTL_setvcpucontext, domid, xen_domctl_vcpucontext, { vcpu: 0, ctxt }), 'setvcpucontext')
  return { domid, p2m, consoleMfn: p2m[console]!, consolePort, storeMfn: p2m[xenstore]!, storePort }
}
