/** Event channels and grants as a graph: domains, what joins them, and Xen around. Lines are a picture; whatever can be chosen is a button on it. */
import { type CSSProperties, useEffect, useRef, useState } from 'react'
import { testIds } from '../../test-ids.ts'
import { hueOf } from '../xenstore/hue.ts'
import type { Graph } from './channels.ts'
import { paintGraph, Sparks } from './draw-graph.ts'
import { GraphDetail } from './GraphDetail.tsx'
import { type Box, type GraphPlan, layoutGraph, type PlacedEdge, type Stub } from './graph-layout.ts'
import type { ViewProps } from './MapView.tsx'
import type { Names } from './names.ts'
import { count, useFigures } from './use-figures.ts'
import { motionIsReduced, useStage } from './use-stage.ts'
import { type Say, useWords } from './use-words.ts'
import './graph.css'

/** A domain by its number; an edge by its id. */
export const nodeId = (domid: number): string => `domain-${domid}`

interface GraphProps extends ViewProps {
  readonly selected: string
  readonly onSelect: (id: string) => void
  /** In a part of the panel: the picture alone. */
  readonly brief: boolean
}

export function GraphView({ model, names, visible, selected, onSelect, brief }: GraphProps) {
  const say = useWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const scroll = useRef<HTMLDivElement>(null)
  const [room, setRoom] = useState({ width: 0, height: 0 })
  const [sparks] = useState(() => new Sparks())
  const graph = useFigures(visible, () => model.graph())
  const plan = layoutGraph(graph, room.width, room.height)
  const chosen = isThere(graph, selected) ? selected : firstOf(graph)

  useEffect(() => {
    const element = scroll.current
    if (!element) return
    const observer = new ResizeObserver(() => setRoom({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const ask = useStage(canvas, visible, (stage) => {
    const nowMs = performance.now()
    const sent = model.activity.takeSent()
    if (!motionIsReduced()) sparks.add(sent, nowMs)
    const words = { xen: say('owner.xen'), hardware: say('graph.hardware') }
    const scrollTop = scroll.current?.scrollTop ?? 0
    return paintGraph(stage, { plan, sparks, nowMs, scrollTop, selected: chosen, words }) ? 0 : undefined
  })
  useEffect(ask)
  useEffect(() => (visible ? model.onChange(ask) : undefined), [model, visible, ask])

  const choose = (id: string) => ({ 'aria-pressed': chosen === id, onClick: () => onSelect(id) })
  return (
    <div className="xray-graph-view">
      <div className="xray-graph" data-testid={testIds.xrayGraph}>
        <div aria-hidden="true" className="xray-picture">
          <canvas ref={canvas} />
        </div>
        <div ref={scroll} className="xray-scroll" onScroll={ask}>
          <section
            className={plan.narrow ? 'xray-graph-place narrow' : 'xray-graph-place'}
            style={{ height: `${plan.height}px` }}
            aria-label={say('graph.label')}
          >
            {room.width > 0 && (
              <>
                {plan.nodes.map((node) => (
                  <button
                    key={node.domid}
                    type="button"
                    className={`xray-node ${hueOf(node.domid)}`}
                    style={boxStyle(node)}
                    data-testid={testIds.xrayNode}
                    data-domid={node.domid}
                    {...choose(nodeId(node.domid))}
                  >
                    <span className="xray-node-name">{names.domain(node.domid)}</span>
                    <span className="xray-node-id mono">{say('owner.unnamed', { domid: node.domid })}</span>
                  </button>
                ))}
                {plan.edges.map((placed) => (
                  <EdgeLabel
                    key={placed.edge.id}
                    placed={placed}
                    narrow={plan.narrow}
                    names={names}
                    say={say}
                    {...choose(placed.edge.id)}
                  />
                ))}
                {plan.stubs.map((stub) => (
                  <StubLabel
                    key={`${stub.kind}-${stub.domid}`}
                    stub={stub}
                    plan={plan}
                    names={names}
                    say={say}
                    {...choose(nodeId(stub.domid))}
                  />
                ))}
              </>
            )}
          </section>
        </div>
      </div>
      {!brief && (
        <>
          <GraphKey say={say} />
          <GraphDetail model={model} names={names} visible={visible} graph={graph} selected={chosen} />
        </>
      )}
    </div>
  )
}

interface ButtonProps {
  readonly names: Names
  readonly say: Say
  readonly 'aria-pressed': boolean
  readonly onClick: () => void
}

interface EdgeProps extends ButtonProps {
  readonly placed: PlacedEdge
  readonly narrow: boolean
}

function EdgeLabel({ placed: { edge, label }, narrow, names, say, ...button }: EdgeProps) {
  const isChannel = edge.kind === 'channels'
  const rate = count(isChannel ? edge.perSecond : edge.copiesPerSecond)
  const words = isChannel
    ? say('graph.channels', { a: names.domain(edge.a), b: names.domain(edge.b), count: edge.count, rate })
    : say('graph.grants', {
        granter: names.domain(edge.granter),
        user: names.domain(edge.user),
        count: edge.mapped,
        rate,
      })
  const short = isChannel
    ? say(narrow ? 'graph.channels.short' : 'graph.channels.brief', { count: edge.count })
    : say(narrow ? 'graph.grants.short' : 'graph.grants.brief', { count: edge.mapped })
  return (
    <button
      type="button"
      className={`xray-edge ${isChannel ? 'channels' : `grants ${hueOf(edge.granter)}`}`}
      style={{ left: `${label.x}px`, top: `${label.y}px` }}
      title={words}
      data-testid={testIds.xrayEdge}
      data-edge={edge.id}
      {...button}
    >
      <span className="sr-only">{words}</span>
      <span aria-hidden="true">{rate === '0' ? short : `${short} · ${say('graph.rate.short', { rate })}`}</span>
    </button>
  )
}

function StubLabel({
  stub,
  plan,
  names,
  say,
  ...button
}: ButtonProps & { readonly stub: Stub; readonly plan: GraphPlan }) {
  const words = say(`graph.${stub.kind}`, {
    name: names.domain(stub.domid),
    count: stub.count,
    rate: count(stub.perSecond),
  })
  return (
    <button
      type="button"
      className={`xray-stub ${stub.kind === 'virq' ? 'layer-xen' : 'layer-machine'}`}
      style={{ left: `${(stub.from.x + stub.to.x) / 2}px`, top: `${stub.from.y}px` }}
      title={words}
      data-testid={testIds.xrayStub}
      {...button}
    >
      <span className="sr-only">{words}</span>
      <span aria-hidden="true">
        {plan.narrow ? stub.count : say(`graph.${stub.kind}.short`, { count: stub.count })}
      </span>
    </button>
  )
}

const boxStyle = ({ x, y, width, height }: Box): CSSProperties => ({
  left: `${x}px`,
  top: `${y}px`,
  width: `${width}px`,
  height: `${height}px`,
})

const isThere = ({ nodes, channels, grants }: Graph, id: string): boolean =>
  nodes.some(({ domid }) => nodeId(domid) === id) || [...channels, ...grants].some((edge) => edge.id === id)

/** What tells most before somebody chooses. */
const firstOf = ({ nodes, channels }: Graph): string =>
  channels.find(({ a, b }) => a !== b)?.id ?? nodeId(nodes[0]?.domid ?? 0)

const KEYS = ['channels', 'grants', 'virq', 'pirq'] as const

function GraphKey({ say }: { say: Say }) {
  return (
    <ul className="xray-key">
      {KEYS.map((kind) => (
        <li key={kind}>
          <span className={`xray-line ${kind}`} aria-hidden="true" />
          {say(`graph.key.${kind}`)}
        </li>
      ))}
      <li>{say('graph.key.wide')}</li>
    </ul>
  )
}
