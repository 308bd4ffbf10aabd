/** The scheduler (Linux: kernel/sched.c, fork.c's books): tasks, sleeping and waking, kernel threads, and whose turn it is. */
import { RLIM_INFINITY, RLIMIT_CPU } from '#abi/posix/resource.ts'
import { SIGCONT, SIGHUP } from '#abi/posix/signal.ts'
import type { Core } from '../core.ts'
import { Errno } from '../errno.ts'
import type { Scheduler } from '../kernel.ts'
import { checkCpuLimit } from './cpu-limit.ts'
import { exitTask } from './exit.ts'
import { LoadAverage } from './load-average.ts'
import { unpark } from './park.ts'
import { RunQueue } from './run-queue.ts'
import { notifyParent, pendingFor, sendSignal } from './signal.ts'
import type { Task } from './task.ts'
import { rootCredentials, TaskStruct } from './task-struct.ts'
import { ArgCopier, runUser } from './user-mode.ts'
import { type Sleeping, type SleepOptions, WaitQueue, type Woken } from './wait.ts'

const PID_MAX = 32768
const RESERVED_PIDS = 300
/** So much at a time for a program that nobody competes with. */
const ALONE_NS = 10_000_000

const INTERRUPTIBLE: SleepOptions = {}

export class Sched implements Scheduler {
  readonly core: Core
  /** pid 0: what runs when nobody does, and whose boot is. */
  readonly idle: TaskStruct
  current: TaskStruct
  forks = 0
  switches = 0
  idleNs = 0
  lastPid = 0
  /** User-mode and kernel-mode time of all tasks, for /proc/stat. */
  userNs = 0
  niceNs = 0
  systemNs = 0
  maxThreads: number
  readonly loadAverage: LoadAverage
  readonly runQueue = new RunQueue()
  readonly copier = new ArgCopier()
  readonly #tasks = new Map<number, TaskStruct>()
  #sorted: readonly TaskStruct[] | undefined
  #idleSince: number | undefined
  #uninterruptible = 0
  /** Whose turn is not over, how long it has been, and whose the last was. */
  #onCpu: TaskStruct | undefined
  #turnNs = 0
  #last: TaskStruct | undefined
  readonly #enqueue = (task: TaskStruct): void => this.runQueue.add(task, true)

  constructor(core: Core) {
    this.core = core
    this.idle = new TaskStruct(0, 'swapper', true, () => {})
    this.current = this.idle
    // fork_init: at most an eighth of memory in kernel stacks of two pages; a user has half of that.
    this.maxThreads = Math.max(20, Math.floor(core.pages.total / 16))
    this.loadAverage = new LoadAverage(core.time.nowNs())
  }

  get tasks(): readonly TaskStruct[] {
    this.#sorted ??= [...this.#tasks.values()].sort((a, b) => a.pid - b.pid)
    return this.#sorted
  }

  task(pid: number): TaskStruct | undefined {
    return this.#tasks.get(pid)
  }

  get count(): number {
    return this.#tasks.size
  }

