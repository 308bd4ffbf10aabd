/** defkeymap (Linux 2.6.18: drivers/char/defkeymap.map): what the keys of a US keyboard send. By scan code of set 1; 0xe0 is bit 7 here. */

/** What a key does, where it sends no text. */
export type KeyAction =
  | 'shift'
  | 'control'
  | 'alt'
  | 'altgr'
  | 'caps'
  | 'num'
  | 'scroll'
  | 'boot'
  | 'previous'
  | 'next'
  | 'last'
  | `console ${number}`
  /** Cursor keys and the keypad: depends on the terminal's modes. */
  | `cursor ${string}`
  | `pad ${string}`
  | 'enter'

export const EXTENDED = 0x80

/** Plain and shifted characters of the scan codes from 2 on; a space for what is none. */
const ROWS: readonly (readonly [from: number, plain: string, shifted: string])[] = [
  [0x02, '1234567890-=', '!@#$%^&*()_+'],
  [0x10, 'qwertyuiop[]', 'QWERTYUIOP{}'],
  [0x1e, "asdfghjkl;'`", 'ASDFGHJKL:"~'],
  [0x2b, '\\zxcvbnm,./', '|ZXCVBNM<>?'],
  [0x56, '<', '>'],
]

/** With control: not all of them are the character's low five bits. */
const CONTROL: Readonly<Record<string, string>> = {
  '2': '\0',
  '3': '\x1b',
  '4': '\x1c',
  '5': '\x1d',
  '6': '\x1e',
  '7': '\x1f',
  '8': '\x7f',
  '-': '\x1f',
  '/': '\x7f',
  '[': '\x1b',
  ']': '\x1d',
  '\\': '\x1c',
  '`': '\0',
  "'": '\x07',
  ' ': '\0',
}

/** func_table: F1 to F20, then what is under the cursor keys. */
const F_CODES = ['[[A', '[[B', '[[C', '[[D', '[[E', '[17~', '[18~', '[19~', '[20~', '[21~', '[23~', '[24~']
const SHIFT_F_CODES = ['[25~', '[26~', '[28~', '[29~', '[31~', '[32~', '[33~', '[34~']
const F_SCANS = [0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x57, 0x58]

/** Keypad, by scan code: what it sends with num lock, and the key it is without. */
const KEYPAD: readonly (readonly [scan: number, digit: string, key: string])[] = [
  [0x47, '7', '[1~'],
  [0x48, '8', 'A'],
  [0x49, '9', '[5~'],
  [0x4a, '-', ''],
  [0x4b, '4', 'D'],
  [0x4c, '5', '[G'],
  [0x4d, '6', 'C'],
  [0x4e, '+', ''],
  [0x4f, '1', '[4~'],
  [0x50, '2', 'B'],
  [0x51, '3', '[6~'],
  [0x52, '0', '[2~'],
  [0x53, '.', '[3~'],
  [0x37, '*', ''],
  [0x35 | EXTENDED, '/', ''],
  [0x1c | EXTENDED, '\r', ''],
]

export interface Key {
  readonly plain?: string
  readonly shifted?: string
  readonly control?: string
  /** Caps lock makes it the shifted one. */
  readonly letter?: boolean
  readonly action?: KeyAction
  /** With alt, or control and alt. */
  readonly alt?: KeyAction
  readonly controlAlt?: KeyAction
}

function makeKeymap(): ReadonlyMap<number, Key> {
  const keys = new Map<number, Key>()
  const add = (scan: number, key: Key): void => {
    keys.set(scan, key)
  }
  for (const [from, plain, shifted] of ROWS) {
    for (let i = 0; i < plain.length; i++) {
      const low = plain[i]!
      const letter = low >= 'a' && low <= 'z'
      const control = letter ? String.fromCharCode(low.charCodeAt(0) & 31) : CONTROL[low]
      add(from + i, { plain: low, shifted: shifted[i]!, letter, ...(control === undefined ? {} : { control }) })
    }
  }
  add(0x01, { plain: '\x1b', shifted: '\x1b', control: '\x1b' })
  add(0x0e, { plain: '\x7f', shifted: '\x7f', control: '\b' })
  add(0x0f, { plain: '\t', shifted: '\t', control: '\t' })
  add(0x1c, { action: 'enter' })
  add(0x39, { plain: ' ', shifted: ' ', control: '\0' })
  add(0x2a, { action: 'shift' })
  add(0x36, { action: 'shift' })
  add(0x1d, { action: 'control' })
  add(0x1d | EXTENDED, { action: 'control' })
  add(0x38, { action: 'alt' })
  add(0x38 | EXTENDED, { action: 'altgr' })
  add(0x3a, { action: 'caps' })
  add(0x45, { action: 'num' })
  add(0x46, { action: 'scroll' })
  F_SCANS.forEach((scan, i) => {
    const shifted = SHIFT_F_CODES[i]
    add(scan, {
      plain: `\x1b${F_CODES[i]!}`,
      ...(shifted ? { shifted: `\x1b${shifted}` } : {}),
      alt: `console ${i}`,
      controlAlt: `console ${i}`,
    })
  })
  for (const [scan, digit, key] of KEYPAD) {
    const boot = scan === 0x53 ? { controlAlt: 'boot' as const } : {}
    add(scan, { action: `pad ${digit}${key}`, ...boot })
  }
  const cursor = (scan: number, key: string, more: Partial<Key> = {}): void =>
    add(scan | EXTENDED, { action: `cursor ${key}`, ...more })
  cursor(0x48, 'A')
  cursor(0x50, 'B')
  cursor(0x4d, 'C', { alt: 'next' })
  cursor(0x4b, 'D', { alt: 'previous' })
  const sends = (scan: number, code: string, more: Partial<Key> = {}): void =>
    add(scan | EXTENDED, { plain: `\x1b${code}`, shifted: `\x1b${code}`, ...more })
  sends(0x47, '[1~')
  sends(0x52, '[2~')
  sends(0x53, '[3~', { controlAlt: 'boot' })
  sends(0x4f, '[4~')
  sends(0x49, '[5~')
  sends(0x51, '[6~')
  add(0x37 | EXTENDED, { plain: '\x1c', shifted: '\x1c', control: '\x1c', alt: 'last' })
  return keys
}

/** Made once for each keyboard. */
export { makeKeymap }
