/** What the machine says of itself: facts shared by worker, headless runs, tapes and page. */

import type { LinkInput } from '#abi/pc/hostlink.ts'

/** From which image runs, never from text (design D12). `halted`: stopped for good, reset gets it going. */
export type MachineState = 'off' | 'firmware' | 'bootloader' | 'xen' | 'halted' | 'panicked'

export type SerialLine = 'com1' | 'com2'
/** The console of a domain, through the pty that xenconsoled made for it. */
export type DomainConsoleId = `domain:${string}`

/** `monitor` is VGA and keyboard. */
export type ConsoleId = SerialLine | 'monitor' | DomainConsoleId

/** Everything that enters a world, each with its virtual time in the input log (design D8). */
export type Input =
  | { readonly kind: 'serial'; readonly line: SerialLine; readonly bytes: readonly number[] }
  /** Scan codes of set 1, makes and breaks. */
  | { readonly kind: 'keyboard'; readonly scancodes: readonly number[] }
  | { readonly kind: 'button'; readonly button: 'power' | 'reset' | 'nmi' }
  /** `link`: a number of whoever opens it, that no link of this world has had. */
  | { readonly kind: 'link'; readonly link: number; readonly event: LinkInput }

export interface LoggedInput {
  /** Virtual ns since the world began. */
  readonly atNs: number
  readonly input: Input
}

/** World = {build, base-disk hash, seed, memory, input log}: a whole run, small enough to send. */
export interface WorldRecord {
  readonly version: 1
  readonly build: string
  readonly diskHash: string
  /** Of the second disk, where there was one. */
  readonly secondDiskHash?: string
  readonly seed: number
  readonly memoryMiB: number
  readonly inputs: readonly LoggedInput[]
  /** Virtual time at which the record was taken. */
  readonly endNs: number
}

/** VGA text as it stands: 80 x 25 cells of (CP437 character, attribute). */
export interface TextScreen {
  readonly columns: number
  readonly rows: number
  /** columns * rows * 2 bytes. */
  readonly cells: Uint8Array
  readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean }
}

/** An image threw, ran without end or was refused: what it was and where, in its own source. */
export interface CrashReport {
  readonly image: string
  /** Why, in one line, without engine words: `fuel exhausted`, `stack overflow`, or what the image threw. */
  readonly message: string
  readonly file: string | undefined
  readonly line: number | undefined
  /** `function (file:line)`, innermost first; bounded. */
  readonly stack: readonly string[]
  readonly atNs: number
}

/** `paused`: virtual time stands still; inputs enter at the present, and whoever asks for a run of so much virtual time still gets it. */
/** Smallest machine that is offered, and largest that there is (design D3). */
export const MEMORY_MIB_MIN = 64
export const MEMORY_MIB_MAX = 3072

export type ClockMode = 'live' | 'turbo' | 'paused'
