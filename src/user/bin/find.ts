/** find(1): GNU findutils 4.2.27. */
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { lstat, stat } from '../libc/syscall.ts'
import { Exit, utility } from '../libc/utility.ts'
import { RegexError } from '../regex/syntax.ts'
import type { Context } from './find/context.ts'
import { and, ask, comma, not, or, type Test, type Visit } from './find/expression.ts'
import { PRIMARIES } from './find/primaries.ts'

/** Directories inside each other that are followed. */
const DEPTH_LIMIT = 1000

export const find = utility({
  name: 'find',
  usage: 'find [-H] [-L] [-P] [path...] [expression]',
  help: `
default path is the current directory; default expression is -print
expression may consist of: operators, options, tests, and actions:

operators (decreasing precedence; -and is implicit where no others are given):
      ( EXPR )   ! EXPR   -not EXPR   EXPR1 -a EXPR2   EXPR1 -and EXPR2
      EXPR1 -o EXPR2   EXPR1 -or EXPR2   EXPR1 , EXPR2

options: -depth -maxdepth LEVELS -mindepth LEVELS -mount -xdev

tests (N can be +N or -N or N): -amin N -atime N -cmin N -ctime N -empty
      -false -gid N -group NAME -iname PATTERN -inum N -ipath PATTERN
      -iregex PATTERN -links N -mmin N -mtime N -name PATTERN -newer FILE
      -path PATTERN -perm [+-]MODE -regex PATTERN -size N[bckwMG] -true
      -type [bcdpfls] -uid N -user NAME

actions: -delete -exec COMMAND ; -exec COMMAND {} + -ls -ok COMMAND ;
      -print -print0 -printf FORMAT -prune -quit
`,
  version: 'version 4.2.27',
  // Everything that is no file is an expression: getopt has no say.
  prepare: (args) => (args.length === 1 && (args[0] === '--help' || args[0] === '--version') ? args : ['--', ...args]),
  *main(run) {
    const words = run.operands
    let at = 0
    let follow = false
    for (; words[at] === '-H' || words[at] === '-L' || words[at] === '-P'; at++) follow = words[at] === '-L'
    const paths: string[] = []
    while (at < words.length && !isExpression(words[at]!)) paths.push(words[at++]!)
    const context: Context = {
      run,
      words,
      at,
      maxDepth: Number.POSITIVE_INFINITY,
      minDepth: 0,
      depthFirst: false,
      sameDevice: false,
      acts: false,
      finishes: [],
      now: 0,
    }
    let test: Test
    try {
      test = at < words.length ? yield* parse(context) : () => true
    } catch (error) {
      if (error instanceof RegexError) throw new Exit(1, error.message)
      throw error
    }
    if (!context.acts) {
      const { out } = run
      const shown = function* (file: Visit): Sys<boolean> {
        yield* out.line(file.path)
        return true
      }
      test = at < words.length ? and(test, shown) : shown
    }
    for (const path of paths.length > 0 ? paths : ['.']) yield* walk(context, test, path, 0, follow, undefined)
    for (const finish of context.finishes) yield* finish.run()
    return run.status
  },
})

const isExpression = (word: string): boolean =>
  (word.startsWith('-') && word.length > 1) || word === '(' || word === ')' || word === '!' || word === ','

function* parse(context: Context): Sys<Test> {
  const { words } = context

  function* list(): Sys<Test> {
    let left = yield* disjunction()
    while (words[context.at] === ',') {
      context.at++
      left = comma(left, yield* disjunction())
    }
    return left
  }
  function* disjunction(): Sys<Test> {
    let left = yield* conjunction()
    while (words[context.at] === '-o' || words[context.at] === '-or') {
      context.at++
      left = or(left, yield* conjunction())
    }
    return left
  }
  function* conjunction(): Sys<Test> {
    let left = yield* unary()
    for (;;) {
      const word = words[context.at]
      if (word === undefined || word === ')' || word === ',' || word === '-o' || word === '-or') return left
      if (word === '-a' || word === '-and') context.at++
      left = and(left, yield* unary())
    }
  }
  function* unary(): Sys<Test> {
    const word = words[context.at++]
    if (word === undefined) throw new Exit(1, 'invalid expression')
    if (word === '!' || word === '-not') return not(yield* unary())
    if (word === '(') {
      const inner = yield* list()
      if (words[context.at++] !== ')')
        throw new Exit(1, "invalid expression; I was expecting to find a ')' somewhere but did not see one.")
      return inner
    }
    const primary = PRIMARIES.get(word)
    if (!primary) {
      if (!isExpression(word))
        throw new Exit(1, `paths must precede expression: ${word}\nUsage: find [-H] [-L] [-P] [path...] [expression]`)
      throw new Exit(1, word === ')' ? "invalid expression; you have too many ')'" : `invalid predicate \`${word}'`)
    }
    return yield* primary(context, word)
  }

  const test = yield* list()
  if (context.at < words.length) throw new Exit(1, "invalid expression; you have too many ')'")
  return test
}

function* walk(
  context: Context,
  test: Test,
  path: string,
  depth: number,
  follow: boolean,
  device: number | undefined,
): Sys<void> {
  const { run } = context
  const name = path.replace(/(.)\/+$/, '$1')
  const slash = name.lastIndexOf('/')
  let file: Visit
  try {
    const found = follow ? yield* statOrLink(path) : yield* lstat(path)
    file = { path, name: name === '/' ? name : name.slice(slash + 1), depth, stat: found, pruned: false }
  } catch (error) {
    yield* run.warn(error, path)
    return
  }
  const due = depth >= context.minDepth
  if (due && !context.depthFirst) yield* ask(test, file)
  const directory = (file.stat.mode & S_IFMT) === S_IFDIR
  const outside = context.sameDevice && device !== undefined && device !== file.stat.dev
  if (directory && depth < context.maxDepth && !outside && (!file.pruned || context.depthFirst))
    yield* children(context, test, file, follow)
  if (due && context.depthFirst) yield* ask(test, file)
}

function* children(context: Context, test: Test, { path, depth, stat: { dev } }: Visit, follow: boolean): Sys<void> {
  const { run } = context
  if (depth >= DEPTH_LIMIT) return yield* run.complain(`${path}: too many levels of directories`)
  let names: readonly string[]
  try {
    names = yield* namesIn(path)
  } catch (error) {
    return yield* run.warn(error, path)
  }
  const prefix = path.endsWith('/') ? path : `${path}/`
  for (const name of names) {
    if (name !== '.' && name !== '..') yield* walk(context, test, prefix + name, depth + 1, follow, dev)
  }
}

function* statOrLink(path: string): ReturnType<typeof stat> {
  try {
    return yield* stat(path)
  } catch (error) {
    if (error instanceof OsError) return yield* lstat(path)
    throw error
  }
}
