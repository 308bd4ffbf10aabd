/**
 * How kernel code fails: it throws one of these, and the system call's dispatcher answers the number negated. It is no Error: there is no
 * stack worth taking.
 */
import type { Sleeping } from './sched/wait.ts'

export class Errno {
  readonly errno: number
  constructor(errno: number) {
    this.errno = errno
  }

  /** By what it carries, not by its class: a module has a copy of this class of its own. */
  static [Symbol.hasInstance](thrown: unknown): boolean {
    return typeof thrown === 'object' && thrown !== null && typeof (thrown as { errno?: unknown }).errno === 'number'
  }
}

/** `fail(ENOENT)`: -ENOENT for whoever called. */
export function fail(errno: number): never {
  throw new Errno(errno)
}

/** Whatever errno `work` fails with: nobody is there to be told. */
export function* quietly(work: Sleeping<unknown>): Sleeping<void> {
  try {
    yield* work
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}
