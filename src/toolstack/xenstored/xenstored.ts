/**
 * xenstored of Xen 3.3: the store's daemon. Its tree lies in its own memory, and everything that must outlive it in a file below /dev/shm
 * (state-file.ts): a daemon that follows one that was ended or killed goes on where that was, with its domains, their watches and what they had asked.
 * In that it is today's daemon (live update); that of 3.3 would lose all watches, which kernels of 2.6.18 do not register anew. Who wants an empty
 * store removes /dev/shm/xenstored before the start, as one removes the old one's tdb; --preserve-local and --no-recovery are accepted and change
 * nothing. Nor has 3.3 --merge-activate (oxenstored.conf's name), --transaction-nodes and --live-update (today's).
 */
import { EEXIST } from '#abi/posix/errno.ts'
import { LOCK_EX, LOCK_NB, O_CREAT, O_RDWR } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIG_UNBLOCK, SIGHUP, SIGPIPE, SIGTERM } from '#abi/posix/signal.ts'
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
import { xcEvtchnOpen } from '../libxc/evtchn.ts'
import { xsDaemonSocket } from '../libxs/connection.ts'
import { traceAll } from './access-trace.ts'
import { Daemon } from './daemon.ts'
import { Hypervisor } from './hypervisor.ts'
import { blockSignals, liveUpdate } from './live-update.ts'
import { QUOTAS, type Quotas } from './requests.ts'
import { Damaged, Restorer } from './restorer.ts'
import { StateFile } from './state-file.ts'
import { Store } from './store.ts'
import { accessDevice, LineSink, TraceFile } from './trace-file.ts'

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
  --merge-activate    to let transactions collide only where both have been,
  --transaction-nodes <nb> limit the number of nodes in a domain's transaction,
  --live-update       to go on in the place of a daemon that was updated.
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
  'merge-activate': 'merge',
  'transaction-nodes:': 'nodes',
  'live-update': 'U',
}

/** More than one waits only while the daemon is busy. */
const BACKLOG = 128

/** barf: the daemon cannot go on. */
class Fatal extends Error {}

export const xenstored = program({
  name: 'xenstored',
  usage: 'xenstored <options>',
  help: `XenStore's daemon: keeps the tree that domains and tools share. (The last three options are of later Xens.)\n\n${OPTIONS}`,
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), 'DE:F:HNPS:t:T:RLUVW:', LONG)
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
        transactionNodes: quota(value('nodes'), QUOTAS.transactionNodes),
      },
      argv,
      env,
      merges: has('merge'),
      live: has('U'),
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
    if (!settings.forks || settings.live) return yield* serve(settings)
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
  readonly argv: readonly string[]
  readonly env: readonly string[]
  readonly merges: boolean
  readonly live: boolean
  readonly quotas: Quotas
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
    const { argv, domains, env, live, pidFile: path } = settings
    // Opened before the pid file, and so closed before it: who gets the lock finds the channels free.
    const evtchn = domains && !live ? yield* or('Failed to open evtchn device', xcEvtchnOpen()) : -1
    const pidFile = path === undefined || live ? -1 : yield* writePidFile(path)
    if (pidFile === undefined) return 0
    const { daemon, store } = yield* start(settings, evtchn, pidFile)
    while (!daemon.ending) {
      yield* daemon.loop()
      if (store.live.due) yield* liveUpdate(daemon, store, store.live.due, argv, env)
    }
    return 0
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

/** Its descriptor, which holds the lock. Undefined: another daemon holds it. */
function* writePidFile(path: string): Sys<number | undefined> {
  const fd = yield* or(`Opening pid file ${path}`, open(path, O_RDWR | O_CREAT, 0o600))
  const locked = yield* raw(SYSCALL_NR.flock, fd, LOCK_EX | LOCK_NB)
  if (typeof locked !== 'number' || locked < 0) return undefined
  yield* ftruncate(fd, 0)
  yield* or(`Writing pid file ${path}`, writeAll(fd, bytesOfString(`${yield* getpid()}\n`)))
  return fd
}

