/** xen/arch/x86/traps.c: non-maskable interrupts. */
import { PORT_B } from '#abi/pc/i8254.ts'
import { XEN_NMIREASON_io_error, XEN_NMIREASON_parity_error, XEN_NMIREASON_unknown } from '#abi/xen/nmi.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { shared_info } from '#abi/xen/xen.ts'
import { hex } from '../common/lib.ts'
import { printk, type Xen } from '../xen.ts'
import type { Pcpu } from './pcpu.ts'

const REASON_PARITY = 0x80
const REASON_IO_CHECK = 0x40

/** do_nmi. Only the boot processor's LINT1 is connected; an NMI by IPI on another is counted and no more. */
export function doNmi(xen: Xen, pcpu: Pcpu): void {
  if (pcpu.id !== 0) return
  const reason = pcpu.metal.io.in8(PORT_B)
  const report =
    reason & REASON_PARITY
      ? XEN_NMIREASON_parity_error
      : reason & REASON_IO_CHECK
        ? XEN_NMIREASON_io_error
        : XEN_NMIREASON_unknown
  switch (xen.options.nmi[0]) {
    case 'd':
      reportToDom0(xen, report)
      return
    case 'i':
      return
    default:
      printk(xen, `Uhhuh. NMI received for unknown reason ${hex(reason, 2)}.\n`)
      printk(xen, 'Dazed and confused, but trying to continue\n')
      printk(xen, 'Do you have a strange power saving mode enabled?\n')
  }
}

/** nmi_dom0_report: into its shared page. Its NMI callback is entered once a guest can register one. */
function reportToDom0(xen: Xen, reason: number): void {
  const dom0 = xen.domains.get(0)
  if (!dom0?.vcpus[0]) return
  const at = dom0.sharedInfo * PAGE_SIZE
  shared_info.fields.nmi_reason.set(xen.mem, at, shared_info.fields.nmi_reason.get(xen.mem, at) | BigInt(reason))
}
