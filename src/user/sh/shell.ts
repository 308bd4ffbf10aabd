/** One shell's state: variables, functions, options, traps. A subshell is a copy of it, run by a forked process. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { writeAll } from '../libc/stdio.ts'
import { brk } from '../libc/syscall.ts'
import { type Arith, type ArithVars, evalArith, type Int, parseArith, parseInteger } from './arith.ts'
import type { Node } from './ast.ts'
import { ShellError } from './errors.ts'
import type { Jobs } from './jobs.ts'

export interface Var {
  /** Undefined: unset, but exported or read-only. */
  value: string | undefined
  exported: boolean
  readonly: boolean
}

/** What the commands of `set -o` change: letter and name. */
export const OPTIONS = [
  ['e', 'errexit'],
  ['f', 'noglob'],
  ['I', 'ignoreeof'],
  ['i', 'interactive'],
  ['m', 'monitor'],
  ['n', 'noexec'],
  ['s', 'stdin'],
  ['x', 'xtrace'],
  ['v', 'verbose'],
  ['V', 'vi'],
  ['E', 'emacs'],
  ['C', 'noclobber'],
  ['a', 'allexport'],
  ['b', 'notify'],
  ['u', 'nounset'],
  ['h', 'hashall'],
] as const

export type OptionLetter = (typeof OPTIONS)[number][0]

/** What is left to be skipped until a loop, a function or a sourced file takes notice. */
export type Skip = '' | 'break' | 'continue' | 'return'

/** Functions calling each other; more would be too deep for the engine's stack. */
export const FUNCTION_DEPTH_MAX = 256
/** Compound commands, evals and sourced files inside each other. */
export const EVAL_DEPTH_MAX = 512
const HEAP_STEP = 1 << 20
/** One value. */
const VALUE_MAX = 1 << 28

/** A command's status, or a generator that ends with it. */
export type Outcome = number | Sys<number>

/** What builtins, and commands inside commands, ask of the interpreter. */
export interface Interpreter {
  /** Run a node of the syntax tree (exec.ts). */
  run(sh: Shell, node: Node, last?: boolean): Outcome
  /** `eval`: run text as commands. */
  evaluate(sh: Shell, text: string): Sys<number>
  /** Run words as a command, past functions: `command`. */
  command(sh: Shell, argv: readonly string[], path: string | undefined): Sys<number>
  /** `exec`. Comes back only with a failure's status. */
  replace(sh: Shell, argv: readonly string[]): Sys<number>
  find(sh: Shell, name: string, path?: string): Sys<string | number>
  builtin(sh: Shell, name: string): { readonly special?: boolean | undefined } | undefined
}

export class Shell implements ArithVars {
  readonly bash: boolean
  arg0: string
  params: readonly string[]
  readonly vars: Map<string, Var>
  readonly functions: Map<string, Node>
  readonly aliases: Map<string, string>
  readonly options: Set<OptionLetter>
  /** By signal number; 0 is EXIT. '' ignores. */
  readonly traps: Map<number, string>
  /** Ignored when the shell began: a non-interactive one cannot change that. */
  readonly ignoredAtEntry: Set<number>
  /** Where commands were found. */
  readonly hash: Map<string, string>
  status = 0
  line = 1
  pid = 0
  /** Of the shell at the top: $$. */
  rootPid = 0
  backgroundPid = 0
  interactive = false
  /** A subshell: errors and signals are those of a script's. */
  sub = false
  login = false
  skip: Skip = ''
  skipCount = 0
  loops = 0
  functionDepth = 0
  evalDepth = 0
  /** Variables that `local` has put aside. */
  locals: Map<string, Var | undefined>[] = []
  /** A status that `set -e` does not look at. */
  tested = 0
  /** Signals that have come and have a trap. */
  readonly caught: number[] = []
  /** SIGINT came to an interactive shell. */
  interrupted = false
  /** Something to be looked at between two commands: traps, an interrupt. */
  attention = false
  /** Exit status of the last command substitution, for assignments. */
  substitutionStatus = 0
  /** The builtin that is being run: errors name it. */
  command = ''
  jobs!: Jobs
  interpreter!: Interpreter
  inTrap = false
  /** Position inside $1 for getopts. */
  optOffset = 0
  optIndexSeen = 1
  /** -c, or a script: how bash names a line in errors. */
  scriptName = false
  heapBytes = 0
  heapTop = HEAP_STEP
  exiting = false
  /** Subshells look at the same list. */
  history: string[] = []
  /** Physical working directory, as `pwd` and PWD know it. */
  cwd = ''

  constructor(init: { bash: boolean; arg0: string; params: readonly string[]; from?: Shell }) {
    const { from } = init
    this.bash = init.bash
    this.arg0 = init.arg0
    this.params = init.params
    this.vars = new Map()
    if (from) for (const [name, v] of from.vars) this.vars.set(name, { ...v })
    this.functions = new Map(from?.functions)
    this.aliases = new Map(from?.aliases)
    this.options = new Set(from?.options)
    this.traps = new Map(from?.traps)
    this.ignoredAtEntry = new Set(from?.ignoredAtEntry)
    this.hash = new Map(from?.hash)
  }

