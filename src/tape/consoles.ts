/** The consoles that a tape can turn to: what each shows, and how keys get to it. */
import { cp437 } from '#lib/cp437.ts'
import { utf8Encode } from '#lib/utf8.ts'
import type { Input, SerialLine, TextScreen } from '#protocol/machine.ts'
import type { SyncMachine } from '#protocol/sync-machine.ts'
import { chordScanCodes } from './keyboard.ts'
import { type Chord, plainKey, serialBytes } from './keys.ts'
import { Screen } from './screen.ts'

export interface TapeConsole {
  readonly name: string
  rows(): string[]
  /** The row with the cursor, without trailing blanks. */
  line(): string
  /** The same two where a line that wrapped over several rows is one line. */
  lines(): string[]
  wholeLine(): string
  /** Changes whenever what is shown may have. */
  version(): number
  /** One key, pressed and released. Empty: that key sends nothing here. */
  press(chord: Chord): Input | undefined
  paste(text: string): Input[]
}

/** A terminal at the other end of a serial line. What it answers to queries collects in `answers`. */
export class SerialConsole implements TapeConsole {
  readonly name: SerialLine
  readonly screen: Screen
  /** Answers that have not been sent yet. */
  readonly answers: number[] = []

  constructor(line: SerialLine) {
    this.name = line
    this.screen = new Screen({ answer: (bytes) => this.answers.push(...bytes) })
  }

  rows(): string[] {
    return this.screen.rows()
  }

  line(): string {
    return this.screen.line()
  }

  lines(): string[] {
    return this.screen.lines()
  }

  wholeLine(): string {
    return this.screen.wholeLine()
  }

  version(): number {
    return this.screen.version
  }

  press(chord: Chord): Input | undefined {
    return this.#input(serialBytes(chord, this.screen.applicationCursor))
  }

  paste(text: string): Input[] {
    const input = this.#input([...utf8Encode(text)])
    return input ? [input] : []
  }

  takeAnswers(): Input | undefined {
    return this.#input(this.answers.splice(0))
  }

  #input(bytes: readonly number[]): Input | undefined {
    return bytes.length > 0 ? { kind: 'serial', line: this.name, bytes } : undefined
  }
}

/** The text of a VGA screen, a row a string, without trailing blanks. */
export function textRows({ columns, rows, cells }: TextScreen): string[] {
  return Array.from({ length: rows }, (_, row) => {
    let text = ''
    for (let column = 0; column < columns; column++) text += cp437(cells[(row * columns + column) * 2]!)
    return text.replace(/[ \u00a0]+$/, '')
  })
}

export class MonitorConsole implements TapeConsole {
  readonly name = 'monitor'
  readonly #machine: SyncMachine
  #asked = 0

  constructor(machine: SyncMachine) {
    this.#machine = machine
  }

  rows(): string[] {
    return textRows(this.#machine.screen())
  }

  line(): string {
    const screen = this.#machine.screen()
    return textRows(screen)[screen.cursor.row] ?? ''
  }

  /** A VGA screen does not know where a line wrapped. */
  lines(): string[] {
    return this.rows()
  }

  wholeLine(): string {
    return this.line()
  }

  /** Cells change behind our back: always look again. */
  version(): number {
    return this.#asked++
  }

  press(chord: Chord): Input | undefined {
    const scancodes = chordScanCodes(chord)
    return scancodes && { kind: 'keyboard', scancodes }
  }

  paste(text: string): Input[] {
    return [...text].flatMap((character) => this.press(plainKey(character)) ?? [])
  }
}
