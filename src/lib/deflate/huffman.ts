/** Code lengths for frequencies: Huffman's, none longer than `limit` bits. */

/** How many bits each symbol's code has; 0 where it does not occur. At least two symbols get a code, as inflaters of old want it. */
export function codeLengths(frequencies: Uint16Array | Uint32Array, count: number, limit: number): Uint8Array {
  const lengths = new Uint8Array(count)
  const used: number[] = []
  for (let symbol = 0; symbol < count; symbol++) if (frequencies[symbol]! > 0) used.push(symbol)
  for (let symbol = 0; used.length < 2 && symbol < count; symbol++) if (!used.includes(symbol)) used.push(symbol)
  const order = Uint16Array.from(used.sort((a, b) => frequencies[a]! - frequencies[b]! || a - b))
  const leaves = order.length
  const weights = new Uint32Array(2 * leaves)
  const parents = new Uint16Array(2 * leaves)
  for (let i = 0; i < leaves; i++) weights[i] = Math.max(1, frequencies[order[i]!]!)
  // Two queues: leaves in order, and the nodes made of them, which come in order by themselves.
  let leaf = 0
  let inner = leaves
  let nodes = leaves
  while (nodes < 2 * leaves - 1) {
    let weight = 0
    for (let child = 0; child < 2; child++) {
      const pick = leaf < leaves && (inner >= nodes || weights[leaf]! <= weights[inner]!) ? leaf++ : inner++
      weight += weights[pick]!
      parents[pick] = nodes
    }
    weights[nodes++] = weight
  }
  const depths = new Uint8Array(2 * leaves)
  const counts = new Uint16Array(limit + 1)
  let over = 0
  for (let node = nodes - 2; node >= 0; node--) {
    const depth = depths[parents[node]!]! + 1
    // A chain of more than 255 would take more input than a block has.
    depths[node] = depth
    if (node < leaves) {
      if (depth > limit) over++
      counts[Math.min(depth, limit)]!++
    }
  }
  if (over > 0) shorten(counts, limit)
  // The rarest get the longest.
  let at = 0
  for (let length = limit; length > 0; length--) {
    for (let i = counts[length]!; i > 0; i--) lengths[order[at++]!] = length
  }
  return lengths
}

/** Codes were cut down to `limit` bits: others grow until the code is one again (Kraft's sum is 1). */
function shorten(counts: Uint16Array, limit: number): void {
  let sum = 0
  for (let length = 1; length <= limit; length++) sum += counts[length]! << (limit - length)
  const whole = 1 << limit
  while (sum > whole) {
    let length = limit - 1
    while (counts[length] === 0) length--
    counts[length]!--
    counts[length + 1]!++
    sum -= 1 << (limit - length - 1)
  }
  // What is too much room now goes to the longest codes.
  while (sum < whole) {
    let length = limit
    while (counts[length] === 0 || 1 << (limit - length) > whole - sum) length--
    counts[length]!--
    counts[length - 1]!++
    sum += 1 << (limit - length)
  }
}

/** Canonical codes for lengths, with their bits in the order in which they are sent. */
export function codesOf(lengths: Uint8Array, reversed: (code: number, length: number) => number): Uint16Array {
  const counts = new Uint16Array(17)
  for (let i = 0; i < lengths.length; i++) if (lengths[i]! > 0) counts[lengths[i]!]!++
  const next = new Uint16Array(17)
  for (let length = 1; length < 16; length++) next[length + 1] = (next[length]! + counts[length]!) << 1
  const codes = new Uint16Array(lengths.length)
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]!
    if (length > 0) codes[i] = reversed(next[length]!++, length)
  }
  return codes
}
