/**
 * For tests of terminals: enough of a kernel that tasks sleep, wake, get signals and time passes; and a terminal whose line is two strings.
 * Nothing runs but `run`; time stands but for `advance`.
 */
import { SIG_IGN, SIGCONT, SIGHUP, sigmask } from '#abi/posix/signal.ts'
import { Errno } from '#kernel/errno.ts'
import type { Kernel, Timer } from '#kernel/kernel.ts'
import type { Session, SignalAction, Task } from '#kernel/sched/task.ts'
import type { Sleeping, SleepOptions, WaitQueue, Woken } from '#kernel/sched/wait.ts'
import { ttysOf } from '#kernel/tty/core.ts'
import type { TtyDriver, TtyLine, TtyPort } from '#kernel/tty/driver.ts'
import { stdTermios } from '#kernel/tty/termios.ts'
import type { File, FileOps } from '#kernel/vfs/file.ts'
import type { OpenDevice } from '#kernel/vfs/vfs.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'

export class RigTask {
  readonly pid: number
  pgid: number
  session: Session
  blocked = 0
  state = 'S'
  comm = 'test'
  argv: readonly string[] = []
  envp: readonly string[] = []
  exe: string | undefined
  parent: Task | undefined
  readonly children = new Set<Task>()
  readonly cred = { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0, groups: [] as number[] }
  readonly actions = new Map<number, SignalAction>()
  /** Signals sent, in order. */
  readonly signals: number[] = []
  runnable = true
  woken: Woken = 'woken'
  signalled = false
  body: Generator<void, unknown, void> | undefined
  result: unknown
  done = false
  wakes = 0

  constructor(pid: number, pgid: number, session: Session) {
    this.pid = pid
    this.pgid = pgid
    this.session = session
  }

  wake(): void {
    if (this.runnable) return
    this.wakes++
    this.woken = 'woken'
    this.runnable = true
  }
}

export class TtyRig {
  nowNs = 1_000_000_000
  readonly tasks: RigTask[] = []
  current: RigTask
  log = ''
  readonly #timers: { at: number; run: () => void; cancelled: boolean }[] = []
  readonly openers = new Map<number, { name: string; open: OpenDevice }>()
  readonly orphans = new Set<number>()
  consoleDevice = 0
  readonly kernel: Kernel
  charged = 0

  constructor(extra: Partial<Kernel> = {}) {
    const rig = this
    this.current = this.task(1, 1, { sid: 1, tty: undefined })
    this.kernel = {
      dom0: true,
      params: new Map<string, string>(),
      cmdline: '',
      log: {
        printk: (text: string) => {
          rig.log += text
        },
        registerConsole: ({ device }: { device: number }) => {
          rig.consoleDevice = device
        },
        get consoleDevice() {
          return rig.consoleDevice
        },
      },
      time: {
        nowNs: () => rig.nowNs,
        bootNs: 0,
        seconds: () => 1_242_109_972,
        wall: () => [1_242_109_972, 0] as const,
        after: (ns: number, run: () => void) => rig.after(ns, run),
      },
      pages: {
        charge: (_use: string, bytes: number) => {
          rig.charged += bytes
        },
        uncharge: (_use: string, bytes: number) => {
          rig.charged -= bytes
        },
      },
      vfs: {
        registerCharDevice: (major: number, name: string, open: OpenDevice) => rig.openers.set(major, { name, open }),
        unregisterCharDevice: (major: number) => rig.openers.delete(major),
        registerFileSystem: () => {},
      },
      sched: {
        get current() {
          return rig.current as unknown as Task
        },
        get tasks() {
          return rig.tasks as unknown as readonly Task[]
        },
        task: (pid: number) => rig.tasks.find((task) => task.pid === pid) as unknown as Task | undefined,
        sleepOn: (queues: WaitQueue | readonly WaitQueue[], options?: SleepOptions) => rig.#sleepOn(queues, options),
        sleepFor: (ns: number) => rig.#sleepOn([], { timeoutNs: ns }),
        sendSignal: (task: Task, signo: number) => rig.send(task as unknown as RigTask, signo),
        killPgrp: (pgid: number, signo: number) => {
          const group = rig.tasks.filter((task) => task.pgid === pgid)
          for (const task of group) rig.send(task, signo)
          return group.length > 0
        },
        orphanedPgrp: (pgid: number) => rig.orphans.has(pgid),
        signalPending: (task: Task) => (task as unknown as RigTask).signalled,
      },
      random: (bytes: number) => new Uint8Array(bytes).fill(0x5a),
      ...extra,
    } as unknown as Kernel
  }

  task(pid: number, pgid: number, session: Session): RigTask {
    const task = new RigTask(pid, pgid, session)
    this.tasks.push(task)
    return task
  }

  /** A task runs `body` from now on; `task.result` is its value, or `-errno`. */
  start(task: RigTask, body: () => Sleeping<unknown>): RigTask {
    task.body = body()
    task.done = false
    task.result = undefined
    task.runnable = true
    this.run()
    return task
  }

