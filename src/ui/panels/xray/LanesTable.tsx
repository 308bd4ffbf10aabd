/** The schedule's other form: each vCPU, what it does now, and how much of the window it spent doing what. */
import { testIds } from '../../test-ids.ts'
import { laneRows, laneState, sharesOf } from './lane-rows.ts'
import { cpuOf } from './lanes.ts'
import type { ViewProps } from './MapView.tsx'
import { Scroll } from './Scroll.tsx'
import { type TimeView, viewEnd } from './timeline.ts'
import { useFigures } from './use-figures.ts'
import { useWords } from './use-words.ts'

const SHARES = ['running', 'runnable', 'blocked'] as const

export function LanesTable({ model, names, visible, view }: ViewProps & { readonly view: TimeView }) {
  const say = useWords()
  const rows = useFigures(visible, () => {
    const { nowNs } = model
    const endNs = Math.min(viewEnd(view, { startNs: 0, nowNs }), nowNs)
    const startNs = endNs - view.spanNs
    return laneRows(model.lanes, startNs).flatMap((row) => {
      if (row.kind === 'cpu') return []
      const { last } = row.lane
      return [{ ...row, state: laneState(last), cpu: cpuOf(last), shares: sharesOf(row.lane, startNs, endNs) }]
    })
  })
  const percent = (value: number | undefined): string =>
    value === undefined ? '' : say('lanes.percent', { percent: value.toFixed(1) })
  return (
    <Scroll className="xray-table" label={say('lanes.table')}>
      <table aria-label={say('lanes.table')} data-testid={testIds.xrayLanesTable}>
        <thead>
          <tr>
            <th scope="col">{say('lanes.who')}</th>
            <th scope="col">{say('lanes.state')}</th>
            {SHARES.map((share) => (
              <th key={share} scope="col" className="number">
                {say(`lanes.share.${share}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, domid, vcpu, state, cpu, shares }) => (
            <tr key={key} data-domid={domid} data-state={state}>
              <th scope="row">{say('lanes.vcpu', { name: names.domain(domid), vcpu })}</th>
              <td>
                {state === 'running'
                  ? say('lanes.is', { what: say('lanes.running'), state: say('lanes.cpu', { cpu }) })
                  : say(`lanes.${state}`)}
              </td>
              {SHARES.map((share) => (
                <td key={share} className="number">
                  {percent(shares?.[share])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
