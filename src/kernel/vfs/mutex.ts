/** A lock that is slept for (Linux: mutex.h). Kernel code is never preempted, so it is needed only around what sleeps. */
import type { Kernel } from '../kernel.ts'
import { type Sleeping, WaitQueue } from '../sched/wait.ts'

const UNINTERRUPTIBLE = { interruptible: false } as const

export class Mutex {
  #held = false
  #queue: WaitQueue | undefined

  get held(): boolean {
    return this.#held
  }

  *lock(kernel: Kernel): Sleeping<void> {
    while (this.#held) {
      this.#queue ??= new WaitQueue()
      yield* kernel.sched.sleepOn(this.#queue, UNINTERRUPTIBLE)
    }
    this.#held = true
  }

  unlock(): void {
    this.#held = false
    this.#queue?.wakeUpOne()
  }
}
