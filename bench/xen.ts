/** What guests do all the time, on Xen alone: grants, events. Kernels that are there without an image, so that nothing else is timed. */
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain, EVTCHNOP_send } from '#abi/xen/event_channel.ts'
import {
  GNTMAP_host_map,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
  GTF_permit_access,
  gnttab_map_grant_ref,
  gnttab_unmap_grant_ref,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import type { VcpuCode, VirtualCpu } from '#abi/xen/guest.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  DOMID_SELF,
  SHARED_INFO_EVTCHN_PENDING,
  vcpu_info,
} from '#abi/xen/xen.ts'
import { addDomain, scriptHost, TEST_BASE } from '#testing/xen-domain.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { sharedEntry } from '#xen/common/grant-table.ts'
import { hypercall } from '#xen/hypercalls/index.ts'
import { type Figure, millis } from './reference.ts'

const ROUNDS = 20_000
/** Behind the first operations, which compile it. */
const WARM = 2000
const REFERENCE = 8
const FREE = TEST_BASE + 0x100000

export const benchXen = (): Figure[] => [
  { name: 'grant mapped and unmapped', unit: 'ns', value: grants() },
  { name: 'event to another domain and back', unit: 'ns', value: events() },
]

const each = (ms: number, count: number): number => (ms * 1e6) / count

function grants(): number {
  const host = scriptHost(function* () {})
  const idle = () => ({ run: () => BLOCK, upcall() {} })
  const granter = addDomain(host, 1, idle, { pages: 4 })
  const mapper = addDomain(host, 2, idle, { pages: 4 })
  const frame = granter.pageMap.lookup(TEST_BASE / PAGE_SIZE + 1) >>> 2
  const entry = sharedEntry(granter.grantTable!, REFERENCE)
  grant_entry.write(host.xen.mem, entry, { flags: GTF_permit_access, domid: 2, frame })
  const { mem } = mapper
  const round = (): void => {
    gnttab_map_grant_ref.write(mem, TEST_BASE, {
      host_addr: FREE,
      flags: GNTMAP_host_map,
      ref: REFERENCE,
      dom: 1,
      status: 0,
      handle: 0,
      dev_bus_addr: 0n,
    })
    op(GNTTABOP_map_grant_ref)
    const handle = gnttab_map_grant_ref.fields.handle.get(mem, TEST_BASE)
    if (gnttab_map_grant_ref.fields.status.get(mem, TEST_BASE) !== 0) throw new Error('the grant was not mapped')
    gnttab_unmap_grant_ref.write(mem, TEST_BASE, { host_addr: FREE, dev_bus_addr: 0n, handle, status: 0 })
    op(GNTTABOP_unmap_grant_ref)
    if (gnttab_unmap_grant_ref.fields.status.get(mem, TEST_BASE) !== 0) throw new Error('the grant was not unmapped')
  }
  let ms = 0
  let op: (command: number) => void = () => {}
  host.inXen((x) => {
    op = (command) => hypercall(x, mapper.vcpus[0]!, __HYPERVISOR_grant_table_op, [command, TEST_BASE, 1])
    for (let i = 0; i < WARM; i++) round()
    ms = millis(() => {
      for (let i = 0; i < ROUNDS; i++) round()
    })
  })
  return each(ms, ROUNDS)
}

/** Each side blocks, is woken by the other's event, clears it, sends one back: with the scheduler's work. */
function events(): number {
  const host = scriptHost(function* () {})
  const { mem } = host.xen
  let heard = 0
  /** `open` makes its port; then it answers every event with one. */
  const player = (id: number, open: (op: (command: number, words: readonly number[]) => void) => void) => {
    const domain = addDomain(host, id, (vcpu: VirtualCpu): VcpuCode => {
      const op = (command: number, words: readonly number[]): void => {
        for (const [i, word] of words.entries()) vcpu.mem.write32(TEST_BASE + 4 * i, word)
        if (vcpu.hypercall(__HYPERVISOR_event_channel_op, command, TEST_BASE) !== 0) throw new Error('no event channel')
      }
      let opened = false
      let due = false
      return {
        run() {
          if (!opened) open(op)
          opened = true
          if (due) op(EVTCHNOP_send, [1])
          due = false
          return BLOCK
        },
        upcall() {
          const { infoAt } = domain.vcpus[0]!
          vcpu_info.fields.evtchn_upcall_pending.set(mem, infoAt, 0)
          vcpu_info.fields.evtchn_pending_sel.set(mem, infoAt, 0n)
          mem.write64(domain.sharedInfo * PAGE_SIZE + SHARED_INFO_EVTCHN_PENDING, 0n)
          due = true
          heard++
        },
      }
    })
    host.runFor(1e6)
  }
  player(1, (op) => op(EVTCHNOP_alloc_unbound, [DOMID_SELF | (2 << 16), 0]))
  // Being bound is an event: the first.
  player(2, (op) => op(EVTCHNOP_bind_interdomain, [1, 1, 0]))
  const play = (rounds: number): number => {
    heard = 0
    return millis(() => {
      if (!host.runUntil(() => heard >= 2 * rounds, 60e9)) throw new Error('the events have stopped')
    })
  }
  play(WARM)
  return each(play(ROUNDS), ROUNDS)
}
