/** xen/arch/x86/traps.c: non-maskable interrupts. */
import { PORT_B } from '#abi/pc/i8254.ts'
import { XEN_NMIREASON_io_error, XEN_NMIREASON_parity_error, XEN_NMIREASON_unknown } from '#abi/xen/nmi.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { shared_info } from '#abi/xen/xen.ts'
import { hex } from '../common/lib.ts'
import { printk, type Xen } from '../xen.ts'
import { sendNmi } from './guest-context.ts'
import { watchdogTick } from './nmi.ts'
import type { Pcpu } from './pcpu.ts'
import { fatalTrap } from './shutdown.ts'

const REASON_PARITY = 0x80
const REASON_IO_CHECK = 0x40

/** do_nmi. Only the boot processor's LINT1 is connected; an NMI by IPI on another is counted and no more. */
export function doNmi(xen: Xen, pcpu: Pcpu): void {
  const { watchdog } = xen.options
  if (watchdog) watchdogTick(xen, pcpu)
  if (pcpu.id !== 0) return
  const reason = pcpu.metal.io.in8(PORT_B)
  const report =
    reason & REASON_PARITY
      ? XEN_NMIREASON_parity_error
      : reason & REASON_IO_CHECK
        ? XEN_NMIREASON_io_error
        : XEN_NMIREASON_unknown
  // The watchdog's own are not distinguished from those of unknown origin.
  if (watchdog && report === XEN_NMIREASON_unknown) return
  switch (xen.options.nmi[0]) {
    case 'd':
      reportToDom0(xen, report)
      return
    case 'i':
      return
    default:
      if (report !== XEN_NMIREASON_unknown) {
        printk(xen, `\n\nNMI - ${report === XEN_NMIREASON_io_error ? 'I/O' : 'MEMORY'} ERROR\n`)
        fatalTrap(xen, 2, 'nmi')
      }
      printk(xen, `Uhhuh. NMI received for unknown reason ${hex(reason, 2)}.\n`)
      printk(xen, 'Dazed and confused, but trying to continue\n')
      printk(xen, 'Do you have a strange power saving mode enabled?\n')
  }
}

/** nmi_dom0_report: into its shared page, and to its NMI callback. */
function reportToDom0(xen: Xen, reason: number): void {
  const dom0 = xen.domains.get(0)
  const first = dom0?.vcpus[0]
  if (!first) return
  const at = dom0.sharedInfo * PAGE_SIZE
  shared_info.fields.nmi_reason.set(xen.mem, at, shared_info.fields.nmi_reason.get(xen.mem, at) | BigInt(reason))
  sendNmi(xen, first)
}
