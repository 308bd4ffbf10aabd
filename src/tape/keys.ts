/**
 * Keys by name, as tapes and `window.playground` press them, and what a serial terminal sends for each: xterm's PC-style sequences
 * (ctlseqs, "PC-Style Function Keys"), which are what a VT220 and Linux's console share.
 */
import { utf8Encode } from '#lib/utf8.ts'

export const KEY_NAMES = [
  'Enter',
  'Backspace',
  'Delete',
  'Insert',
  'Space',
  'Tab',
  'Escape',
  'Up',
  'Down',
  'Left',
  'Right',
  'PageUp',
  'PageDown',
  'Home',
  'End',
] as const
export type KeyName = (typeof KEY_NAMES)[number]

/** A key pressed while modifiers are held: a named key, or one character. */
export interface Chord {
  readonly key: string
  readonly ctrl: boolean
  readonly alt: boolean
  readonly shift: boolean
}

export const isKeyName = (text: string): text is KeyName => (KEY_NAMES as readonly string[]).includes(text)

export const plainKey = (key: string): Chord => ({ key, ctrl: false, alt: false, shift: false })

/** Other spellings that people and browsers' `KeyboardEvent.key` use. */
const ALIASES: Readonly<Record<string, KeyName>> = {
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  Return: 'Enter',
  Esc: 'Escape',
  ' ': 'Space',
}

/** `Enter`, `a`, `Ctrl+a`, `Ctrl+Alt+Shift+Left`, ...; undefined when there is no such key. */
export function parseChord(name: string): Chord | undefined {
  const held = { ctrl: false, alt: false, shift: false }
  let rest = name
  for (;;) {
    const modifier = /^(Ctrl|Alt|Shift)\+(?=.)/su.exec(rest)
    if (!modifier) break
    held[modifier[1]!.toLowerCase() as keyof typeof held] = true
    rest = rest.slice(modifier[0].length)
  }
  const key = Object.hasOwn(ALIASES, rest) ? ALIASES[rest]! : rest
  if (!isKeyName(key) && [...key].length !== 1) return undefined
  return { key, ...held }
}

const SIMPLE: Readonly<Record<string, number>> = { Enter: 0x0d, Backspace: 0x7f, Space: 0x20, Tab: 0x09, Escape: 0x1b }
/** Final bytes of CSI (or SS3 in application mode). */
const CURSOR: Readonly<Record<string, string>> = { Up: 'A', Down: 'B', Right: 'C', Left: 'D', Home: 'H', End: 'F' }
/** Parameters of CSI ~. */
const EDITING: Readonly<Record<string, number>> = { Insert: 2, Delete: 3, PageUp: 5, PageDown: 6 }

const UNSHIFTED = "`1234567890-=[]\\;',./"
const SHIFTED = '~!@#$%^&*()_+{}|:"<>?'

/** The character that Shift makes of a key of the US layout. */
export function shifted(character: string): string {
  const at = UNSHIFTED.indexOf(character)
  if (at >= 0) return SHIFTED[at]!
  return character >= 'a' && character <= 'z' ? character.toUpperCase() : character
}

/** What Ctrl makes of a character: C0's column, with xterm's digits; undefined where a terminal sends nothing. */
function controlled(character: string): number | undefined {
  const code = character.toUpperCase().charCodeAt(0)
  if (code >= 0x40 && code <= 0x5f) return code - 0x40
  const others: Readonly<Record<string, number>> = {
    ' ': 0,
    '`': 0,
    '2': 0,
    '3': 0x1b,
    '4': 0x1c,
    '5': 0x1d,
    '6': 0x1e,
    '7': 0x1f,
    '8': 0x7f,
    '-': 0x1f,
    '/': 0x1f,
    '?': 0x7f,
  }
  return others[character]
}

/** Bytes on the line for one key. Empty where a real terminal sends nothing (Ctrl with a key that has no control code). */
export function serialBytes(chord: Chord, applicationCursor = false): number[] {
  const { key, ctrl, alt, shift } = chord
  const modifiers = (shift ? 1 : 0) + (alt ? 2 : 0) + (ctrl ? 4 : 0)
  const cursor = CURSOR[key]
  if (cursor !== undefined) {
    if (modifiers > 0) return ascii(`\x1b[1;${modifiers + 1}${cursor}`)
    return ascii(`\x1b${applicationCursor ? 'O' : '['}${cursor}`)
  }
  const editing = EDITING[key]
  if (editing !== undefined) return ascii(modifiers > 0 ? `\x1b[${editing};${modifiers + 1}~` : `\x1b[${editing}~`)
  if (key === 'Tab' && shift) return ascii('\x1b[Z')
  const bytes = characterBytes(key, ctrl, shift)
  return alt && bytes.length > 0 ? [0x1b, ...bytes] : bytes
}

function characterBytes(key: string, ctrl: boolean, shift: boolean): number[] {
  const simple = SIMPLE[key]
  if (simple !== undefined) {
    if (!ctrl) return [simple]
    if (key === 'Space') return [0]
    return [key === 'Backspace' ? 0x08 : simple]
  }
  if (!ctrl) return [...utf8Encode(shift ? shifted(key) : key)]
  const control = controlled(key) ?? controlled(shift ? shifted(key) : key)
  return control === undefined ? [] : [control]
}

const ascii = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0))
