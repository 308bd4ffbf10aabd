/** Event channels and grants, as a hostile guest uses them. */
import * as evtchn from '#abi/xen/event_channel.ts'
import * as gnttab from '#abi/xen/grant_table.ts'
import * as xen from '#abi/xen/xen.ts'
import type { Aim } from './shot.ts'
import { type AnyStruct, offer, remember } from './values.ts'

const { GNTTABOP_map_grant_ref: MAP, GNTTABOP_unmap_grant_ref: UNMAP } = gnttab

const EVTCHN: Readonly<Record<number, AnyStruct>> = {
  [evtchn.EVTCHNOP_bind_interdomain]: evtchn.evtchn_bind_interdomain,
  [evtchn.EVTCHNOP_bind_virq]: evtchn.evtchn_bind_virq,
  [evtchn.EVTCHNOP_bind_pirq]: evtchn.evtchn_bind_pirq,
  [evtchn.EVTCHNOP_close]: evtchn.evtchn_close,
  [evtchn.EVTCHNOP_send]: evtchn.evtchn_send,
  [evtchn.EVTCHNOP_status]: evtchn.evtchn_status,
  [evtchn.EVTCHNOP_alloc_unbound]: evtchn.evtchn_alloc_unbound,
  [evtchn.EVTCHNOP_bind_ipi]: evtchn.evtchn_bind_ipi,
  [evtchn.EVTCHNOP_bind_vcpu]: evtchn.evtchn_bind_vcpu,
  [evtchn.EVTCHNOP_unmask]: evtchn.evtchn_unmask,
  [evtchn.EVTCHNOP_reset]: evtchn.evtchn_reset,
}
const PORT_AT: Readonly<Record<number, number>> = {
  [evtchn.EVTCHNOP_bind_interdomain]: 8,
  [evtchn.EVTCHNOP_bind_virq]: 8,
  [evtchn.EVTCHNOP_alloc_unbound]: 4,
  [evtchn.EVTCHNOP_bind_ipi]: 4,
}

export const eventChannel: Aim = (v, mem, at) => {
  // A reset each few calls would leave nothing to be hostile with.
  let command = v.lore.rng.below(v.chance(24) ? 12 : 10)
  const compat = v.chance(16)
  const base = compat ? at + evtchn.EVTCHN_OP_U : at
  const layout = EVTCHN[command]
  const wanted: Record<string, number> = v.chance(2) ? { dom: xen.DOMID_SELF } : {}
  const { ports } = v.lore.offers
  if (command === evtchn.EVTCHNOP_bind_interdomain && ports.length > 0 && !v.chance(4)) {
    const { dom, at: port } = v.pick(ports)
    wanted.remote_dom = dom
    wanted.remote_port = port
  }
  if (layout) v.struct(mem, base, layout, wanted)
  if (compat) mem.write32(at, command)
  else if (v.chance(200)) command = v.odd()
  const nr = compat ? xen.__HYPERVISOR_event_channel_op_compat : xen.__HYPERVISOR_event_channel_op
  return {
    nr,
    args: compat ? [at] : [command, at],
    command,
    learn(after, result) {
      const portAt = PORT_AT[command]
      if (result !== 0 || portAt === undefined) return undefined
      const port = after.read32(base + portAt)
      remember(v.lore.ports, port)
      if (command === evtchn.EVTCHNOP_alloc_unbound) offer(ports, { dom: v.lore.self, at: port })
      return undefined
    },
  }
}

const GNTTAB: Readonly<Record<number, AnyStruct>> = {
  [gnttab.GNTTABOP_map_grant_ref]: gnttab.gnttab_map_grant_ref,
  [gnttab.GNTTABOP_unmap_grant_ref]: gnttab.gnttab_unmap_grant_ref,
  [gnttab.GNTTABOP_setup_table]: gnttab.gnttab_setup_table,
  [gnttab.GNTTABOP_dump_table]: gnttab.gnttab_dump_table,
  [gnttab.GNTTABOP_transfer]: gnttab.gnttab_transfer,
  [gnttab.GNTTABOP_copy]: gnttab.gnttab_copy,
  [gnttab.GNTTABOP_query_size]: gnttab.gnttab_query_size,
  [gnttab.GNTTABOP_unmap_and_replace]: gnttab.gnttab_unmap_and_replace,
}
export const grant: Aim = (v, mem, at) => {
  const command = v.chance(2) ? v.pick([MAP, UNMAP]) : v.lore.rng.below(v.chance(20) ? 9 : 8)
  const layout = GNTTAB[command] ?? gnttab.gnttab_copy
  const count = v.chance(4) ? 1 + v.lore.rng.below(4) : 1
  for (let i = 0; i < count; i++) {
    const slot = at + i * layout.size
    const wanted: Record<string, number> = {}
    if (v.chance(2) && command === gnttab.GNTTABOP_copy) wanted.len = v.lore.rng.below(256)
    if (command === MAP && !v.chance(4)) {
      // Most of them could succeed.
      wanted.flags = v.pick([2, 2, 2, 1, 3, 6, 7])
      wanted.dom = v.pick(v.lore.domids)
      if (v.lore.offers.refs.length > 0 && !v.chance(3)) {
        const { dom, at: ref } = v.pick(v.lore.offers.refs)
        wanted.dom = dom
        wanted.ref = ref
      }
    }
    if (command === UNMAP && v.chance(2)) wanted.dev_bus_addr = 0
    v.struct(mem, slot, layout, wanted)
  }
  const given = v.chance(50) ? v.odd() : count
  return {
    nr: xen.__HYPERVISOR_grant_table_op,
    args: [command, at, given],
    command,
    learn(after, result) {
      if (result !== 0) return undefined
      const { status, handle } = layout.fields as typeof gnttab.gnttab_map_grant_ref.fields
      const first = status.get(after, at)
      if (command !== MAP) return first
      for (let i = 0; i < count; i++) {
        if (status.get(after, at + i * layout.size) !== 0) continue
        remember(v.lore.handles, handle.get(after, at + i * layout.size))
      }
      return first
    },
  }
}
