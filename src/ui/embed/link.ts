/**
 * What a link brings beside settings: a tape. It only types into a machine of its own, with the disk that the page starts on; one of this very site is played
 * at once, one that is in the link itself first asks (design: links are untrusted). Anything else is refused.
 */
import type { Playground } from '#protocol/playground.ts'
import type { Asked } from '../address.ts'
import { say } from '../i18n/index.ts'
import type { PlaygroundStore } from '../store/store.ts'

/** As the tape player's own limit. */
const TAPE_BYTES_MAX = 1_000_000

interface Surroundings {
  readonly store: PlaygroundStore
  readonly playground: Playground
  /** The page's own address. */
  readonly base: string
}

type Place = { readonly kind: 'own' | 'data'; readonly url: URL; readonly name: string } | { readonly kind: 'refused' }

export function tapePlace(tape: string, base: string): Place {
  const url = URL.canParse(tape, base) ? new URL(tape, base) : undefined
  if (url?.protocol === 'data:') return { kind: 'data', url, name: 'data:' }
  const own = new URL(base)
  if (url && own.origin !== 'null' && url.origin === own.origin)
    return { kind: 'own', url, name: url.pathname.split('/').at(-1) ?? '' }
  return { kind: 'refused' }
}

/** The tape makes the page's first machine: nobody else presses the power button. */
export const startsByTape = (tape: string | undefined, base: string): boolean =>
  tape !== undefined && tapePlace(tape, base).kind === 'own'

/** Sees to what the address asks for; troubles go to the store. */
export function followLink(asked: Pick<Asked, 'tape' | 'refused'>, around: Surroundings): void {
  const { store } = around
  const refused = asked.refused.join(' ')
  if (refused !== '') tellTrouble(store, refused, 'value')
  if (asked.tape !== undefined) void followTape(asked.tape, around)
}

type Why = 'value' | 'elsewhere' | 'unreachable' | 'no-tape'

function tellTrouble(store: PlaygroundStore, what: string, why: Why): void {
  const words = say(store.getState().lang, { key: `embed.link.${why}` })
  store.dispatch({ type: 'link-trouble', trouble: { what: shortened(what), why: words } })
}

async function followTape(tape: string, around: Surroundings): Promise<void> {
  const { store, base } = around
  const trouble = (why: Why): void => tellTrouble(store, tape, why)
  const place = tapePlace(tape, base)
  if (place.kind === 'refused') {
    trouble('elsewhere')
    return
  }
  // Few links bring one: the others do not fetch the parser.
  const parsing = import('#tape/parse.ts')
  const text = await fetchText(place.url).catch(() => undefined)
  const { parseTape } = await parsing
  if (text === undefined) trouble('unreachable')
  else if (parseTape(text).errors) trouble('no-tape')
  else if (place.kind === 'data')
    store.dispatch({ type: 'link-tape', tape: { kind: 'offered', name: place.name, text } })
  else await playLinkTape(place.name, text, around)
}

export async function playLinkTape(
  name: string,
  text: string,
  { store, playground }: Pick<Surroundings, 'store' | 'playground'>,
): Promise<void> {
  store.dispatch({ type: 'link-tape', tape: { kind: 'playing', name } })
  const error = await playground.runTape(text).then(
    (outcome) => outcome.error,
    (failure: unknown) => (failure instanceof Error ? failure.message : String(failure)),
  )
  store.dispatch({ type: 'link-tape', tape: { kind: 'played', name, error } })
}

async function fetchText(url: URL): Promise<string> {
  const response = await fetch(url, { redirect: 'error' })
  if (!response.ok) throw new Error(`status ${response.status}`)
  const text = await response.text()
  if (text.length > TAPE_BYTES_MAX) throw new Error('too long')
  return text
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text)
