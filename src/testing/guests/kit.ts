/**
 * What the tiny test guests share, in the spirit of the Xen Test Framework: start of day, a console to report on, events, and four ways to
 * end. success: Xen does what it should. skip: it cannot be tried here. error: the test itself is bad. failure: Xen is bad. It imports
 * abi/ alone: a guest reaches Xen by its binary interface and by nothing else.
 */
import type { Struct, Values } from '#abi/struct.ts'
import type { GuestEntry, VcpuCode, VcpuExit, VirtualCpu } from '#abi/xen/guest.ts'
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import {
  SCHEDOP_block,
  SCHEDOP_poll,
  SCHEDOP_shutdown,
  SHUTDOWN_poweroff,
  sched_poll,
  sched_shutdown,
} from '#abi/xen/sched.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_event_channel_op,
  __HYPERVISOR_grant_table_op,
  __HYPERVISOR_sched_op,
  __HYPERVISOR_update_va_mapping,
  CONSOLEIO_write,
  SHARED_INFO_EVTCHN_PENDING,
  SIF_PRIVILEGED,
  start_info,
  start_info_domU,
  vcpu_info,
} from '#abi/xen/xen.ts'

// biome-ignore lint/suspicious/noExplicitAny: each struct has its own fields
type AnyStruct = Struct<any>

/** A guest's kernel as one reads it: what is yielded gives the processor up, and comes back with the hypercall's result. */
export type Steps = Generator<VcpuExit, void, number>
export type Main = (g: Guest) => Steps

export interface TestGuest {
  /** What it shows, in one sentence. */
  readonly shows: string
  readonly main: Main
  /** Runs as dom0's kernel, or part of it; otherwise as domain 1. */
  readonly dom0?: true
  /** Domain 2, built and started together with it. */
  readonly peer?: Main
  readonly vcpus?: number
  /** vCPU 1, once the first has initialised and started it. */
  readonly second?: Main
  /** How its domain ends, if not by SHUTDOWN_poweroff with what it has found. */
  readonly ends?: number
  /** It has a host of its own, started with these options of Xen's. */
  readonly options?: string
  /** With which the host ends, too. */
  readonly powersOff?: true
}

export type Ending = 'success' | 'skip' | 'error' | 'failure'
export const RESULT = 'Test result: '

class Ended {
  readonly how: Ending
  readonly why: string
  constructor(how: Ending, why: string) {
    this.how = how
    this.why = why
  }
}

export const PEER = 2
export const MAIN = 1
export const MS = 1_000_000
export const RW = 0x67
export const RO = 0x65
/** Where the kernel is linked to: pfn 0. */
const BASE = -0x80000000
/** Pages of its own begin here, in a domain that was built for a test. */
const FIRST_OWN = 8
/** Nothing is mapped from here on, in such a domain. */
const BEYOND = BASE + 64 * PAGE_SIZE
const SHARED_AT = 32
const GRANTS_AT = 40

export const sched = (...args: number[]): VcpuExit => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op, args })
export const RUN: VcpuExit = { kind: 'run' }
export const BLOCK = sched(SCHEDOP_block, 0)

export class Guest {
  readonly vcpu: VirtualCpu
  /** Ports that upcalls have found pending, in order. */
  readonly events: number[] = []
  upcalls = 0
  /** What its vCPUs tell each other. */
  readonly common: Record<string, number>
  readonly #dom0: boolean
  readonly #first: number
  readonly #beyond: number
  #shared = 0

  constructor(vcpu: VirtualCpu, common: Record<string, number>) {
    this.vcpu = vcpu
    this.common = common
    const { mem, startInfo } = vcpu
    const { flags, pt_base, nr_pt_frames } = start_info.fields
    this.#dom0 = (flags.get(mem, startInfo) & SIF_PRIVILEGED) !== 0
    // Dom0's builder leaves 512 KiB and more behind its boot stack.
    const stack = pt_base.get(mem, startInfo) + nr_pt_frames.get(mem, startInfo) * PAGE_SIZE
    this.#first = this.#dom0 ? stack : BASE + FIRST_OWN * PAGE_SIZE
    this.#beyond = this.#dom0 ? Math.ceil((stack + 513 * 1024) / 2 ** 22) * 2 ** 22 : BEYOND
  }

  // --- Memory ---

  get mem(): VirtualCpu['mem'] {
    return this.vcpu.mem
  }

  /** A page of its own that nobody else uses: from 1 on, 0 is for structs. A domain of a test has a dozen. */
  page(n: number): number {
    return this.#first + n * PAGE_SIZE
  }

