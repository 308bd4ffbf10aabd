/** Where vi's motions lead: functions of the text and a position. */
import { isWordByte } from '../../regex/syntax.ts'
import type { Pos } from './buffer.ts'

type Lines = readonly string[]

/** 0 blank, 1 punctuation, 2 word; with `big` all that is not blank is alike. */
function kind(char: string | undefined, big: boolean): number {
  if (char === undefined || char === ' ' || char === '\t') return 0
  return big ? 1 : isWordByte(char.charCodeAt(0)) || char.charCodeAt(0) >= 0xc0 ? 2 : 1
}

export const firstNonBlank = (text: string): number => {
  const at = text.search(/[^ \t]/)
  return at < 0 ? Math.max(0, text.length - 1) : at
}

/** w: may end behind the last character of the text. */
export function nextWord(lines: Lines, pos: Pos, big: boolean): Pos {
  let { line, col } = pos
  const here = kind(lines[line]![col], big)
  if (here !== 0) while (col < lines[line]!.length && kind(lines[line]![col], big) === here) col++
  for (;;) {
    const text = lines[line]!
    while (col < text.length && kind(text[col], big) === 0) col++
    if (col < text.length || line === lines.length - 1) return { line, col }
    line++
    col = 0
    if (lines[line] === '') return { line, col }
  }
}

/** e */
export function wordEnd(lines: Lines, pos: Pos, big: boolean): Pos {
  let line = pos.line
  let col = pos.col + 1
  for (;;) {
    const text = lines[line]!
    while (col < text.length && kind(text[col], big) === 0) col++
    if (col < text.length) break
    if (line === lines.length - 1) return { line, col: Math.max(0, text.length - 1) }
    line++
    col = 0
  }
  const here = kind(lines[line]![col], big)
  while (col + 1 < lines[line]!.length && kind(lines[line]![col + 1], big) === here) col++
  return { line, col }
}

/** b */
export function previousWord(lines: Lines, pos: Pos, big: boolean): Pos {
  let line = pos.line
  let col = pos.col - 1
  for (;;) {
    const text = lines[line]!
    while (col >= 0 && kind(text[col], big) === 0) col--
    if (col >= 0) break
    if (line === 0) return { line: 0, col: 0 }
    line--
    if (lines[line] === '') return { line, col: 0 }
    col = lines[line]!.length - 1
  }
  const here = kind(lines[line]![col], big)
  while (col > 0 && kind(lines[line]![col - 1], big) === here) col--
  return { line, col }
}

/** f F t T: undefined if the character is not there so often. */
export function findInLine(text: string, col: number, how: string, char: string, count: number): number | undefined {
  const forward = how === 'f' || how === 't'
  let at = col
  for (let i = 0; i < count; i++) {
    at = forward ? text.indexOf(char, at + 1) : at > 0 ? text.lastIndexOf(char, at - 1) : -1
    if (at < 0) return undefined
  }
  return how === 't' ? at - 1 : how === 'T' ? at + 1 : at
}

export function paragraph(lines: Lines, from: number, direction: 1 | -1): Pos {
  let line = from
  const inside = (n: number) => n >= 0 && n < lines.length
  while (inside(line) && lines[line] === '') line += direction
  while (inside(line) && lines[line] !== '') line += direction
  if (line < 0) return { line: 0, col: 0 }
  if (line >= lines.length) return { line: lines.length - 1, col: Math.max(0, lines.at(-1)!.length - 1) }
  return { line, col: 0 }
}

/** Where sentences begin in a line: behind an end of one and blanks, or at the first character of a paragraph. */
function sentenceStarts(lines: Lines, line: number): number[] {
  const text = lines[line]!
  if (text === '') return [0]
  const starts: number[] = []
  const before = line === 0 ? '' : lines[line - 1]!
  if (before === '' || /[.!?][)\]"']*[ \t]*$/.test(before)) starts.push(firstNonBlank(text))
  const pattern = /[.!?][)\]"']*[ \t]+/g
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (pattern.lastIndex < text.length) starts.push(pattern.lastIndex)
  }
  return starts
}

export function sentence(lines: Lines, pos: Pos, direction: 1 | -1): Pos {
  for (let line = pos.line; line >= 0 && line < lines.length; line += direction) {
    const starts = sentenceStarts(lines, line)
    const found =
      direction > 0
        ? starts.find((col) => line > pos.line || col > pos.col)
        : starts.findLast((col) => line < pos.line || col < pos.col)
    if (found !== undefined) return { line, col: found }
  }
  if (direction < 0) return { line: 0, col: 0 }
  return { line: lines.length - 1, col: Math.max(0, lines.at(-1)!.length - 1) }
}

const PAIRS = '()[]{}'

/** % */
export function matching(lines: Lines, pos: Pos): Pos | undefined {
  let { line, col } = pos
  let text = lines[line]!
  while (col < text.length && !PAIRS.includes(text[col]!)) col++
  if (col >= text.length) return undefined
  const open = text[col]!
  const index = PAIRS.indexOf(open)
  const direction = index % 2 === 0 ? 1 : -1
  const close = PAIRS[index + direction]!
  let depth = 0
  for (;;) {
    const char = text[col]
    if (char === open) depth++
    else if (char === close && --depth === 0) return { line, col }
    col += direction
    while (col < 0 || col >= text.length) {
      line += direction
      if (line < 0 || line >= lines.length) return undefined
      text = lines[line]!
      col = direction > 0 ? 0 : text.length - 1
      if (text === '' && direction < 0) col = -1
    }
  }
}
