/** The page's one store: every slice folds every event. Console bytes and screens never come here. */
import { createStore } from 'zustand/vanilla'
import { diskSlice } from '../disk/slice.ts'
import { embedSlice } from '../embed/slice.ts'
import { layoutSlice } from '../layout/slice.ts'
import { serialSlice } from '../panels/consoles/slice.ts'
import { crashSlice } from '../panels/crash/slice.ts'
import { domainsSlice } from '../panels/domains/slice.ts'
import { guideSlice } from '../panels/guide/slice.ts'
import { machineSlice } from '../panels/machine/slice.ts'
import { monitorSlice } from '../panels/monitor/slice.ts'
import { xenstoreSlice } from '../panels/xenstore/slice.ts'
import { preferencesSlice } from './preferences.ts'
import type { Slice, UiEvent } from './slice.ts'

type StateOf<T> = T extends Slice<infer S> ? S : never

export type PlaygroundState = StateOf<typeof machineSlice> &
  StateOf<typeof monitorSlice> &
  StateOf<typeof serialSlice> &
  StateOf<typeof crashSlice> &
  StateOf<typeof layoutSlice> &
  StateOf<typeof diskSlice> &
  StateOf<typeof embedSlice> &
  StateOf<typeof domainsSlice> &
  StateOf<typeof xenstoreSlice> &
  StateOf<typeof guideSlice> &
  StateOf<typeof preferencesSlice>

// Each slice sees the whole state and gives back only what is its own.
const slices = [
  machineSlice,
  monitorSlice,
  serialSlice,
  crashSlice,
  layoutSlice,
  diskSlice,
  embedSlice,
  domainsSlice,
  xenstoreSlice,
  guideSlice,
  preferencesSlice,
] as unknown as readonly Slice<PlaygroundState>[]

/** The state after `event`; the same object when nothing changed. */
export function fold(state: PlaygroundState, event: UiEvent): PlaygroundState {
  const changes = slices.flatMap((slice) => Object.entries(slice.fold(state, event)))
  const real = changes.filter(([key, value]) => !Object.is(state[key as keyof PlaygroundState], value))
  return real.length === 0 ? state : { ...state, ...Object.fromEntries(real) }
}

export const initialState = Object.assign({}, ...slices.map((slice) => slice.initial)) as PlaygroundState

export function createPlaygroundStore() {
  const store = createStore<PlaygroundState>(() => initialState)
  return { ...store, dispatch: (event: UiEvent) => store.setState((state) => fold(state, event), true) }
}

export type PlaygroundStore = ReturnType<typeof createPlaygroundStore>
