/** sh(1) and bash(1): from argv to the first command, and on to the last. */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { SIG_DFL, SIG_IGN } from '#abi/posix/signal.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { isatty, readFile, writeAll } from '../libc/stdio.ts'
import { close, fcntl, getpid, getppid, open, raw, read } from '../libc/syscall.ts'
import { initialDirectory } from './builtins/io.ts'
import { setOption, setOptionByName } from './builtins/set.ts'
import { Interrupted, NeedMore, ShellError, ShellExit } from './errors.ts'
import { run } from './exec.ts'
import { interact } from './interactive.ts'
import { Jobs, takeTerminal } from './jobs.ts'
import { Parser } from './parser.ts'
import { ending, exitTrap, findCommand, replaceBy } from './processes.ts'
import { openFault } from './redirect.ts'
import { type Interpreter, Shell } from './shell.ts'
import { interactiveSignals, runTraps } from './signals.ts'
import { lookup, runArgv } from './simple.ts'
import { BASH_VERSION, usageText } from './usage.ts'

/** Parse and run `text`, one complete command after the other. */
function* evaluate(sh: Shell, text: string, last = false): Sys<number> {
  let source = text
  let line = sh.line
  let ran = false
  for (let at = 0; ; ) {
    const parser = new Parser(source, { complete: true, bash: sh.bash, aliases: sh.aliases, line })
    let parsed: ReturnType<Parser['command']>
    try {
      parsed = parser.command(at)
    } catch (error) {
      if (error instanceof ShellError) sh.line = (error as { line?: number }).line ?? sh.line
      throw error
    }
    at = parsed.at
    source = parsed.text
    line = parsed.line
    if (parsed.node && !sh.options.has('n')) {
      ran = true
      const outcome = run(sh, parsed.node, last && /^\s*$/.test(source.slice(at)))
      if (typeof outcome !== 'number') yield* outcome
      if (sh.skip) break
    }
    if (parsed.end) break
  }
  if (!ran) sh.status = 0
  if (sh.attention && sh.caught.length > 0) yield* runTraps(sh)
  return sh.status
}

const interpreter: Interpreter = {
  run,
  evaluate: (sh, text) => evaluate(sh, text),
  command: runArgv,
  *replace(sh, argv) {
    return yield* replaceBy(sh, yield* findCommand(sh, argv[0]!), argv, sh.environment())
  },
  find: findCommand,
  builtin: lookup,
}

/** Commands from a file descriptor that others may read too: no more than a block ahead. */
function* runInput(sh: Shell, fd: number): Sys<void> {
  let text = ''
  let ended = false
  let line = 1
  for (;;) {
    let parsed: ReturnType<Parser['command']> | undefined
    try {
      parsed = new Parser(text, { complete: ended, bash: sh.bash, aliases: sh.aliases, line }).command(0)
      // A command that ends with the text may go on: `a` and then `&& b` is none, but `a` and `b` is `ab`.
      if (!ended && parsed.at >= parsed.text.length && !parsed.text.endsWith('\n')) parsed = undefined
    } catch (error) {
      if (!(error instanceof NeedMore)) {
        sh.line = (error as { line?: number }).line ?? line
        throw error
      }
    }
    if (!parsed) {
      const part = yield* read(fd, 8192)
      if (part.length === 0) ended = true
      text += byteString(part)
      continue
    }
    text = parsed.text.slice(parsed.at)
    line = parsed.line
    if (sh.options.has('v')) yield* sh.err(parsed.text.slice(0, parsed.at))
    if (parsed.node && !sh.options.has('n')) {
      const outcome = run(sh, parsed.node)
      if (typeof outcome !== 'number') yield* outcome
      sh.skip = ''
    }
    if (parsed.end && ended && text === '') return
  }
}

interface Invocation {
  command: string | undefined
  readonly rest: string[]
  login: boolean
  readonly files: { rc: boolean; profile: boolean }
}

function options(sh: Shell, argv: readonly string[]): Invocation {
  const found: Invocation = {
    command: undefined,
    rest: [],
    login: (argv[0] ?? '').startsWith('-'),
    files: { rc: true, profile: true },
  }
  let wantsCommand = false
  let i = 1
  for (; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') {
      i++
      break
    }
    if (sh.bash && word.startsWith('--')) {
      if (word === '--login') found.login = true
      else if (word === '--norc') found.files.rc = false
      else if (word === '--noprofile') found.files.profile = false
      else throw new ShellError(`${word}: invalid option`)
      continue
    }
    if (word === '-') {
      i++
      break
    }
    if (word.length < 2 || (word[0] !== '-' && word[0] !== '+')) break
    const on = word[0] === '-'
    for (const letter of word.slice(1)) {
      if (letter === 'c' && on) wantsCommand = true
      else if (letter === 'l') found.login = true
      else if (letter === 'o') setOptionByName(sh, argv[++i] ?? '', on)
      else setOption(sh, letter, on)
    }
  }
  if (wantsCommand) {
    found.command = argv[i++]
    if (found.command === undefined)
      throw new ShellError(sh.bash ? '-c: option requires an argument' : '-c requires an argument')
  }
  for (const word of argv.slice(i)) found.rest.push(word)
  return found
}

