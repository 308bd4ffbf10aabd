/** What is chosen in the graph, port by port or reference by reference. */
import { TRACE_GRANT_copy, TRACE_GRANT_map, TRACE_GRANT_unmap } from '#abi/tracer.ts'
import { EVTCHNSTAT_interdomain, EVTCHNSTAT_pirq, EVTCHNSTAT_unbound, EVTCHNSTAT_virq } from '#abi/xen/event_channel.ts'
import type { XrayPort } from '#protocol/xray.ts'
import { testIds } from '../../test-ids.ts'
import { type GrantUse, type Graph, portLine } from './channels.ts'
import { nodeId } from './GraphView.tsx'
import type { ViewProps } from './MapView.tsx'
import type { Names } from './names.ts'
import { Scroll } from './Scroll.tsx'
import { secondsText } from './timeline.ts'
import { count } from './use-figures.ts'
import { type Say, useWords } from './use-words.ts'

interface DetailProps extends ViewProps {
  readonly graph: Graph
  readonly selected: string
}

export function GraphDetail({ model, names, graph, selected }: DetailProps) {
  const say = useWords()
  const ports = (wanted: (port: XrayPort) => boolean): XrayPort[] =>
    [...model.fold.ports].filter(wanted).sort((a, b) => a.domid - b.domid || a.port - b.port)
  const node = graph.nodes.find(({ domid }) => nodeId(domid) === selected)
  if (node) {
    const { domid } = node
    const title = say('graph.ports.of', { name: names.domain(domid) })
    return (
      <Ports
        title={title}
        ports={ports((port) => port.domid === domid)}
        model={model}
        names={names}
        ownerShown={false}
      />
    )
  }
  const channel = graph.channels.find(({ id }) => id === selected)
  if (channel) {
    const { a, b } = channel
    const isBetween = ({ status, domid, remoteDomid }: XrayPort): boolean =>
      status === EVTCHNSTAT_interdomain && ((domid === a && remoteDomid === b) || (domid === b && remoteDomid === a))
    const title = say('graph.ports.between', { a: names.domain(a), b: names.domain(b) })
    return <Ports title={title} ports={ports(isBetween)} model={model} names={names} ownerShown={true} />
  }
  const grant = graph.grants.find(({ id }) => id === selected)
  if (!grant) return null
  const { granter, user, mapped } = grant
  const title = say('graph.uses', { granter: names.domain(granter), user: names.domain(user), mapped })
  return <Uses title={title} uses={model.activity.uses(granter, user)} say={say} />
}

interface PortsProps extends Pick<ViewProps, 'model' | 'names'> {
  readonly title: string
  readonly ports: readonly XrayPort[]
  /** They are several domains'. */
  readonly ownerShown: boolean
}

function Ports({ title, ports, model, names, ownerShown }: PortsProps) {
  const say = useWords()
  return (
    <Scroll className="xray-table" label={title} testId={testIds.xrayDetail}>
      <h3>{title}</h3>
      {ports.length === 0 ? (
        <p>{say('graph.no.ports')}</p>
      ) : (
        <table aria-label={title}>
          <thead>
            <tr>
              {ownerShown && <th scope="col">{say('graph.domain')}</th>}
              <th scope="col">{say('graph.port')}</th>
              <th scope="col">{say('graph.state')}</th>
              <th scope="col" className="number">
                {say('graph.sent')}
              </th>
              <th scope="col" className="xray-wide">
                {say('graph.line')}
              </th>
            </tr>
          </thead>
          <tbody>
            {ports.map((port) => (
              <tr key={`${port.domid}:${port.port}`}>
                {ownerShown && <th scope="row">{names.domain(port.domid)}</th>}
                <td>{port.port}</td>
                <td>{stateWords(say, names, port)}</td>
                <td className="number">{count(model.activity.portRate(port, model.nowNs))}</td>
                <td className="xray-wide mono">{portLine(port)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Scroll>
  )
}

function stateWords(say: Say, names: Names, { status, remoteDomid, remote }: XrayPort): string {
  switch (status) {
    case EVTCHNSTAT_unbound:
      return say('graph.unbound', { name: names.domain(remoteDomid) })
    case EVTCHNSTAT_interdomain:
      return say('graph.interdomain', { port: remote, name: names.domain(remoteDomid) })
    case EVTCHNSTAT_virq:
      return say('graph.is.virq', { virq: remote })
    case EVTCHNSTAT_pirq:
      return say('graph.is.pirq', { pirq: remote })
    default:
      return say('graph.ipi', { vcpu: remote })
  }
}

/** More would be read by nobody. */
const USES_SHOWN = 64

function Uses({ title, uses, say }: { title: string; uses: readonly GrantUse[]; say: Say }) {
  return (
    <Scroll className="xray-table" label={title} testId={testIds.xrayDetail}>
      <h3>{title}</h3>
      {uses.length === 0 ? (
        <p>{say('graph.no.uses')}</p>
      ) : (
        <table aria-label={title}>
          <thead>
            <tr>
              <th scope="col">{say('graph.ref')}</th>
              <th scope="col">{say('graph.use')}</th>
              <th scope="col">{say('graph.when')}</th>
            </tr>
          </thead>
          <tbody>
            {uses.slice(0, USES_SHOWN).map((use) => (
              <tr key={use.ref}>
                <td>{use.ref}</td>
                <td>{howWords(say, use)}</td>
                <td>{say('lanes.seconds', { seconds: secondsText(use.atNs, 1e6) })}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Scroll>
  )
}

function howWords(say: Say, { how, bytes }: GrantUse): string {
  switch (how) {
    case TRACE_GRANT_map:
      return say('graph.used.map')
    case TRACE_GRANT_unmap:
      return say('graph.used.unmap')
    case TRACE_GRANT_copy:
      return say('graph.used.copy', { bytes })
    default:
      return say('graph.used.transfer')
  }
}
