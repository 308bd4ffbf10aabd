/** How console bytes leave and enter the domain: dom0's hypercalls (linux-2.6.18-xen: console.c kcons_write_dom0, xencons_priv_interrupt). */
import { __HYPERVISOR_console_io, CONSOLEIO_read, CONSOLEIO_write, VIRQ_CONSOLE } from '#abi/xen/xen.ts'
import type { Kernel } from '../../kernel.ts'

export interface ConsoleBackend {
  /** How many bytes were taken. */
  send(bytes: Uint8Array): number
  /** Bytes that came in go to `receive`; after `sent` there may be room again. */
  listen(receive: (bytes: Uint8Array) => void, sent: () => void): void
  /** For printk: goes out whatever happens, LF as the other side wants it. */
  print(bytes: Uint8Array): void
}

/** xencons_priv_interrupt reads in pieces of 16 bytes. */
const READ_BYTES = 16
const PAGE = 4096

/** dom0: the hypervisor's serial line. */
export function hypercallBackend(kernel: Kernel): ConsoleBackend {
  const { vcpu, mem, bounce: page } = kernel
  function send(bytes: Uint8Array): number {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + PAGE)
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
