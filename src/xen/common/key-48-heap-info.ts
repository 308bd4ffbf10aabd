/** Key H: free pages of every zone (page_alloc.c, dump_heap). One NUMA node. */
import { now, printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'
import { nowWords } from './lib.ts'

export const keyHeapInfo: Keyhandler = {
  key: 'H',
  help: 'dump heap info',
  run(xen, key) {
    printk(xen, `'${key}' pressed -> dumping heap info (now-${nowWords(now(xen))})\n`)
    for (const [zone, pages] of xen.heap.avail.entries()) printk(xen, `heap[node=0][zone=${zone}] -> ${pages} pages\n`)
    return undefined
  },
}