  get runnable(): number {
    return this.runQueue.length + (this.current === this.idle ? 0 : 1) + (this.#onCpu ? 1 : 0)
  }

  get loads(): readonly [number, number, number] {
    this.#catchUp()
    return this.loadAverage.loads
  }

  /** A pid that is no process's, no group's and no session's. */
  newPid(): number {
    const taken = (pid: number): boolean => {
      if (this.#tasks.has(pid)) return true
      for (const task of this.#tasks.values()) if (task.pgid === pid || task.session.sid === pid) return true
      return false
    }
    let pid = this.lastPid
    do pid = pid + 1 >= PID_MAX ? RESERVED_PIDS : pid + 1
    while (taken(pid))
    this.lastPid = pid
    return pid
  }

  newTask(comm: string, kthread: boolean): TaskStruct {
    const task = new TaskStruct(this.newPid(), comm, kthread, this.#enqueue)
    task.startNs = this.core.time.nowNs()
    this.#tasks.set(task.pid, task)
    this.#sorted = undefined
    this.forks++
    return task
  }

  /** Its first turn comes. */
  start(task: TaskStruct): void {
    this.runQueue.add(task, false)
  }

  /** release_task: nobody will ask for it again. */
  forget(task: TaskStruct): void {
    task.state = 'X'
    task.parent?.children.delete(task)
    this.#tasks.delete(task.pid)
    this.#sorted = undefined
  }

  kthread(name: string, body: () => Sleeping<void>): Task {
    const task = this.newTask(name, true)
    const { initTask } = this
    if (initTask) task.fs = initTask.fs
    task.cred = rootCredentials()
    task.kernelCode = body()
    this.core.pages.charge('stack', 8192)
    task.charged = true
    this.start(task)
    return task
  }

  /** pid 1. */
  get initTask(): TaskStruct | undefined {
    return this.#tasks.get(1)
  }

  signalPending(task: Task): boolean {
    return pendingFor(task)
  }

  sendSignal(task: Task, signo: number): void {
    sendSignal(this, task, signo)
  }

  killPgrp(pgid: number, signo: number): boolean {
    let found = false
    for (const task of this.tasks) {
      if (task.pgid !== pgid || task.kthread) continue
      found = true
      sendSignal(this, task, signo)
    }
    return found
  }

  /** `except` is on its way out and no longer counts. */
  orphanedPgrp(pgid: number, except?: TaskStruct): boolean {
    for (const task of this.tasks) {
      const { parent } = task
      if (task === except || task.pgid !== pgid || task.state === 'Z' || !parent || parent.pid === 1) continue
      if (parent.pgid !== pgid && parent.session.sid === task.session.sid) return false
    }
    return true
  }

  /** A group that becomes orphaned while some of it is stopped is hung up, and goes on. */
  hangUpStopped(pgid: number): void {
    if (!this.tasks.some((task) => task.pgid === pgid && task.state === 'T')) return
    this.killPgrp(pgid, SIGHUP)
    this.killPgrp(pgid, SIGCONT)
  }

  notifyParent(task: TaskStruct): void {
    notifyParent(this, task, false)
  }

  /** Whether SA_RESTART holds for a call. */
  restartable(nr: number): boolean {
    return this.core.syscalls.restarts(nr)
  }

  *sleepOn(queues: WaitQueue | readonly WaitQueue[], options: SleepOptions = INTERRUPTIBLE): Sleeping<Woken> {
    const task = this.current
    const interruptible = options.interruptible !== false
    if (interruptible && pendingFor(task)) return 'signal'
    const { timeoutNs } = options
    if (timeoutNs !== undefined && timeoutNs <= 0) return 'timeout'
    const many = queues instanceof WaitQueue ? undefined : queues
    if (many) for (const queue of many) queue.add(task)
    else (queues as WaitQueue).add(task)
    const timer =
      timeoutNs === undefined || timeoutNs === Number.POSITIVE_INFINITY
        ? undefined
        : this.core.time.after(timeoutNs, () => task.wakeFrom('timeout'))
    task.woken = undefined
    task.state = interruptible ? 'S' : 'D'
    if (!interruptible) this.#uninterruptible++
    task.voluntary++
    yield
    if (!interruptible) this.#uninterruptible--
    timer?.cancel()
    if (many) for (const queue of many) queue.remove(task)
    else (queues as WaitQueue).remove(task)
    return task.woken ?? 'woken'
  }

  *sleepFor(ns: number, options: SleepOptions = INTERRUPTIBLE): Sleeping<Woken> {
    return yield* this.sleepOn([], { ...options, timeoutNs: ns })
  }

  *yieldNow(): Sleeping<void> {
    // Behind everybody who is waiting now.
    this.current.vruntime += 1_000_000
    yield
  }

  /** Run whoever's turn it is, until `deadlineNs` at the latest. False: nobody wants to. */
  runSlice(deadlineNs: number): boolean {
    this.#catchUp()
    const task = this.#next()
    if (!task) return false
    const { time } = this.core
    this.current = task
    let nowNs = time.nowNs()
    const turnNs = nowNs - this.#turnNs
    let usedNs = nowNs
    let preempted = false
    while (task.state === 'R') {
      if (task.kernelCode || task.parkedOn) {
        if (task.parkedOn) unpark(this, task)
        else this.#stepKernel(task)
        nowNs = time.nowNs()
        task.stimeNs += nowNs - usedNs
        this.systemNs += nowNs - usedNs
      } else nowNs = runUser(this, task, usedNs, Math.max(Math.min(deadlineNs, nowNs + ALONE_NS), nowNs + 1000))
      this.runQueue.charge(task, nowNs - usedNs)
      if (task.limits[RLIMIT_CPU]![0] !== RLIM_INFINITY) checkCpuLimit(this, task)
      usedNs = nowNs
      // A yield without going to sleep lets others run.
      preempted = task.kernelCode !== undefined || this.runQueue.preempts(task, nowNs - turnNs)
      if (preempted || this.core.ending !== undefined || nowNs >= deadlineNs) break
    }
    this.current = this.idle
    this.#turnNs = nowNs - turnNs
    if (task.state !== 'R') return true
    if (preempted) this.runQueue.add(task, false)
    else this.#onCpu = task
    return true
  }

  /** Whoever was interrupted by the deadline goes on, unless his turn is over. */
  #next(): TaskStruct | undefined {
    const before = this.#onCpu
    this.#onCpu = undefined
    if (before && !this.runQueue.preempts(before, this.#turnNs)) return before
    if (before) this.runQueue.add(before, false)
    const task = this.runQueue.take()
    this.#turnNs = 0
    if (task && task !== this.#last) this.switches++
    this.#last = task ?? this.#last
    return task
  }

  /** The processor is given up. */
  goIdle(): void {
    this.#catchUp()
    this.#idleSince = this.core.time.nowNs()
  }

  /** And is back. */
  wakeUp(): void {
    if (this.#idleSince === undefined) return
    this.idleNs += this.core.time.nowNs() - this.#idleSince
    this.#idleSince = undefined
    this.#catchUp(0)
  }

  #stepKernel(task: TaskStruct): void {
    const { value, done } = this.#advance(task)
    if (!done) return
    task.kernelCode = undefined
    if (task.exiting) return
    if (task.kthread) task.kernelCode = exitTask(this, task)
    else task.result = value
  }

  #advance(task: TaskStruct): IteratorResult<void, unknown> {
    try {
      return task.kernelCode!.next()
    } catch (error) {
      // Nobody is there to whom a thread, or an exit, could answer an errno.
      if (error instanceof Errno) throw new Error(`${task.comm}: errno ${error.errno} in the kernel's own code`)
      throw error
    }
  }

  #catchUp(runnable = this.runnable): void {
    this.loadAverage.catchUp(this.core.time.nowNs(), runnable + this.#uninterruptible)
  }
}
