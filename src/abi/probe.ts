/** Probes: what running code tells observers (design D9). Read-only, free of virtual cost, emitted whether anybody looks or not. */
export type Probe =
  /** GRUB or LILO: which terminals it talks to now. */
  | { readonly kind: 'boot-terminal'; readonly terminals: readonly ('console' | 'serial')[] }
  /** Xen: who gets serial input. */
  | { readonly kind: 'serial-input'; readonly owner: 'xen' | 'dom0' }
  /** Xen: it has panicked, and why (first line). */
  | { readonly kind: 'panic'; readonly message: string }
  /** xenstored: one line of its access trace, as it wrote it. */
  | { readonly kind: 'xenstore'; readonly line: string }
  /** Xen: the host stopped for good (halt, noreboot). */
  | { readonly kind: 'halted' }
