/** A domain that minds its own business beside hostile ones: it keeps a pattern in its memory, grants two pages, and looks after both. */
import {
  EVTCHNOP_alloc_unbound,
  EVTCHNOP_close,
  EVTCHNOP_status,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_unbound,
  evtchn_alloc_unbound,
  evtchn_close,
  evtchn_status,
} from '#abi/xen/event_channel.ts'
import {
  GNTTABOP_setup_table,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
  gnttab_setup_table,
  grant_entry,
} from '#abi/xen/grant_table.ts'
import type { GuestEntry, VirtualCpu } from '#abi/xen/guest.ts'
import { XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { SCHEDOP_poll, sched_poll } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  DOMID_SELF,
  start_info,
} from '#abi/xen/xen.ts'
import { CONSOLE, MFN_LIST } from '../xen-builder.ts'
import { GRANT_TABLE, pageOf } from './values.ts'

export const NEIGHBOUR_PAGES = 32
const SCRATCH = MFN_LIST + 1
const PATTERN = SCRATCH + 1
/** Granted to be read, and to be written. */
const READABLE = NEIGHBOUR_PAGES - 2
const WRITABLE = NEIGHBOUR_PAGES - 1
const FIRST_REF = 8
const ROUND_NS = 20_000
const RW = 0x67

