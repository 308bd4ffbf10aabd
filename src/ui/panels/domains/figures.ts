/** Figures of domains as people read them. */
import type { DomainView } from '#protocol/domains.ts'
import type { Words } from '../../i18n/index.ts'
import type { DomainHistory } from './history.ts'

const MIB_KIB = 1024
/** A minimal guest lives in so much; domain 0 with all of its tools needs more. */
const LEAST_MIB = 8
const LEAST_DOM0_MIB = 128

export const mib = (kib: number): number => Math.round(kib / MIB_KIB)

export interface MemoryRange {
  readonly leastMib: number
  readonly mostMib: number
  /** Undefined: no limit. */
  readonly limitMib: number | undefined
}

/** How far a domain's memory may be set. */
export function memoryRange(view: DomainView, history: DomainHistory | undefined): MemoryRange {
  const { domid, memoryKiB, maxMemoryKiB, targetKiB } = view
  // Xen's limit is a little above what was asked for.
  const limitMib = maxMemoryKiB === undefined ? undefined : Math.floor(maxMemoryKiB / MIB_KIB)
  const seenMib = mib(Math.max(memoryKiB, targetKiB ?? 0, history?.peakKiB ?? 0))
  const mostMib = Math.max(limitMib ?? seenMib, 1)
  return { leastMib: Math.min(domid === 0 ? LEAST_DOM0_MIB : LEAST_MIB, mostMib), mostMib, limitMib }
}

const MINUTE = 60
const HOUR = 3600

/** A length of virtual time. */
export function durationWords(ns: number): Words {
  const seconds = Math.max(0, Math.floor(ns / 1e9))
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < MINUTE) return { key: 'domains.seconds', values: { seconds } }
  const minutes = Math.floor(seconds / MINUTE)
  if (seconds < HOUR) return { key: 'domains.minutes', values: { minutes, seconds: two(seconds % MINUTE) } }
  return { key: 'domains.hours', values: { hours: Math.floor(minutes / 60), minutes: two(minutes % 60) } }
}
