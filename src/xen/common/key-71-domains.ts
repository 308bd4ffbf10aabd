/** Key q: every domain, its rights, frames, vCPUs and the event that asks it for a dump of its own (keyhandler.c, dump_domains). */
import { VIRQ_DEBUG, vcpu_info } from '#abi/xen/xen.ts'
import { is34 } from '../config.ts'
import { NR_CPUS } from '../options.ts'
import { now, printk, type Xen } from '../xen.ts'
import { cpulist, hasCpu } from './cpulist.ts'
import type { Domain, Vcpu } from './domain.ts'
import { isMasked, isPending, isSelected, sendVcpuVirq } from './event-channel.ts'
import type { Keyhandler } from './keyhandler.ts'
import { hex, nowWords } from './lib.ts'

/** From so many frames on they are not listed. */
const DOM_PAGES_LISTED = 10

export const keyDomains: Keyhandler = {
  key: 'q',
  help: 'dump domain (and guest debug) info',
  run(xen, key) {
    printk(xen, `'${key}' pressed -> dumping domain info (now=${nowWords(now(xen))})\n`)
    for (const domain of xen.domains.values()) {
      general(xen, domain)
      pages(xen, domain)
      printk(xen, `VCPU information and callbacks for domain ${domain.id}:\n`)
      for (const vcpu of domain.vcpus) if (vcpu) vcpuInfo(xen, vcpu)
    }
    return undefined
  },
}

/** Processors that may still hold a vCPU's state: its own, if no other vCPU has run there since. */
const dirtyCpus = (xen: Xen, of: (vcpu: Vcpu) => boolean): string =>
  cpulist(xen.pcpus.filter(({ loaded }) => loaded !== undefined && of(loaded)).map(({ id }) => id))

function general(xen: Xen, domain: Domain): void {
  const { id, totPages, xenheapPages, handle, vmAssist, irqCaps, iomemCaps, ioportCaps } = domain
  // One for being alive, one for having frames of either kind.
  const references = (domain.dead ? 0 : 1) + (totPages > 0 ? 1 : 0) + (xenheapPages > 0 ? 1 : 0)
  const uuid = Array.from(handle, (byte) => hex(byte, 2)).join('')
  const parts = [uuid.slice(0, 8), uuid.slice(8, 12), uuid.slice(12, 16), uuid.slice(16, 20), uuid.slice(20)]
  printk(xen, `General information for domain ${id}:\n`)
  printk(
    xen,
    `    refcnt=${references}${is34(xen) ? ` dying=${domain.dead ? 2 : domain.dying ? 1 : 0}` : ''} ` +
      `nr_pages=${totPages} xenheap_pages=${xenheapPages} ` +
      `dirty_cpus=${dirtyCpus(xen, (vcpu) => vcpu.domain === domain)}` +
      `${is34(xen) ? ` max_pages=${domain.maxPages}` : ''}\n`,
  )
  printk(xen, `    handle=${parts.join('-')} vm_assist=${hex(vmAssist, 8)}\n`)
  printk(xen, `Rangesets belonging to domain ${id}:\n`)
  for (const set of [irqCaps, iomemCaps, ioportCaps]) printk(xen, `    ${set.name.padEnd(10)} ${set.text()}\n`)
}

function pages(xen: Xen, { id, totPages }: Domain): void {
  const { heap } = xen
  const { owner, countInfo, typeInfo, maxPage } = heap.frames
  const line = (kind: string, mfn: number): string =>
    `    ${kind} ${hex(mfn, 16)}: caf=${hex(countInfo[mfn]!, 8)}, taf=${hex(typeInfo[mfn]!, 16)}\n`
  printk(xen, `Memory pages belonging to domain ${id}:\n`)
  if (totPages >= DOM_PAGES_LISTED) printk(xen, '    DomPage list too long to display\n')
  const xenPages: number[] = []
  for (let mfn = owner.indexOf(id); mfn >= 0 && mfn < maxPage; mfn = owner.indexOf(id, mfn + 1)) {
    if (heap.isXenHeap(mfn)) xenPages.push(mfn)
    else if (totPages < DOM_PAGES_LISTED) printk(xen, line('DomPage', mfn))
  }
  for (const mfn of xenPages) printk(xen, line('XenPage', mfn))
}

function vcpuInfo(xen: Xen, vcpu: Vcpu): void {
  const { mem } = xen
  const { evtchn_upcall_pending: pending, evtchn_upcall_mask: mask } = vcpu_info.fields
  const affinity = cpulist(Array.from({ length: NR_CPUS }, (_, id) => id).filter((id) => hasCpu(vcpu.affinity, id)))
  printk(
    xen,
    `    VCPU${vcpu.id}: CPU${vcpu.processor} [has=${vcpu.running ? 'T' : 'F'}] flags=${hex(vcpu.pauseFlags)} ` +
      `${is34(xen) ? `poll=${vcpu.polling ? vcpu.pollPort : 0} ` : ''}` +
      `upcall_pend = ${hex(pending.get(mem, vcpu.infoAt), 2)}, upcall_mask = ${hex(mask.get(mem, vcpu.infoAt), 2)} ` +
      `dirty_cpus=${dirtyCpus(xen, (loaded) => loaded === vcpu)} cpu_affinity=${affinity}\n`,
  )
  const { periodicNs } = vcpu
  printk(
    xen,
    periodicNs === 0
      ? '    No periodic timer\n'
      : `    ${Math.floor(1e9 / periodicNs)} Hz periodic timer (period ${Math.floor(periodicNs / 1e6)} ms)\n`,
  )
  const port = vcpu.virqPorts[VIRQ_DEBUG]!
  const bit = (set: boolean): number => (set ? 1 : 0)
  const state = [isPending(xen, vcpu.domain, port), isMasked(xen, vcpu.domain, port), isSelected(xen, vcpu, port)]
  printk(xen, `    Notifying guest (virq ${VIRQ_DEBUG}, port ${port}, stat ${state.map(bit).join('/')})\n`)
  sendVcpuVirq(xen, vcpu, VIRQ_DEBUG)
}
