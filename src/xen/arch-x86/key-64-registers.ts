/** Key d: what each processor is doing (keyhandler.c, dump_registers). */
import type { Keyhandler } from '../common/keyhandler.ts'
import { printk, type Xen } from '../xen.ts'
import { showGuest, showHeader, showHypervisor } from './execution-state.ts'
import type { Pcpu } from './pcpu.ts'

export const keyRegisters: Keyhandler = {
  key: 'd',
  help: 'dump registers',
  irqCallback: true,
  run(xen, key) {
    // Everything that can be got out is wanted.
    xen.console.startSync()
    printk(xen, `'${key}' pressed -> dumping registers\n`)
    const self = xen.current
    dump(xen, self)
    for (const pcpu of xen.pcpus) if (pcpu.online && pcpu !== self) dump(xen, pcpu)
    printk(xen, '\n')
    xen.console.endSync()
    return undefined
  },
}

function dump(xen: Xen, pcpu: Pcpu): void {
  printk(xen, `\n*** Dumping CPU${pcpu.id} host state: ***\n`)
  showHypervisor(xen, pcpu)
  printk(xen, `*** Dumping CPU${pcpu.id} guest state: ***\n`)
  if (!pcpu.curr) printk(xen, 'No guest context (CPU is idle).\n')
  else {
    showHeader(xen, pcpu.id)
    showGuest(xen, pcpu.curr)
  }
}
