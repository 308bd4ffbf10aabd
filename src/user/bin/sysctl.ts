/** sysctl(8): procps 3.2.7. Keys are files below /proc/sys. */

import { O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { eprint, readFile, writeAll } from '../libc/stdio.ts'
import { close, open, stat } from '../libc/syscall.ts'
import { type Run, utility } from '../libc/utility.ts'

const ROOT = '/proc/sys/'
/** Directories inside each other. */
const DEPTH_MAX = 10

export const sysctl = utility({
  name: 'sysctl',
  usage:
    'sysctl [-n] [-e] variable ... \nsysctl [-n] [-e] [-q] -w variable=value ... \nsysctl [-n] [-e] -a \nsysctl [-n] [-e] [-q] -p <file>   (default /etc/sysctl.conf)',
  help: `  -n   values without keys    -e   ignore unknown keys    -N   keys without values
  -w   change values          -q   do not print what is set
  -a   all keys               -p   settings from a file
`,
  version: '(procps version 3.2.7)',
  short: 'neNwqaAp',
  *main(run) {
    if (run.has('a') || run.has('A')) {
      yield* all(run, '', 0)
      return run.status
    }
    if (run.has('p')) {
      yield* load(run, run.operands[0] ?? '/etc/sysctl.conf')
      return run.status
    }
    if (run.operands.length === 0) {
      yield* eprint(
        `usage:  sysctl [-n] [-e] variable ... \n        sysctl [-n] [-e] [-q] -w variable=value ... \n        sysctl [-n] [-e] -a \n`,
      )
      return 1
    }
    for (const word of run.operands) {
      if (run.has('w') || word.includes('=')) yield* set(run, word)
      else yield* show(run, word)
    }
    return run.status
  },
})

const pathOf = (key: string): string => ROOT + (key.includes('/') ? key : key.replaceAll('.', '/'))

function* failed(run: Run, error: unknown, key: string): Sys<void> {
  if (!(error instanceof OsError)) throw error
  if (error.errno === 2) {
    if (!run.has('e')) yield* run.complain(`"${key}" is an unknown key`, 255)
  } else if (error.errno === 13) yield* run.complain(`permission denied on key '${key}'`, 255)
  else yield* run.complain(`"${strerror(error.errno)}" reading key "${key}"`, 255)
}

function* show(run: Run, key: string): Sys<void> {
  try {
    const { mode } = yield* stat(pathOf(key))
    if ((mode & S_IFMT) === S_IFDIR) return yield* all(run, `${key.replaceAll('/', '.')}.`, 0)
    const text = yield* readFile(pathOf(key))
    for (const line of text.replace(/\n$/, '').split('\n')) {
      const name = key.replaceAll('/', '.')
      yield* run.out.line(run.has('N') ? name : run.has('n') ? line : `${name} = ${line}`)
    }
  } catch (error) {
    yield* failed(run, error, key)
  }
}

function* all(run: Run, prefix: string, depth: number): Sys<void> {
  if (depth > DEPTH_MAX) return
  for (const name of [...(yield* namesIn(pathOf(prefix)))].sort()) {
    if (name === '.' || name === '..') continue
    const { mode } = yield* stat(pathOf(prefix) + name)
    if ((mode & S_IFMT) === S_IFDIR) yield* all(run, `${prefix}${name}.`, depth + 1)
    else if ((mode & 0o444) !== 0) yield* show(run, prefix + name)
  }
}

function* set(run: Run, setting: string): Sys<void> {
  const equals = setting.indexOf('=')
  if (equals <= 0) return yield* run.complain(`"${setting}" must be of the form name=value`, 255)
  const key = setting.slice(0, equals).trim()
  const value = setting.slice(equals + 1).trim()
  try {
    const fd = yield* open(pathOf(key), O_WRONLY | O_TRUNC, 0)
    try {
      yield* writeAll(fd, bytesOfString(`${value}\n`))
    } finally {
      yield* close(fd)
    }
    if (!run.has('q')) yield* run.out.line(run.has('n') ? value : `${key.replaceAll('/', '.')} = ${value}`)
  } catch (error) {
    if (error instanceof OsError && error.errno === 22)
      yield* run.complain(`"${strerror(error.errno)}" setting key "${key}"`, 255)
    else yield* failed(run, error, key)
  }
}

function* load(run: Run, file: string): Sys<void> {
  let text: string
  try {
    text = yield* readFile(file)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return yield* run.complain(`cannot open "${file}"`, 255)
  }
  for (const line of text.split('\n')) {
    const setting = line.trim()
    if (setting === '' || setting.startsWith('#') || setting.startsWith(';')) continue
    yield* set(run, setting)
  }
}
