/**
 * Cooperative threads for daemons that wait for many things at once. A thread is a generator like any program; its system calls go to the kernel as
 * they are (and hold up all), but where it waits - for a descriptor, a time, a condition - another one runs. One poll(2) waits for all of them.
 */
import { EINTR } from '#abi/posix/errno.ts'
import { CLOCK_MONOTONIC, type Sys, type Syscall, type SyscallResult } from '#abi/posix/syscalls.ts'
import { OsError } from './errno.ts'
import { clock_gettime, poll } from './syscall.ts'

/** What a thread waits for: whichever comes first. Nothing at all: its next turn. */
export interface Wish {
  readonly fd?: number
  /** POLLIN and so on, for `fd`. */
  readonly events?: number
  readonly timeoutMs?: number
  readonly condition?: Condition
}

/** What came: the descriptor's revents, or the time, or the condition. */
export type Woken = 'fd' | 'time' | 'condition'

interface Thread {
  readonly name: string
  readonly body: Sys<void>
  /** What it waits for, and until when (ms of the monotonic clock); undefined while it is ready. */
  wish: Wish | undefined
  deadlineMs: number
  woken: Woken
}

/** What a thread yields to wait. It never reaches the kernel. */
const PARK: Syscall = [-1]

/** Something that threads wait for until another one says that it has come about. */
export class Condition {
  readonly waiting: Set<Thread> = new Set()

  /** Wakes all who wait. They look again whether it is what they want. */
  notify(): void {
    for (const thread of this.waiting) wake(thread, 'condition')
  }
}

function wake(thread: Thread, by: Woken): void {
  thread.wish?.condition?.waiting.delete(thread)
  thread.wish = undefined
  thread.woken = by
}

/** A lock that its owner may take again. */
export class Lock {
  owner: object | undefined = undefined
  depth = 0
  readonly free: Condition = new Condition()
}

/** More than any daemon needs; a client that opens connections without end meets it. */
const THREADS_MAX = 512

export class Threads {
  readonly #threads: Set<Thread> = new Set()
  readonly #failed: (name: string, error: unknown) => Sys<void>
  #current: Thread | undefined
  #stopped = false

  /** `failed` hears what a thread did not catch. */
  constructor(failed: (name: string, error: unknown) => Sys<void>) {
    this.#failed = failed
  }

  /** Whether there is room for another one. */
  get full(): boolean {
    return this.#threads.size >= THREADS_MAX
  }

  start(name: string, body: Sys<void>): void {
    this.#threads.add({ name, body, wish: undefined, deadlineMs: 0, woken: 'time' })
  }

  /** `run` returns before the next turn; what the threads still had to do is left undone. */
  stop(): void {
    this.#stopped = true
  }

  /** Called by a thread: wait. */
  *wait(wish: Wish): Sys<Woken> {
    const thread = this.#current
    if (!thread) throw new Error('not a thread')
    thread.wish = wish
    thread.deadlineMs = wish.timeoutMs === undefined ? Number.POSITIVE_INFINITY : (yield* nowMs()) + wish.timeoutMs
    wish.condition?.waiting.add(thread)
    yield PARK
    return thread.woken
  }

  *sleep(ms: number): Sys<void> {
    yield* this.wait({ timeoutMs: ms })
  }

  /** `body` with the lock held. */
  *locked<T>(lock: Lock, body: () => Sys<T>): Sys<T> {
    const me = this.#current
    while (lock.owner !== undefined && lock.owner !== me) yield* this.wait({ condition: lock.free })
    lock.owner = me
    lock.depth++
    try {
      return yield* body()
    } finally {
      if (--lock.depth === 0) {
        lock.owner = undefined
        lock.free.notify()
      }
    }
  }

  /** Until the last thread ends, or `stop`. */
  *run(): Sys<void> {
    while (this.#threads.size > 0 && !this.#stopped) {
      let ran = false
      for (const thread of this.#threads) {
        if (thread.wish || this.#stopped) continue
        ran = true
        yield* this.#turn(thread)
      }
      if (!ran) yield* this.#idle()
    }
  }

  /** Run a thread until it waits or ends. */
  *#turn(thread: Thread): Sys<void> {
    this.#current = thread
    try {
      let answer: SyscallResult
      for (;;) {
        const step = thread.body.next(answer)
        if (step.done) {
          this.#threads.delete(thread)
          return
        }
        if (step.value === PARK) return
        answer = yield step.value
      }
    } catch (error) {
      this.#threads.delete(thread)
      yield* this.#failed(thread.name, error)
    } finally {
      this.#current = undefined
    }
  }

  /** Nobody can go on: one poll for all. */
  *#idle(): Sys<void> {
    const fds: number[] = []
    const pollers: Thread[] = []
    let deadline = Number.POSITIVE_INFINITY
    for (const thread of this.#threads) {
      const { fd, events = 0 } = thread.wish ?? {}
      if (fd !== undefined) {
        fds.push(fd, events)
        pollers.push(thread)
      }
      deadline = Math.min(deadline, thread.deadlineMs)
    }
    const now = Number.isFinite(deadline) ? yield* nowMs() : 0
    // Rounded up: a wake-up too early would only ask again.
    const timeout = Number.isFinite(deadline) ? Math.max(0, Math.ceil(deadline - now)) : -1
    let revents: readonly number[] = []
    try {
      revents = yield* poll(fds, timeout)
    } catch (error) {
      // A signal: its handler has run, and may have changed what can go on.
      if (!(error instanceof OsError) || error.errno !== EINTR) throw error
    }
    for (let i = 0; i < pollers.length; i++) if (revents[i]) wake(pollers[i]!, 'fd')
    if (!Number.isFinite(deadline)) return
    const later = yield* nowMs()
    for (const thread of this.#threads) if (thread.wish && thread.deadlineMs <= later) wake(thread, 'time')
  }
}

function* nowMs(): Sys<number> {
  const [seconds, ns] = yield* clock_gettime(CLOCK_MONOTONIC)
  return seconds * 1000 + ns / 1_000_000
}
