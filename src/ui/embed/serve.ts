/** One port of one parent: calls come in, answers and events go out. Nothing but the table of protocol/embed.ts can be reached. */

import { CALLS, CONSOLE_CALLS, type FromFrame, PENDING_MAX, type ToFrame } from '#protocol/embed.ts'
import type { ConsoleId } from '#protocol/machine.ts'
import type { Console, Playground, PlaygroundEvents } from '#protocol/playground.ts'

const MESSAGE_MAX = 2000
const NAMES = ['Error', 'TypeError', 'RangeError', 'RecordError', 'XenstoreError']

export interface Port {
  postMessage(message: FromFrame): void
}

export interface Served {
  receive(message: unknown): void
  /** Ends all subscriptions; calls that are under way are not answered. */
  stop(): void
}

export function serve(playground: Playground, port: Port): Served {
  const subscriptions = new Map<number, () => void>()
  let pending = 0
  let stopped = false

  const post = (message: FromFrame): void => {
    if (!stopped) port.postMessage(message)
  }

  async function call({ id, path, args }: Extract<ToFrame, { path: unknown }>): Promise<void> {
    pending++
    try {
      if (pending > PENDING_MAX) throw new RangeError(`more than ${PENDING_MAX} calls at once`)
      const listen = listening(playground, path, args)
      if (listen) {
        if (subscriptions.size >= PENDING_MAX) throw new RangeError(`more than ${PENDING_MAX} subscriptions`)
        if (subscriptions.has(id)) throw new RangeError(`the id ${id} is in use`)
        subscriptions.set(
          id,
          listen((value) => post({ event: id, value })),
        )
        post({ id, ok: true, value: undefined })
      } else post({ id, ok: true, value: await called(playground, path, args) })
    } catch (error) {
      post({ id, ok: false, error: sanitised(error) })
    } finally {
      pending--
    }
  }

  return {
    receive(message) {
      const wanted = asToFrame(message)
      if (!wanted || stopped) return
      if ('path' in wanted) void call(wanted)
      else {
        subscriptions.get(wanted.cancel)?.()
        subscriptions.delete(wanted.cancel)
      }
    },
    stop() {
      stopped = true
      for (const unsubscribe of subscriptions.values()) unsubscribe()
      subscriptions.clear()
    },
  }
}

/** Undefined: nothing that means anything, and is not answered. */
function asToFrame(message: unknown): ToFrame | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { id, path, args = [], cancel } = message as Record<string, unknown>
  if (Number.isSafeInteger(cancel)) return { cancel: Number(cancel) }
  if (!Number.isSafeInteger(id) || !Array.isArray(path) || !Array.isArray(args)) return undefined
  if (!path.every((part) => typeof part === 'string')) return undefined
  return { id: Number(id), path, args }
}

type Tell = (value: unknown) => void

/** What subscribes, if that is what is asked for. */
function listening(
  playground: Playground,
  path: readonly string[],
  args: readonly unknown[],
): ((tell: Tell) => () => void) | undefined {
  if (path.length === 1 && path[0] === 'on') {
    const event = args[0] as keyof PlaygroundEvents
    return (tell) => playground.on(event, tell)
  }
  if (path.length === 3 && path[0] === 'console' && path[2] === 'onData') {
    const console = playground.console(path[1] as ConsoleId)
    return (tell) => console.onData(tell)
  }
  return undefined
}

type Callable = (...args: readonly unknown[]) => unknown

async function called(playground: Playground, path: readonly string[], args: readonly unknown[]): Promise<unknown> {
  const name = path.join('.')
  if (path.length === 3 && path[0] === 'console') {
    const member = CONSOLE_CALLS.find((each) => each === path[2])
    if (member) {
      const console: Console = playground.console(path[1] as ConsoleId)
      return (console[member] as Callable)(...args)
    }
  }
  const known = CALLS.find((each) => each === name)
  if (!known) throw new RangeError(`there is no ${name} to call`)
  if (known === 'ready') return playground.ready
  const [first, second] = known.split('.') as [keyof Playground, string | undefined]
  const member =
    second === undefined ? playground[first] : (playground[first] as unknown as Record<string, unknown>)[second]
  return (member as Callable)(...args)
}

/** What happened in words; nothing of how the page is made. */
function sanitised(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: 'it failed' }
  return {
    name: NAMES.includes(error.name) ? error.name : 'Error',
    message: error.message.slice(0, MESSAGE_MAX),
  }
}
