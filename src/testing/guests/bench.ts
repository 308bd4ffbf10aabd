/**
 * The kernel of both domains of bench/xen.ts, by Xen's binary interface alone. As domain 0 it builds domain 1 of its own image, and then does
 * each thing so many times between two lines on the console.
 */
import { image_header } from '#abi/image.ts'
import {
  XEN_DOMCTL_destroydomain,
  XEN_DOMCTL_setvcpuaffinity,
  XEN_DOMCTL_unpausedomain,
  xen_domctl_vcpuaffinity,
} from '#abi/xen/domctl.ts'
import { EAGAIN } from '#abi/xen/errno.ts'
import { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain, EVTCHNOP_send } from '#abi/xen/event_channel.ts'
import {
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_setup_table,
  GNTTABOP_unmap_grant_ref,
  GTF_permit_access,
  gnttab_copy,
  gnttab_map_grant_ref,
  gnttab_setup_table,
  gnttab_unmap_grant_ref,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import type { GuestEntry, VcpuCode, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { SCHEDOP_block, SCHEDOP_yield } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import { XENVER_version } from '#abi/xen/version.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  __HYPERVISOR_xen_version,
  CONSOLEIO_write,
  DOMID_SELF,
  SHARED_INFO_EVTCHN_PENDING,
  SIF_PRIVILEGED,
  start_info,
  vcpu_info,
} from '#abi/xen/xen.ts'
import { BASE, build, domctl, ENTRY, must, RW } from './bench-builder.ts'

/** How often each thing is done, by its name on the console. */
export const ROUNDS = {
  'null hypercall': 400_000,
  'grant map and unmap': 50_000,
  'grant copy': 50_000,
  'event round trip': 20_000,
  'context switch': 20_000,
  'create and destroy': 200,
} as const

/** So many are done without looking up: time for interrupts, and for the fuel of the next. */
const BATCH = 500
/** Pages of domain 1 behind start_info, and its image. */
const SCRATCH = 5
const IMAGE = 16
const SHARED_AT = BASE + 500 * PAGE_SIZE
const GRANTS_AT = BASE + 501 * PAGE_SIZE
const REFERENCE = 8
/** Of the domains that come and go. */
const MINIMAL_PAGES = 16

const sched = (command: number): VcpuExit => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [command, 0] })
const BLOCK = sched(SCHEDOP_block)
const YIELD = sched(SCHEDOP_yield)
const RUN: VcpuExit = { kind: 'run' }
type Steps = Generator<VcpuExit, void, number>

/** Makes events heard: shared_info is mapped at `shared` and has one port only. */
const hear = ({ mem }: VirtualCpu, shared: number): void => {
  vcpu_info.fields.evtchn_upcall_pending.set(mem, shared, 0)
  vcpu_info.fields.evtchn_pending_sel.set(mem, shared, 0n)
  mem.write64(shared + SHARED_INFO_EVTCHN_PENDING, 0n)
  vcpu_info.fields.evtchn_upcall_mask.set(mem, shared, 0)
}

const mapOwn = ({ hypercall }: VirtualCpu, va: number, machine: number): number =>
  must(hypercall(__HYPERVISOR_update_va_mapping, va, machine + RW, 0), 'update_va_mapping')

export const start: GuestEntry = (vcpu): VcpuCode => {
  const { mem, startInfo } = vcpu
  const privileged = (start_info.fields.flags.get(mem, startInfo) & SIF_PRIVILEGED) !== 0
  const state = { shared: 0, heard: 0 }
  const steps = privileged ? host(vcpu, state) : peer(vcpu, state)
  return {
    run: (_deadlineNs, result) => steps.next(result).value ?? BLOCK,
    upcall() {
      if (state.shared !== 0) hear(vcpu, state.shared)
      state.heard++
    },
  }
}

interface State {
  shared: number
  heard: number
}

/** Domain 1 grants a page, answers each event, and then yields for ever. */
function* peer(vcpu: VirtualCpu, state: State): Steps {
  const { mem, startInfo, hypercall } = vcpu
  const scratch = BASE + SCRATCH * PAGE_SIZE
  mapOwn(vcpu, SHARED_AT, start_info.fields.shared_info.get(mem, startInfo))
  state.shared = SHARED_AT
  gnttab_setup_table.write(mem, scratch, { dom: DOMID_SELF, nr_frames: 1, frame_list: scratch + 64 })
  must(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, scratch, 1), 'setup_table')
  mapOwn(vcpu, GRANTS_AT, mem.read32(scratch + 64) * PAGE_SIZE)
  const frame = mem.read32(startInfo + PAGE_SIZE - 8)
  grant_entry.write(mem, GRANTS_AT + REFERENCE * 8, { flags: GTF_permit_access, domid: 0, frame })
  for (const [i, word] of [0, 1, 0].entries()) mem.write32(scratch + 4 * i, word)
  must(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, scratch), 'bind_interdomain')
  mem.write32(scratch, 1)
  hear(vcpu, SHARED_AT)
  for (let answered = 0; answered < ROUNDS['event round trip']; answered++) {
    const { heard } = state
    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, scratch)
    while (state.heard === heard) yield BLOCK
  }
  for (;;) yield YIELD
}

