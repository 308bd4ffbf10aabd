/** find's options and tests, and the table of all primaries by name. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '#abi/posix/stat.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../../libc/dirent.ts'
import { OsError } from '../../libc/errno.ts'
import { FNM_CASEFOLD, fnmatch } from '../../libc/fnmatch.ts'
import { adjustMode, parseMode } from '../../libc/mode.ts'
import { getgrnam, getpwnam } from '../../libc/pwd.ts'
import { clock_gettime, stat } from '../../libc/syscall.ts'
import { Exit } from '../../libc/utility.ts'
import { compileRegex } from '../../regex/regex.ts'
import { deleteAction, execAction, lsAction, printfAction, printing } from './actions.ts'
import { argument, type Context, fatal, number, type Primary } from './context.ts'
import { comparison, type Test, type Visit } from './expression.ts'

const TYPES: Readonly<Record<string, number>> = {
  f: S_IFREG,
  d: S_IFDIR,
  l: S_IFLNK,
  c: S_IFCHR,
  b: S_IFBLK,
  p: S_IFIFO,
  s: S_IFSOCK,
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
