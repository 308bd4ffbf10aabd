/** Who in the machine gets what is typed on the serial line. */
import { defineSlice } from '../../store/slice.ts'

export interface SerialSlice {
  /** Xen's own word on who gets serial input; undefined before Xen runs. */
  readonly serialOwner: 'xen' | 'dom0' | undefined
}

export const serialSlice = defineSlice<SerialSlice>(
  { serialOwner: undefined },
  {
    probe: ({ serialOwner }, { probe }) => ({
      serialOwner: probe.kind === 'serial-input' ? probe.owner : serialOwner,
    }),
    state: ({ serialOwner }, { state }) => ({ serialOwner: state === 'xen' ? serialOwner : undefined }),
    powering: () => ({ serialOwner: undefined }),
  },
)
