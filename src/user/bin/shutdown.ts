/** shutdown of sysvinit 2.86: warns everybody, waits, and tells init. */
import { EINTR, ENOENT } from '#abi/posix/errno.ts'
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIGINT } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { broadcast } from '../account/broadcast.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, readFile, writeAll } from '../libc/stdio.ts'
import { chdir, close, execve, getpid, getuid, kill, nanosleep, open, rt_sigaction, unlink } from '../libc/syscall.ts'
import { gmtime, strftime, time } from '../libc/time.ts'
import { INIT_CMD_SETENV, INIT_FIFO, requestBytes } from './init/request.ts'

const PIDFILE = '/var/run/shutdown.pid'
const NOLOGIN = '/etc/nologin'

const USAGE = `Usage:	  shutdown [-akrhHPfnc] [-t secs] time [warning message]
		  -a:      use /etc/shutdown.allow
		  -k:      don't really shutdown, only warn.
		  -r:      reboot after shutdown.
		  -h:      halt after shutdown.
		  -P:      halt action is to turn off power.
		  -H:      halt action is to just halt.
		  -f:      do a 'fast' reboot (skip fsck).
		  -F:      Force fsck on reboot.
		  -n:      do not go through "init" but go down real fast.
		  -c:      cancel a running shutdown.
		  -t secs: delay between warning and kill signal.
		  ** the "time" argument is mandatory! (try "now") **
`

interface Plan {
  /** For init. */
  readonly level: string
  /** In the warning. */
  readonly state: string
  readonly message: string
  readonly onlyWarn: boolean
  readonly seconds: string | undefined
  /** INIT_HALT. */
  readonly halt: string | undefined
}

export const shutdown = program({
  name: 'shutdown',
  usage: 'shutdown [-akrhHPfFnc] [-t SECS] TIME [MESSAGE]',
  help: ['Bring the system down: TIME is now, +MINUTES or HH:MM.', ...USAGE.split('\n').slice(1, -2)].join('\n'),
  *main(argv) {
    if ((yield* getuid()) !== 0) {
      yield* eprint('shutdown: you must be root to do that!\n')
      yield* eprint(USAGE)
      return 1
    }
    const { options, operands, error } = getopt(argv.slice(1), 'HPacqkrhnfFyt:g:i:')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    const when = has('g') ? value('g') : operands[0]
    const message = operands.slice(has('g') ? 0 : 1).join(' ')
    if (error !== undefined) {
      yield* eprint(`${argv[0]}: ${error}\n${USAGE}`)
      return 1
    }
    const running = yield* runningPid()
    if (has('c')) return yield* cancel(running, operands.join(' '))
    if (running !== undefined) {
      yield* eprint('\nshutdown: already running.\n')
      return 1
    }
    const minutes = when === undefined ? undefined : minutesUntil(when, yield* time())
    if (minutes === undefined) {
      yield* eprint(USAGE)
      return 1
    }
    const plan: Plan = {
      level: has('r') ? '6' : has('h') ? '0' : '1',
      state: has('r') ? 'for reboot' : has('h') ? 'for system halt' : 'to maintenance mode',
      message: message === '' ? '' : `${message}\r\n`,
      onlyWarn: has('k'),
      seconds: value('t'),
      halt: has('P') ? 'POWEROFF' : has('H') ? 'HALT' : undefined,
    }
    yield* chdir('/')
    if (has('f')) yield* touch('/fastboot', '')
    if (has('F')) yield* touch('/forcefsck', '')
    return yield* countDown(minutes, plan)
  },
})

/** Minutes from `now` on; undefined for what is no time. */
function minutesUntil(when: string, now: number): number | undefined {
  const text = when === 'now' ? '0' : when
  const relative = /^\+?(\d+)$/.exec(text)
  if (relative) return Number(relative[1])
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (!clock) return undefined
  const [hour, minute] = [Number(clock[1]), Number(clock[2])]
  if (hour > 23 || minute > 59) return undefined
  const tm = gmtime(now)
  const minutes = hour * 60 + minute - (tm.hour * 60 + tm.minute)
  return minutes < 0 ? minutes + 1440 : minutes
}

/** Whether it is time to say so. */
const needsWarning = (minutes: number): boolean =>
  minutes < 10 ||
  (minutes < 60 && minutes % 15 === 0) ||
  (minutes < 180 && minutes % 30 === 0) ||
  (minutes < 600 && minutes % 60 === 0)

function* countDown(minutes: number, plan: Plan): Sys<number> {
  let cancelled = false
  yield* rt_sigaction(
    SIGINT,
    function* () {
      cancelled = true
    },
    0,
    0,
  )
  yield* touch(PIDFILE, `${yield* getpid()}\n`)
  const until = (yield* time()) + minutes * 60
  for (let left = minutes; left > 0; left--) {
    if (left <= 5) {
      const at = strftime('%a %b %e %H:%M:%S %Y', until)
      yield* touch(NOLOGIN, `\rThe system is going down on ${at}\r\n`)
    }
    if (needsWarning(left)) yield* broadcast(warning(left, plan))
    yield* sleepMinute()
    if (cancelled) {
      yield* remove(NOLOGIN)
      yield* remove(PIDFILE)
      yield* eprint('\r\nShutdown cancelled.\r\n')
      return 0
    }
  }
  yield* broadcast(warning(0, plan))
  yield* remove(PIDFILE)
  if (plan.onlyWarn) {
    yield* remove(NOLOGIN)
    return 0
  }
  yield* setHalt(plan.halt)
  const argv = ['init', ...(plan.seconds === undefined ? [] : ['-t', plan.seconds]), plan.level]
  try {
    return yield* execve('/sbin/init', argv, ['PATH=/sbin:/usr/sbin:/bin:/usr/bin'])
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`shutdown: can't exec init: ${strerror(error.errno)}!\n`)
    return 1
  }
}

const warning = (minutes: number, { state, message }: Plan): string =>
  minutes === 0
    ? `${message}\rThe system is going down ${state} NOW!\r\n`
    : `${message}\rThe system is going DOWN ${state} in ${minutes} minute${minutes === 1 ? '' : 's'}!\r\n`

function* sleepMinute(): Sys<void> {
  try {
    yield* nanosleep(60e9)
  } catch (error) {
    if (!(error instanceof OsError) || error.errno !== EINTR) throw error
  }
}

/** What the scripts of runlevel 0 find as INIT_HALT. */
function* setHalt(halt: string | undefined): Sys<void> {
  const data = halt === undefined ? 'INIT_HALT' : `INIT_HALT=${halt}`
  try {
    const fd = yield* open(INIT_FIFO, O_WRONLY, 0)
    yield* writeAll(fd, requestBytes({ cmd: INIT_CMD_SETENV, level: '\0', sleep: 0, data }))
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

function* runningPid(): Sys<number | undefined> {
  try {
    const pid = Number((yield* readFile(PIDFILE)).trim())
    if (!(pid > 0)) return undefined
    yield* kill(pid, 0)
    return pid
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* cancel(pid: number | undefined, message: string): Sys<number> {
  if (pid === undefined) {
    yield* eprint('shutdown: cannot find pid of running shutdown.\n')
    return 1
  }
  yield* kill(pid, SIGINT)
  if (message !== '') yield* broadcast(`${message}\r\n`)
  return 0
}

function* touch(path: string, text: string): Sys<void> {
  try {
    const fd = yield* open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    yield* writeAll(fd, bytesOfString(text))
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

function* remove(path: string): Sys<void> {
  try {
    yield* unlink(path)
  } catch (error) {
    if (!(error instanceof OsError) || error.errno !== ENOENT) throw error
  }
}
