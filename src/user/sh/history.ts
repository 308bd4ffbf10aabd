/** The list of earlier commands: bash's history(3), as lines of ~/.bash_history and as what the editor's keys walk through. */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { readAll, writeAll } from '../libc/stdio.ts'
import { close, open } from '../libc/syscall.ts'
import type { Shell } from './shell.ts'

/** bash's HISTSIZE where nothing is said. */
const HISTORY_DEFAULT = 500
const HISTORY_MAX = 10_000

const limitOf = (sh: Shell): number => {
  const text = sh.get('HISTSIZE') ?? ''
  return /^[0-9]{1,9}$/.test(text) ? Math.min(Number(text), HISTORY_MAX) : HISTORY_DEFAULT
}

function fileOf(sh: Shell): string | undefined {
  if (!sh.bash) return undefined
  const home = sh.get('HOME')
  return sh.get('HISTFILE') ?? (home === undefined ? undefined : `${home}/.bash_history`)
}

export function* loadHistory(sh: Shell): Sys<void> {
  const file = fileOf(sh)
  if (file === undefined) return
  try {
    const fd = yield* open(file, O_RDONLY, 0)
    const text = yield* readAll(fd)
    yield* close(fd)
    for (const line of text.split('\n').slice(-limitOf(sh) - 1)) if (line !== '') sh.history.push(line)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

export function* saveHistory(sh: Shell): Sys<void> {
  const file = fileOf(sh)
  const limit = limitOf(sh)
  if (file === undefined || sh.history.length === 0 || limit === 0) return
  try {
    const fd = yield* open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    yield* writeAll(fd, bytesOfString(`${sh.history.slice(-limit).join('\n')}\n`))
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

/** One more command, which may have taken several lines: bash keeps it as one (cmdhist). */
export function remember(sh: Shell, text: string): void {
  const { history } = sh
  const command = sh.bash ? joined(text) : text.replace(/\n$/, '')
  for (const line of sh.bash ? [command] : command.split('\n')) if (line.trim() !== '') history.push(line)
  const limit = limitOf(sh)
  while (history.length > limit) history.shift()
}

/** Behind these a newline separates nothing (bash: history_delimiting_chars). */
const NO_SEMICOLON = /(?:^|[\s;&|(])(?:case|do|elif|else|if|in|then|until|while|function)$|[{();&|]$/

/** `for i in 1 2; do echo $i; done`: lines that belong together as one, but for quoted text and here-documents. */
function joined(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n')
  if (lines.length === 1 || /<<-?\s*["'\\]?\w/.test(text)) return lines.join('\n')
  let out = lines[0]!
  for (const line of lines.slice(1)) {
    const quote = openQuote(out)
    if (quote === '\\') out = out.slice(0, -1) + line
    else if (quote !== '') out += `\n${line}`
    else if (line.trim() === '') continue
    else {
      const end = out.trimEnd()
      out = `${end}${end === '' || NO_SEMICOLON.test(end) ? ' ' : '; '}${line.trimStart()}`
    }
  }
  return out
}

/** The quote that `text` leaves open; a backslash, if it ends in one. */
function openQuote(text: string): string {
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '\\' && quote !== "'") {
      if (i === text.length - 1) return '\\'
      i++
    } else if (quote === '' && (c === "'" || c === '"')) quote = c
    else if (c === quote) quote = ''
  }
  return quote
}
