/** A vCPU as helpers, the interpreter and the translator's slow paths see it; `vcpu.ts` is the whole of it. */
import type { Mode, Size } from './isa/insn.ts'

export type Access = 'read' | 'write' | 'fetch'

export interface Cpu {
  /** The machine's memory, all of it; the state is at `base` (state.ts). */
  readonly view: DataView
  readonly base: number
  readonly mode: Mode

  /** Offset in `view` of what lies at a linear address, for an access that stays within its page. Throws Fault. */
  translate(address: bigint, access: Access): number
  /** The same for the first byte of an instruction; the halves of its address are signed. */
  fetch(low: number, high: number): number
  /** Offset of an access that needs no more care; -1: it has to be done by `load` or `store`. The halves of its address are signed. Throws Fault. */
  locate(low: number, high: number, bytes: number, write: boolean): number
  /** Linear addresses, unaligned and across pages too. A number up to four bytes, a BigInt of eight. Throws Fault; a store that faults has stored nothing. */
  load(size: Size, address: bigint): number | bigint
  store(size: Size, address: bigint, value: number | bigint): void
  /** A copy of `length` bytes. */
  loadBytes(address: bigint, length: number): Uint8Array
  storeBytes(address: bigint, bytes: Uint8Array): void
  /** Faults as a store of so many bytes would. */
  writable(bytes: number, address: bigint): void

  /** The eight bytes of a segment descriptor in the GDT or LDT; undefined: beyond the table's end. */
  descriptor(selector: number): bigint | undefined

  /** What CPUID answers: EAX EBX ECX EDX. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number]
  tsc(): bigint
}
