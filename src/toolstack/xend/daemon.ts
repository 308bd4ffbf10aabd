/** The daemon itself (server/SrvDaemon.py, SrvServer.py): detached, watched over, told what to do by signals. */
import { O_APPEND, O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGHUP, SIGINT, SIGPIPE, SIGTERM } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED, WTERMSIG } from '#abi/posix/wait.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { dirname } from '#user/libc/path.ts'
import { waitpid } from '#user/libc/process.ts'
import { eprint, readAll, readFile, writeAll } from '#user/libc/stdio.ts'
import {
  chdir,
  close,
  dup2,
  fork,
  kill,
  nanosleep,
  open,
  pipe,
  read,
  rt_sigaction,
  setsid,
  unlink,
} from '#user/libc/syscall.ts'
import { Threads } from '#user/libc/threads.ts'
import { strftime, time } from '#user/libc/time.ts'
import { xcInterfaceOpen } from '../libxc/xc.ts'
import { type XsHandle, xsDaemonOpen } from '../libxs/xs.ts'
import { Xend } from './context.ts'
import { exceptionText } from './errors.ts'
import { hypervisor } from './libxc.ts'
import { Logger } from './log.ts'
import { makeDirectories } from './managed.ts'
import { XendOptions } from './options.ts'
import { XmlRpcServer } from './server.ts'
import { XsStore } from './store.ts'

const PID_FILE = '/var/run/xend.pid'
const DEBUG_LOG = '/var/log/xen/xend-debug.log'
const CONFIG = '/etc/xen/xend-config.sxp'
/** xenstored has just been started, and takes a moment to listen: tries, and ms between them. */
const XENSTORE_TRIES = 50
const XENSTORE_PAUSE_MS = 100

/** The running daemon's id; 0 if none runs. */
export function* runningPid(): Sys<number> {
  try {
    const pid = Number(yield* readFile(PID_FILE))
    // Another program may have the number by now.
    return pid > 0 && (yield* readFile(`/proc/${pid}/cmdline`)).includes('xend') ? pid : 0
  } catch (error) {
    if (error instanceof OsError) return 0
    throw error
  }
}

