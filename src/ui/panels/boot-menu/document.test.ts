/** The boot menu as a document: reading loses nothing, and an edit changes the lines that it concerns and no others. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { menuSettings, parseMenuList } from '#abi/pc/menu-lst.ts'
import { argumentOf, headRow, type MenuDocument, readDocument } from './document.ts'
import * as edits from './edits.ts'

const disk = readFileSync('src/images/default/files/boot/grub/menu.lst', 'utf8')

const texts: Readonly<Record<string, string>> = {
  'the disk’s own': disk,
  'without a last newline': disk.trimEnd(),
  'from Windows': disk.replaceAll('\n', '\r\n'),
  'with comments everywhere': `# top

default=1
# about the wait
timeout   7   # not a comment
unknown thing

# of A, right above

# of A
title A
  # inside A
  root (hd0,0)
  kernel /boot/xen \\
    dom0_mem=64M \\
    noreboot
  module /boot/vmlinuz ro

title Dropped: no command
nonsense

# of B
title=B
\tkernel /boot/b
### end \\
really`,
  'nothing but entries': 'title A\nboot\ntitle B\nhalt\ntitle C\nreboot\n',
  'no entries': '# empty\ntimeout 3\n',
  nothing: '',
}

const lines = (text: string): string[] => text.split(/\r?\n/)
const titles = (text: string): string[] => parseMenuList(text).entries.map(({ title }) => title)
/** The title that GRUB would boot. */
const chosen = (text: string): string | undefined => {
  const menu = parseMenuList(text)
  return menu.entries[menuSettings(menu, 0).defaultEntry]?.title
}

/** Lines of `after` that are no lines of `before`, each as often as it stands there. */
function added(before: string, after: string): string[] {
  const left = lines(before)
  return lines(after).filter((line) => {
    const at = left.indexOf(line)
    if (at < 0) return true
    left.splice(at, 1)
    return false
  })
}
const lost = (before: string, after: string): string[] => added(after, before).filter((line) => line !== '')

describe.each(Object.entries(texts))('%s', (_, text) => {
  const doc = readDocument(text)

  it('is read as GRUB reads it', () => {
    const menu = parseMenuList(text)
    const counted = doc.entries.filter(({ number }) => number !== undefined)
    expect(counted.map(({ name }) => name)).toEqual(menu.entries.map(({ title }) => title.trim()))
    expect(counted.map(({ rows }) => rows.filter((row) => row.place).map((row) => row.line))).toEqual(
      menu.entries.map(({ commands }) => commands),
    )
    expect(doc.head.filter(({ place }) => place && place !== 'entry').map(({ line }) => line)).toEqual(menu.head)
  })

  it('stands where it says', () => {
    for (const row of [...doc.head, ...doc.entries.flatMap(({ title, rows }) => [title, ...rows])]) {
      expect(text.slice(row.from, row.commandTo)).toBe(row.command)
      for (const word of row.words) expect(text.slice(word.from, word.to)).toBe(word.text)
    }
    for (const [i, { from, to }] of doc.entries.entries()) {
      expect(from).toBeGreaterThanOrEqual(doc.entries[i - 1]?.to ?? 0)
      expect(to).toBeGreaterThan(from)
    }
  })

  it('stays as it is, byte by byte, when a value is set to what it was', () => {
    for (const row of [...doc.head, ...doc.entries.flatMap((entry) => [entry.title, ...entry.rows])]) {
      expect(edits.setArgument(doc, row, argumentOf(row))).toBe(text)
      expect(edits.setLine(doc, row, row.line)).toBe(text)
      for (const word of row.words) expect(edits.setWord(doc, row, word, word.text)).toBe(text)
    }
    doc.entries.forEach((__, i) => {
      expect(edits.moveEntry(doc, i, i)).toBe(text)
    })
  })

  it('loses one word and gets it back', () => {
    for (const row of doc.entries.flatMap((entry) => entry.rows)) {
      for (const [i, word] of row.words.entries()) {
        const without = edits.setWord(doc, row, word, '')
        const again = readDocument(without)
        const there = [...again.head, ...again.entries.flatMap((entry) => entry.rows)].find((r) => r.from === row.from)
        expect(there?.words.map((w) => w.text)).toEqual(row.words.map((w) => w.text).toSpliced(i, 1))
      }
    }
  })

  it.each(['default', 'timeout', 'fallback', 'serial', 'terminal'])('takes a %s, and gives it up', (command) => {
    const set = edits.setHead(doc, command, '1')
    const row = headRow(readDocument(set), command)
    expect(row && argumentOf(row)).toBe('1')
    expect(added(text, set).filter((line) => line !== '').length).toBeLessThanOrEqual(1)
    expect(lost(text, set).every((line) => line.startsWith(command))).toBe(true)
    expect(titles(set)).toEqual(titles(text))
    const gone = edits.setHead(readDocument(set), command, undefined)
    expect(headRow(readDocument(gone), command)).toBeUndefined()
    expect(added(text, gone).filter((line) => line !== '')).toEqual([])
  })

  const pairs = doc.entries.flatMap((__, from) => doc.entries.map((___, to) => [from, to] as const))
  it.each(pairs)('moves entry %i to %i', (from, to) => {
    const moved = edits.moveEntry(doc, from, to)
    const order = doc.entries.toSpliced(from, 1).toSpliced(to, 0, doc.entries[from]!)
    expect(readDocument(moved).entries.map(({ name }) => name)).toEqual(order.map(({ name }) => name))
    expect(chosen(moved)).toBe(chosen(text))
    const given = added(text, moved).filter((line) => line !== '')
    expect(given.every((line) => /^(default|fallback)\b/.test(line))).toBe(true)
    expect(lost(text, moved).every((line) => /^(default|fallback)\b/.test(line))).toBe(true)
    expect(moved.endsWith('\n')).toBe(text.endsWith('\n'))
  })

  it.each(doc.entries.map(({ name }, i) => [i, name] as const))('copies and removes entry %i: %s', (i) => {
    const copied = edits.duplicateEntry(doc, i)
    expect(readDocument(copied).entries.map(({ name }) => name)).toEqual(
      doc.entries.map(({ name }) => name).toSpliced(i, 0, doc.entries[i]!.name),
    )
    expect(chosen(copied)).toBe(chosen(text))
    const removed = edits.removeEntry(doc, i)
    expect(readDocument(removed).entries.map(({ name }) => name)).toEqual(
      doc.entries.map(({ name }) => name).toSpliced(i, 1),
    )
    if (chosen(text) !== doc.entries[i]!.name) expect(chosen(removed)).toBe(chosen(text))
  })

  it('takes another entry at its end', () => {
    const after = edits.addEntry(doc, 'New', ['root (hd0,0)', 'boot'])
    expect(after.startsWith(text)).toBe(true)
    expect(titles(after)).toEqual([...titles(text), 'New'])
  })
})

