/** Key u: which frames lie in which node (numa.c, dump_numa). There is one. */
import type { Keyhandler } from '../common/keyhandler.ts'
import { nowWords } from '../common/lib.ts'
import { now, printk } from '../xen.ts'

export const keyNuma: Keyhandler = {
  key: 'u',
  help: 'dump numa info',
  run(xen, key) {
    printk(xen, `'${key}' pressed -> dumping numa info (now-${nowWords(now(xen))})\n`)
    printk(xen, `idx0 -> NODE0 start->0 size->${xen.maxPage}\n`)
    printk(xen, 'phys_to_nid(0000000000001000) -> 0 should be 0\n')
    for (const { id, online } of xen.pcpus) if (online) printk(xen, `CPU${id} -> NODE0\n`)
    printk(xen, 'Memory location of each domain:\n')
    for (const { id, totPages } of xen.domains.values()) {
      printk(xen, `Domain ${id} (total: ${totPages}):\n`)
      printk(xen, `    Node 0: ${totPages}\n`)
    }
    return undefined
  },
}
