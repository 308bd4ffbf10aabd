/**
 * The consoles of the machine itself: serial lines and the monitor. Each keeps a screen of its own, the one that tapes use, so that an answer never
 * depends on what a page draws.
 */
import { utf8Encode } from '#lib/utf8.ts'
import type { Input, SerialLine } from '#protocol/machine.ts'
import type { Console } from '#protocol/playground.ts'
import { SerialConsole, textRows } from '#tape/consoles.ts'
import { chordScanCodes } from '#tape/keyboard.ts'
import { type Chord, parseChord, plainKey } from '#tape/keys.ts'
import { bytes as checkedBytes, listener as checkedListener, text as checkedText, named, sent } from './check.ts'
import { createHearing, waitsFor } from './hearing.ts'
import type { PlaygroundHost } from './host.ts'

const ENTER = 0x0d

export function chordNamed(name: unknown): Chord {
  const chord = parseChord(checkedText('key', name))
  if (!chord) throw new RangeError(`no such key: ${named(name)}`)
  return chord
}

/** What `write` sends. */
export const written = (data: unknown): Uint8Array =>
  typeof data === 'string' ? utf8Encode(sent('write', data)) : sent('write', checkedBytes('write', data))

export function typed(line: unknown): Uint8Array {
  const text = utf8Encode(sent('type', checkedText('type', line)))
  const bytes = new Uint8Array(text.length + 1)
  bytes.set(text)
  bytes[text.length] = ENTER
  return bytes
}

export function serialConsole(line: SerialLine, host: PlaygroundHost): Console {
  const shown: SerialConsole = new SerialConsole(line)
  const hearing = createHearing()
  host.onSerial((from, bytes) => {
    if (from !== line) return
    shown.screen.write(bytes)
    // The terminal on the page answers queries; this one only watches.
    shown.takeAnswers()
    hearing.hear(bytes)
  })
  function send(bytes: readonly number[]): void {
    hearing.forget()
    if (bytes.length > 0) host.input({ kind: 'serial', line, bytes })
  }
  const pressed = (input: Input | undefined): readonly number[] => (input?.kind === 'serial' ? input.bytes : [])
  return {
    id: line,
    async write(data) {
      send([...written(data)])
    },
    async type(text) {
      send([...typed(text)])
    },
    async key(name) {
      send(pressed(shown.press(chordNamed(name))))
    },
    waitFor: waitsFor(hearing.text, hearing.onNews, host.timers),
    screen: async () => shown.rows(),
    onData(listener) {
      checkedListener(listener)
      return host.onSerial((from, bytes) => from === line && listener(bytes))
    },
  }
}

export function monitorConsole(host: PlaygroundHost): Console {
  const rows = (): string[] => {
    const screen = host.screen()
    return screen ? textRows(screen) : []
  }
  /** Nothing is pressed unless everything can be. */
  const press = (...chords: readonly Chord[]): void => {
    const scancodes = chords.map((chord) => {
      const codes = chordScanCodes(chord)
      if (!codes) throw new RangeError(`the keyboard has no key for ${chord.key}`)
      return codes
    })
    for (const codes of scancodes) host.input({ kind: 'keyboard', scancodes: codes })
  }
  const keys = (text: string): Chord[] =>
    [...text].map((character) => plainKey(character === '\n' || character === '\r' ? 'Enter' : character))
  return {
    id: 'monitor',
    async write(data) {
      if (typeof data !== 'string') throw new TypeError('the monitor has a keyboard: write text, not bytes')
      press(...keys(sent('write', data)))
    },
    async type(text) {
      press(...keys(sent('type', checkedText('type', text))), plainKey('Enter'))
    },
    async key(name) {
      press(chordNamed(name))
    },
    waitFor: waitsFor(
      () => rows().join('\n'),
      (listener) => host.onScreen(listener),
      host.timers,
    ),
    screen: async () => rows(),
    onData(listener) {
      checkedListener(listener)
      return () => {}
    },
  }
}
