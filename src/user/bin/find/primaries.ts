/** find's tests and actions, by name. */
import {
  major,
  minor,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '#abi/posix/stat.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../../libc/dirent.ts'
import { OsError } from '../../libc/errno.ts'
import { FNM_CASEFOLD, fnmatch } from '../../libc/fnmatch.ts'
import { adjustMode, modeString, parseMode } from '../../libc/mode.ts'
import { getgrgid, getgrnam, getpwnam, getpwuid } from '../../libc/pwd.ts'
import { eprint, readLineUnbuffered, STDIN } from '../../libc/stdio.ts'
import { clock_gettime, readlink, rmdir, stat, unlink } from '../../libc/syscall.ts'
import { strftime } from '../../libc/time.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import { compileRegex } from '../../regex/regex.ts'
import { execute } from './execute.ts'
import { type Compare, comparison, type Finish, type Test, type Visit } from './expression.ts'

/** What parsing knows, and what options set. */
export interface Context {
  readonly run: Run
  readonly words: readonly string[]
  at: number
  maxDepth: number
  minDepth: number
  depthFirst: boolean
  sameDevice: boolean
  /** Some action was named: -print is not added. */
  acts: boolean
  readonly finishes: Finish[]
  now: number
}

const TYPES: Readonly<Record<string, number>> = {
  f: S_IFREG,
  d: S_IFDIR,
  l: S_IFLNK,
  c: S_IFCHR,
  b: S_IFBLK,
  p: S_IFIFO,
  s: S_IFSOCK,
}

export type Primary = (context: Context, name: string) => Sys<Test>

function argument(context: Context, name: string): string {
  const value = context.words[context.at++]
  if (value === undefined) throw new Exit(1, `missing argument to \`${name}'`)
  return value
}

function number(context: Context, name: string): Compare {
  const text = argument(context, name)
  return comparison(text) ?? fatal(`invalid argument \`${text}' to \`${name}'`)
}

function fatal(message: string): never {
  throw new Exit(1, message)
}

const always: Test = () => true

/** Age in whole units of `seconds`. */
const age = (field: 'atime' | 'mtime' | 'ctime', seconds: number): Primary =>
  function* (context, name) {
    const compare = number(context, name)
    const [now] = yield* clock_gettime(CLOCK_REALTIME)
    return ({ stat }) => compare(Math.floor((now - stat[field]) / seconds))
  }

const newer = (field: 'mtime'): Primary =>
  function* (context, name) {
    const reference = yield* stat(argument(context, name))
    return (file) => file.stat[field] > reference[field]
  }

const names = (whole: boolean, fold: number): Primary =>
  function* (context, name) {
    const pattern = argument(context, name)
    return (file) => fnmatch(pattern, whole ? file.path : file.name, fold)
  }

const regexTest = (ignoreCase: boolean): Primary =>
  function* (context, name) {
    const regex = compileRegex(argument(context, name), { ignoreCase, whole: 'line' })
    return (file) => regex.test(file.path)
  }

function* userTest(context: Context, name: string): Sys<Test> {
  const text = argument(context, name)
  const uid = /^[0-9]+$/.test(text) ? Number(text) : (yield* getpwnam(text))?.uid
  if (uid === undefined) fatal(`\`${text}' is not the name of a known user`)
  return (file) => file.stat.uid === uid
}

function* groupTest(context: Context, name: string): Sys<Test> {
  const text = argument(context, name)
  const gid = /^[0-9]+$/.test(text) ? Number(text) : (yield* getgrnam(text))?.gid
  if (gid === undefined) fatal(`\`${text}' is not the name of an existing group`)
  return (file) => file.stat.gid === gid
}

function* permTest(context: Context, name: string): Sys<Test> {
  const text = argument(context, name)
  const how = text[0] === '-' || text[0] === '/' || text[0] === '+' ? text[0] : ''
  const change = parseMode(text.slice(how.length))
  if (!change) return fatal(`invalid mode \`${text}'`)
  const wanted = adjustMode(0, change, 0) & 0o7777
  if (how === '') return (file) => (file.stat.mode & 0o7777) === wanted
  if (how === '-') return (file) => (file.stat.mode & wanted) === wanted
  return (file) => wanted === 0 || (file.stat.mode & wanted) !== 0
}

function* sizeTest(context: Context, name: string): Sys<Test> {
  const text = argument(context, name)
  const match = /^([+-]?[0-9]+)([bckwMG]?)$/.exec(text)
  const compare = match ? comparison(match[1]!) : undefined
  if (!match || !compare) return fatal(`invalid -size type \`${text.slice(-1)}'`)
  const units: Readonly<Record<string, number>> = { '': 512, b: 512, c: 1, w: 2, k: 1024, M: 1 << 20, G: 1 << 30 }
  const unit = units[match[2]!]!
  return (file) => compare(Math.ceil(file.stat.size / unit))
}

function* emptyTest(): Sys<Test> {
  return (file) => isEmpty(file)
}

function* isEmpty({ stat, path }: Visit): Sys<boolean> {
  const kind = stat.mode & S_IFMT
  if (kind === S_IFREG) return stat.size === 0
  if (kind !== S_IFDIR) return false
  try {
    return (yield* listDirectory(path)).every(({ name }) => name === '.' || name === '..')
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

const depthOption = (option: 'maxDepth' | 'minDepth'): Primary =>
  function* (context, name) {
    const text = argument(context, name)
    if (!/^[0-9]+$/.test(text)) fatal(`Expected a positive decimal integer argument to ${name}, but got \`${text}'`)
    context[option] = Number(text)
    return always
  }

const printing = (end: string): Primary =>
  function* (context) {
    context.acts = true
    return (file) => print(context.run, file.path + end)
  }

function* print(run: Run, text: string): Sys<boolean> {
  yield* run.out.print(text)
  return true
}

function* printfAction(context: Context, name: string): Sys<Test> {
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

function* lsAction(context: Context): Sys<Test> {
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

function* deleteAction(context: Context): Sys<Test> {
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

const execAction = (asks: boolean): Primary =>
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

export const PRIMARIES: ReadonlyMap<string, Primary> = new Map<string, Primary>([
  ['-name', names(false, 0)],
  ['-iname', names(false, FNM_CASEFOLD)],
  ['-path', names(true, 0)],
  ['-wholename', names(true, 0)],
  ['-ipath', names(true, FNM_CASEFOLD)],
  ['-regex', regexTest(false)],
  ['-iregex', regexTest(true)],
  [
    '-type',
    function* (context, name) {
      const letter = argument(context, name)
      const kind = TYPES[letter]
      if (kind === undefined) fatal(`Unknown argument to -type: ${letter}`)
      return (file) => (file.stat.mode & S_IFMT) === kind
    },
  ],
  ['-size', sizeTest],
  ['-empty', emptyTest],
  ['-atime', age('atime', 86400)],
  ['-mtime', age('mtime', 86400)],
  ['-ctime', age('ctime', 86400)],
  ['-amin', age('atime', 60)],
  ['-mmin', age('mtime', 60)],
  ['-cmin', age('ctime', 60)],
  ['-newer', newer('mtime')],
  ['-user', userTest],
  ['-group', groupTest],
  [
    '-uid',
    function* (context, name) {
      const compare = number(context, name)
      return (file) => compare(file.stat.uid)
    },
  ],
  [
    '-gid',
    function* (context, name) {
      const compare = number(context, name)
      return (file) => compare(file.stat.gid)
    },
  ],
  ['-perm', permTest],
  [
    '-links',
    function* (context, name) {
      const compare = number(context, name)
      return (file) => compare(file.stat.nlink)
    },
  ],
  [
    '-inum',
    function* (context, name) {
      const compare = number(context, name)
      return (file) => compare(file.stat.ino)
    },
  ],
  ['-maxdepth', depthOption('maxDepth')],
  ['-mindepth', depthOption('minDepth')],
  [
    '-depth',
    function* (context) {
      context.depthFirst = true
      return always
    },
  ],
  [
    '-xdev',
    function* (context) {
      context.sameDevice = true
      return always
    },
  ],
  [
    '-mount',
    function* (context) {
      context.sameDevice = true
      return always
    },
  ],
  [
    '-true',
    function* () {
      return always
    },
  ],
  [
    '-false',
    function* () {
      return () => false
    },
  ],
  [
    '-prune',
    function* () {
      return (file) => {
        file.pruned = true
        return true
      }
    },
  ],
  [
    '-quit',
    function* (context) {
      context.acts = true
      return () => {
        throw new Exit(context.run.status)
      }
    },
  ],
  ['-print', printing('\n')],
  ['-print0', printing('\0')],
  ['-printf', printfAction],
  ['-ls', lsAction],
  ['-delete', deleteAction],
  ['-exec', execAction(false)],
  ['-ok', execAction(true)],
])
