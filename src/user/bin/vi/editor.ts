/** vi's state, and what all its commands share: keys, messages, registers, the cursor. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { Heap } from '../../libc/heap.ts'
import { clock_gettime } from '../../libc/syscall.ts'
import { NORMAL, REVERSE } from '../../terminal/display.ts'
import type { Key } from '../../terminal/keys.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { Buffer, type Pos } from './buffer.ts'
import { History } from './history.ts'
import { View } from './view.ts'

export interface Register {
  readonly lines: readonly string[]
  readonly linewise: boolean
}

/** A command does not apply here: a bell, and what was typed ahead by a repetition is forgotten. */
export class Failed extends Error {}
/** A command does not apply, and says why: `E486: Pattern not found: x`. */
export class ViError extends Error {}
/** Leave with this status. */
export class Quit extends Error {
  readonly status: number
  constructor(status: number) {
    super('quit')
    this.status = status
  }
}

export interface Search {
  readonly pattern: string
  readonly forward: boolean
}

export class Editor {
  readonly buffer = new Buffer()
  readonly view: View
  readonly terminal: Terminal
  readonly env: readonly string[]
  readonly heap = new Heap()
  readonly registers = new Map<string, Register>()
  cursor: Pos = { line: 0, col: 0 }
  /** The column that j and k try to keep; Infinity after $. */
  want = 0
  mode: 'normal' | 'insert' | 'replace' | 'visual' | 'visual-line' = 'normal'
  /** Where visual mode began. */
  anchor: Pos = { line: 0, col: 0 }
  /** The file, its argument list and what is known of it. */
  file: string | undefined
  files: readonly string[] = []
  fileIndex = 0
  readonly = false
  newFile = false
  noEol = false
  readonly set = { ignorecase: false, autoindent: false, wrapscan: true, expandtab: false, shiftwidth: 8, ruler: true }
  lastSearch: Search | undefined
  readonly searchHistory = new History()
  readonly commandHistory = new History()
  lastFind: { readonly how: string; readonly char: string } | undefined
  lastSubstitute: { pattern: string; replacement: string; flags: string } | undefined
  lastShell: string | undefined
  /** Keys of the last change, and of the command that is being typed. */
  dot: readonly Key[] = []
  recorded: Key[] = []
  /** Keys that `.` presses. */
  queue: Key[] = []
  message = ''
  messageLook = NORMAL
  /** What is being typed on the bottom row, and where its cursor is. */
  commandLine: { readonly text: string; readonly cursor: number } | undefined
  #charged = 0

  constructor(terminal: Terminal, env: readonly string[]) {
    this.terminal = terminal
    this.env = env
    this.view = new View(terminal.display)
  }

  get lines(): readonly string[] {
    return this.buffer.lines
  }

  get text(): string {
    return this.buffer.lines[this.cursor.line]!
  }

  get inserting(): boolean {
    return this.mode === 'insert' || this.mode === 'replace'
  }

  say(message: string): void {
    this.message = message
    this.messageLook = NORMAL
  }

  complain(message: string): void {
    this.message = message
    this.messageLook = REVERSE
  }

  /** The next key; the screen is drawn when nothing is waiting. */
  *key(): Sys<Key> {
    const repeated = this.queue.shift()
    if (repeated !== undefined) {
      this.recorded.push(repeated)
      return repeated
    }
    for (;;) {
      if (!(yield* this.terminal.ready())) yield* this.draw()
      const key = yield* this.terminal.key()
      if (key === 'Resize') continue
      if (key === 'Eof') throw new Quit(1)
      this.recorded.push(key)
      return key
    }
  }

  /** A character that is taken as it is (after r, f, m...). ESC: none. */
  *charKey(): Sys<string> {
    const key = yield* this.key()
    if (key === '\x1b' || key.length !== 1) throw new Failed()
    return key === '\x16' ? yield* this.literal() : key
  }

  /** After ^V: the next byte, or three decimal digits. */
  *literal(): Sys<string> {
    let code = 0
    for (let digits = 0; digits < 3; digits++) {
      const key = yield* this.key()
      if (key < '0' || key > '9' || key.length !== 1) {
        if (digits === 0) return key.length === 1 ? (key === '\r' ? '\r' : key) : ''
        this.queue.unshift(key)
        this.recorded.pop()
        break
      }
      code = code * 10 + Number(key)
    }
    return String.fromCharCode(Math.min(code, 255))
  }

