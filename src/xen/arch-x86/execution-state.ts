/**
 * xen/arch/x86/x86_64/traps.c, show_registers. Neither this hypervisor nor a kernel made of modules has registers: in the frame that life
 * fills with them stands what is true of the processor instead.
 */

import type { Vcpu } from '../common/domain.ts'
import { taintedText } from '../common/kernel.ts'
import { fullVersion } from '../compile.ts'
import { printk, type Xen } from '../xen.ts'
import type { Pcpu } from './pcpu.ts'

/** `----[ Xen-3.3.0  x86_64  debug=n  Not tainted ]----` and the processor. */
export function showHeader(xen: Xen, cpu: number): void {
  printk(
    xen,
    `----[ Xen-${fullVersion(xen.build)}  x86_64  debug=${xen.build.debug ? 'y' : 'n'}  ${taintedText(xen.tainted)} ]----\n`,
  )
  printk(xen, `CPU:    ${cpu}\n`)
}

/** Xen itself on `pcpu`. `where`: the place in its source that is to blame, where life has an address and its call trace. */
export function showHypervisor(xen: Xen, pcpu: Pcpu, where?: string): void {
  showHeader(xen, pcpu.id)
  const { curr, interruptsOn } = pcpu
  printk(
    xen,
    `CONTEXT: hypervisor   ${curr ? `d${curr.domain.id}:v${curr.id}` : 'idle'}, interrupts ${interruptsOn ? 'on' : 'off'}\n`,
  )
  if (where !== undefined) printk(xen, `Xen call trace:\n   [<xen/${where.split(':')[0]}>]\n`)
}

/** Whose turn it is, and the image that it runs. */
export function showGuest(xen: Xen, vcpu: Vcpu): void {
  const code = vcpu.code ? `${vcpu.code.loaded.name}, made of modules: no registers` : 'not initialised'
  printk(xen, `CONTEXT: pv guest   d${vcpu.domain.id}:v${vcpu.id}   ${code}\n`)
}
