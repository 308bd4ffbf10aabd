/**
 * v->arch.guest_context (xen/arch/x86/domain.c, domctl.c, traps.c): what a vCPU's processor would have in its registers and tables. For a
 * module vCPU nothing of it takes effect but the NMI callback, the upcall mask and the frames that its tables hold; it is checked and kept all the
 * same, and domctl's getvcpucontext shows it.
 */
import { type Mem, memOf } from '#abi/mem.ts'
import { watchedBytes } from '#abi/pc/debug-registers.ts'
import { R_TS } from '#abi/pc/ring3.ts'
import { TI_GET_IF, trap_info } from '#abi/xen/arch-x86.ts'
import { EINVAL, EPERM } from '#abi/xen/errno.ts'
import { PAGE_SIZE, signedVaddr, type Vaddr } from '#abi/xen/types.ts'
import { FLAT_KERNEL_CS, VGCF_online, vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { shared_info } from '#abi/xen/xen.ts'
import { type Vcpu, VPF_down } from '../common/domain.ts'
import { domainChanged } from '../common/domain-probe.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { vcpuKick } from '../common/schedule.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { destroyGdt, setGdt } from './descriptors.ts'
import { isX86, type X86Vcpu } from './guest-regs.ts'
import { getRoot, putRoot } from './page-tables.ts'
import { mfnValid } from './page-type.ts'
import { loadContext, saveContext } from './ring3-context.ts'
import { updateWallclock } from './time.ts'
import { accessOk } from './uaccess.ts'

const { fields } = vcpu_guest_context
const TRAPS = 256
export const TRAP_nmi = 2
export const LDT_ENTRIES_MAX = 8192

export const X86_CR0_TS = 0x8n
/** PG, WP, NE, ET, MP, PE. */
export const REAL_CR0 = 0x80050033n
const X86_CR4_TSD = 0x4n
const X86_CR4_DE = 0x8n
/** PAE, OSFXSR, OSXMMEXCPT: real_cr4_to_pv_guest_cr4. */
const GUEST_CR4 = 0x620n
/** What a guest may choose of CR4. */
const CR4_CHOICE = X86_CR4_TSD | X86_CR4_DE

const DR7_ACTIVE_MASK = 0xffn
const DR_CONTROL_RESERVED_ZERO = 0xd800n
const DR_CONTROL_RESERVED_ONE = 0x400n
const DR_GENERAL_DETECT = 0x2000n
const DR_IO = 2n

export function contextOf(vcpu: Vcpu): Mem {
  if (vcpu.contextMem) return vcpu.contextMem
  vcpu.context = new Uint8Array(vcpu_guest_context.size)
  const context = memOf(vcpu.context)
  vcpu.contextMem = context
  fields.ctrlreg0.set(context, 0, REAL_CR0)
  fields.ctrlreg4.set(context, 0, GUEST_CR4)
  return context
}

/** __fixup_guest_selector: a guest's kernel runs in ring 3. */
export const fixupSelector = (selector: number): number => selector | 3

/** Entry `vector` of the virtual IDT, in a context. */
export const trapAt = (vector: number): number => fields.trap_ctxt.offset + vector * trap_info.size

/** fpu_taskswitch */
export function setTaskSwitched(vcpu: Vcpu, set: boolean): void {
  const context = contextOf(vcpu)
  const cr0 = fields.ctrlreg0.get(context, 0)
  fields.ctrlreg0.set(context, 0, set ? cr0 | X86_CR0_TS : cr0 & ~X86_CR0_TS)
  vcpu.ring3?.registers.write32(R_TS, set ? 1 : 0)
}

export const taskSwitched = (vcpu: Vcpu): boolean => (fields.ctrlreg0.get(contextOf(vcpu), 0) & X86_CR0_TS) !== 0n

const debugregAt = (reg: number): number => fields.debugreg.offset + 8 * reg
/** DR6, in a context. */
export const DEBUGREG_6 = debugregAt(6)
/** check_guest_io_breakpoint: which of the breakpoints that Xen looks after (DR6_TRAPS) an access to so many ports meets. */
export function ioBreakpoints(vcpu: Vcpu, port: number, bytes: number): number {
  const context = contextOf(vcpu)
  const enabled = Number(context.read64(debugregAt(5)))
  if (enabled === 0 || !hasDebugExtensions(context)) return 0
  const control = Number(context.read64(debugregAt(7)) & 0xffffffffn)
  let bits = 0
  for (let n = 0; n < 4; n++) {
    if ((enabled & (3 << (2 * n))) === 0) continue
    const start = context.read64(debugregAt(n))
    if (start < port + bytes && start + BigInt(watchedBytes(control, n)) > port) bits |= 1 << n
  }
  return bits
}
const hasDebugExtensions = (context: Mem): boolean => (fields.ctrlreg4.get(context, 0) & X86_CR4_DE) !== 0n

/** set_debugreg */
export function setDebugreg(vcpu: Vcpu, reg: number, word: bigint): number {
  const context = contextOf(vcpu)
  let value = word
  if (reg >= 0 && reg <= 3) {
    if (!accessOk(signedVaddr(value))) return -EPERM
  } else if (reg === 6) value = (value & 0xffffefffn) | 0xffff0ff0n
  else if (reg === 7) {
    value = (value & ~DR_CONTROL_RESERVED_ZERO) | DR_CONTROL_RESERVED_ONE
    if (value & DR_GENERAL_DETECT) return -EPERM
    if (value & DR7_ACTIVE_MASK) {
      let intercepts = 0n
      for (let i = 16n; i < 32n; i += 4n) {
        if (((value >> i) & 3n) !== DR_IO) continue
        if (!hasDebugExtensions(context)) return -EPERM
        intercepts |= value & (3n << ((i - 16n) >> 1n))
      }
      // DR5 is where it is kept what Xen looks after itself.
      context.write64(debugregAt(5), intercepts)
      value &= ~intercepts
    }
  } else return -EINVAL
  context.write64(debugregAt(reg), value)
  // Each vCPU's are its own: they are loaded even where the real ones wait for its turn, or for a breakpoint.
  if (isX86(vcpu)) vcpu.ring3.setDebugRegister(reg, value)
  return 0
}

/** Those of the processor, from its context. */
export function loadDebugregs(vcpu: X86Vcpu): void {
  const context = contextOf(vcpu)
  for (const reg of [0, 1, 2, 3, 6, 7]) vcpu.ring3.setDebugRegister(reg, context.read64(debugregAt(reg)))
}

/** do_get_debugreg */
export function getDebugreg(vcpu: Vcpu, reg: number): number {
  const context = contextOf(vcpu)
  const word = (n: number): bigint => context.read64(debugregAt(n))
  if ((reg >= 0 && reg <= 3) || reg === 6) return signedVaddr(word(reg))
  if (reg === 7) return signedVaddr(word(7) | word(5))
  if (reg === 4 || reg === 5) return hasDebugExtensions(context) ? signedVaddr(word(reg + 2)) : 0
  return -EINVAL
}

/** register_guest_nmi_callback: an NMI that came for nobody comes now. */
export function registerNmi(xen: Xen, vcpu: Vcpu, address: Vaddr): number {
  const { domain } = vcpu
  trap_info.write(contextOf(vcpu), trapAt(TRAP_nmi), {
    vector: TRAP_nmi,
    flags: TI_GET_IF,
    cs: FLAT_KERNEL_CS,
    address,
  })
  const reason = shared_info.fields.nmi_reason.get(xen.mem, domain.sharedInfo * PAGE_SIZE)
  if (vcpu.id === 0 && reason !== 0n) vcpu.nmiPending = true
  return 0
}

/** unregister_guest_nmi_callback */
export function unregisterNmi(vcpu: Vcpu): number {
  contextOf(vcpu).fill(trapAt(TRAP_nmi), trap_info.size, 0)
  return 0
}

export const hasNmiCallback = ({ context }: Vcpu): boolean =>
  context !== undefined && trap_info.fields.address.get(memOf(context), trapAt(TRAP_nmi)) !== 0

/** VCPUOP_send_nmi, XEN_DOMCTL_SENDTRIGGER_NMI and Xen's own: once until it has been taken. */
export function sendNmi(xen: Xen, vcpu: Vcpu): void {
  if (vcpu.nmiPending) return
  vcpu.nmiPending = true
  vcpuKick(xen, vcpu)
}

/** pv_guest_cr4_fixup */
export function cr4Fixup(xen: Xen, wanted: bigint): bigint {
  if (wanted === 0n) return GUEST_CR4
  if ((wanted & ~CR4_CHOICE) !== GUEST_CR4)
    guestLog(
      xen,
      XENLOG_WARNING,
      'domain.c:504',
      `Attempt to change CR4 flags ${hex(GUEST_CR4, 8)} -> ${hex(wanted, 8)}`,
    )
  return GUEST_CR4 | (wanted & CR4_CHOICE)
}

/** Whether a table of so many descriptors can be an LDT. */
export const ldtOkay = (base: Vaddr, entries: number): boolean =>
  base % PAGE_SIZE === 0 && entries <= LDT_ENTRIES_MAX && accessOk(base)

/** arch_set_info_guest. `bytes`, a vcpu_guest_context, becomes the vCPU's own. */
export function setInfoGuest(xen: Xen, vcpu: Vcpu, bytes: Uint8Array): number {
  const { domain } = vcpu
  // Code of modules that runs cannot be put somewhere else.
  if (vcpu.initialised ? vcpu.code : domain.dying) return -EINVAL
  const context = memOf(bytes)
  const given = vcpu_guest_context.read(context, 0)
  for (let vector = 0; vector < TRAPS; vector++) {
    const { cs } = trap_info.fields
    cs.set(context, trapAt(vector), fixupSelector(cs.get(context, trapAt(vector))))
  }
  if (!ldtOkay(given.ldt_base, Number(given.ldt_ents))) return -EINVAL
  vcpu_guest_context.write(context, 0, {
    ss: fixupSelector(given.ss),
    kernel_ss: given.kernel_ss | 3n,
    cs: fixupSelector(given.cs),
    // Its IOPL is virtual; interrupts are on.
    rflags: (given.rflags & ~0x3000n) | 0x202n,
    ctrlreg0: (given.ctrlreg0 & X86_CR0_TS) | REAL_CR0,
    ctrlreg4: cr4Fixup(xen, given.ctrlreg4),
    debugreg: new Uint8Array(64),
  })
  vcpu.context = bytes
  vcpu.contextMem = context
  vcpu.iopl = Number((given.rflags >> 12n) & 3n)
  const debugregs = memOf(given.debugreg)
  for (let reg = 0; reg < 8; reg++) setDebugreg(vcpu, reg, debugregs.read64(8 * reg))
  if (!vcpu.initialised) {
    const result = takeTables(xen, vcpu, given)
    if (result !== 0) return result
  }
  vcpu.start = { entry: given.rip, startInfo: given.rsi }
  if (isX86(vcpu)) loadContext(xen, vcpu)
  if (Number(given.flags & 0xffn) & VGCF_online) vcpu.pauseFlags &= ~VPF_down
  else vcpu.pauseFlags |= VPF_down
  domainChanged(xen, domain)
  return 0
}

/** What a vCPU gets once: its GDT, and the root of its page tables. */
function takeTables(xen: Xen, vcpu: Vcpu, given: ReturnType<typeof vcpu_guest_context.read>): number {
  const { domain } = vcpu
  if (vcpu.id === 0) domain.vmAssist = Number(BigInt.asUintN(32, given.vm_assist))
  const frames = memOf(given.gdt_frames)
  const words = Array.from({ length: 14 }, (_, i) => Number(frames.read64(8 * i)))
  const result = setGdt(xen, vcpu, words, Number(given.gdt_ents))
  if (result !== 0) return result
  const root = Number(given.ctrlreg3 >> 12n)
  const userRoot = Number(given.ctrlreg1 >> 12n)
  if (!mfnValid(xen, root) || !getRoot(xen, domain, root)) {
    destroyGdt(xen, vcpu)
    return -EINVAL
  }
  // Processes of a module kernel have no tables of their own.
  if (given.ctrlreg1 !== 0n && (domain.pageMapped || !mfnValid(xen, userRoot) || !getRoot(xen, domain, userRoot))) {
    putRoot(xen, domain, root)
    destroyGdt(xen, vcpu)
    return -EINVAL
  }
  vcpu.root = root
  vcpu.userRoot = userRoot
  if (vcpu.id === 0) updateWallclock(xen, domain)
  vcpu.initialised = true
  return 0
}

/** arch_get_info_guest: what was set, and where things stand. */
export function getInfoGuest(vcpu: Vcpu): Uint8Array {
  if (isX86(vcpu)) saveContext(vcpu)
  const context = memOf(contextOf(vcpu).copyOut(0, vcpu_guest_context.size))
  const online = vcpu.pauseFlags & VPF_down ? 0 : VGCF_online
  const values: Parameters<typeof vcpu_guest_context.write>[2] = {
    flags: (fields.flags.get(context, 0) & ~BigInt(VGCF_online)) | BigInt(online),
    rflags: fields.rflags.get(context, 0) | (BigInt(vcpu.iopl) << 12n),
    ctrlreg1: BigInt(vcpu.userRoot) << 12n,
    ctrlreg3: BigInt(vcpu.root) << 12n,
    vm_assist: BigInt(vcpu.domain.vmAssist),
  }
  vcpu_guest_context.write(context, 0, values)
  if (vcpu.start && !vcpu.ring3)
    vcpu_guest_context.write(context, 0, { rip: vcpu.start.entry, rsi: vcpu.start.startInfo })
  context.write64(debugregAt(7), context.read64(debugregAt(7)) | context.read64(debugregAt(5)))
  context.write64(debugregAt(5), 0n)
  return context.copyOut(0, vcpu_guest_context.size)
}
