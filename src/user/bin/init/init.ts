/** init, process 1: sysvinit 2.86. Called by anybody else, or as telinit, it tells process 1 what to do. */
import { EAGAIN, EEXIST, EINTR } from '#abi/posix/errno.ts'
import { O_NONBLOCK, O_RDWR } from '#abi/posix/fcntl.ts'
import { POLLIN } from '#abi/posix/poll.ts'
import { LINUX_REBOOT_CMD_CAD_OFF } from '#abi/posix/reboot.ts'
import {
  SA_NOCLDSTOP,
  SA_RESTART,
  SIG_IGN,
  SIGALRM,
  SIGCHLD,
  SIGHUP,
  SIGINT,
  SIGPWR,
  SIGUSR1,
  SIGWINCH,
} from '#abi/posix/signal.ts'
import { S_IFIFO } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { BOOT_TIME, RUN_LVL } from '#abi/posix/utmp.ts'
import { appendWtmp, putUtmp, utmpTime } from '../../account/utmp.ts'
import { getenv, withEnv, withoutEnv } from '../../libc/env.ts'
import { OsError } from '../../libc/errno.ts'
import { program } from '../../libc/program.ts'
import { readLineUnbuffered } from '../../libc/stdio.ts'
import { close, getpid, mknod, open, poll, read, reboot, rt_sigaction, setsid, uname } from '../../libc/syscall.ts'
import { failCancel, failCheck, noteEnded, reap, startIfNeeded } from './children.ts'
import { initlog, openConsole, printConsole, resetConsole } from './console.ts'
import { defaultLevel, parseInittab } from './inittab.ts'
import { inittabText, readTable } from './levels.ts'
import {
  INIT_CMD_POWERFAIL,
  INIT_CMD_POWERFAILNOW,
  INIT_CMD_POWEROK,
  INIT_CMD_RUNLVL,
  INIT_CMD_SETENV,
  INIT_FIFO,
  type InitRequest,
  REQUEST_BYTES,
  readRequest,
} from './request.ts'
import { type Init, newChild } from './state.ts'
import { telinit } from './telinit.ts'

const PATH_DEFAULT = '/sbin:/usr/sbin:/bin:/usr/bin'
const SLEEP_SECONDS = 5

export const init = program({
  name: 'init',
  usage: 'init [-a] [-s] [-b] [0123456Ss]',
  help: [
    'The parent of all processes: starts what /etc/inittab names for the current runlevel.',
    'As process 1, from the kernel:',
    '  S, s, single   single user mode',
    '  1 to 5         the runlevel to boot into',
    '  b, emergency   a shell, before anything else runs',
    'Later it is telinit: tell process 1 to change to a runlevel, or (q) to read /etc/inittab again.',
  ].join('\n'),
  *main(argv, env) {
    if ((yield* getpid()) !== 1) return yield* telinit.main(argv, env)
    return yield* initMain(argv, env)
  },
})

function* initMain(argv: readonly string[], env: readonly string[]): Sys<number> {
  let wanted: string | undefined
  let emergency = false
  for (const arg of argv.slice(1)) {
    if (arg === 'single' || arg === '-s' || /^[sS]$/.test(arg)) wanted = 'S'
    else if (arg === '-b' || arg === 'emergency' || arg === 'b') emergency = true
    else if (/^[0-9]$/.test(arg)) wanted = arg
  }
  const state: Init = {
    family: [],
    level: '#',
    next: 'N',
    shown: 'N',
    previous: 'N',
    didBoot: false,
    warned: true,
    sleepSeconds: SLEEP_SECONDS,
    wanted,
    signals: new Set(),
    env: withEnv(getenv(env, 'TERM') === undefined ? withEnv(env, 'TERM', 'linux') : env, 'PATH', PATH_DEFAULT),
    fifo: undefined,
    wroteBoot: false,
  }
  yield* reboot(LINUX_REBOOT_CMD_CAD_OFF)
  yield* catchSignals(state)
  for (const fd of [0, 1, 2]) yield* ignoringErrors(close(fd))
  yield* resetConsole()
  yield* ignoringErrors(setsid())
  yield* initlog('version 2.86 booting')
  if (emergency) {
    const sulogin = { id: '~~', levels: 'S', action: 'wait', process: '/sbin/sulogin', quiet: false } as const
    state.family = [newChild(sulogin, false)]
    state.level = 'S'
    yield* startIfNeeded(state)
  } else {
    yield* readTable(state)
    yield* startIfNeeded(state)
  }
  for (;;) {
    yield* bootTransitions(state)
    if (state.signals.size === 0 && state.family.some(({ running, entry }) => running && entry.action !== 'boot'))
      yield* listen(state)
    yield* failCheck(state)
    yield* processSignals(state)
    yield* startIfNeeded(state)
  }
}

