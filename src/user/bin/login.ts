/** login of util-linux 2.13 with CentOS 5's rules (pam_securetty, pam_nologin, pam_unix with nullok, pam_lastlog). */
import { O_RDONLY, O_RDWR, R_OK, SEEK_SET } from '#abi/posix/fcntl.ts'
import { TIOCNOTTY, TIOCSCTTY } from '#abi/posix/ioctl.ts'
import { SIG_DFL, SIG_IGN, SIGALRM, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGTSTP } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import {
  BTMP_FILE,
  DEAD_PROCESS,
  LASTLOG_BYTES,
  LASTLOG_FILE,
  LOGIN_PROCESS,
  lastlogBytes,
  readLastlog,
  USER_PROCESS,
} from '#abi/posix/utmp.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { askSecret } from '../account/ask.ts'
import { passwordFits, passwordHash } from '../account/shadow.ts'
import { terminalName } from '../account/terminal.ts'
import { appendWtmp, putUtmp, utmpOfPid, utmpTime } from '../account/utmp.ts'
import { getenv } from '../libc/env.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { waitpid } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { getgrouplist, getpwnam, type Passwd } from '../libc/pwd.ts'
import { eprint, readFile, readLineUnbuffered, STDERR, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import {
  access,
  alarm,
  chdir,
  chmod,
  chown,
  close,
  execve,
  fork,
  geteuid,
  getpid,
  ioctl,
  kill,
  lseek,
  nanosleep,
  open,
  read,
  rt_sigaction,
  setgid,
  setgroups,
  setsid,
  setuid,
} from '../libc/syscall.ts'
import { strftime, time } from '../libc/time.ts'

const TIMEOUT_SECONDS = 60
const TRIES = 3
/** pam_unix's delay after a failure. */
const FAIL_DELAY_NS = 2e9
const NOLOGIN = '/etc/nologin'
const SECURETTY = '/etc/securetty'
const MOTD = '/etc/motd'
const HUSHLOGIN = '.hushlogin'

export const login = program({
  name: 'login',
  usage: 'login [-p] [-h HOST] [-f] [NAME]',
  help: [
    'Begin a session: ask for name and password, and start the shell of /etc/passwd.',
    '  -f   NAME has been authenticated already',
    '  -p   keep the environment',
    '  -h   the remote host, for the records',
  ].join('\n'),
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), 'fh:p')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    if (error !== undefined) {
      yield* eprint(`${argv[0]}: ${error}\nusage: login [-fp] [username]\n`)
      return 1
    }
    if ((yield* geteuid()) !== 0) {
      yield* eprint('login: Cannot possibly work without effective root\n')
      return 1
    }
    for (const signo of [SIGQUIT, SIGINT]) yield* rt_sigaction(signo, SIG_IGN, 0, 0)
    const tty = yield* terminalName(STDIN)
    if (tty === undefined) {
      yield* eprint('login: cannot find the terminal\n')
      return 1
    }
    yield* timeOut()
    const user = has('f') ? yield* getpwnam(operands[0] ?? '') : yield* authenticate(operands[0], tty)
    yield* alarm(0)
    if (!user || !(yield* mayLogin(user))) return 1
    return yield* session(user, tty, has('p') ? env : keptEnv(env))
  },
})

const keptEnv = (env: readonly string[]): string[] => {
  const term = getenv(env, 'TERM')
  return term === undefined ? ['TERM=dumb'] : [`TERM=${term}`]
}

/** Whoever thinks for a minute is sent away. */
function* timeOut(): Sys<void> {
  const pid = yield* getpid()
  const expired = function* (): Sys<void> {
    yield* eprint(`Login timed out after ${TIMEOUT_SECONDS} seconds\n`)
    // Nothing that is asked for is waited for any longer.
    yield* kill(pid, SIGKILL)
  }
  yield* rt_sigaction(SIGALRM, expired, 0, 0)
  yield* alarm(TIMEOUT_SECONDS)
}

/** Three tries. The password is asked for whoever it is, so that nobody learns which names there are. */
function* authenticate(given: string | undefined, tty: string): Sys<Passwd | undefined> {
  let name = given
  for (let tries = 1; ; tries++) {
    while (name === undefined || name === '') {
      yield* writeAll(STDOUT, bytesOfString('login: '))
      name = yield* readLineUnbuffered(STDIN)
      if (name === undefined) return undefined
      name = name.trim()
    }
    const user = yield* getpwnam(name)
    const hash = user ? yield* passwordHash(user) : '*'
    const secure = user === undefined || user.uid !== 0 || (yield* isSecure(tty))
    if (user && hash === '' && secure) return user
    const typed = yield* askSecret('Password: ', STDIN, STDOUT)
    if (typed === undefined) return undefined
    if (user && secure && (yield* passwordFits(typed, hash))) return user
    yield* appendWtmp(
      { type: LOGIN_PROCESS, pid: yield* getpid(), line: tty, user: name, ...(yield* utmpTime()) },
      BTMP_FILE,
    )
    yield* nanosleep(FAIL_DELAY_NS)
    yield* eprint('Login incorrect\n\n')
    if (tries === TRIES) return undefined
    name = undefined
  }
}

/** pam_securetty: root may log in where /etc/securetty says so, or anywhere when there is no such file. */
function* isSecure(tty: string): Sys<boolean> {
  try {
    return (yield* readFile(SECURETTY)).split('\n').some((line) => line.trim() === tty)
  } catch (error) {
    if (error instanceof OsError) return true
    throw error
  }
}

