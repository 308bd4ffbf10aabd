/** Key c: the processors' sleep states (cpu_idle.c, dump_cx). Nobody has told Xen of any: it halts, and that is all. */
import type { Keyhandler } from '../common/keyhandler.ts'
import { printk } from '../xen.ts'

/** The default of max_cstate=. */
const MAX_CSTATE = 2

export const keyCx: Keyhandler = {
  key: 'c',
  help: 'dump cx structures',
  run(xen) {
    for (const { id, online } of xen.pcpus) {
      if (!online) continue
      printk(xen, `==cpu${id}==\nactive state:\t\tC-1\nmax_cstate:\t\tC${MAX_CSTATE}\n`)
      printk(xen, 'bus master activity:\t00000000\nstates:\n')
    }
    return undefined
  },
}
