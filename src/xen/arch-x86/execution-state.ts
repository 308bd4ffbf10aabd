/**
 * xen/arch/x86/x86_64/traps.c, show_registers. Neither this hypervisor nor a kernel made of modules has registers: in the frame that life
 * fills with them stands what is true of the processor instead.
 */

import type { Vcpu } from '../common/domain.ts'
import { taintedText } from '../common/kernel.ts'
import { XEN_EXTRAVERSION, XEN_SUBVERSION, XEN_VERSION } from '../compile.ts'
import { printk, type Xen } from '../xen.ts'

/** `----[ Xen-3.3.0  x86_64  debug=n  Not tainted ]----` and the processor. */
export function showHeader(xen: Xen, cpu: number): void {
  printk(
    xen,
    `----[ Xen-${XEN_VERSION}.${XEN_SUBVERSION}${XEN_EXTRAVERSION}  x86_64  debug=n  ${taintedText(xen.tainted)} ]----\n`,
  )
  printk(xen, `CPU:    ${cpu}\n`)
}

export function showHypervisor(xen: Xen, cpu: number): void {
  showHeader(xen, cpu)
  printk(xen, 'CONTEXT: hypervisor\n')
}

/** Whose turn it is, and the image that it runs. */
export function showGuest(xen: Xen, vcpu: Vcpu): void {
  const code = vcpu.code ? `${vcpu.code.loaded.name}, made of modules: no registers` : 'not initialised'
  printk(xen, `CONTEXT: pv guest   d${vcpu.domain.id}:v${vcpu.id}   ${code}\n`)
}
