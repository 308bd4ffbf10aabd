/** What went wrong inside the machine: an image that crashed, Xen's panic, the end of dom0. */
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import type { CrashReport } from '#protocol/machine.ts'
import { defineSlice } from '../../store/slice.ts'

export interface CrashSlice {
  readonly crash: CrashReport | undefined
  /** First line of Xen's panic. */
  readonly panic: string | undefined
  /** dom0 has crashed while Xen lived. */
  readonly dom0Died: boolean
}

const nothing: CrashSlice = { crash: undefined, panic: undefined, dom0Died: false }

export const crashSlice = defineSlice<CrashSlice>(nothing, {
  crash: (_, { report }) => ({ crash: report }),
  probe: ({ panic, dom0Died }, { probe }) => ({
    panic: probe.kind === 'panic' ? probe.message : panic,
    dom0Died: probe.kind === 'dom0-shutdown' ? probe.reason === SHUTDOWN_crash : dom0Died,
  }),
  // A machine that starts anew has its troubles behind it.
  state: (_, { state }) => (state === 'firmware' ? nothing : {}),
  powering: () => nothing,
  'dismiss-crash': () => ({ crash: undefined }),
})
