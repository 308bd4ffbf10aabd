/** Key m: free memory by heap and zone (page_alloc.c, pagealloc_keyhandler). */
import { PAGE_SHIFT } from '#abi/xen/types.ts'
import { printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'
import { dec } from './lib.ts'
import { MEMZONE_XEN, NR_ZONES } from './page-alloc.ts'

export const keyMemoryInfo: Keyhandler = {
  key: 'm',
  help: 'memory info',
  run(xen) {
    const { heap } = xen
    const kib = (pages: number): number => pages * 4
    printk(xen, 'Physical memory information:\n')
    printk(xen, `    Xen heap: ${kib(heap.availHeapPages(MEMZONE_XEN, MEMZONE_XEN))}kB free\n`)
    let total = 0
    for (let zone = MEMZONE_XEN + 1; zone < NR_ZONES; zone++) {
      if (zone + PAGE_SHIFT === xen.options.dmaBits) {
        printk(xen, `    DMA heap: ${kib(total)}kB free\n`)
        total = 0
      }
      const free = heap.availHeapPages(zone, zone)
      if (free === 0) continue
      total += free
      printk(xen, `    heap[${dec(zone, 2)}]: ${kib(free)}kB free\n`)
    }
    printk(xen, `    Dom heap: ${kib(total)}kB free\n`)
    return undefined
  },
}
