/** Programs and processes of the shell: where a command is, forking for a job, becoming a program, and a shell's end. */
import { EACCES, ENOENT, ENOEXEC, ENOTDIR } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { isDirectory } from '../coreutils/files.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { close, execve, fork, open, read, stat } from '../libc/syscall.ts'
import { Interrupted, ShellError, ShellExit, SyntaxFault } from './errors.ts'
import { enterChild, groupJob, type Job, type JobProcess } from './jobs.ts'
import type { Shell } from './shell.ts'

/** Where a command is, by PATH. */
export function* findCommand(sh: Shell, name: string, path = sh.get('PATH')): Sys<string | number> {
  if (name.includes('/')) return name
  if (name === '') return ENOENT
  const known = path === sh.get('PATH') ? sh.hash.get(name) : undefined
  if (known !== undefined) return known
  let errno = ENOENT
  for (const dir of (path ?? '').split(':')) {
    const full = dir === '' ? `./${name}` : `${dir}/${name}`
    try {
      const { mode } = yield* stat(full)
      if ((mode & S_IFMT) !== S_IFREG) continue
      if ((mode & 0o111) === 0) {
        errno = EACCES
        continue
      }
      if (full.startsWith('/')) sh.hash.set(name, full)
      return full
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EACCES) errno = EACCES
    }
  }
  return errno
}

export function environmentWith(sh: Shell, values: readonly (readonly [string, string])[]): string[] {
  const env = sh.environment()
  if (values.length === 0) return env
  const names = new Set(values.map(([name]) => name))
  const kept = env.filter((entry) => !names.has(entry.slice(0, entry.indexOf('='))))
  for (const [name, text] of values) kept.push(`${name}=${text}`)
  return kept
}

/** exec: comes back only with the status of a failure, which has been told. */
export function* replaceBy(
  sh: Shell,
  where: string | number,
  argv: readonly string[],
  env: readonly string[],
): Sys<number> {
  const name = argv[0]!
  let errno = typeof where === 'number' ? where : 0
  if (typeof where === 'string') {
    try {
      yield* execve(where, argv, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      errno = error.errno
      if (errno === ENOEXEC && sh.bash && (yield* isBinary(where))) {
        yield* sh.complain(`${where}: cannot execute binary file`)
        return 126
      }
      if (errno === ENOEXEC) {
        // A script without a first line that names its interpreter.
        const shell = sh.bash ? '/bin/bash' : '/bin/sh'
        yield* execve(shell, [shell, where, ...argv.slice(1)], env)
      }
    }
  }
  return yield* notFound(sh, name, errno)
}

/** bash's check_binary_file: something in the first line that cannot be printed. */
function* isBinary(path: string): Sys<boolean> {
  try {
    const fd = yield* open(path, O_RDONLY, 0)
    const sample = yield* read(fd, 80)
    yield* close(fd)
    for (const byte of sample) {
      if (byte === 10) return false
      if ((byte < 32 || byte > 126) && !(byte >= 9 && byte <= 13)) return true
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return false
}

function* notFound(sh: Shell, name: string, errno: number): Sys<number> {
  const missing = errno === ENOENT || errno === ENOTDIR
  if (name === '' && !sh.bash) {
    yield* sh.complain(': Permission denied')
    return 127
  }
  if (errno === EACCES && sh.bash && (yield* isDirectory(name))) yield* sh.complain(`${name}: Is a directory`)
  else if (sh.bash)
    yield* sh.complain(missing && !name.includes('/') ? `${name}: command not found` : `${name}: ${strerror(errno)}`)
  else yield* sh.complain(`${name}: ${missing ? 'not found' : strerror(errno)}`)
  return missing ? 127 : 126
}

/** Fork a process of `job`; `body` runs in it. */
export function* launch(
  sh: Shell,
  job: Job,
  text: string,
  body: (child: Shell) => Sys<number>,
  inBackground = false,
): Sys<void> {
  const child = sh.clone()
  const control = sh.jobs.control
  const pgid = job.pgid
  const pid = yield* forkOrFault(sh, function* () {
    yield* enterChild(child, sh, pgid, inBackground ? 'background' : 'foreground', control)
    return yield* childMain(child, body)
  })
  const process: JobProcess = { pid, status: undefined, text }
  job.processes.push(process)
  if (control) yield* groupJob(sh, job, pid, inBackground)
}

export function* forkOrFault(sh: Shell, body: () => Sys<number>): Sys<number> {
  try {
    return yield* fork(body)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new ShellError(sh.bash ? `fork: ${strerror(error.errno)}` : 'Cannot fork')
  }
}

/** A subshell's life, from its first command to its EXIT trap. The value is its exit status. */
export function* childMain(child: Shell, body: (child: Shell) => Sys<number>): Sys<number> {
  let status: number
  try {
    status = yield* body(child)
  } catch (error) {
    status = yield* ending(child, error)
  }
  return yield* exitTrap(child, status)
}

/** What a shell that ends by an exception exits with. */
export function* ending(sh: Shell, error: unknown): Sys<number> {
  if (error instanceof ShellExit) return error.status
  if (error instanceof ShellError) {
    if (!error.told) yield* sh.complain(error.message)
    return sh.bash && !(error instanceof SyntaxFault) ? (error.status === 2 ? 1 : error.status) : error.status
  }
  if (error instanceof Interrupted) return 130
  if (error instanceof OsError) {
    yield* sh.complain(`${error.call}: ${strerror(error.errno)}`)
    return 2
  }
  throw error
}

export function* exitTrap(sh: Shell, status: number): Sys<number> {
  const trap = sh.traps.get(0)
  if (trap === undefined || trap === '') return status
  sh.traps.delete(0)
  sh.status = status
  sh.exiting = false
  sh.skip = ''
  try {
    yield* sh.interpreter.evaluate(sh, trap)
    return status
  } catch (error) {
    return yield* ending(sh, error)
  }
}
