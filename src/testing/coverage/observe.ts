/** Notes what each hypercall of a guest's returned: by number, sub-op and result, read off the guest's own arguments and structs. */
import type { Mem } from '#abi/mem.ts'
import {
  GNTTABOP_copy,
  GNTTABOP_dump_table,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_setup_table,
  GNTTABOP_transfer,
  GNTTABOP_unmap_and_replace,
  GNTTABOP_unmap_grant_ref,
  gnttab_copy,
  gnttab_dump_table,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_setup_table,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
} from '#abi/xen/grant_table.ts'
import type { GuestEntry, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { SCHEDOP_shutdown } from '#abi/xen/sched.ts'
import {
  __HYPERVISOR_domctl,
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_memory_op,
  __HYPERVISOR_mmu_update,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_multicall,
  __HYPERVISOR_physdev_op_compat,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_sched_op_compat,
  __HYPERVISOR_sysctl,
  MULTICALL_ARGS,
  multicall_entry,
} from '#abi/xen/xen.ts'
import { __HYPERVISOR_mca } from '#abi/xen/xen-mca.ts'

export interface Observation {
  readonly nr: number
  readonly sub: number
  /** The hypercall's. */
  readonly result: number
  /** Of a grant operation that has one. */
  readonly status?: number
}
export type Note = (observation: Observation) => void

const SCHEDULERS = [__HYPERVISOR_sched_op, __HYPERVISOR_sched_op_compat]

/** Those whose sub-op is the first word of their struct. */
const IN_STRUCT = [
  __HYPERVISOR_domctl,
  __HYPERVISOR_sysctl,
  __HYPERVISOR_platform_op,
  __HYPERVISOR_mca,
  __HYPERVISOR_mmuext_op,
  __HYPERVISOR_event_channel_op_compat,
  __HYPERVISOR_physdev_op_compat,
]

const STATUS = {
  [GNTTABOP_map_grant_ref]: gnttab_map_grant_ref.fields.status,
  [GNTTABOP_unmap_grant_ref]: gnttab_unmap_grant_ref.fields.status,
  [GNTTABOP_setup_table]: gnttab_setup_table.fields.status,
  [GNTTABOP_dump_table]: gnttab_dump_table.fields.status,
  [GNTTABOP_transfer]: gnttab_transfer.fields.status,
  [GNTTABOP_copy]: gnttab_copy.fields.status,
  [GNTTABOP_query_size]: gnttab_query_size.fields.status,
  [GNTTABOP_unmap_and_replace]: gnttab_unmap_and_replace.fields.status,
} as const

/** A word of the guest's, if it is there. */
function peek(mem: Mem, at: number): number {
  try {
    return mem.read32(at)
  } catch {
    return -1
  }
}

/** Which sub-op a call is of. */
function subOf(mem: Mem, nr: number, args: readonly number[]): number {
  const first = args[0] ?? 0
  if (IN_STRUCT.includes(nr)) return peek(mem, first)
  if (nr === __HYPERVISOR_mmu_update) return peek(mem, first) & 7
  if (nr === __HYPERVISOR_memory_op) return first & 63
  return first
}

function note(mem: Mem, nr: number, sub: number, args: readonly number[], result: number, tell: Note): void {
  const status = nr === __HYPERVISOR_grant_table_op ? STATUS[sub as keyof typeof STATUS] : undefined
  if (result === 0 && status) tell({ nr, sub, result, status: status.get(mem, args[1] ?? 0) })
  else tell({ nr, sub, result })
  if (nr !== __HYPERVISOR_multicall || result !== 0) return
  for (let i = 0; i < (args[1] ?? 0); i++) {
    const at = (args[0] ?? 0) + i * multicall_entry.size
    const inner = Array.from({ length: 6 }, (_, n) =>
      Number(BigInt.asIntN(64, mem.read64(at + MULTICALL_ARGS + 8 * n))),
    )
    const number = mem.read32(at)
    tell({ nr: number, sub: subOf(mem, number, inner), result: mem.read32(at + 8) | 0 })
  }
}

/** The same processor, and a way to run steps on it whose exits are noted too. */
export function observedCpu(
  vcpu: VirtualCpu,
  tell: Note,
): {
  readonly vcpu: VirtualCpu
  steps<T>(body: Generator<VcpuExit, T, number>): Generator<VcpuExit, T, number>
} {
  const { mem } = vcpu
  const hypercall = (nr: number, ...args: readonly number[]): number => {
    const sub = subOf(mem, nr, args)
    const result = vcpu.hypercall(nr, ...args)
    note(mem, nr, sub, args, result, tell)
    return result
  }
  return {
    vcpu: { ...vcpu, hypercall },
    *steps(body) {
      for (let step = body.next(0); ; ) {
        if (step.done) return step.value
        const exit = step.value
        const result = yield exit
        if (exit.kind === 'hypercall') tell({ nr: exit.nr, sub: subOf(mem, exit.nr, exit.args), result })
        step = body.next(result)
      }
    },
  }
}

/** A kernel of which all is noted. A last call that does not come back is noted as it is made: it has ended the domain. */
export const observed =
  (kernel: GuestEntry, tell: Note): GuestEntry =>
  (vcpu) => {
    const code = kernel(observedCpu(vcpu, tell).vcpu)
    let left: { readonly nr: number; readonly sub: number } | undefined
    return {
      run(deadlineNs, result) {
        if (left) tell({ ...left, result })
        left = undefined
        const exit = code.run(deadlineNs, result)
        if (exit.kind !== 'hypercall') return exit
        left = { nr: exit.nr, sub: subOf(vcpu.mem, exit.nr, exit.args) }
        // Who sees that the domain is shut down sees the result.
        if (left.sub === SCHEDOP_shutdown && SCHEDULERS.includes(left.nr)) tell({ ...left, result: 0 })
        return exit
      },
      upcall: () => code.upcall(),
    }
  }
