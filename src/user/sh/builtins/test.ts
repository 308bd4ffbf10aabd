/** test and `[` (POSIX.1-2004, XCU test). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ShellError } from '../errors.ts'
import type { Shell } from '../shell.ts'
import { compare, isBinary, pureBinary, pureUnary, testFile, UNARY } from '../test.ts'
import type { Builtin } from './types.ts'

function operands(sh: Shell, argv: readonly string[]): readonly string[] {
  if (argv[0] !== '[') return argv.slice(1)
  if (argv.at(-1) !== ']') throw new ShellError(sh.bash ? "missing `]'" : 'missing ]')
  return argv.slice(1, -1)
}

/** Up to three operands that ask no file: nearly all tests in loops. */
function quick(sh: Shell, argv: readonly string[]): number | undefined {
  const bracket = argv[0] === '['
  if (bracket && argv[argv.length - 1] !== ']') return undefined
  const count = argv.length - (bracket ? 2 : 1)
  let result: boolean | undefined
  if (count === 0) result = false
  else if (count === 1) result = argv[1] !== ''
  else if (count === 2)
    result = argv[1] === '!' ? argv[2] === '' : UNARY.has(argv[1]!) ? pureUnary(sh, argv[1]!, argv[2]!) : undefined
  else if (count === 3) {
    const op = argv[2]!
    if (op[0] === '-') {
      // Numbers that are none are for `run`, which tells of them.
      if (!/^-?[0-9]{1,15}$/.test(argv[1]!) || !/^-?[0-9]{1,15}$/.test(argv[3]!)) return undefined
    }
    result = pureBinary(sh, argv[1]!, op, argv[3]!)
  }
  return result === undefined ? undefined : result ? 0 : 1
}

/** dash's parser, for any number of operands. */
class Expression {
  readonly #sh: Shell
  readonly #words: readonly string[]
  #at = 0

  constructor(sh: Shell, words: readonly string[]) {
    this.#sh = sh
    this.#words = words
  }

  *whole(): Sys<boolean> {
    const result = yield* this.#or()
    const left = this.#words[this.#at]
    if (left !== undefined)
      throw new ShellError(
        this.#sh.bash ? 'too many arguments' : `${this.#words[this.#at - 1] ?? left}: unexpected operator`,
      )
    return result
  }

  *#or(): Sys<boolean> {
    let result = yield* this.#and()
    while (this.#words[this.#at] === '-o') {
      this.#at++
      const right = yield* this.#and()
      result ||= right
    }
    return result
  }

  *#and(): Sys<boolean> {
    let result = yield* this.#not()
    while (this.#words[this.#at] === '-a') {
      this.#at++
      const right = yield* this.#not()
      result &&= right
    }
    return result
  }

  *#not(): Sys<boolean> {
    if (this.#words[this.#at] !== '!' || this.#binaryAhead()) return yield* this.#primary()
    this.#at++
    return !(yield* this.#not())
  }

  #binaryAhead(): boolean {
    const op = this.#words[this.#at + 1]
    return op !== undefined && isBinary(this.#sh, op) && this.#words[this.#at + 2] !== undefined
  }

  *#primary(): Sys<boolean> {
    const words = this.#words
    const first = words[this.#at]
    if (first === undefined) throw new ShellError('argument expected')
    const second = words[this.#at + 1]
    const third = words[this.#at + 2]
    if (second !== undefined && third !== undefined && isBinary(this.#sh, second)) {
      this.#at += 3
      return yield* compare(this.#sh, first, second, third)
    }
    if (first === '(') {
      this.#at++
      const inner = yield* this.#or()
      if (words[this.#at] !== ')') throw new ShellError('closing paren expected')
      this.#at++
      return inner
    }
    if (UNARY.has(first) && first !== '-o') {
      if (second === undefined) {
        this.#at++
        return true
      }
      this.#at += 2
      return yield* testFile(this.#sh, first, second)
    }
    this.#at++
    return first !== ''
  }
}

function* run(sh: Shell, argv: readonly string[]): Sys<number> {
  const words = operands(sh, argv)
  if (words.length === 0) return 1
  if (words.length === 1) return words[0] === '' ? 1 : 0
  if (words.length === 2 && words[0] !== '!' && !UNARY.has(words[0]!))
    throw new ShellError(sh.bash ? `${words[0]}: unary operator expected` : `${words[0]}: unexpected operator`)
  if (words.length === 4 && words[0] === '!' && isBinary(sh, words[2]!))
    return (yield* compare(sh, words[1]!, words[2]!, words[3]!)) ? 1 : 0
  return (yield* new Expression(sh, words).whole()) ? 0 : 1
}

export const testBuiltins: readonly Builtin[] = [
  { name: 'test', quick, run },
  { name: '[', quick, run },
]
