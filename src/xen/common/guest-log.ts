/** gdprintk (xen/include/xen/config.h): what a guest has done wrong, for guest_loglvl to show or to drop. */
import { XENLOG_GUEST } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'

/** `where` is the real file and line. No guest runs: d32767 is the idle domain. */
export function guestLog(xen: Xen, level: string, where: string, text: string): void {
  printk(xen, `${XENLOG_GUEST}${level}${where}:d${xen.current.curr?.domain.id ?? 32767} ${text}\n`)
}
