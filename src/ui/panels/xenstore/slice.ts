/** XenStore as far as the page's state needs it: the tree itself is the session's (`session.xenstore`). */
import { defineSlice } from '../../store/slice.ts'

export interface XenstoreSlice {
  /** The daemon has said what there is. */
  readonly xenstoreUp: boolean
  /** The path that somebody asked to see, and how often one was. */
  readonly revealed: { readonly path: string; readonly count: number } | undefined
}

export const xenstoreSlice = defineSlice<XenstoreSlice>(
  { xenstoreUp: false, revealed: undefined },
  {
    'xenstore-changes': ({ xenstoreUp }, { changes }) => ({
      xenstoreUp: xenstoreUp || changes.some(({ kind }) => kind === 'new'),
    }),
    powering: () => ({ xenstoreUp: false }),
    state: ({ xenstoreUp }, { state }) => ({ xenstoreUp: xenstoreUp && state === 'xen' }),
    reveal: ({ revealed }, { path }) => ({ revealed: { path, count: (revealed?.count ?? 0) + 1 } }),
  },
)
