/** xenstore_client.c: one program under the names of all tools, or `xenstore MODE ...`. */
import { TIOCGWINSZ } from '#abi/posix/ioctl.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { type Program, program } from '#user/libc/program.ts'
import { eprint, Out, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { raw } from '#user/libc/syscall.ts'
import { type XsHandle, xsDaemonOpen, xsDomainOpen, xsTransactionEnd, xsTransactionStart } from '../libxs/xs.ts'
import { Exit } from './exit.ts'
import { ls } from './ls.ts'
import { MODES, type Mode } from './modes.ts'

/** INT_MAX / 2: lines without end. */
const NO_WIDTH = 1 << 30

const LS: Mode = {
  usage: '[-h] [-s] [path]',
  flags: 'fp',
  transaction: () => false,
  *perform({ h, operands, name, flags }) {
    const whole = flags.has('f')
    const size = yield* raw(SYSCALL_NR.ioctl, STDOUT, TIOCGWINSZ, 0)
    // struct winsize: rows, columns. A terminal's width counts for -f too.
    const maxWidth = size instanceof Uint8Array ? (size[2]! | (size[3]! << 8)) - 2 : whole ? NO_WIDTH : 80
    const out = new Out(STDOUT)
    const layout = { out, name, maxWidth, desiredWidth: whole ? 0 : 60, wholePath: whole, perms: flags.has('p') }
    try {
      for (const path of operands.length > 0 ? operands : ['/']) yield* ls(h, path, 0, layout)
    } finally {
      yield* out.flush()
    }
    return 0
  },
}

const HELP: Readonly<Record<string, string>> = {
  chmod:
    'Set the permissions of a XenStore node: n, r, w or b and a domain for each; the first is the owner.\n  -u, --upto     of its parents too\n  -r, --recurse  of all below it too',
  exists: 'Say by the exit status whether all keys exist in XenStore.',
  list: 'Print the names of the children of each key in XenStore.\n  -p, --prefix  with the key before each',
  ls: 'Print XenStore, or what lies below PATH, as a tree.\n  -f            whole paths\n  -p, --prefix  permissions behind the values',
  read: 'Print the value of each key in XenStore.\n  -p, --prefix  with the key before each',
  rm: 'Remove keys and all below them from XenStore.\n  -t, --tidy    and parents that are left without value and children',
  watch:
    'Print the path of each change at or below the keys, beginning with the keys themselves. (Of a later Xen.)\n  -n NR         stop after so many',
  write: 'Write values to keys of XenStore. In a value \\t \\n \\r \\\\ \\ooo \\xhh stand for bytes.',
}

const COMMON =
  '\n  -s, --socket  talk to the daemon over its socket, not through the kernel\n  -h, --help    print the usage'

const modeOf = (name: string): Mode | undefined => (name === 'ls' ? LS : MODES.get(name))

/** `xenstore-MODE`. */
export const xenstoreTools: readonly Program[] = Object.entries(HELP).map(([mode, help]) =>
  program({
    name: `xenstore-${mode}`,
    usage: `xenstore-${mode} ${modeOf(mode)!.usage}`,
    help: help + COMMON,
    main: (argv, env) => reporting(argv[0] ?? mode, () => client(mode, '', argv, argv[0] ?? mode, env)),
  }),
)

export const xenstoreCommand = program({
  name: 'xenstore',
  usage: 'xenstore <mode> [-h] [...]',
  help: `Do what xenstore-MODE does. Modes are ${Object.keys(HELP).join(', ')}.`,
  main: (argv, env) =>
    reporting(argv[0] ?? 'xenstore', function* () {
      const mode = argv[1]
      if (mode === undefined) throw new Exit(1, `Usage: ${argv[0]} <mode> [-h] [...]`)
      return yield* client(mode, `${mode} `, argv.slice(1), argv[0] ?? 'xenstore', env)
    }),
})

/** err(3) begins with the program's short name. */
function* reporting(called: string, run: () => Sys<number>): Sys<number> {
  try {
    return yield* run()
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    yield* eprint(`${baseName(called)}: ${error.message}\n`)
    return error.status
  }
}

const baseName = (called: string): string => called.slice(called.lastIndexOf('/') + 1)

const LONG: readonly (readonly [name: string, letter: string])[] = [
  ['help', 'h'],
  ['socket', 's'],
  ['prefix', 'p'],
  ['tidy', 't'],
  ['upto', 'u'],
  ['recurse', 'r'],
  // Of xenstore-watch, and of a later Xen.
  ['number', 'n'],
]

interface Parsed {
  readonly flags: ReadonlySet<string>
  readonly count: number
  readonly operands: readonly string[]
}

/** `argv[0]` is what getopt's complaints begin with. What is no option is complained about and passed over. */
function* parse(argv: readonly string[], mode: Mode, usage: () => never): Sys<Parsed> {
  const flags = new Set<string>()
  const operands: string[] = []
  let count = -1
  const take = (letter: string): void => {
    if (letter === 'h' || (letter !== 's' && !mode.flags.includes(letter))) usage()
    flags.add(letter)
  }
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!
    if (arg === '--') {
      operands.push(...argv.slice(i + 1))
      break
    }
    if (arg.startsWith('--')) {
      const [name = '', given] = arg.slice(2).split(/=(.*)/s, 2)
      const fits = LONG.filter(
        ([long, letter]) => long.startsWith(name) && (letter !== 'n' || mode.flags.includes('n')),
      )
      const [long, letter] = fits[0] ?? ['', '']
      if (fits.length > 1) yield* eprint(`${argv[0]}: option \`${arg}' is ambiguous\n`)
      else if (fits.length === 0) yield* eprint(`${argv[0]}: unrecognized option \`--${name}'\n`)
      else if (letter !== 'n' && given !== undefined)
        yield* eprint(`${argv[0]}: option \`--${long}' doesn't allow an argument\n`)
      else if (letter !== 'n') take(letter)
      else {
        const value = given ?? argv[++i]
        if (value === undefined) yield* eprint(`${argv[0]}: option \`${arg}' requires an argument\n`)
        else count = Number.parseInt(value, 10) || 0
      }
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let k = 1; k < arg.length; k++) {
        const letter = arg[k]!
        if (letter === 'n' && mode.flags.includes('n')) {
          const value = k + 1 < arg.length ? arg.slice(k + 1) : argv[++i]
          if (value === undefined) yield* eprint(`${argv[0]}: option requires an argument -- n\n`)
          else count = Number.parseInt(value, 10) || 0
          break
        }
        if ('fhsptur'.includes(letter)) take(letter)
        else yield* eprint(`${argv[0]}: invalid option -- ${letter}\n`)
      }
    } else operands.push(arg)
  }
  return { flags, count, operands }
}

