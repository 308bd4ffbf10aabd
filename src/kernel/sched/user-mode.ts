/**
 * A process in user mode: its program is resumed inside LoadedCode.call, and the system call that it yields is copied there too, since it is
 * the program's own object. Nothing of it is looked at anywhere else.
 */
import type { CodeFault } from '#abi/pc/metal.ts'
import { EINTR } from '#abi/posix/errno.ts'
import { SIGKILL, SIGSEGV } from '#abi/posix/signal.ts'
import { exitStatus, signalStatus } from '#abi/posix/wait.ts'
import { moved } from './copy-cost.ts'
import { exitTask } from './exit.ts'
import type { Sched } from './scheduler.ts'
import { deliverSignals, pendingFor } from './signal.ts'
import type { TaskStruct, UserGenerator } from './task-struct.ts'

/** A system call has six arguments at most. */
const ARGS_MAX = 6
/** Members of a list that are looked at; no list of a call is longer. */
const LIST_MAX = 131_072
const NO_RESULT = undefined
/** What the machine says of code that ran too long at a stretch. */
export const FUEL_EXHAUSTED = 'fuel exhausted'
/** Engines keep the smallest arrays' bytes with the object; larger copies are worth a buffer of their own. */
const SMALL_BYTES_MIN = 64
const SMALL_BYTES_MAX = 4096
const SLAB_BYTES = 65_536
const { subarray } = Uint8Array.prototype
/** A program's array may have a `length` of its own. */
const realLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')!.get!
/** Of a longer write only so much is taken: it is short, as it may be. */
const BYTES_MAX = 16 << 20

/** What the program does next. Called inside LoadedCode.call alone. */
function resume(task: TaskStruct, copier: ArgCopier): void {
  const frame = task.frames.at(-1)!
  frame.generator ??= frame.start() as UserGenerator
  const { result } = task
  task.result = NO_RESULT
  const step = frame.generator.next(result)
  if (step.done) {
    const { value } = step
    task.request = undefined
    // A status is a number; the process makes of anything else what `exit` would.
    task.result = typeof value === 'number' ? value : 0
    task.trap = 'done'
    return
  }
  const { value } = step
  if (value === undefined) {
    task.trap = 'preempted'
    return
  }
  const request = value as ArrayLike<unknown>
  const nr = request[0]
  const args: unknown[] = []
  const count = Math.min(request.length - 1, ARGS_MAX)
  for (let i = 1; i <= count; i++) {
    const arg = request[i]
    args.push(typeof arg === 'object' ? copier.copyOf(arg) : arg)
  }
  task.request = { nr: typeof nr === 'number' ? nr : -1, args }
  task.trap = 'syscall'
}

/** Copies of what programs pass. Small ones share a buffer: making one of its own for each costs more than the copy. */
export class ArgCopier {
  #slab = new Uint8Array(0)
  #used = 0

  /** Bytes, or a list of texts or numbers. Undefined, a bad pointer, for all else. */
  copyOf(arg: object | null): unknown {
    if (arg === null) return undefined
    if (arg instanceof Uint8Array) return this.#bytes(arg)
    if (!Array.isArray(arg)) return undefined
    const list: unknown[] = []
    const length = Math.min(arg.length, LIST_MAX)
    for (let i = 0; i < length; i++) {
      const member: unknown = arg[i]
      list.push(typeof member === 'number' || typeof member === 'string' ? member : undefined)
    }
    return list
  }

  #bytes(given: Uint8Array): Uint8Array {
    const length: number = realLength.call(given)
    if (!(length > SMALL_BYTES_MIN && length <= SMALL_BYTES_MAX)) {
      const own = new Uint8Array(length > BYTES_MAX ? subarray.call(given, 0, BYTES_MAX) : given)
      moved(own.length)
      return own
    }
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#used = 0
    }
    const copy = new Uint8Array(this.#slab.buffer, this.#used, length)
    copy.set(given)
    moved(length)
    this.#used += length
    return copy
  }
}

/** Run `task`'s program until `untilNs` or until it leaves user mode for good. What time it is then. `nowNs` is when its kernel side ended. */
export function runUser(sched: Sched, task: TaskStruct, nowNs: number, untilNs: number): number {
  const { core } = sched
  const { time, syscalls } = core
  task.resume ??= () => resume(task, sched.copier)
  for (let now = nowNs; ; ) {
    if (!backToUser(sched, task)) return now
    const outcome = task.code!.call(task.resume, Math.max(untilNs - now, 1000))
    const left = time.nowNs()
    task.utimeNs += left - now
    if (task.nice > 0) sched.niceNs += left - now
    else sched.userNs += left - now
    if (!outcome.ok) {
      fault(sched, task, outcome.fault)
      return left
    }
    if (task.trap === 'preempted') return left
    if (task.trap === 'done') finishFrame(sched, task)
    else syscalls.dispatch(task)
    now = time.nowNs()
    task.stimeNs += now - left
    sched.systemNs += now - left
    if (task.kernelCode || task.state !== 'R' || now >= untilNs || core.ending !== undefined) return now
  }
}

/** Signals are dealt with, and an interrupted call without a handler begins again. False: it does not go back to its program (yet). */
function backToUser(sched: Sched, task: TaskStruct): boolean {
  for (;;) {
    if (pendingFor(task)) {
      const delivery = deliverSignals(sched, task)
      if (delivery === 'stopped') return false
      if (delivery === 'killed') {
        task.kernelCode = exitTask(sched, task)
        return false
      }
      if (delivery === 'handler') return true
    }
    if (task.result !== -EINTR || !task.request) return true
    if (task.savedMask !== undefined) {
      task.blocked = task.savedMask
      task.savedMask = undefined
    }
    // It may end at once with a signal of its own making: a read in the background sends SIGTTIN.
    sched.core.syscalls.dispatch(task)
    if (task.kernelCode !== undefined || task.state !== 'R') return false
  }
}

/** The main program's end is the process's; a handler's gives back what it interrupted. */
function finishFrame(sched: Sched, task: TaskStruct): void {
  const frame = task.frames.pop()!
  if (!frame.after) {
    task.exitStatus = exitStatus(task.result as number)
    task.kernelCode = exitTask(sched, task)
    return
  }
  task.blocked = frame.after.mask
  task.result = frame.after.result
  if (!frame.after.request) return
  task.request = frame.after.request
  sched.core.syscalls.dispatch(task)
}

/** The program has thrown, or hung: what a processor's exception is in life. */
function fault(sched: Sched, task: TaskStruct, { message, file, line }: CodeFault): void {
  const hung = message === FUEL_EXHAUSTED
  const where = file === undefined ? '' : ` in ${file}${line === undefined ? '' : `:${line}`}`
  sched.core.log.printk(
    hung
      ? `<6>${task.comm}[${task.pid}]: no system call for too long${where}, killed\n`
      : `<6>${task.comm}[${task.pid}]: segfault: ${message}${where}\n`,
  )
  task.exitStatus = signalStatus(hung ? SIGKILL : SIGSEGV)
  task.kernelCode = exitTask(sched, task)
}
