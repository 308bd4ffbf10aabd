/** Normal mode: counts, registers, and the commands that are no operators (those are in operators.ts). */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { clock_gettime } from '../../libc/syscall.ts'
import { type Editor, Failed } from './editor.ts'
import { exCommand, exPrompt } from './ex.ts'
import { fileInfo } from './ex-files.ts'
import { insertMode } from './insert.ts'
import { firstNonBlank } from './motions.ts'
import { motion } from './move.ts'
import { join, put, swapCase } from './operate.ts'
import { COUNT_MAX, operator, SYNONYMS } from './operators.ts'
import { visual } from './visual.ts'

/** One command. */
export function* normalCommand(ed: Editor): Sys<void> {
  ed.recorded = []
  const [count, register, key] = yield* prefix(ed)
  ed.buffer.begin(ed.cursor)
  if (key === '.') return yield* repeat(ed, count)
  /** Keys behind the count: `.` brings its own. */
  const beforeKey = ed.recorded.length - 1
  const head = ed.recorded.slice(0, beforeKey).filter((k, i, all) => k === '"' || all[i - 1] === '"')
  const n = count ?? 1
  const changed = yield* run()
  ed.clamp()
  yield* ed.commit()
  if (changed) ed.dot = [...head, ...digits(count), ...ed.recorded.slice(beforeKey)]

  /** True: a change, which `.` repeats. */
  function* run(): Sys<boolean> {
    if (ed.mode.startsWith('visual')) {
      const done = yield* visual(ed, key, register, count)
      if (done !== undefined) return false
    }
    if ('dcy<>'.includes(key) && key.length === 1) return yield* operator(ed, key, register, count)
    const synonym = SYNONYMS.get(key)
    if (synonym) return yield* operator(ed, synonym[0]!, register, count, synonym[1])
    if (yield* change(ed, key, register, n, count)) return true
    const moved = yield* motion(ed, key, count, '')
    if (moved) {
      ed.moveTo(moved.to, moved.keepWant)
      return false
    }
    yield* other(ed, key, n, count)
    return false
  }
}

const digits = (count: number | undefined): string[] => (count === undefined ? [] : String(count).split(''))

