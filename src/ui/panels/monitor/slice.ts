/** Where the boot loader talks: the monitor itself may stay dark while GRUB is on the serial line. */
import { defineSlice } from '../../store/slice.ts'

export interface MonitorSlice {
  /** Undefined until a boot loader has said so, and once something else runs. */
  readonly bootTerminals: readonly ('console' | 'serial')[] | undefined
}

export const monitorSlice = defineSlice<MonitorSlice>(
  { bootTerminals: undefined },
  {
    probe: ({ bootTerminals }, { probe }) => ({
      bootTerminals: probe.kind === 'boot-terminal' ? probe.terminals : bootTerminals,
    }),
    state: ({ bootTerminals }, { state }) => ({ bootTerminals: state === 'bootloader' ? bootTerminals : undefined }),
    powering: () => ({ bootTerminals: undefined }),
  },
)
