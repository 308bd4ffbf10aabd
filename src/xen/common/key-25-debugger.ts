/** Key %: into the debugger, if there were one (keyhandler.c, do_debug_key). */
import { printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'

export const keyDebugger: Keyhandler = {
  key: '%',
  help: 'Trap to xendbg',
  irqCallback: true,
  run(xen, key) {
    printk(xen, `'${key}' pressed -> trapping into debugger\n`)
    return undefined
  },
}
