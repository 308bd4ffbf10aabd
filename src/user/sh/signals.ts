/** Signals as the shell knows them: names, traps, and what a child of its is to do with them. */
import { SIG_DFL, SIG_IGN, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU } from '#abi/posix/signal.ts'
import { SYSCALL_NR, type Sys } from '#abi/posix/syscalls.ts'
import { raw } from '../libc/syscall.ts'
import { ShellExit } from './errors.ts'
import type { Shell } from './shell.ts'

const ROWS = [
  ['HUP', 'Hangup'],
  ['INT', 'Interrupt'],
  ['QUIT', 'Quit'],
  ['ILL', 'Illegal instruction'],
  ['TRAP', 'Trace/breakpoint trap'],
  ['ABRT', 'Aborted'],
  ['BUS', 'Bus error'],
  ['FPE', 'Floating point exception'],
  ['KILL', 'Killed'],
  ['USR1', 'User defined signal 1'],
  ['SEGV', 'Segmentation fault'],
  ['USR2', 'User defined signal 2'],
  ['PIPE', 'Broken pipe'],
  ['ALRM', 'Alarm clock'],
  ['TERM', 'Terminated'],
  ['STKFLT', 'Stack fault'],
  ['CHLD', 'Child exited'],
  ['CONT', 'Continued'],
  ['STOP', 'Stopped (signal)'],
  ['TSTP', 'Stopped'],
  ['TTIN', 'Stopped (tty input)'],
  ['TTOU', 'Stopped (tty output)'],
  ['URG', 'Urgent I/O condition'],
  ['XCPU', 'CPU time limit exceeded'],
  ['XFSZ', 'File size limit exceeded'],
  ['VTALRM', 'Virtual timer expired'],
  ['PROF', 'Profiling timer expired'],
  ['WINCH', 'Window changed'],
  ['POLL', 'I/O possible'],
  ['PWR', 'Power failure'],
  ['SYS', 'Bad system call'],
] as const

export const SIGNAL_COUNT = ROWS.length
export const signalName = (signo: number): string => (signo === 0 ? 'EXIT' : (ROWS[signo - 1]?.[0] ?? String(signo)))
export const strsignal = (signo: number): string => ROWS[signo - 1]?.[1] ?? `Unknown signal ${signo}`

/** By number or name, with or without SIG; -1: there is none. */
export function signalNumber(text: string): number {
  if (/^[0-9]+$/.test(text)) {
    const n = Number(text)
    return n <= SIGNAL_COUNT ? n : -1
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (name === 'EXIT') return 0
  if (name === 'IO') return 29
  const at = ROWS.findIndex(([each]) => each === name)
  return at < 0 ? -1 : at + 1
}

export const action = (signo: number, handler: number | ((signo: number) => Sys<void>)): Sys<unknown> =>
  raw(SYSCALL_NR.rt_sigaction, signo, handler, 0, 0)

/** What the shell itself wants of a signal that has no trap. */
function ownAction(sh: Shell, signo: number): number | ((signo: number) => Sys<void>) {
  if (sh.interactive && !sh.sub) {
    if (signo === SIGINT)
      return function* () {
        sh.interrupted = true
        sh.attention = true
      }
    if (signo === SIGQUIT || signo === SIGTERM) return SIG_IGN
    if (sh.jobs.control && (signo === SIGTSTP || signo === SIGTTIN || signo === SIGTTOU)) return SIG_IGN
  }
  return sh.ignoredAtEntry.has(signo) ? SIG_IGN : SIG_DFL
}

/** `undefined` takes the trap away. */
export function* setTrap(sh: Shell, signo: number, command: string | undefined): Sys<void> {
  if (command === undefined) sh.traps.delete(signo)
  else sh.traps.set(signo, command)
  if (signo === 0) return
  if (!sh.interactive && sh.ignoredAtEntry.has(signo)) return
  if (command === undefined) yield* action(signo, ownAction(sh, signo))
  else if (command === '') yield* action(signo, SIG_IGN)
  else
    yield* action(signo, function* (caught) {
      if (!sh.caught.includes(caught)) sh.caught.push(caught)
      sh.attention = true
    })
}

/** An interactive shell survives its terminal's signals. */
export function* interactiveSignals(sh: Shell): Sys<void> {
  for (const signo of [SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU])
    if (!sh.traps.has(signo)) yield* action(signo, ownAction(sh, signo))
}

/** In a child: traps are gone, what was ignored stays ignored. */
export function* childSignals(child: Shell, parent: Shell): Sys<void> {
  for (const [signo, command] of [...child.traps]) {
    if (command === '' && signo !== 0) continue
    child.traps.delete(signo)
    if (signo !== 0) yield* action(signo, SIG_DFL)
  }
  if (parent.interactive && !parent.sub)
    for (const signo of [SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU])
      if (!child.traps.has(signo)) yield* action(signo, child.ignoredAtEntry.has(signo) ? SIG_IGN : SIG_DFL)
}

/** Run the traps of the signals that have come. */
export function* runTraps(sh: Shell): Sys<void> {
  if (sh.inTrap) return
  const { status } = sh
  sh.inTrap = true
  try {
    for (let signo = sh.caught.shift(); signo !== undefined; signo = sh.caught.shift()) {
      const command = sh.traps.get(signo)
      if (command === undefined || command === '') continue
      yield* sh.interpreter.evaluate(sh, command)
      if (sh.skip) break
    }
  } catch (error) {
    // `exit` without a number means what was before the trap.
    if (error instanceof ShellExit && error.status < 0) throw new ShellExit(status)
    throw error
  } finally {
    sh.inTrap = false
  }
  if (!sh.skip) sh.status = status
}
