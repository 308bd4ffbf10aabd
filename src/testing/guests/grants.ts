/** Grants: every operation, and the limits of each. Domain 1 grants, its peer uses. */
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import * as t from '#abi/xen/grant_table.ts'
import {
  XENMEM_current_reservation,
  XENMEM_decrease_reservation,
  XENMEM_increase_reservation,
  xen_memory_reservation,
} from '#abi/xen/memory.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_grant_table_op, __HYPERVISOR_memory_op, DOMID_SELF } from '#abi/xen/xen.ts'
import { type Guest, MAIN, MS, PEER, RUN, type TestGuest } from './kit.ts'

const REF = 9

/** Its table, mapped. */
function table(g: Guest): number {
  const { out, result } = g.grant(t.GNTTABOP_setup_table, t.gnttab_setup_table, {
    dom: DOMID_SELF,
    nr_frames: 1,
    frame_list: g.at + 64,
  })
  g.is(result, 0, 'setup_table')
  g.is(out.status, t.GNTST_okay, 'setup_table')
  g.is(g.map(g.grants, g.mem.read32(g.at + 64)), 0, 'mapping the table')
  return g.grants
}

/** Entries from REF on: one read-only, one to be written, one to be taken by. */
function offer(g: Guest): void {
  const entries = table(g)
  const entry = (ref: number, flags: number, frame: number): void =>
    t.grant_entry.write(g.mem, entries + 8 * ref, { flags, domid: PEER, frame })
  g.mem.write32(g.page(3), 0x600df00d)
  entry(REF, t.GTF_permit_access | t.GTF_readonly, g.frameOf(g.page(3)))
  entry(REF + 1, t.GTF_permit_access, g.frameOf(g.page(4)))
  entry(REF + 2, t.GTF_accept_transfer, 0)
  g.mem.write32(g.page(4), 1)
}
const flagsOf = (g: Guest, ref: number): number => t.grant_entry.fields.flags.get(g.mem, g.grants + 8 * ref)

const map = (g: Guest, ref: number, flags: number, host_addr: number, dom = MAIN) =>
  g.grant(t.GNTTABOP_map_grant_ref, t.gnttab_map_grant_ref, { host_addr, flags, ref, dom }).out
const unmap = (g: Guest, handle: number, host_addr: number, dev_bus_addr = 0n): number =>
  g.grant(t.GNTTABOP_unmap_grant_ref, t.gnttab_unmap_grant_ref, { handle, host_addr, dev_bus_addr }).out.status

/** Mapped, once the granter is ready. */
function* mapped(g: Guest, ref: number, flags: number, va: number) {
  let handle = 0
  yield* g.until(() => {
    const out = map(g, ref, flags, va)
    handle = out.handle
    return out.status === t.GNTST_okay
  }, 'map_grant_ref')
  return handle
}

/** The granter of most of these: until the peer has written 2 into the page that it may write. */
function* granter(g: Guest) {
  offer(g)
  yield* g.until(() => g.mem.read32(g.page(4)) === 2, 'the peer is done')
  yield* g.until(() => (flagsOf(g, REF) & t.GTF_reading) === 0, 'nobody reads any more')
}
/** The peer's last act. */
function* finish(g: Guest) {
  const handle = yield* mapped(g, REF + 1, t.GNTMAP_host_map, g.window(20))
  g.mem.write32(g.window(20), 2)
  g.is(unmap(g, handle, g.window(20)), t.GNTST_okay, 'unmap')
}

