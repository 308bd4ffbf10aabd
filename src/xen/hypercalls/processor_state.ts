/**
 * stack_switch (3), fpu_taskswitch (5), set_debugreg (8), get_debugreg (9), set_segment_base (25), iret (23): registers of the vCPU's
 * processor (xen/arch/x86/traps.c, x86_64/mm.c, x86_64/traps.c).
 */
import { RAX, SEG_FS, SEG_GS } from '#abi/pc/ring3.ts'
import {
  FIRST_RESERVED_GDT_ENTRY,
  SEGBASE_FS,
  SEGBASE_GS_KERNEL,
  SEGBASE_GS_USER,
  SEGBASE_GS_USER_SEL,
} from '#abi/xen/arch-x86.ts'
import { EFAULT, EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE, unsignedVaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { DESCRIPTORS_PER_PAGE, XEN_DESCRIPTORS } from '../arch-x86/descriptors.ts'
import { contextOf, getDebugreg, setDebugreg, setTaskSwitched } from '../arch-x86/guest-context.ts'
import {
  isX86,
  setSegmentBase as loadSegmentBase,
  regNumber,
  segmentBase,
  type X86Vcpu,
} from '../arch-x86/guest-regs.ts'
import { doIret } from '../arch-x86/iret.ts'
import { isCanonical } from '../arch-x86/uaccess.ts'
import { domainCrash } from '../common/domain-shutdown.ts'
import { guestLog } from '../common/guest-log.ts'
import { XENLOG_ERR } from '../drivers/console.ts'
import { type Call, orEfault } from './op-table.ts'

const { fields } = vcpu_guest_context

const word = (value: number): bigint => BigInt.asUintN(64, BigInt(value))

export function stackSwitch({ vcpu }: Call, [ss = 0, sp = 0]: readonly number[]): number {
  const context = contextOf(vcpu)
  fields.kernel_ss.set(context, 0, word(ss) | 3n)
  fields.kernel_sp.set(context, 0, sp)
  return 0
}

export function fpuTaskswitch({ vcpu }: Call, [set = 0]: readonly number[]): number {
  setTaskSwitched(vcpu, (set | 0) !== 0)
  return 0
}

export const doSetDebugreg = ({ vcpu }: Call, [reg = 0, value = 0]: readonly number[]): number =>
  setDebugreg(vcpu, reg | 0, word(value))

export const doGetDebugreg = ({ vcpu }: Call, [reg = 0]: readonly number[]): number => getDebugreg(vcpu, reg | 0)

export function setSegmentBase(call: Call, [which = 0, base = 0]: readonly number[]): number {
  const { vcpu } = call
  const field = {
    [SEGBASE_FS]: fields.fs_base,
    [SEGBASE_GS_USER]: fields.gs_base_user,
    [SEGBASE_GS_KERNEL]: fields.gs_base_kernel,
  }[which >>> 0]
  if (field) {
    // The processor does not take such a base.
    if (!isCanonical(base)) return -EFAULT
    field.set(contextOf(vcpu), 0, base)
    // It is its kernel that calls: the base for its user mode waits in the context.
    if (isX86(vcpu) && field !== fields.gs_base_user)
      loadSegmentBase(vcpu, field === fields.fs_base ? SEG_FS : SEG_GS, unsignedVaddr(base))
    return 0
  }
  if (which >>> 0 !== SEGBASE_GS_USER_SEL) return -EINVAL
  const selector = base & 0xffff
  if (isX86(vcpu)) {
    loadUserGs(vcpu, selector)
    return 0
  }
  vcpu.gsUserSelector = loadable(call, selector) ? selector : 0
  fields.gs.set(contextOf(vcpu), 0, vcpu.gsUserSelector)
  return 0
}

/** SWAPGS, the selector or else null, SWAPGS. */
function loadUserGs(vcpu: X86Vcpu, selector: number): void {
  const kernelBase = segmentBase(vcpu, SEG_GS)
  if (!vcpu.ring3.loadSegment(SEG_GS, selector)) vcpu.ring3.loadSegment(SEG_GS, 0)
  contextOf(vcpu).write64(fields.gs_base_user.offset, segmentBase(vcpu, SEG_GS))
  loadSegmentBase(vcpu, SEG_GS, kernelBase)
}

/** Whether a data segment register takes the selector: null, or of data or code that can be read, and not too high for who asks. */
function loadable({ xen, vcpu, mem }: Call, selector: number): boolean {
  const index = selector >> 3
  if (selector <= 3) return true
  const context = contextOf(vcpu)
  let high = 0
  if (selector & 4) {
    if (BigInt(index) >= fields.ldt_ents.get(context, 0)) return false
    const page = fields.ldt_base.get(context, 0) + Math.floor(index / DESCRIPTORS_PER_PAGE) * PAGE_SIZE
    const fault = orEfault(() => {
      high = mem.read32(page + (index % DESCRIPTORS_PER_PAGE) * 8 + 4)
      return 0
    })
    if (fault !== 0) return false
  } else if (index >= FIRST_RESERVED_GDT_ENTRY) high = XEN_DESCRIPTORS[index - FIRST_RESERVED_GDT_ENTRY - 1] ?? 0
  else {
    const mfn = vcpu.gdtFrames[Math.floor(index / DESCRIPTORS_PER_PAGE)]
    if (mfn !== undefined) high = xen.mem.read32(mfn * PAGE_SIZE + (index % DESCRIPTORS_PER_PAGE) * 8 + 4)
  }
  const present = (high & 0x9000) === 0x9000
  const readable = (high & 0x0800) === 0 || (high & 0x0200) !== 0
  return present && readable && ((high >> 13) & 3) >= (selector & 3)
}

/**
 * A module vCPU has no stack that a frame could be popped from, no user mode to go to, and nothing that could go on at another address. To a
 * guest whose RSP leads nowhere the real one does this.
 */
export function iret({ xen, vcpu }: Call): number {
  if (isX86(vcpu)) {
    doIret(xen, vcpu)
    return regNumber(vcpu, RAX)
  }
  guestLog(xen, XENLOG_ERR, 'traps.c:273', 'Fault while reading IRET context from guest stack')
  guestLog(xen, XENLOG_ERR, 'traps.c:318', 'Fatal error')
  domainCrash(xen, vcpu, 'iret without a stack')
  return -EFAULT
}
