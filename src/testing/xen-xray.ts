/** For tests: whether what the tracer has told of a host since it was switched on, folded, is how things are. */
import { TRACE_FREE, TRACE_NO_RAM } from '#abi/tracer.ts'
import { GNTMAP_device_map, GNTMAP_host_map } from '#abi/xen/grant_table.ts'
import { RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { DOMID_IO, DOMID_XEN } from '#abi/xen/xen.ts'
import { type FrameTable, NO_OWNER } from '#xen/common/page-alloc.ts'
import type { Xen } from '#xen/xen.ts'
import type { TestHost } from './xen-host.ts'

/** A few complaints of each kind are enough. */
const SHOWN_MAX = 5

function ownerOf({ owner, allocated }: FrameTable, mfn: number): number {
  if (owner[mfn] === DOMID_IO) return TRACE_NO_RAM
  if (!allocated[mfn]) return TRACE_FREE
  return owner[mfn] === NO_OWNER ? DOMID_XEN : owner[mfn]!
}

/** Where the tracer's story is not the truth: nowhere, if all is well. */
export function untold({ xen, xray }: TestHost): string[] {
  return [
    ...frames(xen, xray.owners),
    ...differences(
      'port',
      ports(xen),
      told(xray.ports, ({ domid, port, status, remoteDomid, remote }) => [
        `d${domid}p${port}`,
        `${status} ${remoteDomid} ${remote}`,
      ]),
    ),
    ...differences(
      'mappings',
      mappings(xen),
      told(xray.grants, ({ granter, user, mapped }) => [`of d${granter} by d${user}`, `${mapped}`]),
    ),
    ...differences(
      'vcpu',
      vcpus(xen),
      told(xray.vcpus, ({ domid, vcpu, state, cpu }) => [
        `d${domid}v${vcpu}`,
        state === RUNSTATE_running ? `runs on ${cpu}` : `${state}`,
      ]),
    ),
  ]
}

function frames({ heap }: Xen, owners: Uint16Array): string[] {
  const { maxPage } = heap.frames
  if (owners.length !== maxPage) return [`${owners.length} frames, not ${maxPage}`]
  const found: string[] = []
  for (let mfn = 0; mfn < maxPage && found.length < SHOWN_MAX; mfn++) {
    const owner = ownerOf(heap.frames, mfn)
    if (owners[mfn] !== owner)
      found.push(`frame 0x${mfn.toString(16)}: ${owners[mfn]!.toString(16)}, not ${owner.toString(16)}`)
  }
  return found
}

const told = <T>(entries: Iterable<T>, line: (entry: T) => [string, string]): Map<string, string> =>
  new Map([...entries].map(line))

function differences(what: string, truth: Map<string, string>, story: Map<string, string>): string[] {
  const names = new Set([...truth.keys(), ...story.keys()])
  return [...names]
    .filter((name) => truth.get(name) !== story.get(name))
    .map((name) => `${what} ${name}: ${story.get(name)}, not ${truth.get(name)}`)
    .slice(0, SHOWN_MAX)
}

/** By EVTCHNSTAT_*. */
const STATUS = ['free', 'unbound', 'interdomain', 'pirq', 'virq', 'ipi']

function ports({ domains }: Xen): Map<string, string> {
  const all = new Map<string, string>()
  for (const domain of domains.values())
    for (const [port, { state, remoteDom, remotePort, irq, notifyVcpu }] of domain.ports.entries()) {
      if (state === 'free' || state === 'reserved') continue
      const far = state === 'unbound' || state === 'interdomain' ? remoteDom : -1
      const near = { unbound: 0, interdomain: remotePort, pirq: irq, virq: irq, ipi: notifyVcpu }[state]
      all.set(`d${domain.id}p${port}`, `${STATUS.indexOf(state)} ${far} ${near}`)
    }
  return all
}

function mappings({ domains }: Xen): Map<string, string> {
  const counts = new Map<string, number>()
  for (const { id, grantTable } of domains.values())
    for (const [handle, flags] of (grantTable?.mapFlags ?? []).entries()) {
      if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) continue
      const pair = `of d${grantTable!.mapDomid[handle]} by d${id}`
      counts.set(pair, (counts.get(pair) ?? 0) + 1)
    }
  return new Map([...counts].map(([pair, count]) => [pair, `${count}`]))
}

/** A vCPU that runs is the one that its processor runs. */
function vcpus({ domains, pcpus }: Xen): Map<string, string> {
  const all = new Map<string, string>()
  for (const domain of domains.values())
    for (const vcpu of domain.vcpus) if (vcpu) all.set(`d${domain.id}v${vcpu.id}`, `${vcpu.runstate.state}`)
  for (const { id, curr } of pcpus) if (curr) all.set(`d${curr.domain.id}v${curr.id}`, `runs on ${id}`)
  return all
}
