/** Key R: reboot at once. */
import { machineRestart } from '../arch-x86/shutdown.ts'
import { printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'

export const keyReboot: Keyhandler = {
  key: 'R',
  help: 'reboot machine',
  irqCallback: true,
  run(xen, key) {
    printk(xen, `'${key}' pressed -> rebooting machine\n`)
    return machineRestart(xen, 0)
  },
}