function* listening(path: string, mode: number): Sys<number> {
  const fd = yield* or('Could not create socket', socket(AF_UNIX, SOCK_STREAM, 0))
  yield* raw(SYSCALL_NR.unlink, path)
  yield* or(`Could not bind socket to ${path}`, bind(fd, sockaddrUn(path)))
  yield* or('Could not chmod sockets', chmod(path, mode))
  yield* or('Could not listen on sockets', listen(fd, BACKLOG))
  return fd
}

/** What an earlier daemon has left, if it has. */
function* restored(state: StateFile, store: Store): Sys<Restorer | undefined> {
  const frames = yield* state.load()
  if (!frames) return undefined
  const restorer = new Restorer(store)
  store.clear()
  for (const text of frames) for (let at = 0; at < text.length; ) at = restorer.apply(text, at)
  return restorer
}

function* start(settings: Settings, newEvtchn: number, newPidFile: number): Sys<{ daemon: Daemon; store: Store }> {
  const { quotas, domains, forks, live, merges, printsPid, socket: path, trace } = settings
  yield* rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
  const state = yield* StateFile.open()
  const newStore = (): Store =>
    new Store({
      quotas,
      merges,
      note: (text) => trace.note(text),
      print: (text) => trace.says(text),
      ...(state && { keep: (line: string) => state.put(line) }),
    })
  let store = newStore()
  let restorer: Restorer | undefined
  try {
    restorer = state && (yield* restored(state, store))
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    if (live) throw new Fatal(`Inconsistent state data: ${error.message}`)
    yield* eprint(`xenstored: the state of an earlier daemon is damaged: ${error.message}\n`)
    trace.note(`the state of an earlier daemon is damaged: ${error.message}\n`)
    store = newStore()
  }
  const old = live ? restorer?.descriptors : undefined
  if (live && !old) throw new Fatal('No state file found')
  // Without their descriptors they have ended, however the old daemon did.
  if (restorer && !live) for (const conn of restorer.sockets.keys()) store.forget(conn)
  const socket = old?.socket ?? (yield* listening(path, 0o600))
  const readOnlySocket = old?.readOnlySocket ?? (yield* listening(`${path}_ro`, 0o660))
  const access = old ? (old.access < 0 ? undefined : new LineSink(old.access)) : yield* accessDevice()
  if (access) {
    store.access = (line) => access.put(line)
    trace.also(access)
    if (old) access.put(old.lines)
    else traceAll((line) => access.put(line), store.tree)
  }
  const evtchn = old?.evtchn ?? newEvtchn
  const hypervisor = domains ? yield* or('Failed to open connection to hypervisor', Hypervisor.open(evtchn)) : undefined
  const pidFile = old?.pidFile ?? newPidFile
  const daemon = new Daemon({ store, socket, readOnlySocket, hypervisor, trace, access, state, pidFile })
  if (restorer) yield* daemon.resume(restorer)
  if (hypervisor) {
    if (!store.domain(0)) yield* or('Failed to initialize dom0 state', daemon.serveDom0())
    if (old) hypervisor.domExcPort = old.domExcPort
    else yield* or('Failed to bind to domain exception virq port', hypervisor.watchDomains())
  }
  if (printsPid && !live) yield* writeAll(STDOUT, bytesOfString(`${yield* getpid()}\n`))
  if (forks && !live) {
    const devnull = yield* or('Could not open /dev/null\n', open('/dev/null', O_RDWR, 0))
    for (const fd of [STDIN, STDOUT, STDERR]) yield* dup2(devnull, fd)
    yield* close(devnull)
  }
  const onSignal = (signo: number, act: () => void): Sys<unknown> =>
    rt_sigaction(
      signo,
      function* () {
        act()
      },
      0,
      0,
    )
  yield* onSignal(SIGHUP, () => {
    trace.stale = true
  })
  yield* onSignal(SIGTERM, () => {
    daemon.ending = true
  })
  yield* blockSignals(SIG_UNBLOCK)
  return { daemon, store }
}
