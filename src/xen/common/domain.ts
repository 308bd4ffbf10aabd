/** xen/common/domain.c: domains and their vCPUs. */
import type { LoadedCode } from '#abi/pc/metal.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { type Mfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { PageMap } from '../arch-x86/mm.ts'
import { dom0Shutdown } from '../arch-x86/shutdown.ts'
import { XEN_EXTRAVERSION, XEN_SUBVERSION, XEN_VERSION } from '../compile.ts'
import { printk, type Xen } from '../xen.ts'
import { taintedText } from './kernel.ts'
import { PGC_allocated, PGT_writable_page } from './page-alloc.ts'

/** vcpu.pause_flags. */
export const VPF_blocked = 1 << 0
export const VPF_down = 1 << 1

export interface Vcpu {
  readonly id: number
  readonly domain: Domain
  /** Logical number of the processor it runs on. */
  processor: number
  pauseFlags: number
  code: { readonly loaded: LoadedCode; readonly run: VcpuCode } | undefined
  /** RAX for the next entry: what the hypercall returned that ended the last run. */
  result: number
  /** What a hypercall of the run under way threw: Xen's own affair, dealt with when the guest is back. */
  thrown: unknown
}

export interface Domain {
  readonly id: number
  privileged: boolean
  readonly vcpus: Vcpu[]
  /** dom0_max_vcpus and the like. */
  maxVcpus: number
  totPages: number
  /** May grow up to so many frames. */
  maxPages: number
  /** Frames of the Xen heap that it shares. */
  xenheapPages: number
  readonly sharedInfo: Mfn
  readonly pageMap: PageMap
  pauseCount: number
  shuttingDown: boolean
  shutdownCode: number
}

/** domain_create: paused, without memory of its own but the shared_info frame. Undefined: no Xen heap left. */
export function domainCreate(xen: Xen, id: number): Domain | undefined {
  const { heap } = xen
  // struct domain itself lives in a page of the Xen heap, next to the page it shares with the guest.
  const own = heap.allocXenHeapPages(0)
  const sharedInfo = heap.allocXenHeapPages(0)
  if (own === undefined || sharedInfo === undefined) return undefined
  xen.mem.fill(sharedInfo * PAGE_SIZE, PAGE_SIZE, 0)
  const domain: Domain = {
    id,
    privileged: false,
    vcpus: [],
    maxVcpus: 1,
    totPages: 0,
    maxPages: 0,
    xenheapPages: 0,
    sharedInfo,
    pageMap: new PageMap(),
    pauseCount: 1,
    shuttingDown: false,
    shutdownCode: -1,
  }
  shareXenPage(xen, domain, sharedInfo)
  xen.domains.set(id, domain)
  return domain
}

/** share_xen_page_with_guest: the domain may map this frame of Xen's, writable. */
function shareXenPage(xen: Xen, domain: Domain, mfn: Mfn): void {
  const { frames } = xen.heap
  frames.owner[mfn] = domain.id
  frames.countInfo[mfn] = PGC_allocated | 1
  frames.typeInfo[mfn] = PGT_writable_page | 1
  domain.xenheapPages++
}

export function allocVcpu(xen: Xen, domain: Domain, id: number, processor: number): Vcpu | undefined {
  if (xen.heap.allocXenHeapPages(0) === undefined) return undefined
  const vcpu: Vcpu = { id, domain, processor, pauseFlags: VPF_down, code: undefined, result: 0, thrown: undefined }
  domain.vcpus[id] = vcpu
  return vcpu
}

/** assign_pages: 2^order frames become the domain's. False: over its limit. */
export function assignPages(xen: Xen, domain: Domain, mfn: Mfn, order: number): boolean {
  const count = 2 ** order
  if (domain.totPages + count > domain.maxPages) return false
  const { frames } = xen.heap
  domain.totPages += count
  for (let i = mfn; i < mfn + count; i++) {
    frames.owner[i] = domain.id
    frames.countInfo[i] = PGC_allocated | 1
    // A scrubbed frame was cleared in name only (FrameTable.scrubbed).
    if (frames.scrubbed[i]) xen.mem.fill(i * PAGE_SIZE, PAGE_SIZE, 0)
  }
  return true
}

/** alloc_domheap_pages for a domain. */
export function allocDomainPages(xen: Xen, domain: Domain, order: number): Mfn | undefined {
  const mfn = xen.heap.allocDomHeapPages(order)
  if (mfn === undefined) return undefined
  if (assignPages(xen, domain, mfn, order)) return mfn
  xen.heap.freeDomHeapPages(mfn, order)
  return undefined
}

/** __domain_crash: the guest broke what it cannot survive; the others go on. `why` ends without newline. */
export function domainCrash(xen: Xen, vcpu: Vcpu, why: string): void {
  const { domain } = vcpu
  if (domain.shuttingDown) return
  const cpu = xen.current.id
  printk(xen, `Domain ${domain.id} (vcpu#${vcpu.id}) crashed on cpu#${cpu}:\n`)
  printk(
    xen,
    `----[ Xen-${XEN_VERSION}.${XEN_SUBVERSION}${XEN_EXTRAVERSION}  x86_64  debug=n  ${taintedText(xen.tainted)} ]----\n`,
  )
  printk(xen, `CPU:    ${cpu}\n`)
  // A module kernel has no registers: what it was doing is a place in its source.
  printk(xen, `${why}\n`)
  domainShutdown(xen, domain, SHUTDOWN_crash)
}

/** domain_shutdown: its vCPUs stop. With dom0 goes the host. */
export function domainShutdown(xen: Xen, domain: Domain, reason: number): void {
  if (domain.id === 0) dom0Shutdown(xen, reason)
  domain.shuttingDown = true
  domain.shutdownCode = reason
}

export function unpause(domain: Domain): void {
  domain.pauseCount--
}

export const runnable = ({ domain, pauseFlags, code }: Vcpu): boolean =>
  pauseFlags === 0 && domain.pauseCount === 0 && !domain.shuttingDown && code !== undefined
