/** menu.lst's colours in the text editor: what GRUB's own parser makes of each line. */
import { type Extension, RangeSetBuilder } from '@codemirror/state'
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { readDocument } from './document.ts'
import { fileWord, lineOptions } from './options.ts'

export interface Mark {
  readonly from: number
  readonly to: number
  readonly kind: 'comment' | 'title' | 'command' | 'setting' | 'unknown' | 'file' | 'option' | 'value'
}

/** In the order of the text, none over another. */
export function marksOf(text: string): Mark[] {
  const document = readDocument(text)
  const marks: Mark[] = []
  const rows = [...document.head, ...document.entries.flatMap(({ title, rows: own }) => [title, ...own])]
  let at = 0
  const comments = (to: number) => {
    for (const found of text.slice(at, to).matchAll(/^[ \t]*(#.*)$/gm)) {
      const from = at + found.index + found[0].indexOf('#')
      marks.push({ from, to: at + found.index + found[0].length, kind: 'comment' })
    }
  }
  const owner = new Map(document.entries.flatMap((entry) => entry.rows.map((row) => [row, entry] as const)))
  for (const row of rows) {
    comments(row.from)
    at = row.to
    const kind = row.place === undefined ? 'unknown' : row.place === 'menu' ? 'setting' : 'command'
    marks.push({ from: row.from, to: row.commandTo, kind })
    const [first] = row.words
    const last = row.words.at(-1)
    if (row.place === 'title' && first && last) marks.push({ from: first.from, to: last.to, kind: 'title' })
    const entry = owner.get(row)
    const file = fileWord(row)
    if (file) marks.push({ from: file.from, to: file.to, kind: 'file' })
    if (!entry) continue
    for (const { word, name, known } of lineOptions(entry, row)) {
      const nameEnd = word.from + name.length
      if (known) marks.push({ from: word.from, to: nameEnd, kind: 'option' })
      if (nameEnd + 1 < word.to) marks.push({ from: nameEnd + 1, to: word.to, kind: 'value' })
    }
  }
  comments(text.length)
  return marks
}

function decorate(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>()
  for (const { from, to, kind } of marksOf(view.state.doc.toString()))
    if (to > from) builder.add(from, to, Decoration.mark({ class: `boot-menu-${kind}` }))
  return builder.finish()
}

/** The file is small: it is read anew at each change. */
export const menuColours: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = decorate(view)
    }
    update(update: ViewUpdate): void {
      if (update.docChanged) this.decorations = decorate(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)
