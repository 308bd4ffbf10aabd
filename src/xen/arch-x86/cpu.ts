/** xen/arch/x86/cpu/common.c and intel_cacheinfo.c: what CPUID says of a processor, as the boot log words it. */
import type { Cpu } from '#abi/pc/metal.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_INFO } from '../drivers/console.ts'

export interface CpuInfo {
  readonly vendorId: string
  readonly family: number
  readonly model: number
  readonly stepping: number
  readonly modelName: string
  readonly l1iKib: number
  readonly l1dKib: number
  readonly l2Kib: number
  /** Cores of one package; where among them this one is. */
  readonly cores: number
  readonly packageId: number
  readonly coreId: number
}

const VENDORS: Readonly<Record<string, string>> = { GenuineIntel: 'Intel', AuthenticAMD: 'AMD' }

const ascii = (...words: readonly number[]): string => {
  let text = ''
  for (const word of words) {
    for (let shift = 0; shift < 32; shift += 8) {
      const code = (word >>> shift) & 0xff
      if (code !== 0) text += String.fromCharCode(code)
    }
  }
  return text
}

export function identifyCpu(cpu: Cpu): CpuInfo {
  const zero = cpu.cpuid(0)
  const vendorId = ascii(zero.ebx, zero.edx, zero.ecx)
  const signature = zero.eax >= 1 ? cpu.cpuid(1).eax : 0
  let family = (signature >>> 8) & 0xf
  let model = (signature >>> 4) & 0xf
  if (family === 0xf) family += (signature >>> 20) & 0xff
  if (family >= 6) model += ((signature >>> 16) & 0xf) << 4
  const extended = cpu.cpuid(0x80000000).eax >>> 0
  let modelName = ''
  if (extended >= 0x80000004) {
    for (let leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
      const { eax, ebx, ecx, edx } = cpu.cpuid(leaf)
      modelName += ascii(eax, ebx, ecx, edx)
    }
  }
  const { l1iKib, l1dKib, l2Kib } = caches(cpu)
  const packageCores = zero.eax >= 4 ? (cpu.cpuid(4).eax >>> 26) + 1 : 1
  const siblings = zero.eax >= 1 ? (cpu.cpuid(1).ebx >>> 16) & 0xff : 1
  const apicId = zero.eax >= 1 ? cpu.cpuid(1).ebx >>> 24 : 0
  return {
    vendorId,
    family,
    model,
    stepping: signature & 0xf,
    // Right-justified in the register image: leading blanks go.
    modelName: modelName.replace(/^ +/, ''),
    l1iKib,
    l1dKib,
    l2Kib,
    cores: packageCores,
    packageId: apicId >>> shiftOf(siblings),
    coreId: apicId & ((1 << shiftOf(packageCores)) - 1),
  }
}

/** get_count_order: bits that so many ids need. */
const shiftOf = (count: number): number => (count <= 1 ? 0 : 32 - Math.clz32(count - 1))

const FEATURE_P3 = 1 << 6
const FEATURE_P4 = 1 << 7
const FEATURE_CONSTANT_TSC = 1 << 8

/** boot_cpu_data.x86_capability: CPUID gives the words 0, 1, 4 and 6; word 3 is what Xen makes of an Intel processor's family and model. */
export function featureWords(cpu: Cpu): Uint32Array {
  const standard = cpu.cpuid(1)
  const extended = cpu.cpuid(0x80000001)
  const { vendorId, family, model } = identifyCpu(cpu)
  let own = 0
  if (vendorId === 'GenuineIntel') {
    if (family === 15) own = FEATURE_P4 | (model >= 3 ? FEATURE_CONSTANT_TSC : 0)
    if (family === 6) own = FEATURE_P3 | (model >= 0xe ? FEATURE_CONSTANT_TSC : 0)
  }
  return Uint32Array.of(standard.edx, extended.edx, 0, own, standard.ecx, 0, extended.ecx, 0)
}

type CacheSizes = Pick<CpuInfo, 'l1iKib' | 'l1dKib' | 'l2Kib'>

/** CPUID leaf 2, one byte each: which cache, how many KiB (Intel's table, as far as processors of 2006 to 2009 use it). */
const DESCRIPTORS: Readonly<Record<number, readonly [keyof CacheSizes, number]>> = {
  6: ['l1iKib', 8],
  8: ['l1iKib', 16],
  10: ['l1dKib', 8],
  12: ['l1dKib', 16],
  44: ['l1dKib', 32],
  48: ['l1iKib', 32],
  65: ['l2Kib', 128],
  66: ['l2Kib', 256],
  67: ['l2Kib', 512],
  68: ['l2Kib', 1024],
  69: ['l2Kib', 2048],
  73: ['l2Kib', 4096],
  78: ['l2Kib', 6144],
  120: ['l2Kib', 1024],
  124: ['l2Kib', 1024],
  125: ['l2Kib', 2048],
  134: ['l2Kib', 512],
  135: ['l2Kib', 1024],
}

function caches(cpu: Cpu): CacheSizes {
  const sizes = { l1iKib: 0, l1dKib: 0, l2Kib: 0 }
  if (cpu.cpuid(0).eax < 2) return sizes
  const { eax, ebx, ecx, edx } = cpu.cpuid(2)
  // The lowest byte counts how often the leaf must be asked: once. A register with bit 31 set says nothing.
  for (const [register, word] of [eax & ~0xff, ebx, ecx, edx].entries()) {
    if (word >>> 31) continue
    for (let shift = register === 0 ? 8 : 0; shift < 32; shift += 8) {
      const found = DESCRIPTORS[(word >>> shift) & 0xff]
      if (found) sizes[found[0]] = found[1]
    }
  }
  return sizes
}

/** print_cpu_info, without the newline. */
export function cpuText(info: CpuInfo): string {
  const vendor = VENDORS[info.vendorId] ?? info.vendorId
  const prefix = info.modelName.startsWith(vendor) ? '' : `${vendor} `
  return `${prefix}${info.modelName === '' ? `${info.family}86` : info.modelName} stepping ${hex(info.stepping, 2)}`
}

/** Lines at level INFO that identify_cpu prints: caches, then the place in the package. */
export function identityLines(info: CpuInfo): string {
  let lines = ''
  if (info.l1iKib > 0) {
    const data = info.l1dKib > 0 ? `, L1 D cache: ${info.l1dKib}K` : ''
    lines += `${XENLOG_INFO}CPU: L1 I cache: ${info.l1iKib}K${data}\n`
  }
  if (info.l2Kib > 0) lines += `${XENLOG_INFO}CPU: L2 cache: ${info.l2Kib}K\n`
  lines += `${XENLOG_INFO}CPU: Physical Processor ID: ${info.packageId}\n`
  if (info.cores > 1) lines += `${XENLOG_INFO}CPU: Processor Core ID: ${info.coreId}\n`
  return lines
}
