/** Processes: fork and exec in one go, execvp(3)'s search, and waiting. */
import { EACCES, EINTR, ENOENT, ENOEXEC, ENOTDIR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Waited, WEXITSTATUS, WIFEXITED, WTERMSIG } from '#abi/posix/wait.ts'
import { getenv } from './env.ts'
import { OsError } from './errno.ts'
import { execve, fork, wait4 } from './syscall.ts'

/** glibc's, where PATH is not set. */
const DEFAULT_PATH = ':/bin:/usr/bin'

/** Where execvp would look for `file`, in order. */
export function candidates(file: string, env: readonly string[]): string[] {
  if (file.includes('/')) return [file]
  return (getenv(env, 'PATH') ?? DEFAULT_PATH).split(':').map((dir) => (dir === '' ? file : `${dir}/${file}`))
}

/** execvpe(3): comes back only by OsError; ENOEXEC files are given to /bin/sh. */
export function* execvp(file: string, argv: readonly string[], env: readonly string[]): Sys<never> {
  if (file === '') throw new OsError(ENOENT, 'execve', file)
  let denied = false
  for (const path of candidates(file, env)) {
    try {
      yield* execve(path, argv, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === ENOEXEC) yield* execve('/bin/sh', ['/bin/sh', path, ...argv.slice(1)], env)
      else if (error.errno === EACCES) denied = true
      else if (error.errno !== ENOENT && error.errno !== ENOTDIR) throw error
    }
  }
  throw new OsError(denied ? EACCES : ENOENT, 'execve', file)
}

/** A child that becomes `file`, after `setup` has run in it; 126 or 127 if it cannot. The result is its pid. */
export function* spawn(
  file: string,
  argv: readonly string[],
  env: readonly string[],
  setup?: () => Sys<void>,
): Sys<number> {
  return yield* fork(function* () {
    if (setup) yield* setup()
    try {
      return yield* execvp(file, argv, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return error.errno === ENOENT ? 127 : 126
    }
  })
}

/** wait4, again after signals. */
export function* waitpid(pid: number, options = 0): Sys<Waited> {
  for (;;) {
    try {
      return yield* wait4(pid, options)
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== EINTR) throw error
    }
  }
}

/** The shell's $?: 128 and the signal for the killed. */
export const shellStatus = (status: number): number =>
  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)

/** system(3) without a shell: run it and wait; the value is the wait status. */
export function* run(file: string, argv: readonly string[], env: readonly string[]): Sys<number> {
  return (yield* waitpid(yield* spawn(file, argv, env))).status
}