/** pam_nologin: shutdown keeps everybody out but root. */
function* mayLogin({ uid }: Passwd): Sys<boolean> {
  try {
    yield* writeAll(STDOUT, bytesOfString(yield* readFile(NOLOGIN)))
    return uid === 0
  } catch (error) {
    if (error instanceof OsError) return true
    throw error
  }
}

/** The parent stays root and waits, to close the session; the child becomes the user. */
function* session(user: Passwd, tty: string, env: readonly string[]): Sys<number> {
  const pid = yield* getpid()
  const id = (yield* utmpOfPid(pid))?.id ?? tty.slice(-4)
  const record = { type: USER_PROCESS, pid, line: tty, id, user: user.name, session: pid }
  const when = yield* utmpTime()
  yield* putUtmp({ ...record, ...when })
  yield* appendWtmp({ ...record, ...when })
  const quiet = yield* isQuiet(user)
  yield* lastLogin(user, tty, quiet)
  const ttyGid = 5
  yield* tolerant(chown(`/dev/${tty}`, user.uid, ttyGid))
  yield* tolerant(chmod(`/dev/${tty}`, 0o620))
  if (!quiet) yield* showFile(MOTD)

  // The terminal goes over to the child's session.
  yield* rt_sigaction(SIGHUP, SIG_IGN, 0, 0)
  yield* tolerant(ioctl(STDIN, TIOCNOTTY, 0))
  yield* rt_sigaction(SIGHUP, SIG_DFL, 0, 0)
  const child = yield* fork(() => become(user, tty, env))
  for (const fd of [STDIN, STDOUT, STDERR]) yield* tolerant(close(fd))
  // What ends us ends the session; shells ignore SIGTERM.
  const pass = function* (signo: number): Sys<void> {
    yield* tolerant(kill(-child, signo))
    if (signo === SIGTERM) yield* tolerant(kill(-child, SIGHUP))
  }
  yield* rt_sigaction(SIGHUP, pass, 0, 0)
  yield* rt_sigaction(SIGTERM, pass, 0, 0)
  yield* waitpid(child)
  const end = { type: DEAD_PROCESS, pid, line: tty, id, ...(yield* utmpTime()) }
  yield* putUtmp(end)
  yield* appendWtmp(end)
  yield* tolerant(chown(`/dev/${tty}`, 0, 0))
  return 0
}

function* become(user: Passwd, tty: string, env: readonly string[]): Sys<number> {
  const groups = yield* getgrouplist(user.name, user.gid)
  yield* setsid()
  // By opening it, the leader of a session without a terminal gets it.
  const fd = yield* open(`/dev/${tty}`, O_RDWR, 0)
  yield* tolerant(ioctl(fd, TIOCSCTTY, 1))
  if (fd > STDERR) yield* close(fd)
  for (const signo of [SIGINT, SIGQUIT, SIGALRM, SIGHUP, SIGTSTP, SIGTERM]) yield* rt_sigaction(signo, SIG_DFL, 0, 0)
  yield* setgroups(groups)
  yield* setgid(user.gid)
  yield* setuid(user.uid)
  let home = user.dir
  try {
    yield* chdir(home)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`No directory ${home}!\nLogging in with home = "/".\n`)
    home = '/'
    yield* chdir(home)
  }
  const { shell, name } = user
  const path = user.uid === 0 ? '/sbin:/bin:/usr/sbin:/usr/bin' : '/bin:/usr/bin'
  const own = [
    `HOME=${home}`,
    `USER=${name}`,
    `LOGNAME=${name}`,
    `SHELL=${shell}`,
    `PATH=${path}`,
    `MAIL=/var/spool/mail/${name}`,
  ]
  const rest = env.filter((entry) => !own.some((mine) => entry.startsWith(mine.slice(0, mine.indexOf('=') + 1))))
  try {
    return yield* execve(shell, [`-${shell.slice(shell.lastIndexOf('/') + 1)}`], [...own, ...rest])
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`login: no shell: ${strerror(error.errno)}.\n`)
    return 0
  }
}

function* isQuiet(user: Passwd): Sys<boolean> {
  try {
    yield* access(`${user.dir}/${HUSHLOGIN}`, R_OK)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** `Last login: ...`, and what the next one will say. */
function* lastLogin({ uid }: Passwd, tty: string, quiet: boolean): Sys<void> {
  let fd: number
  try {
    fd = yield* open(LASTLOG_FILE, O_RDWR, 0)
  } catch (error) {
    if (error instanceof OsError) return
    throw error
  }
  try {
    yield* lseek(fd, uid * LASTLOG_BYTES, SEEK_SET)
    const { seconds, line, host } = readLastlog(yield* read(fd, LASTLOG_BYTES))
    if (!quiet && seconds !== 0) {
      const from = host === '' ? `on ${line}` : `from ${host}`
      yield* writeAll(STDOUT, bytesOfString(`Last login: ${strftime('%a %b %e %H:%M:%S', seconds)} ${from}\n`))
    }
    yield* lseek(fd, uid * LASTLOG_BYTES, SEEK_SET)
    yield* writeAll(fd, lastlogBytes({ seconds: yield* time(), line: tty, host: '' }))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  } finally {
    yield* close(fd)
  }
}

function* showFile(path: string): Sys<void> {
  try {
    const fd = yield* open(path, O_RDONLY, 0)
    for (let part = yield* read(fd, 4096); part.length > 0; part = yield* read(fd, 4096)) yield* writeAll(STDOUT, part)
    yield* close(fd)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

function* tolerant(call: Sys<unknown>): Sys<void> {
  try {
    yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}
