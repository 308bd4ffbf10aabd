/** xen/include/asm-x86/x86_64/uaccess.h: which numbers can be a guest's addresses at all. */
import type { Vaddr } from '#abi/xen/types.ts'
import { HYPERVISOR_VIRT_END } from '#abi/xen/xen.ts'

/** is_canonical_address: 48 bits, sign-extended. */
export const isCanonical = (va: Vaddr): boolean => Number.isSafeInteger(va) && va >= -(2 ** 47) && va < 2 ** 47

/** access_ok: outside of the hypervisor's half. What is not canonical there faults when it is touched. */
export const accessOk = (va: Vaddr): boolean => (va >= 0 && va < 2 ** 48) || (va < 0 && va >= HYPERVISOR_VIRT_END)
