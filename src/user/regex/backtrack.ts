/** A path through the automaton that spells a match: where its groups lie, and the only way to follow back-references. */
import { sideOf } from './dfa.ts'
import { holds, Op, type RegexProgram, Side } from './program.ts'
import { RegexError } from './syntax.ts'

/** What one search may try with back-references, whose cost is exponential. */
const STEPS_MAX = 2_000_000

/** States of the search that are still to be tried: pc, position, and slots to restore (pc -1 - slot, old value). */
export interface BacktrackOptions {
  /** Where the match has to end; -1: anywhere, the longest that the first path finds. */
  readonly end: number
  readonly ignoreCase: boolean
  /** No back-references: what failed once fails always. */
  readonly memo: boolean
}

/** Slots of the match from `from` on: start and end of the whole and of each group, -1 for those that took no part. */
export function backtrack(
  program: RegexProgram,
  slots: number,
  text: string,
  from: number,
  { end, ignoreCase, memo }: BacktrackOptions,
): Int32Array | undefined {
  const { op, x, y, sets, multiline } = program
  const captures = new Int32Array(slots).fill(-1)
  captures[0] = from
  const last = end < 0 ? text.length : end
  const width = last - from + 1
  const visited = memo ? new Uint8Array(op.length * width) : undefined
  /** At one position, an instruction is not met twice without progress. */
  let best: Int32Array | undefined
  const stack: number[] = [0, from]
  let steps = 0
  while (stack.length > 0) {
    let at = stack.pop()!
    let pc = stack.pop()!
    if (pc < 0) {
      captures[-1 - pc] = at
      continue
    }
    for (;;) {
      if (visited) {
        const index = pc * width + (at - from)
        if (visited[index] !== 0) break
        visited[index] = 1
      } else if (++steps > STEPS_MAX) throw new RegexError('Memory exhausted')
      const operation = op[pc]!
      if (operation === Op.set) {
        if (at >= last || sets[x[pc]!]![text.charCodeAt(at)] === 0) break
        at++
        pc++
      } else if (operation === Op.split) {
        // A loop whose body took nothing is left: its way back here would be endless.
        if (!visited && x[pc]! < pc && lastVisit(stack, pc, at)) {
          pc = y[pc]!
          continue
        }
        stack.push(y[pc]!, at)
        pc = x[pc]!
      } else if (operation === Op.jump) {
        const to = x[pc]!
        if (!visited && to < pc && lastVisit(stack, y[to]!, at)) break
        pc = to
      } else if (operation === Op.save) {
        const slot = x[pc]!
        if (slot < slots) {
          stack.push(-1 - slot, captures[slot]!)
          captures[slot] = at
        }
        pc++
      } else if (operation === Op.assert) {
        const before = at === 0 ? Side.edge : sideOf(text.charCodeAt(at - 1))
        const after = at === text.length ? Side.edge : sideOf(text.charCodeAt(at))
        if (!holds(x[pc]!, before, after, multiline)) break
        pc++
      } else if (operation === Op.backref) {
        const group = x[pc]!
        const start = captures[group * 2]!
        const length = captures[group * 2 + 1]! - start
        if (start < 0 || captures[group * 2 + 1]! < 0) break
        const there = text.slice(start, start + length)
        const here = text.slice(at, at + length)
        if (ignoreCase ? there.toLowerCase() !== here.toLowerCase() : there !== here) break
        at += length
        pc++
      } else {
        if (end >= 0 && at !== end) break
        if (!best || at > best[1]!) {
          best = captures.slice()
          best[1] = at
        }
        if (end >= 0 || at === text.length) return best
        break
      }
    }
  }
  return best
}

/** Whether the choice on top of the stack (not counting slots) is of this instruction at this very position. */
function lastVisit(stack: readonly number[], pc: number, at: number): boolean {
  for (let i = stack.length - 2; i >= 0; i -= 2) {
    if (stack[i]! < 0) continue
    return stack[i] === pc && stack[i + 1] === at
  }
  return false
}
