/**
 * One page's machine: the client, the store that folds what it says, and the feeds that bypass the store (console bytes and screens go
 * straight to whoever draws them). Made once, outside React.
 */
import { utf8Encode } from '#lib/utf8.ts'
import { HostLinks } from '#protocol/links.ts'
import type { Input, SerialLine, TextScreen } from '#protocol/machine.ts'
import { type FromWorker, isOtherMachine, type MachineOptions, type Request } from '#protocol/messages.ts'
import type { OpenLink } from '#protocol/open-link.ts'
import { shareTerminals } from '#protocol/shared-links.ts'
import type { StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'
import type { XrayWatch } from '#protocol/xray.ts'
import { MachineClient, type Value } from './client.ts'
import { DiskKeeper, type KeeperParts } from './disk/keeper.ts'
import { openSandbox } from './sandbox.ts'
import { createPlaygroundStore, type PlaygroundStore } from './store/store.ts'
import { createXenstoreFeed } from './xenstore-feed.ts'
import { createXrayFeed, type XrayListener } from './xray-feed.ts'

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
  /** The machine's answer; where there is no machine, one is made, off. */
  ask(request: Request): Promise<Value>
  clock(mode: MachineOptions['clock']): void
  onMessage(listener: (message: FromWorker) => void): Unsubscribe
  onSerial(listener: (line: SerialLine, bytes: Uint8Array) => void): Unsubscribe
  /** The monitor, now if there is a picture, and whenever it changes. */
  onScreen(listener: (screen: TextScreen) => void): Unsubscribe
  screen(): TextScreen | undefined
  /** Be told what Xen does, of this and all later machines, until the function returned is called: a snapshot first, then batches. */
  watchXray(watch: XrayWatch, listener: XrayListener): Unsubscribe
  /** A way into domain 0 of the present machine. */
  readonly openLink: OpenLink
  /** XenStore as its daemon's trace tells it. */
  readonly xenstore: StoreTree
  /** After each step of the tree, with all that was done to it. */
  onXenstore(listener: (changes: readonly StoreChange[]) => void): Unsubscribe
  /** Type a line into COM1 for somebody who pressed a button: the panel comes to the front, so that it is seen. */
  typeLine(text: string): void
  /** Back to the default disk: a new machine, off. */
  discardDisk(): Promise<void>
  readonly diskKeeper: DiskKeeper
  /** There is a second disk for machines that want it. */
  readonly hasGuests: boolean
}

export interface SessionAssets {
  readonly workerText: () => Promise<string>
  readonly machineCodeText: () => Promise<string>
  /** The second disk; undefined: there is none. */
  readonly guestsDisk: (() => Promise<ArrayBuffer>) | undefined
  readonly guestsTranslations: (() => Promise<ArrayBuffer>) | undefined
  /** How and where the disk is kept. */
  readonly disk: Omit<KeeperParts, 'onState' | 'onNotice'>
}

export function createSession(assets: SessionAssets): Session {
  const store = createPlaygroundStore()
  const messages = new Set<(message: FromWorker) => void>()
  const serial = new Set<(line: SerialLine, bytes: Uint8Array) => void>()
  const screens = new Set<(screen: TextScreen) => void>()
  const storeListeners = new Set<(changes: readonly StoreChange[]) => void>()
  let screen: TextScreen | undefined
  const xenstore = createXenstoreFeed({
    nowMs: () => performance.now(),
    later: (run) => void setTimeout(run, 0),
    isHidden: () => document.hidden,
    onChanges(changes) {
      store.dispatch({ type: 'xenstore-changes', changes })
      for (const listener of storeListeners) listener(changes)
    },
  })
  /** Links are numbered by the world: a new machine counts anew. */
  let links: HostLinks

  const diskKeeper = new DiskKeeper({
    ...assets.disk,
    onState: (state) => store.dispatch({ type: 'disk-state', state }),
    onNotice: (notice) => store.dispatch({ type: 'disk-notice', notice }),
  })

  const client = new MachineClient({
    workerText: assets.workerText,
    machineCodeText: assets.machineCodeText,
    openDisk: () => diskKeeper.open(),
    guestsDisk: assets.guestsDisk,
    guestsTranslations: assets.guestsTranslations,
    openSandbox,
    timers: { setTimeout: (run, ms) => window.setTimeout(run, ms), clearTimeout: (id) => window.clearTimeout(id) },
    onStatus: (status, message) => store.dispatch({ type: 'worker', status, message }),
    onMessage(message) {
      if (message.type === 'serial') for (const listener of serial) listener(message.line, message.bytes)
      else if (message.type === 'screen') {
        screen = message.screen
        for (const listener of screens) listener(message.screen)
      } else if (message.type === 'link') links.receive(message.link, message.output)
      else if (message.type === 'disk-batch') diskKeeper.batch(message.batch)
      else if (message.type === 'disk-temporary') diskKeeper.setAside()
      else if (message.type === 'xenstore') xenstore.receive(message.lines, message.atNs)
      else if (message.type === 'xray' || message.type === 'xray-snapshot') xray.receive(message)
      else if (message.type !== 'alive') store.dispatch(message)
      // What the daemon knew went with it.
      if (message.type === 'state' && message.state !== 'xen') xenstore.clear()
      for (const listener of messages) listener(message)
    },
  })

  links = new HostLinks((entered) => client.input(entered))
  const xray = createXrayFeed((watch) => client.xray(watch))

  function newMachine(options: Partial<MachineOptions> = {}, press = true): Promise<void> {
    store.dispatch({ type: 'next-options', options })
    // Where there is no such disk, none is asked for; the machine's panel says how to get one.
    if (store.getState().nextOptions.guests && !assets.guestsDisk)
      store.dispatch({ type: 'next-options', options: { guests: false } })
    const next = store.getState().nextOptions
    store.dispatch({ type: 'powering', options: next })
    links.closeAll('another machine took its place')
    links = new HostLinks((entered) => client.input(entered))
    xenstore.clear()
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
      // Memory is soldered in: another size, another seed or another disk is another machine.
      if (gone || (power === 'off' && isOtherMachine(options, nextOptions))) return newMachine()
      if (power === 'off') client.clock(nextOptions.clock)
      input({ kind: 'button', button: 'power' })
    },
    async ask(request) {
      if (client.status === 'none' || client.status === 'dead') await newMachine({}, false)
      return client.request(request)
    },
    clock: (mode) => client.clock(mode),
    onMessage: (listener) => subscribe(messages, listener),
    onSerial: (listener) => subscribe(serial, listener),
    onScreen(listener) {
      if (screen) listener(screen)
      return subscribe(screens, listener)
    },
    screen: () => screen,
    watchXray: (watch, listener) => xray.watch(watch, listener),
    openLink: shareTerminals((to, handlers) => links.open(to, handlers)),
    xenstore: xenstore.tree,
    onXenstore: (listener) => subscribe(storeListeners, listener),
    typeLine(text) {
      store.dispatch({ type: 'panel', panel: 'com1' })
      input({ kind: 'serial', line: 'com1', bytes: [...utf8Encode(text), 0x0d] })
    },
    async discardDisk() {
      await diskKeeper.discard()
      await newMachine({}, false)
    },
    diskKeeper,
    hasGuests: assets.guestsDisk !== undefined,
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
