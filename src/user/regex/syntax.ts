/** Trees of regular expressions, and the ways in which GNU's syntaxes differ (glibc: regex.h). */

export class RegexError extends Error {}

/** `edge`s are of lines; `text` ones of the whole subject. */
export type Assertion =
  | 'bol'
  | 'eol'
  | 'text-begin'
  | 'text-end'
  | 'word-begin'
  | 'word-end'
  | 'word-edge'
  | 'no-word-edge'
  /** Of grep -w: what is before, or after, is no word character. */
  | 'no-word-before'
  | 'no-word-after'

export type Node =
  | { readonly kind: 'empty' }
  /** One byte out of a set: 256 flags. */
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'cat'; readonly nodes: readonly Node[] }
  | { readonly kind: 'alt'; readonly nodes: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly node: Node }
  /** `max` -1: no limit. */
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'backref'; readonly index: number }

export interface RegexSyntax {
  /** ERE rather than BRE. */
  readonly extended?: boolean
  readonly ignoreCase?: boolean
  /** A leading `*` is an error (sed -r, find) rather than nothing (grep -E). */
  readonly strict?: boolean
  /** `^` and `$` also match at newlines inside the subject (sed's M). */
  readonly multiline?: boolean
  /** `.` and `[^x]` match no newline. */
  readonly dotExcludesNewline?: boolean
  /** All of the subject (grep -x), or whole words (grep -w). */
  readonly whole?: 'line' | 'word' | undefined
  /** The pattern is a text without operators (grep -F). */
  readonly fixed?: boolean
}

export const RE_DUP_MAX = 0x7fff

export const isWordByte = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x61 && code <= 0x7a)

export function setOf(test: (code: number) => boolean): Uint8Array {
  const set = new Uint8Array(256)
  for (let code = 0; code < 256; code++) if (test(code)) set[code] = 1
  return set
}
