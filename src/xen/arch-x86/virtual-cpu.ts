/** What a guest kernel made of modules gets for one of its vCPUs (abi/xen/guest.ts), and how its code is entered. */
import { ImageKind } from '#abi/image.ts'
import type { CpuidLeaf, LoadedCode, LoadRefusal } from '#abi/pc/metal.ts'
import { XEN_CPUID_INPUT_UNUSED } from '#abi/xen/domctl.ts'
import type { GuestEntry, VirtualCpu } from '#abi/xen/guest.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import type { Domain, Vcpu } from '../common/domain.ts'
import { directHypercall } from '../hypercalls/index.ts'
import type { Xen } from '../xen.ts'
import { guestIo } from './guest-io.ts'

const bits = (...numbers: readonly number[]): number => numbers.reduce((mask, bit) => mask | (1 << bit), 0)

/** Leaf 1: VME, PSE, MCE, PGE, MCA, PSE36; DS, ACC, PBE. */
const HIDDEN_1_EDX = bits(1, 3, 7, 13, 14, 17, 21, 29, 31)
/** DTES64, MWAIT, DSCPL, VMXE, SMXE, TM2, XTPR, PDCM, DCA. */
const HIDDEN_1_ECX = bits(2, 3, 4, 5, 6, 8, 14, 15, 18)
/** Leaf 0x80000001: VME, PSE, MCE, PGE, MCA, PSE36 again; 1 GiB pages, RDTSCP. */
const HIDDEN_EXT_EDX = bits(1, 3, 7, 13, 14, 17, 26, 27)
/** SVME, OSVW, IBS, SKINIT, WDT. */
const HIDDEN_EXT_ECX = bits(2, 9, 10, 12, 13)
/** MONITOR, performance monitoring, SVM, IBS: nothing at all. */
const HIDDEN_LEAVES: readonly number[] = [5, 0xa, 0x8000000a, 0x8000001b]
const NO_LEAF: CpuidLeaf = { eax: 0, ebx: 0, ecx: 0, edx: 0 }
const fits = (input: number, subleaf: number): boolean => input === XEN_CPUID_INPUT_UNUSED || input === subleaf
const XEN_LEAVES = 0x40000000
const XEN_LEAVES_LAST = 0x40000002

/**
 * pv_cpuid: the processor's own answers, less what a PV guest may not use, and Xen's leaves. Whom the tools have given answers
 * (XEN_DOMCTL_set_cpuid) sees only those.
 */
export function guestCpuid(xen: Xen, domain: Domain, leaf: number, subleaf = 0): CpuidLeaf {
  const asked = leaf >>> 0
  if (domain.id !== 0 && domain.cpuids.length > 0 && (asked < XEN_LEAVES || asked > XEN_LEAVES_LAST))
    return domain.cpuids.find((each) => each.input === asked && fits(each.subleaf, subleaf)) ?? NO_LEAF
  const real = xen.current.metal.cpu.cpuid(asked, subleaf)
  const hide = (ecx: number, edx: number): CpuidLeaf => ({
    ...real,
    ecx: (real.ecx & ~ecx) >>> 0,
    edx: (real.edx & ~edx) >>> 0,
  })
  if (asked === 1) return hide(HIDDEN_1_ECX, HIDDEN_1_EDX)
  if (asked === 0x80000001) return hide(HIDDEN_EXT_ECX, HIDDEN_EXT_EDX)
  if (HIDDEN_LEAVES.includes(asked)) return NO_LEAF
  // cpuid_hypervisor_leaves: `XenVMMXenVMM`, the version, one hypercall page by its own MSR.
  if (asked === XEN_LEAVES) return { eax: XEN_LEAVES_LAST, ebx: 0x566e6558, ecx: 0x65584d4d, edx: 0x4d4d566e }
  if (asked === XEN_LEAVES + 1) return { eax: 0x00030003, ebx: 0, ecx: 0, edx: 0 }
  if (asked === XEN_LEAVES_LAST) return { eax: 1, ebx: XEN_LEAVES, ecx: 1, edx: 0 }
  return real
}

export function virtualCpu(xen: Xen, vcpu: Vcpu, startInfo: Vaddr): VirtualCpu {
  const { mem } = vcpu.domain
  return {
    vcpuId: vcpu.id,
    mem,
    startInfo,
    hypercall: (nr, ...args) => directHypercall(xen, vcpu, nr, args),
    rdtsc: () => xen.current.metal.cpu.rdtsc(),
    cpuid: (leaf) => guestCpuid(xen, vcpu.domain, Number(leaf)),
    io: guestIo(xen, vcpu),
    load: (va) => xen.current.metal.load(mem, Number(va)),
  }
}

export interface Entered {
  readonly loaded: LoadedCode
  readonly start: GuestEntry
}

/** Make the image whose header lies at `entry` runnable, once for the domain. What is wrong with it, otherwise. */
export function enterImage(xen: Xen, vcpu: Vcpu, entry: Vaddr): Entered | Omit<LoadRefusal, 'ok'> {
  const loaded: LoadedCode | LoadRefusal = xen.current.metal.load(vcpu.mem, entry)
  if (!loaded.ok) return loaded
  if (loaded.kind !== ImageKind.kernel) return { isImage: true, why: `${loaded.name} is no kernel image` }
  const entered = loaded.instantiate()
  if (!entered.ok) return { isImage: true, why: `${loaded.name}: ${entered.fault.message}` }
  const { start } = entered.value as { readonly start: GuestEntry }
  return { loaded, start }
}
