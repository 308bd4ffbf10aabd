/** cut's lists: `1-3,5,7-`. */

/** Sorted, merged, both ends counted from 1. */
export type Ranges = readonly (readonly [from: number, to: number])[]

/** Undefined for what is no list. */
export function parseRanges(list: string): Ranges | undefined {
  const ranges: [number, number][] = []
  for (const part of list.split(/[,\t ]/)) {
    const match = /^(\d*)(-?)(\d*)$/.exec(part)
    if (!match || (match[1] === '' && match[3] === '')) return undefined
    const from = match[1] === '' ? 1 : Number(match[1])
    const to = match[2] === '' ? from : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    if (from < 1 || to < from) return undefined
    ranges.push([from, to])
  }
  ranges.sort((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const [from, to] of ranges) {
    const last = merged.at(-1)
    // Neighbours stay apart: --output-delimiter stands between them.
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

/** What the list leaves out: cut --complement. */
export function complement(ranges: Ranges): Ranges {
  const result: [number, number][] = []
  let next = 1
  for (const [from, to] of ranges) {
    if (from > next) result.push([next, from - 1])
    next = to + 1
  }
  if (next !== Number.POSITIVE_INFINITY) result.push([next, Number.POSITIVE_INFINITY])
  return result
}
