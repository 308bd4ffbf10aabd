/** What a command is: one record in the file it lives in. Its --help, its manual page and completion come from that record. */
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'

export interface Program {
  readonly name: string
  /** The synopsis without `Usage: `; several lines for several forms. */
  readonly usage: string
  /** Sentences, then a line for each option. */
  readonly help: string
  /** `argv[0]` is the name it was called by, `env` is `NAME=value` strings. The value is the exit status. */
  main(argv: readonly string[], env: readonly string[]): Sys<number>
}

/** Only checks the type: a program is its record. */
export const program = (record: Program): Program => record

/** Programs that are one image file, and where they are installed: hard links of it. They are functions so that only the one that runs is evaluated. */
export interface Package {
  readonly name: string
  readonly programs: readonly (readonly [path: string, program: () => Program])[]
  /** Of the file; 0o755 if nothing is said. */
  readonly mode?: number
}

/** The image's entry: whichever program the file's name says. */
export function multicall({ programs }: Package): ProgramEntry {
  return function* main(argv, env) {
    const called = argv[0] ?? ''
    // A login shell's name begins with a dash.
    const name = called.slice(called.lastIndexOf('/') + 1).replace(/^-/, '')
    const found = programs.find(([path]) => path.slice(path.lastIndexOf('/') + 1) === name)
    return found ? yield* found[1]().main(argv, env) : 127
  }
}
