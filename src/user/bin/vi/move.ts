/** Motions as commands: what w, }, /x or 'a mean where the cursor is, alone and behind an operator. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Pos } from './buffer.ts'
import { type Editor, Failed, ViError } from './editor.ts'
import { findInLine, firstNonBlank, matching, nextWord, paragraph, previousWord, sentence, wordEnd } from './motions.ts'
import { prompt } from './prompt.ts'
import { search, searchAgain } from './search.ts'

export interface Motion {
  readonly to: Pos
  readonly kind: 'exclusive' | 'inclusive' | 'line'
  /** j and k: the column that is aimed at stays. */
  readonly keepWant?: boolean
}

/** The motion of `key`, or undefined if it is none. `count` undefined: none was typed. Throws Failed where it leads nowhere. */
export function* motion(ed: Editor, key: string, count: number | undefined, operator: string): Sys<Motion | undefined> {
  const { lines, cursor } = ed
  const n = count ?? 1
  const { line, col } = cursor
  const text = lines[line]!
  const exclusive = (to: Pos): Motion => ({ to, kind: 'exclusive' })
  const lineTo = (to: number): Motion => {
    if (to < 0 || to >= lines.length) throw new Failed()
    return { to: { line: to, col: Math.min(ed.want, Math.max(0, lines[to]!.length)) }, kind: 'line', keepWant: true }
  }
  const toLine = (to: number): Motion => {
    const at = Math.max(0, Math.min(to, lines.length - 1))
    return { to: { line: at, col: firstNonBlank(lines[at]!) }, kind: 'line' }
  }
  const jump = (to: Pos): Motion => {
    ed.buffer.marks.set("'", cursor)
    return exclusive(to)
  }

  switch (key) {
    case 'h':
    case 'Left':
    case '\b':
    case '\x7f':
      if (col === 0) throw new Failed()
      return exclusive({ line, col: Math.max(0, col - n) })
    case 'l':
    case 'Right':
    case ' ': {
      const last = operator === '' && !ed.mode.startsWith('visual') ? text.length - 1 : text.length
      if (col >= last && operator === '') throw new Failed()
      return exclusive({ line, col: Math.min(Math.max(0, last), col + n) })
    }
    case 'j':
    case 'Down':
    case '\x0e':
    case '\n':
      return lineTo(line + n)
    case 'k':
    case 'Up':
    case '\x10':
      return lineTo(line - n)
    case '+':
    case '\r':
      if (line + n >= lines.length) throw new Failed()
      return toLine(line + n)
    case '-':
      if (line - n < 0) throw new Failed()
      return toLine(line - n)
    case '_':
      if (line + n - 1 >= lines.length) throw new Failed()
      return toLine(line + n - 1)
    case '0':
    case 'Home':
      return exclusive({ line, col: 0 })
    case '^':
      return exclusive({ line, col: firstNonBlank(text) })
    case '|':
      return exclusive({ line, col: Math.min(n - 1, Math.max(0, text.length - 1)) })
    case '$':
    case 'End': {
      if (line + n - 1 >= lines.length) throw new Failed()
      ed.want = Number.POSITIVE_INFINITY
      const to = line + n - 1
      return { to: { line: to, col: Math.max(0, lines[to]!.length - 1) }, kind: 'inclusive', keepWant: true }
    }
    case 'w':
    case 'W':
      return words(ed, key === 'W', n, operator)
    case 'e':
    case 'E': {
      let to = cursor
      for (let i = 0; i < n; i++) to = wordEnd(lines, to, key === 'E')
      if (to.line === line && to.col === col && operator === '') throw new Failed()
      return { to, kind: 'inclusive' }
    }
    case 'b':
    case 'B': {
      if (line === 0 && col === 0) throw new Failed()
      let to = cursor
      for (let i = 0; i < n; i++) to = previousWord(lines, to, key === 'B')
      return exclusive(to)
    }
    case 'G':
      ed.buffer.marks.set("'", cursor)
      return toLine(count === undefined ? lines.length - 1 : count - 1)
    case 'g': {
      const next = yield* ed.key()
      if (next !== 'g') throw new Failed()
      ed.buffer.marks.set("'", cursor)
      return toLine(n - 1)
    }
    case 'H':
      return toLine(Math.min(ed.view.top + n - 1, ed.view.bottomLine(lines)))
    case 'L':
      return toLine(Math.max(ed.view.top, ed.view.bottomLine(lines) - n + 1))
    case 'M':
      return toLine(Math.floor((ed.view.top + ed.view.bottomLine(lines)) / 2))
    case 'f':
    case 'F':
    case 't':
    case 'T': {
      const char = yield* ed.charKey()
      ed.lastFind = { how: key, char }
      return find(ed, key, char, n)
    }
    case ';':
    case ',': {
      if (!ed.lastFind) throw new Failed()
      const { how, char } = ed.lastFind
      const other = how === how.toLowerCase() ? how.toUpperCase() : how.toLowerCase()
      return find(ed, key === ';' ? how : other, char, n)
    }
    case '%': {
      if (count !== undefined) {
        if (count > 100) throw new Failed()
        return toLine(Math.floor((count * lines.length + 99) / 100) - 1)
      }
      const to = matching(lines, cursor)
      if (!to) throw new Failed()
      ed.buffer.marks.set("'", cursor)
      return { to, kind: 'inclusive' }
    }
    case '{':
    case '}': {
      const direction = key === '}' ? 1 : -1
      let to = cursor
      for (let i = 0; i < n; i++) to = paragraph(lines, to.line, direction)
      // At the end of the text the last character is included.
      if (key === '}' && to.line === lines.length - 1 && lines.at(-1) !== '') {
        ed.buffer.marks.set("'", cursor)
        return { to, kind: operator === '' ? 'exclusive' : 'inclusive' }
      }
      return jump(to)
    }
    case '(':
    case ')': {
      let to = cursor
      for (let i = 0; i < n; i++) to = sentence(lines, to, key === ')' ? 1 : -1)
      return jump(to)
    }
    case '/':
    case '?':
      return jump(yield* searchMotion(ed, key, n))
    case 'n':
    case 'N': {
      if (!ed.lastSearch) throw new ViError('E35: No previous regular expression')
      const forward = ed.lastSearch.forward === (key === 'n')
      ed.say((forward ? '/' : '?') + ed.lastSearch.pattern)
      let to = cursor
      for (let i = 0; i < n; i++) to = searchAgain(ed, forward, to)
      return jump(to)
    }
    case '*':
    case '#': {
      const word = /^\W*?(\w+)/.exec(text.slice(wordStart(text, col)))?.[1]
      if (word === undefined) throw new ViError('E348: No string under cursor')
      ed.lastSearch = { pattern: `\\<${word}\\>`, forward: key === '*' }
      return jump(search(ed, ed.lastSearch.pattern, key === '*', { line, col: wordStart(text, col) }))
    }
    case "'":
    case '`': {
      const name = yield* ed.charKey()
      const mark = ed.buffer.marks.get(name === '`' ? "'" : name)
      if (!mark) throw new ViError('E20: Mark not set')
      ed.buffer.marks.set("'", cursor)
      return key === '`' ? exclusive(mark) : toLine(mark.line)
    }
    default:
      return undefined
  }
}

