/** A region: the blocks that are reached from one address by jumps to addresses that are known, within one or two pages. */
import type { Emitter } from '../semantics/emitter.ts'
import { BlockBuilder } from './block-builder.ts'
import type { Node } from './node.ts'
import { Slots } from './slots.ts'
import type { Statement } from './statement.ts'

/** An instruction, ready to be said to an emitter. */
export interface Translatable {
  readonly length: number
  readonly run: (e: Emitter<Node>) => void
  /** Where it may go to besides the next instruction; and whether it never goes there at once. Only a hint. */
  readonly target: bigint | undefined
  readonly ends: boolean
  /** What it calls comes back behind it; it goes back to somebody's caller. */
  readonly calls: boolean
  readonly returns: boolean
  /** A jump or call that says its target only then. */
  readonly indirect: boolean
}
/** Undefined: not to be translated, or its bytes cannot be read. */
export type Fetch = (rip: bigint) => Translatable | undefined

export interface Block {
  /** Counted from the region's start, as all addresses within a region. */
  readonly start: number
  readonly statements: readonly Statement[]
  /** Its instructions. */
  readonly count: number
}

export interface Region {
  readonly start: bigint
  readonly blocks: ReadonlyMap<number, Block>
  readonly slots: Slots
}

export const BLOCK_INSTRUCTIONS_MAX = 64
const REGION_INSTRUCTIONS_MAX = 400
/** Of so many places in the region a return knows that it may lead there. */
const RETURNS_MAX = 4
/** And a jump through a register or memory. */
const TARGETS_MAX = 16
const PAGES_MAX = 2
/** Of what is further away nothing can be within the same pages. */
const FAR = 8192n

/** The region that begins at `start`; undefined if nothing there can be translated. `firstLocal`: of the slots; `reached`: where such jumps have led to, not only here. */
export function buildRegion(
  start: bigint,
  fetch: Fetch,
  firstLocal: number,
  reached: Iterable<bigint> = [],
): Region | undefined {
  const code = new Code(start, fetch)
  if (!code.at(0)) return undefined
  const { leaders, behindCalls, behindJumps } = findLeaders(code, reached)
  const slots = new Slots(firstLocal)
  const blocks = new Map<number, Block>()
  for (const leader of leaders) {
    const builder = new BlockBuilder(slots, start)
    let at = leader
    while (!builder.ended) {
      const next = code.at(at)
      if (next && builder.done === BLOCK_INSTRUCTIONS_MAX && code.size < REGION_INSTRUCTIONS_MAX) leaders.add(at)
      if (!next || (builder.done > 0 && (leaders.has(at) || builder.done === BLOCK_INSTRUCTIONS_MAX)))
        builder.continueAt(at)
      else {
        builder.instruction(at, next, next.returns ? behindCalls : next.indirect ? behindJumps : [])
        at += next.length
      }
    }
    blocks.set(leader, { start: leader, statements: builder.statements, count: builder.done })
  }
  return { start, blocks, slots }
}

interface Leaders {
  readonly leaders: Set<number>
  readonly behindCalls: readonly number[]
  readonly behindJumps: readonly number[]
}

/** Where blocks begin: the targets of jumps, in the order in which they are found, what is behind calls of the region's own code, and where jumps have led to that do not say it. */
function findLeaders(code: Code, reached: Iterable<bigint>): Leaders {
  const leaders = new Set([0])
  const behindCalls: number[] = []
  const behindJumps: number[] = []
  const seen = new Set<number>()
  for (const leader of leaders) {
    let at = leader
    for (let next = code.at(at); next && !seen.has(at); next = code.at(at)) {
      if (seen.size >= REGION_INSTRUCTIONS_MAX) return { leaders, behindCalls, behindJumps }
      seen.add(at)
      if (next.indirect && behindJumps.length === 0) {
        behindJumps.push(...targetsOf(code, reached))
        for (const target of behindJumps) leaders.add(target)
      }
      const target = next.target === undefined ? undefined : code.distance(next.target)
      const isInside = target !== undefined && code.at(target) !== undefined
      if (isInside) leaders.add(target)
      if (isInside && next.calls && behindCalls.length < RETURNS_MAX && code.at(at + next.length)) {
        leaders.add(at + next.length)
        behindCalls.push(at + next.length)
      }
      if (next.ends) break
      at += next.length
    }
  }
  return { leaders, behindCalls, behindJumps }
}

function targetsOf(code: Code, reached: Iterable<bigint>): number[] {
  const targets: number[] = []
  for (const rip of reached) {
    const target = code.distance(rip)
    if (target !== undefined && targets.length < TARGETS_MAX && code.at(target)) targets.push(target)
  }
  return targets
}

/** Instructions within the region's pages, each fetched once. */
class Code {
  readonly #start: bigint
  readonly #fetch: Fetch
  readonly #known = new Map<number, Translatable | undefined>()
  /** Of the region's start within its page. */
  readonly #offset: number
  #firstPage = 0
  #lastPage = 0

  constructor(start: bigint, fetch: Fetch) {
    this.#start = start
    this.#fetch = fetch
    this.#offset = Number(start & 0xfffn)
  }

  get size(): number {
    return this.#known.size
  }

  distance(rip: bigint): number | undefined {
    const distance = rip - this.#start
    return distance > -FAR && distance < FAR ? Number(distance) : undefined
  }

  at(at: number): Translatable | undefined {
    const known = this.#known.get(at)
    if (known || this.#known.has(at)) return known
    const found = this.#fetch(this.#start + BigInt(at))
    const first = this.#offset + at
    const inside = found && this.#admit(first >> 12, (first + found.length - 1) >> 12) ? found : undefined
    this.#known.set(at, inside)
    return inside
  }

  /** Whether these pages still fit; then they are the region's. */
  #admit(from: number, to: number): boolean {
    const first = Math.min(from, this.#firstPage)
    const last = Math.max(to, this.#lastPage)
    if (last - first >= PAGES_MAX) return false
    this.#firstPage = first
    this.#lastPage = last
    return true
  }
}
