/**
 * Who ran when: for each vCPU and each processor a lane of moments at which something else began. What is older than somebody wants to keep is
 * forgotten, and where nobody watched there is a gap.
 */

import { RUNSTATE_offline, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { DOMID_IDLE } from '#abi/xen/xen.ts'
import type { XrayVcpu } from '#protocol/xray.ts'

/** Nobody watched. */
export const UNKNOWN = -2
/** A processor without a vCPU; a vCPU that is not there. */
export const IDLE = -1

/** Moments of one lane at most: 2 MB. Of a busier one less time is kept. */
const MOMENTS_MAX = 1 << 17

/** Values by the time from which on they are so. */
export class Lane {
  #times = new Float64Array(64)
  #values = new Int32Array(64)
  /** The first that is kept. */
  #from = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  get startNs(): number {
    return this.#length > 0 ? this.#times[this.#from]! : Number.POSITIVE_INFINITY
  }

  get last(): number {
    return this.#length > 0 ? this.#values[this.#at(this.#length - 1)]! : UNKNOWN
  }

  get lastNs(): number {
    return this.#length > 0 ? this.#times[this.#at(this.#length - 1)]! : Number.NEGATIVE_INFINITY
  }

  #at(index: number): number {
    return (this.#from + index) & (this.#times.length - 1)
  }

  push(atNs: number, value: number): void {
    if (value === this.last) return
    // A vCPU that goes to another processor may seem to come there a little before it left.
    const timeNs = Math.max(atNs, this.lastNs)
    if (this.#length === this.#times.length) {
      if (this.#length < MOMENTS_MAX) this.#grow()
      else this.#drop(1)
    }
    const at = this.#at(this.#length++)
    this.#times[at] = timeNs
    this.#values[at] = value
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    const values = new Int32Array(times.length)
    for (let i = 0; i < this.#length; i++) {
      times[i] = this.#times[this.#at(i)]!
      values[i] = this.#values[this.#at(i)]!
    }
    this.#times = times
    this.#values = values
    this.#from = 0
  }

  #drop(count: number): void {
    this.#from = this.#at(count)
    this.#length -= count
  }

  /** Forget what was over before `beforeNs`. */
  trim(beforeNs: number): void {
    const first = this.#indexAt(beforeNs)
    if (first > 0) this.#drop(first)
  }

  /** The last moment that is not after `atNs`; -1: all are. */
  #indexAt(atNs: number): number {
    let [low, high] = [0, this.#length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#times[this.#at(middle)]! <= atNs) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** What was so at a moment. */
  valueAt(atNs: number): number {
    const index = this.#indexAt(atNs)
    return index < 0 ? UNKNOWN : this.#values[this.#at(index)]!
  }

  /** Each piece that has something between the two, cut to them, in order. */
  pieces(startNs: number, endNs: number, visit: (fromNs: number, toNs: number, value: number) => void): void {
    for (let i = Math.max(0, this.#indexAt(startNs)); i < this.#length; i++) {
      const from = Math.max(this.#times[this.#at(i)]!, startNs)
      if (from >= endNs) return
      const to = i + 1 < this.#length ? Math.min(this.#times[this.#at(i + 1)]!, endNs) : endNs
      if (to > from) visit(from, to, this.#values[this.#at(i)]!)
    }
  }
}

/** How much of each of `width` equal parts of the time from `startNs` to `endNs` each kind of value fills: 0 to 1. */
export function coverage(
  lane: Lane,
  startNs: number,
  endNs: number,
  width: number,
  kindOf: (value: number) => number,
): Map<number, Float32Array> {
  const kinds = new Map<number, Float32Array>()
  const part = (endNs - startNs) / width
  lane.pieces(startNs, endNs, (fromNs, toNs, value) => {
    const kind = kindOf(value)
    let parts = kinds.get(kind)
    if (!parts) {
      parts = new Float32Array(width)
      kinds.set(kind, parts)
    }
    const from = (fromNs - startNs) / part
    const to = Math.min((toNs - startNs) / part, width)
    const [first, last] = [Math.floor(from), Math.min(Math.floor(to), width - 1)]
    if (first === last) parts[first]! += to - from
    else {
      parts[first]! += first + 1 - from
      parts.fill(1, first + 1, last)
      parts[last]! += to - last
    }
  })
  return kinds
}

const KEY = 0x10000
export const vcpuKey = (domid: number, vcpu: number): number => domid * KEY + vcpu
export const domidOf = (key: number): number => Math.floor(key / KEY)
export const vcpuOf = (key: number): number => key % KEY

/** A vCPU's value: its state, and the processor it is on. */
export const stateOf = (value: number): number => (value < 0 ? value : value & 0xff)
export const cpuOf = (value: number): number => value >> 8

export class LaneHistory {
  /** By vcpuKey. */
  readonly vcpus = new Map<number, Lane>()
  /** By processor; values are vcpuKeys. */
  readonly cpus: Lane[] = []

  runstate(atNs: number, domid: number, vcpu: number, state: number, cpu: number): void {
    // The idle domain's vCPUs run when nobody does.
    if (domid === DOMID_IDLE || !(cpu >= 0 && cpu < 256)) return
    const key = vcpuKey(domid, vcpu)
    const lane = this.#vcpu(key)
    const before = lane.last
    if (before >= 0 && stateOf(before) === RUNSTATE_running) this.#leaves(atNs, key, cpuOf(before))
    lane.push(atNs, cpu * 256 + state)
    const processor = this.#cpu(cpu)
    if (state === RUNSTATE_running) processor.push(atNs, key)
  }

  #leaves(atNs: number, key: number, cpu: number): void {
    const lane = this.#cpu(cpu)
    if (lane.last === key) lane.push(atNs, IDLE)
  }

  #vcpu(key: number): Lane {
    let lane = this.vcpus.get(key)
    if (!lane) {
      lane = new Lane()
      this.vcpus.set(key, lane)
    }
    return lane
  }

  #cpu(cpu: number): Lane {
    while (this.cpus.length <= cpu) this.cpus.push(new Lane())
    return this.cpus[cpu]!
  }

  /** A vCPU is there, or gone. */
  vcpu(atNs: number, domid: number, vcpu: number, isThere: boolean): void {
    if (domid === DOMID_IDLE) return
    const key = vcpuKey(domid, vcpu)
    const lane = this.#vcpu(key)
    if (isThere) lane.push(atNs, RUNSTATE_offline)
    else {
      if (lane.last >= 0) this.#leaves(atNs, key, cpuOf(lane.last))
      lane.push(atNs, IDLE)
    }
  }

  /** Nobody has watched since `heardNs`, or something was lost: this is how it has been since `toldNs`, when something happened last. */
  resume(heardNs: number, toldNs: number, vcpus: Iterable<XrayVcpu>): void {
    const atNs = Math.max(heardNs, toldNs)
    for (const lane of [...this.vcpus.values(), ...this.cpus]) if (lane.length > 0) lane.push(heardNs, UNKNOWN)
    for (const { domid, vcpu, state, cpu } of vcpus) this.runstate(atNs, domid, vcpu, state, cpu)
    for (const lane of this.cpus) if (lane.last === UNKNOWN) lane.push(atNs, IDLE)
  }

  /** Forget what was over before `beforeNs`, and vCPUs of which nothing is left. */
  trim(beforeNs: number): void {
    for (const lane of this.cpus) lane.trim(beforeNs)
    for (const [key, lane] of this.vcpus) {
      lane.trim(beforeNs)
      if (lane.last < 0 && lane.lastNs <= beforeNs) this.vcpus.delete(key)
    }
  }

  /** The first moment of which something is known. */
  get startNs(): number {
    return Math.min(...[...this.cpus, ...this.vcpus.values()].map((lane) => lane.startNs))
  }

  clear(): void {
    this.vcpus.clear()
    this.cpus.length = 0
  }
}
