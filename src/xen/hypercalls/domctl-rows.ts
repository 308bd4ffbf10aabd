/** What rows of domctl have in common: a domain that is named, a struct behind xen_domctl's head. */
import type { Struct, Values } from '#abi/struct.ts'
import { XEN_DOMCTL_U, xen_domctl } from '#abi/xen/domctl.ts'
import { EINVAL, ESRCH } from '#abi/xen/errno.ts'
import type { Domain } from '../common/domain.ts'
import type { Call, RawOp } from './op-table.ts'

// biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
type AnyStruct = Struct<any>
type Act<S extends AnyStruct> = (call: Call, domain: Domain, arg: Values<S>) => number

export const named = ({ xen, mem }: Call, pointer: number): Domain | undefined =>
  xen.domains.get(xen_domctl.fields.domain.get(mem, pointer))

/** A row about a domain that is there, -ESRCH else; `pointer` is xen_domctl's. The struct is read only. */
export const about =
  <S extends AnyStruct>(layout: S, act: Act<S>): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    return domain ? act(call, domain, layout.read(call.mem, pointer + XEN_DOMCTL_U) as Values<S>) : -ESRCH
  }

/** The same, and what has been put into the struct goes back. */
export const asks =
  <S extends AnyStruct>(layout: S, act: Act<S>): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    if (!domain) return -ESRCH
    const at = pointer + XEN_DOMCTL_U
    const arg = layout.read(call.mem, at) as Values<S>
    const result = act(call, domain, arg)
    if (result === 0) layout.write(call.mem, at, arg as Parameters<S['write']>[2])
    return result
  }

/** A row that has no struct of its own. */
export const plain =
  (act: (call: Call, domain: Domain) => number): RawOp =>
  (call, pointer) => {
    const domain = named(call, pointer)
    return domain ? act(call, domain) : -ESRCH
  }

/** A row that looks at its struct before it looks for the domain. */
export const checked =
  <S extends AnyStruct>(layout: S, check: (call: Call, arg: Values<S>) => boolean, act: Act<S>): RawOp =>
  (call, pointer) => {
    const arg = layout.read(call.mem, pointer + XEN_DOMCTL_U) as Values<S>
    if (!check(call, arg)) return -EINVAL
    const domain = named(call, pointer)
    return domain ? act(call, domain, arg) : -ESRCH
  }

export const done = (_: unknown): number => 0

/** What pauses its domain: in life the caller's own would wait for itself to stop, for ever. */
export function notOwn<A extends readonly unknown[]>(
  act: (call: Call, domain: Domain, ...rest: A) => number,
): (call: Call, domain: Domain, ...rest: A) => number {
  return (call, domain, ...rest) => (domain === call.caller ? -EINVAL : act(call, domain, ...rest))
}
