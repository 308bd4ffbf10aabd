/**
 * What the tracer tells (abi/tracer.ts), folded into how things are: whose each frame is, which ports are in use, who has mapped whose frames, what
 * each vCPU does. The worker folds from power-on; the page restores the worker's snapshot and goes on from there.
 */
import {
  TRACE_event,
  TRACE_GRANT_map,
  TRACE_GRANT_unmap,
  TRACE_grant,
  TRACE_hypercall,
  TRACE_NO_RAM,
  TRACE_pages,
  TRACE_port,
  TRACE_runstate,
  TRACE_vcpu,
  TRACE_WORDS,
} from '#abi/tracer.ts'
import { EVTCHNSTAT_closed, EVTCHNSTAT_interdomain, EVTCHNSTAT_unbound } from '#abi/xen/event_channel.ts'
import { RUNSTATE_offline } from '#abi/xen/vcpu.ts'
import type { XrayGrants, XrayPort, XraySnapshot, XrayVcpu, XrayWatch } from './xray.ts'

/** 8 GiB of addresses. What is told comes from an image: more is not believed. */
const FRAMES_MAX = 2 ** 21
/** Ports, pairs of domains, vCPUs that are believed. */
const ENTRIES_MAX = 2 ** 20

const bit = (...events: readonly number[]): number => events.reduce((bits, event) => bits | (1 << event), 0)

/** Bits of the events that change a fold. */
export const XRAY_STATE = bit(TRACE_runstate, TRACE_port, TRACE_pages, TRACE_grant, TRACE_vcpu)

/** The key of a domain's port, or vCPU; of a pair of domains. */
const key = (domid: number, number: number): number => domid * 0x10000 + number

const small = (value: number): boolean => value >= 0 && value < 0x10000

export class XrayFold {
  #owners = new Uint16Array(0)
  #maxPage = 0
  readonly #ports = new Map<number, XrayPort>()
  readonly #grants = new Map<number, XrayGrants>()
  readonly #vcpus = new Map<number, XrayVcpu>()
  /** When the last record was told. */
  atNs = 0

  /** By mfn: domid, DOMID_XEN, TRACE_FREE or TRACE_NO_RAM; no longer than what was told of. A view: it changes. */
  get owners(): Uint16Array {
    return this.#owners.subarray(0, this.#maxPage)
  }

  get ports(): IterableIterator<XrayPort> {
    return this.#ports.values()
  }

  get grants(): IterableIterator<XrayGrants> {
    return this.#grants.values()
  }

  get vcpus(): IterableIterator<XrayVcpu> {
    return this.#vcpus.values()
  }

  port(domid: number, port: number): XrayPort | undefined {
    return this.#ports.get(key(domid, port))
  }

  vcpu(domid: number, vcpu: number): XrayVcpu | undefined {
    return this.#vcpus.get(key(domid, vcpu))
  }

  /** One record. */
  apply(atNs: number, event: number, _cpu: number, a: number, b: number, c: number, d: number, e: number): void {
    if (atNs > this.atNs) this.atNs = atNs
    switch (event) {
      case TRACE_runstate:
        if (this.#vcpus.has(key(a, b)))
          this.#vcpus.set(key(a, b), { domid: a, vcpu: b, state: c, cpu: d, sinceNs: atNs })
        break
      case TRACE_pages:
        this.#pages(a, b, c)
        break
      case TRACE_port:
        this.#port(a, b, c, d, e)
        break
      case TRACE_grant:
        if (d === TRACE_GRANT_map) this.#mapped(a, b, 1)
        else if (d === TRACE_GRANT_unmap) this.#mapped(a, b, -1)
        break
      case TRACE_vcpu:
        if (!c) this.#vcpus.delete(key(a, b))
        else if (small(a) && small(b) && this.#vcpus.size < ENTRIES_MAX)
          this.#vcpus.set(key(a, b), { domid: a, vcpu: b, state: RUNSTATE_offline, cpu: 0, sinceNs: atNs })
    }
  }

  /** Records as a batch has them. */
  applyBatch(records: Float64Array): void {
    for (let at = 0; at + TRACE_WORDS <= records.length; at += TRACE_WORDS)
      this.apply(
        records[at]!,
        records[at + 1]!,
        records[at + 2]!,
        records[at + 3]!,
        records[at + 4]!,
        records[at + 5]!,
        records[at + 6]!,
        records[at + 7]!,
      )
  }

  #pages(first: number, count: number, owner: number): void {
    const end = Math.min(first + count, FRAMES_MAX)
    if (first < 0 || end <= first || !small(owner)) return
    if (end > this.#maxPage) {
      if (end > this.#owners.length) {
        const owners = new Uint16Array(end).fill(TRACE_NO_RAM)
        owners.set(this.#owners)
        this.#owners = owners
      }
      this.#maxPage = end
    }
    if (count === 1) this.#owners[first] = owner
    else this.#owners.fill(owner, first, end)
  }

  #port(domid: number, port: number, status: number, d: number, e: number): void {
    if (!small(domid) || !small(port)) return
    if (status === EVTCHNSTAT_closed) this.#ports.delete(key(domid, port))
    else if (this.#ports.size < ENTRIES_MAX) {
      const remoteDomid = status === EVTCHNSTAT_unbound || status === EVTCHNSTAT_interdomain ? d : -1
      this.#ports.set(key(domid, port), { domid, port, status, remoteDomid, remote: e })
    }
  }

  #mapped(granter: number, user: number, more: number): void {
    if (!small(granter) || !small(user)) return
    const pair = key(granter, user)
    const mapped = (this.#grants.get(pair)?.mapped ?? 0) + more
    if (mapped <= 0) this.#grants.delete(pair)
    else if (this.#grants.size < ENTRIES_MAX) this.#grants.set(pair, { granter, user, mapped })
  }

  /** Nothing has been told: the machine is off, or another life of it begins. */
  clear(): void {
    this.#owners = new Uint16Array(0)
    this.#maxPage = 0
    this.#ports.clear()
    this.#grants.clear()
    this.#vcpus.clear()
  }

  snapshot(): XraySnapshot {
    return {
      atNs: this.atNs,
      owners: this.owners.slice(),
      ports: [...this.#ports.values()],
      grants: [...this.#grants.values()],
      vcpus: [...this.#vcpus.values()],
    }
  }

  restore({ atNs, owners, ports, grants, vcpus }: XraySnapshot): void {
    this.clear()
    this.atNs = atNs
    this.#owners = owners.slice()
    this.#maxPage = owners.length
    for (const port of ports) this.#ports.set(key(port.domid, port.port), port)
    for (const pair of grants) this.#grants.set(key(pair.granter, pair.user), pair)
    for (const vcpu of vcpus) this.#vcpus.set(key(vcpu.domid, vcpu.vcpu), vcpu)
  }
}

/** Bits of the events that `watch` is about. */
export function xrayEvents(watch: XrayWatch): number {
  return (
    (watch.frames ? bit(TRACE_pages) : 0) |
    (watch.lanes ? bit(TRACE_runstate, TRACE_vcpu) : 0) |
    (watch.channels ? bit(TRACE_port, TRACE_grant, TRACE_event) : 0) |
    (watch.hypercalls ? bit(TRACE_hypercall) : 0)
  )
}
