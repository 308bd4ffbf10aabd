/**
 * Counts how often a block's nodes will be used, before it is lowered: what nobody uses is never computed, what is used once needs no local. Uses on ways out of the
 * region (flags for whoever looks after a fault) count apart: what only they want is computed there.
 */
import { isConstant, Kind, type Node, type Slot } from './node.ts'
import type { Access, Pending, Statement } from './statement.ts'

const NOTHING: readonly Node[] = []

/** First, for all blocks: uses on the straight way. */
export function countHot(statements: readonly Statement[]): void {
  for (const statement of statements) for (const node of operandsOf(statement)) hot(node)
  for (const statement of statements)
    if (statement.kind === 'if') {
      countHot(statement.yes)
      countHot(statement.no)
    }
}

/** Then the flags that ways out may store. */
export function countCold(statements: readonly Statement[]): void {
  for (const statement of statements) {
    const pending = pendingOf(statement)
    if (pending && !pending.isStored) {
      cold(pending.dst)
      cold(pending.src)
    }
    if (statement.kind === 'if') {
      countCold(statement.yes)
      countCold(statement.no)
    }
  }
}

export const isStored = (node: Node): boolean => node.kind === Kind.pinned || node.kind === Kind.slot

/** One use more. */
export const countUse = (node: Node): void => hot(node)

function hot(node: Node): void {
  if (isConstant(node)) return
  node.uses++
  if (node.hot) return
  node.hot = true
  if (isStored(node)) return
  if (node.a) hot(node.a)
  if (node.b) hot(node.b)
  if (node.c) hot(node.c)
}

function cold(node: Node): void {
  if (isConstant(node)) return
  node.uses++
  if (node.hot || isStored(node)) return
  if (node.a) cold(node.a)
  if (node.b) cold(node.b)
  if (node.c) cold(node.c)
}

/** The values that a statement needs, in the order in which it needs them. */
export function operandsOf(statement: Statement): readonly Node[] {
  switch (statement.kind) {
    case 'set':
      return [statement.node]
    case 'load':
    case 'host':
      return addressed(statement)
    case 'load-host':
      return [statement.host]
    case 'store-host':
      return [statement.host, statement.value]
    case 'store-state':
      return [statement.value]
    case 'probe':
      return [statement.address]
    case 'spend':
      return [statement.count]
    case 'copy':
      return [statement.to, statement.from, statement.bytes]
    case 'fill':
      return [statement.to, statement.value, statement.bytes]
    case 'if':
      return [statement.condition]
    case 'flags':
      return statement.pending.isStored ? [statement.pending.dst, statement.pending.src] : NOTHING
    case 'jump':
      return [statement.target]
    case 'helper':
    case 'calculate':
      return statement.args
    default:
      return NOTHING
  }
}

function addressed({ address, place }: Access): readonly Node[] {
  if (!place?.span.isShared) return [address]
  return place.opens ? [place.span.base] : NOTHING
}

/** Flags that a statement may have to put into their slots on its way out. */
export function pendingOf(statement: Statement): Pending | undefined {
  switch (statement.kind) {
    case 'load':
    case 'host':
    case 'leave':
    case 'asked':
    case 'calculate':
      return statement.site.pending
    case 'goto':
    case 'jump':
      return statement.pending
    default:
      return undefined
  }
}

/** What the arms of an `if` change and need: slots, and nodes older than `first` that are used more than once. */
export function needsOf(
  statements: readonly Statement[],
  first: number,
  everything: readonly Slot[],
  changing: Set<Slot>,
  nodes: Node[],
): void {
  const collect = (node: Node): void => {
    if (isConstant(node) || isStored(node) || node.local >= 0) return
    if (node.id < first && node.uses > 1) nodes.push(node)
    else for (const operand of [node.a, node.b, node.c]) if (operand) collect(operand)
  }
  for (const statement of statements) {
    for (const operand of operandsOf(statement)) collect(operand)
    if (statement.kind === 'set') changing.add(statement.slot)
    else if (statement.kind === 'helper') for (const slot of everything) changing.add(slot)
    else if (statement.kind === 'if') {
      needsOf(statement.yes, first, everything, changing, nodes)
      needsOf(statement.no, first, everything, changing, nodes)
    }
  }
}
