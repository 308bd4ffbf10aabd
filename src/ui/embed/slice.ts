/** Which origins may drive this page's machine, who asks to, and what a link has brought. */
import { defineSlice } from '../store/slice.ts'

export type EmbedAnswer = 'once' | 'always' | 'refuse'

/** A tape that came with the page's address. */
export type LinkTape =
  | { readonly kind: 'offered'; readonly name: string; readonly text: string }
  | { readonly kind: 'playing'; readonly name: string }
  | { readonly kind: 'played'; readonly name: string; readonly error: string | undefined }

export interface EmbedSlice {
  /** Origins that wait for an answer, the first one first. */
  readonly embedAsking: readonly string[]
  /** For as long as this page lives. */
  readonly embedOnce: readonly string[]
  /** Kept. */
  readonly embedAlways: readonly string[]
  readonly embedRefused: readonly string[]
  readonly linkTape: LinkTape | undefined
  /** What of the address could not be followed, and why. */
  readonly linkTrouble: { readonly what: string; readonly why: string } | undefined
}

/** What browsers call the origin of a sandboxed frame or a file. Somebody who asks from there cannot be known again; the server numbers them. */
export const OPAQUE = 'null'

const without = (list: readonly string[], one: string): readonly string[] => list.filter((each) => each !== one)
const withOne = (list: readonly string[], one: string): readonly string[] =>
  list.includes(one) ? list : [...list, one]

export const canBeKept = (origin: string): boolean => !origin.startsWith(OPAQUE)

export const isLetIn = ({ embedOnce, embedAlways }: EmbedSlice, origin: string): boolean =>
  embedOnce.includes(origin) || embedAlways.includes(origin)

export const embedSlice = defineSlice<EmbedSlice>(
  {
    embedAsking: [],
    embedOnce: [],
    embedAlways: [],
    embedRefused: [],
    linkTape: undefined,
    linkTrouble: undefined,
  },
  {
    'embed-ask': (state, { origin }) =>
      isLetIn(state, origin) || state.embedRefused.includes(origin)
        ? {}
        : { embedAsking: withOne(state.embedAsking, origin) },
    'embed-answer': (state, { origin, answer }) => ({
      embedAsking: without(state.embedAsking, origin),
      embedOnce: answer === 'refuse' ? without(state.embedOnce, origin) : withOne(state.embedOnce, origin),
      embedAlways: answer === 'always' && canBeKept(origin) ? withOne(state.embedAlways, origin) : state.embedAlways,
      embedRefused: answer === 'refuse' ? withOne(state.embedRefused, origin) : without(state.embedRefused, origin),
    }),
    'embed-revoke': (state, { origin }) => ({
      embedOnce: without(state.embedOnce, origin),
      embedAlways: without(state.embedAlways, origin),
    }),
    'embed-kept': (_, { origins }) => ({ embedAlways: origins.filter(canBeKept) }),
    'link-tape': (_, { tape }) => ({ linkTape: tape }),
    'link-trouble': (_, { trouble }) => ({ linkTrouble: trouble }),
  },
)
