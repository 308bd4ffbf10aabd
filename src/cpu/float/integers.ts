/** Bits and roots of BigInts. */

const double = new DataView(new ArrayBuffer(8))

/** Bits of a number from 0 to below 2^1023. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0
  double.setFloat64(0, Number(value))
  const length = (double.getUint16(0) >> 4) - 1022
  // The conversion may have rounded up to the next power of two.
  return value >> BigInt(length - 1) === 0n ? length - 1 : length
}

/** The whole part of the square root of a positive number below 2^1023. */
export function integerRoot(value: bigint): bigint {
  // Not below the root, so that Newton's iteration only falls.
  let root = BigInt(Math.ceil(Math.sqrt(Number(value)) * (1 + 2 ** -50))) + 1n
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