export const grants: Readonly<Record<string, TestGuest>> = {
  'grant-map': {
    shows: 'a granted page is read and written by whom it is granted to, as long as it is mapped',
    main: granter,
    *peer(g) {
      const va = g.window(1)
      const handle = yield* mapped(g, REF, t.GNTMAP_host_map | t.GNTMAP_readonly, va)
      g.is(g.mem.read32(va), 0x600df00d, 'what is read')
      g.faults(() => g.mem.write8(va, 1), 'writing a read-only grant')
      g.is(
        map(g, REF, t.GNTMAP_host_map, g.window(2)).status,
        t.GNTST_general_error,
        'a read-only grant, to be written',
      )
      const device = map(g, REF, t.GNTMAP_device_map | t.GNTMAP_readonly, 0)
      g.is(device.status, t.GNTST_okay, 'a device mapping')
      g.is(unmap(g, device.handle, 0, device.dev_bus_addr), t.GNTST_okay, 'unmapping it')
      g.is(unmap(g, handle, va), t.GNTST_okay, 'unmap')
      g.faults(() => g.mem.read8(va), 'reading after unmap')
      g.is(unmap(g, handle, va), t.GNTST_bad_handle, 'unmap again')
      yield* finish(g)
    },
  },
  'grant-refused': {
    shows: 'references that are none, domains that are none, grants to somebody else',
    *main(g) {
      offer(g)
      t.grant_entry.fields.domid.set(g.mem, g.grants + 8 * REF, 77)
      yield* g.until(() => g.mem.read32(g.page(4)) === 2, 'the peer is done')
    },
    *peer(g) {
      const handle = yield* mapped(g, REF + 1, t.GNTMAP_host_map, g.window(1))
      const refused = (ref: number, flags: number, status: number, what: string, dom = MAIN): void =>
        g.is(map(g, ref, flags, g.window(2), dom).status, status, what)
      refused(REF, t.GNTMAP_host_map, t.GNTST_general_error, 'granted to another')
      refused(REF + 5, t.GNTMAP_host_map, t.GNTST_general_error, 'not granted')
      refused(100_000, t.GNTMAP_host_map, t.GNTST_bad_gntref, 'no reference')
      refused(REF + 1, t.GNTMAP_host_map, t.GNTST_bad_domain, 'of nobody', 99)
      refused(REF + 1, t.GNTMAP_readonly, t.GNTST_bad_gntref, 'for nothing')
      g.is(unmap(g, 4000, g.window(1)), t.GNTST_bad_handle, 'no handle')
      g.is(g.call(__HYPERVISOR_grant_table_op, 20, g.at, 1), -ENOSYS, 'no command')
      g.is(g.call(__HYPERVISOR_grant_table_op, t.GNTTABOP_copy, g.at, 513), -EINVAL, 'more than 512 at once')
      g.is(unmap(g, handle, g.window(3)), t.GNTST_general_error, 'unmap of another address')
      g.is(unmap(g, handle, g.window(1)), t.GNTST_okay, 'unmap')
      yield* finish(g)
    },
  },
  'grant-replace': {
    shows: 'unmap_and_replace puts another page in the place of a mapping',
    main: granter,
    *peer(g) {
      const va = g.window(1)
      const handle = yield* mapped(g, REF + 1, t.GNTMAP_host_map, va)
      g.mem.write32(g.page(5), 5555)
      g.is(g.map(g.window(2), g.frameOf(g.page(5))), 0, 'map')
      const { out } = g.grant(t.GNTTABOP_unmap_and_replace, t.gnttab_unmap_and_replace, {
        host_addr: va,
        new_addr: g.window(2),
        handle,
      })
      g.is(out.status, t.GNTST_okay, 'unmap_and_replace')
      g.is(g.mem.read32(va), 5555, 'what is there now')
      g.faults(() => g.mem.read8(g.window(2)), 'where it was')
      yield* finish(g)
    },
  },
  'grant-copy': {
    shows: 'bytes are copied from and to grants and frames, within a page, as far as the grant permits',
    main: granter,
    *peer(g) {
      const copy = (values: object): number =>
        g.grant(t.GNTTABOP_copy, t.gnttab_copy, { len: 16, ...values } as never).out.status
      const from = { source: BigInt(REF), source_domid: MAIN, flags: t.GNTCOPY_source_gref }
      const here = BigInt(g.frameOf(g.page(3)))
      const to = { dest: here, dest_domid: DOMID_SELF, dest_offset: 32 }
      yield* g.until(() => copy({ ...from, ...to }) === t.GNTST_okay, 'copy')
      g.is(g.mem.read32(g.page(3) + 32), 0x600df00d, 'what was copied')
      g.is(copy({ ...from, ...to, len: 4090 }), t.GNTST_bad_copy_arg, 'across the end of the page')
      const back = { source: here, source_domid: DOMID_SELF, dest_domid: MAIN, flags: t.GNTCOPY_dest_gref }
      g.is(copy({ ...back, dest: BigInt(REF) }), t.GNTST_general_error, 'to a read-only grant')
      g.is(copy({ ...back, dest: BigInt(REF + 1), dest_offset: 64 }), t.GNTST_okay, 'to a grant')
      g.is(
        copy({ ...to, source: BigInt(REF), source_domid: MAIN }),
        t.GNTST_permission_denied,
        'another’s frame by number',
      )
      g.is(copy({ ...from, ...to, source_domid: 99 }), t.GNTST_bad_domain, 'of nobody')
      yield* finish(g)
    },
  },
  'grant-transfer': {
    shows: 'a frame is given away for good to who has said that it takes one',
    *main(g) {
      const give = BigInt(g.frameOf(g.page(6)))
      g.unmap(g.page(6))
      const list = g.at + 64
      g.mem.write64(list, give)
      const one = { extent_start: list, nr_extents: 1n, domid: DOMID_SELF }
      // Room for one more.
      g.is(g.op(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, xen_memory_reservation, one).result, 1, 'decrease')
      offer(g)
      yield* g.until(() => (flagsOf(g, REF + 2) & t.GTF_transfer_completed) !== 0, 'the transfer')
      const got = t.grant_entry.fields.frame.get(g.mem, g.grants + 8 * (REF + 2))
      g.is(g.map(g.page(6), got), 0, 'mapping it')
      g.is(g.mem.read32(g.page(6)), 0x91f7, 'what it holds')
      g.mem.write16(g.at, DOMID_SELF)
      g.is(g.call(__HYPERVISOR_memory_op, XENMEM_current_reservation, g.at), g.pages, 'pages')
    },
    *peer(g) {
      const transfer = (mfn: number, domid = MAIN, ref = REF + 2): number =>
        g.grant(t.GNTTABOP_transfer, t.gnttab_transfer, { mfn: BigInt(mfn), domid, ref }).out.status
      const mfn = g.frameOf(g.page(6))
      g.mem.write32(g.page(6), 0x91f7)
      yield* g.sleep(5 * MS)
      g.is(transfer(mfn), t.GNTST_bad_page, 'a page that is mapped')
      g.is(transfer(0x4000), t.GNTST_bad_page, 'another’s page')
      g.is(transfer(0xfffffff), t.GNTST_bad_page, 'no page')
      g.is(g.unmap(g.page(6)), 0, 'unmap')
      g.is(transfer(mfn), t.GNTST_okay, 'transfer')
      g.is(g.map(g.page(6), mfn), -EINVAL, 'mapping what was given away')
      g.mem.write64(g.at + 64, 0n)
      const one = { extent_start: g.at + 64, nr_extents: 1n, domid: DOMID_SELF }
      g.is(g.op(__HYPERVISOR_memory_op, XENMEM_increase_reservation, xen_memory_reservation, one).result, 1, 'increase')
    },
  },
  'grant-table-size': {
    shows: 'the table grows to as many frames as Xen permits, for its own domain alone',
    *main(g) {
      const query = (dom: number) => g.grant(t.GNTTABOP_query_size, t.gnttab_query_size, { dom }).out
      const { status, nr_frames, max_nr_frames } = query(DOMID_SELF)
      g.is(status, t.GNTST_okay, 'query_size')
      g.is(nr_frames, 4, 'frames')
      const setup = (dom: number, frames: number): number =>
        g.grant(t.GNTTABOP_setup_table, t.gnttab_setup_table, { dom, nr_frames: frames, frame_list: g.at + 64 }).out
          .status
      g.is(setup(DOMID_SELF, 6), t.GNTST_okay, 'six frames')
      g.is(query(DOMID_SELF).nr_frames, 6, 'frames')
      g.is(setup(DOMID_SELF, max_nr_frames + 1), t.GNTST_general_error, 'too many')
      g.is(setup(0, 1), t.GNTST_permission_denied, 'of dom0')
      g.is(setup(99, 1), t.GNTST_bad_domain, 'of nobody')
      g.is(query(0).status, t.GNTST_permission_denied, 'of dom0')
      g.is(
        g.op(__HYPERVISOR_grant_table_op, t.GNTTABOP_setup_table, t.gnttab_setup_table, {}, 2).result,
        -EINVAL,
        'two at once',
      )
      g.is(
        g.op(__HYPERVISOR_grant_table_op, t.GNTTABOP_dump_table, t.gnttab_dump_table, { dom: DOMID_SELF }, 1).result,
        -ENOSYS,
        'dump_table',
      )
      g.is(g.mem.read32(g.at + PAGE_SIZE - 4), 0, 'the rest of the page')
      yield RUN
    },
  },
}
