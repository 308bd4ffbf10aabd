/** Simple commands (POSIX.1-2004, XCU 2.9.1): assignments, builtins, functions, and programs. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Node, Simple } from './ast.ts'
import { type Builtin, builtins } from './builtins.ts'
import { checkExit, ShellError, ShellExit } from './errors.ts'
import { expandQuick, stringQuick } from './expand.ts'
import { waitForJob } from './jobs.ts'
import { finish } from './pipelines.ts'
import { environmentWith, findCommand, launch, replaceBy } from './processes.ts'
import { redirect, restore, type SavedFd, type Target, targets } from './redirect.ts'
import { FUNCTION_DEPTH_MAX, type Outcome, type Shell, type Var } from './shell.ts'
import { expander } from './substitution.ts'
import { trace } from './trace.ts'

/** Assignments alone, and builtins that make no system call. Undefined: the long way. */
export function simpleQuick(sh: Shell, node: Simple): Outcome | undefined {
  if (node.redirs.length > 0 || sh.options.has('x')) return undefined
  const { assigns, words } = node
  if (words.length === 0) {
    sh.line = node.line
    for (let i = 0; i < assigns.length; i++) {
      const { name, word, append } = assigns[i]!
      const text = stringQuick(sh, word)
      // Those before are done again the long way: that changes nothing, unless they append.
      if (text === undefined || append) return i === 0 ? undefined : assignRest(sh, node, i)
      sh.set(name, text)
    }
    sh.status = 0
    return sh.heapBytes > sh.heapTop ? growThen(sh) : 0
  }
  if (assigns.length > 0) return undefined
  const name = words[0]!.lit
  if (name === undefined) return undefined
  const builtin = builtins.get(name)
  if (!builtin?.quick || (sh.functions.size > 0 && (sh.bash || !builtin.special) && sh.functions.has(name)))
    return undefined
  if (builtin.bashOnly && !sh.bash) return undefined
  sh.line = node.line
  const argv = expandQuick(sh, words)
  if (!argv) return undefined
  const { command } = sh
  let status: number | undefined
  try {
    status = builtin.quick(sh, argv)
  } catch (error) {
    // The long way fails again, and names the builtin.
    if (!(error instanceof ShellError)) throw error
    sh.command = command
  }
  if (status === undefined) return finishBuiltin(sh, builtin, argv)
  sh.status = status
  if (status !== 0) checkExit(sh)
  return sh.heapBytes > sh.heapTop ? growThen(sh) : status
}

function* growThen(sh: Shell): Sys<number> {
  yield* sh.grow()
  return sh.status
}

function* assignRest(sh: Shell, node: Simple, from: number): Sys<number> {
  return yield* simple(sh, { ...node, assigns: node.assigns.slice(from) }, false)
}

/** A builtin whose words are expanded, without redirections. */
function* finishBuiltin(sh: Shell, builtin: Builtin, argv: readonly string[]): Sys<number> {
  sh.status = yield* callBuiltin(sh, builtin, argv)
  checkExit(sh)
  return sh.status
}

function* callBuiltin(sh: Shell, builtin: Builtin, argv: readonly string[]): Sys<number> {
  const { command: outer, tested, evalDepth, loops } = sh
  sh.command = argv[0]!
  try {
    const outcome = builtin.run(sh, argv)
    const status = typeof outcome === 'number' ? outcome : yield* outcome
    if (sh.heapBytes > sh.heapTop) yield* sh.grow()
    return status
  } catch (error) {
    if (!(error instanceof ShellError) || error.told) throw error
    if (!error.named && !NAMELESS.test(error.message)) {
      // A regular builtin's error ends the builtin alone; so do a special one's for bash, unless the shell itself is at fault.
      if (!builtin.special || (sh.bash && error.status === 1)) {
        yield* sh.complain(error.message)
        sh.tested = tested
        sh.evalDepth = evalDepth
        sh.loops = loops
        return error.status
      }
      const named = new ShellError(`${argv[0]}: ${error.message}`, error.status)
      named.named = named.told = true
      yield* sh.complain(named.message, '')
      throw named
    }
    throw error
  } finally {
    sh.command = outer
  }
}

/** Errors that no builtin has made: they end the shell whoever met them. */
const NAMELESS = /^(?:Out of space$|xmalloc|Maximum )/

export function* simple(sh: Shell, node: Simple, last: boolean): Sys<number> {
  sh.line = node.line
  sh.substitutionStatus = 0
  const argv = expandQuick(sh, node.words) ?? (yield* expander.words(sh, node.words))
  const { assigns } = node
  if (argv.length === 0) return yield* assignmentsOnly(sh, node)
  const list = node.redirs.length > 0 ? yield* targetsOf(sh, node) : NONE
  if (!list) return sh.status
  const name = argv[0]!
  const builtin = lookup(sh, name)
  // A special builtin goes before a function in POSIX, not in bash: `:(){ :|:& };:`.
  const body = builtin?.special && !sh.bash ? undefined : sh.functions.get(name)
  const values: [string, string][] = []
  for (const { name: target, word, append } of assigns) {
    const text = yield* expander.string(sh, word)
    values.push([target, append ? (sh.get(target) ?? '') + text : text])
  }
  if (sh.options.has('x')) yield* trace(sh, values, argv)
  if (!body && !builtin) return yield* external(sh, argv, list, values, node.text, last)

  const saved: SavedFd[] = []
  try {
    if (list.length > 0) yield* redirect(sh, list, persists(argv) ? undefined : saved)
  } catch (error) {
    yield* restore(saved)
    if (!(error instanceof ShellError)) throw error
    yield* complainOfTarget(sh, error)
    // A special builtin's redirection error ends a script (POSIX, 2.8.1).
    if (builtin?.special && !sh.bash) {
      error.told = true
      throw error
    }
    sh.status = error.status
    checkExit(sh)
    return sh.status
  }
  const frame = new Map<string, Var | undefined>()
  try {
    for (const [target, text] of values) {
      if (!builtin?.special || sh.bash) {
        const old = sh.vars.get(target)
        if (old?.readonly) sh.set(target, text)
        frame.set(target, old)
        sh.vars.set(target, { value: text, exported: true, readonly: false })
        if (target === 'PATH') sh.hash.clear()
      } else sh.set(target, text)
    }
    sh.status = body ? yield* callFunction(sh, body, argv) : yield* callBuiltin(sh, builtin!, argv)
  } finally {
    if (frame.size > 0) sh.restore(frame)
    if (saved.length > 0 && !sh.exiting) yield* restore(saved)
  }
  if (!sh.skip) checkExit(sh)
  return sh.status
}