/** main() behind the choice of the mode. */
function* client(
  name: string,
  shownMode: string,
  argv: readonly string[],
  called: string,
  env: readonly string[],
): Sys<number> {
  const mode = modeOf(name)
  if (!mode) throw new Exit(1, `unknown mode ${name}\n`)
  const usage = (): never => {
    throw new Exit(1, `Usage: ${called} ${shownMode}${mode.usage}`)
  }
  const { flags, count, operands } = yield* parse(argv, mode, usage)
  if (mode !== LS && (operands.length === 0 || (name === 'write' && operands.length % 2 === 1))) usage()
  const h = yield* connection(flags.has('s'), env)
  for (;;) {
    const output: string[] = []
    const t = mode.transaction(operands.length) ? yield* begin(h) : 0
    const status = yield* mode.perform({ h, t, name: baseName(called), operands, flags, count, output })
    if (t !== 0 && !(yield* end(h, t, status !== 0))) continue
    if (output.length > 0) yield* writeAll(STDOUT, bytesOfString(output.join('')))
    return status
  }
}

function* connection(socket: boolean, env: readonly string[]): Sys<XsHandle> {
  try {
    return yield* socket ? xsDaemonOpen(env) : xsDomainOpen(env)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Exit(1, `${socket ? 'xs_daemon_open' : 'xs_domain_open'}: ${strerror(error.errno)}`)
  }
}

function* begin(h: XsHandle): Sys<number> {
  try {
    return yield* xsTransactionStart(h)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Exit(1, "couldn't start transaction")
  }
}

/** False: all of it again. */
function* end(h: XsHandle, t: number, abort: boolean): Sys<boolean> {
  try {
    const committed = yield* xsTransactionEnd(h, t, abort)
    if (committed || !abort) return committed
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  throw new Exit(1, "couldn't end transaction")
}
