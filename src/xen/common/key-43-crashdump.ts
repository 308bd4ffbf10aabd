/** Key C: hand over to the crash kernel (kexec.c). None can be loaded here (hypercalls/kexec_op.ts). */
import { printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'

export const keyCrashdump: Keyhandler = {
  key: 'C',
  help: 'trigger a crashdump',
  run(xen, key) {
    printk(xen, `'${key}' pressed -> triggering crashdump\n`)
    printk(xen, ' * no crash kernel loaded!\n')
    return undefined
  },
}