  *draw(): Sys<void> {
    yield* this.charge()
    this.clamp()
    this.view.follow(this.lines, this.cursor.line)
    const showmode =
      this.mode === 'insert'
        ? '-- INSERT --'
        : this.mode === 'replace'
          ? '-- REPLACE --'
          : this.mode === 'visual'
            ? '-- VISUAL --'
            : this.mode === 'visual-line'
              ? '-- VISUAL LINE --'
              : ''
    const command = this.commandLine
    const { columns } = this.terminal.display
    const over = command ? Math.max(0, command.text.length - columns + 1) : 0
    this.view.draw({
      lines: this.lines,
      cursor: this.cursor,
      inserting: this.inserting,
      selection: this.mode.startsWith('visual') ? this.selection() : undefined,
      bottom: command ? command.text.slice(over) : this.message !== '' ? this.message : showmode,
      bottomLook: command ? NORMAL : this.message !== '' ? this.messageLook : '1',
      commandColumn: command ? Math.max(0, command.cursor - over) : undefined,
      ruler: this.set.ruler && !command,
    })
    yield* this.terminal.display.flush()
  }

  selection(): readonly [Pos, Pos, boolean] {
    const [a, b] = [this.anchor, this.cursor]
    const forward = a.line < b.line || (a.line === b.line && a.col <= b.col)
    return [forward ? a : b, forward ? b : a, this.mode === 'visual-line']
  }

  /** Pay for what the text has grown by. */
  *charge(): Sys<void> {
    const now = this.buffer.bytes
    if (now > this.#charged) {
      yield* this.heap.keep(now - this.#charged)
      this.#charged = now
    }
  }

  /** The cursor is on a character. */
  clamp(): void {
    const line = Math.max(0, Math.min(this.cursor.line, this.lines.length - 1))
    const length = this.lines[line]!.length
    const last = this.inserting ? length : Math.max(0, length - 1)
    const col = Math.max(0, Math.min(this.cursor.col, last))
    if (line !== this.cursor.line || col !== this.cursor.col) this.cursor = { line, col }
  }

  moveTo(pos: Pos, keepWant = false): void {
    this.cursor = pos
    this.clamp()
    if (!keepWant) this.want = this.cursor.col
  }

  *commit(): Sys<void> {
    const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
    this.buffer.commit(seconds)
  }

  /** For messages: vim's 'report' is 2. */
  sayLines(count: number, what: string): void {
    if (count > 2) this.say(`${count} ${what}`)
  }

  getRegister(name: string | undefined): Register {
    const register = this.registers.get((name ?? '"').toLowerCase())
    if (register) return register
    if (name === undefined || name === '"') throw new ViError('E353: Nothing in register "')
    throw new ViError(`E353: Nothing in register ${name}`)
  }

  /** Where yanked and deleted text goes. */
  setRegister(name: string | undefined, register: Register, deleted: boolean): void {
    if (name === '_') return
    if (name !== undefined && name !== '"') {
      const lower = name.toLowerCase()
      const old = name === lower ? undefined : this.registers.get(lower)
      this.registers.set(lower, old ? appended(old, register) : register)
    } else if (!deleted) this.registers.set('0', register)
    else if (!register.linewise && register.lines.length === 1) this.registers.set('-', register)
    if (deleted && (register.linewise || register.lines.length > 1)) {
      for (let i = 9; i > 1; i--) {
        const before = this.registers.get(String(i - 1))
        if (before) this.registers.set(String(i), before)
      }
      this.registers.set('1', register)
    }
    this.registers.set('"', name === undefined || name === '"' ? register : this.registers.get(name.toLowerCase())!)
  }
}

function appended(old: Register, more: Register): Register {
  if (old.linewise || more.linewise) return { lines: [...old.lines, ...more.lines], linewise: true }
  const lines = [...old.lines]
  const last = lines.pop() ?? ''
  return { lines: [...lines, last + (more.lines[0] ?? ''), ...more.lines.slice(1)], linewise: false }
}
