/** How the shell's commands end otherwise than by a status. */
import type { Shell } from './shell.ts'

/** The shell is to exit. */
export class ShellExit extends Error {
  readonly status: number
  constructor(status: number) {
    super(`exit ${status}`)
    this.status = status
  }
}

/** An error that ends a non-interactive shell and brings an interactive one back to its prompt. */
export class ShellError extends Error {
  readonly status: number
  /** The message begins with the builtin that met it. */
  named = false
  /** It has been printed: where it happened, since that may have been redirected. */
  told = false
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

/** A ShellError of the parser. */
export class SyntaxFault extends ShellError {
  readonly line: number
  constructor(message: string, line: number) {
    super(message, 2)
    this.line = line
  }
}

/** The parser wants another line. */
export class NeedMore extends Error {}

/** An interactive shell was interrupted: back to the prompt. */
export class Interrupted extends Error {}

/** `set -e`. */
export function checkExit(sh: Shell): void {
  if (sh.status !== 0 && sh.options.has('e') && sh.tested === 0) throw new ShellExit(sh.status)
}
