/** grant_table_op (20): using what another domain grants (xen/common/grant_table.c). */
import type { Struct, Values } from '#abi/struct.ts'
import { EFAULT, EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import {
  GNTST_bad_domain,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_query_size,
  GNTTABOP_setup_table,
  GNTTABOP_transfer,
  GNTTABOP_unmap_and_replace,
  GNTTABOP_unmap_grant_ref,
  gnttab_copy,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_setup_table,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
} from '#abi/xen/grant_table.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import { GuestPageFault } from '../arch-x86/mm.ts'
import { type Domain, privilegedFor } from '../common/domain.ts'
import { growTable } from '../common/grant-table.ts'
import { guestLog } from '../common/guest-log.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import type { Xen } from '../xen.ts'
import { copy } from './grant-copy.ts'
import { mapGrantRef, unmapCommon } from './grant-map.ts'
import { transfer } from './grant-transfer.ts'
import type { Call, Hypercall } from './op-table.ts'

const COUNT_MAX = 512

const info = (xen: Xen, line: number, text: string): void => guestLog(xen, XENLOG_INFO, `grant_table.c:${line}`, text)

type Rows = (call: Call, list: Vaddr, count: number) => number

/** What is said when a struct cannot be read, or written back. */
type Faults = readonly [line: number, text: (i: number, count: number) => string]

/** One struct after the other: what goes wrong with it is in its status. */
const each =
  // biome-ignore lint/suspicious/noExplicitAny: each row's struct has its own fields
    <S extends Struct<any>>(
      layout: S,
      run: (call: Call, op: Values<S>) => void,
      reading?: Faults,
      writing?: Faults,
    ): Rows =>
    (call, list, count) => {
      for (let i = 0; i < count; i++) {
        const at = list + i * layout.size
        let fault = reading
        try {
          const op = layout.read(call.mem, at) as Values<S>
          fault = writing
          run(call, op)
          layout.write(call.mem, at, op as Parameters<S['write']>[2])
        } catch (thrown) {
          if (fault && thrown instanceof GuestPageFault) info(call.xen, fault[0], fault[1](i, count))
          throw thrown
        }
      }
      return 0
    }

/** Of these there is only one at a time. */
const single =
  (rows: Rows): Rows =>
  (call, list, count) =>
    count === 1 ? rows(call, list, 1) : -EINVAL

const rows: Readonly<Record<number, Rows>> = {
  [GNTTABOP_map_grant_ref]: each(gnttab_map_grant_ref, mapGrantRef),
  [GNTTABOP_unmap_grant_ref]: each(gnttab_unmap_grant_ref, (call, op) => {
    op.status = unmapCommon(call, op.handle, op.host_addr, op.dev_bus_addr, 0)
  }),
  [GNTTABOP_setup_table]: single(
    each(gnttab_setup_table, setupTable, [859, () => 'Fault while reading gnttab_setup_table_t.']),
  ),
  [GNTTABOP_transfer]: each(
    gnttab_transfer,
    transfer,
    [1084, (i, count) => `gnttab_transfer: error reading req ${i}/${count}`],
    [1219, (i, count) => `gnttab_transfer: error writing resp ${i}/${count}`],
  ),
  [GNTTABOP_copy]: each(gnttab_copy, copy),
  [GNTTABOP_query_size]: single(
    each(gnttab_query_size, querySize, [945, () => 'Fault while reading gnttab_query_size_t.']),
  ),
  [GNTTABOP_unmap_and_replace]: each(gnttab_unmap_and_replace, (call, op) => {
    op.status = unmapCommon(call, op.handle, op.host_addr, 0n, op.new_addr)
  }),
}

export const grantTableOp: Hypercall = (call, [command = 0, list = 0, count = 0]) => {
  const number = count >>> 0
  if (number > COUNT_MAX) return -EINVAL
  try {
    return rows[command >>> 0]?.(call, list, number) ?? -ENOSYS
  } catch (thrown) {
    // A number that is no address.
    if (thrown instanceof RangeError) return -EFAULT
    throw thrown
  }
}

/** The domain that setup and query are about. A status: it may not. */
function named({ xen, caller }: Call, line: number, dom: number): Domain | number {
  if (dom === DOMID_SELF) return caller
  const domain = xen.domains.get(dom)
  if (!domain?.grantTable) {
    info(xen, line, `Bad domid ${dom}.`)
    return GNTST_bad_domain
  }
  return privilegedFor(caller, domain) || domain === caller ? domain : GNTST_permission_denied
}

function setupTable(call: Call, op: Values<typeof gnttab_setup_table>): void {
  const { xen, mem } = call
  const most = xen.options.gnttabMaxNrFrames
  if (op.nr_frames > most) {
    info(xen, 865, `Xen only supports up to ${most} grant-table frames per domain.`)
    op.status = GNTST_general_error
    return
  }
  const domain = named(call, 881, op.dom)
  if (typeof domain === 'number') {
    op.status = domain
    return
  }
  const { shared } = domain.grantTable!
  if (op.nr_frames > shared.length && !growTable(xen, domain, op.nr_frames)) {
    info(xen, 904, `Expand grant table to ${op.nr_frames} failed. Current: ${shared.length} Max: ${most}.`)
    op.status = GNTST_general_error
    return
  }
  op.status = GNTST_okay
  try {
    for (let i = 0; i < op.nr_frames; i++) mem.write64(op.frame_list + 8 * i, BigInt(shared[i]!))
  } catch (thrown) {
    // Nobody looks whether the list is there.
    if (!(thrown instanceof GuestPageFault)) throw thrown
  }
}

function querySize(call: Call, op: Values<typeof gnttab_query_size>): void {
  const domain = named(call, 958, op.dom)
  if (typeof domain === 'number') {
    op.status = domain
    return
  }
  op.nr_frames = domain.grantTable!.shared.length
  op.max_nr_frames = call.xen.options.gnttabMaxNrFrames
  op.status = GNTST_okay
}
