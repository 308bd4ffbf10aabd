/** Probes: what running code tells observers (design D9). Read-only, free of virtual cost, emitted whether anybody looks or not. */
export type Probe =
  /** GRUB or LILO: which terminals it talks to now. */
  | { readonly kind: 'boot-terminal'; readonly terminals: readonly ('console' | 'serial')[] }
  /** Xen: who gets serial input. */
  | { readonly kind: 'serial-input'; readonly owner: 'xen' | 'dom0' }
  /** Xen: it has panicked, and why (first line). */
  | { readonly kind: 'panic'; readonly message: string }
  /** xenstored: one line of its access trace, as it wrote it, and the host's virtual time at which it did. */
  | { readonly kind: 'xenstore'; readonly line: string; readonly atNs: number }
  /** Xen: a domain as it is now, whenever something of it has changed. */
  | ({ readonly kind: 'domain' } & DomainProbe)
  /** Xen: the domain is no more. */
  | { readonly kind: 'domain-gone'; readonly domid: number }
  /** Xen: domain 0 has shut down, and the host goes its way; `reason` is SHUTDOWN_* of abi/xen/sched.ts. */
  | { readonly kind: 'dom0-shutdown'; readonly reason: number }
  /** Xen: the host stopped for good (halt, noreboot). */
  | { readonly kind: 'halted' }

/** What XEN_DOMCTL_getdomaininfo would say of a domain. */
export interface DomainProbe {
  readonly domid: number
  /** 32 hexadecimal digits. */
  readonly handle: string
  /** XEN_DOMINF_*: dying, shutdown, paused, blocked, running, and the shutdown reason, as abi/xen/domctl.ts has them. */
  readonly flags: number
  readonly onlineVcpus: number
  /** Frames. */
  readonly totPages: number
  readonly maxPages: number
  /** Virtual ns that its vCPUs have run. */
  readonly cpuNs: number
  /** Virtual time of this host at which it was so. */
  readonly atNs: number
}
