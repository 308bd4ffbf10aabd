/** Typing text: insert mode and replace mode, until ESC. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Editor } from './editor.ts'
import { firstNonBlank } from './motions.ts'

/** Typed with the keys that began it; `count` times over when it ends. */
export function* insertMode(ed: Editor, count: number, replacing = false): Sys<void> {
  ed.mode = replacing ? 'replace' : 'insert'
  ed.message = ''
  /** What was typed since the cursor was last moved. */
  let typed = ''
  /** What replace mode covered: the line when it began. */
  let original = ed.text
  let start = ed.cursor

  function put(char: string): void {
    const { line, col } = ed.cursor
    const text = ed.text
    if (char === '\n') {
      const head = text.slice(0, col)
      const indent = ed.set.autoindent ? head.slice(0, firstIndent(head)) : ''
      ed.buffer.replace(line, 1, [head, indent + text.slice(col)])
      ed.cursor = { line: line + 1, col: indent.length }
      original = ed.text
      start = ed.cursor
      return
    }
    const over = ed.mode === 'replace' && col < text.length ? 1 : 0
    ed.buffer.setLine(line, text.slice(0, col) + char + text.slice(col + over))
    ed.cursor = { line, col: col + 1 }
  }

  /** Backwards from the cursor to `to` in its line. */
  function eraseTo(to: number): void {
    const { line, col } = ed.cursor
    if (ed.mode === 'replace') {
      const back = Math.max(to, start.col)
      const restored = original.slice(back, col)
      if (line === start.line && col > start.col)
        ed.buffer.setLine(line, ed.text.slice(0, back) + restored + ed.text.slice(col))
      ed.cursor = { line, col: to }
      return
    }
    ed.buffer.setLine(line, ed.text.slice(0, to) + ed.text.slice(col))
    ed.cursor = { line, col: to }
  }

  function backspace(): void {
    const { line, col } = ed.cursor
    if (col > 0) eraseTo(col - 1)
    else if (line > 0) {
      const above = ed.lines[line - 1]!
      if (ed.mode === 'insert') ed.buffer.replace(line - 1, 2, [above + ed.text])
      ed.cursor = { line: line - 1, col: above.length }
    }
    typed = typed.slice(0, -1)
  }

  for (;;) {
    const key = yield* ed.key()
    if (key === '\x1b' || key === '\x03') break
    const { line, col } = ed.cursor
    switch (key) {
      case '\r':
      case '\n':
        put('\n')
        typed += '\n'
        break
      case '\b':
      case '\x7f':
        backspace()
        break
      case '\x17': {
        const left = ed.text.slice(0, col).replace(/([A-Za-z0-9_]+|[^A-Za-z0-9_ \t]+|^)[ \t]*$/, '')
        if (col === 0) backspace()
        else eraseTo(left.length)
        typed = ''
        break
      }
      case '\x15':
        eraseTo(line === start.line && col > start.col ? start.col : 0)
        typed = ''
        break
      case '\x16': {
        const char = yield* ed.literal()
        for (const one of char) put(one)
        typed += char
        break
      }
      case '\x14':
      case '\x04': {
        const head = ed.text.length
        const indent = firstIndent(ed.text)
        const width = Math.max(0, indent + (key === '\x14' ? ed.set.shiftwidth : -ed.set.shiftwidth))
        ed.buffer.setLine(line, ' '.repeat(width).replaceAll(' '.repeat(8), '\t') + ed.text.slice(indent))
        ed.cursor = { line, col: Math.max(0, col + ed.text.length - head) }
        break
      }
      case 'Delete':
        if (col < ed.text.length) ed.buffer.setLine(line, ed.text.slice(0, col) + ed.text.slice(col + 1))
        break
      case 'Insert':
        ed.mode = ed.mode === 'insert' ? 'replace' : 'insert'
        break
      case 'Up':
      case 'Down':
      case 'Left':
      case 'Right':
      case 'Home':
      case 'End':
      case 'PageUp':
      case 'PageDown': {
        const far = ed.view.height
        const lines = key === 'Up' ? -1 : key === 'Down' ? 1 : key === 'PageUp' ? -far : key === 'PageDown' ? far : 0
        const to = Math.max(0, Math.min(ed.lines.length - 1, line + lines))
        const length = ed.lines[to]!.length
        const column =
          key === 'Left' ? col - 1 : key === 'Right' ? col + 1 : key === 'Home' ? 0 : key === 'End' ? length : col
        // What is typed at another place is another change.
        yield* ed.commit()
        ed.cursor = { line: to, col: Math.max(0, Math.min(length, column)) }
        ed.buffer.begin(ed.cursor)
        original = ed.text
        start = ed.cursor
        typed = ''
        count = 1
        break
      }
      default:
        if (key.length !== 1 || (key < ' ' && key !== '\t')) break
        put(key === '\t' && ed.set.expandtab ? ' ' : key)
        typed += key
    }
  }
  for (let i = 1; i < count; i++) for (const char of typed) put(char)
  ed.mode = 'normal'
  ed.moveTo({ line: ed.cursor.line, col: Math.max(0, ed.cursor.col - 1) })
}

const firstIndent = (text: string): number => (text.trim() === '' ? text.length : firstNonBlank(text))
