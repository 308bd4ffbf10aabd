/** The rows of the schedule: processors first, then each domain's vCPUs; and what each was at a moment, or did in a window. */
import { RUNSTATE_blocked, RUNSTATE_offline, RUNSTATE_runnable, RUNSTATE_running } from '#abi/xen/vcpu.ts'
import { domidOf, IDLE, type Lane, type LaneHistory, stateOf, UNKNOWN, vcpuOf } from './lanes.ts'

export type LaneRow =
  | { readonly kind: 'cpu'; readonly cpu: number; readonly lane: Lane }
  | {
      readonly kind: 'vcpu'
      readonly key: number
      readonly domid: number
      readonly vcpu: number
      readonly lane: Lane
      /** Its domain's first. */
      readonly first: boolean
    }

/** vCPUs of which nothing is in the window are left out. */
export function laneRows(history: LaneHistory, startNs: number): LaneRow[] {
  const rows: LaneRow[] = history.cpus.map((lane, cpu) => ({ kind: 'cpu', cpu, lane }))
  let domid = -1
  for (const key of [...history.vcpus.keys()].sort((a, b) => a - b)) {
    const lane = history.vcpus.get(key)!
    if (lane.last < 0 && lane.lastNs <= startNs) continue
    rows.push({ kind: 'vcpu', key, domid: domidOf(key), vcpu: vcpuOf(key), lane, first: domidOf(key) !== domid })
    domid = domidOf(key)
  }
  return rows
}

export type LaneState = 'running' | 'runnable' | 'blocked' | 'offline' | 'unknown'

const states: Readonly<Record<number, LaneState>> = {
  [RUNSTATE_running]: 'running',
  [RUNSTATE_runnable]: 'runnable',
  [RUNSTATE_blocked]: 'blocked',
  [RUNSTATE_offline]: 'offline',
  [IDLE]: 'offline',
  [UNKNOWN]: 'unknown',
}

export const laneState = (value: number): LaneState => states[stateOf(value)] ?? 'unknown'

/** Shares of the time that is known, in per cent. */
export interface Shares {
  readonly running: number
  readonly runnable: number
  readonly blocked: number
}

export function sharesOf(lane: Lane, startNs: number, endNs: number): Shares | undefined {
  const spent = { running: 0, runnable: 0, blocked: 0, offline: 0, unknown: 0 }
  lane.pieces(startNs, endNs, (fromNs, toNs, value) => {
    spent[laneState(value)] += toNs - fromNs
  })
  const known = spent.running + spent.runnable + spent.blocked + spent.offline
  if (known === 0) return undefined
  const percent = (ns: number): number => (ns / known) * 100
  return { running: percent(spent.running), runnable: percent(spent.runnable), blocked: percent(spent.blocked) }
}