/** The shell's life. `argv[0]` says which shell it is to be. */
export function* shellMain(argv: readonly string[], env: readonly string[]): Sys<number> {
  const called = argv[0] ?? 'sh'
  const bash = called.slice(called.lastIndexOf('/') + 1).replace(/^-/, '') === 'bash'
  const usage = bash ? usageText(argv[1]) : undefined
  if (usage !== undefined) {
    yield* writeAll(1, bytesOfString(usage))
    return 0
  }
  const sh = new Shell({ bash, arg0: called, params: [] })
  sh.interpreter = interpreter
  sh.jobs = new Jobs()
  sh.pid = sh.rootPid = yield* getpid()
  for (const entry of env) {
    const equals = entry.indexOf('=')
    const name = entry.slice(0, equals)
    if (equals > 0 && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      sh.vars.set(name, { value: entry.slice(equals + 1), exported: true, readonly: false })
  }
  sh.set('IFS', ' \t\n')
  sh.vars.get('IFS')!.exported = false
  sh.set('OPTIND', '1')
  sh.set('PPID', String(yield* getppid()))
  if (sh.get('PATH') === undefined) sh.set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  sh.set('PS1', (yield* raw(SYSCALL_NR.geteuid)) === 0 ? '# ' : '$ ')
  sh.set('PS2', '> ')
  sh.set('PS4', '+ ')
  if (bash) sh.set('BASH_VERSION', BASH_VERSION)
  let status: number
  try {
    status = yield* start(sh, argv)
  } catch (error) {
    status = yield* ending(sh, error)
  }
  // -1: what it was before the trap that asked for it.
  return yield* exitTrap(sh, status < 0 ? sh.status : status)
}

function* start(sh: Shell, argv: readonly string[]): Sys<number> {
  sh.line = 0
  const invocation = options(sh, argv)
  sh.line = 1
  yield* ignoredSignals(sh)
  yield* initialDirectory(sh)
  const { command, rest, login, files } = invocation
  sh.login = login
  let input = 0
  if (command !== undefined) {
    if (rest.length > 0) sh.arg0 = rest.shift()!
  } else if (rest.length > 0 && !sh.options.has('s')) {
    input = yield* openScript(sh, rest.shift()!)
  } else if (!sh.options.has('i') && (yield* isatty(0)) && (yield* isatty(2))) sh.options.add('i')
  sh.params = rest
  sh.interactive = sh.options.has('i')
  if (command === undefined && input === 0) sh.options.add('s')
  if (sh.interactive) {
    yield* interactiveSignals(sh)
    if (!sh.options.has('m') && (yield* takeTerminal(sh))) sh.options.add('m')
  }
  yield* startupFiles(sh, login, files)
  if (command !== undefined) return yield* evaluate(sh, command, true)
  if (sh.interactive && input === 0) return yield* interact(sh)
  yield* runInput(sh, input)
  return sh.status
}

/** What was ignored when the shell was started stays so. */
function* ignoredSignals(sh: Shell): Sys<void> {
  for (const signo of [1, 2, 3, 15]) {
    const old = yield* raw(SYSCALL_NR.rt_sigaction, signo, SIG_DFL, 0, 0)
    if (old !== SIG_IGN) continue
    sh.ignoredAtEntry.add(signo)
    yield* raw(SYSCALL_NR.rt_sigaction, signo, SIG_IGN, 0, 0)
  }
}

function* openScript(sh: Shell, name: string): Sys<number> {
  const fault = (errno: number): never => {
    if (sh.bash) throw new ShellError(`${name}: ${strerror(errno)}`, errno === ENOENT ? 127 : 126)
    sh.line = 0
    throw new ShellError(openFault(sh, name, errno, false), 2)
  }
  let fd = 0
  try {
    fd = yield* open(name, O_RDONLY, 0)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    fault(error.errno)
  }
  // Out of the way of the script's own descriptors, and not for its children.
  const kept = yield* fcntl(fd, 0, 10)
  yield* fcntl(kept, 2, 1)
  yield* close(fd)
  sh.arg0 = name
  sh.scriptName = true
  return kept
}

function* startupFiles(sh: Shell, login: boolean, files: { rc: boolean; profile: boolean }): Sys<void> {
  const home = sh.get('HOME') ?? ''
  if (login && files.profile) {
    yield* sourceFile(sh, '/etc/profile')
    if (sh.bash) {
      for (const name of ['.bash_profile', '.bash_login', '.profile'])
        if (yield* sourceFile(sh, `${home}/${name}`)) break
    } else yield* sourceFile(sh, `${home}/.profile`)
  }
  if (!sh.interactive) return
  if (sh.bash) {
    if (!login && files.rc) yield* sourceFile(sh, `${home}/.bashrc`)
  } else {
    const env = sh.get('ENV')
    if (env !== undefined && env !== '') yield* sourceFile(sh, env)
  }
}

/** A start-up file: it may be missing, and its errors do not end an interactive shell. */
function* sourceFile(sh: Shell, path: string): Sys<boolean> {
  let text: string
  try {
    text = yield* readFile(path)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
  try {
    yield* evaluate(sh, text)
  } catch (error) {
    if (error instanceof ShellExit || !(error instanceof ShellError || error instanceof Interrupted)) throw error
    if (error instanceof ShellError && !error.told) yield* sh.complain(error.message, '')
  }
  sh.skip = ''
  sh.line = 1
  return true
}
