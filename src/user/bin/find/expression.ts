/** find's expressions: parsed once, then asked of each file. */
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'

/** A file that find came to. */
export interface Visit {
  readonly path: string
  /** The last component, as -name sees it. */
  readonly name: string
  readonly depth: number
  readonly stat: Stat
  /** -prune was met. */
  pruned: boolean
}

export type Test = (file: Visit) => Sys<boolean> | boolean

/** -exec ... + collects, and is run at the end. */
export interface Finish {
  run(): Sys<void>
}

/** +N, -N or N. */
export type Compare = (value: number) => boolean

export function comparison(text: string): Compare | undefined {
  const match = /^([+-]?)([0-9]+)$/.exec(text)
  if (!match) return undefined
  const wanted = Number(match[2])
  return match[1] === '+' ? (n) => n > wanted : match[1] === '-' ? (n) => n < wanted : (n) => n === wanted
}

export const and =
  (left: Test, right: Test): Test =>
  (file) =>
    both(left, right, file)

function* both(left: Test, right: Test, file: Visit): Sys<boolean> {
  return (yield* ask(left, file)) && (yield* ask(right, file))
}

export const or =
  (left: Test, right: Test): Test =>
  (file) =>
    either(left, right, file)

function* either(left: Test, right: Test, file: Visit): Sys<boolean> {
  return (yield* ask(left, file)) || (yield* ask(right, file))
}

export const not =
  (test: Test): Test =>
  (file) =>
    negated(test, file)

function* negated(test: Test, file: Visit): Sys<boolean> {
  return !(yield* ask(test, file))
}

export const comma =
  (left: Test, right: Test): Test =>
  (file) =>
    second(left, right, file)

function* second(left: Test, right: Test, file: Visit): Sys<boolean> {
  yield* ask(left, file)
  return yield* ask(right, file)
}

/** Tests that make no system call answer at once. */
export function* ask(test: Test, file: Visit): Sys<boolean> {
  const answer = test(file)
  return typeof answer === 'boolean' ? answer : yield* answer
}
