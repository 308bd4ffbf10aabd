/** From scan codes to characters (Linux 2.6.18: drivers/char/keyboard.c with atkbd.c's set 1): shift states, locks, LEDs, the keypad. */
import { bytesOfString } from '#lib/utf8.ts'
import { EXTENDED, type Key, type KeyAction, makeKeymap } from './keymap.ts'

/** What the keyboard works on: the terminal in front, and the machine. */
export interface KeyboardSink {
  type(bytes: Uint8Array): void
  readonly cursorKeysApplication: boolean
  readonly keypadApplication: boolean
  readonly newLineMode: boolean
  switchTo(console: number): void
  step(direction: 1 | -1): void
  last(): void
  /** Scroll lock holds the terminal, or lets it go on. */
  hold(): void
  /** Control-Alt-Del. */
  boot(): void
  setLeds(leds: number): void
}

const SCAN_EXTENDED = 0xe0
const SCAN_PAUSE = 0xe1
const LED_SCROLL = 1
const LED_NUM = 2
const LED_CAPS = 4

type Modifier = 'shift' | 'control' | 'alt' | 'altgr'

export class Keyboard {
  readonly #sink: KeyboardSink
  readonly #keys: ReadonlyMap<number, Key> = makeKeymap()
  /** Keys that are down, by scan code, of the modifiers. */
  readonly #down = new Map<number, Modifier>()
  #extended = false
  /** Bytes of a pause key's sequence that are still to come. */
  #pause = 0
  leds = 0
  /** Alt and digits of the keypad: a character's number. */
  #composed = -1

  constructor(sink: KeyboardSink) {
    this.#sink = sink
  }

  /** As TIOCLINUX tells it: shift, AltGr, control, alt. */
  get shiftState(): number {
    return (
      (this.#has('shift') ? 1 : 0) |
      (this.#has('altgr') ? 2 : 0) |
      (this.#has('control') ? 4 : 0) |
      (this.#has('alt') ? 8 : 0)
    )
  }

  #has(modifier: Modifier): boolean {
    for (const held of this.#down.values()) if (held === modifier) return true
    return false
  }

  /** One byte from the controller. */
  scan(byte: number): void {
    if (this.#pause > 0) {
      if (--this.#pause === 0) this.#send('\x1b[P')
      return
    }
    if (byte === SCAN_PAUSE) {
      // e1 1d 45, and e1 9d c5 when it is released, which it is at once.
      this.#pause = 2
      return
    }
    if (byte === SCAN_EXTENDED) {
      this.#extended = true
      return
    }
    const released = (byte & 0x80) !== 0
    const scan = (byte & 0x7f) | (this.#extended ? EXTENDED : 0)
    const extended = this.#extended
    this.#extended = false
    // Shifts that an extended key pretends to have pressed.
    if (extended && ((byte & 0x7f) === 0x2a || (byte & 0x7f) === 0x36)) return
    const key = this.#keys.get(scan)
    if (released) this.#release(scan)
    else if (key) this.#press(scan, key)
  }

  #release(scan: number): void {
    const modifier = this.#down.get(scan)
    this.#down.delete(scan)
    if (modifier === 'alt' && this.#composed >= 0 && !this.#has('alt')) {
      this.#sink.type(Uint8Array.of(this.#composed & 255))
      this.#composed = -1
    }
  }

  #press(scan: number, key: Key): void {
    const control = this.#has('control')
    const alt = this.#has('alt')
    const special = control && (alt || this.#has('altgr')) ? key.controlAlt : alt ? key.alt : undefined
    if (special) {
      this.#act(scan, special)
      return
    }
    if (key.action) {
      this.#act(scan, key.action)
      return
    }
    let shifted = this.#has('shift')
    if (key.letter && (this.leds & LED_CAPS) !== 0) shifted = !shifted
    const text = control ? key.control : shifted ? key.shifted : key.plain
    if (text === undefined) return
    // K_META: escape in front.
    this.#send(alt && text.length === 1 ? `\x1b${text}` : text)
  }

  #send(text: string): void {
    this.#sink.type(bytesOfString(text))
  }

  #act(scan: number, action: KeyAction): void {
    const sink = this.#sink
    switch (action) {
      case 'shift':
      case 'control':
      case 'alt':
      case 'altgr':
        this.#down.set(scan, action)
        return
      case 'caps':
        this.#lock(LED_CAPS)
        return
      case 'num':
        if (sink.keypadApplication) this.#send('\x1bOP')
        else this.#lock(LED_NUM)
        return
      case 'scroll':
        this.#lock(LED_SCROLL)
        sink.hold()
        return
      case 'enter':
        this.#send((this.#has('alt') ? '\x1b' : '') + (sink.newLineMode ? '\r\n' : '\r'))
        return
      case 'boot':
        sink.boot()
        return
      case 'previous':
        sink.step(-1)
        return
      case 'next':
        sink.step(1)
        return
      case 'last':
        sink.last()
        return
      default:
        if (action.startsWith('console ')) sink.switchTo(Number(action.slice(8)))
        else if (action.startsWith('cursor ')) this.#cursor(action.slice(7))
        else if (action.startsWith('pad ')) this.#pad(action[4]!, action.slice(5))
    }
  }

  #lock(led: number): void {
    this.leds ^= led
    this.#sink.setLeds(this.leds)
  }

  #cursor(letter: string): void {
    this.#send(`\x1b${this.#sink.cursorKeysApplication ? 'O' : '['}${letter}`)
  }

  /** k_pad: digits with num lock, or the key that is printed below them. */
  #pad(digit: string, key: string): void {
    const isDigit = digit >= '0' && digit <= '9'
    if (isDigit && this.#has('alt')) {
      this.#composed = (this.#composed < 0 ? 0 : this.#composed) * 10 + Number(digit)
      return
    }
    if (this.#sink.keypadApplication && !this.#has('shift')) {
      const code = APPLICATION_PAD[digit]
      if (code) this.#send(`\x1bO${code}`)
      return
    }
    if (digit === '\r') {
      this.#send(this.#sink.newLineMode ? '\r\n' : '\r')
      return
    }
    if (key === '' || (this.leds & LED_NUM) !== 0) this.#send(digit)
    else if (key.length === 1) this.#cursor(key)
    else this.#send(`\x1b${key}`)
  }
}

/** app_map. */
const APPLICATION_PAD: Readonly<Record<string, string>> = {
  '0': 'p',
  '1': 'q',
  '2': 'r',
  '3': 's',
  '4': 't',
  '5': 'u',
  '6': 'v',
  '7': 'w',
  '8': 'x',
  '9': 'y',
  '.': 'n',
  '+': 'l',
  '-': 'S',
  '*': 'R',
  '/': 'Q',
  '\r': 'M',
}
