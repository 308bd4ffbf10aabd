/**
 * The page's side of docs/embedding.md: listens for a hello of the page around it (or of the one that opened it), and gives a port to origins that
 * are let in. To everybody else it says nothing at all, not even that it is there.
 */
import { EMBED_VERSION, isHello, type Welcome } from '#protocol/embed.ts'
import type { Playground } from '#protocol/playground.ts'
import type { PlaygroundStore } from '../store/store.ts'
import { type Served, serve } from './serve.ts'
import { canBeKept, isLetIn, OPAQUE } from './slice.ts'

/** What is used of a window. */
export interface MessageSource {
  postMessage(message: Welcome, options: { targetOrigin: string; transfer: Transferable[] }): void
}

export interface EmbedSurroundings {
  /** This page's own. */
  readonly origin: string
  /** The windows that may ask at all; not those inside of this one, which are the machine's. */
  readonly mayAsk: (source: unknown) => boolean
  readonly playground: Playground
  readonly store: PlaygroundStore
  readonly kept: { load(): string | null; save(text: string): void }
}

interface Asking {
  readonly source: MessageSource
  readonly origin: string
  readonly id: string
}

interface Open {
  readonly source: MessageSource
  readonly origin: string
  readonly port: MessagePort
  readonly served: Served
}

/** Somebody may say hello again and again. */
const ASKING_MAX = 64
const ID_MAX = 200
/** Of one window. */
const PORTS_MAX = 16

/** Give it every message event of the window. */
export function createEmbedServer({ origin: own, mayAsk, playground, store, kept }: EmbedSurroundings) {
  let asking: Asking[] = []
  /** Hellos that were answered: each once. */
  const answered = new WeakMap<MessageSource, Set<string>>()
  const ports: Open[] = []
  /** No two opaque origins are the same, though each is called `null`: a window of one is known by itself alone. */
  const nameless = new WeakMap<MessageSource, string>()
  let lastNameless = 0

  store.dispatch({ type: 'embed-kept', origins: parseOrigins(kept.load()) })
  store.subscribe((state, before) => {
    if (state.embedAlways !== before.embedAlways) kept.save(JSON.stringify(state.embedAlways))
    if (state.embedOnce !== before.embedOnce || state.embedAlways !== before.embedAlways) settle()
  })

  const letIn = (origin: string): boolean => (origin === own && own !== 'null') || isLetIn(store.getState(), origin)

  /** Whoever may come in by now gets a port; whoever may no longer loses it. */
  function settle(): void {
    const coming = asking.filter(({ origin }) => letIn(origin))
    asking = asking.filter(({ origin }) => !letIn(origin))
    // Where one without a name is by now cannot be told: it gets its port when it says hello again.
    for (const { source, origin, id } of coming) if (canBeKept(origin)) welcome(source, origin, id)
    for (const open of ports.filter(({ origin }) => !letIn(origin))) shut(open)
  }

  function shut(open: Open): void {
    open.served.stop()
    open.port.close()
    ports.splice(ports.indexOf(open), 1)
  }

  function nameOf(origin: string, source: MessageSource): string {
    if (origin !== OPAQUE) return origin
    const known = nameless.get(source) ?? `${OPAQUE} ${++lastNameless}`
    nameless.set(source, known)
    return known
  }

  function welcome(source: MessageSource, origin: string, id: string): void {
    const ids = answered.get(source) ?? new Set<string>()
    if (ids.has(id)) return
    answered.set(source, ids.add(id))
    const its = ports.filter((open) => open.source === source)
    if (its[0] && its.length >= PORTS_MAX) shut(its[0])
    const { port1, port2 } = new MessageChannel()
    const served = serve(playground, port1)
    port1.onmessage = ({ data }: MessageEvent) => served.receive(data)
    ports.push({ source, origin, port: port1, served })
    const message: Welcome = { type: 'xen-playground-port', apiVersion: EMBED_VERSION, id }
    source.postMessage(message, { targetOrigin: canBeKept(origin) ? origin : '*', transfer: [port2] })
  }

  return {
    receive(data: unknown, from: string, source: MessageSource | null): void {
      if (!source || !mayAsk(source) || !isHello(data) || data.apiVersion !== EMBED_VERSION) return
      const origin = nameOf(from, source)
      const id = typeof data.id === 'string' ? data.id.slice(0, ID_MAX) : ''
      if (letIn(origin)) {
        welcome(source, origin, id)
        return
      }
      const known = asking.some((each) => each.source === source && each.origin === origin && each.id === id)
      if (!known && asking.length >= ASKING_MAX) return
      if (!known) asking.push({ source, origin, id })
      store.dispatch({ type: 'embed-ask', origin })
    },
  }
}

function parseOrigins(text: string | null): string[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) ? list.filter((origin) => typeof origin === 'string') : []
  } catch {
    return []
  }
}
