/** The shortest way from one list of lines to another (Myers 1986, "An O(ND) Difference Algorithm"). */
import type { Sys } from '#abi/posix/syscalls.ts'

/** Lines `a`...`a + removed` of the first became `b`...`b + added` of the second. */
export interface Hunk {
  readonly a: number
  readonly removed: number
  readonly b: number
  readonly added: number
}

/** Past so many differences the rest is one change, as `--speed-large-files` would rather have it. */
const DISTANCE_MAX = 4000

/** Lines are numbers: equal ones are equal lines. */
export function* editScript(a: Int32Array, b: Int32Array): Sys<Hunk[]> {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let endA = a.length
  let endB = b.length
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--
    endB--
  }
  const n = endA - start
  const m = endB - start
  if (n === 0 && m === 0) return []
  const limit = Math.min(n + m, DISTANCE_MAX)
  const offset = limit + 1
  const furthest = new Int32Array(2 * limit + 3)
  const history: Int32Array[] = []
  let distance = -1
  for (let d = 0; d <= limit && distance < 0; d++) {
    history.push(furthest.slice(offset - d - 1, offset + d + 2))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && furthest[offset + k - 1]! < furthest[offset + k + 1]!)
      let x = down ? furthest[offset + k + 1]! : furthest[offset + k - 1]! + 1
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x++
      furthest[offset + k] = x
      if (x >= n && x - k >= m) {
        distance = d
        break
      }
    }
  }
  if (distance < 0) return [{ a: start, removed: n, b: start, added: m }]
  // Backwards along the way: which lines were removed and added.
  const removed = new Uint8Array(n)
  const added = new Uint8Array(m)
  let x = n
  let y = m
  for (let d = distance; d > 0; d--) {
    const before = history[d]!
    // history[d] has diagonals -d-1 to d+1 as they were before step d.
    const at = (k: number): number => before[k + d + 1]!
    const k = x - y
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1))
    const from = down ? k + 1 : k - 1
    x = at(from)
    y = x - from
    if (down) added[y] = 1
    else removed[x] = 1
  }
  shiftDown(removed, a, start)
  shiftDown(added, b, start)
  return hunks(removed, added, start)
}

/** Among equal choices GNU's has changes as late as possible, and joins them with what follows. */
function shiftDown(changed: Uint8Array, lines: Int32Array, offset: number): void {
  for (let i = 0; i < changed.length; ) {
    if (changed[i] === 0) {
      i++
      continue
    }
    let end = i
    while (end < changed.length && changed[end] !== 0) end++
    let from = i
    while (end < changed.length && lines[offset + from] === lines[offset + end]) {
      changed[from++] = 0
      changed[end++] = 1
      while (end < changed.length && changed[end] !== 0) end++
    }
    i = end
  }
}

function hunks(removed: Uint8Array, added: Uint8Array, offset: number): Hunk[] {
  const result: Hunk[] = []
  let x = 0
  let y = 0
  while (x < removed.length || y < added.length) {
    if (removed[x] !== 1 && added[y] !== 1) {
      x++
      y++
      continue
    }
    const [fromX, fromY] = [x, y]
    while (removed[x] === 1) x++
    while (added[y] === 1) y++
    result.push({ a: offset + fromX, removed: x - fromX, b: offset + fromY, added: y - fromY })
  }
  return result
}
