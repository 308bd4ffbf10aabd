/**
 * The way to xenstored (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_probe.c, xenbus_probe_init). The first domain starts before its daemon: its kernel
 * makes the page and the port, shows both in /proc/xen, and waits to be notified. Any other domain gets both from who built it.
 */
import { EINVAL } from '#abi/posix/errno.ts'
import { PAGE_SIZE, unsignedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { __HYPERVISOR_update_va_mapping, DOMID_SELF, start_info, UVMF_INVLPG } from '#abi/xen/xen.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { fail } from '../errno.ts'
import { FIX_STORE } from '../init/hypervisor.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { PAGE_KERNEL } from '../mm/allocator.ts'
import type { FileOps } from '../vfs/file.ts'
import { StoreRing } from './comms.ts'
import { xenbusDevice } from './dev.ts'
import { XenbusProbe } from './probe.ts'
import { XenstoreClient } from './store.ts'

/** xenbus_probe_init; then, in a domain whose xenstored is there, the devices. */
export const xenbusInit: Initcall = function* xenbusInit(kernel) {
  const link = kernel.dom0 ? ownPage(kernel) : givenPage(kernel)
  if (!link) return
  const ring = new StoreRing(kernel, link.page, () => kernel.irq.notify(link.port))
  const store = new XenstoreClient(kernel, ring)
  const xenbus = new XenbusProbe(kernel, store)
  kernel.xenbus = xenbus
  link.onEvent = () => {
    // wake_waiting: the daemon's first sign of life.
    if (!store.ready) xenbus.begin()
    ring.changed.wakeUp()
  }
  kernel.proc.add('xen/xenbus', { mode: 0o400, ops: () => xenbusDevice(kernel, store) })
  store.start()
  if (!kernel.dom0) xenbus.begin()
}

interface Link {
  readonly page: Vaddr
  readonly port: number
  onEvent: () => void
}

/** start_info's. Undefined: this domain was built without a store. */
function givenPage({ mem, startInfo, vcpu, irq }: Kernel): Link | undefined {
  const port = start_info.fields.store_evtchn.get(mem, startInfo)
  const mfn = start_info.fields.store_mfn.get(mem, startInfo)
  if (port === 0 || mfn === 0) return undefined
  const page = FIX_STORE
  const error = vcpu.hypercall(__HYPERVISOR_update_va_mapping, page, mfn * PAGE_SIZE + PAGE_KERNEL, UVMF_INVLPG)
  if (error !== 0) return undefined
  const link: Link = { page, port, onEvent: () => {} }
  irq.bindPort(port, 'xenbus', () => link.onEvent())
  return link
}

/** dom0's: a zeroed page and a port for the daemon. */
function ownPage(kernel: Kernel): Link | undefined {
  const { pages, irq, proc } = kernel
  const pfn = pages.allocNow('kernel')
  if (pfn === undefined) return undefined
  pages.zero(pfn)
  const page = pages.va(pfn)
  const port = irq.bindListening(0, 'xenbus', () => link.onEvent())
  const link: Link = { page, port, onEvent: () => {} }
  proc.add('xen/xsd_kva', {
    mode: 0o600,
    ops: (): FileOps => ({
      *read(_file, count, offset) {
        return bytesOfString(`0x${unsignedVaddr(page).toString(16)}`).subarray(offset, offset + count)
      },
      *mmap(_file, vma) {
        if (vma.pages !== 1 || vma.offset !== 0) fail(EINVAL)
        const error = vma.insert(0, pages.mfn(pfn), DOMID_SELF)
        if (error < 0) fail(-error)
      },
    }),
  })
  proc.add('xen/xsd_port', { mode: 0o400, read: () => String(port) })
  return link
}
