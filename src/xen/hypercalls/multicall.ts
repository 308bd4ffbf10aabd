/** multicall (13): a list of hypercalls in one (xen/common/multicall.c). */
import type { Mem } from '#abi/mem.ts'
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_multicall,
  __HYPERVISOR_update_va_mapping,
  MULTICALL_ARGS,
  multicall_entry,
} from '#abi/xen/xen.ts'
import { signedWord } from '../arch-x86/guest-regs.ts'
import { guestLog } from '../common/guest-log.ts'
import { traceHypercall } from '../common/tracer.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { updateVa } from './mmu.ts'
import { type Call, type Hypercall, orEfault } from './op-table.ts'
import { givesWay } from './sched_op.ts'
import { byWords } from './words.ts'

/** More is refused. The real one is preempted in the middle, and goes on. */
const CALLS_MAX = 65536
/** The upper half of the number lies so many bytes before the arguments. */
const OP_AFTER = MULTICALL_ARGS - 4
const RESULT_LOW = 8
const RESULT_HIGH = 12

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
    const result =
      whole && caller.pageMapped ? one(call, table, xen.mem, caller.pageMap.forRead(at)) : one(call, table, mem, at)
    // Looked up again: the call may have changed what is there.
    mem.write32(at + RESULT_LOW, result >>> 0)
    mem.write32(at + RESULT_HIGH, Math.floor(result / 2 ** 32) >>> 0)
  }
  return 0
}

/** The entry at `at` of `mem`: both the guest's, or both the machine's. */
function one(call: Call, table: Readonly<Record<number, Hypercall>>, mem: Mem, at: number): number {
  const nr = mem.read32(at)
  const args = at + MULTICALL_ARGS
  if (nr === __HYPERVISOR_update_va_mapping && mem.read32(at + 4) === 0) {
    const va = signedWord(mem.read32(args), mem.read32(args + 4))
    const flags = signedWord(mem.read32(args + 16), mem.read32(args + 20))
    traceHypercall(call.xen, call.vcpu, nr, va)
    return updateVa(call, va, mem.read32(args + 8), mem.read32(args + 12), flags)
  }
  return other(call, table, mem, nr, args)
}

function other(call: Call, table: Readonly<Record<number, Hypercall>>, mem: Mem, nr: number, at: number): number {
  if (nr === __HYPERVISOR_multicall) {
    guestLog(call.xen, XENLOG_INFO, 'multicall.c:32', 'Multicall reentry is disallowed.')
    return -EINVAL
  }
  const run = mem.read32(at - OP_AFTER) === 0 ? table[nr] : undefined
  if (!run) return -ENOSYS
  const args: number[] = []
  for (let n = 0; n < 6; n++) args.push(signedWord(mem.read32(at + 8 * n), mem.read32(at + 8 * n + 4)))
  // Modules give up the processor by returning (abi/xen/guest.ts).
  if (givesWay(nr, args[0]!) && !call.vcpu.ring3) return -EINVAL
  traceHypercall(call.xen, call.vcpu, nr, args[0]!)
  const inner = byWords[nr]
  if (!inner) return orEfault(() => run(call, args))
  const halves = (offset: number): number[] => args.map((_, n) => mem.read32(at + offset + 8 * n))
  const words = { low: halves(0), high: halves(4) }
  return orEfault(() => inner(call, words))
}
