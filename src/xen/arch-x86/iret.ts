/** xen/arch/x86/x86_64/traps.c, do_iret: hypercall 23, the way back from a bounce frame. */
import { R11, RAX, RCX, RSP } from '#abi/pc/ring3.ts'
import { iret_context, VGCF_in_syscall } from '#abi/xen/arch-x86.ts'
import { vcpu_info } from '#abi/xen/xen.ts'
import { domainCrash } from '../common/domain-shutdown.ts'
import { guestLog } from '../common/guest-log.ts'
import { XENLOG_ERR } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { toggleGuestMode } from './entry.ts'
import { regNumber, setReg, setRflags, setRipWord, X86_EFLAGS_IF, type X86Vcpu } from './guest-regs.ts'
import { GuestPageFault } from './mm.ts'

/** Its result is the RAX of the frame. */
export function doIret(xen: Xen, vcpu: X86Vcpu): void {
  let saved: ReturnType<typeof iret_context.read>
  try {
    saved = iret_context.read(vcpu.mem, regNumber(vcpu, RSP))
  } catch (thrown) {
    if (!(thrown instanceof GuestPageFault)) throw thrown
    guestLog(xen, XENLOG_ERR, 'traps.c:273', 'Fault while reading IRET context from guest stack')
    crash(xen, vcpu)
    return
  }
  const { frame } = vcpu
  const cs = Number(saved.cs & 0xffffn)
  if ((cs & 3) === 3) {
    if (vcpu.userRoot === 0) {
      guestLog(xen, XENLOG_ERR, 'traps.c:283', 'Guest switching to user mode with no user page tables')
      crash(xen, vcpu)
      return
    }
    toggleGuestMode(vcpu)
  }
  const flags = Number(saved.rflags & 0xffffffffn)
  setRipWord(vcpu, saved.rip)
  setRflags(vcpu, flags)
  setReg(vcpu, RSP, saved.rsp)
  frame.cs = cs | 3
  frame.ss = Number(saved.ss & 0xffffn) | 3
  frame.sysret = (saved.flags & BigInt(VGCF_in_syscall)) !== 0n
  if (!frame.sysret) {
    setReg(vcpu, R11, saved.r11)
    setReg(vcpu, RCX, saved.rcx)
  }
  vcpu.inNmi = false
  vcpu_info.fields.evtchn_upcall_mask.set(xen.mem, vcpu.infoAt, (flags & X86_EFLAGS_IF) === 0 ? 1 : 0)
  setReg(vcpu, RAX, saved.rax)
}

function crash(xen: Xen, vcpu: X86Vcpu): void {
  guestLog(xen, XENLOG_ERR, 'traps.c:318', 'Fatal error')
  domainCrash(xen, vcpu)
}
