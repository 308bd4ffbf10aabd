/**
 * Copies from afar: bytes as literal runs and copies of what came before, however long ago. Only for what deflate, which looks back 32 KiB,
 * does not see; the result is for it to squeeze.
 *
 *   operations u32 (bytes), then per operation three LEB128 numbers: literals, bytes to copy, how far back they begin
 *   all literals in a row; those behind the last operation end the text
 */

/** A shorter copy costs more than it saves. */
const COPY_MIN = 32
/** What deflate finds by itself. */
const NEAR = 30_000
const TABLE_BITS = 18

/** The same bytes always give the same. */
export function packFarCopies(bytes: Uint8Array): Uint8Array {
  const operations: number[] = []
  const literals: Uint8Array[] = []
  /** By hash of COPY_MIN bytes: one behind where they were last met. */
  const table = new Uint32Array(1 << TABLE_BITS)
  let from = 0
  for (let at = 0; at + COPY_MIN <= bytes.length; at++) {
    const slot = hashAt(bytes, at)
    const found = table[slot]! - 1
    table[slot] = at + 1
    if (found < 0 || at - found <= NEAR) continue
    let length = 0
    while (at + length < bytes.length && bytes[found + length] === bytes[at + length]) length++
    if (length < COPY_MIN) continue
    let before = 0
    while (at - before > from && before < found && bytes[found - before - 1] === bytes[at - before - 1]) before++
    literals.push(bytes.subarray(from, at - before))
    leb128(operations, at - before - from)
    leb128(operations, before + length)
    leb128(operations, at - found)
    from = at + length
    while (at < from - 1) {
      at++
      if (at + COPY_MIN <= bytes.length) table[hashAt(bytes, at)] = at + 1
    }
  }
  literals.push(bytes.subarray(from))
  const size = literals.reduce((sum, { length }) => sum + length, 0)
  const packed = new Uint8Array(4 + operations.length + size)
  new DataView(packed.buffer).setUint32(0, operations.length, true)
  packed.set(operations, 4)
  let to = 4 + operations.length
  for (const run of literals) {
    packed.set(run, to)
    to += run.length
  }
  return packed
}

/** Exactly `length` bytes; undefined where `packed` does not give so many. */
export function unpackFarCopies(packed: Uint8Array, length: number): Uint8Array | undefined {
  if (packed.length < 4) return undefined
  const operationsEnd = 4 + new DataView(packed.buffer, packed.byteOffset, 4).getUint32(0, true)
  if (operationsEnd > packed.length) return undefined
  const bytes = new Uint8Array(length)
  let at = 4
  let literal = operationsEnd
  let to = 0
  /** Infinity where the operations end in the middle of a number. */
  const next = (): number => {
    let value = 0
    for (let scale = 1; at < operationsEnd && scale <= 2 ** 35; scale *= 128) {
      const byte = packed[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    return Number.POSITIVE_INFINITY
  }
  while (at < operationsEnd) {
    const run = next()
    const count = next()
    const back = next()
    if (literal + run > packed.length || back === 0 || back > to + run || to + run + count > length) return undefined
    bytes.set(packed.subarray(literal, literal + run), to)
    literal += run
    to += run
    // A copy may reach into itself.
    if (back >= count) bytes.copyWithin(to, to - back, to - back + count)
    else for (let i = to; i < to + count; i++) bytes[i] = bytes[i - back]!
    to += count
  }
  if (packed.length - literal !== length - to) return undefined
  bytes.set(packed.subarray(literal), to)
  return bytes
}

function leb128(list: number[], value: number): void {
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) list.push((rest & 127) | 128)
  list.push(rest)
}

/** Of the first and the last words of COPY_MIN bytes, and one between. */
function hashAt(bytes: Uint8Array, at: number): number {
  const word = (from: number): number =>
    bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 24)
  let hash = 0
  for (let i = at; i < at + COPY_MIN; i += 4) hash = Math.imul(hash ^ word(i), 0x9e3779b1) + (hash >>> 15)
  return (hash ^ (hash >>> 13)) >>> (32 - TABLE_BITS)
}
