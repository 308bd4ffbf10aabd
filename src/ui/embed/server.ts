/**
 * The page's side of docs/embedding.md: listens for a parent's hello, and gives a port to origins that are let in. To everybody else it says nothing
 * at all, not even that it is there.
 */
import { EMBED_VERSION, isHello, type Welcome } from '#protocol/embed.ts'
import type { Playground } from '#protocol/playground.ts'
import type { PlaygroundStore } from '../store/store.ts'
import { type Served, serve } from './serve.ts'
import { isLetIn } from './slice.ts'

/** What is used of a window. */
export interface MessageSource {
  postMessage(message: Welcome, options: { targetOrigin: string; transfer: Transferable[] }): void
}

export interface EmbedSurroundings {
  /** This page's own. */
  readonly origin: string
  readonly playground: Playground
  readonly store: PlaygroundStore
  readonly kept: { load(): string | null; save(text: string): void }
}

interface Asking {
  readonly source: MessageSource
  readonly origin: string
  readonly id: string
}

/** Somebody may say hello again and again. */
const ASKING_MAX = 64
const ID_MAX = 200

/** Give it every message event of the window. */
export function createEmbedServer({ origin: own, playground, store, kept }: EmbedSurroundings) {
  let asking: Asking[] = []
  /** Hellos that were answered: each once. */
  const answered = new WeakMap<MessageSource, Set<string>>()
  const ports: { readonly origin: string; readonly port: MessagePort; readonly served: Served }[] = []

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
    for (const { source, origin, id } of coming) welcome(source, origin, id)
    for (const open of ports.filter(({ origin }) => !letIn(origin))) {
      open.served.stop()
      open.port.close()
      ports.splice(ports.indexOf(open), 1)
    }
  }

  function welcome(source: MessageSource, origin: string, id: string): void {
    const ids = answered.get(source) ?? new Set<string>()
    if (ids.has(id)) return
    answered.set(source, ids.add(id))
    const { port1, port2 } = new MessageChannel()
    const served = serve(playground, port1)
    port1.onmessage = ({ data }: MessageEvent) => served.receive(data)
    ports.push({ origin, port: port1, served })
    const message: Welcome = { type: 'xen-playground-port', apiVersion: EMBED_VERSION, id }
    // An opaque origin has no name; its window is the one that has asked.
    source.postMessage(message, { targetOrigin: origin === 'null' ? '*' : origin, transfer: [port2] })
  }

  return {
    receive(data: unknown, origin: string, source: MessageSource | null): void {
      if (!source || !isHello(data) || data.apiVersion !== EMBED_VERSION) return
      const id = typeof data.id === 'string' ? data.id.slice(0, ID_MAX) : ''
      if (letIn(origin)) {
        welcome(source, origin, id)
        return
      }
      const known = asking.some((each) => each.source === source && each.id === id)
      if (!known && asking.length < ASKING_MAX) asking.push({ source, origin, id })
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
