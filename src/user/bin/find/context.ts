/** What find's primaries are parsed with: the words of the command line, and what options have set. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import { type Compare, comparison, type Finish, type Test } from './expression.ts'

/** What parsing knows, and what options set. */
export interface Context {
  readonly run: Run
  readonly words: readonly string[]
  at: number
  maxDepth: number
  minDepth: number
  depthFirst: boolean
  sameDevice: boolean
  /** Some action was named: -print is not added. */
  acts: boolean
  readonly finishes: Finish[]
  now: number
}

export type Primary = (context: Context, name: string) => Sys<Test>

export function argument(context: Context, name: string): string {
  const value = context.words[context.at++]
  if (value === undefined) throw new Exit(1, `missing argument to \`${name}'`)
  return value
}

export function number(context: Context, name: string): Compare {
  const text = argument(context, name)
  return comparison(text) ?? fatal(`invalid argument \`${text}' to \`${name}'`)
}

export function fatal(message: string): never {
  throw new Exit(1, message)
}
