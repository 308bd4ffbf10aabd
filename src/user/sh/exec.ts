/**
 * The interpreter: walks the syntax tree. `run` answers at once with a status where no system call is needed, and otherwise with a generator, so
 * that loops over arithmetic, tests and assignments make no generators.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { close, dup2, pipe, read } from '../libc/syscall.ts'
import type { Node, Simple } from './ast.ts'
import { arithCommand, testCommand } from './bash-commands.ts'
import { type Builtin, builtins } from './builtins.ts'
import { Interrupted, ShellError, ShellExit } from './errors.ts'
import { Expander, expandQuick, patternQuick, stringQuick } from './expand.ts'
import { enterChild, type Job, reapChild, waitForJob } from './jobs.ts'
import { matches } from './match.ts'
import { childMain, environmentWith, findCommand, forkOrFault, launch, replaceBy } from './processes.ts'
import { redirect, restore, type SavedFd, type Target, targets } from './redirect.ts'
import { EVAL_DEPTH_MAX, FUNCTION_DEPTH_MAX, type Shell, type Var } from './shell.ts'
import { runTraps } from './signals.ts'
import { trace } from './trace.ts'

export type Outcome = number | Sys<number>
/** How often a loop that makes no system call lets the kernel look at the process. */
const SPINS = 256

export const expander = new Expander(substitute)

/** Run `node`; the status is left in `sh.status` too. `last`: nothing comes after it in this process. */
export function run(sh: Shell, node: Node, last = false): Outcome {
  if (sh.attention) return afterAttention(sh, node, last)
  switch (node.t) {
    case 'simple': {
      const quick = simpleQuick(sh, node)
      return quick === undefined ? simple(sh, node, last) : quick
    }
    case 'seq':
      return sequence(sh, node.items, last)
    case 'andor':
      return andOr(sh, node, last)
    case 'if':
      return conditional(sh, node, last)
    case 'while':
    case 'until':
      return loop(sh, node)
    case 'for':
      return forLoop(sh, node)
    case 'case':
      return caseOf(sh, node, last)
    case 'not':
      return not(sh, node.cmd)
    case 'function':
      sh.functions.set(node.name, node.body)
      sh.status = 0
      return 0
    case 'pipe':
      return pipeline(sh, node.cmds, node.text)
    case 'background':
      return background(sh, node.cmd, node.text)
    case 'subshell':
      return subshell(sh, node, last)
    case 'redir':
      return redirected(sh, node)
    case 'test':
      return checked(sh, testCommand(sh, expander, node.expr, node.line))
    case 'arith':
      return checked(sh, arithCommand(sh, expander, node.word, node.line))
  }
}

/** Traps and interrupts come between commands. */
function* afterAttention(sh: Shell, node: Node, last: boolean): Sys<number> {
  sh.attention = false
  if (sh.interrupted) {
    sh.interrupted = false
    throw new Interrupted()
  }
  if (sh.caught.length > 0 && !sh.inTrap) yield* runTraps(sh)
  if (sh.options.has('n') && !sh.interactive) {
    sh.attention = true
    return 0
  }
  if (sh.skip) return sh.status
  const outcome = run(sh, node, last)
  return typeof outcome === 'number' ? outcome : yield* outcome
}

function deeper(sh: Shell): void {
  if (++sh.evalDepth > EVAL_DEPTH_MAX) {
    sh.evalDepth = 0
    throw new ShellError(`Maximum evaluation depth (${EVAL_DEPTH_MAX}) reached`)
  }
}

function* sequence(sh: Shell, items: readonly Node[], last: boolean): Sys<number> {
  for (let i = 0; i < items.length; i++) {
    const outcome = run(sh, items[i]!, last && i === items.length - 1)
    if (typeof outcome !== 'number') yield* outcome
    if (sh.skip) break
  }
  return sh.status
}

function* andOr(sh: Shell, node: Node & { t: 'andor' }, last: boolean): Sys<number> {
  const { first, rest } = node
  sh.tested++
  const outcome = run(sh, first)
  let status = typeof outcome === 'number' ? outcome : yield* outcome
  for (let i = 0; i < rest.length && !sh.skip; i++) {
    const { and, cmd } = rest[i]!
    if ((status === 0) !== and) continue
    // Only the last command's failure counts for `set -e`.
    const final = i === rest.length - 1
    if (final) sh.tested--
    const next = run(sh, cmd, final && last)
    status = typeof next === 'number' ? next : yield* next
    if (final) return status
  }
  sh.tested--
  return status
}

function* not(sh: Shell, cmd: Node): Sys<number> {
  sh.tested++
  const outcome = run(sh, cmd)
  const status = typeof outcome === 'number' ? outcome : yield* outcome
  sh.tested--
  if (!sh.skip) sh.status = status === 0 ? 1 : 0
  return sh.status
}

