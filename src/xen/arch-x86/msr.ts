/** xen/arch/x86/traps.c: RDMSR and WRMSR of a guest's kernel. The bases of FS and GS are the vCPU's own; of the others it sees what this machine's processor has. */
import { SEG_FS, SEG_GS } from '#abi/pc/ring3.ts'
import { signedVaddr } from '#abi/xen/types.ts'
import { vcpu_guest_context } from '#abi/xen/vcpu.ts'
import { guestLog } from '../common/guest-log.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_WARNING } from '../drivers/console.ts'
import { hypercallPageInitialise } from '../hypercalls/domctl-frames.ts'
import type { Xen } from '../xen.ts'
import { contextOf } from './guest-context.ts'
import { segmentBase, setSegmentBase, type X86Vcpu } from './guest-regs.ts'
import { isCanonical } from './uaccess.ts'

const MSR_IA32_TSC = 0x10
const MSR_IA32_PLATFORM_ID = 0x17
const MSR_IA32_APICBASE = 0x1b
const MSR_IA32_UCODE_REV = 0x8b
const MSR_IA32_PERF_CTL = 0x199
const MSR_IA32_MISC_ENABLE = 0x1a0
const MSR_IA32_CR_PAT = 0x277
const MSR_EFER = 0xc0000080
const MSR_FS_BASE = 0xc0000100
const MSR_GS_BASE = 0xc0000101
const MSR_SHADOW_GS_BASE = 0xc0000102
/** AMD's, for frequencies: this processor is none. */
const AMD_MSRS = [0xc0010041, 0xc0010042]
const MSR_K8_PSTATE_FIRST = 0xc0010061
const MSR_K8_PSTATE_LAST = 0xc001006b
/** Of the hypervisor's leaves. */
const MSR_HYPERCALL_PAGE = 0x40000000

/** SCE, LME, LMA, NXE. */
const EFER = 0xd01n
/** Enabled, and BSP. */
const APIC_BASE = 0xfee00800n
const APIC_BASE_BSP = 0x100n
/** Fast strings, the thermal monitor and SpeedStep are on; what performance counters there are counts. */
const MISC_ENABLE = 0x10089n
/** MISC_ENABLE as a guest sees it: without performance counters and MONITOR, BTS, PEBS and xTPR messages unavailable. */
const MISC_ENABLE_HIDDEN = (1n << 7n) | (1n << 18n)
const MISC_ENABLE_SHOWN = (1n << 11n) | (1n << 12n) | (1n << 23n)
/** host_pat: what Xen has set. */
const HOST_PAT = 0x50100070406n

const { fields } = vcpu_guest_context

/** rdmsr_safe: the processor's own. Undefined: it has none such. */
function real(xen: Xen, index: number): bigint | undefined {
  const { cpu } = xen.current.metal
  switch (index) {
    case MSR_IA32_TSC:
      return BigInt(cpu.rdtsc())
    case MSR_IA32_PLATFORM_ID:
    case MSR_IA32_UCODE_REV:
      return 0n
    case MSR_IA32_APICBASE:
      return cpu.apicId === 0 ? APIC_BASE | APIC_BASE_BSP : APIC_BASE
    case MSR_IA32_MISC_ENABLE:
      return MISC_ENABLE
    case MSR_IA32_CR_PAT:
      return HOST_PAT
    case MSR_EFER:
      return EFER
    default:
      return undefined
  }
}

const isAmd = (index: number): boolean =>
  AMD_MSRS.includes(index) || (index >= MSR_K8_PSTATE_FIRST && index <= MSR_K8_PSTATE_LAST)

/** Undefined: #GP. */
export function rdmsr(xen: Xen, vcpu: X86Vcpu, index: number): bigint | undefined {
  switch (index) {
    case MSR_FS_BASE:
      return segmentBase(vcpu, SEG_FS)
    case MSR_GS_BASE:
      return segmentBase(vcpu, SEG_GS)
    case MSR_SHADOW_GS_BASE:
      return contextOf(vcpu).read64(fields.gs_base_user.offset)
    case MSR_HYPERCALL_PAGE:
      return 0n
    case MSR_IA32_MISC_ENABLE:
      return (MISC_ENABLE & ~MISC_ENABLE_HIDDEN) | MISC_ENABLE_SHOWN
    default:
      return isAmd(index) ? undefined : real(xen, index)
  }
}

/** False: #GP. What has no effect is ignored, and not without a word where it would have changed something. */
export function wrmsr(xen: Xen, vcpu: X86Vcpu, index: number, eax: number, edx: number): boolean {
  const value = (BigInt(edx) << 32n) | BigInt(eax)
  switch (index) {
    case MSR_FS_BASE:
      return setBase(vcpu, SEG_FS, fields.fs_base.offset, value)
    case MSR_GS_BASE:
      return setBase(vcpu, SEG_GS, fields.gs_base_kernel.offset, value)
    case MSR_SHADOW_GS_BASE:
      return setBase(vcpu, undefined, fields.gs_base_user.offset, value)
    case MSR_IA32_PERF_CTL:
      // FREQCTL_none: nobody changes frequencies.
      return true
  }
  if (isAmd(index)) return false
  if (index === MSR_HYPERCALL_PAGE && hypercallPage(xen, vcpu, eax, edx)) return true
  const now = real(xen, index)
  if (now !== value) {
    const [high, low] = now === undefined ? [0, 0] : [Number(now >> 32n), Number(now & 0xffffffffn)]
    const text = `Domain attempted WRMSR ${hex(index, 16)} from ${hex(high, 8)}:${hex(low, 8)} to ${hex(edx, 8)}:${hex(eax, 8)}.`
    guestLog(xen, XENLOG_WARNING, 'traps.c:2132', text)
  }
  return true
}

function setBase(vcpu: X86Vcpu, segment: number | undefined, offset: number, value: bigint): boolean {
  if (!isCanonical(signedVaddr(value))) return false
  if (segment !== undefined) setSegmentBase(vcpu, segment, value)
  contextOf(vcpu).write64(offset, value)
  return true
}

/** wrmsr_hypervisor_regs */
function hypercallPage(xen: Xen, vcpu: X86Vcpu, eax: number, edx: number): boolean {
  const index = eax & 0xfff
  if (index > 0) {
    guestLog(xen, XENLOG_WARNING, 'traps.c:619', `Out of range index ${index} to MSR ${hex(MSR_HYPERCALL_PAGE, 8)}`)
    return false
  }
  const mfn = edx * 2 ** 20 + (eax >>> 12)
  if (hypercallPageInitialise(xen, vcpu.domain, mfn)) return true
  const text = `Bad GMFN ${hex(mfn)} (MFN ${hex(mfn)}) to MSR ${hex(MSR_HYPERCALL_PAGE, 8)}`
  guestLog(xen, XENLOG_WARNING, 'traps.c:630', text)
  return false
}
