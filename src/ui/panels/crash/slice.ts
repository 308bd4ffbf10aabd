/** What went wrong inside the machine: an image that crashed, or Xen's panic. */
import type { CrashReport } from '#protocol/machine.ts'
import { defineSlice } from '../../store/slice.ts'

export interface CrashSlice {
  readonly crash: CrashReport | undefined
  /** First line of Xen's panic. */
  readonly panic: string | undefined
}

const nothing: CrashSlice = { crash: undefined, panic: undefined }

export const crashSlice = defineSlice<CrashSlice>(nothing, {
  crash: (_, { report }) => ({ crash: report }),
  probe: ({ panic }, { probe }) => ({ panic: probe.kind === 'panic' ? probe.message : panic }),
  // A machine that starts anew has its troubles behind it.
  state: ({ crash, panic }, { state }) => (state === 'firmware' ? nothing : { crash, panic }),
  powering: () => nothing,
  'dismiss-crash': () => ({ crash: undefined }),
})