  /** The scratch page. */
  get at(): number {
    return this.page(0)
  }

  /** An address where nothing is mapped. */
  window(n: number): number {
    return this.#beyond + n * PAGE_SIZE
  }

  /** The machine frame of an address that its builder has mapped. */
  frameOf(va: number): number {
    const list = start_info.fields.mfn_list.get(this.mem, this.vcpu.startInfo)
    return this.mem.read32(list + ((va - BASE) / PAGE_SIZE) * 8)
  }

  get pages(): number {
    return start_info.fields.nr_pages.get(this.mem, this.vcpu.startInfo)
  }

  map(va: number, mfn: number, rights = RW): number {
    return this.call(__HYPERVISOR_update_va_mapping, va, mfn * PAGE_SIZE + rights, 0)
  }

  unmap(va: number): number {
    return this.call(__HYPERVISOR_update_va_mapping, va, 0, 0)
  }

  /** shared_info, mapped the first time. */
  get shared(): number {
    if (this.#shared !== 0) return this.#shared
    const at = this.window(SHARED_AT)
    const machine = start_info.fields.shared_info.get(this.mem, this.vcpu.startInfo)
    this.ok(this.call(__HYPERVISOR_update_va_mapping, at, machine + RW, 0) === 0, 'shared_info cannot be mapped')
    this.#shared = at
    return at
  }

  /** What it has mapped by itself is unmapped: where a kernel goes on that other tests use. */
  close(): void {
    if (this.#shared !== 0) this.unmap(this.#shared)
    this.#shared = 0
  }

  get info(): number {
    return this.shared + this.vcpu.vcpuId * vcpu_info.size
  }

  get grants(): number {
    return this.window(GRANTS_AT)
  }

  // --- Hypercalls ---

  call(nr: number, ...args: number[]): number {
    return this.vcpu.hypercall(nr, ...args)
  }

  /** With a struct in the scratch page: the result, and the struct as it is afterwards. */
  op<S extends AnyStruct>(
    nr: number,
    command: number,
    layout: S,
    values: Partial<Values<S>>,
    ...more: number[]
  ): { readonly result: number; readonly out: Values<S> } {
    const at = this.put(layout, values)
    const result = this.call(nr, command, at, ...more)
    return { result, out: layout.read(this.mem, at) as Values<S> }
  }

  put<S extends AnyStruct>(layout: S, values: Partial<Values<S>>, at = this.at): number {
    this.mem.fill(at, layout.size, 0)
    layout.write(this.mem, at, values as Parameters<S['write']>[2])
    return at
  }

  evtchn<S extends AnyStruct>(command: number, layout: S, values: Partial<Values<S>>) {
    return this.op(__HYPERVISOR_event_channel_op, command, layout, values)
  }

  grant<S extends AnyStruct>(command: number, layout: S, values: Partial<Values<S>>) {
    return this.op(__HYPERVISOR_grant_table_op, command, layout, values, 1)
  }

  // --- Time and events ---

  /** System time in ns, as pvclock computes it. */
  now(): number {
    const { mem, info } = this
    const { time_tsc_timestamp, time_system_time, time_tsc_to_system_mul, time_tsc_shift } = vcpu_info.read(mem, info)
    const shift = BigInt((time_tsc_shift << 24) >> 24)
    const delta = BigInt(this.vcpu.rdtsc()) - time_tsc_timestamp
    const shifted = shift < 0n ? delta >> -shift : delta << shift
    return Number(time_system_time + ((shifted * BigInt(time_tsc_to_system_mul)) >> 32n))
  }

  /** SCHEDOP_poll of ports until a time. */
  poll(ports: readonly number[], untilNs: number): VcpuExit {
    for (const [i, port] of ports.entries()) this.mem.write32(this.at + 64 + 4 * i, port)
    this.put(sched_poll, { ports: this.at + 64, nr_ports: ports.length, timeout: BigInt(Math.floor(untilNs)) })
    return sched(SCHEDOP_poll, this.at)
  }

  *sleep(ns: number): Steps {
    const end = this.now() + ns
    while (this.now() < end) yield this.poll([], end)
  }

  /** Until it is so, at most 300 ms. */
  *until(so: () => boolean, what: string): Steps {
    const end = this.now() + 300 * MS
    while (!so()) {
      this.ok(this.now() < end, `not within 300 ms: ${what}`)
      yield this.poll([], this.now() + MS / 10)
    }
  }

  /** Whether the port has had an event since it was asked last. */
  take(port: number): boolean {
    const at = this.shared + SHARED_INFO_EVTCHN_PENDING + 8 * Math.floor(port / 64)
    const bit = 1n << BigInt(port % 64)
    const bits = this.mem.read64(at)
    this.mem.write64(at, bits & ~bit)
    const heard = this.events.includes(port)
    while (this.events.includes(port)) this.events.splice(this.events.indexOf(port), 1)
    return heard || (bits & bit) !== 0n
  }

  /** As a kernel's evtchn_do_upcall. */
  upcall(): void {
    this.upcalls++
    const { mem } = this
    if (this.#shared === 0) return
    const { evtchn_upcall_pending, evtchn_pending_sel, evtchn_upcall_mask } = vcpu_info.fields
    evtchn_upcall_pending.set(mem, this.info, 0)
    const selected = evtchn_pending_sel.get(mem, this.info)
    evtchn_pending_sel.set(mem, this.info, 0n)
    for (let word = 0; word < 64; word++) {
      if (((selected >> BigInt(word)) & 1n) === 0n) continue
      const at = this.#shared + SHARED_INFO_EVTCHN_PENDING + 8 * word
      const bits = mem.read64(at)
      const masked = mem.read64(at + 512)
      mem.write64(at, bits & masked)
      for (let bit = 0; bit < 64; bit++) if (((bits & ~masked) >> BigInt(bit)) & 1n) this.events.push(word * 64 + bit)
    }
    evtchn_upcall_mask.set(mem, this.info, 0)
  }

  // --- What it finds ---

  ok(so: boolean, what: string): void {
    if (!so) throw new Ended('failure', what)
  }

  is(found: unknown, wanted: unknown, what: string): void {
    this.ok(found === wanted, `${what}: ${found}, not ${wanted}`)
  }

  /** A page fault, and not more, comes of it. */
  faults(touch: () => void, what: string): void {
    let message = ''
    try {
      touch()
    } catch (thrown) {
      message = String((thrown as Error).message)
    }
    this.ok(message.startsWith('page fault'), `${what} does not fault`)
  }

  skip(why: string): never {
    throw new Ended('skip', why)
  }

  error(why: string): never {
    throw new Ended('error', why)
  }

  /** A line on the console. */
  say(line: string): void {
    const { mem } = this
    const bytes = Array.from(`${line}\n`, (letter) => letter.charCodeAt(0) & 0x7f)
    if (this.#dom0) {
      mem.copyIn(this.at, Uint8Array.from(bytes))
      this.call(__HYPERVISOR_console_io, CONSOLEIO_write, bytes.length, this.at)
      return
    }
    const console = start_info_domU.fields.console_mfn.get(mem, this.vcpu.startInfo)
    let ring = BASE
    while (this.frameOf(ring) !== console) ring += PAGE_SIZE
    const { out_prod } = xencons_interface.fields
    let prod = out_prod.get(mem, ring)
    for (const byte of bytes) mem.write8(ring + XENCONS_IN_SIZE + (prod++ % XENCONS_OUT_SIZE), byte)
    out_prod.set(mem, ring, prod)
  }

  off(reason = SHUTDOWN_poweroff): VcpuExit {
    return sched(SCHEDOP_shutdown, this.put(sched_shutdown, { reason }))
  }
}

/** `main` to its end, in whichever of the four ways. */
export function* toItsEnd(g: Guest, main: Main): Generator<VcpuExit, Ended, number> {
  try {
    yield* main(g)
    return new Ended('success', '')
  } catch (thrown) {
    if (thrown instanceof Ended) return thrown
    return new Ended(
      'error',
      String((thrown as Error)?.stack ?? thrown)
        .split('\n')
        .slice(0, 3)
        .join(' '),
    )
  }
}

/** The kernel of a domain of a test: vCPU 0 runs `main`, reports on the console and shuts the domain down. */
export const testKernel = (main: Main, second?: Main): GuestEntry => {
  const common: Record<string, number> = {}
  return (vcpu): VcpuCode => {
    const g = new Guest(vcpu, common)
    function* steps(): Steps {
      if (vcpu.vcpuId > 0) {
        if (second) yield* second(g)
        for (;;) yield BLOCK
      }
      const { how, why } = yield* toItsEnd(g, main)
      g.say(`${RESULT}${how.toUpperCase()}${why === '' ? '' : `: ${why}`}`)
      for (;;) yield g.off()
    }
    const running = steps()
    return {
      run: (_deadlineNs, result) => running.next(result).value as VcpuExit,
      upcall: () => g.upcall(),
    }
  }
}
