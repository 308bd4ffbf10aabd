/** The number types of Xen's interface (xen/include/public/xen.h), branded so that a frame is never taken for a port. */
import type { Mem } from '../mem.ts'
import type { Field } from '../struct.ts'

declare const brand: unique symbol
type Brand<Name extends string> = number & { readonly [brand]: Name }

/** Machine frame number: a real page of the host. */
export type Mfn = Brand<'mfn'>
/** Guest pseudo-physical frame number. */
export type Gpfn = Brand<'gpfn'>
export type Domid = Brand<'domid'>

export const PAGE_SHIFT = 12
export const PAGE_SIZE = 4096

/**
 * A guest's virtual address, as a *signed* number: the canonical 48-bit address, sign-extended, so the kernel half is negative and every
 * byte of it is exact in a double. `unsignedVaddr` gives the 64-bit word that the processor sees.
 */
export type Vaddr = number

export const unsignedVaddr = (va: Vaddr): bigint => BigInt.asUintN(64, BigInt(va))
/** The signed form of a 64-bit word. Words that are no canonical address come out rounded; they translate to nothing. */
export const signedVaddr = (word: bigint): Vaddr => Number(BigInt.asIntN(64, word))

/** A pointer in a struct. */
export const vaddr = (offset: number): Field<Vaddr> => ({
  offset,
  bytes: 8,
  align: 8,
  get: (mem: Mem, at: number) => signedVaddr(mem.read64(at + offset)),
  set: (mem: Mem, at: number, value: Vaddr) => mem.write64(at + offset, unsignedVaddr(value)),
})
