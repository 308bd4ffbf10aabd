/**
 * One page's machine: the client, the store that folds what it says, and the feeds that bypass the store (console bytes and screens go
 * straight to whoever draws them). Made once, outside React.
 */
import type { Input, SerialLine, TextScreen } from '#protocol/machine.ts'
import type { FromWorker, MachineOptions } from '#protocol/messages.ts'
import { MachineClient } from './client.ts'
import { openSandbox } from './sandbox.ts'
import { createPlaygroundStore, type PlaygroundStore } from './store/store.ts'

export type Unsubscribe = () => void

export interface Session {
  readonly store: PlaygroundStore
  readonly client: MachineClient
  input(input: Input): void
  serialIn(line: SerialLine, bytes: readonly number[]): void
  /** The power button: makes a machine when there is none, else presses the button of the one there is. */
  power(): Promise<void>
  /** A new machine with the options of the next power-on, whatever runs now; switched on unless `press` is false. */
  newMachine(options?: Partial<MachineOptions>, press?: boolean): Promise<void>
  clock(mode: MachineOptions['clock']): void
  onMessage(listener: (message: FromWorker) => void): Unsubscribe
  onSerial(listener: (line: SerialLine, bytes: Uint8Array) => void): Unsubscribe
  /** The monitor, now if there is a picture, and whenever it changes. */
  onScreen(listener: (screen: TextScreen) => void): Unsubscribe
  screen(): TextScreen | undefined
}

export interface SessionAssets {
  readonly workerText: () => Promise<string>
  readonly disk: () => Promise<ArrayBuffer>
  readonly diskRest: () => Promise<ArrayBuffer>
}

export function createSession(assets: SessionAssets): Session {
  const store = createPlaygroundStore()
  const messages = new Set<(message: FromWorker) => void>()
  const serial = new Set<(line: SerialLine, bytes: Uint8Array) => void>()
  const screens = new Set<(screen: TextScreen) => void>()
  let screen: TextScreen | undefined

  const client = new MachineClient({
    ...assets,
    openSandbox,
    timers: { setTimeout: (run, ms) => window.setTimeout(run, ms), clearTimeout: (id) => window.clearTimeout(id) },
    onStatus: (status, message) => store.dispatch({ type: 'worker', status, message }),
    onMessage(message) {
      if (message.type === 'serial') for (const listener of serial) listener(message.line, message.bytes)
      else if (message.type === 'screen') {
        screen = message.screen
        for (const listener of screens) listener(message.screen)
      } else if (message.type !== 'input-logged' && message.type !== 'alive') store.dispatch(message)
      for (const listener of messages) listener(message)
    },
  })

  function newMachine(options: Partial<MachineOptions> = {}, press = true): Promise<void> {
    store.dispatch({ type: 'next-options', options })
    const next = store.getState().nextOptions
    store.dispatch({ type: 'powering', options: next })
    return client.powerOn(next, press)
  }

  const input = (entered: Input): void => client.input(entered)

  return {
    store,
    client,
    input,
    serialIn: (line, bytes) => input({ kind: 'serial', line, bytes }),
    newMachine,
    async power() {
      const { options, nextOptions, power } = store.getState()
      const gone = client.status !== 'ready'
      // Memory is soldered in: another size, or another seed, is another machine.
      const other = options.memoryMiB !== nextOptions.memoryMiB || options.seed !== nextOptions.seed
      if (gone || (power === 'off' && other)) return newMachine()
      if (power === 'off') client.clock(nextOptions.clock)
      input({ kind: 'button', button: 'power' })
    },
    clock: (mode) => client.clock(mode),
    onMessage: (listener) => subscribe(messages, listener),
    onSerial: (listener) => subscribe(serial, listener),
    onScreen(listener) {
      if (screen) listener(screen)
      return subscribe(screens, listener)
    },
    screen: () => screen,
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
