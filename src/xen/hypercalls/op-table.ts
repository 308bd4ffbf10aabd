/** Hypercalls as tables: a row brings copy-in, copy-out and -EFAULT; what has no row answers -ENOSYS. */
import type { Mem } from '#abi/mem.ts'
import type { Struct, Values } from '#abi/struct.ts'
import { EFAULT, ENOSYS } from '#abi/xen/errno.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import type { Domain, Vcpu } from '../common/domain.ts'
import type { Xen } from '../xen.ts'

/** Who calls, and its memory. */
export interface Call {
  readonly xen: Xen
  readonly vcpu: Vcpu
  readonly caller: Domain
  readonly mem: Mem
}

/** Arguments as numbers: signed where they are pointers. The result is RAX. */
export type Hypercall = (call: Call, args: readonly number[]) => number

/** A sub-op that takes no struct, or that reads its own memory: `pointer` is the second argument. */
export type RawOp = (call: Call, pointer: number) => number

/** A sub-op with a struct in guest memory: read before, written back after. */
// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
export function op<S extends Struct<any>>(layout: S, run: (call: Call, arg: Values<S>) => number): RawOp {
  return (call, pointer) => {
    const arg = layout.read(call.mem, pointer) as Values<S>
    const result = run(call, arg)
    if (result >= 0) layout.write(call.mem, pointer, arg as Parameters<S['write']>[2])
    return result
  }
}

/** The same without the way back: the struct may lie in read-only memory. */
// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
export function opIn<S extends Struct<any>>(layout: S, run: (call: Call, arg: Values<S>) => number): RawOp {
  return (call, pointer) => run(call, layout.read(call.mem, pointer) as Values<S>)
}

/** A hypercall whose first argument, an int, says which row. */
export function opTable(rows: Readonly<Record<number, RawOp>>): Hypercall {
  return (call, [command = 0, pointer = 0]) => rows[command | 0]?.(call, pointer) ?? -ENOSYS
}

/** Run `body`; a guest address that is not there is -EFAULT. */
export function orEfault(body: () => number): number {
  try {
    return body()
  } catch (thrown) {
    if (thrown instanceof GuestPageFault) return -EFAULT
    throw thrown
  }
}
