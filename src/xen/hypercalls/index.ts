/** The hypercall table (xen/arch/x86/x86_64/entry.S): a number without a row is -ENOSYS. */
import { R8, R9, R10, RAX, RDI, RDX, RSI } from '#abi/pc/ring3.ts'
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import {
  __HYPERVISOR_callback_op,
  __HYPERVISOR_console_io,
  __HYPERVISOR_domctl,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_fpu_taskswitch,
  __HYPERVISOR_get_debugreg,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_hvm_op,
  __HYPERVISOR_iret,
  __HYPERVISOR_kexec_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_nmi_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_physdev_op_compat,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_sched_op_compat,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_set_debugreg,
  __HYPERVISOR_set_gdt,
  __HYPERVISOR_set_segment_base,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_set_trap_table,
  __HYPERVISOR_stack_switch,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_descriptor,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  __HYPERVISOR_vcpu_op,
  __HYPERVISOR_vm_assist,
  __HYPERVISOR_xen_version,
  __HYPERVISOR_xenoprof_op,
  __HYPERVISOR_xsm_op,
} from '#abi/xen/xen.ts'
import { __HYPERVISOR_mca } from '#abi/xen/xen-mca.ts'
import {
  isX86,
  reg32,
  regHigh,
  regNumber,
  rip,
  setRegNumber,
  signedWord,
  type X86Vcpu,
} from '../arch-x86/guest-regs.ts'
import { doIret } from '../arch-x86/iret.ts'
import type { Vcpu } from '../common/domain.ts'
import { traceEntry } from '../common/trace.ts'
import { traceHypercall } from '../common/tracer.ts'
import type { Xen } from '../xen.ts'
import { callbackOp, nmiOp, setCallbacks } from './callback_op.ts'
import { eventChannelOpCompat, physdevOpCompat, schedOpCompat } from './compat.ts'
import { consoleIo } from './console_io.ts'
import { domctl } from './domctl.ts'
import { eventChannelOp } from './event_channel_op.ts'
import { grantTableOp } from './grant_table_op.ts'
import { hvmOp } from './hvm_op.ts'
import { kexecOp } from './kexec_op.ts'
import { mca } from './mca.ts'
import { memoryOp } from './memory_op.ts'
import { mmuUpdate, updateVaMapping, updateVaMappingOtherdomain } from './mmu.ts'
import { mmuextOp } from './mmuext.ts'
import { multicall } from './multicall.ts'
import { type Hypercall, orEfault } from './op-table.ts'
import { physdevOp } from './physdev_op.ts'
import { platformOp } from './platform_op.ts'
import { doGetDebugreg, doSetDebugreg, fpuTaskswitch, iret, setSegmentBase, stackSwitch } from './processor_state.ts'
import { givesWay, schedOp } from './sched_op.ts'
import { doSetGdt, doUpdateDescriptor } from './set_gdt.ts'
import { setTimerOp } from './set_timer_op.ts'
import { setTrapTable } from './set_trap_table.ts'
import { sysctl } from './sysctl.ts'
import { vcpuOp } from './vcpu_op.ts'
import { vmAssist } from './vm_assist.ts'
import { byWords, type Words } from './words.ts'
import { xenVersion } from './xen_version.ts'
import { xenoprofOp } from './xenoprof_op.ts'

const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9]
/** Of no hypercall. */
const NO_HYPERCALL = 0xffffffff

/** More arguments than a hypercall has registers for are ignored. */
export const HYPERCALL_ARGS_MAX = 6

