/**
 * INT 9 and INT 16h: scan codes of set 1 to (scan code << 8 | ASCII), US layout, as IBM's BIOS translates them for INT 16h AH=00h (the
 * grey keys look like those of the 83-key keyboard: ASCII 0). Shift state lies in the BIOS data area.
 */
import type { Mem } from '#abi/mem.ts'
import { I8042_DATA, I8042_STATUS, I8042_STATUS_OBF } from '#abi/pc/i8042.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { BDA_SHIFT_FLAGS, BDA_WARM_BOOT, pushKey, takeKey, WARM_BOOT_MAGIC } from './data-area.ts'

export interface Keyboard {
  /** The keyboard interrupt: take what the controller holds. */
  serve(): void
  readKey(): number | undefined
  shiftFlags(): number
}

const RIGHT_SHIFT = 0x01
const LEFT_SHIFT = 0x02
const CONTROL = 0x04
const ALT = 0x08
const NUM_LOCK = 0x20
const CAPS_LOCK = 0x40
/** In the second flags byte's neighbour at 0x496: the last code was E0. */
const BDA_KEYBOARD_MODE = 0x496
const LAST_WAS_E0 = 0x02
const LAST_WAS_E1 = 0x01

const PLAIN = "\0\x1b1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 "
const SHIFTED = '\0\x1b!@#$%^&*()_+\b\0QWERTYUIOP{}\r\0ASDFGHJKL:"~\0|ZXCVBNM<>?\0*\0 '
/** Keypad keys 0x47 to 0x53 with Num Lock. */
const KEYPAD = '789-456+1230.'
const KEYPAD_FROM = 0x47
const KEYPAD_TO = 0x53

const SCAN_TAB = 0x0f
const SCAN_CONTROL = 0x1d
const SCAN_LEFT_SHIFT = 0x2a
const SCAN_RIGHT_SHIFT = 0x36
const SCAN_ALT = 0x38
const SCAN_CAPS_LOCK = 0x3a
const SCAN_F1 = 0x3b
const SCAN_F10 = 0x44
const SCAN_NUM_LOCK = 0x45
const SCAN_F11 = 0x57
const SCAN_F12 = 0x58
const SCAN_DELETE = 0x53

/** With control, what is neither a letter nor listed here gives nothing: scan code to key. */
const CONTROL_KEYS: Readonly<Record<number, number>> = {
  1: 0x011b,
  3: 0x0300,
  7: 0x071e,
  12: 0x0c1f,
  14: 0x0e7f,
  15: 0x9400,
  26: 0x1a1b,
  27: 0x1b1d,
  28: 0x1c0a,
  43: 0x2b1c,
  57: 0x3920,
  71: 0x7700,
  73: 0x8400,
  75: 0x7300,
  77: 0x7400,
  79: 0x7500,
  81: 0x7600,
}

