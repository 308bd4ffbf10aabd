/** What a sed script is made of. */
import type { Regex } from '../../regex/regex.ts'

export type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'last' }
  /** Undefined: the last one used. */
  | { readonly kind: 'regex'; readonly regex: Regex | undefined }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  /** `,+N` and `,~N`: second addresses only. */
  | { readonly kind: 'more'; readonly lines: number }
  | { readonly kind: 'multiple'; readonly of: number }
  /** `0,/x/`: a first address only. */
  | { readonly kind: 'zero' }

/** A piece of `s`'s right hand side: a text, a group, or a change of case. */
export type Replacement = string | number | { readonly fold: 'U' | 'L' | 'u' | 'l' | 'E' }

export interface Command {
  readonly name: string
  readonly from?: Address | undefined
  readonly to?: Address | undefined
  readonly negated: boolean
  /** Number of its range, by which its state is kept. */
  readonly index: number
  /** a, i, c: the text. r, w: the file. b, t, T and `:`: the label. */
  readonly text: string
  /** `{`, b, t, T: where to go. */
  target: number
  /** s: */
  readonly regex?: Regex | undefined
  readonly replacement?: readonly Replacement[]
  readonly flags?: SubstituteFlags
  /** y: a byte each. */
  readonly map?: readonly string[]
  /** q, Q: exit status. l: width. */
  readonly number: number | undefined
}

export interface SubstituteFlags {
  readonly global: boolean
  readonly print: boolean
  readonly nth: number
  readonly file: string | undefined
}

export interface Script {
  readonly commands: readonly Command[]
  /** The first line was `#n`. */
  readonly quiet: boolean
}
