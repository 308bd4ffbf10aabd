/** Integer arithmetic of an x86 processor with its flags (Intel SDM volume 1, 3.4.3), on unsigned words of 1, 2, 4 or 8 bytes. */

export const CF = 0x001
const PF = 0x004
const AF = 0x010
export const ZF = 0x040
const SF = 0x080
const OF = 0x800
/** All of them. */
export const STATUS_FLAGS = CF | PF | AF | ZF | SF | OF

export interface Alu {
  readonly result: bigint
  /** Among `changes`, those that are set. */
  readonly flags: number
  /** The flags that the operation writes. */
  readonly changes: number
}

export const mask = (bytes: number): bigint => (1n << BigInt(8 * bytes)) - 1n

const isNegative = (value: bigint, bytes: number): boolean => value >> BigInt(8 * bytes - 1) !== 0n

/** SF, ZF and PF. */
function ofResult(result: bigint, bytes: number): number {
  let ones = Number(result & 0xffn)
  ones ^= ones >> 4
  ones ^= ones >> 2
  ones ^= ones >> 1
  return (ones & 1 ? 0 : PF) | (result === 0n ? ZF : 0) | (isNegative(result, bytes) ? SF : 0)
}

function added(a: bigint, b: bigint, carry: bigint, bytes: number): Alu {
  const whole = a + b + carry
  const result = whole & mask(bytes)
  const overflow = isNegative((a ^ result) & (b ^ result), bytes)
  const flags =
    ofResult(result, bytes) | (whole > mask(bytes) ? CF : 0) | ((a ^ b ^ result) & 0x10n ? AF : 0) | (overflow ? OF : 0)
  return { result, flags, changes: STATUS_FLAGS }
}

function subtracted(a: bigint, b: bigint, borrow: bigint, bytes: number): Alu {
  const whole = a - b - borrow
  const result = whole & mask(bytes)
  const overflow = isNegative((a ^ b) & (a ^ result), bytes)
  const flags =
    ofResult(result, bytes) | (whole < 0n ? CF : 0) | ((a ^ b ^ result) & 0x10n ? AF : 0) | (overflow ? OF : 0)
  return { result, flags, changes: STATUS_FLAGS }
}

const logical = (result: bigint, bytes: number): Alu => ({
  result,
  flags: ofResult(result, bytes),
  changes: STATUS_FLAGS,
})

/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP: by their number in the opcode. `carry`: CF before. */
export function binary(operation: number, a: bigint, b: bigint, carry: bigint, bytes: number): Alu {
  switch (operation) {
    case 0:
      return added(a, b, 0n, bytes)
    case 1:
      return logical(a | b, bytes)
    case 2:
      return added(a, b, carry, bytes)
    case 3:
      return subtracted(a, b, carry, bytes)
    case 4:
      return logical(a & b, bytes)
    case 6:
      return logical(a ^ b, bytes)
    default:
      return subtracted(a, b, 0n, bytes)
  }
}

const withoutCarry = (alu: Alu): Alu => ({ ...alu, changes: STATUS_FLAGS & ~CF })
export const incremented = (a: bigint, bytes: number): Alu => withoutCarry(added(a, 1n, 0n, bytes))
export const decremented = (a: bigint, bytes: number): Alu => withoutCarry(subtracted(a, 1n, 0n, bytes))
export const negated = (a: bigint, bytes: number): Alu => subtracted(0n, a, 0n, bytes)
/** NOT, and what else leaves the flags alone. */
export const plain = (result: bigint): Alu => ({ result, flags: 0, changes: 0 })
