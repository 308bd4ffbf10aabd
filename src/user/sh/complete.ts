/** Completion of commands, files and variables, for TAB. */
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { stat } from '../libc/syscall.ts'
import type { Completions } from '../terminal/line-editor.ts'
import { builtins } from './builtins.ts'
import type { Shell } from './shell.ts'

const BREAKS = ' \t\n;&|<>()"\'`='

export function* complete(sh: Shell, line: string, cursor: number): Sys<Completions> {
  const before = line.slice(0, cursor)
  let from = before.length
  while (from > 0 && !(BREAKS.includes(before[from - 1]!) && before[from - 2] !== '\\')) from--
  const word = before.slice(from)
  const dollar = /\$\{?[A-Za-z_][A-Za-z0-9_]*$|\$\{?$/.exec(word)
  if (dollar) {
    const brace = dollar[0].startsWith('${')
    const prefix = dollar[0].slice(brace ? 2 : 1)
    const names = [...sh.vars.keys()]
      .filter((name) => name.startsWith(prefix) && sh.get(name) !== undefined)
      .sort(byBytes)
    return {
      from: from + dollar.index,
      words: names.map((name) => (brace ? `\${${name}} ` : `$${name} `)),
      shown: names.map((name) => `$${name}`),
    }
  }
  const lead = before.slice(0, from).trimEnd()
  const commandPlace =
    lead === '' ||
    /[;&|(`]$/.test(lead) ||
    /(?:^|\s)(?:then|do|else|elif|if|while|until|!|\{|sudo|exec|command)$/.test(lead)
  if (commandPlace && !word.includes('/') && !word.startsWith('~')) {
    const names = yield* commands(sh, word)
    return { from, words: names.map((name) => `${name} `), shown: names }
  }
  return yield* files(sh, word, from, commandPlace)
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function* commands(sh: Shell, prefix: string): Sys<string[]> {
  const found = new Set<string>()
  for (const [name, { bashOnly }] of builtins) if (name.startsWith(prefix) && (sh.bash || !bashOnly)) found.add(name)
  for (const name of sh.functions.keys()) if (name.startsWith(prefix)) found.add(name)
  for (const name of sh.aliases.keys()) if (name.startsWith(prefix)) found.add(name)
  for (const dir of (sh.get('PATH') ?? '').split(':')) {
    try {
      for (const { name } of yield* listDirectory(dir || '.'))
        if (name.startsWith(prefix) && name !== '.' && name !== '..') found.add(name)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return [...found].sort(byBytes)
}

const unquoted = (word: string): string => word.replace(/\\([\s\S])/g, '$1')
const quotedName = (name: string): string => name.replace(/[ \t\n\\'"`$&|;<>()*?[\]#~!{}]/g, '\\$&')

function* files(sh: Shell, word: string, from: number, executable: boolean): Sys<Completions> {
  const slash = word.lastIndexOf('/') + 1
  const typed = word.slice(0, slash)
  const prefix = unquoted(word.slice(slash))
  let dir = unquoted(typed)
  if (dir.startsWith('~/')) dir = (sh.get('HOME') ?? '') + dir.slice(1)
  const names: string[] = []
  try {
    for (const { name } of yield* listDirectory(dir || '.')) {
      if (!name.startsWith(prefix) || name === '.' || name === '..') continue
      if (name.startsWith('.') && !prefix.startsWith('.')) continue
      names.push(name)
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  names.sort(byBytes)
  const words: string[] = []
  const shown: string[] = []
  for (const name of names) {
    let mode = 0
    try {
      mode = (yield* stat(dir + name)).mode
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    const isDir = (mode & S_IFMT) === S_IFDIR
    if (executable && !isDir && (mode & 0o111) === 0) continue
    words.push(typed + quotedName(name) + (isDir ? '/' : ' '))
    shown.push(isDir ? `${name}/` : name)
  }
  return { from, words, shown }
}
