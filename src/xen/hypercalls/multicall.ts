/** multicall (13): a list of hypercalls in one (xen/common/multicall.c). */
import type { Mem } from '#abi/mem.ts'
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_multicall,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  MULTICALL_ARGS,
  multicall_entry,
} from '#abi/xen/xen.ts'
import { updateVa } from './mmu.ts'
import { type Call, type Hypercall, orEfault } from './op-table.ts'

/** More is refused. The real one is preempted in the middle, and goes on. */
const CALLS_MAX = 65536
const RESULT_LOW = 8
const RESULT_HIGH = 12

/** A register's 64 bits as a signed number. */
const signed = (low: number, high: number): number => (high | 0) * 2 ** 32 + low

export function multicall(
  call: Call,
  [list = 0, count = 0]: readonly number[],
  table: Readonly<Record<number, Hypercall>>,
): number {
  const { xen, caller, mem } = call
  const calls = count >>> 0
  if (calls > CALLS_MAX) return -EINVAL
  for (let i = 0; i < calls; i++) {
    const at = list + i * multicall_entry.size
    const whole = (at & (PAGE_SIZE - 1)) + multicall_entry.size <= PAGE_SIZE
    // Thousands of these make a kernel's memory map: an entry that lies in one page is looked up once.
    const result = whole ? one(call, table, xen.mem, caller.pageMap.forRead(at)) : one(call, table, mem, at)
    // Looked up again: the call may have changed what is there.
    mem.write32(at + RESULT_LOW, result >>> 0)
    mem.write32(at + RESULT_HIGH, result < 0 ? 0xffffffff : Math.floor(result / 2 ** 32))
  }
  return 0
}

/** The entry at `at` of `mem`: both the guest's, or both the machine's. */
function one(call: Call, table: Readonly<Record<number, Hypercall>>, mem: Mem, at: number): number {
  const nr = mem.read32(at)
  const args = at + MULTICALL_ARGS
  if (nr === __HYPERVISOR_update_va_mapping) {
    const va = signed(mem.read32(args), mem.read32(args + 4))
    const flags = signed(mem.read32(args + 16), mem.read32(args + 20))
    return updateVa(call, va, mem.read32(args + 8), mem.read32(args + 12), flags)
  }
  return other(call, table, mem, nr, args)
}

function other(call: Call, table: Readonly<Record<number, Hypercall>>, mem: Mem, nr: number, at: number): number {
  // Nested, or giving up the processor, which is done by returning (abi/xen/guest.ts).
  if (nr === __HYPERVISOR_multicall || nr === __HYPERVISOR_sched_op) return -EINVAL
  const run = table[nr]
  if (!run) return -ENOSYS
  const args: number[] = []
  for (let n = 0; n < 6; n++) args.push(signed(mem.read32(at + 8 * n), mem.read32(at + 8 * n + 4)))
  return orEfault(() => run(call, args))
}
