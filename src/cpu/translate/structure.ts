/**
 * A region's control flow as WebAssembly has it: which blocks are loops, and which of a block's dominated ones have to be reachable from several places (Ramsey, "Beyond
 * Relooper", 2022; dominators by Cooper, Harvey and Kennedy, 2001). A jump backwards to what does not dominate it is none of the region's: it leaves, and comes back in.
 */
import { keepAccounts } from './accounts.ts'
import type { Block, Region } from './region.ts'
import type { Statement } from './statement.ts'

export type Goto = Extract<Statement, { kind: 'goto' }>

export interface Placed {
  readonly block: Block
  /** In reverse postorder. */
  readonly number: number
  isLoop: boolean
  /** Blocks that it dominates at once and that are reached by several jumps, those that come last first. */
  readonly merges: Placed[]
  /** To other blocks, or this one. */
  readonly jumps: Jump[]
  /** Counted from where it begins: what has been executed before and not been taken off the budget yet, and the longest way on that nobody asks on (accounts.ts). */
  debt: number
  /** There is never a debt. */
  isSettled: boolean
  longest: number
}
/** Behind `done` of a block's instructions. */
export interface Jump {
  readonly done: number
  readonly to: Placed
}

export interface Structure {
  readonly entry: Placed
  /** What a jump leads to within the region, if it does. */
  edge(from: Placed, target: number): Placed | undefined
  readonly placed: readonly Placed[]
}

export function gotosOf(statements: readonly Statement[], into: Goto[] = []): Goto[] {
  for (const statement of statements) {
    if (statement.kind === 'goto') into.push(statement)
    else if (statement.kind === 'if') {
      gotosOf(statement.yes, into)
      gotosOf(statement.no, into)
    }
  }
  return into
}

export function structureOf(region: Region): Structure {
  const targets = new Map<number, Goto[]>()
  const order: number[] = []
  const visit = (start: number): void => {
    const found = gotosOf(region.blocks.get(start)!.statements).filter(({ at }) => region.blocks.has(at))
    targets.set(start, found)
    for (const { at } of found) if (!targets.has(at)) visit(at)
    order.push(start)
  }
  visit(0)
  order.reverse()
  const placed = order.map(
    (start, number): Placed => ({
      block: region.blocks.get(start)!,
      number,
      isLoop: false,
      merges: [],
      jumps: [],
      debt: 0,
      isSettled: true,
      longest: 0,
    }),
  )
  const byStart = new Map(placed.map((each) => [each.block.start, each]))
  const edges = placed.map((each) => targets.get(each.block.start)!.map(({ at }) => byStart.get(at)!.number))
  const dominators = dominatorsOf(edges)
  const dominates = (a: number, b: number): boolean => {
    let at = b
    while (at > a) at = dominators[at]!
    return at === a
  }
  const forward = placed.map(() => 0)
  edges.forEach((to, from) => {
    for (const target of to) {
      if (target > from) forward[target]!++
      else if (dominates(target, from)) placed[target]!.isLoop = true
    }
  })
  for (let n = placed.length - 1; n > 0; n--) if (forward[n]! > 1) placed[dominators[n]!]!.merges.push(placed[n]!)
  const edge = (from: Placed, target: number): Placed | undefined => {
    const to = byStart.get(target)
    return to && (to.number > from.number || dominates(to.number, from.number)) ? to : undefined
  }
  for (const each of placed)
    for (const { at, done } of targets.get(each.block.start)!) {
      const to = edge(each, at)
      if (to) each.jumps.push({ done, to })
    }
  keepAccounts(placed, forward)
  return { entry: placed[0]!, placed, edge }
}

/** Immediate dominators by numbers in reverse postorder. */
function dominatorsOf(edges: readonly (readonly number[])[]): number[] {
  const sources: number[][] = edges.map(() => [])
  edges.forEach((to, from) => {
    for (const target of to) sources[target]!.push(from)
  })
  const found: number[] = edges.map((_, n) => (n === 0 ? 0 : -1))
  for (let changed = true; changed; ) {
    changed = false
    for (let n = 1; n < edges.length; n++) {
      let best = -1
      for (const source of sources[n]!) {
        if (found[source] === -1) continue
        best = best === -1 ? source : common(found, best, source)
      }
      if (best !== found[n]) {
        found[n] = best
        changed = true
      }
    }
  }
  return found
}

function common(dominators: readonly number[], a: number, b: number): number {
  let [x, y] = [a, b]
  while (x !== y) {
    while (x > y) x = dominators[x]!
    while (y > x) y = dominators[y]!
  }
  return x
}