export function keyboard(mem: Mem, io: PortIo, reboot: () => void, servePending: () => void): Keyboard {
  const flags = (): number => mem.read8(BDA_SHIFT_FLAGS)

  function setFlag(bit: number, on: boolean): void {
    mem.write8(BDA_SHIFT_FLAGS, on ? flags() | bit : flags() & ~bit)
  }

  /** Shift and lock keys. True where `code` was one. */
  function modifier(code: number, released: boolean, extended: boolean): boolean {
    switch (code) {
      case SCAN_LEFT_SHIFT:
      case SCAN_RIGHT_SHIFT:
        // E0 2A and E0 36 are the fake shifts around grey keys.
        if (!extended) setFlag(code === SCAN_LEFT_SHIFT ? LEFT_SHIFT : RIGHT_SHIFT, !released)
        return true
      case SCAN_CONTROL:
        setFlag(CONTROL, !released)
        return true
      case SCAN_ALT:
        setFlag(ALT, !released)
        return true
      case SCAN_CAPS_LOCK:
      case SCAN_NUM_LOCK:
        if (!released) mem.write8(BDA_SHIFT_FLAGS, flags() ^ (code === SCAN_CAPS_LOCK ? CAPS_LOCK : NUM_LOCK))
        return true
      default:
        return false
    }
  }

  function byte(value: number): void {
    if (value === 0xe0 || value === 0xe1) {
      mem.write8(BDA_KEYBOARD_MODE, value === 0xe0 ? LAST_WAS_E0 : LAST_WAS_E1)
      return
    }
    const mode = mem.read8(BDA_KEYBOARD_MODE)
    // Pause is E1 1D 45: its control goes by unheard, and so does its Num Lock.
    mem.write8(BDA_KEYBOARD_MODE, mode & LAST_WAS_E1 && (value & 0x7f) === SCAN_CONTROL ? LAST_WAS_E1 : 0)
    if (mode & LAST_WAS_E1) return
    const extended = (mode & LAST_WAS_E0) !== 0
    const released = (value & 0x80) !== 0
    const code = value & 0x7f
    if (modifier(code, released, extended) || released) return
    const state = flags()
    if (code === SCAN_DELETE && (state & (CONTROL | ALT)) === (CONTROL | ALT)) {
      mem.write16(BDA_WARM_BOOT, WARM_BOOT_MAGIC)
      reboot()
      return
    }
    const key = translate(code, state, extended)
    if (key !== undefined) pushKey(mem, key)
  }

  return {
    serve() {
      if (io.in8(I8042_STATUS) & I8042_STATUS_OBF) byte(io.in8(I8042_DATA))
    },
    readKey() {
      servePending()
      return takeKey(mem)
    },
    shiftFlags() {
      servePending()
      return flags() & 0x0f
    },
  }
}

/** A make code to a key, or undefined where the combination means nothing. */
export function translate(code: number, flags: number, extended: boolean): number | undefined {
  const shift = (flags & (LEFT_SHIFT | RIGHT_SHIFT)) !== 0
  if (code >= SCAN_F1 && code <= SCAN_F10) {
    const n = code - SCAN_F1
    return (flags & ALT ? 0x68 + n : flags & CONTROL ? 0x5e + n : shift ? 0x54 + n : code) << 8
  }
  if (code === SCAN_F11 || code === SCAN_F12) {
    const n = code - SCAN_F11
    return (flags & ALT ? 0x8b + n : flags & CONTROL ? 0x89 + n : shift ? 0x87 + n : 0x85 + n) << 8
  }
  const character = PLAIN.charCodeAt(code)
  const letter = code < PLAIN.length && character >= 0x61 && character <= 0x7a
  if (flags & ALT) return letter ? code << 8 : altKey(code)
  if (flags & CONTROL) return letter ? (code << 8) | (character & 0x1f) : CONTROL_KEYS[code]
  if (code >= KEYPAD_FROM && code <= KEYPAD_TO) return keypad(code, shift, extended, flags)
  if (code >= PLAIN.length) return undefined
  if (extended) {
    // Grey Enter and grey slash look like the others.
    return character === 13 || character === 0x2f ? (code << 8) | character : undefined
  }
  if (code === SCAN_TAB && shift) return SCAN_TAB << 8
  const upper = letter && flags & CAPS_LOCK ? !shift : shift
  const ascii = (upper ? SHIFTED : PLAIN).charCodeAt(code)
  return ascii === 0 ? undefined : (code << 8) | ascii
}

function keypad(code: number, shift: boolean, extended: boolean, flags: number): number | undefined {
  const character = KEYPAD[code - KEYPAD_FROM]!
  if (!extended && (character === '-' || character === '+')) return (code << 8) | character.charCodeAt(0)
  const numeric = !extended && shift !== ((flags & NUM_LOCK) !== 0)
  if (numeric) return (code << 8) | character.charCodeAt(0)
  // The middle of the keypad means nothing without Num Lock.
  return character === '5' ? undefined : code << 8
}

/** Alt with the digit row and what stands beside it: 0x78 on. */
const altKey = (code: number): number | undefined => (code >= 2 && code <= 13 ? (0x76 + code) << 8 : undefined)
