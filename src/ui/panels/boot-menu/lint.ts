/** What is wrong with a menu.lst, found before GRUB finds it: by what this GRUB does with such a line, and by what is on the disk. */
import { scanNumber } from '#abi/pc/menu-lst.ts'
import type { Words } from '../../i18n/index.ts'
import { argumentOf, type CommandRow, type EntryBlock, type MenuDocument } from './document.ts'
import { fileWord, LOADS } from './options.ts'

export interface Problem {
  readonly from: number
  readonly to: number
  /** `error`: the entry does not boot. `warning`: GRUB passes over it, or does something else. */
  readonly severity: 'error' | 'warning'
  readonly words: Words
}

/** Of the disk's first Linux partition. `unknown`: not asked yet, or the disk could not be read there. */
export type FileState = 'here' | 'missing' | 'unknown'

const at = (
  { from, to }: { readonly from: number; readonly to: number },
  severity: Problem['severity'],
  words: Words,
): Problem => ({ from, to, severity, words })

const commandOf = ({ from, commandTo }: CommandRow) => ({ from, to: commandTo })
const argumentRange = (row: CommandRow) => {
  const [first] = row.words
  const last = row.words.at(-1)
  return first && last ? { from: first.from, to: last.to } : commandOf(row)
}

function numberProblem(row: CommandRow, text: string): Problem | undefined {
  if (typeof scanNumber(text) !== 'string') return undefined
  return at(argumentRange(row), 'warning', { key: 'boot-menu.problem.number', values: { command: row.command, text } })
}

function headProblems({ head, entries }: MenuDocument): Problem[] {
  const count = entries.filter(({ number }) => number !== undefined).length
  return head
    .flatMap((row): (Problem | undefined)[] => {
      const argument = argumentOf(row)
      if (row.place === undefined) return [unknown(row)]
      if (row.place === 'entry')
        return [at(commandOf(row), 'warning', { key: 'boot-menu.problem.head', values: { command: row.command } })]
      switch (row.command) {
        case 'timeout':
          return [numberProblem(row, argument)]
        case 'default': {
          if (argument === 'saved') return []
          const number = scanNumber(argument)
          if (typeof number === 'string') return [numberProblem(row, argument)]
          if (number.value < count) return []
          const values = { number: number.value, count, last: count - 1 }
          return [at(argumentRange(row), 'warning', { key: 'boot-menu.problem.default', values })]
        }
        case 'fallback':
          if (row.words.length === 0) return [numberProblem(row, '')]
          return row.words.map((word) => {
            const number = scanNumber(word.text)
            if (typeof number === 'string') return numberProblem(row, word.text)
            if (number.value < count) return undefined
            return at(word, 'warning', { key: 'boot-menu.problem.fallback', values: { number: number.value } })
          })
        default:
          return []
      }
    })
    .filter((problem) => problem !== undefined)
}

const unknown = (row: CommandRow): Problem =>
  at(commandOf(row), 'warning', { key: 'boot-menu.problem.unknown', values: { command: row.command } })

/** The path of `text` on the first Linux partition, undefined where it is on another disk or no path at all. */
export function pathOnDisk(text: string, root: string | undefined): string | undefined {
  const [, device, path] = /^(\([^)]*\))?(\/.*)$/.exec(text) ?? []
  return (device ?? root ?? '(hd0,0)') === '(hd0,0)' ? path : undefined
}

/** Lines of an entry that load a file, with its path. */
function filesOf(entry: EntryBlock): { row: CommandRow; from: number; to: number; path: string }[] {
  let root: string | undefined
  return entry.rows.flatMap((row) => {
    if (row.command === 'root' || row.command === 'rootnoverify') root = row.words[0]?.text
    const word = fileWord(row)
    const path = word && pathOnDisk(word.text, root)
    return word && path !== undefined ? [{ row, from: word.from, to: word.to, path }] : []
  })
}

/** Every file that the menu names on the first Linux partition. */
export const filesNamed = ({ entries }: MenuDocument): string[] => [
  ...new Set(entries.flatMap((entry) => filesOf(entry).map(({ path }) => path))),
]

function entryProblems(entry: EntryBlock, files: ReadonlyMap<string, FileState>): Problem[] {
  if (entry.number === undefined)
    return [at(entry.title, 'warning', { key: 'boot-menu.problem.empty' }), ...entry.rows.map(unknown)]
  const problems: Problem[] = []
  let hasKernel = false
  for (const row of entry.rows) {
    const { command } = row
    if (row.place === undefined) problems.push(unknown(row))
    else if (row.place === 'menu')
      problems.push(at(commandOf(row), 'error', { key: 'boot-menu.problem.entry', values: { command } }))
    else if (command === 'kernel') hasKernel = true
    else if (command.startsWith('module') && !hasKernel)
      problems.push(at(commandOf(row), 'error', { key: 'boot-menu.problem.module' }))
    // This GRUB loads Multiboot kernels only, so its initrd has nothing to belong to.
    else if (command === 'initrd') problems.push(at(commandOf(row), 'error', { key: 'boot-menu.problem.initrd' }))
    if (LOADS.includes(command) && row.words.length === 0)
      problems.push(at(commandOf(row), 'error', { key: 'boot-menu.problem.file', values: { command } }))
  }
  for (const { path, from, to } of filesOf(entry))
    if (files.get(path) === 'missing')
      problems.push(at({ from, to }, 'error', { key: 'boot-menu.problem.missing', values: { path } }))
  return problems
}

/** In the order of the text. */
export function lint(document: MenuDocument, files: ReadonlyMap<string, FileState>): Problem[] {
  const problems = [...headProblems(document), ...document.entries.flatMap((entry) => entryProblems(entry, files))]
  if (document.entries.every(({ number }) => number === undefined))
    problems.push(
      at({ from: document.text.length, to: document.text.length }, 'error', { key: 'boot-menu.problem.none' }),
    )
  return problems.toSorted((a, b) => a.from - b.from)
}

/** 1-based. */
export const lineNumber = (text: string, offset: number): number => text.slice(0, offset).split('\n').length
