/** A domain that computes and does nothing else: a loop as tight as can be, left now and then so that Xen can take the processor. */
import type { GuestEntry, VcpuExit } from '#abi/xen/guest.ts'

const ROUNDS = 8000
const RUN: VcpuExit = { kind: 'run' }

export const start: GuestEntry = () => ({
  run() {
    for (let i = 0; i < ROUNDS; i++);
    return RUN
  },
  upcall() {},
})
