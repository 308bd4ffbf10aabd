/** Edits of menu.lst: each takes a document and gives the text after the edit, in which only the lines concerned have changed. */
import { scanNumber } from '#abi/pc/menu-lst.ts'
import {
  argumentOf,
  type CommandRow,
  type EntryBlock,
  headRow,
  lineEnd,
  lineStart,
  type MenuDocument,
  type MenuWord,
  readDocument,
} from './document.ts'

const splice = (text: string, from: number, to: number, put: string): string =>
  text.slice(0, from) + put + text.slice(to)

const newline = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

/** A line's text can hold no line ends. */
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ').trim()

/** `text` up to `at` with its last line ended, also when that line ends in a backslash, which would join the next one. */
function ended(text: string, at: number): string {
  const before = text.slice(0, at)
  if (before === '' || before.endsWith('\n')) return before
  return before + newline(text).repeat(before.endsWith('\\') ? 2 : 1)
}

/** Everything that follows a command, at once. */
export function setArgument({ text }: MenuDocument, row: CommandRow, argument: string): string {
  const put = oneLine(argument)
  const first = row.words[0]
  const last = row.words.at(-1)
  if (put === argumentOf(row)) return text
  if (first && last) return splice(text, put === '' ? row.commandTo : first.from, last.to, put)
  return put === '' ? text : splice(text, row.commandTo, row.commandTo, ` ${put}`)
}

/** A whole line, command and all. */
export function setLine(document: MenuDocument, row: CommandRow, line: string): string {
  const { text } = document
  const put = oneLine(line)
  if (put === '') return removeRow(document, row)
  if (put === oneLine(row.line)) return text
  const end = text.slice(row.from, row.to).endsWith('\r') ? row.to - 1 : row.to
  return splice(text, row.from, end, put)
}

/** One word of a line; an empty one goes, with the blanks before it. */
export function setWord({ text }: MenuDocument, row: CommandRow, word: MenuWord, value: string): string {
  const put = value.replace(/\s+/g, '')
  if (put !== '') return splice(text, word.from, word.to, put)
  const before = row.words[row.words.indexOf(word) - 1]
  return splice(text, before?.to ?? row.commandTo, word.to, '')
}

/** `after`: undefined puts it behind all the others. */
export function addWord({ text }: MenuDocument, row: CommandRow, value: string, after?: MenuWord): string {
  const at = (after ?? row.words.at(-1))?.to ?? row.commandTo
  return splice(text, at, at, ` ${value.replace(/\s+/g, '')}`)
}

export const removeRow = ({ text }: MenuDocument, row: CommandRow): string =>
  splice(text, lineStart(text, row.from), lineEnd(text, row.to), '')

/** A new line at an entry's end, indented as the one before. */
export function addRow({ text }: MenuDocument, entry: EntryBlock, line: string): string {
  const last = entry.rows.at(-1)
  const indent = last ? text.slice(lineStart(text, last.from), last.from).replace(/\S.*/, '') : '\t'
  const before = ended(text, lineEnd(text, (last ?? entry.title).to))
  return before + indent + oneLine(line) + newline(text) + text.slice(lineEnd(text, (last ?? entry.title).to))
}

/** The order in which settings are written when there are none yet. */
const HEAD_ORDER = ['default', 'fallback', 'timeout', 'hiddenmenu', 'serial', 'terminal']

/** Give a setting of the head its argument; undefined takes every line of it away. */
export function setHead(document: MenuDocument, command: string, argument: string | undefined): string {
  const { text, head, entries } = document
  if (argument === undefined) {
    const row = headRow(document, command)
    return row ? setHead(readDocument(removeRow(document, row)), command, undefined) : text
  }
  const held = headRow(document, command)
  if (held) return setArgument(document, held, argument)
  const line = oneLine(`${command} ${argument}`) + newline(text)
  const rank = HEAD_ORDER.indexOf(command)
  const before = head.findLast((row) => HEAD_ORDER.indexOf(row.command) < rank && HEAD_ORDER.includes(row.command))
  const after = head.find((row) => HEAD_ORDER.indexOf(row.command) > rank)
  if (before) {
    const at = lineEnd(text, before.to)
    return ended(text, at) + line + text.slice(at)
  }
  if (after) {
    const at = lineStart(text, after.from)
    return splice(text, at, at, line)
  }
  const first = entries[0]
  if (first) return splice(text, first.from, first.from, line + newline(text))
  return ended(text, text.length) + line
}

