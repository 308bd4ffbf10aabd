/**
 * menu.lst as something to edit. The text itself is the document: it is read into rows and entries that know where they stand, by the parser that
 * GRUB's image uses, and every edit (edits.ts) gives back the text with nothing changed but the lines concerned.
 */
import {
  type CommandPlace,
  commandWord,
  type MenuRow,
  type MenuSettings,
  menuRows,
  menuSettings,
  parseMenuList,
  placeOfLine,
} from '#abi/pc/menu-lst.ts'

/** Blank-separated, and where it stands in the text. */
export interface MenuWord {
  readonly text: string
  readonly from: number
  readonly to: number
}

export interface CommandRow extends MenuRow {
  readonly command: string
  /** Undefined: GRUB does not know the command, and passes over the line. */
  readonly place: CommandPlace | undefined
  /** Where the command itself ends. */
  readonly commandTo: number
  /** What follows the command. */
  readonly words: readonly MenuWord[]
}

export interface EntryBlock {
  readonly title: CommandRow
  readonly name: string
  readonly rows: readonly CommandRow[]
  /** Whole lines: with the comments that stand right above the title, without the empty lines after the last line. */
  readonly from: number
  readonly to: number
  /** GRUB's number of it; undefined for an entry without a command, which GRUB drops. */
  readonly number: number | undefined
}

export interface MenuDocument {
  readonly text: string
  /** Before the first title. */
  readonly head: readonly CommandRow[]
  readonly entries: readonly EntryBlock[]
  readonly settings: MenuSettings
}

const SEPARATOR = /(?:\\\r?\n|[ \t\r])+/y
const WORD = /(?:(?!\\\r?\n)[^ \t\r])+/y

function commandRow(text: string, row: MenuRow): CommandRow {
  const command = commandWord(row.line)
  const commandTo = row.from + command.length
  const words: MenuWord[] = []
  let at = commandTo
  // The equals sign counts as a blank behind a command.
  for (let c = text[at]; at < row.to && (c === ' ' || c === '\t' || c === '='); c = text[++at]);
  while (at < row.to) {
    SEPARATOR.lastIndex = at
    if (SEPARATOR.test(text)) {
      at = SEPARATOR.lastIndex
      continue
    }
    WORD.lastIndex = at
    const found = WORD.exec(text.slice(0, row.to))
    if (!found) break
    words.push({ text: found[0], from: at, to: WORD.lastIndex })
    at = WORD.lastIndex
  }
  return { ...row, command, place: placeOfLine(row.line), commandTo, words }
}

/** What follows a row's command, as GRUB takes it. */
export const argumentOf = ({ words }: CommandRow): string => words.map((word) => word.text).join(' ')

export const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1
/** Behind the newline that ends the line. */
export const lineEnd = (text: string, at: number): number => {
  const newline = text.indexOf('\n', at)
  return newline < 0 ? text.length : newline + 1
}

/** Where an entry begins: with the comments right above its title. `least`: what stands before belongs to others. */
function blockStart(text: string, title: MenuRow, least: number): number {
  let from = lineStart(text, title.from)
  while (from > least) {
    const above = lineStart(text, from - 1)
    if (above < least || !/^[ \t]*#/.test(text.slice(above, from))) break
    from = above
  }
  return from
}

export function readDocument(text: string): MenuDocument {
  const rows = menuRows(text).map((row) => commandRow(text, row))
  const titles = rows.flatMap((row, index) => (row.place === 'title' ? [index] : []))
  const starts = titles.map((index) => {
    const before = rows[index - 1]
    return blockStart(text, rows[index]!, before ? lineEnd(text, before.to) : 0)
  })
  let number = 0
  const entries = titles.map((index, block): EntryBlock => {
    const title = rows[index]!
    const own = rows.slice(index + 1, titles[block + 1])
    const end = starts[block + 1] ?? text.length
    const content = text.slice(0, end).replace(/\n\s*$/, '\n').length
    const counts = own.some((row) => row.place !== undefined)
    return {
      title,
      name: argumentOf(title),
      rows: own,
      from: starts[block]!,
      to: Math.max(content, lineEnd(text, title.to)),
      number: counts ? number++ : undefined,
    }
  })
  const settings = menuSettings(parseMenuList(text), 0)
  return { text, head: rows.slice(0, titles[0]), entries, settings }
}

/** The last row of the head that gives `command`: the one that holds. */
export const headRow = ({ head }: MenuDocument, command: string): CommandRow | undefined =>
  head.findLast((row) => row.command === command)