  /** The state of a subshell. */
  clone(): Shell {
    const copy = new Shell({ bash: this.bash, arg0: this.arg0, params: this.params, from: this })
    copy.status = this.status
    copy.line = this.line
    copy.rootPid = this.rootPid
    copy.backgroundPid = this.backgroundPid
    copy.sub = true
    copy.loops = this.loops
    copy.locals = [...this.locals]
    copy.optOffset = this.optOffset
    copy.optIndexSeen = this.optIndexSeen
    copy.scriptName = this.scriptName
    copy.heapBytes = this.heapBytes
    copy.heapTop = this.heapTop
    copy.cwd = this.cwd
    copy.history = this.history
    copy.substitutionStatus = 0
    copy.tested = this.tested
    // dash names the builtin that runs a command in the command's own errors: `eval: foo: not found`.
    if (!this.bash) copy.command = this.command
    copy.interpreter = this.interpreter
    copy.pid = this.pid
    return copy
  }

  get(name: string): string | undefined {
    return this.vars.get(name)?.value
  }

  set(name: string, value: string): void {
    const v = this.vars.get(name)
    if (v) {
      if (v.readonly) this.fault(`${name}: ${this.bash ? 'readonly variable' : 'is read only'}`)
      this.heapBytes += value.length - (v.value?.length ?? 0)
      v.value = value
      if (this.options.has('a')) v.exported = true
    } else {
      this.heapBytes += value.length + name.length + 64
      this.vars.set(name, { value, exported: this.options.has('a'), readonly: false })
    }
    if (name === 'PATH') this.hash.clear()
    else if (name === 'OPTIND') {
      this.optOffset = 0
      this.optIndexSeen = Number(value) || 1
    }
    if (value.length > VALUE_MAX) this.outOfMemory()
  }

  unset(name: string): void {
    const v = this.vars.get(name)
    if (!v) return
    if (v.readonly) this.fault(`${name}: ${this.bash ? 'readonly variable' : 'is read only'}`)
    this.heapBytes -= (v.value?.length ?? 0) + name.length + 64
    this.vars.delete(name)
    if (name === 'PATH') this.hash.clear()
  }

  export(name: string): void {
    const v = this.vars.get(name)
    if (v) v.exported = true
    else this.vars.set(name, { value: undefined, exported: true, readonly: false })
  }

  outOfMemory(): never {
    throw new ShellError(this.bash ? 'xmalloc: cannot allocate memory' : 'Out of space')
  }

  /** What the variables hold has grown past what was asked of the kernel. */
  *grow(): Sys<void> {
    const top = Math.ceil((this.heapBytes * 1.25) / HEAP_STEP) * HEAP_STEP
    try {
      yield* brk(top)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      this.outOfMemory()
    }
    this.heapTop = top
  }

  /** Remember a variable before a function changes it. */
  local(name: string): void {
    const frame = this.locals.at(-1)
    if (!frame || frame.has(name)) return
    const v = this.vars.get(name)
    if (v?.readonly) this.fault(`${name}: ${this.bash ? 'readonly variable' : 'is read only'}`)
    frame.set(name, v)
    if (v) this.vars.set(name, { ...v })
    else this.vars.set(name, { value: undefined, exported: false, readonly: false })
  }

  restore(frame: ReadonlyMap<string, Var | undefined>): void {
    for (const [name, v] of frame) {
      if (v) this.vars.set(name, v)
      else this.vars.delete(name)
      if (name === 'PATH') this.hash.clear()
    }
  }

  environment(): string[] {
    const env: string[] = []
    for (const [name, { value, exported }] of this.vars)
      if (exported && value !== undefined) env.push(`${name}=${value}`)
    return env
  }

  /** `$-`. */
  flags(): string {
    let text = ''
    for (const [letter] of OPTIONS) if (this.options.has(letter)) text = this.bash ? text + letter : letter + text
    return text
  }

  // Arithmetic.

  number(name: string, text: string): Int {
    const value = parseInteger(text)
    if (value !== undefined) return value
    if (!this.bash) {
      if (/^[ \t\n]*$/.test(text)) return 0
      this.fault(`Illegal number: ${text}`)
    }
    // bash evaluates what a variable holds.
    if (++this.evalDepth > EVAL_DEPTH_MAX) this.fault(`${text}: expression recursion level exceeded`)
    const result = evalArith(this.parseArith(text), this)
    this.evalDepth--
    void name
    return result
  }

  #expression = ''

  parseArith(text: string): Arith {
    return parseArith(text, {
      steps: this.bash,
      fault: (what) =>
        this.bash ? `${text}: syntax error in expression` : `arithmetic expression: ${what}: "${text}"`,
    })
  }

  arith(tree: Arith, text: string): Int {
    this.#expression = text
    return evalArith(tree, this)
  }

  fault(what: string): never {
    if (what === 'division by zero')
      throw new ShellError(
        this.bash
          ? `${this.#expression}: division by 0 (error token is "0")`
          : `arithmetic expression: ${what}: "${this.#expression}"`,
      )
    throw new ShellError(what)
  }

  // Messages.

  /** `sh: 1: ` or `-bash: line 1: `. */
  prefix(): string {
    if (!this.bash) return `${this.arg0}: ${this.line}: `
    return this.scriptName ? `${this.arg0}: line ${this.line}: ` : `${this.arg0}: `
  }

  *complain(message: string, command = this.command): Sys<void> {
    yield* this.err(`${this.prefix()}${command === '' ? '' : `${command}: `}${message}\n`)
  }

  *err(text: string): Sys<void> {
    try {
      yield* writeAll(2, bytesOfString(text))
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }

  /** Standard output of a builtin. The result is its exit status. */
  *out(text: string): Sys<number> {
    if (text === '') return 0
    try {
      yield* writeAll(1, bytesOfString(text))
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* this.complain(this.bash ? 'write error' : `${this.command}: I/O error`)
      return 1
    }
  }
}
