/**
 * Where the graph's parts stand: the lowest domain, which is dom0, at the left, all others one below the other at the right, Xen around and below them.
 * Between two domains there is a curve for channels and one for grants.
 */
import type { ChannelEdge, GrantEdge, Graph } from './channels.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box extends Point {
  readonly width: number
  readonly height: number
}

/** A cubic curve. */
export type Curve = readonly [from: Point, near: Point, far: Point, to: Point]

export interface PlacedEdge {
  readonly edge: ChannelEdge | GrantEdge
  /** From `a`, or from the granter. */
  readonly curve: Curve
  /** The middle of its label. */
  readonly label: Point
}

export interface Stub {
  readonly domid: number
  readonly kind: 'virq' | 'pirq'
  readonly from: Point
  readonly to: Point
  readonly count: number
  readonly perSecond: number
}

export interface GraphPlan {
  readonly width: number
  readonly height: number
  readonly nodes: readonly (Box & { readonly domid: number })[]
  readonly edges: readonly PlacedEdge[]
  readonly stubs: readonly Stub[]
  /** Xen: around the left, the right and below. */
  readonly wall: number
  readonly floor: number
  /** No room for words beside the numbers. */
  readonly narrow: boolean
}

const NARROW_BELOW = 560
const WALL = 10
/** Xen, and the hardware under it. */
export const FLOOR_LAYER = 20
const NODE_HEIGHT = 46
const ROW_LEAST = 60
const ROW_MOST = 190
const PAD = 12
/** Half of what lies between the two curves of a pair. */
const EDGE_GAP = 12
/** Labels stand nearer to the right end, where curves are far apart. */
const LABEL_AT = { wide: 0.72, narrow: 0.66 }

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most)

export function layoutGraph(graph: Graph, width: number, height: number): GraphPlan {
  const narrow = width < NARROW_BELOW
  const stub = narrow ? clamp(width * 0.09, 26, 44) : clamp(width * 0.11, 60, 120)
  const boxWidth = narrow ? clamp(width * 0.24, 66, 110) : clamp(width * 0.19, 100, 190)
  const [left, right] = [WALL + stub, width - WALL - stub - boxWidth]
  const floor = FLOOR_LAYER * 2
  const labelAt = narrow ? LABEL_AT.narrow : LABEL_AT.wide
  const [first, ...others] = graph.nodes
  const needed = others.length * ROW_LEAST + PAD * 2 + floor
  const whole = Math.max(height, needed, NODE_HEIGHT + PAD * 2 + floor)
  const room = whole - floor - PAD * 2
  const row = others.length > 0 ? Math.min(room / others.length, ROW_MOST) : room
  const start = PAD + (room - row * others.length) / 2
  const box = (x: number, middle: number): Box => ({
    x,
    y: Math.round(middle - NODE_HEIGHT / 2),
    width: boxWidth,
    height: NODE_HEIGHT,
  })
  const nodes = first ? [{ domid: first.domid, ...box(left, PAD + room / 2) }] : []
  others.forEach(({ domid }, i) => {
    nodes.push({ domid, ...box(right, start + row * (i + 0.5)) })
  })
  const byDomid = new Map(nodes.map((node) => [node.domid, node]))
  const edges: PlacedEdge[] = []
  for (const edge of graph.channels) place(edge, edge.a, edge.b, -EDGE_GAP)
  for (const edge of graph.grants) place(edge, edge.granter, edge.user, EDGE_GAP)

  function place(edge: ChannelEdge | GrantEdge, fromDomid: number, toDomid: number, shift: number): void {
    const [from, to] = [byDomid.get(fromDomid), byDomid.get(toDomid)]
    // One within a domain is in its node's table.
    if (!from || !to || from === to) return
    const curve = from.x === to.x ? bow(from, to, shift) : across(from, to, shift)
    edges.push({ edge, curve, label: pointOn(curve, from.x > to.x ? 1 - labelAt : from.x < to.x ? labelAt : 0.5) })
  }

  const stubs: Stub[] = []
  for (const node of graph.nodes) {
    const at = byDomid.get(node.domid)
    if (!at) continue
    const isLeft = at.x === left
    const kinds = [
      { kind: 'virq', count: node.virqs, perSecond: node.virqsPerSecond },
      { kind: 'pirq', count: node.pirqs, perSecond: node.pirqsPerSecond },
    ] as const
    const shown = kinds.filter(({ count }) => count > 0)
    shown.forEach((stubOf, i) => {
      const y = at.y + NODE_HEIGHT / 2 + (shown.length === 1 ? 0 : i === 0 ? -EDGE_GAP : EDGE_GAP)
      const from = { x: isLeft ? at.x : at.x + boxWidth, y }
      stubs.push({ domid: node.domid, ...stubOf, from, to: { x: isLeft ? WALL : width - WALL, y } })
    })
  }
  return { width, height: whole, nodes, edges, stubs, wall: WALL, floor, narrow }
}

/** From one side to the other, level at both ends. */
function across(from: Box, to: Box, shift: number): Curve {
  const rightwards = from.x < to.x
  const [start, end] = [side(from, rightwards, shift), side(to, !rightwards, shift)]
  const middle = (start.x + end.x) / 2
  return [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end]
}

/** Between two at the right: by way of the left. */
function bow(from: Box, to: Box, shift: number): Curve {
  const [start, end] = [side(from, false, shift), side(to, false, shift)]
  const x = start.x - Math.min(Math.abs(end.y - start.y), from.width) * 0.9
  return [start, { x, y: start.y }, { x, y: end.y }, end]
}

const side = (box: Box, right: boolean, shift: number): Point => ({
  x: right ? box.x + box.width : box.x,
  y: box.y + box.height / 2 + shift,
})

export function pointOn([from, near, far, to]: Curve, at: number): Point {
  const rest = 1 - at
  const [a, b, c, d] = [rest ** 3, 3 * rest ** 2 * at, 3 * rest * at ** 2, at ** 3]
  return { x: a * from.x + b * near.x + c * far.x + d * to.x, y: a * from.y + b * near.y + c * far.y + d * to.y }
}
