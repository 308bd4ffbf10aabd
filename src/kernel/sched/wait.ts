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
  /** Mostly there is one. */
  #first: Task | undefined = undefined
  /** Those who came later, once there have been several. */
  #others: Set<Task> | undefined = undefined

  add(task: Task): void {
    if (this.#first === task) return
    if (this.#first === undefined && (this.#others === undefined || this.#others.size === 0)) this.#first = task
    else {
      this.#others ??= new Set()
      this.#others.add(task)
    }
  }

  remove(task: Task): void {
    if (this.#first === task) this.#first = undefined
    else this.#others?.delete(task)
  }

  get empty(): boolean {
    return this.#first === undefined && (this.#others === undefined || this.#others.size === 0)
  }

  /** All of them, in the order in which they came. */
  wakeUp(): void {
    this.#first?.wake()
    if (this.#others !== undefined && this.#others.size > 0) for (const task of [...this.#others]) task.wake()
  }

  /** The one that has waited longest. */
  wakeUpOne(): void {
    if (this.#first !== undefined) {
      this.#first.wake()
      return
    }
    for (const task of this.#others ?? []) {
      task.wake()
      return
    }
  }
}
