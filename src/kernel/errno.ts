/**
 * How kernel code fails: it throws one of these, and the system call's dispatcher answers the number negated. It is no Error: there is no
 * stack worth taking.
 */
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
