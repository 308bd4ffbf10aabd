/**
 * A domain that knows nothing but its console ring, for trying out whoever serves it. The command line says what it does:
 *
 *   echo    capital letters of what it hears
 *   flood   numbered lines for ever, as fast as the ring takes them
 *   mad     indexes that make no sense, then a sane line, for ever
 *
 * It imports abi/ alone.
 */
import type { Mem } from '#abi/mem.ts'
import { EVTCHNOP_send, evtchn_send } from '#abi/xen/event_channel.ts'
import type { GuestEntry, VcpuCode, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { SCHEDOP_poll, sched_poll } from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  _PAGE_ACCESSED,
  _PAGE_PRESENT,
  _PAGE_RW,
  _PAGE_USER,
  SHARED_INFO_EVTCHN_PENDING,
  start_info,
  start_info_domU,
} from '#abi/xen/xen.ts'

/** Where nothing else lies. */
const SHARED_INFO = -0x40000000
const MS = 1e6
const { in_cons, in_prod, out_cons, out_prod } = xencons_interface.fields

class ConsoleGuest {
  readonly #vcpu: VirtualCpu
  readonly #mem: Mem
  readonly #ring: number
  readonly #port: number
  /** A page of its own: the boot stack. */
  readonly #scratch: number
  #lines = 0

  constructor(vcpu: VirtualCpu) {
    this.#vcpu = vcpu
    this.#mem = vcpu.mem
    const at = vcpu.startInfo
    // Behind start_info the builder puts the store's ring and the console's.
    this.#ring = at + 2 * PAGE_SIZE
    this.#port = start_info_domU.fields.console_evtchn.get(vcpu.mem, at)
    const { pt_base, nr_pt_frames, shared_info } = start_info.fields
    this.#scratch = pt_base.get(vcpu.mem, at) + nr_pt_frames.get(vcpu.mem, at) * PAGE_SIZE
    const rights = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED
    vcpu.hypercall(__HYPERVISOR_update_va_mapping, SHARED_INFO, shared_info.get(vcpu.mem, at) + rights, 0)
  }

  #notify(): void {
    evtchn_send.write(this.#mem, this.#scratch, { port: this.#port })
    this.#vcpu.hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, this.#scratch)
  }

  /** As much of `text` as there is room for. */
  #say(text: string): boolean {
    const prod = out_prod.get(this.#mem, this.#ring)
    const used = (prod - out_cons.get(this.#mem, this.#ring)) >>> 0
    if (used + text.length > XENCONS_OUT_SIZE) return false
    for (let i = 0; i < text.length; i++)
      this.#mem.write8(this.#ring + XENCONS_IN_SIZE + ((prod + i) % XENCONS_OUT_SIZE), text.charCodeAt(i))
    out_prod.set(this.#mem, this.#ring, (prod + text.length) >>> 0)
    return true
  }

  echo(): void {
    let cons = in_cons.get(this.#mem, this.#ring)
    const prod = in_prod.get(this.#mem, this.#ring)
    while (cons !== prod) {
      const letter = String.fromCharCode(this.#mem.read8(this.#ring + (cons % XENCONS_IN_SIZE)))
      if (!this.#say(letter.toUpperCase())) break
      cons = (cons + 1) >>> 0
    }
    in_cons.set(this.#mem, this.#ring, cons)
    this.#notify()
  }

  flood(): void {
    while (this.#say(`line ${this.#lines}\n`)) this.#lines++
    this.#notify()
  }

  mad(): void {
    const insane = [0xffffffff, 0x80000000, 5000, 1, 0, 2049]
    const round = this.#lines++
    const pick = (i: number): number => insane[(round * 7 + i * 3) % insane.length]!
    if (round % 10 === 9) {
      xencons_interface.write(this.#mem, this.#ring, { in_cons: 0, in_prod: 0, out_cons: 0, out_prod: 0 })
      this.#say(`sane ${round}\n`)
    } else
      xencons_interface.write(this.#mem, this.#ring, {
        in_cons: pick(0),
        in_prod: pick(1),
        out_cons: pick(2),
        out_prod: pick(3),
      })
    this.#notify()
  }

  /** Until its console has an event, or 5 ms later. */
  sleep(nowNs: number): VcpuExit {
    const word = SHARED_INFO + SHARED_INFO_EVTCHN_PENDING + Math.floor(this.#port / 64) * 8
    this.#mem.write64(word, this.#mem.read64(word) & ~(1n << BigInt(this.#port % 64)))
    this.#mem.write32(this.#scratch, this.#port)
    sched_poll.write(this.#mem, this.#scratch + 16, {
      ports: this.#scratch,
      nr_ports: 1,
      timeout: BigInt(Math.floor(nowNs + 5 * MS)),
    })
    return { kind: 'hypercall', nr: __HYPERVISOR_sched_op, args: [SCHEDOP_poll, this.#scratch + 16] }
  }
}

export const start: GuestEntry = (vcpu: VirtualCpu): VcpuCode => {
  const guest = new ConsoleGuest(vcpu)
  const letter = String.fromCharCode(vcpu.mem.read8(vcpu.startInfo + start_info.fields.cmd_line.offset))
  return {
    run(deadlineNs) {
      if (letter === 'e') guest.echo()
      else if (letter === 'f') guest.flood()
      else guest.mad()
      return guest.sleep(deadlineNs)
    },
    upcall() {},
  }
}
