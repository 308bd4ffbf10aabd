/** Event channels and grants as a graph between domains: which ports are joined is the fold's to know, how much goes over them is counted here. */
import { TRACE_GRANT_copy, TRACE_GRANT_transfer } from '#abi/tracer.ts'
import {
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_ipi,
  EVTCHNSTAT_pirq,
  EVTCHNSTAT_unbound,
  EVTCHNSTAT_virq,
} from '#abi/xen/event_channel.ts'
import type { XrayGrants, XrayPort } from '#protocol/xray.ts'
import { Rates } from './rate.ts'

const KEY = 0x10000
const pairKey = (a: number, b: number): number => a * KEY + b

/** Channels between two domains, the lower number first, whichever way events go. */
export interface ChannelEdge {
  readonly kind: 'channels'
  readonly id: string
  readonly a: number
  readonly b: number
  readonly count: number
  readonly perSecond: number
}

/** What a domain has granted another. */
export interface GrantEdge {
  readonly kind: 'grants'
  readonly id: string
  readonly granter: number
  readonly user: number
  readonly mapped: number
  readonly copiesPerSecond: number
}

export interface DomainNode {
  readonly domid: number
  readonly virqs: number
  readonly virqsPerSecond: number
  readonly pirqs: number
  readonly pirqsPerSecond: number
  readonly ipis: number
  readonly unbound: number
}

export interface Graph {
  readonly nodes: readonly DomainNode[]
  readonly channels: readonly ChannelEdge[]
  readonly grants: readonly GrantEdge[]
}

export interface GrantUse {
  readonly atNs: number
  readonly granter: number
  readonly user: number
  readonly ref: number
  /** TRACE_GRANT_*. */
  readonly how: number
  readonly bytes: number
}

/** Uses of grants that are remembered: of each pair, the last of each reference. */
const USES_MAX = 4096

/** An event that somebody has just sent, for the picture: at most so many wait to be drawn. */
const SENT_MAX = 64

export interface Sent {
  /** DOMID_XEN: Xen did. */
  readonly from: number
  readonly to: number
  /** EVTCHNSTAT_*. */
  readonly status: number
}

export class ChannelActivity {
  /** By the port that is told. */
  readonly #events = new Rates()
  /** By granter and user. */
  readonly #copies = new Rates()
  readonly #uses = new Map<string, GrantUse>()
  #sent: Sent[] = []

