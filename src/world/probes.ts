/**
 * Probes on their way out. An image may hand over anything at all: what is passed on is a record of plain values that the world has made itself,
 * so that nothing of the image's own ever reaches an observer.
 */
import type { DomainProbe, Probe } from '#abi/probe.ts'

/** What the tracer told (abi/tracer.ts), by which processor and when by its own clock. */
export type TraceListener = (
  atNs: number,
  event: number,
  cpu: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
) => void

/** A line that somebody shows as it is. */
const TEXT_MAX = 1000

const text = (value: unknown): string => String(value).slice(0, TEXT_MAX)
const terminals = ['console', 'serial'] as const

/** `probe` as it goes out; undefined for what is none. What reading it throws is the image's own fault. */
export function plainProbe(probe: Probe): Probe | undefined {
  switch (probe.kind) {
    case 'domain':
      return { kind: 'domain', ...plainDomain(probe) }
    case 'domain-gone':
      return { kind: 'domain-gone', domid: Number(probe.domid) }
    case 'boot-terminal': {
      const named: readonly unknown[] = [probe.terminals[0], probe.terminals[1]]
      return { kind: 'boot-terminal', terminals: terminals.filter((terminal) => named.includes(terminal)) }
    }
    case 'serial-input':
      return { kind: 'serial-input', owner: probe.owner === 'xen' ? 'xen' : 'dom0' }
    case 'panic':
      return { kind: 'panic', message: text(probe.message) }
    case 'dom0-shutdown':
      return { kind: 'dom0-shutdown', reason: Number(probe.reason) }
    case 'halted':
      return { kind: 'halted' }
    default:
      // XenStore's lines leave by another way.
      return undefined
  }
}

const plainDomain = (probe: DomainProbe): DomainProbe => ({
  domid: Number(probe.domid),
  handle: text(probe.handle),
  flags: Number(probe.flags),
  onlineVcpus: Number(probe.onlineVcpus),
  totPages: Number(probe.totPages),
  maxPages: Number(probe.maxPages),
  cpuNs: Number(probe.cpuNs),
  atNs: Number(probe.atNs),
})