/** Counts and register names, in any order, and the key behind them. */
function* prefix(ed: Editor): Sys<[count: number | undefined, register: string | undefined, key: string]> {
  let count: number | undefined
  let register: string | undefined
  for (;;) {
    const key = yield* ed.key()
    if (key === '"') {
      register = yield* ed.charKey()
      if (!/^[A-Za-z0-9"_-]$/.test(register)) throw new Failed()
    } else if (key >= '0' && key <= '9' && key.length === 1 && (key !== '0' || count !== undefined))
      count = Math.min(COUNT_MAX, (count ?? 0) * 10 + Number(key))
    else return [count, register, key]
  }
}

function* repeat(ed: Editor, count: number | undefined): Sys<void> {
  if (ed.dot.length === 0) throw new Failed()
  const keys = [...ed.dot]
  if (count !== undefined) {
    // A new count takes the old one's place.
    const at = keys[0] === '"' ? 2 : 0
    while (at < keys.length && /^[0-9]$/.test(keys[at]!)) keys.splice(at, 1)
    keys.splice(at, 0, ...digits(count))
  }
  ed.queue = keys
  try {
    yield* normalCommand(ed)
  } finally {
    ed.queue = []
  }
}

/** Commands that change text and take no motion; false: `key` is none. */
function* change(
  ed: Editor,
  key: string,
  register: string | undefined,
  n: number,
  count: number | undefined,
): Sys<boolean> {
  const { line, col } = ed.cursor
  switch (key) {
    case 'i':
    case 'Insert':
      yield* insertMode(ed, n)
      return true
    case 'a':
      ed.cursor = { line, col: Math.min(ed.text.length, col + 1) }
      yield* insertMode(ed, n)
      return true
    case 'I':
      ed.cursor = { line, col: ed.text.trim() === '' ? ed.text.length : firstNonBlank(ed.text) }
      yield* insertMode(ed, n)
      return true
    case 'A':
      ed.cursor = { line, col: ed.text.length }
      yield* insertMode(ed, n)
      return true
    case 'o':
    case 'O': {
      const at = key === 'o' ? line + 1 : line
      const indent = ed.set.autoindent ? ed.text.slice(0, ed.text.length - ed.text.trimStart().length) : ''
      ed.buffer.replace(at, 0, [indent])
      ed.cursor = { line: at, col: indent.length }
      yield* insertMode(ed, 1)
      return true
    }
    case 'R':
      yield* insertMode(ed, n, true)
      return true
    case 'r': {
      const char = yield* ed.charKey()
      if (col + n > ed.text.length) throw new Failed()
      if (char === '\r') {
        ed.buffer.replace(line, 1, [ed.text.slice(0, col), ed.text.slice(col + n)])
        ed.moveTo({ line: line + 1, col: 0 })
      } else {
        ed.buffer.setLine(line, ed.text.slice(0, col) + char.repeat(n) + ed.text.slice(col + n))
        ed.moveTo({ line, col: col + n - 1 })
      }
      return true
    }
    case 'J':
      join(ed, line, Math.max(2, count ?? 2))
      ed.moveTo(ed.cursor)
      return true
    case '~':
      swapCase(ed, n)
      ed.moveTo(ed.cursor)
      return true
    case 'p':
    case 'P':
      put(ed, ed.getRegister(register), key === 'p', n)
      ed.moveTo(ed.cursor)
      return true
    case '&':
      yield* exCommand(ed, 's')
      return true
    default:
      return false
  }
}

/** Scrolling, undoing, marks, files: all the rest. */
function* other(ed: Editor, key: string, n: number, count: number | undefined): Sys<void> {
  const { view, lines } = ed
  const half = Math.max(1, Math.floor(view.height / 2))
  const last = lines.length - 1
  switch (key) {
    case 'u':
    case '\x12': {
      const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
      for (let i = 0; i < n; i++) {
        const done = key === 'u' ? ed.buffer.undo(seconds) : ed.buffer.redo(seconds)
        if (!done) {
          ed.say(key === 'u' ? 'Already at oldest change' : 'Already at newest change')
          return
        }
        ed.moveTo(done[0])
        ed.say(done[1])
      }
      return
    }
    case 'm': {
      const name = yield* ed.charKey()
      if (!/^[a-zA-Z'`]$/.test(name)) throw new Failed()
      ed.buffer.marks.set(name === '`' ? "'" : name, ed.cursor)
      return
    }
    case '\x06':
    case 'PageDown': {
      const bottom = view.bottomLine(lines)
      if (view.top >= last) throw new Failed()
      view.top = Math.min(last, Math.max(view.top + 1, bottom - 1 + (n - 1) * (view.height - 2)))
      return ed.moveTo({ line: Math.max(ed.cursor.line, view.top), col: 0 }, true)
    }
    case '\x02':
    case 'PageUp': {
      if (view.top === 0) throw new Failed()
      view.place(lines, Math.max(0, view.top + 1 - (n - 1) * (view.height - 2)), 'bottom')
      return ed.moveTo({ line: Math.min(ed.cursor.line, view.bottomLine(lines)), col: ed.cursor.col })
    }
    case '\x04':
    case '\x15': {
      const by = count ?? half
      const down = key === '\x04'
      if (down ? ed.cursor.line >= last : ed.cursor.line === 0) throw new Failed()
      const before = view.top
      if (down) view.top = Math.max(view.top, Math.min(view.top + by, Math.max(0, last - view.height + 1)))
      else view.top = Math.max(0, view.top - by)
      const moved = Math.max(by, Math.abs(view.top - before))
      const line = Math.max(0, Math.min(last, ed.cursor.line + (down ? moved : -moved)))
      return ed.moveTo({ line, col: firstNonBlank(lines[line]!) })
    }
    case '\x05':
      if (view.top >= last) throw new Failed()
      view.top = Math.min(last, view.top + n)
      return ed.moveTo({ line: Math.max(ed.cursor.line, view.top), col: ed.cursor.col }, true)
    case '\x19':
      if (view.top === 0) throw new Failed()
      view.top = Math.max(0, view.top - n)
      return ed.moveTo({ line: Math.min(ed.cursor.line, view.bottomLine(lines)), col: ed.cursor.col }, true)
    case 'z': {
      const where = yield* ed.key()
      if (count !== undefined) ed.moveTo({ line: Math.min(last, count - 1), col: ed.cursor.col })
      if (where === 'z' || where === '.') view.place(lines, ed.cursor.line, 'middle')
      else if (where === 't' || where === '\r') view.place(lines, ed.cursor.line, 'top')
      else if (where === 'b' || where === '-') view.place(lines, ed.cursor.line, 'bottom')
      else throw new Failed()
      if (where === '.' || where === '\r' || where === '-') ed.moveTo({ ...ed.cursor, col: firstNonBlank(ed.text) })
      return
    }
    case '\x0c':
      ed.terminal.display.invalidate()
      return
    case '\x07':
      return ed.say(fileInfo(ed))
    case ':':
      return yield* exPrompt(ed, count === undefined ? '' : count === 1 ? '.' : `.,.+${count - 1}`)
    case 'Z': {
      const next = yield* ed.key()
      if (next === 'Z') return yield* exCommand(ed, 'x')
      if (next === 'Q') return yield* exCommand(ed, 'q!')
      throw new Failed()
    }
    case '\x1a':
      return yield* ed.terminal.suspend()
    case 'v':
    case 'V':
      ed.mode = key === 'v' ? 'visual' : 'visual-line'
      ed.anchor = ed.cursor
      ed.message = ''
      return
    case '\x03':
      return ed.say('Type  :quit<Enter>  to exit Vim')
    default:
      throw new Failed()
  }
}
