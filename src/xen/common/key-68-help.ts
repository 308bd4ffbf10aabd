/** Key h: which keys there are. */
import { printk } from '../xen.ts'
import type { Keyhandler } from './keyhandler.ts'
import { hex } from './lib.ts'

export const keyHelp: Keyhandler = {
  key: 'h',
  help: 'show this message',
  run(xen, key) {
    printk(xen, `'${key}' pressed -> showing installed handlers\n`)
    for (const [code, handler] of xen.keyTable) {
      if (handler.present?.(xen) === false) continue
      const letter = code < 33 || code > 126 ? ' ' : handler.key
      printk(xen, ` key '${letter}' (ascii '${hex(code, 2)}') => ${handler.help}\n`)
    }
    return undefined
  },
}
