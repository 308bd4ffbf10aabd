/**
 * The public interface under Node (docs/api.md): the page's twin, with the same machine in a thread of its own, the same clock and the same messages.
 * scripts/playground.mjs is its door for authors.
 */

import { readFileSync } from 'node:fs'
import { machineOptions } from '#api/check.ts'
import type { PlaygroundHost, Unsubscribe } from '#api/host.ts'
import { createPlayground as create } from '#api/playground.ts'
import { packDisk } from '#lib/ondisk/disk-container.ts'
import type { DomainView } from '#protocol/domains.ts'
import { type Domains, foldDomains, foldStore, NO_DOMAINS } from '#protocol/domains-fold.ts'
import { HostLinks } from '#protocol/links.ts'
import type { ClockMode, Input, MachineState, SerialLine, TextScreen } from '#protocol/machine.ts'
import { type FromWorker, isOtherMachine, type MachineOptions } from '#protocol/messages.ts'
import type { Playground } from '#protocol/playground.ts'
import { shareTerminals } from '#protocol/shared-links.ts'
import { parseAccess, type StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'
import { decodeDisk } from './disk-file.ts'
import { MachineClient, type Thread } from './machine-client.ts'
import { MEMORY_MIB_DEFAULT, SEED_DEFAULT } from './options.ts'

export interface PlaygroundOptions extends Partial<MachineOptions> {
  /** False: the machine is made and left off. */
  readonly power?: boolean
  /** The disk to start from, raw or the playground's container, gzipped or not; else the default one. */
  readonly disk?: Uint8Array
}

export interface Surroundings {
  /** A fresh thread that runs machine-thread.ts. */
  startThread(known: readonly string[]): Thread
  /** The default disk's container, gzipped, and the hashes of the images on it that this build has verified. */
  defaultDisk(): Promise<{ readonly bytes: Uint8Array; readonly known: readonly string[] }>
  /** The file of the second disk that `npm run guests:debian` has made; undefined: it has not. */
  guestsDisk(): string | undefined
  /** The file of what it has translated of that disk's kernels; undefined: nothing, or another version of this project has. */
  guestsTranslations(): string | undefined
}

/** A playground that keeps its process alive until it is closed. */
export interface NodePlayground extends Playground {
  /** Ends the machine's thread. Pending calls reject. */
  close(): Promise<void>
}

export async function createPlayground(options: PlaygroundOptions, around: Surroundings): Promise<NodePlayground> {
  const { power = true, disk, ...chosen } = options
  const defaults: MachineOptions = { memoryMiB: MEMORY_MIB_DEFAULT, seed: SEED_DEFAULT, clock: 'turbo' }
  const { bytes, known } = await around.defaultDisk()
  const container = disk ? packDisk(decodeDisk(disk)) : bytes
  const guests = () => readGuests(around.guestsDisk())
  const all = { ...defaults, ...machineOptions(chosen) }
  const machine = new NodeMachine(around.startThread(known), container, guests, all)
  const translations = all.guests ? around.guestsTranslations() : undefined
  machine.execute(translations === undefined ? undefined : readFileSync(translations))
  machine.make(power)
  return { ...create(machine.host()), close: () => machine.close() }
}

function readGuests(path: string | undefined): Uint8Array {
  if (path === undefined) throw new Error("there is no disk with guests: 'npm run guests:debian' makes one")
  return readFileSync(path)
}

class NodeMachine {
  readonly #client: MachineClient
  readonly #disk: Uint8Array
  readonly #guests: () => Uint8Array
  readonly #tree = new StoreTree()
  readonly #onMessage = new Set<(message: FromWorker) => void>()
  readonly #onSerial = new Set<(line: SerialLine, bytes: Uint8Array) => void>()
  readonly #onScreen = new Set<(screen: TextScreen) => void>()
  readonly #onXenstore = new Set<(changes: readonly StoreChange[]) => void>()
  readonly #onFacts = new Set<() => void>()
  #links: HostLinks
  #domains = NO_DOMAINS
  /** Of the fold above, as a list: the same one as long as it is the same. */
  #domainList: readonly DomainView[] = []
  #screen: TextScreen | undefined
  #state: MachineState = 'off'
  #mode: ClockMode
  #nowNs = 0
  #options: MachineOptions
  #nextOptions: MachineOptions

  constructor(thread: Thread, disk: Uint8Array, guests: () => Uint8Array, options: MachineOptions) {
    this.#disk = disk
    this.#guests = guests
    this.#options = options
    this.#nextOptions = options
    this.#mode = options.clock
    this.#client = new MachineClient(
      thread,
      (message) => this.#hear(message),
      () => this.#hear({ type: 'state', state: 'off' }),
    )
    this.#links = this.#freshLinks()
  }

  /** A new machine with the options of the next power-on, whatever runs now. */
  make(press: boolean): void {
    const secondDisk = this.#nextOptions.guests ? bufferOf(this.#guests()) : undefined
    this.#options = this.#nextOptions
    this.#mode = this.#options.clock
    this.#nowNs = 0
    this.#state = 'off'
    this.#links.closeAll('another machine took its place')
    this.#links = this.#freshLinks()
    this.#clearStore()
    this.#client.post({ type: 'power-on', options: this.#options, disk: bufferOf(this.#disk), secondDisk, press })
    this.#tellFacts()
  }

  /** Machine code, some of it translated already. */
  execute(translations: Uint8Array | undefined): void {
    this.#client.post({ type: 'machine-code', text: '', translations: translations && bufferOf(translations) })
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  host(): PlaygroundHost {
    return {
      timers: {
        setTimeout: (run, ms) => Number(setTimeout(run, ms)[Symbol.toPrimitive]()),
        clearTimeout: (id) => clearTimeout(id),
      },
      facts: () => ({
        state: this.#state,
        mode: this.#mode,
        nowNs: this.#nowNs,
        options: this.#options,
        nextOptions: this.#nextOptions,
        disk: { kind: 'temporary', why: 'asked' },
        domains: this.#domainList,
      }),
      onFacts: (listener) => subscribe(this.#onFacts, listener),
      power: async () => this.#power(),
      input: (input) => this.#input(input),
      clock: (mode) => this.#client.post({ type: 'clock', mode }),
      setNextOptions: (options) => {
        this.#nextOptions = { ...this.#nextOptions, ...options }
      },
      discardDisk: async () => this.make(false),
      ask: (request) => this.#client.request(request),
      openLink: shareTerminals((to, handlers) => this.#links.open(to, handlers)),
      xenstore: this.#tree,
      onXenstore: (listener) => subscribe(this.#onXenstore, listener),
      onMessage: (listener) => subscribe(this.#onMessage, listener),
      onSerial: (listener) => subscribe(this.#onSerial, listener),
      screen: () => this.#screen,
      onScreen: (listener) => {
        if (this.#screen) listener(this.#screen)
        return subscribe(this.#onScreen, listener)
      },
      ui: noPage(),
    }
  }

  #freshLinks(): HostLinks {
    return new HostLinks((entered) => this.#input(entered))
  }

  #input(input: Input): void {
    this.#client.post({ type: 'input', input })
  }

  /** As the page's session does it: memory is soldered in, so another size, another seed or another disk is another machine. */
  #power(): void {
    if (this.#client.isGone) throw new Error('the machine is gone')
    if (this.#state === 'off' && isOtherMachine(this.#options, this.#nextOptions)) {
      this.make(true)
      return
    }
    if (this.#state === 'off') this.#client.post({ type: 'clock', mode: this.#nextOptions.clock })
    this.#input({ kind: 'button', button: 'power' })
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'serial':
        for (const listener of this.#onSerial) listener(message.line, message.bytes)
        break
      case 'screen':
        this.#screen = message.screen
        for (const listener of this.#onScreen) listener(message.screen)
        break
      case 'link':
        this.#links.receive(message.link, message.output)
        break
      case 'state':
        this.#state = message.state
        // What the daemon knew went with it.
        if (message.state !== 'xen') this.#clearStore()
        break
      case 'clock':
        this.#mode = message.mode
        this.#nowNs = message.nowNs
        break
      case 'xenstore':
        this.#foldStore(message.lines, message.atNs)
        break
      case 'domains':
        this.#setDomains(foldDomains(this.#domains, message))
        break
      default:
    }
    for (const listener of this.#onMessage) listener(message)
    this.#tellFacts()
  }

  #foldStore(lines: readonly string[], atNs: readonly number[]): void {
    const changes = lines.map((line, i) => parseAccess(line, atNs[i])).filter((change) => change !== undefined)
    for (const change of changes) this.#tree.apply(change)
    this.#setDomains(foldStore(this.#domains, changes))
    for (const listener of this.#onXenstore) listener(changes)
  }

  #clearStore(): void {
    this.#setDomains(NO_DOMAINS)
    if (!this.#tree.root) return
    this.#tree.clear()
    for (const listener of this.#onXenstore) listener([])
  }

  #setDomains(domains: Domains): void {
    if (domains === this.#domains) return
    this.#domains = domains
    this.#domainList = [...domains.views.values()]
  }

  #tellFacts(): void {
    for (const listener of this.#onFacts) listener()
  }
}

function noPage(): Playground['ui'] {
  const refuse = (): never => {
    throw new Error('there is no page')
  }
  return { open: refuse, lang: refuse, theme: refuse }
}

/** A copy of its own: threads share nothing. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
