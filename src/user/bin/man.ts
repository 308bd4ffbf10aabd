/** man, apropos and whatis: man 1.6d. Pages are files below /usr/share/man; the index is /var/cache/man/whatis. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { execvp, waitpid } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { eprint, isatty, Out, readFile, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { access, close, dup2, fork, pipe } from '../libc/syscall.ts'
import { screenColumns } from '../libc/termios.ts'
import { format } from '../man/roff.ts'

const TREES = ['/usr/local/share/man', '/usr/share/man']
/** In the order in which man 1.6d looks. */
const SECTIONS = ['1', '8', '2', '3', '4', '5', '6', '7', '9']
const INDEX = '/var/cache/man/whatis'
/** What a page needs at least. */
const COLUMNS_MIN = 40

export const man = program({
  name: 'man',
  usage: 'man [-aw] [SECTION] NAME...\nman -k WORD...\nman -f NAME...',
  help: [
    'Show the manual page of each NAME, through a pager on a terminal.',
    '  -a   all pages of that name, not only the first',
    '  -f   what whatis says',
    '  -k   what apropos says',
    '  -w   where the page is',
  ].join('\n'),
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), '+acdfhkwWP:M:S:')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    if (error !== undefined || has('h')) {
      yield* eprint(`${error === undefined ? '' : `man: ${error}\n`}usage: man [-afkw] [section] name ...\n`)
      return 1
    }
    if (operands.length === 0) {
      yield* eprint('What manual page do you want?\n')
      return 1
    }
    if (has('k')) return yield* search(operands, false)
    if (has('f')) return yield* search(operands, true)
    let section: string | undefined
    let status = 0
    for (const name of operands) {
      if (section === undefined && operands.length > 1 && /^[1-9]$/.test(name)) {
        section = name
        continue
      }
      const paths = yield* find(name, section)
      if (paths.length === 0) {
        yield* eprint(
          section === undefined
            ? `No manual entry for ${name}\n`
            : `No entry for ${name} in section ${section} of the manual\n`,
        )
        status = 1
      }
      for (const path of has('a') ? paths : paths.slice(0, 1)) {
        if (has('w')) yield* writeAll(STDOUT, bytesOfString(`${path}\n`))
        else status = Math.max(status, yield* show(path, env))
      }
    }
    return status
  },
})

function* find(name: string, section: string | undefined): Sys<string[]> {
  const found: string[] = []
  // A path is a page by itself.
  if (name.includes('/')) return (yield* exists(name)) ? [name] : found
  for (const tree of TREES)
    for (const one of section === undefined ? SECTIONS : [section]) {
      const path = `${tree}/man${one}/${name}.${one}`
      if (yield* exists(path)) found.push(path)
    }
  return found
}

function* exists(path: string): Sys<boolean> {
  try {
    yield* access(path, 4)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

function* show(path: string, env: readonly string[]): Sys<number> {
  const terminal = yield* isatty(STDOUT)
  const width = Number(getenv(env, 'MANWIDTH') ?? 0) || (terminal ? yield* screenColumns(STDOUT, env) : 80)
  const text = bytesOfString(format(yield* readFile(path), Math.max(COLUMNS_MIN, width - 2)))
  if (!terminal) {
    yield* writeAll(STDOUT, text)
    return 0
  }
  const pager = (getenv(env, 'MANPAGER') || getenv(env, 'PAGER') || '/usr/bin/less -is').split(/ +/)
  const [out, into] = yield* pipe()
  const child = yield* fork(function* () {
    yield* dup2(out, STDIN)
    yield* close(out)
    yield* close(into)
    try {
      return yield* execvp(pager[0]!, pager, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`sh: ${pager[0]}: command not found\n`)
      return 127
    }
  })
  yield* close(out)
  // In a child of its own: a pager that is left early ends it by SIGPIPE.
  const writer = yield* fork(function* () {
    yield* writeAll(into, text)
    return 0
  })
  yield* close(into)
  const { status } = yield* waitpid(child)
  yield* waitpid(writer)
  return status === 0 ? 0 : 1
}

/** apropos: any part of a line, whatever its case; whatis: the whole name. */
function* search(words: readonly string[], whole: boolean): Sys<number> {
  const out = new Out(STDOUT)
  let lines: string[] = []
  try {
    lines = (yield* readFile(INDEX)).split('\n').filter((line) => line !== '')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  let status = 0
  for (const word of words) {
    const wanted = word.toLowerCase()
    const fits = (line: string): boolean =>
      whole ? line.slice(0, line.indexOf(' ')) === word : line.toLowerCase().includes(wanted)
    const found = lines.filter(fits)
    if (found.length === 0) {
      yield* out.line(`${word}: nothing appropriate`)
      status = 1
    }
    for (const line of found) {
      const [, names = '', about = ''] = /^(\S+ +\(\S+\)) +- (.*)$/.exec(line) ?? []
      yield* out.line(
        `${names.replace(/ +\(/, ' '.repeat(Math.max(1, 21 - names.indexOf(' '))).concat('('))}  - ${about}`,
      )
    }
  }
  yield* out.flush()
  return status
}

export const apropos = program({
  name: 'apropos',
  usage: 'apropos WORD...',
  help: 'Search the manual for each WORD: in the names and in what they are for.',
  *main(argv) {
    if (argv.length > 1) return yield* search(argv.slice(1), false)
    yield* eprint('apropos what?\n')
    return 1
  },
})

export const whatis = program({
  name: 'whatis',
  usage: 'whatis NAME...',
  help: 'Say in one line what each NAME is, as its manual page says it.',
  *main(argv) {
    if (argv.length > 1) return yield* search(argv.slice(1), true)
    yield* eprint('whatis what?\n')
    return 1
  },
})
