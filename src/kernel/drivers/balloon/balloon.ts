/**
 * The balloon (linux-2.6.18-xen: drivers/xen/balloon/balloon.c): the domain gives frames back to Xen, and takes them again, as memory/target in xenstore or
 * a write to /proc/xen/balloon wants it.
 */
import { EFBIG, EPERM } from '#abi/posix/errno.ts'
import { XENMEM_decrease_reservation, XENMEM_populate_physmap, xen_memory_reservation } from '#abi/xen/memory.ts'
import { type Gpfn, type Mfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { __HYPERVISOR_memory_op, DOMID_SELF } from '#abi/xen/xen.ts'
import { type Core, coreOf } from '../../core.ts'
import { fail } from '../../errno.ts'
import { bootStack } from '../../init/hypervisor.ts'
import type { Initcall, Timer } from '../../kernel.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import type { XenbusProbe } from '../../xenbus/probe.ts'

/** Frame numbers in a page: one batch. */
const BATCH_PAGES = PAGE_SIZE / 8
const RETRY_NS = 1_000_000_000
const MIB_PAGES = (1 << 20) / PAGE_SIZE
const KB_PER_PAGE = PAGE_SIZE / 1024
const EBADMSG = 74
const WRITE_BYTES_MAX = 64

/** lib/cmdline.c, memparse: a number as C writes it, with K, M or G behind. */
export function memparse(text: string): number {
  const match = /^\s*(0[xX][\da-fA-F]+|\d+)([kKmMgG]?)/.exec(text)
  if (!match) return 0
  const digits = match[1]!
  const octal = /^0[0-7]*/.exec(digits)
  const value = /^0[xX]/.test(digits) ? Number(digits) : octal ? Number.parseInt(octal[0], 8) : Number(digits)
  return value * 1024 ** ('kmg'.indexOf(match[2]!.toLowerCase() || '-') + 1)
}

export class Balloon {
  readonly #core: Core
  current: number
  target: number
  hardLimit = Number.POSITIVE_INFINITY
  readonly #work = new WaitQueue()
  #scheduled = false
  #timer: Timer | undefined

  constructor(core: Core) {
    this.#core = core
    this.current = core.pages.nrPages
    this.target = this.current
  }

  /** set_new_target, in pages. */
  setTarget(pages: number): void {
    this.hardLimit = Number.POSITIVE_INFINITY
    this.target = Math.max(pages, this.#minimum())
    this.#schedule()
  }

  /** current_target */
  get #wanted(): number {
    return Math.min(this.target, this.hardLimit, this.current + this.#core.pages.ballooned)
  }

  /** minimum_target: a domain that gives away more is not able to live; nor is growth enforced. */
  #minimum(): number {
    const { maxPfn } = this.#core.pages
    const rows = [
      [128, 8, 2],
      [512, 40, 4],
      [2048, 104, 8],
      [Number.POSITIVE_INFINITY, 296, 32],
    ] as const
    const [, base, part] = rows.find(([below]) => maxPfn < below * MIB_PAGES)!
    return Math.min(base * MIB_PAGES + Math.floor(maxPfn / part), this.#wanted)
  }

  text(): string {
    const row = (label: string, pages: number): string =>
      `${label.padEnd(20)}${Number.isFinite(pages) ? String(pages * KB_PER_PAGE).padStart(8) : '     ???'} kB\n`
    return [
      row('Current allocation:', this.current),
      row('Requested target:', this.target),
      row('Low-mem balloon:', this.#core.pages.ballooned),
      row('High-mem balloon:', 0),
      row('Driver pages:', 0),
      row('Xen hard limit:', this.hardLimit),
    ].join('')
  }

  #schedule(): void {
    this.#scheduled = true
    this.#work.wakeUp()
  }

  /** keventd, as far as there is work for it. */
  *worker(): Sleeping<void> {
    const { sched } = this.#core
    for (;;) {
      while (!this.#scheduled) yield* sched.sleepOn(this.#work)
      this.#scheduled = false
      yield* this.#process()
      // More is to be done, and cannot be done now.
      if (this.#wanted === this.current) continue
      this.#timer?.cancel()
      this.#timer = this.#core.time.after(RETRY_NS, () => this.#schedule())
    }
  }

  /** balloon_process */
  *#process(): Sleeping<void> {
    for (;;) {
      const credit = this.#wanted - this.current
      if (credit === 0) return
      const done = credit > 0 ? this.#increase(credit) : yield* this.#decrease(-credit)
      if (!done) return
      yield* this.#core.sched.yieldNow()
    }
  }

  /** increase_reservation. False: not all came. */
  #increase(credit: number): boolean {
    const { pages } = this.#core
    const pfns = pages.nextBallooned(Math.min(credit, BATCH_PAGES))
    if (pfns.length === 0) return false
    const frames = this.#memoryOp(XENMEM_populate_physmap, pfns)
    if (frames.length < pfns.length) {
      // The host, or this domain's limit, has no more: what came goes back, and is asked for on its own.
      if (frames.length > 0) this.#memoryOp(XENMEM_decrease_reservation, frames)
      this.hardLimit = this.current + frames.length
      return false
    }
    pages.takeBack(frames as readonly Mfn[])
    this.current += frames.length
    return true
  }

  /** decrease_reservation. False: no more is free at the moment. */
  *#decrease(credit: number): Sleeping<boolean> {
    const { pages } = this.#core
    const wanted = Math.min(credit, BATCH_PAGES)
    const given: Gpfn[] = []
    while (given.length < wanted) {
      const pfn = pages.free > pages.min ? pages.allocNow('kernel') : undefined
      if (pfn !== undefined) {
        // Whoever gets it next has no business with what was in it.
        pages.zero(pfn)
        given.push(pfn)
      } else if (!(yield* pages.reclaimSome())) break
    }
    if (given.length > 0) {
      const mfns = pages.giveUp(given, 'kernel')
      if (this.#memoryOp(XENMEM_decrease_reservation, mfns).length !== mfns.length)
        throw new Error('XENMEM_decrease_reservation does not take what is ours')
      this.current -= given.length
    }
    return given.length === wanted
  }

  /** A memory operation on a list of frame numbers: the list as far as Xen got, as it is afterwards. */
  #memoryOp(op: number, list: readonly number[]): readonly number[] {
    const { vcpu, mem, bounce } = this.#core
    const at = bootStack(vcpu) + PAGE_SIZE
    const bytes = new DataView(new ArrayBuffer(list.length * 8))
    list.forEach((frame, i) => {
      bytes.setBigUint64(i * 8, BigInt(frame), true)
    })
    mem.copyIn(at, new Uint8Array(bytes.buffer))
    xen_memory_reservation.write(mem, bounce, {
      extent_start: at,
      nr_extents: BigInt(list.length),
      extent_order: 0,
      mem_flags: 0,
      domid: DOMID_SELF,
    })
    const count = vcpu.hypercall(__HYPERVISOR_memory_op, op, bounce)
    const result: number[] = []
    for (let i = 0; i < count; i++) result.push(mem.read32(at + i * 8))
    return result
  }
}

/** balloon_init. */
export const balloonInit: Initcall = function* balloonInit(kernel) {
  const core = coreOf(kernel)
  const { log, proc, sched } = core
  log.printk('<6>xen_mem: Initialising balloon driver.\n')
  const balloon = new Balloon(core)
  sched.kthread('events/0', () => balloon.worker())
  proc.add('xen/balloon', {
    mode: 0o644,
    read: () => balloon.text(),
    write(text) {
      if (sched.current.cred.euid !== 0) fail(EPERM)
      if (text.length <= 1) fail(EBADMSG)
      if (text.length > WRITE_BYTES_MAX) fail(EFBIG)
      balloon.setTarget(Math.floor(memparse(text) / PAGE_SIZE))
    },
  })
  const xenbus = kernel.xenbus as XenbusProbe | undefined
  xenbus?.onReady(function* () {
    yield* xenbus.store.watch('memory/target', function* () {
      const kib = /^\s*(\d+)/.exec(yield* xenbus.store.read('memory/target'))
      if (kib) balloon.setTarget(Math.floor(Number(kib[1]) / KB_PER_PAGE))
    })
  })
}
