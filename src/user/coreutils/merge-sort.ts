/** A stable sort that gives the processor away: short runs by the engine's sort, merged in generator loops. */
import type { Sys } from '#abi/posix/syscalls.ts'

const RUN = 512

export function* mergeSort<T>(items: readonly T[], compare: (a: T, b: T) => number): Sys<readonly T[]> {
  let runs: (readonly T[])[] = []
  for (let at = 0; at < items.length; at += RUN) runs.push(items.slice(at, at + RUN).sort(compare))
  while (runs.length > 1) {
    const next: (readonly T[])[] = []
    for (let i = 0; i < runs.length; i += 2) {
      const other = runs[i + 1]
      next.push(other ? yield* merge(runs[i]!, other, compare) : runs[i]!)
    }
    runs = next
  }
  return runs[0] ?? []
}

function* merge<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number): Sys<readonly T[]> {
  const merged: T[] = []
  let i = 0
  let k = 0
  while (i < left.length && k < right.length) {
    if (compare(left[i]!, right[k]!) <= 0) merged.push(left[i++]!)
    else merged.push(right[k++]!)
  }
  while (i < left.length) merged.push(left[i++]!)
  while (k < right.length) merged.push(right[k++]!)
  return merged
}
