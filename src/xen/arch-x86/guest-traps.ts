/** xen/arch/x86/traps.c: what a guest of machine code is stopped by, and how it hears of it: by its virtual IDT. */
import { DR6_BS, DR6_ONES } from '#abi/pc/debug-registers.ts'
import { R_TRAP_ADDRESS, R_TRAP_CODE, R_TRAP_VECTOR, R_TS } from '#abi/pc/ring3.ts'
import { TI_GET_DPL, TI_GET_IF, trap_info } from '#abi/xen/arch-x86.ts'
import { signedVaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START, VMASST_TYPE_writable_pagetables, vcpu_info } from '#abi/xen/xen.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'
import { createBounceFrame } from './entry.ts'
import { contextOf, DEBUGREG_6, setTaskSwitched, taskSwitched, trapAt } from './guest-context.ts'
import { rflags, rip, setRflags, setRip, X86_EFLAGS_RF, X86_EFLAGS_TF, type X86Vcpu } from './guest-regs.ts'
import { isSpurious, PFEC_reserved_bit, PFEC_user_mode, PFEC_write_access, showPageWalk } from './page-walk.ts'
import { emulateForcedInvalidOp, emulatePrivilegedOp } from './privileged-op.ts'
import { ptwrDoPageFault } from './ptwr.ts'
import { sysenterEntry } from './syscall-entry.ts'

export const TRAP_debug = 1
export const TRAP_nmi = 2
export const TRAP_invalid_op = 6
export const TRAP_no_device = 7
export const TRAP_gp_fault = 13
export const TRAP_page_fault = 14
const INT80 = 0x80
/** An error code's bit that says an entry of the IDT is meant. */
const IDT_BIT = 2
/** `int n` is so long. */
const INT_BYTES = 2
const BREAKPOINT = 3
const OVERFLOW = 4

const { fields } = vcpu_guest_context

/** trapstr */
const NAMES: readonly string[] = [
  'divide error',
  'debug',
  'nmi',
  'bkpt',
  'overflow',
  'bounds',
  'invalid opcode',
  'device not available',
  'double fault',
  'coprocessor segment',
  'invalid tss',
  'segment not found',
  'stack error',
  'general protection fault',
  'page fault',
  'spurious interrupt',
  'coprocessor error',
  'alignment check',
  'machine check',
  'simd error',
]
export const trapName = (vector: number): string => NAMES[vector] ?? '???'

/** do_guest_trap: into the handler that the guest has for `vector`. Without one it dies. */
export function doGuestTrap(xen: Xen, vcpu: X86Vcpu, vector: number, errorCode?: number): void {
  const { flags, address } = trap_info.read(contextOf(vcpu), trapAt(vector))
  if (address === 0)
    guestLog(
      xen,
      XENLOG_WARNING,
      'traps.c:435',
      `Unhandled ${trapName(vector)} fault/trap [#${vector}] on VCPU ${vcpu.id} [ec=${hex(errorCode ?? 0, 4)}]`,
    )
  bounce(xen, vcpu, address, (flags & TI_GET_IF) !== 0, errorCode)
}

function bounce(xen: Xen, vcpu: X86Vcpu, address: number, masks: boolean, errorCode: number | undefined): void {
  createBounceFrame(xen, vcpu, errorCode === undefined ? { address, masks } : { address, masks, errorCode })
}

/** process_nmi: into its NMI handler, if it has one. */
export function processNmi(xen: Xen, vcpu: X86Vcpu): void {
  vcpu.nmiPending = false
  const { flags, address } = trap_info.read(contextOf(vcpu), trapAt(TRAP_nmi))
  if (address === 0) {
    guestLog(xen, XENLOG_WARNING, 'traps.c:435', `Unhandled nmi fault/trap [#${TRAP_nmi}] on VCPU ${vcpu.id} [ec=0000]`)
    return
  }
  vcpu.inNmi = true
  createBounceFrame(xen, vcpu, { address, masks: (flags & TI_GET_IF) !== 0 })
}

/** instruction_done: what Xen has executed in its place is done. A guest that steps, or has breakpoints (DR6_TRAPS) that were met, hears of it. */
export function instructionDone(xen: Xen, vcpu: X86Vcpu, next: number, met = 0): void {
  setRip(vcpu, next)
  const flags = rflags(vcpu)
  setRflags(vcpu, flags & ~X86_EFLAGS_RF)
  const step = (flags & X86_EFLAGS_TF) === 0 ? 0 : DR6_BS
  if (met === 0 && step === 0) return
  const context = contextOf(vcpu)
  context.write64(DEBUGREG_6, context.read64(DEBUGREG_6) | BigInt(DR6_ONES) | BigInt(met | step))
  doGuestTrap(xen, vcpu, TRAP_debug)
}

