/** Hypercalls by domain and name, counted by the second. */
import {
  __HYPERVISOR_callback_op,
  __HYPERVISOR_console_io,
  __HYPERVISOR_domctl,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_fpu_taskswitch,
  __HYPERVISOR_get_debugreg,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_hvm_op,
  __HYPERVISOR_iret,
  __HYPERVISOR_kexec_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_nmi_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_physdev_op_compat,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_sched_op_compat,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_set_debugreg,
  __HYPERVISOR_set_gdt,
  __HYPERVISOR_set_segment_base,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_set_trap_table,
  __HYPERVISOR_stack_switch,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_descriptor,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  __HYPERVISOR_vcpu_op,
  __HYPERVISOR_vm_assist,
  __HYPERVISOR_xen_version,
  __HYPERVISOR_xenoprof_op,
  __HYPERVISOR_xsm_op,
} from '#abi/xen/xen.ts'
import { Rate, Rates } from './rate.ts'

/** Named one by one: of the header only these come to the page. */
const numbers: Readonly<Record<string, number>> = {
  __HYPERVISOR_callback_op,
  __HYPERVISOR_console_io,
  __HYPERVISOR_domctl,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_fpu_taskswitch,
  __HYPERVISOR_get_debugreg,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_hvm_op,
  __HYPERVISOR_iret,
  __HYPERVISOR_kexec_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_nmi_op,
  __HYPERVISOR_physdev_op,
  __HYPERVISOR_physdev_op_compat,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_sched_op_compat,
  __HYPERVISOR_set_callbacks,
  __HYPERVISOR_set_debugreg,
  __HYPERVISOR_set_gdt,
  __HYPERVISOR_set_segment_base,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_set_trap_table,
  __HYPERVISOR_stack_switch,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_update_descriptor,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_update_va_mapping_otherdomain,
  __HYPERVISOR_vcpu_op,
  __HYPERVISOR_vm_assist,
  __HYPERVISOR_xen_version,
  __HYPERVISOR_xenoprof_op,
  __HYPERVISOR_xsm_op,
}

const names = new Map(Object.entries(numbers).map(([name, nr]) => [nr, name.slice('__HYPERVISOR_'.length)]))

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
