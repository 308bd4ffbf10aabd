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
  const l1 = extended >= 0x80000005 ? cpu.cpuid(0x80000005) : undefined
  const l2 = extended >= 0x80000006 ? cpu.cpuid(0x80000006) : undefined
  return {
    vendorId,
    family,
    model,
    stepping: signature & 0xf,
    // Right-justified in the register image: leading blanks go.
    modelName: modelName.replace(/^ +/, ''),
    l1iKib: l1 ? l1.edx >>> 24 : 0,
    l1dKib: l1 ? l1.ecx >>> 24 : 0,
    l2Kib: l2 ? l2.ecx >>> 16 : 0,
  }
}

/** print_cpu_info, without the newline. */
export function cpuText(info: CpuInfo): string {
  const vendor = VENDORS[info.vendorId] ?? info.vendorId
  const prefix = info.modelName.startsWith(vendor) ? '' : `${vendor} `
  return `${prefix}${info.modelName === '' ? `${info.family}86` : info.modelName} stepping ${hex(info.stepping, 2)}`
}

/** Lines at level INFO that identify_cpu prints of the caches. */
export function cacheLines(info: CpuInfo): string {
  let lines = ''
  if (info.l1iKib > 0) {
    const data = info.l1dKib > 0 ? `, L1 D cache: ${info.l1dKib}K` : ''
    lines += `${XENLOG_INFO}CPU: L1 I cache: ${info.l1iKib}K${data}\n`
  }
  if (info.l2Kib > 0) lines += `${XENLOG_INFO}CPU: L2 cache: ${info.l2Kib}K\n`
  return lines
}
