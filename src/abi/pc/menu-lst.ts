/**
 * menu.lst, the one reading of it: GRUB uses it at boot and the page's boot menu editor while somebody types. Pure: text in,
 * entries and settings out. The rules are those of get_line_from_config and cmain in GRUB 0.97's stage2/stage2.c.
 */

const isBlank = (c: string): boolean => c === ' ' || c === '\t'

/** What follows the first word and the blanks after it. With `afterEqual`, `=` counts as a blank: `default=0`. */
export function skipTo(text: string, afterEqual = false): string {
  const gap = (c: string): boolean => isBlank(c) || (afterEqual && c === '=')
  let at = 0
  while (at < text.length && !gap(text[at]!)) at++
  while (at < text.length && gap(text[at]!)) at++
  return text.slice(at)
}

/** The name of the command on a line: up to a blank or `=`. */
export function commandWord(line: string): string {
  let at = 0
  while (at < line.length && !isBlank(line[at]!) && line[at] !== '=') at++
  return line.slice(0, at)
}

const MAXINT = 0x7fffffff

export interface ScannedNumber {
  readonly value: number
  readonly rest: string
}

/** A number at the start of `text`, decimal or 0x..., and what follows it; or why there is none: not a digit, or past 2^31 - 1. */
export function scanNumber(text: string): ScannedNumber | 'no number' | 'overflow' {
  const hex = text.startsWith('0x') || text.startsWith('0X')
  const base = hex ? 16 : 10
  let at = hex ? 2 : 0
  const start = at
  let value = 0
  for (; at < text.length; at++) {
    const digit = '0123456789abcdef'.indexOf(text[at]!.toLowerCase())
    if (digit < 0 || digit >= base) break
    if (value > Math.floor((MAXINT - digit) / base)) return 'overflow'
    value = value * base + digit
  }
  return at === start ? 'no number' : { value, rest: text.slice(at) }
}

/** Where a command is understood: a new entry's beginning; before the first title; in entries and at the prompt; or both. */
export type CommandPlace = 'title' | 'menu' | 'entry' | 'both'

/** Every command that this GRUB has. Lines with any other word are skipped while the file is read. */
export const COMMAND_PLACES = {
  blocklist: 'entry',
  boot: 'entry',
  cat: 'entry',
  chainloader: 'entry',
  clear: 'entry',
  cmp: 'entry',
  color: 'both',
  configfile: 'entry',
  debug: 'entry',
  default: 'menu',
  displaymem: 'entry',
  fallback: 'menu',
  find: 'entry',
  geometry: 'entry',
  halt: 'entry',
  help: 'entry',
  hiddenmenu: 'menu',
  initrd: 'entry',
  kernel: 'entry',
  lock: 'entry',
  makeactive: 'entry',
  md5crypt: 'entry',
  module: 'entry',
  modulenounzip: 'entry',
  pager: 'both',
  password: 'both',
  pause: 'entry',
  read: 'entry',
  reboot: 'entry',
  root: 'entry',
  rootnoverify: 'entry',
  savedefault: 'entry',
  serial: 'both',
  terminal: 'both',
  timeout: 'menu',
  title: 'title',
  uppermem: 'entry',
} as const satisfies Readonly<Record<string, CommandPlace>>

export type CommandName = keyof typeof COMMAND_PLACES

/** The place of the command that `line` begins with, undefined for a word that GRUB does not know. */
export function placeOfLine(line: string): CommandPlace | undefined {
  const word = commandWord(line)
  return Object.hasOwn(COMMAND_PLACES, word) ? COMMAND_PLACES[word as CommandName] : undefined
}

export interface MenuEntry {
  readonly title: string
  /** Lines as written, without leading blanks. Never empty: a title alone is no entry. */
  readonly commands: readonly string[]
}

export interface MenuList {
  /** Lines before the first title that are obeyed while the file is read. */
  readonly head: readonly string[]
  readonly entries: readonly MenuEntry[]
}

/** Longer lines lose their end: NEW_HEAPSIZE. */
const LINE_MAX = 1500
export const FALLBACKS_MAX = 8

