/** /proc/cpuinfo (Linux 2.6.18: arch/x86_64/kernel/setup.c, show_cpuinfo), from CPUID as Xen shows it to this domain. */
import type { CpuidLeaf } from '#abi/pc/metal.ts'
import type { Kernel } from '../kernel.ts'
import type { TimeKeeper } from '../time/timekeeper.ts'

/** x86_cap_flags: CPUID.1:EDX; of 0x80000001:EDX what is not in it; CPUID.1:ECX; 0x80000001:ECX. */
const EDX1 =
  'fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 -'
const EXTENDED_EDX =
  '- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt - rdtscp - lm 3dnowext 3dnow'
const ECX1 = 'pni - - monitor ds_cpl vmx smx est tm2 - cid - - cx16 xtpr - - - - - - - - - - - - - - - - -'
const EXTENDED_ECX = 'lahf_lm cmp_legacy svm - cr8_legacy - - - - - - - - - - - - - - - - - - - - - - - - - - -'

const HZ = 100

const two = (value: number): string => String(value).padStart(2, '0')

const text = (...words: readonly number[]): string => {
  let out = ''
  for (const word of words) for (let i = 0; i < 32; i += 8) out += String.fromCharCode((word >>> i) & 255)
  return out
}

function names(table: string, bits: number): string[] {
  return table.split(' ').filter((name, bit) => name !== '-' && (bits >>> bit) & 1)
}

function modelName(cpuid: (leaf: number) => CpuidLeaf): string {
  let name = ''
  for (let leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
    const { eax, ebx, ecx, edx } = cpuid(leaf)
    name += text(eax, ebx, ecx, edx)
  }
  const end = name.indexOf('\0')
  return (end < 0 ? name : name.slice(0, end)).replace(/^ +/, '')
}

export function cpuinfoText(kernel: Kernel): string {
  const { vcpu } = kernel
  const cpuid = (leaf: number): CpuidLeaf => vcpu.cpuid(leaf)
  const basic = cpuid(0)
  const { eax: signature, ebx, ecx, edx } = cpuid(1)
  const baseFamily = (signature >>> 8) & 15
  const family = baseFamily === 15 ? baseFamily + ((signature >>> 20) & 255) : baseFamily
  const model = ((signature >>> 4) & 15) + (baseFamily >= 6 ? ((signature >>> 16) & 15) << 4 : 0)
  const extended = cpuid(0x80000000).eax
  const features = extended >= 0x80000001 ? cpuid(0x80000001) : { eax: 0, ebx: 0, ecx: 0, edx: 0 }
  const cache = extended >= 0x80000006 ? cpuid(0x80000006).ecx >>> 16 : 0
  const sizes = extended >= 0x80000008 ? cpuid(0x80000008).eax : 36 | (48 << 8)
  const clflush = ((ebx >>> 8) & 255) * 8
  const { tscHz } = kernel.time as TimeKeeper
  const khz = Math.floor(tscHz / 1000)
  // The TSC is the delay loop.
  const lpj = Math.floor(tscHz / HZ)
  const flags = [
    ...names(EDX1, edx),
    ...names(EXTENDED_EDX, features.edx),
    ...names(ECX1, ecx),
    ...names(EXTENDED_ECX, features.ecx),
  ]
  const row = (label: string, value: string | number): string => `${label}: ${value}\n`
  return (
    row('processor\t', vcpu.vcpuId) +
    row('vendor_id\t', text(basic.ebx, basic.edx, basic.ecx)) +
    row('cpu family\t', family) +
    row('model\t\t', model) +
    row('model name\t', modelName(cpuid)) +
    row('stepping\t', signature & 15) +
    row('cpu MHz\t\t', `${Math.floor(khz / 1000)}.${String(khz % 1000).padStart(3, '0')}`) +
    (cache > 0 ? row('cache size\t', `${cache} KB`) : '') +
    // A virtual CPU is a package of its own.
    row('physical id\t', 0) +
    row('siblings\t', 1) +
    row('core id\t\t', 0) +
    row('cpu cores\t', 1) +
    row('fpu\t\t', 'yes') +
    row('fpu_exception\t', 'yes') +
    row('cpuid level\t', basic.eax) +
    row('wp\t\t', 'yes') +
    `flags\t\t: ${flags.join(' ')}\n` +
    row('bogomips\t', `${Math.floor(lpj / (500_000 / HZ))}.${two(Math.floor(lpj / (5000 / HZ)) % 100)}`) +
    row('clflush size\t', clflush) +
    row('cache_alignment\t', clflush) +
    row('address sizes\t', `${sizes & 255} bits physical, ${(sizes >>> 8) & 255} bits virtual`) +
    'power management:\n\n'
  )
}
