/** Hypercalls: how many in the last seconds, and of each domain which ones, by name. */
import { type CSSProperties, useEffect, useRef } from 'react'
import { testIds } from '../../test-ids.ts'
import { hueOf } from '../xenstore/hue.ts'
import { type DomainCalls, hypercallName, PLOT_SECONDS } from './calls.ts'
import { paintCalls } from './draw-calls.ts'
import type { ViewProps } from './MapView.tsx'
import type { Names } from './names.ts'
import { Scroll } from './Scroll.tsx'
import { count, useFigures } from './use-figures.ts'
import { useStage } from './use-stage.ts'
import { type Say, useWords } from './use-words.ts'
import './calls.css'

const TOP = 8
const TOP_BRIEF = 4

export function CallsView({ model, names, visible, brief }: ViewProps & { readonly brief: boolean }) {
  const say = useWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const domains = useFigures(visible, () => {
    const { fold, nowNs } = model
    const there = new Set([...fold.vcpus].map(({ domid }) => domid))
    return model.calls.byDomain(nowNs, (domid) => there.has(domid))
  })
  const seconds = (value: number): string => say('lanes.seconds', { seconds: value })
  const ask = useStage(canvas, visible, (stage) => void paintCalls(stage, domains, seconds))
  useEffect(ask)
  const spoken = domains.map(({ domid, perSecond }) =>
    say('calls.domain', { name: names.domain(domid), rate: count(perSecond) }),
  )
  return (
    <div className="xray-calls-view" data-testid={testIds.xrayCalls}>
      <div
        className="xray-plot"
        role="img"
        aria-label={say('calls.plot', { seconds: PLOT_SECONDS, domains: spoken.join(', ') })}
      >
        <canvas ref={canvas} />
      </div>
      <Scroll className="xray-calls" label={say('calls.label')}>
        {domains.length === 0 && <p>{say('calls.none')}</p>}
        {domains.map((domain) => (
          <Calls key={domain.domid} domain={domain} names={names} say={say} top={brief ? TOP_BRIEF : TOP} />
        ))}
      </Scroll>
    </div>
  )
}

interface CallsProps {
  readonly domain: DomainCalls
  readonly names: Names
  readonly say: Say
  readonly top: number
}

function Calls({ domain: { domid, perSecond, rows }, names, say, top }: CallsProps) {
  const title = say('calls.domain', { name: names.domain(domid), rate: count(perSecond) })
  const most = Math.max(1, rows[0]?.perSecond ?? 0)
  return (
    <table className={hueOf(domid)} data-domid={domid} aria-label={title}>
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">{say('calls.name')}</th>
          <th scope="col" className="number">
            {say('calls.rate')}
          </th>
          <th scope="col" className="number xray-total">
            {say('calls.total')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, top).map((row) => (
          <tr key={row.nr}>
            <th scope="row" className="mono">
              <span
                className="xray-bar"
                style={{ '--share': `${(row.perSecond / most) * 100}%` } as CSSProperties}
                aria-hidden="true"
              />
              {hypercallName(row.nr)}
            </th>
            <td className="number">{count(row.perSecond)}</td>
            <td className="number xray-total">{count(row.total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
