/** Key Q: the PCI devices that dom0 has told of (drivers/passthrough/pci.c, dump_pci_devices). */
import type { Keyhandler } from '../common/keyhandler.ts'
import { hex } from '../common/lib.ts'
import { printk } from '../xen.ts'

export const keyPciDevices: Keyhandler = {
  key: 'Q',
  help: 'dump PCI devices',
  run(xen) {
    printk(xen, '==== PCI devices ====\n')
    for (const { bus, devfn, domain } of xen.pciDevices)
      printk(
        xen,
        `${hex(bus, 2)}:${hex(devfn >> 3, 2)}.${hex(devfn & 7)} - dom ${String(domain).padEnd(3)} - MSIs < >\n`,
      )
    return undefined
  },
}
