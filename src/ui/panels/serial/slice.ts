/** The serial lines: which one is looked at, and who in the machine gets what is typed. */
import type { SerialLine } from '#protocol/machine.ts'
import { defineSlice } from '../../store/slice.ts'

export interface SerialSlice {
  readonly line: SerialLine
  /** Xen's own word on who gets serial input; undefined before Xen runs. */
  readonly serialOwner: 'xen' | 'dom0' | undefined
}

export const serialSlice = defineSlice<SerialSlice>(
  { line: 'com1', serialOwner: undefined },
  {
    line: (_, { line }) => ({ line }),
    probe: ({ serialOwner }, { probe }) => ({
      serialOwner: probe.kind === 'serial-input' ? probe.owner : serialOwner,
    }),
    state: ({ serialOwner }, { state }) => ({ serialOwner: state === 'xen' ? serialOwner : undefined }),
    powering: () => ({ serialOwner: undefined }),
  },
)
