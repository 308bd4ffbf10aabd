/** The rig's scheduler, signals and program loader. System calls are in calls.ts. */
import { E2BIG, EACCES, EINTR, ENOEXEC, ENOSYS, ESRCH } from '#abi/posix/errno.ts'
import {
  NSIG,
  SA_NOCLDSTOP,
  SA_RESETHAND,
  SA_RESTART,
  SIG_DFL,
  SIG_IGN,
  SIGALRM,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGKILL,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
  sigmask,
} from '#abi/posix/signal.ts'
import { type ProgramEntry, SYSCALL_NR, type Sys, type SyscallArg, type Syscalls } from '#abi/posix/syscalls.ts'
import { exitStatus, signalStatus } from '#abi/posix/wait.ts'
import { contents, Errno, fail, isRegular, permitted, Tree, X_OK } from './fs.ts'
import { BLOCKED, type Frame, type OpenFile, type Process, Wait } from './process.ts'
import type { RigTty } from './tty.ts'

export type Call = (kernel: RigKernel, process: Process, ...args: never[]) => unknown
export type Calls = { readonly [K in keyof Syscalls]?: Call }

export const hasSignal = (set: number, signo: number): boolean => Math.floor(set / 2 ** (signo - 1)) % 2 === 1
export const withSignal = (set: number, signo: number): number => (hasSignal(set, signo) ? set : set + sigmask(signo))
export const withoutSignal = (set: number, signo: number): number =>
  hasSignal(set, signo) ? set - sigmask(signo) : set

const EPOCH = 1242109972 // 2009-05-12T06:32:52Z
const NS = 1_000_000_000
/** What one step of a program costs in virtual time. */
const STEP_NS = 1000

export class RigKernel {
  readonly tree = new Tree(() => this.seconds())
  readonly processes = new Map<number, Process>()
  readonly ttys = new Map<number, RigTty>()
  nowNs = 0
  wallOffset = 0
  steps = 0
  hostname = 'xenhost'
  memoryBytes: number
  /** With so many processes fork answers EAGAIN. */
  processesMax = 200
  readonly #byNumber = new Map<number, [string, Call]>()
  #lastPid: number
  #changed = true

  constructor(calls: Calls, memoryBytes: number, firstPid: number) {
    this.#lastPid = firstPid - 1
    this.memoryBytes = memoryBytes
    for (const [name, call] of Object.entries(calls))
      this.#byNumber.set(SYSCALL_NR[name as keyof Syscalls], [name, call as Call])
  }

  seconds(): number {
    return EPOCH + this.wallOffset + Math.floor(this.nowNs / NS)
  }

  /** Something happened that somebody may wait for. */
  changed(): void {
    this.#changed = true
  }

  spawn(init: Omit<Process, 'pid'>): Process {
    const pid = ++this.#lastPid
    const process: Process = { ...init, pid }
    this.processes.set(pid, process)
    return process
  }

  /** Replace the process's program. */
  exec(process: Process, path: string, argv: readonly string[], env: readonly string[], depth = 0): void {
    const node = this.tree.get(path, process.cwd, process)
    if (!isRegular(node)) fail(EACCES)
    if (!permitted(node, process, X_OK)) fail(EACCES)
    let total = 0
    for (const word of [...argv, ...env]) total += word.length + 1
    if (total > 131072) fail(E2BIG)
    if (!node.entry) {
      const first = /^#![ \t]*([^ \t\n]+)[ \t]*([^\n]*)\n/.exec(contents(node).slice(0, 128))
      if (!first || depth > 4) throw new Errno(ENOEXEC)
      const [, interpreter, arg] = first as unknown as [string, string, string]
      const words = arg.trim() === '' ? [interpreter] : [interpreter, arg.trim()]
      this.exec(process, interpreter, [...words, path, ...argv.slice(1)], env, depth + 1)
      return
    }
    for (const [fd, { cloexec }] of [...process.fds]) if (cloexec) this.closeFd(process, fd)
    for (const [signo, { handler }] of [...process.actions])
      if (typeof handler !== 'number') process.actions.delete(signo)
    process.name = path.slice(path.lastIndexOf('/') + 1).slice(0, 15)
    process.argv = [...argv]
    process.env = [...env]
    process.brk = 0
    process.exec = true
    if (node.mode & 0o4000) process.euid = node.uid
    if (node.mode & 0o2000) process.egid = node.gid
    process.frames = [{ body: start(node.entry, argv, env), value: undefined, oldMask: undefined }]
  }

  closeFd(process: Process, fd: number): void {
    const descriptor = process.fds.get(fd)
    if (!descriptor) return
    process.fds.delete(fd)
    this.release(descriptor.file)
  }