function* conditional(sh: Shell, node: Node & { t: 'if' }, last: boolean): Sys<number> {
  deeper(sh)
  sh.tested++
  const outcome = run(sh, node.cond)
  const status = typeof outcome === 'number' ? outcome : yield* outcome
  sh.tested--
  if (!sh.skip) {
    const branch = status === 0 ? node.then : node.otherwise
    if (branch) {
      const taken = run(sh, branch, last)
      if (typeof taken !== 'number') yield* taken
    } else sh.status = 0
  }
  sh.evalDepth--
  return sh.status
}

/** A break or continue that is meant for this loop: is it the end of it? */
function leaves(sh: Shell): boolean {
  if (sh.skip === 'return') return true
  if (--sh.skipCount > 0) return true
  const ends = sh.skip === 'break'
  sh.skip = ''
  return ends
}

function* loop(sh: Shell, node: Node & { t: 'while' | 'until' }): Sys<number> {
  deeper(sh)
  sh.loops++
  const { cond, body } = node
  const ends = node.t === 'until'
  let status = 0
  for (let spins = 1; ; spins++) {
    if (spins % SPINS === 0) yield undefined
    sh.tested++
    const test = run(sh, cond)
    const verdict = typeof test === 'number' ? test : yield* test
    sh.tested--
    if (sh.skip && leaves(sh)) break
    if ((verdict === 0) === ends) break
    const outcome = run(sh, body)
    status = typeof outcome === 'number' ? outcome : yield* outcome
    if (sh.skip && leaves(sh)) break
  }
  sh.loops--
  sh.evalDepth--
  if (sh.skip !== 'return') sh.status = status
  return sh.status
}

function* forLoop(sh: Shell, node: Node & { t: 'for' }): Sys<number> {
  sh.line = node.line
  const values = node.words ? (expandQuick(sh, node.words) ?? (yield* expander.words(sh, node.words))) : sh.params
  deeper(sh)
  sh.loops++
  let status = 0
  for (let i = 0; i < values.length; i++) {
    if (i % SPINS === SPINS - 1) yield undefined
    sh.set(node.name, values[i]!)
    const outcome = run(sh, node.body)
    status = typeof outcome === 'number' ? outcome : yield* outcome
    if (sh.skip && leaves(sh)) break
  }
  sh.loops--
  sh.evalDepth--
  if (sh.skip !== 'return') sh.status = status
  return sh.status
}

function* caseOf(sh: Shell, node: Node & { t: 'case' }, last: boolean): Sys<number> {
  sh.line = node.line
  const subject = stringQuick(sh, node.word) ?? (yield* expander.string(sh, node.word))
  deeper(sh)
  let taken: Node | undefined
  let found = false
  for (const { patterns, body } of node.items) {
    for (const word of patterns) {
      found = matches(patternQuick(word) ?? (yield* expander.pattern(sh, word)), subject)
      if (found) break
    }
    if (found) {
      taken = body
      break
    }
  }
  if (taken) {
    const outcome = run(sh, taken, last)
    if (typeof outcome !== 'number') yield* outcome
  } else sh.status = 0
  sh.evalDepth--
  return sh.status
}

function* redirected(sh: Shell, node: Node & { t: 'redir' }): Sys<number> {
  sh.line = node.line
  const saved: SavedFd[] = []
  try {
    yield* redirect(sh, yield* targets(sh, expander, node.redirs), saved)
  } catch (error) {
    yield* restore(saved)
    if (!(error instanceof ShellError)) throw error
    // A compound command whose redirection fails is only not run.
    yield* sh.complain(error.message, '')
    sh.status = error.status
    checkExit(sh)
    return sh.status
  }
  try {
    const outcome = run(sh, node.body)
    return typeof outcome === 'number' ? outcome : yield* outcome
  } finally {
    if (!sh.exiting) yield* restore(saved)
  }
}

/** `set -e`. */
function checkExit(sh: Shell): void {
  if (sh.status !== 0 && sh.options.has('e') && sh.tested === 0) throw new ShellExit(sh.status)
}

function* checked(sh: Shell, command: Sys<number>): Sys<number> {
  yield* command
  checkExit(sh)
  return sh.status
}

// Simple commands.