/** A line as GRUB reads it, and where in the text it stands: from its first character to the newline that ends it, or the end. */
export interface MenuRow {
  readonly line: string
  readonly from: number
  readonly to: number
}

/**
 * The lines that matter: comments, empty lines and leading blanks gone, tabs as blanks, CR dropped, a backslash before a newline
 * joined. (A comment may end in a backslash too; then the next line belongs to it.)
 */
export function menuRows(text: string): MenuRow[] {
  const rows: MenuRow[] = []
  let line = ''
  let from = 0
  let escaped = false
  let comment = false
  for (let at = 0; at < text.length; at++) {
    let c = text[at]!
    if (c === '\r') continue
    if (c === '\t') c = ' '
    if (escaped && c === '\n') {
      c = ' '
      line = line.slice(0, -1)
    }
    escaped = c === '\\'
    if (comment) {
      if (c === '\n') comment = false
    } else if (line === '') {
      if (c === '#') comment = true
      else if (c !== ' ' && c !== '\n') {
        line = c
        from = at
      }
    } else if (c === '\n') {
      rows.push({ line, from, to: at })
      line = ''
    } else if (line.length < LINE_MAX) line += c
  }
  if (line !== '') rows.push({ line, from, to: text.length })
  return rows
}

export const menuLines = (text: string): string[] => menuRows(text).map(({ line }) => line)

export function parseMenuList(text: string): MenuList {
  const head: string[] = []
  const entries: { title: string; commands: string[] }[] = []
  for (const line of menuLines(text)) {
    const place = placeOfLine(line)
    const entry = entries.at(-1)
    if (place === undefined) continue
    if (place === 'title') {
      if (entry?.commands.length === 0) entries.pop()
      entries.push({ title: skipTo(line, true), commands: [] })
    } else if (entry) entry.commands.push(line)
    else if (place !== 'entry') head.push(line)
  }
  if (entries.at(-1)?.commands.length === 0) entries.pop()
  return { head, entries }
}

export interface MenuSettings {
  /** 0-based, always an entry's number (0 where there are none). */
  readonly defaultEntry: number
  /** Entries to try one after another when one fails. */
  readonly fallback: readonly number[]
  /** The same and the one that already stands in for a default that there is not. */
  readonly fallbackEntries: readonly number[]
  /** Seconds; undefined: wait for ever. */
  readonly timeout: number | undefined
  readonly hidden: boolean
}

/** What `default`, `fallback`, `timeout` and `hiddenmenu` say together. `saved` is what /boot/grub/default holds. */
export function menuSettings({ head, entries }: MenuList, saved: number): MenuSettings {
  let defaultEntry = 0
  let fallback: number[] = []
  let timeout: number | undefined
  let hidden = false
  for (const line of head) {
    const arg = skipTo(line, true)
    // Wrong numbers are passed over in silence, and leave what was.
    switch (commandWord(line)) {
      case 'default':
        if (arg === 'saved') defaultEntry = saved
        else defaultEntry = numberOf(arg) ?? defaultEntry
        break
      case 'fallback':
        fallback = fallbackList(arg) ?? fallback
        break
      case 'timeout':
        timeout = numberOf(arg) ?? timeout
        break
      case 'hiddenmenu':
        hidden = true
        break
    }
  }
  const fallbackEntries = fallback.filter((entry) => entry < entries.length)
  const [first = 0, ...later] = fallbackEntries
  return defaultEntry < entries.length
    ? { defaultEntry, fallback: fallbackEntries, fallbackEntries, timeout, hidden }
    : { defaultEntry: first, fallback: later, fallbackEntries, timeout, hidden }
}

function numberOf(text: string): number | undefined {
  const number = scanNumber(text)
  return typeof number === 'string' ? undefined : number.value
}

function fallbackList(arg: string): number[] | undefined {
  const list: number[] = []
  for (let rest = arg; rest !== '' && list.length < FALLBACKS_MAX; ) {
    const entry = numberOf(rest)
    if (entry === undefined) return undefined
    rest = skipTo(rest)
    if (!list.includes(entry)) list.push(entry)
  }
  return list
}
