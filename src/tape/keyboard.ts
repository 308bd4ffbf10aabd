/**
 * A PC keyboard, US layout: scan codes of set 1, as the keyboard controller hands them over (abi/pc/i8042.ts). A break code is the make code with bit 7
 * set; the keys that the AT keyboard added send 0xe0 first. Source: the IBM PS/2 hardware reference, keyboard section.
 */
import type { Chord } from './keys.ts'

const E0 = 0xe000

/** Keys in the order of their codes, each list starting at the code given: named as `KeyboardEvent.code` names them. */
const RUNS: readonly (readonly [number, string])[] = [
  [0x01, 'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab'],
  [0x10, 'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft'],
  [0x1e, 'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft'],
  [0x2b, 'Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space'],
  [0x3a, 'CapsLock F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock'],
  [0x47, 'Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd'],
  [0x4f, 'Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal'],
  [0x56, 'IntlBackslash F11 F12'],
  [E0 + 0x1c, 'NumpadEnter ControlRight'],
  [E0 + 0x35, 'NumpadDivide'],
  [E0 + 0x37, 'PrintScreen AltRight'],
  [E0 + 0x47, 'Home ArrowUp PageUp'],
  [E0 + 0x4b, 'ArrowLeft'],
  [E0 + 0x4d, 'ArrowRight'],
  [E0 + 0x4f, 'End ArrowDown PageDown Insert Delete'],
  [E0 + 0x5b, 'MetaLeft MetaRight ContextMenu'],
]

const CODES: ReadonlyMap<string, number> = new Map(
  RUNS.flatMap(([first, names]) => names.split(' ').map((name, i): [string, number] => [name, first + i])),
)

/** Keys by what they print without and with Shift. */
const PRINTED: readonly (readonly [string, string, string])[] = [
  ['1234567890-=', '!@#$%^&*()_+', 'Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal'],
  ['qwertyuiop[]', 'QWERTYUIOP{}', 'KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight'],
  ["asdfghjkl;'`", 'ASDFGHJKL:"~', 'KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote'],
  ['\\zxcvbnm,./ ', '|ZXCVBNM<>? ', 'Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash Space'],
]

const CHARACTERS: ReadonlyMap<string, { readonly code: string; readonly shift: boolean }> = new Map(
  PRINTED.flatMap(([plain, shifted, names]) =>
    names.split(' ').flatMap((code, i): [string, { code: string; shift: boolean }][] => [
      [shifted[i]!, { code, shift: true }],
      [plain[i]!, { code, shift: false }],
    ]),
  ),
)

/** Tapes' names of keys where `KeyboardEvent.code` has another. */
const NAMED: Readonly<Record<string, string>> = {
  Up: 'ArrowUp',
  Down: 'ArrowDown',
  Left: 'ArrowLeft',
  Right: 'ArrowRight',
}

/** Scan codes of one key going down or up, by its `KeyboardEvent.code`; undefined for a key that this keyboard lacks. */
export function scanCodes(code: string, pressed: boolean): number[] | undefined {
  const found = CODES.get(code)
  if (found === undefined) return undefined
  const low = (found & 0x7f) | (pressed ? 0 : 0x80)
  return found >= E0 ? [0xe0, low] : [low]
}

/** Whether the US layout has a key for `character`. */
export const canType = (character: string): boolean => CHARACTERS.has(character)

/** A chord pressed and released; undefined when the keyboard has no such key. */
export function chordScanCodes(chord: Chord): number[] | undefined {
  const printed = CHARACTERS.get(chord.key)
  const code = printed?.code ?? NAMED[chord.key] ?? chord.key
  if (!CODES.has(code)) return undefined
  const held: string[] = []
  if (chord.ctrl) held.push('ControlLeft')
  if (chord.alt) held.push('AltLeft')
  if (chord.shift || printed?.shift) held.push('ShiftLeft')
  const down = [...held, code].flatMap((key) => scanCodes(key, true)!)
  const up = [code, ...held.reverse()].flatMap((key) => scanCodes(key, false)!)
  return [...down, ...up]
}