  release(file: OpenFile): void {
    if (--file.users > 0) return
    file.node.locks.delete(file)
    if (file.pipe) {
      if ((file.flags & 3) !== 1) file.pipe.readers--
      if ((file.flags & 3) !== 0) file.pipe.writers--
    }
    this.#changed = true
  }

  exit(process: Process, status: number): void {
    process.frames = []
    process.zombie = true
    process.stopped = false
    process.status = status
    for (const fd of [...process.fds.keys()]) this.closeFd(process, fd)
    const adopter = this.processes.get(1)
    for (const other of this.processes.values())
      if (other.parent === process) {
        other.parent = adopter === process ? undefined : adopter
        if (other.zombie && !other.parent) this.processes.delete(other.pid)
        else if (other.stopped && this.orphaned(other.pgid)) {
          this.send(other, SIGHUP)
          this.send(other, SIGCONT)
        }
      }
    if (process.sid === process.pid && process.tty) {
      this.sendGroup(process.tty.pgrp, SIGHUP)
      process.tty.session = 0
    }
    const { parent } = process
    if (parent) {
      parent.childSteps += process.steps + process.childSteps
      const action = parent.actions.get(SIGCHLD)
      if (action?.handler === SIG_IGN) this.processes.delete(process.pid)
      else this.send(parent, SIGCHLD)
    } else if (process.pid !== 1) this.processes.delete(process.pid)
    this.#changed = true
  }

  orphaned(pgid: number): boolean {
    for (const { parent, pgid: own, zombie, sid } of this.processes.values())
      if (own === pgid && !zombie && parent && parent.pgid !== pgid && parent.sid === sid) return false
    return true
  }

  send(process: Process, signo: number): void {
    if (process.zombie || signo === 0) return
    const handler = process.actions.get(signo)?.handler ?? SIG_DFL
    if (signo === SIGCONT || signo === SIGKILL) {
      for (const stop of [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]) process.pending = withoutSignal(process.pending, stop)
      if (process.stopped) {
        process.stopped = false
        process.stopSignal = 0
        process.continued = signo === SIGCONT
        if (process.parent && signo === SIGCONT) this.#tellParent(process)
      }
    } else if (isStop(signo)) process.pending = withoutSignal(process.pending, SIGCONT)
    this.#changed = true
    if (!hasSignal(process.blocked, signo) && ignores(handler, signo)) return
    process.pending = withSignal(process.pending, signo)
  }