/** Assignments alone, and builtins that make no system call. Undefined: the long way. */
function simpleQuick(sh: Shell, node: Simple): Outcome | undefined {
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
  if (!builtin?.quick || (sh.functions.size > 0 && !builtin.special && sh.functions.has(name))) return undefined
  if (builtin.bashOnly && !sh.bash) return undefined
  sh.line = node.line
  const argv = expandQuick(sh, words)
  if (!argv) return undefined
  const status = builtin.quick(sh, argv)
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
    if (!(error instanceof ShellError)) throw error
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

function* simple(sh: Shell, node: Simple, last: boolean): Sys<number> {
  sh.line = node.line
  sh.substitutionStatus = 0
  const argv = expandQuick(sh, node.words) ?? (yield* expander.words(sh, node.words))
  const { assigns } = node
  if (argv.length === 0) return yield* assignmentsOnly(sh, node)
  const list = node.redirs.length > 0 ? yield* targetsOf(sh, node) : NONE
  if (!list) return sh.status
  const name = argv[0]!
  const builtin = lookup(sh, name)
  const body = builtin?.special ? undefined : sh.functions.get(name)
  const values: [string, string][] = []
  for (const { name: target, word, append } of assigns) {
    const text = yield* expander.string(sh, word)
    values.push([target, append ? (sh.get(target) ?? '') + text : text])
  }
  if (sh.options.has('x')) yield* trace(sh, values, argv)
  if (!body && !builtin) return yield* external(sh, argv, list, values, node.text, last)

  const saved: SavedFd[] = []
  try {
    if (list.length > 0) yield* redirect(sh, list, name === 'exec' ? undefined : saved)
  } catch (error) {
    yield* restore(saved)
    if (!(error instanceof ShellError)) throw error
    // A special builtin's redirection error ends a script (POSIX, 2.8.1).
    if (builtin?.special && !sh.bash) throw error
    yield* sh.complain(error.message, '')
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
      yield* sh.complain(error.message, '')
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
    const outcome = run(sh, body)
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

// Processes.

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
      yield* child.complain(error.message, '')
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

/** Wait for a foreground job. */
function* finish(sh: Shell, job: Job): Sys<number> {
  sh.status = yield* waitForJob(sh, job)
  if (sh.interactive && !sh.sub && sh.status === 130 && job.state === 'done') {
    // The terminal's ^C went to the job alone: loops around it end too.
    sh.interrupted = false
    throw new Interrupted()
  }
  checkExit(sh)
  return sh.status
}

function* pipeline(sh: Shell, cmds: readonly Node[], text: string): Sys<number> {
  const job = sh.jobs.add(text, false)
  yield* startPipeline(sh, job, cmds, false)
  return yield* finish(sh, job)
}

function* startPipeline(sh: Shell, job: Job, cmds: readonly Node[], inBackground: boolean): Sys<void> {
  let input = -1
  for (const [i, cmd] of cmds.entries()) {
    const [next, output] = i < cmds.length - 1 ? yield* pipe() : [-1, -1]
    const from = input
    yield* launch(
      sh,
      job,
      'text' in cmd ? cmd.text : job.text,
      function* (child) {
        if (from >= 0) {
          yield* dup2(from, 0)
          yield* close(from)
        }
        if (output >= 0) {
          if (next >= 0) yield* close(next)
          yield* dup2(output, 1)
          yield* close(output)
        }
        const outcome = run(child, cmd, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      },
      inBackground,
    )
    if (from >= 0) yield* close(from)
    if (output >= 0) yield* close(output)
    input = next
  }
}

function* background(sh: Shell, cmd: Node, text: string): Sys<number> {
  const job = sh.jobs.add(text, true)
  if (cmd.t === 'pipe') yield* startPipeline(sh, job, cmd.cmds, true)
  else
    yield* launch(
      sh,
      job,
      text,
      function* (child) {
        const outcome = run(child, cmd, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      },
      true,
    )
  sh.backgroundPid = job.processes.at(-1)!.pid
  yield* sh.jobs.started(sh, job)
  sh.status = 0
  return 0
}

function* subshell(sh: Shell, node: Node & { t: 'subshell' }, last: boolean): Sys<number> {
  void last
  const job = sh.jobs.add(node.text, false)
  yield* launch(sh, job, node.text, function* (child) {
    const outcome = run(child, node.body, true)
    return typeof outcome === 'number' ? outcome : yield* outcome
  })
  return yield* finish(sh, job)
}

/** `$(...)`. */
function* substitute(sh: Shell, body: Node): Sys<string> {
  const [reading, writing] = yield* pipe()
  const child = sh.clone()
  child.tested = 0
  let pid: number
  try {
    pid = yield* forkOrFault(sh, function* () {
      yield* enterChild(child, sh, 0, 'foreground', false)
      yield* close(reading)
      if (writing !== 1) {
        yield* dup2(writing, 1)
        yield* close(writing)
      }
      return yield* childMain(child, function* () {
        const outcome = run(child, body, true)
        return typeof outcome === 'number' ? outcome : yield* outcome
      })
    })
  } finally {
    yield* close(writing)
  }
  const parts: string[] = []
  let length = 0
  try {
    for (;;) {
      const part = yield* readAgain(reading)
      if (part.length === 0) break
      length += part.length
      if (sh.heapBytes + length > sh.heapTop) {
        sh.heapBytes += length
        try {
          yield* sh.grow()
        } finally {
          sh.heapBytes -= length
        }
      }
      parts.push(byteString(part))
    }
  } finally {
    yield* close(reading)
  }
  sh.substitutionStatus = yield* reapChild(sh, pid)
  let text = parts.join('')
  if (text.includes('\0')) text = text.replace(/\0/g, '')
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 10) end--
  return text.slice(0, end)
}

/** A trap's signal must not lose what is read. */
function* readAgain(fd: number): Sys<Uint8Array> {
  for (;;) {
    try {
      return yield* read(fd, 65536)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== 4) throw error
    }
  }
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
