/** bash's `[[ ]]` and `(( ))`. The value is their status. */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { TestExpr, Word } from './ast.ts'
import { ShellError } from './errors.ts'
import type { Expander } from './expand.ts'
import { matches } from './match.ts'
import type { Shell } from './shell.ts'
import { compare, testFile } from './test.ts'

export function* testCommand(sh: Shell, expander: Expander, expr: TestExpr, line: number): Sys<number> {
  sh.line = line
  sh.status = (yield* truth(sh, expander, expr)) ? 0 : 1
  return sh.status
}

function* truth(sh: Shell, expander: Expander, expr: TestExpr): Sys<boolean> {
  switch (expr.t) {
    case 'and':
      return (yield* truth(sh, expander, expr.left)) && (yield* truth(sh, expander, expr.right))
    case 'or':
      return (yield* truth(sh, expander, expr.left)) || (yield* truth(sh, expander, expr.right))
    case 'not':
      return !(yield* truth(sh, expander, expr.expr))
    case 'unary':
      return yield* testFile(sh, expr.op, yield* expander.string(sh, expr.word))
    case 'binary': {
      const left = yield* expander.string(sh, expr.left)
      if (expr.op === '=' || expr.op === '==' || expr.op === '!=')
        return matches(yield* expander.pattern(sh, expr.right), left) === (expr.op !== '!=')
      return yield* compare(sh, left, expr.op, yield* expander.string(sh, expr.right))
    }
  }
}

export function* arithCommand(sh: Shell, expander: Expander, word: Word, line: number): Sys<number> {
  sh.line = line
  try {
    sh.status = (yield* expander.string(sh, word)) === '0' ? 1 : 0
  } catch (error) {
    if (!(error instanceof ShellError)) throw error
    yield* sh.complain(error.message, '((')
    sh.status = 1
  }
  return sh.status
}
