/** Bits of the debug registers (Intel SDM volume 3, 17.2). DR0 to DR3 are four linear addresses. */

/** DR6: which of the four conditions were met. Each #DB says so anew; all other bits stay set until somebody clears them. */
export const DR6_TRAPS = 0xf
/** TF: a single step. */
export const DR6_BS = 0x4000
/** What is reserved, and 1. */
export const DR6_ONES = 0xffff0ff0
/** What is reserved, and 0. */
export const DR6_ZEROS = 0x1000

/** DR7: L and G of all four, two bits each. */
export const DR7_ENABLES = 0xff
export const DR7_ONES = 0x400
export const DR7_ZEROS = 0xd800
/** R/W and LEN, two bits each, of the first one; four bits further for each of the others. */
export const DR7_RW_SHIFT = 16
export const DR7_LEN_SHIFT = 18

/** R/W: what is waited for at an address. */
export const DR7_EXECUTE = 0
export const DR7_WRITE = 1
/** With CR4.DE. */
export const DR7_IO = 2
export const DR7_ACCESS = 3
/** Bytes by LEN; they begin at a multiple of their number. */
export const DR7_BYTES = [1, 2, 8, 4] as const

/** LEN of one of the four, as bytes. */
export const watchedBytes = (dr7: number, n: number): number => DR7_BYTES[(dr7 >>> (DR7_LEN_SHIFT + 4 * n)) & 3]!
/** R/W of one of the four. */
export const watchedFor = (dr7: number, n: number): number => (dr7 >>> (DR7_RW_SHIFT + 4 * n)) & 3
