/** Who owns how much of the machine's memory: what the colours mean, and the picture's other form. */
import { TRACE_FREE } from '#abi/tracer.ts'
import { DOMID_XEN } from '#abi/xen/xen.ts'
import { testIds } from '../../test-ids.ts'
import { hueOf } from '../xenstore/hue.ts'
import { legendRows } from './frame-map.ts'
import type { ViewProps } from './MapView.tsx'
import { ownerOrder } from './names.ts'
import { Scroll } from './Scroll.tsx'
import { count, useFigures } from './use-figures.ts'
import { useWords } from './use-words.ts'

const tenth = (tenths: number): string => `${count(Math.floor(tenths / 10))}.${tenths % 10}`

function swatch(owner: number): string {
  if (owner === DOMID_XEN) return 'layer-xen'
  return owner === TRACE_FREE ? 'free' : hueOf(owner)
}

export function Legend({ model, names, visible }: ViewProps) {
  const say = useWords()
  const rows = useFigures(visible, () => legendRows(model.frames.counts, ownerOrder))
  const tenths = rows.reduce((sum, row) => sum + row.tenths, 0)
  const frames = rows.reduce((sum, row) => sum + row.frames, 0)
  return (
    <Scroll className="xray-legend" label={say('legend.label')}>
      <table aria-label={say('legend.label')} data-testid={testIds.xrayLegend}>
        <thead>
          <tr>
            <th scope="col">{say('legend.owner')}</th>
            <th scope="col" className="number">
              {say('legend.mib')}
            </th>
            <th scope="col" className="number xray-frames">
              {say('legend.frames')}
            </th>
            <th scope="col" className="number xray-share">
              {say('legend.share')}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.owner} data-testid={testIds.xrayOwner} data-owner={names.owner(row.owner)}>
              <th scope="row">
                <span className={`xray-swatch ${swatch(row.owner)}`} aria-hidden="true" />
                {names.owner(row.owner)}
              </th>
              <td className="number">{tenth(row.tenths)}</td>
              <td className="number xray-frames">{count(row.frames)}</td>
              <td className="number xray-share">{((row.frames / frames) * 100).toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr data-testid={testIds.xrayOwner} data-owner="">
            <th scope="row">{say('legend.total')}</th>
            <td className="number">{tenth(tenths)}</td>
            <td className="number xray-frames">{count(frames)}</td>
            <td className="xray-share" />
          </tr>
        </tfoot>
      </table>
    </Scroll>
  )
}
