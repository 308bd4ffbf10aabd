/** Sleeping and waking (Linux: wait.h). */
import type { Task } from './task.ts'

/** Kernel code that may sleep. A yield gives the processor up; only Scheduler.sleepOn yields, all others pass it on with `yield*`. */
export type Sleeping<T> = Generator<void, T, void>

/** Why a sleep ended. */
export type Woken = 'woken' | 'signal' | 'timeout'

export interface SleepOptions {
  /** State S, ended by signals; otherwise D. Default true. */
  readonly interruptible?: boolean
  /** At most so long. */
  readonly timeoutNs?: number
}

/** Tasks that wait for one thing to happen. Who is woken looks again whether it has. */
export class WaitQueue {
  readonly #tasks = new Set<Task>()

  add(task: Task): void {
    this.#tasks.add(task)
  }

  remove(task: Task): void {
    this.#tasks.delete(task)
  }

  get empty(): boolean {
    return this.#tasks.size === 0
  }

  /** All of them, in the order in which they came. */
  wakeUp(): void {
    for (const task of [...this.#tasks]) task.wake()
  }

  /** The one that has waited longest. */
  wakeUpOne(): void {
    for (const task of this.#tasks) {
      task.wake()
      return
    }
  }
}
