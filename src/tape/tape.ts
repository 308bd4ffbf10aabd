/** A tape, read: what a player does one after the other. Times are virtual nanoseconds. */
import type { Chord } from './keys.ts'
import type { Pattern } from './pattern.ts'

export type WaitScope = 'line' | 'screen'

export type TapeStep =
  /** Text, key by key; without a speed, at the one that is set. */
  | { readonly kind: 'type'; readonly text: string; readonly speedNs: number | undefined }
  | {
      readonly kind: 'keys'
      readonly chords: readonly Chord[]
      readonly speedNs: number | undefined
      readonly count: number
    }
  | { readonly kind: 'sleep'; readonly ns: number }
  | {
      readonly kind: 'wait'
      readonly scope: WaitScope
      readonly pattern: Pattern | undefined
      readonly timeoutNs: number | undefined
    }
  | { readonly kind: 'set-speed'; readonly ns: number }
  | { readonly kind: 'set-timeout'; readonly ns: number }
  | { readonly kind: 'set-pattern'; readonly pattern: Pattern }
  | { readonly kind: 'target'; readonly console: string }
  /** All of a text at once, as a terminal pastes. */
  | { readonly kind: 'paste'; readonly text: string }
  /** While hidden, nothing is written to golden text. */
  | { readonly kind: 'hide' }
  | { readonly kind: 'show' }
  | { readonly kind: 'screenshot'; readonly path: string }
  /** Accepted without effect; it only takes its turn in golden text. */
  | { readonly kind: 'nothing' }

export interface TapeCommand {
  /** The tape that `Source` named; undefined: the tape itself. */
  readonly file: string | undefined
  readonly line: number
  /** For a message. */
  readonly name: string
  readonly step: TapeStep
}

export type OutputFormat =
  /** VHS's golden text (.txt, .ascii, .test): the screen after every command. */
  | 'golden'
  /** The serial transcript, byte for byte (.log). */
  | 'transcript'

export interface Tape {
  readonly commands: readonly TapeCommand[]
  readonly outputs: readonly { readonly path: string; readonly format: OutputFormat }[]
  /** What was accepted and has no effect here, each once: it would only change a picture, or ask for one. */
  readonly ignored: readonly string[]
}
