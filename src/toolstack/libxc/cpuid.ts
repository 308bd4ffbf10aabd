/**
 * tools/libxc/xc_cpuid_x86.c: what CPUID tells a domain. The real library executes CPUID; a program made of modules has no such instruction and
 * asks the kernel's device.
 */
import { memOf } from '#abi/mem.ts'
import type { CpuidLeaf } from '#abi/pc/metal.ts'
import { O_RDONLY, SEEK_SET } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { XEN_CPUID_INPUT_UNUSED, XEN_DOMCTL_set_cpuid, xen_domctl_cpuid } from '#abi/xen/domctl.ts'
import { close, lseek, open, read } from '#user/libc/syscall.ts'
import { domctl, type XcHandle } from './privcmd.ts'

const DEF_MAX_BASE = 4
const DEF_MAX_EXT = 0x80000008
const EXTENDED = 0x80000000
const LEAF_BYTES = 16
const CACHES = 4

const bits = (...numbers: readonly number[]): number => numbers.reduce((mask, bit) => mask | (1 << bit), 0)

/** Of leaves 1 and 0x80000001: VME, PSE, PGE, MCE, MCA, MTRR, PSE36. */
const HIDDEN_EDX = bits(1, 3, 13, 7, 14, 12, 17)
/** Leaf 1: DS, ACC, PBE. */
const HIDDEN_1_EDX = HIDDEN_EDX | bits(21, 29, 31)
/** DTES64, MWAIT, DSCPL, VMXE, SMXE, EST, TM2, XTPR, PDCM, DCA. */
const HIDDEN_1_ECX = bits(2, 3, 4, 5, 6, 7, 8, 14, 15, 18)
const SYSCALL = 1 << 11
/** 1 GiB pages, RDTSCP. */
const HIDDEN_EXT_EDX = HIDDEN_EDX | bits(26, 27)
/** SVME, OSVW, IBS, SKINIT, WDT. */
const HIDDEN_EXT_ECX = bits(2, 9, 10, 12, 13)

/** xc_cpuid_pv_policy, for a 64-bit guest on an Intel processor. Leaves 5 and 10 and AMD's own are beyond what is asked for. */
function pvPolicy(leaf: number, { eax, ebx, ecx, edx }: CpuidLeaf): CpuidLeaf {
  if (leaf === 1) return { eax, ebx, ecx: (ecx & ~HIDDEN_1_ECX) >>> 0, edx: (edx & ~HIDDEN_1_EDX) >>> 0 }
  if (leaf === EXTENDED + 1)
    return { eax, ebx, ecx: (ecx & ~HIDDEN_EXT_ECX) >>> 0, edx: ((edx & ~HIDDEN_EXT_EDX) | SYSCALL) >>> 0 }
  return { eax, ebx, ecx, edx }
}

/** xc_cpuid_apply_policy: the domain sees the processor's leaves less what a PV guest may not use. The device knows the first cache only. */
export function* xcCpuidApplyPolicy(xc: XcHandle, domid: number): Sys<void> {
  const fd = yield* open('/dev/cpu/0/cpuid', O_RDONLY, 0)
  try {
    const base = yield* cpuid(fd, 0)
    const extended = yield* cpuid(fd, EXTENDED)
    for (const [first, last] of [
      [0, Math.min(base.eax, DEF_MAX_BASE)],
      [EXTENDED, Math.min(extended.eax, DEF_MAX_EXT)],
    ] as const) {
      for (let input: number = first; input <= last; input++) {
        const leaf = pvPolicy(input, yield* cpuid(fd, input))
        if (leaf.eax === 0 && leaf.ebx === 0 && leaf.ecx === 0 && leaf.edx === 0) continue
        const subleaf = input === CACHES ? 0 : XEN_CPUID_INPUT_UNUSED
        yield* domctl(xc, XEN_DOMCTL_set_cpuid, domid, xen_domctl_cpuid, { input, subleaf, ...leaf })
      }
    }
  } finally {
    yield* close(fd)
  }
}

function* cpuid(fd: number, leaf: number): Sys<CpuidLeaf> {
  yield* lseek(fd, leaf, SEEK_SET)
  const mem = memOf(yield* read(fd, LEAF_BYTES))
  return { eax: mem.read32(0), ebx: mem.read32(4), ecx: mem.read32(8), edx: mem.read32(12) }
}
