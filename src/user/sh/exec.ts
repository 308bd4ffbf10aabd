/**
 * The interpreter: walks the syntax tree. `run` answers at once with a status where no system call is needed, and otherwise with a generator, so
 * that loops over arithmetic, tests and assignments make no generators. Compound commands are here; simple ones in simple.ts, what forks for
 * other reasons in pipelines.ts and substitution.ts.
 */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { Node } from './ast.ts'
import { arithCommand, testCommand } from './bash-commands.ts'
import { checkExit, Interrupted, ShellError } from './errors.ts'
import { expandQuick, patternQuick, stringQuick } from './expand.ts'
import { matches } from './match.ts'
import { background, pipeline, subshell } from './pipelines.ts'
import { redirect, restore, type SavedFd, targets } from './redirect.ts'
import { EVAL_DEPTH_MAX, type Outcome, type Shell } from './shell.ts'
import { runTraps } from './signals.ts'
import { complainOfTarget, simple, simpleQuick } from './simple.ts'
import { expander } from './substitution.ts'

/** How often a loop that makes no system call lets the kernel look at the process. */
const SPINS = 256

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
    yield* complainOfTarget(sh, error)
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

function* checked(sh: Shell, command: Sys<number>): Sys<number> {
  yield* command
  checkExit(sh)
  return sh.status
}
