/** :set, for the options that there are. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Editor, ViError } from './editor.ts'
import type { ExCall } from './ex.ts'

interface OptionRow {
  readonly names: readonly string[]
  readonly get: (ed: Editor) => boolean | number
  readonly put: (ed: Editor, value: boolean | number) => void
}

const flag = (
  names: readonly string[],
  get: (ed: Editor) => boolean,
  put: (ed: Editor, value: boolean) => void,
): OptionRow => ({ names, get, put: (ed, value) => put(ed, value === true) })
const number = (
  names: readonly string[],
  get: (ed: Editor) => number,
  put: (ed: Editor, value: number) => void,
): OptionRow => ({ names, get, put: (ed, value) => put(ed, Number(value)) })

const OPTIONS: readonly OptionRow[] = [
  flag(
    ['autoindent', 'ai'],
    (ed) => ed.set.autoindent,
    (ed, on) => {
      ed.set.autoindent = on
    },
  ),
  flag(
    ['expandtab', 'et'],
    (ed) => ed.set.expandtab,
    (ed, on) => {
      ed.set.expandtab = on
    },
  ),
  flag(
    ['ignorecase', 'ic'],
    (ed) => ed.set.ignorecase,
    (ed, on) => {
      ed.set.ignorecase = on
    },
  ),
  flag(
    ['list'],
    (ed) => ed.view.options.list,
    (ed, on) => {
      ed.view.options.list = on
    },
  ),
  flag(
    ['number', 'nu'],
    (ed) => ed.view.options.number,
    (ed, on) => {
      ed.view.options.number = on
    },
  ),
  flag(
    ['readonly', 'ro'],
    (ed) => ed.readonly,
    (ed, on) => {
      ed.readonly = on
    },
  ),
  flag(
    ['ruler', 'ru'],
    (ed) => ed.set.ruler,
    (ed, on) => {
      ed.set.ruler = on
    },
  ),
  number(
    ['shiftwidth', 'sw'],
    (ed) => ed.set.shiftwidth,
    (ed, n) => {
      ed.set.shiftwidth = n
    },
  ),
  number(
    ['tabstop', 'ts'],
    (ed) => ed.view.options.tabstop,
    (ed, n) => {
      ed.view.options.tabstop = n
    },
  ),
  flag(
    ['wrapscan', 'ws'],
    (ed) => ed.set.wrapscan,
    (ed, on) => {
      ed.set.wrapscan = on
    },
  ),
]

const shown = (ed: Editor, { names, get }: OptionRow): string => {
  const value = get(ed)
  return typeof value === 'number' ? `  ${names[0]}=${value}` : `${value ? '  ' : 'no'}${names[0]}`
}

export function* setOption(ed: Editor, { argument }: ExCall): Sys<void> {
  const words = argument.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) ed.say(OPTIONS.map((row) => shown(ed, row).trim()).join('  '))
  for (const word of words) {
    const [, name = '', tail = ''] = /^([a-z]*)(.*)$/.exec(word)!
    const find = (wanted: string) => OPTIONS.find(({ names }) => names.includes(wanted))
    const no = find(name) ? undefined : name.startsWith('no') ? find(name.slice(2)) : undefined
    const toggle = find(name) ? undefined : name.startsWith('inv') ? find(name.slice(3)) : undefined
    const row = find(name) ?? no ?? toggle
    if (!row) throw new ViError(`E518: Unknown option: ${word}`)
    const isNumber = typeof row.get(ed) === 'number'
    if (tail === '?') ed.say(shown(ed, row))
    else if (no) row.put(ed, false)
    else if (toggle || tail === '!') row.put(ed, !row.get(ed))
    else if (isNumber) {
      if (tail === '') ed.say(shown(ed, row))
      else if (!/^[=:][0-9]+$/.test(tail)) throw new ViError(`E521: Number required after =: ${word}`)
      else if (Number(tail.slice(1)) < 1) throw new ViError(`E487: Argument must be positive: ${word}`)
      else row.put(ed, Math.min(100, Number(tail.slice(1))))
    } else if (tail !== '') throw new ViError(`E474: Invalid argument: ${word}`)
    else row.put(ed, true)
  }
}
