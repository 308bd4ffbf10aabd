/** Domains as they are seen from outside: Xen's probes joined with what XenStore says of them (design D9). */

/** Xen's flags in words (design D12); `crashed` is a shutdown for that reason. */
export type DomainState = 'running' | 'blocked' | 'paused' | 'shutdown' | 'crashed' | 'dying'

export interface DomainView {
  readonly domid: number
  /** /local/domain/N/name; undefined before the toolstack has given one. */
  readonly name: string | undefined
  readonly uuid: string
  readonly state: DomainState
  /** Why it has shut down: `poweroff`, `reboot`, `suspend`, `crash`. */
  readonly shutdownReason: string | undefined
  readonly vcpus: number
  readonly memoryKiB: number
  /** Undefined: it has no limit, as dom0. */
  readonly maxMemoryKiB: number | undefined
  /** memory/target. */
  readonly targetKiB: number | undefined
  readonly cpuNs: number
  /** Virtual time at which it was first seen. */
  readonly sinceNs: number
  /** Virtual time of the last word about it. */
  readonly atNs: number
}

/** What may be done to a domain; each is what the `xm` command of that name does, by xend, through a host link. */
export type DomainAct =
  | { readonly kind: 'pause' | 'unpause' | 'shutdown' | 'reboot' | 'destroy'; readonly domain: string }
  | { readonly kind: 'mem-set'; readonly domain: string; readonly mib: number }
