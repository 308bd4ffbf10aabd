/** Key a: what each processor will be woken for (timer.c, dump_timerq). A timer has a name here where life prints two addresses. */
import { now, printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'
import { dec, HEX } from './lib.ts'

const words = (ns: number): string => `0x${HEX(Math.floor(ns / 2 ** 32), 8)}${HEX(Math.floor(ns % 2 ** 32), 8)}`

export const keyTimers: Keyhandler = {
  key: 'a',
  help: 'dump timer queues',
  run(xen) {
    printk(xen, `Dumping timer queues: NOW=${words(now(xen))}\n`)
    for (const { id, online, timers } of xen.pcpus) {
      if (!online) continue
      printk(xen, `CPU[${dec(id, 2)}] `)
      for (const [i, { name, expiresNs }] of timers.all().entries())
        printk(xen, `  ${i + 1} : ${name} ex=${words(expiresNs)}\n`)
      printk(xen, '\n')
    }
    return undefined
  },
}
