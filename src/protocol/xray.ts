/**
 * The tracer's records on their way to the page (abi/tracer.ts). The worker folds what is state (who owns a frame, which ports are joined, what
 * is mapped) from power-on, so that whoever begins to look gets a picture at once, and then the records as they come.
 */

/** What of the trace somebody wants to see; a class that nobody watches costs no messages. */
export interface XrayWatch {
  /** TRACE_pages. */
  readonly frames: boolean
  /** TRACE_runstate, TRACE_vcpu. */
  readonly lanes: boolean
  /** TRACE_port, TRACE_grant, and TRACE_event. */
  readonly channels: boolean
  /** TRACE_hypercall. */
  readonly hypercalls: boolean
}

/** A port in use. */
export interface XrayPort {
  readonly domid: number
  readonly port: number
  /** EVTCHNSTAT_*. */
  readonly status: number
  /** unbound, interdomain: the other domain; -1 else. */
  readonly remoteDomid: number
  /** interdomain: its port; virq, pirq: which; ipi: the vCPU. */
  readonly remote: number
}

/** What `user` has mapped of `granter`'s now. */
export interface XrayGrants {
  readonly granter: number
  readonly user: number
  readonly mapped: number
}

export interface XrayVcpu {
  readonly domid: number
  readonly vcpu: number
  /** RUNSTATE_*. */
  readonly state: number
  /** Logical number of its processor. */
  readonly cpu: number
  readonly sinceNs: number
}

/** All that is state, at `atNs`. */
export interface XraySnapshot {
  readonly atNs: number
  /** By mfn: domid, DOMID_XEN, TRACE_FREE or TRACE_NO_RAM. Transferred. Empty before Xen has told of its memory. */
  readonly owners: Uint16Array
  readonly ports: readonly XrayPort[]
  readonly grants: readonly XrayGrants[]
  readonly vcpus: readonly XrayVcpu[]
}

/** Records since the last batch, TRACE_WORDS numbers each, in order of telling; transferred. */
export interface XrayBatch {
  readonly records: Float64Array
  /** Records that did not fit (more than XRAY_BATCH_MAX in one frame): of state events none is ever lost, see `resync`. */
  readonly lost: number
  /** State events were among the lost: forget what you folded, this is how it is now. */
  readonly resync: XraySnapshot | undefined
}

/** Records in one message at most. */
export const XRAY_BATCH_MAX = 20_000
