/** Key n: send this processor an NMI (nmi.c, do_nmi_trigger). */

import type { Keyhandler } from '../common/keyhandler.ts'
import { hex } from '../common/lib.ts'
import { printk } from '../xen.ts'

export const keyTriggerNmi: Keyhandler = {
  key: 'n',
  help: 'trigger an NMI',
  run(xen) {
    const { apic } = xen.current
    printk(xen, `Triggering NMI on APIC ID ${hex(apic.id)}\n`)
    apic.nmi(apic.id)
    return undefined
  },
}
