/** Key c: the processors' sleep states (cpu_idle.c, dump_cx). Nobody has told Xen of any: it halts, and that is all. */
import type { Keyhandler } from '../common/keyhandler.ts'
import { is34 } from '../config.ts'
import { printk } from '../xen.ts'

export const keyCx: Keyhandler = {
  key: 'c',
  help: 'dump cx structures',
  run(xen) {
    // 3.4 knows of none at all until dom0 tells.
    if (is34(xen)) return undefined
    for (const { id, online } of xen.pcpus) {
      if (!online) continue
      printk(xen, `==cpu${id}==\nactive state:\t\tC-1\nmax_cstate:\t\tC${xen.options.maxCstate}\n`)
      printk(xen, 'bus master activity:\t00000000\nstates:\n')
    }
    return undefined
  },
}
