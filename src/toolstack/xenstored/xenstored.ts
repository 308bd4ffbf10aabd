/**
 * xenstored of Xen 3.3: the store's daemon. Its tree lies in its own memory: a daemon that starts again finds an empty one, as after /usr/sbin/xend,
 * which removes the old database before it starts a daemon; --preserve-local and --no-recovery are accepted and have nothing to keep. As in life a
 * second daemon does not know the first one's watches and transactions: kernels have to register theirs anew, which those of 2.6.18 do not.
 */
import { EEXIST } from '#abi/posix/errno.ts'
import { LOCK_EX, LOCK_NB, O_CREAT, O_RDWR } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGHUP, SIGPIPE } from '#abi/posix/signal.ts'
import { AF_UNIX, SOCK_STREAM, sockaddrUn } from '#abi/posix/socket.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { getenv } from '#user/libc/env.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { getopt } from '#user/libc/getopt.ts'
import { program } from '#user/libc/program.ts'
import { eprint, STDERR, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'
import {
  bind,
  chdir,
  chmod,
  close,
  dup2,
  fork,
  ftruncate,
  getpid,
  listen,
  open,
  raw,
  rt_sigaction,
  setsid,
  socket,
  umask,
} from '#user/libc/syscall.ts'
import { xsDaemonSocket } from '../libxs/connection.ts'
import { traceAll } from './access-trace.ts'
import { Daemon } from './daemon.ts'
import { Hypervisor } from './hypervisor.ts'
import { QUOTAS, Store } from './store.ts'
import { accessDevice, TraceFile } from './trace-file.ts'

const OPTIONS = `  --no-domain-init    to state that xenstored should not initialise dom0,
  --pid-file <file>   giving a file for the daemon's pid to be written,
  --help              to output this message,
  --no-fork           to request that the daemon does not fork,
  --output-pid        to request that the pid of the daemon is output,
  --trace-file <file> giving the file for logging, and
  --entry-nb <nb>     limit the number of entries per domain,
  --entry-size <size> limit the size of entry per domain, and
  --entry-watch <nb>  limit the number of watches per domain,
  --transaction <nb>  limit the number of transaction allowed per domain,
  --no-recovery       to request that no recovery should be attempted when
                      the store is corrupted (debug only),
  --preserve-local    to request that /local is preserved on start-up,
  --verbose           to request verbose execution.
`

const LONG = {
  'no-domain-init': 'D',
  'entry-nb:': 'E',
  'pid-file:': 'F',
  help: 'H',
  'no-fork': 'N',
  'output-pid': 'P',
  'entry-size:': 'S',
  'trace-file:': 'T',
  'transaction:': 't',
  'no-recovery': 'R',
  'preserve-local': 'L',
  verbose: 'V',
  'watch-nb:': 'W',
}

/** More than one waits only while the daemon is busy. */
const BACKLOG = 128

/** barf: the daemon cannot go on. */
class Fatal extends Error {}

export const xenstored = program({
  name: 'xenstored',
  usage: 'xenstored <options>',
  help: `XenStore's daemon: keeps the tree that domains and tools share.\n\n${OPTIONS}`,
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), 'DE:F:HNPS:t:T:RLVW:', LONG)
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    const has = (code: string): boolean => options.some((option) => option.code === code)
    // getopt complains, and the daemon starts all the same.
    if (error !== undefined) yield* eprint(`${argv[0]}: ${error}\n`)
    if (has('H')) {
      yield* eprint(`Usage:\n\n  xenstored <options>\n\nwhere options may include:\n\n${OPTIONS}`)
      return 0
    }
    if (operands.length > 0) {
      yield* eprint(`FATAL: ${argv[0]}: No arguments desired\n`)
      return 1
    }
    const settings: Settings = {
      quotas: {
        entryNb: quota(value('E'), QUOTAS.entryNb),
        entrySize: quota(value('S'), QUOTAS.entrySize),
        watchNb: quota(value('W'), QUOTAS.watchNb),
        transaction: quota(value('t'), QUOTAS.transaction),
      },
      domains: !has('D'),
      forks: !has('N'),
      pidFile: value('F'),
      printsPid: has('P'),
      runDir: getenv(env, 'XENSTORED_RUNDIR') ?? '/var/run/xenstored',
      rootDir: getenv(env, 'XENSTORED_ROOTDIR') ?? '/var/lib/xenstored',
      socket: xsDaemonSocket(env),
      trace: new TraceFile(value('T'), has('V'), !has('N')),
    }
    yield* settings.trace.reopen()
    for (const [what, dir] of [
      ['rundir', settings.runDir],
      ['rootdir', settings.rootDir],
    ] as const) {
      const result = yield* raw(SYSCALL_NR.mkdir, dir, 0o755)
      if (typeof result !== 'number' || result >= 0 || result === -EEXIST) continue
      yield* eprint(`error: mkdir daemon ${what}: ${strerror(-result)}\n`)
      return 255
    }
    if (!settings.forks) return yield* serve(settings)
    // Stevens: a child of init's that cannot get a terminal again.
    yield* fork(function* () {
      yield* setsid()
      yield* fork(function* () {
        yield* chdir('/')
        yield* umask(0)
        return yield* serve(settings)
      })
      return 0
    })
    return 0
  },
})

