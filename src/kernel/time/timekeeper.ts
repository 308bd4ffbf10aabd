/**
 * Time under Xen (Linux: arch/i386/kernel/time-xen.c): system time is shared_info's last reading carried on by the TSC, the wall clock is
 * shared_info's plus that. Timers are one-shot: nothing ticks.
 */
import type { VirtualCpu } from '#abi/xen/guest.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { vcpu_time_info } from '#abi/xen/vcpu.ts'
import { __HYPERVISOR_set_timer_op, shared_info } from '#abi/xen/xen.ts'
import type { Time, Timer } from '../kernel.ts'
import { TimerHeap } from './timer-heap.ts'

/** vcpu_info.time */
const TIME_OFFSET = 32
export const NS = 1_000_000_000

export class TimeKeeper implements Time {
  readonly bootNs: number
  /** TSC rate, as Xen reports it. */
  readonly tscHz: number
  readonly #vcpu: VirtualCpu
  readonly #sharedInfo: Vaddr
  readonly #timers = new TimerHeap()
  #version = -1
  #tscTimestamp = 0
  #systemTime = 0
  #nsPerTsc = 0
  #last = 0
  /** Wall clock at system time 0: seconds since 1970 and ns. Apart, since their sum in ns is more than 2^53. */
  #wallSeconds = 0
  #wallNs = 0
  #wallVersion = -1
  /** What Xen's timer is set to; 0: not set. */
  #armedNs = 0

  constructor(vcpu: VirtualCpu, sharedInfo: Vaddr) {
    this.#vcpu = vcpu
    this.#sharedInfo = sharedInfo
    this.refresh()
    const time = sharedInfo + TIME_OFFSET
    const { mem } = vcpu
    const shift = (vcpu_time_info.fields.tsc_shift.get(mem, time) << 24) >> 24
    const scaled = (NS * 2 ** 32) / vcpu_time_info.fields.tsc_to_system_mul.get(mem, time)
    this.tscHz = Math.floor(shift < 0 ? scaled * 2 ** -shift : scaled / 2 ** shift)
    this.bootNs = this.nowNs()
  }

  /** Look whether Xen has taken a new reading. It does so between runs only. */
  refresh(): void {
    const { mem } = this.#vcpu
    const time = this.#sharedInfo + TIME_OFFSET
    const fields = vcpu_time_info.fields
    const version = fields.version.get(mem, time)
    this.#refreshWall()
    if (version === this.#version) return
    this.#version = version
    this.#tscTimestamp = Number(fields.tsc_timestamp.get(mem, time))
    this.#systemTime = Number(fields.system_time.get(mem, time))
    const shift = (fields.tsc_shift.get(mem, time) << 24) >> 24
    this.#nsPerTsc = (fields.tsc_to_system_mul.get(mem, time) / 2 ** 32) * 2 ** shift
  }

  /** update_wallclock: Xen's is set by dom0. */
  #refreshWall(): void {
    const { mem } = this.#vcpu
    const { wc_version, wc_sec, wc_nsec } = shared_info.fields
    const version = wc_version.get(mem, this.#sharedInfo)
    if (version === this.#wallVersion) return
    this.#wallVersion = version
    this.#wallSeconds = wc_sec.get(mem, this.#sharedInfo)
    this.#wallNs = wc_nsec.get(mem, this.#sharedInfo)
  }

  nowNs(): number {
    const delta = this.#vcpu.rdtsc() - this.#tscTimestamp
    const now = this.#systemTime + Math.floor(delta * this.#nsPerTsc)
    if (now > this.#last) this.#last = now
    return this.#last
  }

  wall(): readonly [number, number] {
    const ns = this.nowNs() + this.#wallNs
    return [this.#wallSeconds + Math.floor(ns / NS), ns % NS]
  }

  setWall(seconds: number, ns: number): void {
    const total = ns - this.nowNs()
    const whole = Math.floor(total / NS)
    this.#wallSeconds = seconds + whole
    this.#wallNs = total - whole * NS
  }

  seconds(): number {
    return this.wall()[0]
  }

  after(ns: number, expired: () => void): Timer {
    const timer = this.#timers.add(this.nowNs() + Math.max(0, Math.ceil(ns)), expired)
    return { cancel: () => this.#timers.cancel(timer) }
  }

  /** Run what is due. */
  expire(): void {
    const first = this.#timers.first
    if (!first) return
    const now = this.nowNs()
    for (let timer = this.#timers.takeDue(now); timer; timer = this.#timers.takeDue(now)) timer.expired()
  }

  /** Before the processor is given up: Xen is to wake it for the first timer. */
  arm(): void {
    const due = this.#timers.first?.dueNs ?? 0
    if (due === this.#armedNs) return
    this.#armedNs = due
    this.#vcpu.hypercall(__HYPERVISOR_set_timer_op, due)
  }

  /** Xen's timer has gone off. */
  fired(): void {
    this.#armedNs = 0
  }
}
