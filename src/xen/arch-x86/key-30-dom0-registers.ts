/** Key 0: dom0's vCPUs (keyhandler.c, dump_dom0_registers). */
import type { Keyhandler } from '../common/keyhandler.ts'
import { printk } from '../xen.ts'
import { showGuest, showHeader } from './execution-state.ts'

export const keyDom0Registers: Keyhandler = {
  key: '0',
  help: 'dump Dom0 registers',
  run(xen, key) {
    const dom0 = xen.domains.get(0)
    if (!dom0) return undefined
    printk(xen, `'${key}' pressed -> dumping Dom0's registers\n`)
    for (const vcpu of dom0.vcpus) {
      if (!vcpu) continue
      printk(xen, `*** Dumping Dom0 vcpu#${vcpu.id} state: ***\n`)
      if (vcpu === xen.current.curr) showHeader(xen, xen.current.id)
      showGuest(xen, vcpu)
    }
    return undefined
  },
}
