/**
 * What the panel knows of the machine: the tracer's records, folded as in the worker, counted, and laid up as far back as somebody wants to look.
 * It bypasses the store: records come by the thousand, and each picture looks for itself.
 */
import {
  TRACE_event,
  TRACE_grant,
  TRACE_hypercall,
  TRACE_pages,
  TRACE_port,
  TRACE_runstate,
  TRACE_vcpu,
  TRACE_WORDS,
} from '#abi/tracer.ts'
import type { XrayBatch, XraySnapshot } from '#protocol/xray.ts'
import { XrayFold } from '#protocol/xray-fold.ts'
import { HypercallCounts } from './calls.ts'
import { ChannelActivity, type Graph, graphOf } from './channels.ts'
import { FrameMap } from './frame-map.ts'
import { LaneHistory } from './lanes.ts'

export interface XrayParts {
  readonly nowMs: () => number
  /** Virtual time, as far as the page knows without being told. */
  readonly nowNs: () => number
}

export class XrayModel {
  readonly #parts: XrayParts
  readonly fold = new XrayFold()
  readonly frames = new FrameMap()
  readonly lanes = new LaneHistory()
  readonly activity = new ChannelActivity()
  readonly calls = new HypercallCounts()
  /** Of virtual time, as chosen. */
  historyNs = 60e9
  /** Records that came too fast, since somebody began to look. */
  lost = 0
  #heardNs = 0
  readonly #listeners = new Set<() => void>()

  constructor(parts: XrayParts) {
    this.#parts = parts
  }

  /** Virtual now: never before what has been heard. */
  get nowNs(): number {
    return Math.max(this.#heardNs, this.#parts.nowNs())
  }

  /** Xen has told of its memory. */
  get isThere(): boolean {
    return this.fold.owners.length > 0
  }

  /** After each message: there may be something to draw. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  snapshot(snapshot: XraySnapshot): void {
    if (snapshot.owners.length === 0) this.clear()
    this.#restore(snapshot)
    this.#changed()
  }

  #restore(snapshot: XraySnapshot): void {
    this.fold.restore(snapshot)
    this.frames.reset(this.fold.owners)
    this.lanes.resume(this.#heardNs, snapshot.atNs, snapshot.vcpus)
    this.#heardNs = Math.max(this.#heardNs, snapshot.atNs)
  }

  /** The machine's life is over. */
  clear(): void {
    this.fold.clear()
    this.frames.reset(this.fold.owners)
    this.lanes.clear()
    this.activity.clear()
    this.calls.clear()
    this.lost = 0
    this.#heardNs = 0
    this.#changed()
  }

  batch({ records, lost, resync }: XrayBatch): void {
    const nowMs = this.#parts.nowMs()
    let isWhole = true
    for (let at = 0; at + TRACE_WORDS <= records.length; at += TRACE_WORDS)
      isWhole = this.#record(records, at, nowMs) && isWhole
    this.lost += lost
    this.#heardNs = Math.max(this.#heardNs, this.fold.atNs)
    if (resync) this.#restore(resync)
    else if (!isWhole) this.frames.reset(this.fold.owners)
    this.lanes.trim(this.#heardNs - this.historyNs)
    this.#changed()
  }

  /** False: there is more memory than was known. */
  #record(records: Float64Array, at: number, nowMs: number): boolean {
    const [atNs, event, a, b] = [records[at]!, records[at + 1]!, records[at + 3]!, records[at + 4]!]
    const [c, d, e] = [records[at + 5]!, records[at + 6]!, records[at + 7]!]
    let isKnown = true
    switch (event) {
      case TRACE_runstate:
        this.lanes.runstate(atNs, a, b, c, d)
        break
      case TRACE_vcpu:
        this.lanes.vcpu(atNs, a, b, c !== 0)
        break
      case TRACE_pages:
        isKnown = this.frames.change(a, b, c, nowMs)
        break
      case TRACE_port:
        this.activity.portChanged(a, b)
        break
      case TRACE_event:
        this.activity.event(atNs, a, c, d, e)
        break
      case TRACE_grant:
        this.activity.grant(atNs, a, b, c, d, e)
        break
      case TRACE_hypercall:
        this.calls.add(atNs, a, c)
    }
    this.fold.apply(atNs, event, records[at + 2]!, a, b, c, d, e)
    return isKnown
  }

  /** Nobody looks from now on. */
  pause(): void {
    this.#heardNs = this.nowNs
  }

  keep(historyNs: number): void {
    this.historyNs = historyNs
    this.lanes.trim(this.nowNs - historyNs)
    this.#changed()
  }

  graph(): Graph {
    const { fold, activity, nowNs } = this
    const domids = new Set([...fold.vcpus].map(({ domid }) => domid))
    return graphOf({ ports: fold.ports, grants: fold.grants, activity, nowNs, domids })
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
