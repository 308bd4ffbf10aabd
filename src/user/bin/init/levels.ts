/** Reading inittab again: who no longer belongs to the runlevel is sent TERM, and then KILL. */
import { SIGKILL, SIGTERM } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { DEAD_PROCESS } from '#abi/posix/utmp.ts'
import { OsError } from '../../libc/errno.ts'
import { readFile } from '../../libc/stdio.ts'
import { kill, nanosleep } from '../../libc/syscall.ts'
import { record } from './children.ts'
import { initlog } from './console.ts'
import { isOnRequest, parseInittab } from './inittab.ts'
import { type Child, type Init, newChild } from './state.ts'

const SECOND_NS = 1e9

/** Make the family that inittab names now; who is in both keeps running. */
export function* readTable(init: Init): Sys<void> {
  const { entries, complaints } = parseInittab(yield* inittabText())
  for (const complaint of complaints) yield* initlog(complaint)
  const family = entries.map((entry) => newChild(entry, isOnRequest(entry.action)))
  const doomed: Child[] = []
  for (const old of init.family) {
    const fresh = family.find(({ entry }) => entry.id === old.entry.id)
    if (fresh && lives(init, old) && fresh.entry.action === old.entry.action)
      Object.assign(fresh, old, { entry: fresh.entry })
    else if (old.running) doomed.push(old)
  }
  // The handler of SIGCHLD must find everybody while they die.
  init.family = [...family, ...doomed]
  if (doomed.length > 0) yield* end(init, doomed)
  init.family = family
}

/** Only boot processes live in all levels; those on demand in all but single user mode. */
const lives = (init: Init, { entry }: Child): boolean =>
  entry.action === 'boot' || entry.levels.includes(init.level) || (entry.action === 'ondemand' && init.level !== 'S')

function* end(init: Init, doomed: readonly Child[]): Sys<void> {
  const left = (): Child[] => doomed.filter(({ ended }) => !ended)
  yield* signal(left(), 'TERM', SIGTERM)
  for (let second = 0; second < init.sleepSeconds && left().length > 0; second++) yield* pauseFor(SECOND_NS)
  if (left().length > 0) {
    yield* signal(left(), 'KILL', SIGKILL)
    for (let tries = 0; tries < 2 && left().length > 0; tries++) yield* pauseFor(SECOND_NS)
  }
  for (const child of doomed) {
    if (!child.ended) yield* initlog(`Pid ${child.pid} [id ${child.entry.id}] seems to hang`)
    else {
      child.running = false
      yield* record(child, DEAD_PROCESS)
    }
  }
}

/** To the child's whole group: it leads a session. */
function* signal(children: readonly Child[], name: string, signo: number): Sys<void> {
  if (children.length > 0) yield* initlog(`Sending processes the ${name} signal`)
  for (const { pid } of children) {
    try {
      yield* kill(-pid, signo)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
}

/** A signal, such as that of a child's end, ends it early. */
function* pauseFor(ns: number): Sys<void> {
  try {
    yield* nanosleep(ns)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

export function* inittabText(): Sys<string | undefined> {
  try {
    return yield* readFile('/etc/inittab')
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}