const table: Readonly<Record<number, Hypercall>> = {
  [__HYPERVISOR_set_trap_table]: setTrapTable,
  [__HYPERVISOR_mmu_update]: mmuUpdate,
  [__HYPERVISOR_set_gdt]: doSetGdt,
  [__HYPERVISOR_stack_switch]: stackSwitch,
  [__HYPERVISOR_set_callbacks]: setCallbacks,
  [__HYPERVISOR_fpu_taskswitch]: fpuTaskswitch,
  [__HYPERVISOR_sched_op_compat]: schedOpCompat,
  [__HYPERVISOR_platform_op]: platformOp,
  [__HYPERVISOR_set_debugreg]: doSetDebugreg,
  [__HYPERVISOR_get_debugreg]: doGetDebugreg,
  [__HYPERVISOR_update_descriptor]: doUpdateDescriptor,
  [__HYPERVISOR_memory_op]: memoryOp,
  [__HYPERVISOR_multicall]: (call, args) => multicall(call, args, table),
  [__HYPERVISOR_update_va_mapping]: updateVaMapping,
  [__HYPERVISOR_update_va_mapping_otherdomain]: updateVaMappingOtherdomain,
  [__HYPERVISOR_set_timer_op]: setTimerOp,
  [__HYPERVISOR_event_channel_op_compat]: eventChannelOpCompat,
  [__HYPERVISOR_physdev_op_compat]: physdevOpCompat,
  [__HYPERVISOR_grant_table_op]: grantTableOp,
  [__HYPERVISOR_vm_assist]: vmAssist,
  [__HYPERVISOR_iret]: iret,
  [__HYPERVISOR_vcpu_op]: vcpuOp,
  [__HYPERVISOR_set_segment_base]: setSegmentBase,
  [__HYPERVISOR_mmuext_op]: mmuextOp,
  [__HYPERVISOR_nmi_op]: nmiOp,
  [__HYPERVISOR_callback_op]: callbackOp,
  [__HYPERVISOR_event_channel_op]: eventChannelOp,
  [__HYPERVISOR_physdev_op]: physdevOp,
  [__HYPERVISOR_xen_version]: xenVersion,
  [__HYPERVISOR_console_io]: consoleIo,
  [__HYPERVISOR_sched_op]: schedOp,
  // Without a security module there is nothing to ask it.
  [__HYPERVISOR_xsm_op]: () => -ENOSYS,
  [__HYPERVISOR_xenoprof_op]: xenoprofOp,
  [__HYPERVISOR_hvm_op]: hvmOp,
  [__HYPERVISOR_kexec_op]: kexecOp,
  [__HYPERVISOR_mca]: mca,
  [__HYPERVISOR_sysctl]: sysctl,
  [__HYPERVISOR_domctl]: domctl,
}

/**
 * A hypercall made in the middle of the guest's code. What it throws must not pass through that code, which could catch it: it waits in
 * `vcpu.thrown` until the guest has come back.
 */
export function directHypercall(xen: Xen, vcpu: Vcpu, nr: number, args: readonly number[]): number {
  const number = Number(nr)
  const numbers = args.slice(0, HYPERCALL_ARGS_MAX).map(Number)
  // Giving the processor up is done by returning (abi/xen/guest.ts).
  if (givesWay(number, numbers[0] ?? 0)) return -EINVAL
  try {
    return vcpu.code!.loaded.serve(() => hypercall(xen, vcpu, number, numbers))
  } catch (thrown) {
    vcpu.thrown = thrown
    return -EINVAL
  }
}

/** Make a hypercall on behalf of `vcpu`. Every argument is the guest's: checked by whoever uses it. */
export function hypercall(xen: Xen, vcpu: Vcpu, nr: number, args: readonly number[]): number {
  const run = table[nr]
  if (!run) return -ENOSYS
  // What fits no register.
  for (const arg of args) if (!Number.isInteger(arg)) return -EINVAL
  const { domain } = vcpu
  traceHypercall(xen, vcpu, nr, args[0] ?? 0)
  traceEntry(xen, nr, isX86(vcpu) ? rip(vcpu) : 0)
  return orEfault(() => run({ xen, vcpu, caller: domain, mem: vcpu.mem }, args))
}

/** SYSCALL of a guest's kernel: the number is in RAX, its arguments in RDI, RSI, RDX, R10, R8 and R9, the result in RAX. */
export function guestHypercall(xen: Xen, vcpu: X86Vcpu): void {
  const nr = regHigh(vcpu, RAX) === 0 ? reg32(vcpu, RAX) : NO_HYPERCALL
  const first = regNumber(vcpu, RDI)
  if (nr === __HYPERVISOR_iret) {
    // It leaves RAX, and all the others, as its frame says.
    traceHypercall(xen, vcpu, nr, first)
    traceEntry(xen, nr, rip(vcpu))
    doIret(xen, vcpu)
    return
  }
  const words: Words = {
    low: ARGUMENTS.map((n) => reg32(vcpu, n)),
    high: ARGUMENTS.map((n) => regHigh(vcpu, n)),
  }
  setRegNumber(vcpu, RAX, wholeWords(xen, vcpu, nr, words))
}

function wholeWords(xen: Xen, vcpu: X86Vcpu, nr: number, words: Words): number {
  const inner = byWords[nr]
  if (!inner)
    return hypercall(
      xen,
      vcpu,
      nr,
      words.low.map((low, i) => signedWord(low, words.high[i]!)),
    )
  traceHypercall(xen, vcpu, nr, signedWord(words.low[0]!, words.high[0]!))
  traceEntry(xen, nr, rip(vcpu))
  return orEfault(() => inner({ xen, vcpu, caller: vcpu.domain, mem: vcpu.mem }, words))
}
