/**
 * xen/arch/x86/x86_64/entry.S and traps.c: how a vCPU of machine code goes between its kernel, its user mode and Xen. Kernel and user both run in ring 3: what
 * tells them apart is TF_kernel_mode, the root of the page tables and the base of GS.
 */
import { R11, RCX, RSP, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS } from '#abi/pc/ring3.ts'
import { signedVaddr, type Vaddr } from '#abi/xen/types.ts'
import {
  FLAT_KERNEL_CS,
  FLAT_KERNEL_SS,
  FLAT_USER_CS32,
  VGCF_failsafe_disables_events,
  vcpu_guest_context,
} from '#abi/xen/vcpu.ts'
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START, vcpu_info } from '#abi/xen/xen.ts'
import { domainCrash } from '../common/domain-shutdown.ts'
import type { Xen } from '../xen.ts'
import { contextOf } from './guest-context.ts'
import {
  reg,
  rflags,
  ripWord,
  segmentBase,
  selector,
  setReg,
  setRflags,
  setRip,
  setSegmentBase,
  X86_EFLAGS_AC,
  X86_EFLAGS_IF,
  X86_EFLAGS_NT,
  X86_EFLAGS_RF,
  X86_EFLAGS_TF,
  X86_EFLAGS_VM,
  type X86Vcpu,
} from './guest-regs.ts'
import { GuestPageFault } from './mm.ts'

const { fields } = vcpu_guest_context
const { evtchn_upcall_mask: upcallMask } = vcpu_info.fields

/** IA32 Ref. Vol. 3: cleared on a trap. AC too: alignment checks should not trigger in kernel mode. */
const CLEARED = X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF
/** A frame may reach so far below its end. */
const FRAME_ROOM = 60

/** Into the other mode: SWAPGS, and the other page tables. The base that is not in use waits in the context, under its own name. */
export function toggleGuestMode(vcpu: X86Vcpu): void {
  const context = contextOf(vcpu)
  const [used, wanted] = vcpu.kernelMode
    ? [fields.gs_base_kernel.offset, fields.gs_base_user.offset]
    : [fields.gs_base_user.offset, fields.gs_base_kernel.offset]
  context.write64(used, segmentBase(vcpu, SEG_GS))
  setSegmentBase(vcpu, SEG_GS, context.read64(wanted))
  vcpu.kernelMode = !vcpu.kernelMode
  vcpu.ring3.selectSpace(vcpu.kernelMode ? 0 : 1)
}

/** A trap_bounce. */
export interface Bounce {
  readonly address: Vaddr
  /** TBF_INTERRUPT: events are masked at the entry. */
  readonly masks: boolean
  /** TBF_EXCEPTION_ERRCODE. */
  readonly errorCode?: number
  /** TBF_FAILSAFE: the frame has the selectors of DS, ES, FS and GS too. */
  readonly selectors?: readonly number[]
}

/** create_bounce_frame: the guest goes on in its handler, with a frame on its kernel's stack. Without either it dies. */
export function createBounceFrame(xen: Xen, vcpu: X86Vcpu, { address, masks, errorCode, selectors }: Bounce): void {
  const { frame } = vcpu
  let stack = 0n
  if (vcpu.kernelMode) {
    stack = reg(vcpu, RSP)
    frame.cs &= ~3
  } else {
    toggleGuestMode(vcpu)
    stack = contextOf(vcpu).read64(fields.kernel_sp.offset)
  }
  const top = signedVaddr(stack & ~0xfn)
  if (top >= HYPERVISOR_VIRT_START && top < HYPERVISOR_VIRT_END + FRAME_ROOM) {
    domainCrashSynchronous(xen, vcpu)
    return
  }
  const mask = upcallMask.get(xen.mem, vcpu.infoAt)
  const flags = rflags(vcpu)
  const words = [
    reg(vcpu, RCX),
    reg(vcpu, R11),
    ...(selectors ?? []).map(BigInt),
    ...(errorCode === undefined ? [] : [BigInt(errorCode >>> 0)]),
    ripWord(vcpu),
    (BigInt(mask) << 32n) | BigInt(frame.cs),
    BigInt((flags & ~X86_EFLAGS_IF) | (mask === 0 ? X86_EFLAGS_IF : 0)),
    reg(vcpu, RSP),
    BigInt(frame.ss),
  ]
  const bytes = new BigUint64Array(words)
  const pointer = top - bytes.byteLength
  try {
    vcpu.mem.copyIn(pointer, new Uint8Array(bytes.buffer))
  } catch (thrown) {
    if (!(thrown instanceof GuestPageFault)) throw thrown
    domainCrashSynchronous(xen, vcpu)
    return
  }
  if (masks) upcallMask.set(xen.mem, vcpu.infoAt, mask | 1)
  setRflags(vcpu, flags & ~CLEARED)
  setReg(vcpu, RSP, BigInt(pointer))
  frame.sysret = true
  frame.ss = FLAT_KERNEL_SS
  frame.cs = FLAT_KERNEL_CS
  if (address === 0) domainCrashSynchronous(xen, vcpu)
  else setRip(vcpu, address)
}

/** domain_crash_synchronous */
function domainCrashSynchronous(xen: Xen, vcpu: X86Vcpu): void {
  vcpu.frame.cs |= 3
  domainCrash(xen, vcpu, 'domain_crash_sync called from entry.S')
}

/** failsafe_callback: segments that its frame or its context asks for cannot be loaded. */
export function failsafeCallback(xen: Xen, vcpu: X86Vcpu, selectors = dataSelectors(vcpu)): void {
  const context = contextOf(vcpu)
  createBounceFrame(xen, vcpu, {
    address: fields.failsafe_callback_eip.get(context, 0),
    masks: (fields.flags.get(context, 0) & BigInt(VGCF_failsafe_disables_events)) !== 0n,
    selectors,
  })
}

const dataSelectors = (vcpu: X86Vcpu): readonly number[] =>
  [SEG_DS, SEG_ES, SEG_FS, SEG_GS].map((segment) => selector(vcpu, segment))

/** restore_all_guest, up to the instruction that returns. False: IRET would fault. */
export function restoreAllGuest(vcpu: X86Vcpu): boolean {
  const { frame, ring3 } = vcpu
  if (frame.sysret) {
    setReg(vcpu, RCX, ripWord(vcpu))
    setReg(vcpu, R11, BigInt(rflags(vcpu)))
    // SYSRET does not restore it.
    setRflags(vcpu, rflags(vcpu) & ~X86_EFLAGS_RF)
    frame.cs = frame.cs === FLAT_USER_CS32 ? FLAT_USER_CS32 : FLAT_KERNEL_CS
    frame.ss = FLAT_KERNEL_SS
  }
  if (frame.stale || frame.cs !== selector(vcpu, SEG_CS)) {
    if (!ring3.loadSegment(SEG_CS, frame.cs)) return false
  }
  if (frame.stale || frame.ss !== selector(vcpu, SEG_SS)) {
    if (!ring3.loadSegment(SEG_SS, frame.ss)) return false
  }
  frame.stale = false
  return true
}
