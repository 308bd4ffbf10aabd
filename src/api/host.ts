/**
 * What the public interface needs of whoever has a machine: the page's session, and its twin under Node. Both speak the same messages with the same
 * worker code, so a script that drives the one drives the other.
 */
import type { DiskState } from '#protocol/disk.ts'
import type { DomainView } from '#protocol/domains.ts'
import type { ClockMode, Input, MachineState, SerialLine, TextScreen } from '#protocol/machine.ts'
import type { FromWorker, MachineOptions, Request } from '#protocol/messages.ts'
import type { OpenLink } from '#protocol/open-link.ts'
import type { Playground } from '#protocol/playground.ts'
import type { StoreChange, StoreTree } from '#protocol/xenstore-tree.ts'

export type Unsubscribe = () => void

/** Real time: what `timeoutMs` is counted in. */
export interface Timers {
  setTimeout(run: () => void, ms: number): number
  clearTimeout(id: number): void
}

/** What is known of the machine without asking it. */
export interface Facts {
  readonly state: MachineState
  readonly mode: ClockMode
  readonly nowNs: number
  readonly options: MachineOptions
  readonly nextOptions: MachineOptions
  readonly disk: DiskState
  readonly domains: readonly DomainView[]
}

export interface PlaygroundHost {
  readonly timers: Timers
  facts(): Facts
  /** After any of the facts has changed. */
  onFacts(listener: () => void): Unsubscribe
  power(): Promise<void>
  input(input: Input): void
  clock(mode: ClockMode): void
  setNextOptions(options: Partial<MachineOptions>): void
  discardDisk(): Promise<void>
  /** Where there is no machine yet, one is made and left off. The answer, or a rejection with the machine's words. */
  ask(request: Request): Promise<unknown>
  readonly openLink: OpenLink
  readonly xenstore: StoreTree
  onXenstore(listener: (changes: readonly StoreChange[]) => void): Unsubscribe
  onMessage(listener: (message: FromWorker) => void): Unsubscribe
  onSerial(listener: (line: SerialLine, bytes: Uint8Array) => void): Unsubscribe
  screen(): TextScreen | undefined
  onScreen(listener: (screen: TextScreen) => void): Unsubscribe
  readonly ui: Playground['ui']
}
