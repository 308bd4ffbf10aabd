/**
 * How console bytes leave and enter the domain: dom0's hypercalls (linux-2.6.18-xen: console.c kcons_write_dom0, xencons_priv_interrupt), any other
 * domain's ring to xenconsoled (xencons_ring.c).
 */
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_console_io,
  __HYPERVISOR_update_va_mapping,
  CONSOLEIO_read,
  CONSOLEIO_write,
  start_info_domU,
  UVMF_INVLPG,
  VIRQ_CONSOLE,
} from '#abi/xen/xen.ts'
import { FIX_CONSOLE } from '../../init/hypervisor.ts'
import type { Kernel } from '../../kernel.ts'
import { PAGE_KERNEL } from '../../mm/allocator.ts'

export interface ConsoleBackend {
  /** How many bytes were taken. */
  send(bytes: Uint8Array): number
  /** Bytes that came in go to `receive`; after `sent` there may be room again. */
  listen(receive: (bytes: Uint8Array) => void, sent: () => void): void
  /** For printk: goes out whatever happens, LF as the other side wants it. */
  print(bytes: Uint8Array): void
  /** Nothing of what printk has said waits any longer; tries to send it. */
  drain(): boolean
}

/** xencons_priv_interrupt reads in pieces of 16 bytes. */
const READ_BYTES = 16

/** dom0: the hypervisor's serial line. */
export function hypercallBackend(kernel: Kernel): ConsoleBackend {
  const { vcpu, mem, bounce: page } = kernel
  function send(bytes: Uint8Array): number {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + PAGE_SIZE)
      mem.copyIn(page, part)
      // It answers 0 for all of it, or a count where it stopped early.
      const taken = vcpu.hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, part.length, page)
      if (taken < 0) break
      from += taken === 0 ? part.length : taken
    }
    return bytes.length
  }
  return {
    send,
    print: send,
    drain: () => true,
    listen(receive, sent) {
      kernel.irq.bindVirq(VIRQ_CONSOLE, 'console', () => {
        for (;;) {
          const length = vcpu.hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, READ_BYTES, page)
          if (length <= 0) break
          receive(mem.copyOut(page, Math.min(length, READ_BYTES)))
        }
        sent()
      })
    },
  }
}

/** The log may be printed again as a whole, and that is all that ever waits. */
const UNSENT_BYTES_MAX = 1 << 17
const LF = 10
const CR = 13

/** Any other domain. What the ring has no room for waits: the real kernel spins, which leaves the same bytes in the same order. */
export function ringBackend({ vcpu, mem, startInfo, irq }: Kernel): ConsoleBackend | undefined {
  const { console_mfn, console_evtchn } = start_info_domU.fields
  const port = console_evtchn.get(mem, startInfo)
  const mfn = console_mfn.get(mem, startInfo)
  if (port === 0 || mfn === 0) return undefined
  const page = FIX_CONSOLE
  const pte = mfn * PAGE_SIZE + PAGE_KERNEL
  if (vcpu.hypercall(__HYPERVISOR_update_va_mapping, page, pte, UVMF_INVLPG) !== 0) return undefined
  const { in: input, out, in_cons, in_prod, out_cons, out_prod } = xencons_interface.fields
  let unsent: Uint8Array = new Uint8Array(0)

  /** As much as there is room for. The indexes are xenconsoled's to spoil: what makes no sense is a full ring. */
  function put(bytes: Uint8Array): number {
    let done = 0
    while (done < bytes.length) {
      const prod = out_prod.get(mem, page)
      const room = XENCONS_OUT_SIZE - ((prod - out_cons.get(mem, page)) >>> 0)
      if (room <= 0) break
      const at = prod % XENCONS_OUT_SIZE
      const part = bytes.subarray(done, done + Math.min(room, XENCONS_OUT_SIZE - at))
      mem.copyIn(page + out.offset + at, part)
      out_prod.set(mem, page, (prod + part.length) >>> 0)
      done += part.length
    }
    if (done > 0) irq.notify(port)
    return done
  }
  function drain(): boolean {
    if (unsent.length > 0) unsent = unsent.subarray(put(unsent))
    return unsent.length === 0
  }
  return {
    drain,
    send: (bytes) => (drain() ? put(bytes) : 0),
    print(bytes) {
      // kcons_write: LF, then CR.
      const lines: number[] = []
      for (const byte of bytes) {
        lines.push(byte)
        if (byte === LF) lines.push(CR)
      }
      const all = Uint8Array.from(lines)
      const rest = all.subarray(drain() ? put(all) : 0)
      if (rest.length === 0) return
      const waiting = new Uint8Array(unsent.length + rest.length)
      waiting.set(unsent)
      waiting.set(rest, unsent.length)
      unsent = waiting.subarray(Math.max(0, waiting.length - UNSENT_BYTES_MAX))
    },
    listen(receive, sent) {
      irq.bindPort(port, 'xencons', () => {
        let cons = in_cons.get(mem, page)
        let there = (in_prod.get(mem, page) - cons) >>> 0
        if (there > 0 && there <= XENCONS_IN_SIZE) {
          while (there > 0) {
            const at = cons % XENCONS_IN_SIZE
            const part = Math.min(there, XENCONS_IN_SIZE - at)
            receive(mem.copyOut(page + input.offset + at, part))
            cons = (cons + part) >>> 0
            there -= part
          }
          in_cons.set(mem, page, cons)
          irq.notify(port)
        }
        if (drain()) sent()
      })
    },
  }
}
