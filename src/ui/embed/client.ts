/**
 * `embed.js`, for pages that embed the playground (docs/embedding.md): `connect(iframe)` gives an object like `window.playground` of the page inside. All
 * that is a value there is a promise here; all else has the same names and the same arguments.
 */

import type { DomainView } from '#protocol/domains.ts'
import {
  CALLS,
  CONSOLE_CALLS,
  EMBED_VERSION,
  type FromFrame,
  type Hello,
  isWelcome,
  type ToFrame,
} from '#protocol/embed.ts'
import type { Playground, PlaygroundEvents } from '#protocol/playground.ts'

type Promised<T> = T extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : Promise<T>
type PromisedAll<T> = { readonly [K in keyof T]: Promised<T[K]> }
type Unsubscribe = () => void

export interface RemoteConsole
  extends PromisedAll<Pick<ReturnType<Playground['console']>, (typeof CONSOLE_CALLS)[number]>> {
  onData(listener: (bytes: Uint8Array) => void): Unsubscribe
}

export interface RemotePlayground {
  readonly apiVersion: typeof EMBED_VERSION
  /** Resolves when the machine is powered. */
  readonly ready: Promise<void>
  console(id: Parameters<Playground['console']>[0]): RemoteConsole
  readonly machine: PromisedAll<Playground['machine']>
  readonly clock: PromisedAll<Playground['clock']>
  readonly disk: PromisedAll<Playground['disk']>
  readonly xenstore: PromisedAll<Playground['xenstore']>
  readonly domains: PromisedAll<Playground['domains']>
  readonly ui: PromisedAll<Playground['ui']>
  asciicast(line?: 'com1' | 'com2'): Promise<string>
  runTape(text: string): ReturnType<Playground['runTape']>
  on<K extends keyof PlaygroundEvents>(event: K, listener: (value: PlaygroundEvents[K]) => void): Unsubscribe
  /** Gives the port up. */
  close(): void
}

const HELLO_AGAIN_MS = 250
const WAIT_MS = 30_000

/**
 * Resolves when the page inside has answered: once it is loaded and, on another origin, the person in front of it has allowed this one. Rejects
 * after `timeoutMs`, if that is given.
 */
export function connect(
  iframe: HTMLIFrameElement,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<RemotePlayground> {
  const id = crypto.randomUUID?.() ?? String(Math.random())
  const hello: Hello = { type: 'xen-playground-hello', apiVersion: EMBED_VERSION, id }
  return new Promise((resolve, reject) => {
    const say = (): void => iframe.contentWindow?.postMessage(hello, '*')
    const again = setInterval(say, HELLO_AGAIN_MS)
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            stop()
            reject(new Error(`no answer within ${timeoutMs} ms: not loaded, or not allowed`))
          }, timeoutMs)
    const hear = ({ source, data, ports: [port] }: MessageEvent): void => {
      if (source !== iframe.contentWindow || !isWelcome(data) || data.id !== id || !port) return
      stop()
      resolve(remote(port))
    }
    function stop(): void {
      clearInterval(again)
      clearTimeout(timer)
      removeEventListener('message', hear)
    }
    addEventListener('message', hear)
    say()
  })
}

/** The proxy over a port. */
export function remote(port: MessagePort): RemotePlayground {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const listeners = new Map<number, (value: unknown) => void>()
  let lastId = 0
  const post = (message: ToFrame): void => port.postMessage(message)

  port.onmessage = ({ data }: MessageEvent<FromFrame>) => {
    if ('event' in data) {
      listeners.get(data.event)?.(data.value)
      return
    }
    const waiter = waiting.get(data.id)
    waiting.delete(data.id)
    if (data.ok) waiter?.resolve(data.value)
    else waiter?.reject(Object.assign(new Error(data.error.message), { name: data.error.name }))
  }

  function call(path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    const id = ++lastId
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      post({ id, path, args })
    })
  }

  function subscribe(path: readonly string[], args: readonly unknown[], listener: (value: never) => void): Unsubscribe {
    const id = ++lastId
    listeners.set(id, listener as (value: unknown) => void)
    // What is refused is heard of nowhere else.
    waiting.set(id, { resolve() {}, reject: (error) => reportError(error) })
    post({ id, path, args })
    return () => {
      listeners.delete(id)
      post({ cancel: id })
    }
  }

  const top: Record<string, unknown> = {
    apiVersion: EMBED_VERSION,
    ready: call(['ready'], []),
    console(id: string) {
      const made: Record<string, unknown> = { id }
      for (const member of CONSOLE_CALLS) made[member] = (...args: unknown[]) => call(['console', id, member], args)
      made['onData'] = (listener: (bytes: never) => void) => subscribe(['console', id, 'onData'], [], listener)
      return made
    },
    on: (event: string, listener: (value: never) => void) => subscribe(['on'], [event], listener),
    close: () => port.close(),
  }
  for (const name of CALLS) {
    if (name === 'ready') continue
    const path = name.split('.')
    const run = (...args: unknown[]) => call(path, args)
    const [first = '', second] = path
    if (second === undefined) top[first] = run
    else top[first] = { ...(top[first] as object | undefined), [second]: run }
  }
  const made = top as unknown as RemotePlayground
  return { ...made, domains: { ...made.domains, waitFor: waitForDomain(made) } }
}

/** A test is a function and stays on this side: it is asked whenever the domains have changed. */
function waitForDomain(playground: RemotePlayground): RemotePlayground['domains']['waitFor'] {
  return (name, test, { timeoutMs = WAIT_MS } = {}) =>
    new Promise<DomainView | undefined>((resolve, reject) => {
      const look = (domains: readonly DomainView[]): void => {
        const domain = domains.find((each) => each.name === name)
        if (!test(domain)) return
        finish()
        resolve(domain)
      }
      const unsubscribe = playground.on('domains', look)
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`${name} did not become so within ${timeoutMs} ms`))
      }, timeoutMs)
      function finish(): void {
        clearTimeout(timer)
        unsubscribe()
      }
      playground.domains.list().then(look, reject)
    })
}
