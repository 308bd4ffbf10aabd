/** The graph's lines, Xen around them, and a spark for what is sent just now. Boxes and labels are buttons over the picture. */

import { EVTCHNSTAT_interdomain, EVTCHNSTAT_pirq } from '#abi/xen/event_channel.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import type { Sent } from './channels.ts'
import { FLOOR_LAYER, type GraphPlan, type Point, pointOn } from './graph-layout.ts'
import type { Stage } from './use-stage.ts'

const SPARK_MS = 600
const SPARKS_MAX = 80

interface Spark extends Sent {
  readonly sinceMs: number
}

/** What is on its way in the picture. */
export class Sparks {
  #sparks: Spark[] = []

  add(sent: readonly Sent[], nowMs: number): void {
    for (const one of sent) if (this.#sparks.length < SPARKS_MAX) this.#sparks.push({ ...one, sinceMs: nowMs })
  }

  /** Those that have not arrived, with how far they have come: 0 to 1. */
  at(nowMs: number): readonly (readonly [Sent, number])[] {
    this.#sparks = this.#sparks.filter(({ sinceMs }) => nowMs - sinceMs < SPARK_MS)
    return this.#sparks.map((spark) => [spark, Math.max(0, nowMs - spark.sinceMs) / SPARK_MS])
  }
}

/** A line's width tells of the rate: one more for each time that it is four times as high. */
const lineWidth = (perSecond: number): number => 1.5 + Math.min(6, Math.log2(1 + perSecond) / 2)

interface GraphPicture {
  readonly plan: GraphPlan
  readonly sparks: Sparks
  readonly nowMs: number
  /** How far the graph has been scrolled up. */
  readonly scrollTop: number
  readonly selected: string
  readonly words: { readonly xen: string; readonly hardware: string }
}

/** True: something is on its way. */
export function paintGraph(stage: Stage, picture: GraphPicture): boolean {
  const { plan, sparks, nowMs, scrollTop, selected, words } = picture
  const { context, ratio, palette } = stage
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, stage.width, stage.height)
  context.translate(0, -scrollTop)
  paintXen(stage, plan, words)
  for (const { edge, curve } of plan.edges) {
    const [from, near, far, to] = curve
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.bezierCurveTo(near.x, near.y, far.x, far.y, to.x, to.y)
    const isChannel = edge.kind === 'channels'
    context.setLineDash(isChannel ? [] : [2, 5])
    context.lineCap = isChannel ? 'butt' : 'round'
    context.strokeStyle =
      edge.id === selected ? palette.text : isChannel ? palette.lineStrong : palette.domain(edge.granter)
    context.lineWidth = isChannel ? lineWidth(edge.perSecond) : lineWidth(edge.copiesPerSecond) + 1
    context.stroke()
  }
  context.setLineDash([])
  for (const stub of plan.stubs) {
    context.strokeStyle = stub.kind === 'virq' ? palette.xen : palette.machine
    context.fillStyle = context.strokeStyle
    context.lineWidth = lineWidth(stub.perSecond)
    context.beginPath()
    context.moveTo(stub.from.x, stub.from.y)
    context.lineTo(stub.to.x, stub.to.y)
    context.stroke()
    dot(context, stub.to, 4)
  }
  const travelling = sparks.at(nowMs)
  for (const [spark, way] of travelling) {
    const point = sparkPoint(plan, spark, way)
    if (!point) continue
    context.fillStyle = spark.from === DOMID_XEN ? palette.xen : palette.domain(spark.from)
    dot(context, point, 4)
  }
  return travelling.length > 0
}

function dot(context: CanvasRenderingContext2D, { x, y }: Point, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fill()
}

function sparkPoint(plan: GraphPlan, { from, to, status }: Sent, way: number): Point | undefined {
  if (status === EVTCHNSTAT_interdomain) {
    for (const { edge, curve } of plan.edges) {
      if (edge.kind !== 'channels') continue
      if (edge.a === from && edge.b === to) return pointOn(curve, way)
      if (edge.a === to && edge.b === from) return pointOn(curve, 1 - way)
    }
    return undefined
  }
  const kind = status === EVTCHNSTAT_pirq ? 'pirq' : 'virq'
  const stub = plan.stubs.find((one) => one.domid === to && one.kind === kind)
  return stub && { x: stub.to.x + (stub.from.x - stub.to.x) * way, y: stub.from.y }
}

function paintXen({ context, palette }: Stage, plan: GraphPlan, words: GraphPicture['words']): void {
  const { width, height, wall, floor } = plan
  const ground = height - floor
  context.fillStyle = palette.xen
  context.globalAlpha = 0.28
  context.fillRect(0, 0, wall, ground)
  context.fillRect(width - wall, 0, wall, ground)
  context.fillRect(0, ground, width, FLOOR_LAYER)
  context.fillStyle = palette.machine
  context.fillRect(0, ground + FLOOR_LAYER, width, FLOOR_LAYER)
  context.globalAlpha = 1
  context.font = `600 12.5px ${palette.fontUi}`
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillStyle = palette.text
  context.fillText(words.xen, width / 2, ground + FLOOR_LAYER / 2)
  context.fillText(words.hardware, width / 2, ground + FLOOR_LAYER * 1.5)
  context.textAlign = 'start'
}
