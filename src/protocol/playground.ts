/**
 * The public interface, version 1 (design D12): `window.playground` on the page, the same object under Node. docs/api.md explains it; a change
 * is a line in CHANGELOG.md.
 */
import type { DiskState } from './disk.ts'
import type { DomainAct, DomainView } from './domains.ts'
import type { ClockMode, ConsoleId, MachineState, SerialLine, TextScreen, WorldRecord } from './machine.ts'
import type { MachineOptions, TapeOutcome } from './messages.ts'

export interface Console {
  readonly id: ConsoleId
  /** Send text or bytes as they are. */
  write(data: string | Uint8Array): Promise<void>
  /** Send text, then Enter. */
  type(line: string): Promise<void>
  /** Press a key by name: Enter, Escape, Tab, Backspace, Up, Down, Left, Right, Home, End, PageUp, PageDown, Delete, Ctrl+a ... */
  key(name: string): Promise<void>
  /** Resolves with the match once the output since the last send matches. Rejects after `timeoutMs` (30 000) of real time. */
  waitFor(pattern: RegExp | string, options?: { readonly timeoutMs?: number }): Promise<string>
  /** What the console shows now, a string a row, right-trimmed. */
  screen(): Promise<string[]>
  /** Every byte from now on. Returns the unsubscriber. */
  onData(listener: (bytes: Uint8Array) => void): () => void
}

/** One committed change of XenStore, as the access trace has it. */
export type { StoreChange } from './xenstore-tree.ts'

/** XenStore by its own daemon, through a host link; each refusal is an Error with the daemon's word (`ENOENT`, `EACCES`, ...) as its message. Values are text, UTF-8 on the wire. */
export interface XenstoreApi {
  read(path: string): Promise<string>
  /** Names of the children. */
  list(path: string): Promise<string[]>
  write(path: string, value: string): Promise<void>
  mkdir(path: string): Promise<void>
  rm(path: string): Promise<void>
  /** As `['n0', 'r5']`. With `next`, sets them. */
  perms(path: string, next?: readonly string[]): Promise<string[]>
  /** Resolves when the node's value matches, by the trace: costs the machine nothing. */
  waitFor(path: string, pattern: RegExp | string, options?: { readonly timeoutMs?: number }): Promise<string>
}

export interface DomainsApi {
  /** By number; dom0 first. */
  list(): DomainView[]
  /** Resolves when xend has answered; rejects with xend's words. */
  act(act: DomainAct): Promise<void>
  /** Resolves when `test` holds of the domain of that name; undefined: there is none. */
  waitFor(
    name: string,
    test: (domain: DomainView | undefined) => boolean,
    options?: { readonly timeoutMs?: number },
  ): Promise<DomainView | undefined>
}

export interface PlaygroundEvents {
  domains: readonly DomainView[]
  xenstore: import('./xenstore-tree.ts').StoreChange
  disk: DiskState
  state: MachineState
  crash: import('./machine.ts').CrashReport
  probe: import('#abi/probe.ts').Probe
}

export interface Playground {
  readonly apiVersion: 1
  /** Resolves when the machine is powered (never: "login"). */
  readonly ready: Promise<void>
  console(id: ConsoleId): Console
  readonly machine: {
    power(): Promise<void>
    reset(): Promise<void>
    nmi(): Promise<void>
    state(): MachineState
    /** Options of the present machine; with an argument, those of the next power-on. */
    options(next?: Partial<MachineOptions>): MachineOptions
    screenshot(): Promise<TextScreen>
    record(): Promise<WorldRecord>
    /** Replays a record on a machine of its own, which takes the present one's place. Resolves with the digest at its end. */
    replay(record: WorldRecord): Promise<string>
    digest(): Promise<string>
  }
  readonly clock: {
    mode(next?: ClockMode): ClockMode
    /** Virtual seconds since the world began. */
    now(): number
    /** Run this many virtual seconds in turbo. */
    runFor(seconds: number): Promise<number>
    /** Resolves when nothing is runnable and only input timers are left. */
    settled(): Promise<number>
  }
  readonly disk: {
    readFile(path: string): Promise<Uint8Array>
    /** Off: onto the disk. On: through a host link, by domain 0 itself. */
    writeFile(path: string, bytes: Uint8Array): Promise<void>
    /** The raw disk, sector by sector. */
    export(): Promise<Uint8Array>
    /** A raw image becomes the machine's disk. Refused unless the machine is off. */
    import(bytes: Uint8Array): Promise<void>
    /** Back to the default disk. Refused unless the machine is off. */
    discard(): Promise<void>
    state(): DiskState
  }
  readonly xenstore: XenstoreApi
  readonly domains: DomainsApi
  /** What a serial line has sent since the machine was made, as asciicast v2 (docs.asciinema.org), in virtual time. */
  asciicast(line?: SerialLine): string
  readonly ui: {
    open(panel: string): void
    lang(next?: 'en' | 'zh'): 'en' | 'zh'
    theme(next?: 'dark' | 'light' | 'system'): 'dark' | 'light' | 'system'
  }
  runTape(text: string): Promise<TapeOutcome>
  on<K extends keyof PlaygroundEvents>(event: K, listener: (value: PlaygroundEvents[K]) => void): () => void
}
