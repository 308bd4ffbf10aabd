/** The page that the kernel and xenstored share, as a stream of bytes each way (linux-2.6.18-xen: drivers/xen/xenbus/xenbus_comms.c). */
import { EIO } from '#abi/posix/errno.ts'
import { XENSTORE_RING_SIZE, xenstore_domain_interface } from '#abi/xen/io/xs_wire.ts'
import type { Vaddr } from '#abi/xen/types.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'

const UNINTERRUPTIBLE = { interruptible: false } as const
const { req, rsp, req_cons, req_prod, rsp_cons, rsp_prod } = xenstore_domain_interface.fields

export class StoreRing {
  readonly #kernel: Kernel
  readonly #page: Vaddr
  readonly #notify: () => void
  /** The responses' index that the other side can see at least, since it was notified then. */
  #told = 0
  /** xb_waitq: the other side has done something. */
  readonly changed = new WaitQueue()

  constructor(kernel: Kernel, page: Vaddr, notify: () => void) {
    this.#kernel = kernel
    this.#page = page
    this.#notify = notify
  }

  /** xb_write. Callers keep others out while a message is not yet whole. */
  *write(bytes: Uint8Array): Sleeping<void> {
    const { mem, sched } = this.#kernel
    const page = this.#page
    for (let done = 0; done < bytes.length; ) {
      const prod = req_prod.get(mem, page)
      const used = (prod - req_cons.get(mem, page)) >>> 0
      // check_indexes: the page is the daemon's to spoil; begin anew.
      if (used > XENSTORE_RING_SIZE) {
        req_cons.set(mem, page, 0)
        req_prod.set(mem, page, 0)
        fail(EIO)
      }
      if (used === XENSTORE_RING_SIZE) {
        yield* sched.sleepOn(this.changed, UNINTERRUPTIBLE)
        continue
      }
      const at = prod % XENSTORE_RING_SIZE
      const room = Math.min(XENSTORE_RING_SIZE - used, XENSTORE_RING_SIZE - at)
      const part = done === 0 && bytes.length <= room ? bytes : bytes.subarray(done, done + room)
      mem.copyIn(page + req.offset + at, part)
      req_prod.set(mem, page, (prod + part.length) >>> 0)
      done += part.length
      this.#told = rsp_cons.get(mem, page)
      this.#notify()
    }
  }

  /** xb_read: exactly `count` bytes. */
  *read(count: number): Sleeping<Uint8Array> {
    const { mem, sched } = this.#kernel
    const page = this.#page
    let bytes: Uint8Array | undefined
    for (let done = 0; done < count; ) {
      const cons = rsp_cons.get(mem, page)
      const prod = rsp_prod.get(mem, page)
      const there = (prod - cons) >>> 0
      if (there > XENSTORE_RING_SIZE) {
        rsp_cons.set(mem, page, 0)
        rsp_prod.set(mem, page, 0)
        fail(EIO)
      }
      if (there === 0) {
        // State S: only the thread `xenbus` reads, and nobody is to think that the machine is busy.
        yield* sched.sleepOn(this.changed)
        continue
      }
      const at = cons % XENSTORE_RING_SIZE
      const part = Math.min(count - done, there, XENSTORE_RING_SIZE - at)
      const piece = mem.copyOut(page + rsp.offset + at, part)
      // Mostly it is all there, and in one piece.
      if (part === count) bytes = piece
      else {
        bytes ??= new Uint8Array(count)
        bytes.set(piece, done)
      }
      rsp_cons.set(mem, page, (cons + part) >>> 0)
      done += part
      // xb_read notifies each time. But who waits for room has filled the ring as far as it could see, and anybody else would wake for nothing.
      const filled = (prod - this.#told) >>> 0 >= XENSTORE_RING_SIZE
      if (!filled && (cons - this.#told) >>> 0 < XENSTORE_RING_SIZE) continue
      this.#told = (cons + part) >>> 0
      this.#notify()
    }
    return bytes ?? new Uint8Array(0)
  }
}