/** The document's text in pieces: what stands before the entries, and each entry with the empty lines after it. */
function pieces({ text, entries }: MenuDocument): { before: string; contents: string[]; gaps: string[] } {
  const before = text.slice(0, entries[0]?.from ?? text.length)
  const contents = entries.map(({ from, to }) => ended(text.slice(0, to), to).slice(from))
  const gaps = entries.map(({ to }, i) => text.slice(to, entries[i + 1]?.from ?? text.length))
  return { before, contents, gaps }
}

/** A comment that ends in a backslash takes the next line with it, so it keeps an empty one. */
const joined = (contents: readonly string[], gaps: readonly string[], end: string): string =>
  contents
    .map((content, i) => content + (/\\\r?\n$/.test(content) && !gaps[i]?.includes('\n') ? end : '') + (gaps[i] ?? ''))
    .join('')

/**
 * The entries in another order: `order` holds indices of the present ones, some perhaps missing or twice. `default` and `fallback` go on meaning
 * the entries that they meant. The gaps between entries stay where they are.
 */
function reorder(document: MenuDocument, order: readonly number[]): string {
  const { text, entries } = document
  const { before, contents, gaps } = pieces(document)
  const between = gaps.slice(0, -1)
  const usual = between.at(-1) ?? newline(text)
  const last = gaps.at(-1) ?? ''
  const newGaps = order.map((_, i) => (i === order.length - 1 ? last : (between[i] ?? usual)))
  const chosen = order.map((index) => contents[index] ?? '')
  let result = before + joined(chosen, newGaps, newline(text))
  // A text that ended without a newline still does.
  if (order.length > 0 && !text.endsWith('\n')) result = result.replace(/\r?\n$/, '')
  let next = 0
  const numberAfter = new Map<number, number>()
  for (const index of order) {
    const { number } = entries[index]!
    if (number === undefined) continue
    if (!numberAfter.has(number)) numberAfter.set(number, next)
    next++
  }
  return renumber(readDocument(result), document.settings.defaultEntry, numberAfter, next)
}

/** `default` and `fallback` by new numbers. `was`: which entry GRUB booted by default until now. */
function renumber(
  document: MenuDocument,
  was: number,
  numberAfter: ReadonlyMap<number, number>,
  entries: number,
): string {
  let current = document
  const fallback = headRow(current, 'fallback')
  if (fallback) {
    const numbers = fallback.words.map((word) => scanNumber(word.text))
    const after = numbers.map((found) => (typeof found === 'string' ? undefined : numberAfter.get(found.value)))
    const sound = numbers.every((found) => typeof found !== 'string')
    if (sound && after.some((number, i) => String(number) !== fallback.words[i]!.text)) {
      const kept = after.filter((number) => number !== undefined)
      current = readDocument(setHead(current, 'fallback', kept.length === 0 ? undefined : kept.join(' ')))
    }
  }
  const held = headRow(current, 'default')
  const given = held ? scanNumber(argumentOf(held)) : undefined
  // `default saved` and what is no number is not ours to change.
  if (held && typeof given === 'string') return current.text
  const now = numberAfter.get(was) ?? Math.max(0, Math.min(was, entries - 1))
  const beyond = typeof given === 'object' && given.value !== was
  if (beyond || now === was) return current.text
  return setHead(current, 'default', String(now))
}

const indices = ({ entries }: MenuDocument): number[] => entries.map((_, i) => i)

export function moveEntry(document: MenuDocument, from: number, to: number): string {
  if (from === to || !document.entries[from] || !document.entries[to]) return document.text
  return reorder(document, indices(document).toSpliced(from, 1).toSpliced(to, 0, from))
}

/** The copy comes right after, with the same title. */
export const duplicateEntry = (document: MenuDocument, index: number): string =>
  document.entries[index] ? reorder(document, indices(document).toSpliced(index, 0, index)) : document.text

export const removeEntry = (document: MenuDocument, index: number): string =>
  document.entries[index] ? reorder(document, indices(document).toSpliced(index, 1)) : document.text

/** At the end, on this host's own pattern when there is no entry to copy. */
export function addEntry({ text, entries }: MenuDocument, title: string, lines: readonly string[]): string {
  const end = newline(text)
  const before = ended(text, text.length)
  const gap = before === '' || before.endsWith(end + end) ? '' : end
  const comment = entries.length > 0 && /\\\r?\n$/.test(before) ? end : ''
  return `${before}${gap}${comment}title ${oneLine(title)}${end}${lines.map((line) => `\t${oneLine(line)}${end}`).join('')}`
}