interface Settings {
  readonly quotas: typeof QUOTAS
  readonly domains: boolean
  readonly forks: boolean
  readonly pidFile: string | undefined
  readonly printsPid: boolean
  readonly runDir: string
  readonly rootDir: string
  readonly socket: string
  readonly trace: TraceFile
}

/** strtol: what is no number is 0. */
const quota = (text: string | undefined, usual: number): number =>
  text === undefined ? usual : Number.parseInt(text, 10) || 0

/** The daemon's own life; comes back only if it cannot begin. */
function* serve(settings: Settings): Sys<number> {
  try {
    if (settings.pidFile !== undefined && !(yield* writePidFile(settings.pidFile))) return 0
    const daemon = yield* start(settings)
    yield* daemon.loop()
  } catch (error) {
    if (!(error instanceof Fatal)) throw error
    yield* eprint(`FATAL: ${error.message}\n`)
  }
  return 1
}

/** barf_perror for the calls within. */
function* or<T>(what: string, call: Sys<T>): Sys<T> {
  try {
    return yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    throw new Fatal(`${what}: ${strerror(error.errno)}`)
  }
}

/** False: another daemon holds the file. */
function* writePidFile(path: string): Sys<boolean> {
  const fd = yield* or(`Opening pid file ${path}`, open(path, O_RDWR | O_CREAT, 0o600))
  const locked = yield* raw(SYSCALL_NR.flock, fd, LOCK_EX | LOCK_NB)
  if (typeof locked !== 'number' || locked < 0) return false
  yield* ftruncate(fd, 0)
  yield* or(`Writing pid file ${path}`, writeAll(fd, bytesOfString(`${yield* getpid()}\n`)))
  return true
}

function* listening(path: string, mode: number): Sys<number> {
  const fd = yield* or('Could not create socket', socket(AF_UNIX, SOCK_STREAM, 0))
  yield* raw(SYSCALL_NR.unlink, path)
  yield* or(`Could not bind socket to ${path}`, bind(fd, sockaddrUn(path)))
  yield* or('Could not chmod sockets', chmod(path, mode))
  yield* or('Could not listen on sockets', listen(fd, BACKLOG))
  return fd
}

function* start({ quotas, domains, forks, printsPid, socket: path, trace }: Settings): Sys<Daemon> {
  yield* rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
  const readWrite = yield* listening(path, 0o600)
  const readOnly = yield* listening(`${path}_ro`, 0o660)
  const access = yield* accessDevice()
  const store = new Store({
    quotas,
    note: (text) => trace.note(text),
    print: (text) => trace.says(text),
    ...(access && { access: (line: string) => access.put(line) }),
  })
  if (access) {
    trace.also(access)
    traceAll((line) => access.put(line), store.tree)
  }
  const hypervisor = domains ? yield* or('Failed to open connection to hypervisor', Hypervisor.open()) : undefined
  const daemon = new Daemon({ store, socket: readWrite, readOnlySocket: readOnly, hypervisor, trace })
  if (hypervisor) {
    yield* or('Failed to initialize dom0 state', daemon.serveDom0())
    yield* or('Failed to bind to domain exception virq port', hypervisor.watchDomains())
  }
  if (printsPid) yield* writeAll(STDOUT, bytesOfString(`${yield* getpid()}\n`))
  if (forks) {
    const devnull = yield* or('Could not open /dev/null\n', open('/dev/null', O_RDWR, 0))
    for (const fd of [STDIN, STDOUT, STDERR]) yield* dup2(devnull, fd)
    yield* close(devnull)
  }
  yield* rt_sigaction(
    SIGHUP,
    function* () {
      trace.stale = true
    },
    0,
    0,
  )
  return daemon
}
