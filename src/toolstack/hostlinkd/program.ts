/** `exec:COLSxROWS:PATH`: a program of this domain on a terminal of its own, as sshd would start it for root. */
import { EACCES, EINVAL } from '#abi/posix/errno.ts'
import { TIOCSCTTY } from '#abi/posix/ioctl.ts'
import { SIG_DFL, SIGCHLD, SIGPIPE } from '#abi/posix/signal.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { eprint, STDERR, STDIN, STDOUT } from '#user/libc/stdio.ts'
import { chdir, close, dup2, execve, fork, ioctl, rt_sigaction, setsid, stat } from '#user/libc/syscall.ts'
import { tcsetwinsize } from '#user/libc/termios.ts'
import { closePty, openPty, type Pty } from '../xenconsoled/pty.ts'

export const EXEC = 'exec:'
const ADDRESS = /^exec:([1-9]\d{0,3})x([1-9]\d{0,3}):(\/[^\0]{1,4094})$/

const HOME = '/root'
const ENVIRONMENT: readonly string[] = [
  `HOME=${HOME}`,
  'SHELL=/bin/bash',
  'PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/bin:/root/bin',
  'USER=root',
  'LOGNAME=root',
  'TERM=xterm',
]

/** The master's descriptor; its closing hangs the program up. What is wrong with the address or the file is an OsError. */
export function* startProgram(to: string): Sys<number> {
  const [, cols, rows, path] = ADDRESS.exec(to) ?? []
  if (path === undefined) throw new OsError(EINVAL, 'exec')
  const { mode } = yield* stat(path)
  if ((mode & S_IFMT) !== S_IFREG || (mode & 0o111) === 0) throw new OsError(EACCES, 'exec')
  const pty = yield* openPty((slave) => tcsetwinsize(slave, { cols: Number(cols), rows: Number(rows) }))
  try {
    yield* fork(() => become(path, pty))
  } catch (error) {
    yield* closePty(pty)
    throw error
  }
  yield* close(pty.slave)
  return pty.master
}

/** The child: leader of a session of its own, whose terminal is the slave. */
function* become(path: string, { master, slave }: Pty): Sys<number> {
  yield* close(master)
  yield* setsid()
  yield* ioctl(slave, TIOCSCTTY, 0)
  for (const fd of [STDIN, STDOUT, STDERR]) yield* dup2(slave, fd)
  if (slave > STDERR) yield* close(slave)
  for (const signal of [SIGPIPE, SIGCHLD]) yield* rt_sigaction(signal, SIG_DFL, 0, 0)
  try {
    yield* chdir(HOME)
    return yield* execve(path, [path], ENVIRONMENT)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${path}: ${strerror(error.errno)}\n`)
    return 126
  }
}
