/** ps's command line: UNIX options with a dash, BSD ones without, GNU long ones (procps 3.2.7: parser.c). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { getgrnam, getpwnam } from '../../libc/pwd.ts'
import { Exit } from '../../libc/utility.ts'
import { COLUMNS, type Column, SYNONYMS } from './columns.ts'
import { type Proc, ttyNumber } from './proc.ts'

export interface PsOptions {
  readonly columns: Column[]
  /** Any of these; none: the default. */
  readonly picks: ((proc: Proc) => boolean)[]
  all: boolean
  /** BSD's a and x, UNIX's -a and -d. */
  bsdAll: boolean
  bsdNoTty: boolean
  unixTty: boolean
  unixNoLeaders: boolean
  thisTty: boolean
  running: boolean
  negate: boolean
  headers: boolean
  forest: boolean
  /** BSD formats show arguments, and threads' own `c` names. */
  bsd: boolean
  onlyNames: boolean
  wide: boolean
  sort: { readonly column: Column; readonly descending: boolean }[]
}

type Format = readonly string[]
const FORMATS: Readonly<Record<string, Format>> = {
  plain: ['pid', 'tty', 'time', 'ucmd'],
  '-f': ['uidname', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd'],
  '-l': ['f', 's', 'uid', 'pid', 'ppid', 'c', 'pri', 'ni', 'addr', 'sz', 'wchan', 'tty', 'time', 'ucmd'],
  '-fl': ['f', 's', 'uidname', 'pid', 'ppid', 'c', 'pri', 'ni', 'addr', 'sz', 'wchan', 'stime', 'tty', 'time', 'cmd'],
  '-j': ['pid', 'pgid', 'sid', 'tty', 'time', 'ucmd'],
  '-fj': ['uidname', 'pid', 'ppid', 'pgid', 'sid', 'c', 'stime', 'tty', 'time', 'cmd'],
  bsd: ['pid', 'tty', 'stat', 'bsdtime', 'args'],
  u: ['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tty', 'stat', 'start', 'bsdtime', 'args'],
  l: ['f', 'uid', 'pid', 'ppid', 'opri', 'ni', 'vsz', 'rss', 'wchan', 'stat', 'tty', 'bsdtime', 'args'],
  j: ['ppid', 'pid', 'pgid', 'sid', 'tty', 'tpgid', 'stat', 'uid', 'bsdtime', 'args'],
  v: ['pid', 'tty', 'stat', 'bsdtime', 'vsz', 'rss', 'pmem', 'args'],
}

const USAGE = `********* simple selection *********  ********* selection by list *********
-A all processes                      -C by command name
-N negate selection                   -G by real group ID (supports names)
-a all w/ tty except session leaders  -U by real user ID (supports names)
-d all except session leaders         -g by session OR by effective group name
-e all processes                      -p by process ID
T  all processes on this terminal     -s processes in the sessions given
a  all w/ tty, including other users  -t by tty
g  OBSOLETE -- DO NOT USE             -u by effective user ID (supports names)
r  only running processes             U  processes for specified users
x  processes w/o controlling ttys     t  by tty
*********** output format **********  *********** long options ***********
-o,o user-defined  -f full            --Group --User --pid --cols --ppid
-j,j job control   s  signal          --group --user --sid --rows --info
-O,O preloaded -o  v  virtual memory  --cumulative --format --deselect
-l,l long          u  user-oriented   --sort --tty --forest --version
-F   extra full    X  registers       --heading --no-heading --context
                    ********* misc options *********
-V,V  show version      L  list format codes  f  ASCII art forest
-m,m,-L,-T,H  threads   S  children in sum    -y change -l format
-M,Z  security data     c  true command name  -c scheduling class
-w,w  wide output       n  numeric WCHAN,UID  -H process hierarchy
`

const bad = (message: string): never => {
  throw new Exit(1, `\0ERROR: ${message}\n${USAGE}`)
}

const list = (text: string): string[] => text.split(/[ ,\t\n]+/).filter((word) => word !== '')

function columnOf(name: string): Column | undefined {
  return COLUMNS[SYNONYMS[name] ?? name]
}

/** `pid,user=WHO` */
function userFormat(text: string): Column[] {
  const columns: Column[] = []
  // A header takes the rest.
  const equals = text.indexOf('=')
  const names = list(equals < 0 ? text : text.slice(0, equals))
  for (const [i, name] of names.entries()) {
    const column = columnOf(name) ?? bad(`Unknown user-defined format specifier "${name}".`)
    if (equals < 0 || i < names.length - 1) columns.push(column)
    else {
      const header = text.slice(equals + 1)
      const width = Math.sign(column.width || -1) * Math.max(Math.abs(column.width), header.length)
      columns.push({ ...column, header, width })
    }
  }
  return columns
}

export function* parseOptions(args: readonly string[]): Sys<PsOptions> {
  const options: PsOptions = {
    columns: [],
    picks: [],
    all: false,
    bsdAll: false,
    bsdNoTty: false,
    unixTty: false,
    unixNoLeaders: false,
    thisTty: false,
    running: false,
    negate: false,
    headers: true,
    forest: false,
    bsd: false,
    onlyNames: false,
    wide: false,
    sort: [],
  }
  let format = ''
  const flags = new Set<string>()

  function* ids(text: string, lookup: (name: string) => Sys<number | undefined>): Sys<number[]> {
    const numbers: number[] = []
    for (const word of list(text)) {
      const id = /^[0-9]+$/.test(word) ? Number(word) : yield* lookup(word)
      numbers.push(id ?? bad(`User name does not exist.`))
    }
    return numbers
  }
  const uidOf = function* (name: string): Sys<number | undefined> {
    return (yield* getpwnam(name))?.uid
  }
  const gidOf = function* (name: string): Sys<number | undefined> {
    return (yield* getgrnam(name))?.gid
  }
  const pids = (text: string): number[] =>
    list(text).map((word) => (/^[0-9]+$/.test(word) ? Number(word) : bad('Process ID list syntax error.')))
  const sorting = (text: string): void => {
    for (const word of list(text)) {
      const name = word.replace(/^[+-]/, '')
      const column = columnOf(name) ?? bad('Unknown sort specifier.')
      options.sort.push({ column, descending: word.startsWith('-') })
    }
  }

  /** Options that take a value, in any style. */
  function* valued(letter: string, value: string): Sys<void> {
    switch (letter) {
      case 'p': {
        const wanted = pids(value)
        options.picks.push(({ pid }) => wanted.includes(pid))
        return
      }
      case 'P': {
        const wanted = pids(value)
        options.picks.push(({ ppid }) => wanted.includes(ppid))
        return
      }
      case 's': {
        const wanted = pids(value)
        options.picks.push(({ session }) => wanted.includes(session))
        return
      }
      case 'u': {
        const wanted = yield* ids(value, uidOf)
        options.picks.push(({ euid }) => wanted.includes(euid))
        return
      }
      case 'U': {
        const wanted = yield* ids(value, uidOf)
        options.picks.push(({ uid }) => wanted.includes(uid))
        return
      }
      case 'g': {
        const words = list(value)
        if (words.every((word) => /^[0-9]+$/.test(word))) return yield* valued('s', value)
        const wanted = yield* ids(value, gidOf)
        options.picks.push(({ egid }) => wanted.includes(egid))
        return
      }
      case 'G': {
        const wanted = yield* ids(value, gidOf)
        options.picks.push(({ gid }) => wanted.includes(gid))
        return
      }
      case 'C': {
        const wanted = list(value).map((word) => word.slice(0, 15))
        options.picks.push(({ comm }) => wanted.includes(comm))
        return
      }
      case 't': {
        const wanted: number[] = []
        for (const word of list(value)) {
          if (word === '-' || word === '?') wanted.push(0)
          else wanted.push((yield* ttyNumber(word)) ?? bad('TTY could not be found.'))
        }
        options.picks.push(({ tty }) => wanted.includes(tty))
        return
      }
      case 'o':
        options.columns.push(...userFormat(value))
    }
  }

  const VALUED = 'pPsuUgGCto'
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg.startsWith('--')) {
      const [name = '', inline] = arg.slice(2).split(/=(.*)/s)
      const value = (): string => inline ?? args[++i] ?? bad('Long option must have argument.')
      const letter = {
        pid: 'p',
        ppid: 'P',
        sid: 's',
        user: 'u',
        User: 'U',
        group: 'g',
        Group: 'G',
        tty: 't',
        format: 'o',
      }[name]
      if (letter) yield* valued(letter, value())
      else if (name === 'sort') sorting(value())
      else if (name === 'no-headers' || name === 'no-heading' || name === 'noheaders') options.headers = false
      else if (name === 'headers' || name === 'heading') options.headers = true
      else if (name === 'forest') options.forest = true
      else if (name === 'deselect') options.negate = true
      else if (name === 'help') throw new Exit(0, `\0${USAGE}`)
      else if (name === 'version') throw new Exit(0, '\0procps version 3.2.7\n')
      else bad('Unknown gnu long option.')
      continue
    }
    const unix = arg.startsWith('-')
    const letters = unix ? arg.slice(1) : arg
    if (!unix && /^[0-9, ]+$/.test(arg)) {
      yield* valued('p', arg)
      options.bsd = true
      continue
    }
    if (letters === '') bad('Unsupported SysV option.')
    for (let k = 0; k < letters.length; k++) {
      const letter = letters[k]!
      const rest = (): string => {
        const value = k + 1 < letters.length ? letters.slice(k + 1) : args[++i]
        k = letters.length
        return value ?? bad(unix ? 'List of process IDs must follow -p.' : 'List of process IDs must follow p.')
      }
      if (unix) {
        if (VALUED.includes(letter) && letter !== 'P') yield* valued(letter, rest())
        else if (letter === 'O')
          options.columns.push(
            columnOf('pid')!,
            ...userFormat(rest()),
            ...['s', 'tty', 'time', 'cmd'].map((n) => columnOf(n)!),
          )
        else if (letter === 'k') sorting(rest())
        else if (letter === 'e' || letter === 'A') options.all = true
        else if (letter === 'a') options.unixTty = true
        else if (letter === 'd') options.unixNoLeaders = true
        else if (letter === 'N') options.negate = true
        else if (letter === 'H') options.forest = true
        else if (letter === 'w') options.wide = true
        else if (letter === 'V') throw new Exit(0, '\0procps version 3.2.7\n')
        else if (letter === 'F' || letter === 'f' || letter === 'l' || letter === 'j') flags.add(letter.toLowerCase())
        else if (letter === 'x') options.bsdNoTty = true
        else if (letter !== 'y' && letter !== 'm' && letter !== 'L' && letter !== 'T') bad('Unsupported SysV option.')
        continue
      }
      options.bsd = true
      if (letter === 'a') options.bsdAll = true
      else if (letter === 'x') options.bsdNoTty = true
      else if (letter === 'u' || letter === 'l' || letter === 'j' || letter === 'v') format = letter
      else if (letter === 'f') options.forest = true
      else if (letter === 'h') options.headers = false
      else if (letter === 'w') options.wide = true
      else if (letter === 'c') options.onlyNames = true
      else if (letter === 'r') options.running = true
      else if (letter === 'T') options.thisTty = true
      else if (letter === 'e' || letter === 'g' || letter === 'n' || letter === 'm' || letter === 'S') continue
      else if (letter === 'p' || letter === 't' || letter === 'U' || letter === 'o')
        yield* valued(letter === 'U' ? 'u' : letter, rest())
      else if (letter === 'k') sorting(rest())
      else if (letter === 'V') throw new Exit(0, '\0procps version 3.2.7\n')
      else bad('Unsupported option (BSD syntax)')
    }
  }
  if (options.columns.length === 0) {
    const name =
      format !== ''
        ? format
        : flags.has('f')
          ? flags.has('l')
            ? '-fl'
            : flags.has('j')
              ? '-fj'
              : '-f'
          : flags.has('l')
            ? '-l'
            : flags.has('j')
              ? '-j'
              : options.bsd
                ? 'bsd'
                : 'plain'
    for (const column of FORMATS[name]!) options.columns.push(COLUMNS[column]!)
    // The ends of these differ from what -o has under the same name.
  }
  return options
}
