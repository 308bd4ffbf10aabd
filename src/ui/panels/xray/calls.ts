/** Hypercalls by domain and name, counted by the second. */
import * as header from '#abi/xen/xen.ts'
import { Rate, Rates } from './rate.ts'

const PREFIX = '__HYPERVISOR_'
const names = new Map(
  Object.entries(header)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, nr]) => [nr, name.slice(PREFIX.length)]),
)

/** As in the header, without its prefix; a number that Xen does not know stands for itself. */
export const hypercallName = (nr: number): string => names.get(nr) ?? String(nr)

const KEY = 0x10000
/** Guests may ask for any number: beyond these all count as one. */
const NR_MAX = 64

export interface CallRow {
  readonly nr: number
  readonly perSecond: number
  readonly total: number
}

export interface DomainCalls {
  readonly domid: number
  readonly perSecond: number
  /** The most frequent first. */
  readonly rows: readonly CallRow[]
  /** A second's worth by the tenth of a second, over PLOT_SECONDS; the last comes last. */
  readonly series: readonly number[]
}

export const PLOT_SECONDS = 10

export class HypercallCounts {
  readonly #rates = new Rates()
  readonly #domains = new Map<number, Rate>()

  add(atNs: number, domid: number, nr: number): void {
    this.#rates.add(domid * KEY + (nr >= 0 && nr < NR_MAX ? nr : NR_MAX), atNs)
    let whole = this.#domains.get(domid)
    if (!whole) {
      whole = new Rate(PLOT_SECONDS)
      this.#domains.set(domid, whole)
    }
    whole.add(atNs)
  }

  /** By domain; of those that are no more nothing is told. */
  byDomain(nowNs: number, isThere: (domid: number) => boolean): DomainCalls[] {
    const domains = new Map<number, CallRow[]>()
    for (const key of [...this.#rates.keys()]) {
      const domid = Math.floor(key / KEY)
      if (!isThere(domid)) {
        this.#rates.delete(key)
        this.#domains.delete(domid)
        continue
      }
      const rows = domains.get(domid) ?? []
      rows.push({ nr: key % KEY, perSecond: this.#rates.perSecond(key, nowNs), total: this.#rates.total(key) })
      domains.set(domid, rows)
    }
    return [...domains]
      .sort(([a], [b]) => a - b)
      .map(([domid, rows]) => ({
        domid,
        perSecond: rows.reduce((sum, row) => sum + row.perSecond, 0),
        series: this.#domains.get(domid)?.series(nowNs) ?? [],
        rows: rows.sort((a, b) => b.perSecond - a.perSecond || b.total - a.total || a.nr - b.nr),
      }))
  }

  clear(): void {
    this.#rates.clear()
    this.#domains.clear()
  }
}
