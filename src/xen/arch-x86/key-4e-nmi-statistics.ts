/** Key N: NMIs taken, by processor (nmi.c, do_nmi_stats). */

import type { Keyhandler } from '../common/keyhandler.ts'
import { dec } from '../common/lib.ts'
import { printk } from '../xen.ts'

export const keyNmiStatistics: Keyhandler = {
  key: 'N',
  help: 'NMI statistics',
  run(xen) {
    printk(xen, 'CPU\tNMI\n')
    for (const pcpu of xen.pcpus) printk(xen, `${dec(pcpu.id, 3, ' ')}\t${dec(pcpu.nmis, 3, ' ')}\n`)
    const first = xen.domains.get(0)?.vcpus[0]
    // A guest has it masked only while it is in its handler, and then it runs: nobody gets to see that.
    if (first)
      printk(xen, first.nmiPending ? 'dom0 vpu0: NMI pending \n' : 'dom0 vcpu0: NMI neither pending nor masked\n')
    return undefined
  },
}
