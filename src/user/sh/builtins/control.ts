import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { readFile } from '../../libc/stdio.ts'
import { stat } from '../../libc/syscall.ts'
import { ShellError, ShellExit } from '../errors.ts'
import { openFault } from '../redirect.ts'
import { EVAL_DEPTH_MAX, type Shell } from '../shell.ts'
import { isKeyword } from '../token-reader.ts'
import { type Builtin, numberArg, options, pure } from './types.ts'

const DEFAULT_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

const jump = (name: 'break' | 'continue'): Builtin =>
  pure(
    name,
    (sh, argv) => {
      const count = argv[1] === undefined ? 1 : numberArg(sh, argv[1])
      if (count === 0 || argv[1] === '')
        throw new ShellError(sh.bash ? `${argv[1]}: loop count out of range` : `Illegal number: ${argv[1]}`)
      if (sh.loops === 0) return 0
      sh.skip = name
      sh.skipCount = Math.min(count, sh.loops)
      return 0
    },
    true,
  )

function* source(sh: Shell, argv: readonly string[]): Sys<number> {
  const name = argv[1] === '--' ? argv[2] : argv[1]
  if (name === undefined) {
    if (sh.bash) throw new ShellError('filename argument required')
    return 0
  }
  let path = name
  if (!name.includes('/')) {
    const found = yield* inPath(sh, name)
    if (found === undefined && !sh.bash) throw new ShellError(`${name}: not found`)
    path = found ?? name
  }
  let text: string
  try {
    text = yield* readFile(path)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (sh.bash) {
      yield* sh.complain(`${path}: ${strerror(error.errno)}`, '')
      return 1
    }
    throw new ShellError(openFault(sh, path, error.errno, false))
  }
  if (sh.evalDepth > EVAL_DEPTH_MAX) throw new ShellError('Maximum evaluation depth reached')
  const { params, loops, line, command } = sh
  if (sh.bash && argv.length > 2) sh.params = argv.slice(2)
  // dash's commandname.
  if (!sh.bash) sh.command = path
  sh.line = 1
  sh.loops = 0
  sh.evalDepth += 5
  try {
    const status = yield* sh.interpreter.evaluate(sh, text)
    if (sh.skip === 'return') sh.skip = ''
    return status
  } finally {
    sh.evalDepth -= 5
    sh.loops = loops
    sh.line = line
    sh.command = command
    if (sh.bash && argv.length > 2) sh.params = params
  }
}

/** `.` takes files that cannot be executed too. */
function* inPath(sh: Shell, name: string): Sys<string | undefined> {
  for (const dir of (sh.get('PATH') ?? DEFAULT_PATH).split(':')) {
    const path = dir === '' ? `./${name}` : `${dir}/${name}`
    try {
      if (((yield* stat(path)).mode & S_IFMT) === S_IFREG) return path
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return undefined
}

/** `type`, `command -v` and `command -V`. */
function* describe(sh: Shell, name: string, verbose: boolean, path?: string): Sys<number> {
  const say = (text: string): Sys<number> => sh.out(`${text}\n`)
  if (isKeyword(name, sh.bash)) return yield* say(verbose ? `${name} is a shell keyword` : name)
  const alias = sh.aliases.get(name)
  if (alias !== undefined) {
    if (verbose) return yield* say(sh.bash ? `${name} is aliased to \`${alias}'` : `${name} is an alias for ${alias}`)
    return yield* say(`alias ${name}='${alias}'`)
  }
  const builtin = sh.interpreter.builtin(sh, name)
  if (sh.functions.has(name) && !builtin?.special)
    return yield* say(verbose ? `${name} is a ${sh.bash ? '' : 'shell '}function` : name)
  if (builtin) {
    const kind = builtin.special && !sh.bash ? 'a special shell builtin' : 'a shell builtin'
    return yield* say(verbose ? `${name} is ${kind}` : name)
  }
  const where = yield* sh.interpreter.find(sh, name, path)
  if (typeof where === 'string' && (yield* isFile(where))) return yield* say(verbose ? `${name} is ${where}` : where)
  if (verbose) {
    if (sh.bash) yield* sh.complain(`${name}: not found`)
    else yield* sh.out(`${name}: not found\n`)
  }
  return sh.bash ? 1 : 127
}

function* isFile(path: string): Sys<boolean> {
  try {
    const { mode } = yield* stat(path)
    return (mode & S_IFMT) === S_IFREG && (mode & 0o111) !== 0
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}

export const controlBuiltins: readonly Builtin[] = [
  pure(':', () => 0, true),
  pure('true', () => 0),
  pure('false', () => 1),
  jump('break'),
  jump('continue'),
  pure(
    'return',
    (sh, argv) => {
      const status = argv[1] === undefined ? sh.status : numberArg(sh, argv[1]) & 255
      sh.skip = 'return'
      return status
    },
    true,
  ),
  pure(
    'shift',
    (sh, argv) => {
      const count = argv[1] === undefined ? 1 : numberArg(sh, argv[1])
      if (count > sh.params.length) {
        if (sh.bash) return 1
        throw new ShellError("can't shift that many")
      }
      sh.params = sh.params.slice(count)
      return 0
    },
    true,
  ),
  {
    name: 'exit',
    special: true,
    *run(sh, argv) {
      const status = argv[1] === undefined ? (sh.inTrap ? -1 : sh.status) : numberArg(sh, argv[1]) & 255
      if (sh.interactive && !sh.sub && sh.jobs.stopped && !sh.jobs.warned) {
        sh.jobs.warned = true
        yield* sh.err(sh.bash ? 'There are stopped jobs.\n' : 'You have stopped jobs.\n')
        return 1
      }
      if (sh.bash && sh.interactive && !sh.sub) yield* sh.err(sh.login ? 'logout\n' : 'exit\n')
      throw new ShellExit(status)
    },
  },
  {
    name: 'eval',
    special: true,
    *run(sh, argv) {
      const text = argv.slice(1).join(' ')
      if (sh.evalDepth > EVAL_DEPTH_MAX) throw new ShellError('Maximum evaluation depth reached')
      sh.evalDepth += 5
      const { line } = sh
      try {
        return yield* sh.interpreter.evaluate(sh, text)
      } finally {
        sh.evalDepth -= 5
        sh.line = line
      }
    },
  },
  { name: '.', special: true, run: source },
  { name: 'source', bashOnly: true, run: source },
  {
    name: 'exec',
    special: true,
    *run(sh, argv) {
      if (argv.length === 1) return 0
      const words = argv.slice(argv[1] === '--' ? 2 : 1)
      const status = yield* sh.interpreter.replace(sh, words)
      if (sh.interactive) return status
      sh.traps.delete(0)
      throw new ShellExit(status)
    },
  },
  {
    name: 'command',
    *run(sh, argv) {
      const { set, rest } = options(sh, argv, 'pvV')
      const path = set.has('p') ? DEFAULT_PATH : undefined
      if (rest.length === 0) return 0
      if (set.has('v') || set.has('V')) return yield* describe(sh, rest[0]!, set.has('V'), path)
      return yield* sh.interpreter.command(sh, rest, path)
    },
  },
  {
    name: 'type',
    *run(sh, argv) {
      let status = 0
      for (const name of argv.slice(1)) status = (yield* describe(sh, name, true)) || status
      return status
    },
  },
]