const wordStart = (text: string, col: number): number => {
  let at = col
  if (/\w/.test(text[at] ?? '')) while (at > 0 && /\w/.test(text[at - 1]!)) at--
  return at
}

function find(ed: Editor, how: string, char: string, count: number): Motion {
  const { line, col } = ed.cursor
  const to = findInLine(ed.text, col, how, char, count)
  if (to === undefined) throw new Failed()
  return { to: { line, col: to }, kind: how === 'f' || how === 't' ? 'inclusive' : 'exclusive' }
}

/** w and W. Behind an operator the last one stops at the end of its line; cw is ce. */
function words(ed: Editor, big: boolean, count: number, operator: string): Motion {
  const { lines, cursor } = ed
  const here = ed.text[cursor.col]
  if (operator === 'c' && here !== undefined && here !== ' ' && here !== '\t') {
    let to: Pos = { line: cursor.line, col: cursor.col - 1 }
    for (let i = 0; i < count; i++) to = wordEnd(lines, to, big)
    // On the last character of a word, that is its end.
    return { to, kind: 'inclusive' }
  }
  let to = cursor
  for (let i = 0; i < count; i++) to = nextWord(lines, to, big)
  if (operator === '') {
    const last = Math.max(0, lines[to.line]!.length - 1)
    if (to.col > last) to = { line: to.line, col: last }
    if (to.line === cursor.line && to.col === cursor.col) throw new Failed()
  } else if (to.line > cursor.line && to.col <= firstNonBlank(lines[to.line]!)) {
    let line = to.line - 1
    while (line > cursor.line && lines[line]!.trim() === '') line--
    to = { line, col: lines[line]!.length }
  }
  return { to, kind: 'exclusive' }
}

function* searchMotion(ed: Editor, key: '/' | '?', count: number): Sys<Pos> {
  const typed = yield* prompt(ed, key, ed.searchHistory)
  if (typed === undefined) throw new Failed()
  const forward = key === '/'
  // What stands behind an unescaped delimiter is an offset, which we do without.
  let end = 0
  while (end < typed.length && typed[end] !== key) end += typed[end] === '\\' ? 2 : 1
  const pattern = typed.slice(0, end) || ed.lastSearch?.pattern
  if (pattern === undefined) throw new ViError('E35: No previous regular expression')
  ed.lastSearch = { pattern, forward }
  ed.say(key + pattern)
  let to = ed.cursor
  for (let i = 0; i < count; i++) to = search(ed, pattern, forward, to)
  return to
}
