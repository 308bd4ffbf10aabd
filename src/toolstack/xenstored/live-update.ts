/**
 * xenstore-control live-update (tools/xenstored/lu.c, lu_daemon.c): the daemon executes itself, or another program of its kind, in its own place. All of
 * its state is in the file (state-file.ts), its descriptors stay open and its event channels bound, so that clients and domains do not notice; the rings'
 * pages are mapped anew. The one who asked for it is answered by the new daemon, or by the old one if there is none.
 */
import { SIG_BLOCK, SIG_UNBLOCK, SIGHUP, SIGTERM, sigmask } from '#abi/posix/signal.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { execve, rt_sigprocmask, stat } from '#user/libc/syscall.ts'
import type { Daemon } from './daemon.ts'
import type { LiveUpdate } from './requests.ts'
import type { Store } from './store.ts'

const OWN_PROGRAM = '/usr/sbin/xenstored'
/** Not while nobody would handle them. */
const SIGNALS = sigmask(SIGHUP) + sigmask(SIGTERM)

export const blockSignals = (how: typeof SIG_BLOCK | typeof SIG_UNBLOCK): Sys<number> => rt_sigprocmask(how, SIGNALS)

/** Comes back only if it fails; who asked has been told then. */
export function* liveUpdate(
  daemon: Daemon,
  store: Store,
  due: LiveUpdate,
  argv: readonly string[],
  env: readonly string[],
): Sys<void> {
  const { conn, message, commandLine } = due
  store.live.due = undefined
  store.answer(conn, message, `${yield* failure(daemon, store, due, argumentsOf(argv, commandLine), env)}\0`)
}

/** The options of before, or those of -c, and that this is an update. */
function argumentsOf(argv: readonly string[], commandLine: string | undefined): string[] {
  const options = commandLine?.split(/[ \t]+/).filter((word) => word !== '') ?? argv.slice(1)
  return [argv[0] ?? 'xenstored', ...options.filter((word) => word !== '-U' && word !== '--live-update'), '-U']
}

function* failure(
  daemon: Daemon,
  store: Store,
  { conn, message, program = OWN_PROGRAM }: LiveUpdate,
  argv: readonly string[],
  env: readonly string[],
): Sys<string> {
  try {
    const { mode } = yield* stat(program)
    if ((mode & S_IFMT) !== S_IFREG || (mode & 0o111) === 0) return 'File not executable.'
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return 'File not accessible.'
  }
  store.answer(conn, message, 'OK\0')
  yield* blockSignals(SIG_BLOCK)
  if (yield* daemon.keeper.keepAll(true)) {
    try {
      yield* execve(program, argv, env)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  conn.takeBack()
  yield* daemon.keeper.keepAll(false)
  yield* blockSignals(SIG_UNBLOCK)
  return 'Error activating new binary.'
}