const NONE: readonly Target[] = []

/** A redirection that failed: dash names the builtin that runs the command, `eval`, in front. */
export const complainOfTarget = (sh: Shell, error: ShellError): Sys<void> =>
  sh.complain(error.message, sh.bash ? '' : sh.command)

/** `exec`, and `command exec`: its redirections stay. */
function persists(argv: readonly string[]): boolean {
  let at = 0
  while (argv[at] === 'command' || (at > 0 && (argv[at] === '-p' || argv[at] === '--'))) at++
  return argv[at] === 'exec'
}

/** Undefined: a redirection's word could not be expanded into one. */
function* targetsOf(sh: Shell, node: Simple): Sys<readonly Target[] | undefined> {
  return yield* targets(sh, expander, node.redirs)
}

function* assignmentsOnly(sh: Shell, node: Simple): Sys<number> {
  if (node.redirs.length > 0) {
    const saved: SavedFd[] = []
    try {
      yield* redirect(sh, yield* targets(sh, expander, node.redirs), saved)
    } catch (error) {
      if (!(error instanceof ShellError)) throw error
      yield* complainOfTarget(sh, error)
      sh.status = error.status
      checkExit(sh)
      return sh.status
    } finally {
      yield* restore(saved)
    }
  }
  const values: [string, string][] = []
  for (const { name, word, append } of node.assigns) {
    const text = yield* expander.string(sh, word)
    const whole = append ? (sh.get(name) ?? '') + text : text
    sh.set(name, whole)
    values.push([name, whole])
  }
  if (sh.heapBytes > sh.heapTop) yield* sh.grow()
  if (sh.options.has('x')) yield* trace(sh, values, [])
  sh.status = sh.substitutionStatus
  checkExit(sh)
  return sh.status
}

export function lookup(sh: Shell, name: string): Builtin | undefined {
  const builtin = builtins.get(name)
  return builtin && (!builtin.bashOnly || sh.bash) ? builtin : undefined
}

function* callFunction(sh: Shell, body: Node, argv: readonly string[]): Sys<number> {
  if (sh.functionDepth >= FUNCTION_DEPTH_MAX)
    throw new ShellError(`Maximum function recursion depth (${FUNCTION_DEPTH_MAX}) reached`)
  const { params, optOffset, loops } = sh
  const frame = new Map<string, Var | undefined>()
  sh.params = argv.slice(1)
  sh.locals.push(frame)
  sh.functionDepth++
  sh.loops = 0
  try {
    const outcome = sh.interpreter.run(sh, body)
    const status = typeof outcome === 'number' ? outcome : yield* outcome
    if (sh.skip === 'return') {
      sh.skip = ''
      return sh.status
    }
    return status
  } finally {
    sh.params = params
    sh.optOffset = optOffset
    sh.loops = loops
    sh.functionDepth--
    sh.locals.pop()
    sh.restore(frame)
  }
}

function* external(
  sh: Shell,
  argv: readonly string[],
  list: readonly Target[],
  values: readonly (readonly [string, string])[],
  text: string,
  last: boolean,
): Sys<number> {
  const override = values.find(([name]) => name === 'PATH')?.[1]
  const where = yield* findCommand(sh, argv[0]!, override ?? sh.get('PATH'))
  const become = function* (child: Shell): Sys<number> {
    try {
      yield* redirect(child, list)
    } catch (error) {
      if (!(error instanceof ShellError)) throw error
      yield* complainOfTarget(child, error)
      return error.status
    }
    return yield* replaceBy(child, where, argv, environmentWith(child, values))
  }
  if (last && !sh.traps.has(0) && sh.jobs.list.length === 0 && !sh.interactive) {
    sh.status = yield* become(sh)
    throw new ShellExit(sh.status)
  }
  const job = sh.jobs.add(text, false)
  yield* launch(sh, job, text, become)
  return yield* finish(sh, job)
}

/** `command`: words as a command, functions left aside. */
export function* runArgv(sh: Shell, argv: readonly string[], path: string | undefined): Sys<number> {
  const builtin = lookup(sh, argv[0]!)
  if (builtin) {
    try {
      return yield* callBuiltin(sh, { ...builtin, special: false }, argv)
    } catch (error) {
      if (!(error instanceof ShellError)) throw error
      if (!error.told) yield* sh.complain(error.message, argv[0])
      return error.status
    }
  }
  const where = yield* findCommand(sh, argv[0]!, path)
  const text = argv.join(' ')
  const job = sh.jobs.add(text, false)
  const { command } = sh
  sh.command = ''
  yield* launch(sh, job, text, (child) => replaceBy(child, where, argv, child.environment()))
  const status = yield* waitForJob(sh, job)
  sh.command = command
  return status
}