describe('an edit', () => {
  const change = (text: string, edit: (doc: MenuDocument) => string): string => edit(readDocument(text))
  const row = (doc: MenuDocument, entry: number, i: number) => doc.entries[entry]!.rows[i]!
  const rows: [string, string, (doc: MenuDocument) => string, string][] = [
    ['keeps the equals sign', 'default=1\n', (d) => edits.setHead(d, 'default', '2'), 'default=2\n'],
    ['keeps blanks', 'timeout   5  \n', (d) => edits.setHead(d, 'timeout', '9'), 'timeout   9  \n'],
    [
      'holds to the last of several',
      'timeout 1\ntimeout 2\n',
      (d) => edits.setHead(d, 'timeout', '3'),
      'timeout 1\ntimeout 3\n',
    ],
    [
      'removes every one',
      'timeout 1\ncolor x\ntimeout 2\n',
      (d) => edits.setHead(d, 'timeout', undefined),
      'color x\n',
    ],
    [
      'puts a setting into its place',
      'default 0\nserial\n',
      (d) => edits.setHead(d, 'timeout', '5'),
      'default 0\ntimeout 5\nserial\n',
    ],
    [
      'puts a first setting before all entries',
      '# x\ntitle A\nboot\n',
      (d) => edits.setHead(d, 'hiddenmenu', ''),
      'hiddenmenu\n\n# x\ntitle A\nboot\n',
    ],
    [
      'changes a word of a continued line',
      'title A\nkernel /x a=1 \\\n  b=2\n',
      (d) => edits.setWord(d, row(d, 0, 0), row(d, 0, 0).words[2]!, 'b=3'),
      'title A\nkernel /x a=1 \\\n  b=3\n',
    ],
    [
      'takes a continued word away, blanks and all',
      'title A\nkernel /x a=1 \\\n  b=2\n',
      (d) => edits.setWord(d, row(d, 0, 0), row(d, 0, 0).words[2]!, ''),
      'title A\nkernel /x a=1\n',
    ],
    [
      'adds a word before CR',
      'title A\r\nkernel /x\r\n',
      (d) => edits.addWord(d, row(d, 0, 0), 'noreboot'),
      'title A\r\nkernel /x noreboot\r\n',
    ],
    [
      'lets no line end in',
      'title A\nboot\n',
      (d) => edits.setArgument(d, d.entries[0]!.title, 'B\nboot'),
      'title B boot\nboot\n',
    ],
    [
      'indents a new line like the others',
      'title A\n   boot',
      (d) => edits.addRow(d, d.entries[0]!, 'pause'),
      'title A\n   boot\n   pause\n',
    ],
    [
      'a line without text goes',
      'title A\n\troot (hd0,0)\n\tboot\n',
      (d) => edits.setLine(d, row(d, 0, 0), ' '),
      'title A\n\tboot\n',
    ],
    [
      'default follows its entry',
      'default 0\ntitle A\nboot\ntitle B\nhalt\n',
      (d) => edits.moveEntry(d, 0, 1),
      'default 1\ntitle B\nhalt\ntitle A\nboot\n',
    ],
    [
      'fallback follows, and what went is left out',
      'fallback 1 2\ntitle A\nboot\ntitle B\nhalt\ntitle C\nreboot\n',
      (d) => edits.removeEntry(d, 1),
      'fallback 1\ntitle A\nboot\ntitle C\nreboot\n',
    ],
    [
      'default saved stays',
      'default saved\ntitle A\nboot\ntitle B\nhalt\n',
      (d) => edits.moveEntry(d, 0, 1),
      'default saved\ntitle B\nhalt\ntitle A\nboot\n',
    ],
    [
      'gaps stay where they are',
      'title A\nboot\n\n\ntitle B\nhalt\n\ntitle C\nreboot\n',
      (d) => edits.removeEntry(d, 2),
      'title A\nboot\n\n\ntitle B\nhalt\n',
    ],
  ]
  it.each(rows)('%s', (_, text, edit, expected) => {
    expect(change(text, edit)).toBe(expected)
  })
})
