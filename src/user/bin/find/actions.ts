/** find's actions: -print, -printf, -ls, -delete, -exec and their kin. */
import { major, minor, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT } from '#abi/posix/stat.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { modeString } from '../../libc/mode.ts'
import { getgrgid, getpwuid } from '../../libc/pwd.ts'
import { eprint, readLineUnbuffered, STDIN } from '../../libc/stdio.ts'
import { clock_gettime, readlink, rmdir, unlink } from '../../libc/syscall.ts'
import { strftime } from '../../libc/time.ts'
import type { Run } from '../../libc/utility.ts'
import { argument, type Context, fatal, type Primary } from './context.ts'
import { execute } from './execute.ts'
import type { Test, Visit } from './expression.ts'

export const printing = (end: string): Primary =>
  function* (context) {
    context.acts = true
    return (file) => print(context.run, file.path + end)
  }

function* print(run: Run, text: string): Sys<boolean> {
  yield* run.out.print(text)
  return true
}

export function* printfAction(context: Context, name: string): Sys<Test> {
  context.acts = true
  const format = argument(context, name)
  return (file) => formatted(context.run, format, file)
}

const FORMAT_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  r: '\r',
  v: '\v',
}

function* formatted(run: Run, format: string, { path, name, depth, stat }: Visit): Sys<boolean> {
  const letter = modeString(stat.mode)[0]!
  let text = ''
  for (let i = 0; i < format.length; i++) {
    const char = format[i]!
    const next = format[i + 1] ?? ''
    if (char === '\\') {
      text += FORMAT_ESCAPES[next] ?? `\\${next}`
      i++
    } else if (char !== '%') text += char
    else {
      const spec = /^%(-?[0-9]*)(.)/s.exec(format.slice(i))
      if (!spec) {
        text += char
        continue
      }
      i += spec[0].length - 1
      const slash = path.lastIndexOf('/')
      const values: Readonly<Record<string, string | number>> = {
        p: path,
        f: name,
        h: slash < 0 ? '.' : path.slice(0, slash),
        s: stat.size,
        d: depth,
        m: (stat.mode & 0o7777).toString(8),
        M: modeString(stat.mode),
        n: stat.nlink,
        i: stat.ino,
        b: stat.blocks,
        k: Math.ceil(stat.blocks / 2),
        U: stat.uid,
        G: stat.gid,
        y: letter === '-' ? 'f' : letter,
        '%': '%',
      }
      let value = String(values[spec[2]!] ?? `%${spec[2]}`)
      if (spec[2] === 'u') value = (yield* getpwuid(stat.uid))?.name ?? String(stat.uid)
      if (spec[2] === 'g') value = (yield* getgrgid(stat.gid))?.name ?? String(stat.gid)
      if (spec[2] === 'l') value = letter === 'l' ? yield* readlink(path) : ''
      const width = Number(spec[1] || 0)
      text += width < 0 ? value.padEnd(-width) : value.padStart(width)
    }
  }
  return yield* print(run, text)
}

export function* lsAction(context: Context): Sys<Test> {
  context.acts = true
  const [now] = yield* clock_gettime(CLOCK_REALTIME)
  return (file) => lsLine(context.run, file, now)
}

function* lsLine(run: Run, { path, stat }: Visit, now: number): Sys<boolean> {
  const kind = stat.mode & S_IFMT
  const user = (yield* getpwuid(stat.uid))?.name ?? String(stat.uid)
  const group = (yield* getgrgid(stat.gid))?.name ?? String(stat.gid)
  const device = kind === S_IFCHR || kind === S_IFBLK
  const size = device
    ? `${String(major(stat.rdev)).padStart(3)}, ${String(minor(stat.rdev)).padStart(3)}`
    : String(stat.size).padStart(8)
  const old = now - stat.mtime > 15_778_476 || stat.mtime > now
  const time = strftime(old ? '%b %e  %Y' : '%b %e %H:%M', stat.mtime)
  const link = kind === S_IFLNK ? ` -> ${yield* readlink(path)}` : ''
  const blocks = String(Math.ceil(stat.blocks / 2)).padStart(4)
  const line = `${String(stat.ino).padStart(6)} ${blocks} ${modeString(stat.mode)} ${String(stat.nlink).padStart(3)} ${user.padEnd(8)} ${group.padEnd(8)} ${size} ${time} ${path}${link}\n`
  return yield* print(run, line)
}

export function* deleteAction(context: Context): Sys<Test> {
  context.acts = true
  context.depthFirst = true
  return (file) => remove(context.run, file)
}

function* remove(run: Run, { path, stat }: Visit): Sys<boolean> {
  if (path === '.') return true
  try {
    if ((stat.mode & S_IFMT) === S_IFDIR) yield* rmdir(path)
    else yield* unlink(path)
    return true
  } catch (error) {
    yield* run.warn(error, `cannot delete ${path}`)
    return false
  }
}

/** Bytes of arguments that -exec ... + gives to one command. */
const BATCH_BYTES = 100_000

export const execAction = (asks: boolean): Primary =>
  function* (context, name) {
    context.acts = true
    const words: string[] = []
    let batch = false
    for (;;) {
      const word = context.words[context.at++]
      if (word === undefined) return fatal(`missing argument to \`${name}'`)
      if (word === ';') break
      if (word === '+' && words.at(-1) === '{}' && !asks) {
        batch = true
        words.pop()
        break
      }
      words.push(word)
    }
    if (words.length === 0) fatal(`invalid argument \`;' to \`${name}'`)
    const { run } = context
    if (!batch) {
      return (file) =>
        execOne(
          run,
          words.map((word) => word.replaceAll('{}', file.path)),
          asks,
        )
    }
    let paths: string[] = []
    let bytes = 0
    const flush = function* (): Sys<void> {
      if (paths.length === 0) return
      const argv = [...words, ...paths]
      paths = []
      bytes = 0
      if (!(yield* execOne(run, argv, false))) run.status = 1
    }
    const add = function* (file: Visit): Sys<boolean> {
      paths.push(file.path)
      bytes += file.path.length + 1
      if (bytes > BATCH_BYTES) yield* flush()
      return true
    }
    context.finishes.push({ run: flush })
    return add
  }

function* execOne(context: Run, argv: readonly string[], asks: boolean): Sys<boolean> {
  yield* context.out.flush()
  if (asks) {
    yield* eprint(`< ${argv.join(' ')} > ? `)
    const answer = yield* readLineUnbuffered(STDIN)
    if (!/^[yY]/.test(answer ?? '')) return false
  }
  return (yield* execute(context.name, argv, context.env)) === 0
}