  event(atNs: number, from: number, to: number, port: number, status: number): void {
    this.#events.add(pairKey(to, port), atNs)
    if (this.#sent.length < SENT_MAX) this.#sent.push({ from, to, status })
  }

  grant(atNs: number, granter: number, user: number, ref: number, how: number, bytes: number): void {
    if (how === TRACE_GRANT_copy || how === TRACE_GRANT_transfer) this.#copies.add(pairKey(granter, user), atNs)
    const id = `${granter}:${user}:${ref}`
    this.#uses.delete(id)
    this.#uses.set(id, { atNs, granter, user, ref, how, bytes })
    if (this.#uses.size <= USES_MAX) return
    const [oldest] = this.#uses.keys()
    this.#uses.delete(oldest!)
  }

  /** A port has another life: what went over it before was another channel's. */
  portChanged(domid: number, port: number): void {
    this.#events.delete(pairKey(domid, port))
  }

  takeSent(): readonly Sent[] {
    const taken = this.#sent
    this.#sent = []
    return taken
  }

  portRate({ domid, port }: XrayPort, nowNs: number): number {
    return this.#events.perSecond(pairKey(domid, port), nowNs)
  }

  portTotal({ domid, port }: XrayPort): number {
    return this.#events.total(pairKey(domid, port))
  }

  copyRate(granter: number, user: number, nowNs: number): number {
    return this.#copies.perSecond(pairKey(granter, user), nowNs)
  }

  /** The last use of each reference between the two that was seen, the latest first. */
  uses(granter: number, user: number): readonly GrantUse[] {
    return [...this.#uses.values()].filter((use) => use.granter === granter && use.user === user).reverse()
  }

  /** Pairs that have copied. */
  *copiers(): Iterable<readonly [granter: number, user: number]> {
    for (const key of this.#copies.keys()) yield [Math.floor(key / KEY), key % KEY]
  }

  clear(): void {
    this.#events.clear()
    this.#copies.clear()
    this.#uses.clear()
    this.#sent = []
  }
}

interface Told {
  readonly ports: Iterable<XrayPort>
  readonly grants: Iterable<XrayGrants>
  readonly activity: ChannelActivity
  readonly nowNs: number
  /** Domains that are there, whether they have ports or not. */
  readonly domids: Iterable<number>
}

export function graphOf({ ports, grants, activity, nowNs, domids }: Told): Graph {
  const nodes = new Map<number, { -readonly [K in keyof DomainNode]: DomainNode[K] }>()
  const channels = new Map<number, { -readonly [K in keyof ChannelEdge]: ChannelEdge[K] }>()
  const edges = new Map<number, GrantEdge>()
  const node = (domid: number) => {
    let found = nodes.get(domid)
    if (!found) {
      found = { domid, virqs: 0, virqsPerSecond: 0, pirqs: 0, pirqsPerSecond: 0, ipis: 0, unbound: 0 }
      nodes.set(domid, found)
    }
    return found
  }
  for (const domid of domids) node(domid)
  for (const port of ports) {
    const own = node(port.domid)
    const rate = activity.portRate(port, nowNs)
    switch (port.status) {
      case EVTCHNSTAT_unbound:
        own.unbound++
        break
      case EVTCHNSTAT_ipi:
        own.ipis++
        break
      case EVTCHNSTAT_virq:
        own.virqs++
        own.virqsPerSecond += rate
        break
      case EVTCHNSTAT_pirq:
        own.pirqs++
        own.pirqsPerSecond += rate
        break
      case EVTCHNSTAT_interdomain: {
        const [a, b] = [Math.min(port.domid, port.remoteDomid), Math.max(port.domid, port.remoteDomid)]
        node(port.remoteDomid)
        let edge = channels.get(pairKey(a, b))
        if (!edge) {
          edge = { kind: 'channels', id: `channels-${a}-${b}`, a, b, count: 0, perSecond: 0 }
          channels.set(pairKey(a, b), edge)
        }
        // Each channel has a port on either side; one within a domain has both on the same.
        edge.count += 0.5
        edge.perSecond += rate
      }
    }
  }
  const grant = (granter: number, user: number, mapped: number): void => {
    const copiesPerSecond = activity.copyRate(granter, user, nowNs)
    node(granter)
    node(user)
    edges.set(pairKey(granter, user), {
      kind: 'grants',
      id: `grants-${granter}-${user}`,
      granter,
      user,
      mapped,
      copiesPerSecond,
    })
  }
  for (const [granter, user] of activity.copiers())
    if (activity.copyRate(granter, user, nowNs) > 0) grant(granter, user, 0)
  for (const { granter, user, mapped } of grants) grant(granter, user, mapped)
  const byNumber = [...nodes.values()].sort((a, b) => a.domid - b.domid)
  // Of a channel whose other end was not told of, half is still one.
  const whole = [...channels.values()].map((edge) => ({ ...edge, count: Math.ceil(edge.count) }))
  return { nodes: byNumber, channels: whole, grants: [...edges.values()] }
}

/** Of xen/common/event_channel.c: what key `e` prints as `s=`. One more than EVTCHNSTAT_*, but for closed ones: reserved lies between. */
const ECS_AFTER_FREE = 1

/** The rest of key `e`'s line for a port. */
export function portLine({ port, status, remoteDomid, remote }: XrayPort): string {
  const state = `${String(port).padStart(4)}: s=${status + ECS_AFTER_FREE}`
  switch (status) {
    case EVTCHNSTAT_unbound:
      return `${state} d=${remoteDomid}`
    case EVTCHNSTAT_interdomain:
      return `${state} d=${remoteDomid} p=${remote}`
    case EVTCHNSTAT_pirq:
      return `${state} p=${remote}`
    case EVTCHNSTAT_virq:
      return `${state} v=${remote}`
    default:
      return state
  }
}