function* ignoringErrors(call: Sys<unknown>): Sys<void> {
  try {
    yield* call
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

function* catchSignals(state: Init): Sys<void> {
  const note = function* (signo: number): Sys<void> {
    state.signals.add(signo)
  }
  for (const signo of [SIGALRM, SIGHUP, SIGINT, SIGPWR, SIGWINCH, SIGUSR1]) yield* rt_sigaction(signo, note, 0, 0)
  const chld = function* (signo: number): Sys<void> {
    yield* reap(state)
    state.signals.add(signo)
  }
  yield* rt_sigaction(SIGCHLD, chld, SA_RESTART | SA_NOCLDSTOP, 0)
  // Nobody stops init.
  for (const signo of [20, 21, 22]) yield* rt_sigaction(signo, SIG_IGN, 0, 0)
}

/** When nothing of this phase runs any more, the next begins: sysinit, boot, the runlevel. */
function* bootTransitions(state: Init): Sys<void> {
  if (state.family.some(({ running, entry }) => running && entry.action !== 'boot')) return
  let entered = false
  let before = 'N'
  if (state.level === '#') {
    const when = yield* utmpTime()
    const { release } = yield* uname()
    const boot = { type: BOOT_TIME, line: '~', id: '~~', user: 'reboot', host: release, ...when }
    yield* putUtmp(boot)
    yield* appendWtmp(boot)
    state.next = state.wanted ?? (yield* initDefault())
    state.level = state.next === 'S' ? 'S' : '*'
    entered = state.next === 'S'
  } else if (state.level === '*') {
    state.level = state.next
    state.didBoot = true
    state.warned = true
    entered = true
  } else if (state.level === 'S') {
    // Single user mode is over.
    state.next = yield* initDefault()
    if (!state.didBoot && state.next !== 'S') state.level = '*'
    else {
      entered = state.level !== state.next
      state.level = state.next
      before = 'S'
    }
    state.warned = true
    for (const child of state.family)
      if (child.entry.levels === 'S') {
        child.executed = false
        child.failing = false
      }
  } else {
    if (state.warned) yield* initlog('no more processes left in this runlevel')
    state.warned = false
    if (state.signals.size === 0) yield* listen(state)
    return
  }
  if (!entered) return
  yield* initlog(`Entering runlevel: ${state.level}`)
  yield* recordLevel(state.level, before)
  state.shown = state.level
  state.previous = before
}

function* recordLevel(level: string, before: string): Sys<void> {
  const when = yield* utmpTime()
  const { release } = yield* uname()
  const pid = level.charCodeAt(0) + 256 * before.charCodeAt(0)
  const record = { type: RUN_LVL, pid, line: '~', id: '~~', user: 'runlevel', host: release, ...when }
  yield* putUtmp(record)
  yield* appendWtmp(record)
}

function* initDefault(): Sys<string> {
  const known = defaultLevel(parseInittab(yield* inittabText()))
  if (known !== undefined) return known
  const fd = yield* openConsole(O_RDWR)
  if (fd === undefined) return 'S'
  try {
    for (;;) {
      yield* printConsole('\nEnter runlevel: ')
      const level = (yield* readLineUnbuffered(fd))?.trim().toUpperCase()
      if (level === undefined) return 'S'
      if (/^[0-9S]$/.test(level)) return level
      yield* printConsole('\nNot a valid runlevel\n')
    }
  } finally {
    yield* close(fd)
  }
}

/** Wait for a request or a signal, and serve a request. */
function* listen(state: Init): Sys<void> {
  if (state.fifo === undefined) state.fifo = yield* openFifo()
  try {
    if (state.fifo === undefined) {
      yield* poll([], -1)
      return
    }
    yield* poll([state.fifo, POLLIN], -1)
    const bytes = yield* read(state.fifo, REQUEST_BYTES)
    const request = readRequest(bytes)
    if (!request) yield* initlog('got bogus initrequest')
    else yield* serve(state, request)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.errno === EINTR || error.errno === EAGAIN) return
    if (state.fifo !== undefined) yield* ignoringErrors(close(state.fifo))
    state.fifo = undefined
  }
}

/** Reading and writing, so that it never ends. While the root is read-only there may be none. */
function* openFifo(): Sys<number | undefined> {
  try {
    yield* mknod(INIT_FIFO, S_IFIFO | 0o600, 0)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.errno !== EEXIST) return undefined
  }
  try {
    return yield* open(INIT_FIFO, O_RDWR | O_NONBLOCK, 0)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* serve(state: Init, { cmd, level, sleep, data }: InitRequest): Sys<void> {
  if (cmd === INIT_CMD_RUNLVL) {
    if (sleep > 0) state.sleepSeconds = sleep
    yield* newLevel(state, level)
  } else if (cmd === INIT_CMD_POWERFAIL) yield* startPower(state, ['powerwait', 'powerfail'])
  else if (cmd === INIT_CMD_POWERFAILNOW) yield* startPower(state, ['powerfailnow'])
  else if (cmd === INIT_CMD_POWEROK) yield* startPower(state, ['powerokwait'])
  else if (cmd === INIT_CMD_SETENV && data.startsWith('INIT_')) {
    const [name = '', ...value] = data.split('=')
    state.env = value.length > 0 ? withEnv(state.env, name, value.join('=')) : withoutEnv(state.env, name)
  } else yield* initlog(`got unimplemented initrequest.`)
}

function* startPower(state: Init, actions: readonly string[]): Sys<void> {
  for (const child of state.family) if (actions.includes(child.entry.action)) child.executed = false
}

/** telinit's order. */
function* newLevel(state: Init, asked: string): Sys<void> {
  const level = asked.toUpperCase()
  if (level === state.level) return
  if (level === 'Q') {
    yield* readTable(state)
    failCancel(state)
    return
  }
  if ('ABC'.includes(level)) {
    for (const child of state.family)
      if (child.entry.levels.includes(level) && child.entry.action === 'ondemand' && !child.running)
        child.executed = false
    return
  }
  if (!/^[0-9S]$/.test(level)) return
  yield* initlog(`Switching to runlevel: ${level}`)
  yield* recordLevel(level, state.level)
  state.previous = state.level
  state.shown = level
  state.level = level
  state.didBoot = true
  if ('S016'.includes(level)) yield* resetConsole()
  yield* readTable(state)
  failCancel(state)
}

function* processSignals(state: Init): Sys<void> {
  const { signals } = state
  if (signals.delete(SIGPWR)) yield* startPower(state, ['powerwait', 'powerfail'])
  if (signals.delete(SIGINT)) yield* startPower(state, ['ctrlaltdel'])
  if (signals.delete(SIGWINCH)) yield* startPower(state, ['kbrequest'])
  signals.delete(SIGALRM)
  if (signals.delete(SIGCHLD)) yield* noteEnded(state)
  if (signals.delete(SIGHUP)) {
    yield* readTable(state)
    failCancel(state)
  }
  if (signals.delete(SIGUSR1) && state.fifo !== undefined) {
    // The file system with the FIFO has been remounted: open it afresh.
    yield* ignoringErrors(close(state.fifo))
    state.fifo = undefined
  }
}
