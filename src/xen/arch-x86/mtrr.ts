/**
 * xen/arch/x86/cpu/mtrr: the variable ranges of memory types, as many as a Core 2 has. The firmware of this machine sets none, and its caches
 * make no difference between types: what is left is the accounting.
 */
import { EINVAL, ENOSPC } from '#abi/xen/errno.ts'
import { hex } from '../common/lib.ts'
import { XENLOG_INFO, XENLOG_WARNING } from '../drivers/console.ts'
import { printk, type Xen } from '../xen.ts'

const NUM_VAR_RANGES = 8
const MTRR_NUM_TYPES = 7
const MTRR_TYPE_UNCACHABLE = 0
const MTRR_TYPE_WRTHROUGH = 4
const MTRR_TYPE_WRBACK = 6
/** Frame numbers have so many bits: 36 of an address, less 12. */
const WIDTH = 24n
const TYPES: readonly string[] = [
  'uncachable',
  'write-combining',
  '?',
  '?',
  'write-through',
  'write-protect',
  'write-back',
]

/** In frames; a size of 0: free. */
export interface Mtrr {
  base: bigint
  size: bigint
  type: number
  /** usage_table: 1 from the start. */
  usage: number
}

export const makeMtrrs = (): Mtrr[] =>
  Array.from({ length: NUM_VAR_RANGES }, () => ({ base: 0n, size: 0n, type: 0, usage: 1 }))

const compatible = (a: number, b: number): boolean =>
  a === MTRR_TYPE_UNCACHABLE ||
  b === MTRR_TYPE_UNCACHABLE ||
  (a !== b && [a, b].every((type) => type === MTRR_TYPE_WRTHROUGH || type === MTRR_TYPE_WRBACK))

/** generic_validate_add_page: a power of two, at a multiple of itself. */
function aligned(base: bigint, size: bigint): boolean {
  let first = base
  let last = BigInt.asUintN(64, base + size - 1n)
  while ((first & 1n) === 0n && last & 1n) {
    first >>= 1n
    last >>= 1n
  }
  return first === last
}

/** mtrr_add_page: the register, or a negative errno. */
export function mtrrAdd(xen: Xen, base: bigint, size: bigint, type: number): number {
  const { mtrrs } = xen
  const refuse = (why: string): number => {
    printk(xen, `${XENLOG_WARNING}mtrr: ${why}\n`)
    return -EINVAL
  }
  if (!aligned(base, size))
    return refuse(`base(0x${hex(base)}000) is not aligned on a size(0x${hex(size)}000) boundary`)
  if (type >= MTRR_NUM_TYPES) return refuse(`type: ${type} invalid`)
  if (size === 0n) return refuse('zero sized request')
  if (base >> WIDTH || size >> WIDTH) return refuse('base or size exceeds the MTRR width')
  let replace: number | undefined
  let replaced = 0
  const last = base + size - 1n
  for (const [i, old] of mtrrs.entries()) {
    const oldLast = old.base + old.size - 1n
    if (old.size === 0n || base > oldLast || last < old.base) continue
    if (base < old.base || last > oldLast) {
      const encloses = base <= old.base && last >= oldLast
      if (encloses && type === old.type) {
        replace = i
        replaced++
      } else if (!encloses || !compatible(type, old.type))
        return refuse(
          `0x${hex(base)}000,0x${hex(size)}000 overlaps existing 0x${hex(old.base)}000,0x${hex(old.size)}000`,
        )
    } else if (old.type === type) {
      old.usage++
      return i
    } else if (!compatible(type, old.type))
      return refuse(`type mismatch for ${hex(base)}000,${hex(size)}000 old: ${TYPES[old.type]!} new: ${TYPES[type]!}`)
  }
  // A single one that the new one encloses makes room for it.
  if (replace !== undefined && replaced === 1) {
    Object.assign(mtrrs[replace]!, { base, size, type, usage: mtrrs[replace]!.usage + 1 })
    return replace
  }
  const free = mtrrs.findIndex((each) => each.size === 0n)
  if (free < 0) {
    printk(xen, `${XENLOG_INFO}mtrr: no more MTRRs available\n`)
    return -ENOSPC
  }
  mtrrs[free] = { base, size, type, usage: 1 }
  return free
}

/** mtrr_del_page, by register. */
export function mtrrDel(xen: Xen, reg: number): number {
  const mtrr = xen.mtrrs[reg]
  const refuse = (why: string): number => {
    printk(xen, `${XENLOG_WARNING}mtrr: ${why}\n`)
    return -EINVAL
  }
  if (!mtrr) return refuse(`register: ${reg} too big`)
  if (mtrr.size === 0n) return refuse(`MTRR ${reg} not used`)
  if (mtrr.usage < 1) return refuse(`reg: ${reg} has count=0`)
  if (--mtrr.usage < 1) Object.assign(mtrr, { base: 0n, size: 0n, type: 0 })
  return 0
}