  #tellParent(process: Process): void {
    const action = process.parent?.actions.get(SIGCHLD)
    if (process.parent && !((action?.flags ?? 0) & SA_NOCLDSTOP)) this.send(process.parent, SIGCHLD)
    this.#changed = true
  }

  /** False: there is no such group. */
  sendGroup(pgid: number, signo: number): boolean {
    let found = false
    for (const process of [...this.processes.values()])
      if (process.pgid === pgid && !process.zombie) {
        found = true
        this.send(process, signo)
      }
    return found
  }

  stop(process: Process, signo: number): void {
    process.stopped = true
    process.stopSignal = signo
    process.continued = false
    this.#tellParent(process)
  }

  /** Act on a signal that is not blocked. False: there is none. */
  #deliver(process: Process): boolean {
    let acted = false
    for (let signo = 1; signo < NSIG && process.pending !== 0; signo++) {
      if (
        !hasSignal(process.pending, signo) ||
        (hasSignal(process.blocked, signo) && signo !== SIGKILL && signo !== SIGSTOP)
      )
        continue
      process.pending = withoutSignal(process.pending, signo)
      const action = process.actions.get(signo)
      const handler = action?.handler ?? SIG_DFL
      if (ignores(handler, signo)) continue
      if (typeof handler === 'function') {
        this.#interrupt(process, action!.flags)
        const frame: Frame = { body: handler(signo) as Sys<unknown>, value: undefined, oldMask: process.blocked }
        let mask = withSignal(process.blocked, signo)
        for (let other = 1; other < NSIG; other++) if (hasSignal(action!.mask, other)) mask = withSignal(mask, other)
        process.blocked = mask
        process.frames.push(frame)
        if (action!.flags & SA_RESETHAND) process.actions.delete(signo)
        acted = true
      } else if (isStop(signo)) {
        if (signo !== SIGSTOP && this.orphaned(process.pgid)) continue
        this.stop(process, signo)
        return true
      } else {
        this.exit(process, signalStatus(signo))
        return true
      }
    }
    return acted
  }

  #interrupt(process: Process, flags: number): void {
    const frame = process.frames.at(-1)!
    if (!(frame.value instanceof Wait)) return
    const { options } = frame.value
    if (options.restarts && flags & SA_RESTART) return
    frame.value = options.interrupted ? options.interrupted() : -EINTR
  }

  /** Let `process` do one step. False: it can't. */
  step(process: Process): boolean {
    if (process.zombie) return false
    if (process.pending !== 0 && (!process.stopped || hasSignal(process.pending, SIGKILL))) this.#deliver(process)
    if (process.stopped || process.zombie) return false
    const frame = process.frames.at(-1)!
    if (frame.value instanceof Wait) {
      const { retry, options } = frame.value
      const result = this.#guard(retry)
      if (result === BLOCKED) {
        if (options.deadlineNs === undefined || this.nowNs < options.deadlineNs) return false
        frame.value = options.expired
      } else frame.value = result
      // What unblocked it may have sent a signal as well: SIGPIPE.
      if (process.pending !== 0 && this.#deliver(process)) return true
    }
    this.steps++
    process.steps++
    this.nowNs += STEP_NS
    const value = frame.value
    frame.value = undefined
    const { done, value: request } = frame.body.next(value)
    if (process.zombie) return true
    if (done) {
      process.frames.splice(process.frames.indexOf(frame), 1)
      if (frame.oldMask !== undefined) process.blocked = frame.oldMask
      else this.exit(process, exitStatus(Number(request)))
    } else if (request !== undefined) {
      const [nr, ...args] = request as [number, ...SyscallArg[]]
      const call = this.#byNumber.get(nr)
      const result = call
        ? this.#guard(() => (call[1] as (...all: unknown[]) => unknown)(this, process, ...args))
        : -ENOSYS
      if (process.exec) process.exec = false
      else frame.value = result
    }
    return true
  }

  #guard(act: () => unknown): unknown {
    try {
      return act()
    } catch (error) {
      if (error instanceof Errno) return -error.errno
      throw error
    }
  }

  /** The next time at which something happens by itself. */
  nextDeadline(): number | undefined {
    let next: number | undefined
    const consider = (ns: number | undefined): void => {
      if (ns !== undefined && ns > 0 && (next === undefined || ns < next)) next = ns
    }
    for (const process of this.processes.values()) {
      if (process.zombie) continue
      consider(process.alarmAtNs || undefined)
      const value = process.frames.at(-1)?.value
      if (!process.stopped && value instanceof Wait) consider(value.options.deadlineNs)
    }
    return next
  }

  #alarms(): void {
    for (const process of this.processes.values())
      if (process.alarmAtNs && process.alarmAtNs <= this.nowNs) {
        process.alarmAtNs = 0
        this.send(process, SIGALRM)
      }
  }

  /**
   * Run until nobody can go on before `untilNs` of virtual time, or `done()`, or so many steps were made.
   */
  run(limits: {
    readonly steps: number
    readonly untilNs: number
    readonly done: () => boolean
  }): 'done' | 'idle' | 'steps' {
    const last = this.steps + limits.steps
    while (!limits.done()) {
      let progress = false
      this.#alarms()
      for (const process of [...this.processes.values()]) {
        // A slice: several steps in a row, as on a real processor.
        for (let n = 0; n < 20 && this.step(process); n++) progress = true
        if (this.steps > last) return 'steps'
      }
      if (progress) continue
      if (this.#changed) {
        this.#changed = false
        continue
      }
      const next = this.nextDeadline()
      if (next === undefined || next > limits.untilNs) return limits.done() ? 'done' : 'idle'
      if (next > this.nowNs) this.nowNs = next
    }
    return 'done'
  }

  kill(caller: Process, pid: number, signo: number): number {
    const may = (target: Process): boolean =>
      caller.euid === 0 ||
      caller.uid === target.uid ||
      caller.euid === target.uid ||
      (signo === SIGCONT && caller.sid === target.sid)
    let targets: Process[]
    if (pid > 0) targets = [...this.processes.values()].filter((p) => p.pid === pid)
    else if (pid === -1) targets = [...this.processes.values()].filter((p) => p.pid !== 1 && p !== caller)
    else {
      const pgid = pid === 0 ? caller.pgid : -pid
      targets = [...this.processes.values()].filter((p) => p.pgid === pgid)
    }
    if (targets.length === 0) return -ESRCH
    const allowed = targets.filter(may)
    if (allowed.length === 0) return -1
    for (const target of allowed) this.send(target, signo)
    return 0
  }
}

function* start(entry: ProgramEntry, argv: readonly string[], env: readonly string[]): Sys<number> {
  return yield* entry(argv, env)
}

const isStop = (signo: number): boolean =>
  signo === SIGSTOP || signo === SIGTSTP || signo === SIGTTIN || signo === SIGTTOU

const ignores = (handler: unknown, signo: number): boolean =>
  handler === SIG_IGN ||
  (handler === SIG_DFL && (signo === SIGCHLD || signo === SIGCONT || signo === SIGURG || signo === SIGWINCH))
