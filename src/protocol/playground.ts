/**
 * The public interface, version 1 (design D12): `window.playground` on the page, the same object under Node. docs/api.md explains it; a change
 * is a line in CHANGELOG.md.
 */
import type { ClockMode, ConsoleId, MachineState, TextScreen, WorldRecord } from './machine.ts'
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

export interface PlaygroundEvents {
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
    /** Refused unless the machine is off. */
    writeFile(path: string, bytes: Uint8Array): Promise<void>
    /** The raw disk, sector by sector. */
    export(): Promise<Uint8Array>
  }
  readonly ui: {
    open(panel: string): void
    lang(next?: 'en' | 'zh'): 'en' | 'zh'
    theme(next?: 'dark' | 'light' | 'system'): 'dark' | 'light' | 'system'
  }
  runTape(text: string): Promise<TapeOutcome>
  on<K extends keyof PlaygroundEvents>(event: K, listener: (value: PlaygroundEvents[K]) => void): () => void
}
