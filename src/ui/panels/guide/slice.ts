/** How far somebody is with the guide: what was typed for them, and what the world has shown since it booted. */
import { defineSlice } from '../../store/slice.ts'
import type { SerialSlice } from '../consoles/slice.ts'
import type { MachineSlice } from '../machine/slice.ts'

export interface GuideSlice {
  readonly stripShown: boolean
  readonly helpOpen: boolean
  /** Ids of the guide's commands that have been run, ever: the ticks of its pages. */
  readonly guideDone: readonly string[]
  /** The same of this boot: a shell's login is over with the machine's. */
  readonly typedThisBoot: readonly string[]
  /** Serial input has been Xen's after dom0 had it. */
  readonly escapedToXen: boolean
}

const thisBoot = { typedThisBoot: [], escapedToXen: false } as const satisfies Partial<GuideSlice>

const add = (list: readonly string[], item: string): readonly string[] => (list.includes(item) ? list : [...list, item])

/** A slice is shown the whole state: these facts are other slices'. */
type Seen = Pick<MachineSlice, 'power'> & SerialSlice
const seen = (state: GuideSlice) => state as GuideSlice & Seen

export const guideSlice = defineSlice<GuideSlice>(
  { stripShown: true, helpOpen: false, guideDone: [], ...thisBoot },
  {
    strip: (_, { shown }) => ({ stripShown: shown }),
    help: (_, { open }) => ({ helpOpen: open }),
    'guide-ran': ({ guideDone, typedThisBoot }, { command }) => ({
      guideDone: add(guideDone, command),
      typedThisBoot: add(typedThisBoot, command),
    }),
    'guide-progress': (_, { done }) => ({ guideDone: done }),
    powering: () => thisBoot,
    state: (state, { state: to }) => (to === 'xen' && seen(state).power === 'xen' ? {} : thisBoot),
    probe: (state, { probe }) =>
      probe.kind === 'serial-input' && probe.owner === 'xen' && seen(state).serialOwner === 'dom0'
        ? { escapedToXen: true }
        : {},
  },
)
