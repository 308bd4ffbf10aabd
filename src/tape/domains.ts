/**
 * The consoles of domains, for a tape: pseudo terminals in domain 0, reached by host links as the page reaches them (design D9). What comes is
 * read at the instant it comes; what it brings about enters the machine when the run has stopped, which `waiting` asks for.
 */
import { utf8Encode } from '#lib/utf8.ts'
import { type FollowedConsole, followDomainConsole, whyNowhere } from '#protocol/domain-console.ts'
import { HostLinks } from '#protocol/links.ts'
import type { Input } from '#protocol/machine.ts'
import type { OpenLink } from '#protocol/open-link.ts'
import type { SyncMachine } from '#protocol/sync-machine.ts'
import { parseAccess, StoreTree } from '#protocol/xenstore-tree.ts'
import type { TapeConsole } from './consoles.ts'
import { Failure } from './failure.ts'
import { type Chord, serialBytes } from './keys.ts'
import { Screen } from './screen.ts'

export const DOMAIN_PREFIX = 'domain:'

export class DomainConsoles {
  readonly #machine: SyncMachine
  readonly #entering: Input[] = []
  readonly #links = new HostLinks((input) => this.#entering.push(input))
  readonly #tree = new StoreTree()
  readonly #consoles = new Map<string, DomainConsole>()
  readonly #unsubscribe: readonly (() => void)[]

  /** Make it before the machine runs: the store is known by all that has happened to it. */
  constructor(machine: SyncMachine) {
    this.#machine = machine
    this.#unsubscribe = [
      machine.onLink((link, output) => this.#links.receive(link, output)),
      machine.onProbe((probe) => {
        const change = probe.kind === 'xenstore' ? parseAccess(probe.line) : undefined
        if (!change) return
        this.#tree.apply(change)
        for (const console of this.#consoles.values()) console.look()
      }),
    ]
  }

  /** From the first call on it listens, also where there is no such domain yet. */
  console(name: string): TapeConsole {
    const known = this.#consoles.get(name)
    if (known) return known
    const console = new DomainConsole(name, (to, handlers) => this.#links.open(to, handlers), this.#tree)
    this.#consoles.set(name, console)
    return console
  }

  waiting(): boolean {
    return this.#entering.length > 0
  }

  enter(): void {
    for (const input of this.#entering.splice(0)) this.#machine.input(input)
  }

  /** Let go of all terminals: others may read them. */
  stop(): void {
    for (const console of this.#consoles.values()) console.stop()
    this.enter()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }
}

class DomainConsole implements TapeConsole {
  readonly name: string
  readonly #screen: Screen
  readonly #followed: FollowedConsole

  constructor(name: string, openLink: OpenLink, tree: StoreTree) {
    this.name = `${DOMAIN_PREFIX}${name}`
    this.#screen = new Screen({ answer: (bytes) => this.#followed.write(Uint8Array.from(bytes)) })
    this.#followed = followDomainConsole(openLink, tree, name, {
      data: (bytes, taken) => {
        this.#screen.write(bytes)
        taken(bytes.length)
      },
      place: () => {},
    })
  }

  rows(): string[] {
    return this.#screen.rows()
  }

  line(): string {
    return this.#screen.line()
  }

  lines(): string[] {
    return this.#screen.lines()
  }

  wholeLine(): string {
    return this.#screen.wholeLine()
  }

  version(): number {
    return this.#screen.version
  }

  press(chord: Chord): undefined {
    this.#send(Uint8Array.from(serialBytes(chord, this.#screen.applicationCursor)))
  }

  paste(text: string): [] {
    this.#send(utf8Encode(text))
    return []
  }

  look(): void {
    this.#followed.look()
  }

  stop(): void {
    this.#followed.stop()
  }

  #send(bytes: Uint8Array): void {
    if (this.#followed.place.kind === 'closed') this.#followed.retry()
    const { place } = this.#followed
    if (place.kind !== 'there') throw new Failure(`${this.name}: ${whyNowhere(place)}`)
    if (bytes.length > 0) this.#followed.write(bytes)
  }
}
