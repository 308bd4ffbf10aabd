/** For tests: a guest kernel as a script. It makes hypercalls with structs, yields to give the processor up, and notes its upcalls. */
import type { Struct, Values } from '#abi/struct.ts'
import type { GuestEntry, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { SCHEDOP_block, SCHEDOP_poll, SCHEDOP_yield, sched_poll } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_sched_op,
  SHARED_INFO_EVTCHN_PENDING,
  start_info,
  vcpu_info,
} from '#abi/xen/xen.ts'

/** What comes back from a `yield`: the hypercall's result. */
export type Script = (guest: ScriptGuest) => Generator<VcpuExit, void, number>

const sched = (...args: number[]): VcpuExit => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op, args })

export const RUN: VcpuExit = { kind: 'run' }
export const BLOCK = sched(SCHEDOP_block, 0)
export const YIELD = sched(SCHEDOP_yield, 0)

/** PTE of a frame: present and, by default, writable. */
export const pte = (mfn: number, writable = true): number => mfn * PAGE_SIZE + (writable ? 0x67 : 0x65)

export class ScriptGuest {
  readonly vcpu: VirtualCpu
  /** Upcalls so far. */
  upcalls = 0
  /** Ports that upcalls have found pending, in order; they clear and unmask. */
  readonly events: number[] = []
  /** A page that nobody else uses: behind the page tables, the boot stack. */
  readonly scratch: number
  /** First address behind the boot region: nothing is mapped there. */
  readonly beyond: number
  /** Where shared_info is mapped, after `mapShared`. */
  shared = 0

  constructor(vcpu: VirtualCpu) {
    this.vcpu = vcpu
    const { mem, startInfo } = vcpu
    const { pt_base, nr_pt_frames } = start_info.fields
    this.scratch = pt_base.get(mem, startInfo) + nr_pt_frames.get(mem, startInfo) * PAGE_SIZE
    this.beyond = Math.ceil((this.scratch + PAGE_SIZE + 512 * 1024) / (4 * 2 ** 20)) * 4 * 2 ** 20
  }

  call(nr: number, ...args: number[]): number {
    return this.vcpu.hypercall(nr, ...args)
  }

  /** A sub-op with a struct, by way of the scratch page: its result, and the struct as it is afterwards. */
  // biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
  op<S extends Struct<any>>(nr: number, command: number, layout: S, values: Partial<Values<S>>): [number, Values<S>] {
    const { mem } = this.vcpu
    mem.fill(this.scratch, layout.size, 0)
    layout.write(mem, this.scratch, values as Parameters<S['write']>[2])
    const result = this.call(nr, command, this.scratch)
    return [result, layout.read(mem, this.scratch) as Values<S>]
  }

  // biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
  evtchn<S extends Struct<any>>(command: number, layout: S, values: Partial<Values<S>>): [number, Values<S>] {
    return this.op(__HYPERVISOR_event_channel_op, command, layout, values)
  }

  /** SCHEDOP_poll. */
  poll(ports: readonly number[], timeoutNs: number): VcpuExit {
    const { mem } = this.vcpu
    const list = this.scratch + 1024
    for (const [i, port] of ports.entries()) mem.write32(list + 4 * i, port)
    sched_poll.write(mem, this.scratch, { ports: list, nr_ports: ports.length, timeout: BigInt(timeoutNs) })
    return sched(SCHEDOP_poll, this.scratch)
  }

  /** As a PV kernel's evtchn_do_upcall: find what is pending, clear it. */
  upcall(): void {
    this.upcalls++
    const { mem, vcpuId } = this.vcpu
    if (this.shared === 0) return
    const info = this.shared + vcpuId * vcpu_info.size
    vcpu_info.fields.evtchn_upcall_pending.set(mem, info, 0)
    const selected = vcpu_info.fields.evtchn_pending_sel.get(mem, info)
    vcpu_info.fields.evtchn_pending_sel.set(mem, info, 0n)
    for (let word = 0; word < 64; word++) {
      if (((selected >> BigInt(word)) & 1n) === 0n) continue
      const at = this.shared + SHARED_INFO_EVTCHN_PENDING + 8 * word
      const bits = mem.read64(at)
      const masked = mem.read64(at + 512)
      mem.write64(at, bits & masked)
      for (let bit = 0; bit < 64; bit++) if (((bits & ~masked) >> BigInt(bit)) & 1n) this.events.push(word * 64 + bit)
    }
    vcpu_info.fields.evtchn_upcall_mask.set(mem, info, 0)
  }
}

/** The script runs once, then blocks for ever. What it throws is its kernel's crash. */
export const script =
  (body: Script): GuestEntry =>
  (vcpu) => {
    const guest = new ScriptGuest(vcpu)
    const steps = body(guest)
    return {
      run(_deadlineNs, result) {
        const { done, value } = steps.next(result)
        return done ? BLOCK : value
      },
      upcall: () => guest.upcall(),
    }
  }