  send(task: RigTask, signo: number): void {
    task.signals.push(signo)
    if (task.actions.get(signo)?.handler === SIG_IGN || task.blocked & sigmask(signo)) return
    if (signo === SIGCONT || signo === SIGHUP) return
    task.signalled = true
    if (!task.runnable) {
      task.runnable = true
      task.woken = 'signal'
    }
  }

  *#sleepOn(queues: WaitQueue | readonly WaitQueue[], options: SleepOptions = {}): Sleeping<Woken> {
    const task = this.current
    const list = Array.isArray(queues) ? (queues as readonly WaitQueue[]) : [queues as WaitQueue]
    if (task.signalled) return 'signal'
    for (const queue of list) queue.add(task as unknown as Task)
    task.runnable = false
    const timer =
      options.timeoutNs === undefined
        ? undefined
        : this.after(options.timeoutNs, () => {
            if (task.runnable) return
            task.woken = 'timeout'
            task.runnable = true
          })
    while (!task.runnable) yield
    timer?.cancel()
    for (const queue of list) queue.remove(task as unknown as Task)
    return task.woken
  }

  after(ns: number, run: () => void): Timer {
    const timer = { at: this.nowNs + ns, run, cancelled: false }
    this.#timers.push(timer)
    return {
      cancel: () => {
        timer.cancelled = true
      },
    }
  }

  run(): void {
    for (let busy = true; busy; ) {
      busy = false
      for (const task of this.tasks) {
        if (!task.runnable || !task.body || task.done) continue
        busy = true
        const before = this.current
        this.current = task
        try {
          const { done, value } = task.body.next()
          if (done) {
            task.done = true
            task.result = value
          }
        } catch (error) {
          if (!(error instanceof Errno)) throw error
          task.done = true
          task.result = -error.errno
        }
        if (task.done) task.signalled = false
        this.current = before
      }
    }
  }

  advance(ns: number): void {
    const end = this.nowNs + ns
    for (;;) {
      const due = this.#timers.filter((timer) => !timer.cancelled && timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.nowNs = Math.max(this.nowNs, due.at)
      due.cancelled = true
      due.run()
      this.run()
    }
    this.nowNs = end
  }

  /** open(2) of a device by its number, by `task` at once. */
  open(task: RigTask, rdev: number, flags = 2): File {
    const entry = this.openers.get((rdev >> 8) & 0xfff)
    if (!entry) throw new Errno(6)
    const before = this.current
    this.current = task
    const step = entry.open({ inode: { rdev } as never, flags }, task as unknown as Task)
    let ops: FileOps | undefined
    try {
      for (let i = 0; i < 100 && !ops; i++) {
        const { done, value } = step.next()
        if (done) ops = value
      }
    } finally {
      this.current = before
    }
    return { ops: ops!, flags, offset: 0, inode: { rdev }, data: undefined } as unknown as File
  }

  /** A call that must not sleep. */
  now<T>(task: RigTask, step: Sleeping<T>): T {
    const before = this.current
    this.current = task
    try {
      const { done, value } = step.next()
      if (!done) throw new Error('it sleeps')
      return value
    } finally {
      this.current = before
    }
  }
}

/** A line whose ends are in the test's hands. */
export class TestPort implements TtyPort {
  line: TtyLine | undefined
  sent = ''
  room = 1 << 20
  writes = 0
  calls = ''
  pending = 0
  writeRoom(): number {
    return this.line?.stopped ? 0 : this.room
  }
  charsInBuffer(): number {
    return this.pending
  }
  write(bytes: Uint8Array): number {
    this.writes++
    const taken = Math.min(bytes.length, this.room)
    this.room -= taken
    this.sent += byteString(bytes.subarray(0, taken))
    return taken
  }
  throttle(): void {
    this.calls += 'throttle '
  }
  unthrottle(): void {
    this.calls += 'unthrottle '
  }
  sendXchar(byte: number): void {
    this.calls += `x${byte} `
  }
  breakControl(on: boolean): void {
    this.calls += on ? 'break ' : 'unbreak '
  }
  hangup(): void {
    this.calls += 'hangup '
  }
  input(text: string): void {
    this.line!.receive(bytesOfString(text))
  }
}

export const TEST_MAJOR = 250
export const TEST_DEV = TEST_MAJOR << 8

/** A driver with one terminal, `test0`, number 250,0. */
export function testDriver(rig: TtyRig): TestPort {
  const port = new TestPort()
  const driver: TtyDriver = {
    driverName: 'test',
    name: 'test',
    kind: 'serial',
    major: TEST_MAJOR,
    minorStart: 0,
    count: 1,
    nameBase: 0,
    initTermios: stdTermios(),
    port(_index, line) {
      port.line = line
      return port
    },
  }
  ttysOf(rig.kernel).register(driver)
  return port
}
