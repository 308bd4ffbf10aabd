/** xenconsoled(8) (tools/console/daemon/main.c): gives each domain's console a pseudo terminal. */
import { EINVAL, EPERM } from '#abi/posix/errno.ts'
import { LOCK_EX, LOCK_NB, O_CREAT, O_RDWR } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGCHLD, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { getopt, type Options } from '#user/libc/getopt.ts'
import { sbrk } from '#user/libc/heap.ts'
import { program } from '#user/libc/program.ts'
import { eprint, STDOUT, writeAll } from '#user/libc/stdio.ts'
import {
  chdir,
  close,
  dup2,
  flock,
  fork,
  geteuid,
  getpid,
  getppid,
  open,
  rt_sigaction,
  setsid,
  umask,
  write,
} from '#user/libc/syscall.ts'
import { xcEvtchnOpen } from '../libxc/evtchn.ts'
import { xcInterfaceOpen } from '../libxc/privcmd.ts'
import { xsDaemonOpen, xsWatch } from '../libxs/xs.ts'
import type { Daemon } from './console.ts'
import { Loop } from './daemon.ts'

const SYNOPSIS =
  '[-h] [-V] [-v] [-i] [--log=none|guest|hv|all] [--log-dir=DIR] [--pid-file=PATH] ' +
  '[-t, --timestamp=none|guest|hv|all] [-o, --overflow-data=discard|keep]'

const HEAP_BYTES = 132 * 1024

const LONG = {
  help: 'h',
  version: 'V',
  verbose: 'v',
  interactive: 'i',
  'log:': 'l',
  'log-dir:': 'r',
  'pid-file:': 'p',
  'timestamp:': 't',
  'overflow-data:': 'o',
}

export const xenconsoled = program({
  name: 'xenconsoled',
  usage: `xenconsoled ${SYNOPSIS}`,
  help: "Give each domain's console a pseudo terminal, and keep logs of what domains and the hypervisor say.",
  *main(argv, env) {
    const name = argv[0] ?? 'xenconsoled'
    const options = getopt(argv.slice(1), 'hVvit:o:', LONG)
    for (const { code } of options.options) {
      if (code !== 'h' && code !== 'V') continue
      const text = code === 'h' ? `Usage: ${name} ${SYNOPSIS}\n` : 'Xen Console Daemon 3.0\n'
      yield* writeAll(STDOUT, bytesOfString(text))
      return 0
    }
    if (options.error !== undefined) {
      yield* eprint(`${name}: ${options.error}\nTry \`${name} --help' for more information\n`)
      return EINVAL
    }
    if ((yield* geteuid()) !== 0) {
      yield* eprint(`${name} requires root to run.\n`)
      return EPERM
    }
    if (options.options.some(({ code }) => code === 'i') || (yield* getppid()) === 1) return yield* serve(options, env)
    const pidFile = options.options.findLast(({ code }) => code === 'p')?.value ?? '/var/run/xenconsoled.pid'
    // daemonize: out of the caller's session, and never to get a terminal again.
    yield* fork(function* () {
      yield* setsid()
      yield* fork(function* () {
        return (yield* detach(pidFile)) ? yield* serve(options, env) : 1
      })
      return 0
    })
    return 0
  },
})

/** False: another one runs, or there is no place for the pid. */
function* detach(pidFile: string): Sys<boolean> {
  const nowhere = yield* open('/dev/null', O_RDWR, 0)
  for (const fd of [0, 1, 2]) yield* dup2(nowhere, fd)
  if (nowhere > 2) yield* close(nowhere)
  yield* umask(0o27)
  yield* chdir('/')
  try {
    const fd = yield* open(pidFile, O_RDWR | O_CREAT, 0o600)
    // lockf's lock; it stays while the daemon lives.
    yield* flock(fd, LOCK_EX | LOCK_NB)
    yield* write(fd, bytesOfString(`${yield* getpid()}\n`))
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
  for (const signal of [SIGTSTP, SIGTTOU, SIGTTIN, SIGCHLD]) yield* rt_sigaction(signal, SIG_IGN, 0, 0)
  return true
}

function* serve({ options }: Options, env: readonly string[]): Sys<number> {
  const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
  /** `--log=hv --log=guest` add up; so do timestamps, until `none`. */
  const chosen = (code: string, what: string): boolean => {
    let on = false
    for (const option of options)
      if (option.code === code) {
        if (option.value === 'all' || option.value === what) on = true
        else if (code === 't' && option.value === 'none') on = false
      }
    return on
  }
  const verbose = options.some(({ code }) => code === 'v')
  const note = function* (text: string): Sys<void> {
    if (verbose) yield* eprint(`xenconsoled: ${text}\n`)
  }
  // malloc's first step: what consoles hold comes on top, and goes again.
  yield* sbrk(HEAP_BYTES)
  const reload = { wanted: false }
  yield* rt_sigaction(
    SIGHUP,
    function* () {
      reload.wanted = true
    },
    0,
    0,
  )
  let daemon: Daemon
  try {
    const xs = yield* xsDaemonOpen(env)
    daemon = {
      xs,
      xc: yield* xcInterfaceOpen(),
      evtchn: yield* xcEvtchnOpen(),
      logDir: value('r') ?? '/var/log/xen/console',
      logGuests: chosen('l', 'guest'),
      stampGuests: chosen('t', 'guest'),
      discard: value('o') !== 'keep',
      note,
    }
    yield* xsWatch(xs, '@introduceDomain', 'domlist')
    yield* xsWatch(xs, '@releaseDomain', 'domlist')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* note(`Failed to contact xenstore (${strerror(error.errno)}).  Is it running?`)
    return 1
  }
  try {
    yield* new Loop(daemon, {
      logHypervisor: chosen('l', 'hv'),
      stampHypervisor: chosen('t', 'hv'),
      reload,
    }).run()
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* note(`Failure in select: ${error.errno} (${strerror(error.errno)})`)
  }
  return 0
}