/** What every word of its memory should be, from the page and the offset. */
export const patternWord = (page: number, offset: number): number =>
  (Math.imul(page * PAGE_SIZE + offset + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0
/** Pages, by pfn, that hold the pattern. */
export const PATTERN_PAGES: readonly number[] = Array.from({ length: WRITABLE - PATTERN }, (_, i) => PATTERN + i)

export interface NeighbourReport {
  rounds: number
  /** What it has found spoilt. */
  wrong: string | undefined
}

class Neighbour {
  readonly #vcpu: VirtualCpu
  readonly #report: NeighbourReport
  readonly #ports: number[] = []
  readonly #strangers: readonly number[]
  #text = ''

  constructor(vcpu: VirtualCpu, strangers: readonly number[], report: NeighbourReport) {
    this.#vcpu = vcpu
    this.#strangers = strangers
    this.#report = report
  }

  #expect(okay: boolean, what: string): void {
    if (!okay) this.#report.wrong ??= `the neighbour: ${what}`
  }

  #event(command: number): number {
    return this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, command, pageOf(SCRATCH))
  }

  begin(): void {
    const { mem, hypercall, startInfo } = this.#vcpu
    for (const page of PATTERN_PAGES)
      for (let at = 0; at < PAGE_SIZE; at += 4) mem.write32(pageOf(page) + at, patternWord(page, at))
    const at = pageOf(SCRATCH)
    gnttab_setup_table.write(mem, at, { dom: DOMID_SELF, nr_frames: 1, frame_list: at + 64 })
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, at, 1)
    hypercall(__HYPERVISOR_update_va_mapping, GRANT_TABLE, mem.read32(at + 64) * PAGE_SIZE + RW, 0)
    const list = start_info.fields.mfn_list.get(mem, startInfo)
    for (const [i, domid] of this.#strangers.entries()) {
      const frame = (pfn: number): number => mem.read32(list + 8 * pfn)
      const entry = (ref: number, flags: number, pfn: number): void =>
        grant_entry.write(mem, GRANT_TABLE + 8 * ref, { flags, domid, frame: frame(pfn) })
      entry(FIRST_REF + 2 * i, GTF_permit_access | GTF_readonly, READABLE)
      entry(FIRST_REF + 2 * i + 1, GTF_permit_access, WRITABLE)
      evtchn_alloc_unbound.write(mem, at, { dom: DOMID_SELF, remote_dom: domid })
      this.#expect(this.#event(EVTCHNOP_alloc_unbound) === 0, 'no port')
      this.#ports.push(evtchn_alloc_unbound.fields.port.get(mem, at))
    }
  }

  #grants(): void {
    const { mem } = this.#vcpu
    for (let ref = FIRST_REF; ref < FIRST_REF + 2 * this.#strangers.length; ref++) {
      const readOnly = (ref - FIRST_REF) % 2 === 0
      const flags = grant_entry.fields.flags.get(mem, GRANT_TABLE + 8 * ref)
      const used = GTF_reading | (readOnly ? 0 : GTF_writing)
      const granted = GTF_permit_access | (readOnly ? GTF_readonly : 0)
      this.#expect((flags & ~used) === granted, `grant ${ref} is ${flags.toString(16)}`)
    }
  }

  /** Its ports are its own: bound by whom they are for, or by nobody. Now and then it gives one up and takes another. */
  #events(): void {
    const { mem } = this.#vcpu
    const at = pageOf(SCRATCH)
    for (const [i, port] of this.#ports.entries()) {
      const stranger = this.#strangers[i]!
      evtchn_status.write(mem, at, { dom: DOMID_SELF, port })
      this.#expect(this.#event(EVTCHNOP_status) === 0, `port ${port} is gone`)
      const { status, u } = evtchn_status.read(mem, at)
      this.#expect(status === EVTCHNSTAT_unbound || status === EVTCHNSTAT_interdomain, `port ${port} is ${status}`)
      // Who was bound and has closed leaves it waiting for the same again.
      this.#expect((u & 0xffff) === stranger, `port ${port} is for domain ${u & 0xffff}`)
      if (this.#report.rounds % 50 !== 49) continue
      evtchn_close.write(mem, at, { port })
      this.#expect(this.#event(EVTCHNOP_close) === 0, `port ${port} does not close`)
      evtchn_alloc_unbound.write(mem, at, { dom: DOMID_SELF, remote_dom: stranger })
      this.#expect(this.#event(EVTCHNOP_alloc_unbound) === 0, 'no port any more')
      this.#ports[i] = evtchn_alloc_unbound.fields.port.get(mem, at)
    }
  }

  #console(): void {
    const { mem } = this.#vcpu
    const ring = pageOf(CONSOLE)
    const { in_cons, in_prod, out_cons, out_prod } = xencons_interface.read(mem, ring)
    const prod = this.#text.length
    this.#expect(in_cons === 0 && in_prod === 0 && out_cons === 0 && out_prod === prod, 'its console has other indexes')
    for (let i = Math.max(0, prod - 64); i < prod; i++)
      this.#expect(
        mem.read8(ring + 1024 + (i % XENCONS_OUT_SIZE)) === this.#text.charCodeAt(i),
        'its console has another text',
      )
    if (prod > XENCONS_OUT_SIZE - 16) return
    const line = `round ${this.#report.rounds}\n`
    for (let i = 0; i < line.length; i++) mem.write8(ring + 1024 + ((prod + i) % XENCONS_OUT_SIZE), line.charCodeAt(i))
    this.#text += line
    xencons_interface.fields.out_prod.set(mem, ring, this.#text.length)
  }

  round(): void {
    const { mem } = this.#vcpu
    const page = PATTERN_PAGES[this.#report.rounds % PATTERN_PAGES.length]!
    for (let at = 0; at < PAGE_SIZE; at += 4)
      if (mem.read32(pageOf(page) + at) !== patternWord(page, at))
        this.#expect(false, `page ${page} has changed at ${at}`)
    mem.write32(pageOf(WRITABLE), this.#report.rounds)
    this.#grants()
    this.#events()
    this.#console()
    this.#report.rounds++
  }

  /** SCHEDOP_poll of nothing but the time. */
  sleep(nowNs: number): number {
    const at = pageOf(SCRATCH)
    sched_poll.write(this.#vcpu.mem, at, { ports: at, nr_ports: 0, timeout: BigInt(Math.floor(nowNs) + ROUND_NS) })
    return at
  }
}

export const neighbourKernel =
  (strangers: readonly number[], report: NeighbourReport): GuestEntry =>
  (vcpu) => {
    const neighbour = new Neighbour(vcpu, strangers, report)
    let begun = false
    return {
      run(deadlineNs) {
        if (!begun) neighbour.begin()
        begun = true
        neighbour.round()
        return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_poll, neighbour.sleep(deadlineNs)] }
      },
      upcall() {},
    }
  }