/** propagate_page_fault */
export function propagatePageFault(xen: Xen, vcpu: X86Vcpu, address: bigint, code: number): void {
  const context = contextOf(vcpu)
  fields.ctrlreg2.set(context, 0, address)
  vcpu_info.fields.arch_cr2.set(xen.mem, vcpu.infoAt, address)
  const errorCode = (code & ~PFEC_user_mode) | (vcpu.kernelMode ? 0 : PFEC_user_mode)
  const { flags, address: handler } = trap_info.read(context, trapAt(TRAP_page_fault))
  if (handler === 0) {
    const ec = hex(errorCode, 4).toUpperCase()
    printk(xen, `d${vcpu.domain.id}:v${vcpu.id}: unhandled page fault (ec=${ec})\n`)
    showPageWalk(xen, vcpu, signedVaddr(address))
  }
  bounce(xen, vcpu, handler, (flags & TI_GET_IF) !== 0, errorCode)
  if (errorCode & PFEC_reserved_bit) {
    const ec = hex(errorCode, 4).toUpperCase()
    printk(xen, `d${vcpu.domain.id}:v${vcpu.id}: reserved bit in page table (ec=${ec})\n`)
    showPageWalk(xen, vcpu, signedVaddr(address))
  }
}

/** do_page_fault */
function doPageFault(xen: Xen, vcpu: X86Vcpu, address: bigint, code: number): void {
  const va = signedVaddr(address)
  const ours = va >= HYPERVISOR_VIRT_START && va < HYPERVISOR_VIRT_END
  if (!ours) {
    if (isSpurious(xen, vcpu, va, code)) {
      const where = `${rip(vcpu)}:${va}`
      vcpu.ring3.flushPage(va)
      // The tables say yes and the processor no, a second time: it is the guest's to find out.
      if (vcpu.spurious !== where) {
        vcpu.spurious = where
        return
      }
    }
    vcpu.spurious = ''
    if (
      vcpu.kernelMode &&
      (vcpu.domain.vmAssist & (1 << VMASST_TYPE_writable_pagetables)) !== 0 &&
      (code & (PFEC_write_access | PFEC_reserved_bit)) === PFEC_write_access &&
      ptwrDoPageFault(xen, vcpu, va)
    )
      return
  }
  propagatePageFault(xen, vcpu, address, code)
}

/** do_device_not_available: the registers are the vCPU's own, so only the guest can have forbidden them. */
function doDeviceNotAvailable(xen: Xen, vcpu: X86Vcpu): void {
  if (!taskSwitched(vcpu)) {
    vcpu.ring3.registers.write32(R_TS, 0)
    return
  }
  doGuestTrap(xen, vcpu, TRAP_no_device)
  setTaskSwitched(vcpu, false)
}

/** A fault, or a trap that is none of an instruction made for it. */
export function doException(xen: Xen, vcpu: X86Vcpu): void {
  const { registers } = vcpu.ring3
  const vector = registers.read32(R_TRAP_VECTOR)
  const code = registers.read32(R_TRAP_CODE) | 0
  switch (vector) {
    case TRAP_page_fault:
      doPageFault(xen, vcpu, registers.read64(R_TRAP_ADDRESS), code)
      return
    case TRAP_no_device:
      doDeviceNotAvailable(xen, vcpu)
      return
    case TRAP_invalid_op:
      if (emulateForcedInvalidOp(xen, vcpu)) return
      break
    case TRAP_debug:
      // do_debug: where the guest can look at it.
      contextOf(vcpu).write64(DEBUGREG_6, vcpu.ring3.debugRegister(6))
      break
  }
  doGuestTrap(xen, vcpu, vector, code < 0 ? undefined : code)
}

/** do_general_protection, of an instruction that needs another ring or IOPL. */
export function doPrivileged(xen: Xen, vcpu: X86Vcpu): void {
  if (emulatePrivilegedOp(xen, vcpu) || sysenterEntry(xen, vcpu)) return
  doGuestTrap(xen, vcpu, TRAP_gp_fault, 0)
}

/**
 * `int n`: RIP is the next instruction's. The real IDT lets `int3` and `into` through without a look at the guest's privileges, and has a gate of its own for
 * system calls; all others come in as #GP.
 */
export function doSoftwareInterrupt(xen: Xen, vcpu: X86Vcpu): void {
  const vector = vcpu.ring3.registers.read32(R_TRAP_VECTOR) & 0xff
  const { flags, address } = trap_info.read(contextOf(vcpu), trapAt(vector))
  // int80_direct_trap
  if (vector === INT80 && address !== 0) {
    createBounceFrame(xen, vcpu, { address, masks: false })
    return
  }
  const permitted = vector !== INT80 && (flags & TI_GET_DPL) >= (vcpu.kernelMode ? 1 : 3)
  const passes = vector === BREAKPOINT || vector === OVERFLOW
  // That of a fault.
  if (!passes) setRflags(vcpu, rflags(vcpu) | X86_EFLAGS_RF)
  if (passes || permitted) {
    doGuestTrap(xen, vcpu, vector)
    return
  }
  setRip(vcpu, rip(vcpu) - INT_BYTES)
  doGuestTrap(xen, vcpu, TRAP_gp_fault, (vector << 3) | IDT_BIT)
}
