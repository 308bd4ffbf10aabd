/** What CPUID answers (Intel 64 SDM vol. 2A, CPUID), leaf by leaf. */
import {
  CPU_BRAND,
  CPU_COUNT,
  CPU_EXTENDED_ECX,
  CPU_EXTENDED_EDX,
  CPU_FEATURES_ECX,
  CPU_FEATURES_EDX,
  CPU_L2_KIB,
  CPU_PHYSICAL_BITS,
  CPU_SIGNATURE,
  CPU_VENDOR,
  CPU_VIRTUAL_BITS,
} from '#abi/pc/cpu.ts'
import type { CpuidLeaf } from '#abi/pc/metal.ts'

const BASIC_MAX = 0xa
const EXTENDED_MAX = 0x80000008
const CLFLUSH_BYTES = 64

/** Four characters of `text` from `at` on as a little-endian word; zeros behind its end. */
function word(text: string, at: number): number {
  let value = 0
  for (let i = 3; i >= 0; i--) value = value * 256 + (at + i < text.length ? text.charCodeAt(at + i) : 0)
  return value
}

const leaf = (eax: number, ebx: number, ecx: number, edx: number): CpuidLeaf => ({
  eax: eax >>> 0,
  ebx: ebx >>> 0,
  ecx: ecx >>> 0,
  edx: edx >>> 0,
})

/** Leaf 4 by its ECX: L1 data, L1 instructions (32 KiB, 8-way), L2 (shared by both cores). Cores per package - 1 are in bits 26 to 31 of EAX. */
const CACHES: readonly (readonly [number, number, number])[] = [
  [0x121, 0x01c0003f, 0x3f],
  [0x122, 0x01c0003f, 0x3f],
  [((CPU_COUNT - 1) << 14) | 0x143, 0x03c0003f, 0xfff],
]

function cache(subleaf: number): CpuidLeaf {
  const found = CACHES[subleaf]
  if (!found) return leaf(0, 0, 0, 0)
  const [eax, ebx, ecx] = found
  return leaf(((CPU_COUNT - 1) << 26) | eax, ebx, ecx, 1)
}

/** `cpu` is the initial APIC id; `subleaf` what ECX says. A leaf above the maximum gives the highest basic one, as Intel's do. */
export function cpuid(cpu: number, number: number, subleaf = 0): CpuidLeaf {
  const asked = number >>> 0
  switch (asked) {
    case 0x0:
      return leaf(BASIC_MAX, word(CPU_VENDOR, 0), word(CPU_VENDOR, 8), word(CPU_VENDOR, 4))
    case 0x1:
      return leaf(
        CPU_SIGNATURE,
        cpu * 2 ** 24 + (CPU_COUNT << 16) + ((CLFLUSH_BYTES / 8) << 8),
        CPU_FEATURES_ECX,
        CPU_FEATURES_EDX,
      )
    case 0x2: // descriptors: TLBs, 32 KiB L1s, a 4 MiB 16-way L2 with 64-byte lines
      return leaf(0x05b0b101, 0x005657f0, 0, 0x2cb43049)
    case 0x4:
      return cache(subleaf >>> 0)
    case 0x5: // MONITOR: 64-byte lines
      return leaf(0x40, 0x40, 0x3, 0x22220)
    case 0x6:
      return leaf(0x1, 0x2, 0x1, 0)
    case 0x3:
    case 0x7:
    case 0x8:
    case 0x9:
      return leaf(0, 0, 0, 0)
    case 0xa: // no performance counters: version 0
      return leaf(0, 0, 0, 0)
    case 0x80000000:
      return leaf(EXTENDED_MAX, 0, 0, 0)
    case 0x80000001:
      return leaf(0, 0, CPU_EXTENDED_ECX, CPU_EXTENDED_EDX)
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = (asked - 0x80000002) * 16
      return leaf(word(CPU_BRAND, at), word(CPU_BRAND, at + 4), word(CPU_BRAND, at + 8), word(CPU_BRAND, at + 12))
    }
    case 0x80000005:
    case 0x80000007:
      return leaf(0, 0, 0, 0)
    case 0x80000006: // L2: size, 16-way (code 8), line size
      return leaf(0, 0, (CPU_L2_KIB << 16) | (8 << 12) | CLFLUSH_BYTES, 0)
    case 0x80000008:
      return leaf((CPU_VIRTUAL_BITS << 8) | CPU_PHYSICAL_BITS, 0, 0, 0)
    default:
      return cpuid(cpu, BASIC_MAX)
  }
}
