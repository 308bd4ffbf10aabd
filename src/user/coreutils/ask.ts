/** Questions of rm, cp and mv: gnulib's yesno(). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { eprint, readLineUnbuffered, STDIN } from '../libc/stdio.ts'
import type { Run } from '../libc/utility.ts'

/** Ask on standard error; yes is what begins with y. */
export function* ask(run: Run, question: string): Sys<boolean> {
  yield* run.out.flush()
  yield* eprint(`${run.name}: ${question}? `)
  return /^[yY]/.test((yield* readLineUnbuffered(STDIN)) ?? '')
}
