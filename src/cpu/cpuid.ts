/**
 * What CPUID may offer: exactly what is implemented, which the instruction table knows (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E). Who the processor says it is, its
 * topology, and bits that are the system's (PAE, APIC, ...), whoever builds the machine adds.
 */
import { ROWS } from './isa/rows.ts'
import { semanticsOf } from './semantics/index.ts'

type Register = 'ecx' | 'edx'

/** Attributes of rows, by CPUID's bits: leaf 1, or 80000001. */
const BITS: readonly (readonly [attribute: string, leaf: 1 | 0x80000001, register: Register, bit: number])[] = [
  ['fpu', 1, 'edx', 0],
  ['tsc', 1, 'edx', 4],
  ['cx8', 1, 'edx', 8],
  ['sep', 1, 'edx', 11],
  ['cmov', 1, 'edx', 15],
  ['clfsh', 1, 'edx', 19],
  ['mmx', 1, 'edx', 23],
  ['fxsr', 1, 'edx', 24],
  ['sse', 1, 'edx', 25],
  ['sse2', 1, 'edx', 26],
  ['sse3', 1, 'ecx', 0],
  ['ssse3', 1, 'ecx', 9],
  ['cx16', 1, 'ecx', 13],
  ['popcnt', 1, 'ecx', 23],
  ['lahf', 0x80000001, 'ecx', 0],
  ['prefetchw', 0x80000001, 'ecx', 8],
  ['syscall', 0x80000001, 'edx', 11],
  ['rdtscp', 0x80000001, 'edx', 27],
]

/** A feature that is there only in part is not there. */
function isImplemented(attribute: string): boolean {
  const rows = ROWS.filter(({ attributes }) => attributes.has(attribute))
  return rows.length > 0 && rows.every((row) => semanticsOf(row) !== undefined)
}

/** The bits of a register of a leaf that software may be shown. */
export function features(leaf: 1 | 0x80000001, register: Register): number {
  let bits = 0
  for (const [attribute, of, where, bit] of BITS) {
    if (of === leaf && where === register && isImplemented(attribute)) bits |= 1 << bit
  }
  return bits >>> 0
}
