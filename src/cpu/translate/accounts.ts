/**
 * How a region keeps its budget. What a block has executed is its successor's debt where no other way leads there: it is settled where ways meet and where the region is left.
 * Whoever comes to a block has as much as the longest way from there can cost, so that nothing is asked on the way: only where a loop begins anew, and in the middle of
 * ways that are longer than `WAY_MAX`.
 */
import type { Placed } from './structure.ts'

/** When the budget is nearly used up, so many instructions are interpreted. */
const WAY_MAX = 128
/** A site has room for so much, and a block (state-writer.ts). */
const DEBT_MAX = 900

/** Blocks in reverse postorder; `sources`: jumps forward that lead to each. */
export function keepAccounts(placed: readonly Placed[], sources: readonly number[]): void {
  for (const each of placed) {
    const debt = each.debt
    for (const { done, to } of each.jumps)
      if (to.number > each.number && isTreeEdge(to, sources) && debt + done <= DEBT_MAX) {
        to.debt = debt + done
        to.isSettled = false
      }
  }
  for (let n = placed.length - 1; n >= 0; n--) {
    const each = placed[n]!
    each.longest = each.block.count
    for (const { done, to } of each.jumps)
      if (!isChecked(each, to, done)) each.longest = Math.max(each.longest, done + to.longest)
  }
}

const isTreeEdge = (to: Placed, sources: readonly number[]): boolean => sources[to.number] === 1 && !to.isLoop

/** Whether the budget has to be looked at on the way to another block, `done` instructions behind the beginning of this one. */
export const isChecked = (from: Placed, to: Placed, done: number): boolean =>
  to.number <= from.number || done + to.longest > WAY_MAX
