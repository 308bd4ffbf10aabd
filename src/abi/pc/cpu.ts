/**
 * The processor that this machine has (design D13): an Intel Core 2 Duo E6600-like part, family 6 model 15 stepping 11, 2.4 GHz, without
 * VMX. Time stamp counter, fuel and brand string agree on the rate.
 */
export const CPU_HZ = 2_400_000_000
/** Cycles per ns: what turns virtual time into a time stamp. */
export const CPU_CYCLES_PER_NS = 2.4
export const CPU_COUNT = 2
export const CPU_VENDOR = 'GenuineIntel'
/** 48 bytes with the zero that ends it, as CPUID leaves 0x80000002 to 4 carry it. */
export const CPU_BRAND = 'Intel(R) Core(TM)2 Duo CPU     E6600  @ 2.40GHz'
export const CPU_FAMILY = 6
export const CPU_MODEL = 15
export const CPU_STEPPING = 11
/** CPUID.1:EAX. */
export const CPU_SIGNATURE = ((CPU_MODEL >> 4) << 16) | (CPU_FAMILY << 8) | ((CPU_MODEL & 15) << 4) | CPU_STEPPING
/**
 * CPUID.1:EDX. FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH DS ACPI MMX FXSR SSE SSE2 SS HTT TM PBE.
 * HTT only says that a package has more than one logical processor.
 */
export const CPU_FEATURES_EDX = 0xbfebfbff
/** CPUID.1:ECX. SSE3 MONITOR DS-CPL EST TM2 SSSE3 CX16 xTPR PDCM: the E6600's 0000e3fd without VMX and DTES64. */
export const CPU_FEATURES_ECX = 0x0000e399
/** CPUID.80000001:EDX. SYSCALL, XD, LM. */
export const CPU_EXTENDED_EDX = 0x20100800
/** CPUID.80000001:ECX. LAHF in 64-bit mode. */
export const CPU_EXTENDED_ECX = 0x00000001
export const CPU_PHYSICAL_BITS = 36
export const CPU_VIRTUAL_BITS = 48
/** L2, shared by the cores. */
export const CPU_L2_KIB = 4096
