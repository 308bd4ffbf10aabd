/** What a domain has used of its processors in the last minute of virtual time: a fold of probes into one figure a second. */
import type { DomainProbe } from '#abi/probe.ts'

export const HISTORY_SECONDS = 60
const SECOND_NS = 1e9

export interface DomainHistory {
  /** The most memory that it has been seen with: how far a bar of it goes when it has no limit. */
  readonly peakKiB: number
  /** By time; of each second in which something was heard the last: processor time so far. Seconds of silence are left out: nothing ran. */
  readonly cpu: readonly { readonly second: number; readonly cpuNs: number }[]
}

export function addToHistory(before: DomainHistory | undefined, probe: DomainProbe): DomainHistory {
  const { atNs, cpuNs, totPages } = probe
  const second = Math.floor(atNs / SECOND_NS)
  const earlier = (before?.cpu ?? []).filter((point) => point.second < second)
  // The last one before the window says from where it goes on.
  const from = earlier.findLastIndex((point) => point.second < second - HISTORY_SECONDS)
  return {
    peakKiB: Math.max(before?.peakKiB ?? 0, totPages * 4),
    cpu: [...earlier.slice(Math.max(from, 0)), { second, cpuNs }],
  }
}

export interface CpuPoints {
  /** Ends of seconds, virtual. */
  readonly seconds: number[]
  /** Per cent of one processor; null: the domain was not there yet. */
  readonly percent: (number | null)[]
}

/**
 * The window that ends at `nowNs`, or the first one; the second that is under way counts as far as it has come. More than `vcpus` can use is not
 * shown: of a host that was made again from its record, only the end is heard.
 */
export function cpuPoints(history: DomainHistory | undefined, nowNs: number, vcpus: number): CpuPoints {
  const cpu = history?.cpu ?? []
  const end = Math.floor(nowNs / SECOND_NS)
  const seconds: number[] = []
  const percent: (number | null)[] = []
  const start = Math.max(0, end - HISTORY_SECONDS)
  let next = cpu.findIndex(({ second }) => second >= start)
  if (next < 0) next = cpu.length
  let before = cpu[next - 1]?.cpuNs
  for (let second = start; second <= end; second++) {
    let now = before
    while (next < cpu.length && cpu[next]!.second <= second) now = cpu[next++]!.cpuNs
    seconds.push(second)
    const lengthNs = second === end ? nowNs - end * SECOND_NS : SECOND_NS
    // A second that has hardly begun says nothing yet.
    if (now === undefined) percent.push(null)
    else if (second === end && lengthNs < SECOND_NS / 10) percent.push(percent.at(-1) ?? 0)
    else percent.push(Math.min(Math.max(0, ((now - (before ?? 0)) / lengthNs) * 100), vcpus * 100))
    before = now
  }
  return { seconds, percent }
}
