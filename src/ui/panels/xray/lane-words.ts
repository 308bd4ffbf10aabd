/** The schedule in words: what its rows are called, and who did what at a moment. */
import { type LaneRow, laneState } from './lane-rows.ts'
import { domidOf, UNKNOWN, vcpuOf } from './lanes.ts'
import type { Names } from './names.ts'
import { secondsText } from './timeline.ts'
import type { Say } from './use-words.ts'

export interface LanesWords {
  readonly label: (row: LaneRow) => string
  readonly window: (endNs: number, spanNs: number) => string
  readonly at: (rows: readonly LaneRow[], atNs: number, spanNs: number) => string
}

/** `short`: there is little room for labels. */
export function lanesWords(say: Say, names: Names, short: boolean): LanesWords {
  const vcpu = (domid: number, number: number): string =>
    say(short ? 'lanes.vcpu.short' : 'lanes.vcpu', { name: names.domain(domid), vcpu: number })
  const label = (row: LaneRow): string =>
    row.kind === 'cpu' ? say('lanes.cpu', { cpu: row.cpu }) : vcpu(row.domid, row.vcpu)
  /** One digit more than the axis has. */
  const seconds = (ns: number, spanNs: number): string => secondsText(ns, 10 ** Math.floor(Math.log10(spanNs / 100)))
  return {
    label,
    window: (endNs, spanNs) => say('lanes.label', { seconds: seconds(endNs, spanNs) }),
    at(rows, atNs, spanNs) {
      const states = rows
        .filter((row) => row.kind === 'cpu')
        .map((row) => {
          const value = row.lane.valueAt(atNs)
          const state =
            value >= 0 ? vcpu(domidOf(value), vcpuOf(value)) : say(value === UNKNOWN ? 'lanes.unknown' : 'lanes.idle')
          return say('lanes.is', { what: label(row), state })
        })
      const waiting = rows
        .filter((row) => row.kind === 'vcpu' && laneState(row.lane.valueAt(atNs)) === 'runnable')
        .map((row) => say('lanes.is', { what: label(row), state: say('lanes.runnable') }))
      return say('lanes.at', { seconds: seconds(atNs, spanNs), states: [...states, ...waiting].join(', ') })
    },
  }
}