/** The daemon's id, or 0 and no pid file; with `end` it is told to end. */
function* cleanup(end: boolean): Sys<number> {
  const pid = yield* runningPid()
  if (pid !== 0 && !end) return pid
  if (pid !== 0) yield* kill(pid, SIGTERM)
  try {
    yield* unlink(PID_FILE)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return 0
}

export function* stopDaemon(): Sys<number> {
  return yield* cleanup(true)
}

export function* reloadDaemon(): Sys<number> {
  const pid = yield* runningPid()
  if (pid !== 0) yield* kill(pid, SIGHUP)
  return 0
}

/** LSB's: 0 runs, 3 does not. */
export function* daemonStatus(): Sys<number> {
  return (yield* cleanup(false)) === 0 ? 3 : 0
}

/** Comes back when the daemon answers requests (0) or could not begin (1). */
export function* startDaemon(env: readonly string[]): Sys<number> {
  if ((yield* cleanup(false)) !== 0) return 0
  yield* chdir('/')
  const [from, to] = yield* pipe()
  const child = yield* fork(function* () {
    yield* close(from)
    yield* setsid()
    // The leader of the session ends: the daemon never gets a terminal again.
    yield* fork(() => watchOver(env, to))
    return 0
  })
  yield* close(to)
  const said = yield* readAll(from)
  yield* close(from)
  yield* waitpid(child)
  return said === '' ? 1 : Number(said)
}

/** Keeps a xend running: one that dies of a signal is followed by another. */
function* watchOver(env: readonly string[], status: number): Sys<number> {
  yield* detach()
  const { log } = yield* configured(env)
  for (let pipeTo: number | undefined = status; ; pipeTo = undefined) {
    const tell = pipeTo
    const pid = yield* fork(() => daemon(env, tell))
    const fd = yield* open(PID_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    yield* writeAll(fd, bytesOfString(String(pid)))
    yield* close(fd)
    if (tell !== undefined) yield* close(tell)
    const { status: end } = yield* waitpid(pid)
    if (WIFEXITED(end)) {
      yield* log.info('SrvDaemon:219', `Xend exited with status ${WEXITSTATUS(end)}.`)
      return WEXITSTATUS(end)
    }
    const signal = WTERMSIG(end)
    if (signal === SIGINT || signal === SIGTERM) {
      yield* log.info('SrvDaemon:226', `Xend stopped due to signal ${signal}.`)
      return 0
    }
    yield* log.critical('SrvDaemon:229', `Xend died due to signal ${signal}!  Restarting it.`)
  }
}

function* detach(): Sys<void> {
  yield* makeDirectories(dirname(DEBUG_LOG), 0o700)
  const debug = yield* open(DEBUG_LOG, O_WRONLY | O_CREAT | O_APPEND, 0o666)
  const nowhere = yield* open('/dev/null', O_RDWR, 0)
  yield* dup2(nowhere, 0)
  yield* dup2(nowhere, 1)
  yield* dup2(debug, 2)
  yield* close(nowhere)
  yield* close(debug)
  yield* eprint(`Xend started at ${strftime('%c', yield* time())}.\n`)
}

function* configured(env: readonly string[]): Sys<{ options: XendOptions; log: Logger }> {
  const path = env.find((one) => one.startsWith('XEND_CONFIG='))?.slice('XEND_CONFIG='.length) ?? CONFIG
  let text: string | undefined
  try {
    text = yield* readFile(path)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`xend [ERROR] Config file does not exist: ${path}\n`)
  }
  let options: XendOptions
  try {
    options = new XendOptions(path, text)
  } catch (error) {
    yield* eprint(`xend [ERROR] Reading config file ${path}: ${exceptionText(error)}\n`)
    throw error
  }
  yield* makeDirectories(dirname(options.logfile), 0o700)
  return { options, log: new Logger(options.logfile, options.loglevel) }
}

function* xenstore(env: readonly string[]): Sys<XsHandle> {
  for (let tries = 1; ; tries++) {
    try {
      return yield* xsDaemonOpen(env)
    } catch (error) {
      if (!(error instanceof OsError) || tries >= XENSTORE_TRIES) throw error
      yield* nanosleep(XENSTORE_PAUSE_MS * 1_000_000)
    }
  }
}

/** xend proper. Writes 0 to `status` when it is ready, 1 if it cannot be. */
function* daemon(env: readonly string[], status: number | undefined): Sys<number> {
  const { options, log } = yield* configured(env)
  const tell = function* (text: string): Sys<void> {
    if (status === undefined) return
    yield* writeAll(status, bytesOfString(text))
    yield* close(status)
  }
  try {
    yield* rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
    yield* log.info('SrvDaemon:331', 'Xend Daemon started')
    const xc = hypervisor(yield* xcInterfaceOpen())
    yield* log.info('SrvDaemon:335', `Xend changeset: ${(yield* xc.versionInfo()).changeset}.`)
    const threads = new Threads((name, error) => log.exception('threading:1', `Exception in thread ${name}`, error))
    const store = new XsStore(yield* xenstore(env), yield* xenstore(env), threads, (error) =>
      log.exception('xswatch:66', 'read_watch failed', error),
    )
    const xend = new Xend({ xc, store, log, options, threads })
    const main = new Main(xend)
    yield* main.catchSignals()
    threads.start('watchMain', store.run())
    threads.start('main', main.run(tell))
    yield* threads.run()
    return main.status
  } catch (error) {
    yield* eprint(`Exception starting xend: ${exceptionText(error)}\n`)
    yield* log.exception('SrvDaemon:347', `Exception starting xend (${exceptionText(error)})`, error)
    yield* tell('1')
    return 1
  }
}

/** The main thread: starts the rest, and then waits for signals. */
class Main {
  readonly #xend: Xend
  /** Signal handlers write a letter to this pipe. */
  #signals: readonly [number, number] = [-1, -1]
  /** What the daemon ends with. */
  status = 0

  constructor(xend: Xend) {
    this.#xend = xend
  }

  *catchSignals(): Sys<void> {
    this.#signals = yield* pipe()
    const [, to] = this.#signals
    for (const signal of [SIGTERM, SIGHUP]) {
      const letter = Uint8Array.of(signal)
      yield* rt_sigaction(
        signal,
        function* () {
          yield* writeAll(to, letter)
        },
        0,
        0,
      )
    }
  }

  *run(tell: (text: string) => Sys<void>): Sys<void> {
    const { log, domains, options, threads } = this.#xend
    const server = new XmlRpcServer(this.#xend)
    try {
      yield* domains.init()
      if (options.unixXmlrpcServer) yield* server.open()
    } catch (error) {
      yield* eprint(`Exception starting xend: ${exceptionText(error)}\n`)
      yield* log.exception('SrvDaemon:347', `Exception starting xend (${exceptionText(error)})`, error)
      yield* tell('1')
      this.status = 1
      return threads.stop()
    }
    yield* tell('0')
    try {
      yield* domains.autostart()
    } catch (error) {
      yield* log.exception('SrvServer:153', 'Failed while autostarting domains', error)
    }
    for (;;) {
      yield* threads.wait({ fd: this.#signals[0], events: POLLIN })
      const [signal] = yield* read(this.#signals[0], 1)
      if (signal === SIGHUP) yield* log.debug('SrvServer:92', 'SrvServer.reloadConfig()')
      yield* log.debug('SrvServer:76', 'SrvServer.cleanup()')
      yield* server.close()
      if (signal !== SIGHUP) break
      yield* log.info('SrvServer:161', 'Restarting all XML-RPC and Xen-API servers...')
      yield* this.#reread()
      if (options.unixXmlrpcServer) yield* server.open()
    }
    yield* domains.cleanup()
    threads.stop()
  }

  *#reread(): Sys<void> {
    const { log, options } = this.#xend
    try {
      options.reread(yield* readFile(options.path))
    } catch (error) {
      yield* log.error('XendOptions:380', `Reading config file ${options.path}: ${exceptionText(error)}`)
    }
  }
}