function* host(vcpu: VirtualCpu, state: State): Steps {
  const { mem, startInfo, hypercall } = vcpu
  const { pt_base, nr_pt_frames } = start_info.fields
  const scratch = pt_base.get(mem, startInfo) + nr_pt_frames.get(mem, startInfo) * PAGE_SIZE
  // Behind what the builder has mapped.
  const beyond = Math.ceil((scratch + 513 * 1024) / 2 ** 22) * 2 ** 22
  const say = (line: string): void => {
    mem.copyIn(
      scratch,
      Uint8Array.from(`${line}\n`, (letter) => letter.charCodeAt(0)),
    )
    hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, line.length + 1, scratch)
  }
  function* timed(name: keyof typeof ROUNDS, body: () => void): Steps {
    // What compiles it is not counted.
    for (let i = 0; i < ROUNDS[name] / 10; i++) {
      body()
      if (i % BATCH === 0) yield RUN
    }
    say(`begin ${name}`)
    for (let i = 0; i < ROUNDS[name]; i++) {
      body()
      if (i % BATCH === 0) yield RUN
    }
    say(`end ${name}`)
  }

  const builder = { vcpu, scratch, window: beyond }
  const image = image_header.read(mem, ENTRY)
  const imagePages = Math.ceil((image.code_offset + image.code_bytes) / PAGE_SIZE)

  yield* timed('null hypercall', () => {
    hypercall(__HYPERVISOR_xen_version, XENVER_version, 0)
  })
  const doomed = 9
  function* createAndDestroy(rounds: number): Steps {
    for (let i = 0; i < rounds; i++) {
      build(builder, doomed, MINIMAL_PAGES, 0)
      while (domctl(builder, XEN_DOMCTL_destroydomain, doomed) === -EAGAIN) yield RUN
      yield RUN
    }
  }
  yield* createAndDestroy(ROUNDS['create and destroy'] / 10)
  say('begin create and destroy')
  yield* createAndDestroy(ROUNDS['create and destroy'])
  say('end create and destroy')

  build(builder, 1, IMAGE + imagePages, IMAGE)
  mapOwn(vcpu, beyond + PAGE_SIZE, start_info.fields.shared_info.get(mem, startInfo))
  state.shared = beyond + PAGE_SIZE
  mem.write32(scratch, DOMID_SELF | (1 << 16))
  must(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, scratch), 'alloc_unbound')
  const port = mem.read32(scratch + 4)
  if (port !== 1) throw new Error(`port ${port}`)
  hear(vcpu, state.shared)
  domctl(builder, XEN_DOMCTL_unpausedomain, 1)
  // Its first.
  while (state.heard === 0) yield BLOCK

  const at = scratch + 1024
  const window = beyond + 2 * PAGE_SIZE
  yield* timed('grant map and unmap', () => {
    gnttab_map_grant_ref.write(mem, at, {
      host_addr: window,
      flags: GNTMAP_host_map,
      ref: REFERENCE,
      dom: 1,
      status: 0,
      handle: 0,
      dev_bus_addr: 0n,
    })
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, at, 1)
    const handle = gnttab_map_grant_ref.fields.handle.get(mem, at)
    must(gnttab_map_grant_ref.fields.status.get(mem, at), 'map')
    gnttab_unmap_grant_ref.write(mem, at, { host_addr: window, dev_bus_addr: 0n, handle, status: 0 })
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, at, 1)
    must(gnttab_unmap_grant_ref.fields.status.get(mem, at), 'unmap')
  })

  const dest = start_info.fields.mfn_list.get(mem, startInfo) + ((scratch + PAGE_SIZE - BASE) / PAGE_SIZE) * 8
  gnttab_copy.write(mem, at, {
    source: BigInt(REFERENCE),
    source_domid: 1,
    source_offset: 0,
    dest: BigInt(mem.read32(dest)),
    dest_domid: DOMID_SELF,
    dest_offset: 0,
    len: PAGE_SIZE,
    flags: GNTCOPY_source_gref,
    status: 0,
  })
  yield* timed('grant copy', () => {
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, at, 1)
    must(gnttab_copy.fields.status.get(mem, at), 'copy')
  })

  say('begin event round trip')
  mem.write32(at, port)
  // One of them has been heard.
  for (let i = 1; i < ROUNDS['event round trip']; i++) {
    const { heard } = state
    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, at)
    while (state.heard === heard) yield BLOCK
  }
  say('end event round trip')
  hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, at)

  // Both on one processor: whoever yields makes way for the other.
  mem.write32(scratch, 1)
  for (const domid of [0, 1]) {
    const map = { vcpu: 0, cpumap_bitmap: scratch + 512, cpumap_nr_cpus: 8 }
    mem.write32(scratch + 512, 1)
    must(domctl(builder, XEN_DOMCTL_setvcpuaffinity, domid, xen_domctl_vcpuaffinity, map), 'setvcpuaffinity')
  }
  for (let i = 0; i < ROUNDS['context switch'] / 10; i++) yield YIELD
  say('begin context switch')
  for (let i = 0; i < ROUNDS['context switch']; i += 2) yield YIELD
  say('end context switch')
  for (;;) yield BLOCK
}
