/** Keys O and S of a debug build (mm/shadow/common.c). Shadow page tables are for migration and for HVM: no domain here has any. */
import type { Keyhandler } from '../common/keyhandler.ts'
import { printk, type Xen } from '../xen.ts'

const present = ({ build }: Xen): boolean => build.debug

export const keyShadowAudits: Keyhandler = {
  key: 'O',
  help: 'toggle shadow audits',
  present,
  run(xen) {
    xen.shadowAudits = !xen.shadowAudits
    printk(xen, `shadow_audit_key shadow_audit_enable=${xen.shadowAudits ? 1 : 0}\n`)
    return undefined
  },
}

export const keyShadowTables: Keyhandler = {
  key: 'S',
  help: 'reset shadow pagetables',
  present,
  run(xen, key) {
    printk(xen, `'${key}' pressed -> blowing all shadow tables\n`)
    return undefined
  },
}
