/** A task (Linux: struct task_struct): Task with its insides, which only the scheduler's own folders touch. */
import type { LoadedCode } from '#abi/pc/metal.ts'
import {
  RLIM_INFINITY,
  RLIM_NLIMITS,
  RLIMIT_CORE,
  RLIMIT_MEMLOCK,
  RLIMIT_NOFILE,
  RLIMIT_STACK,
} from '#abi/posix/resource.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import type { Timer } from '../kernel.ts'
import type { AddressSpace } from '../mm/address-space.ts'
import type { FileTable, FsContext } from '../vfs/file.ts'
import type { Mount } from '../vfs/vfs.ts'
import type { Credentials, Session, SignalAction, Task, TaskState } from './task.ts'
import { WaitQueue, type Woken } from './wait.ts'

/** A generator of the program's, or whatever the program passes off as one. Touched inside LoadedCode.call alone. */
export interface UserGenerator {
  next(result: unknown): { readonly done?: unknown; readonly value: unknown }
}

/** One of what a process is doing: its main program, or a signal handler on top of it. */
export interface UserFrame {
  /** Makes the generator, at the frame's first run. */
  readonly start: () => unknown
  generator: UserGenerator | undefined
  /** A handler's: what holds again when it returns. */
  readonly after: { readonly mask: number; readonly result: unknown; readonly request: Request | undefined } | undefined
}

/** A system call as it was copied from the program. */
export interface Request {
  readonly nr: number
  readonly args: readonly unknown[]
}

export type KernelCode = Generator<void, unknown, void>

const NO_FILES: FileTable = { get: () => undefined, entries: () => [] }
/** Before the root is mounted there is nowhere to be. */
const noFs = (): FsContext => ({
  cwd: { mount: undefined as unknown as Mount, inode: undefined as never, parent: undefined, name: '' },
  root: { mount: undefined as unknown as Mount, inode: undefined as never, parent: undefined, name: '' },
  umask: 0o22,
})

const NO_FS = noFs()

export const rootCredentials = (): Credentials => ({
  uid: 0,
  euid: 0,
  suid: 0,
  fsuid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  fsgid: 0,
  groups: [],
})

/** INIT_RLIMITS; the number of processes is set from the memory. */
function initialLimits(): (readonly [number, number])[] {
  const limits: (readonly [number, number])[] = []
  for (let i = 0; i < RLIM_NLIMITS; i++) limits.push([RLIM_INFINITY, RLIM_INFINITY])
  limits[RLIMIT_STACK] = [8 << 20, RLIM_INFINITY]
  limits[RLIMIT_CORE] = [0, RLIM_INFINITY]
  limits[RLIMIT_NOFILE] = [1024, 1024]
  limits[RLIMIT_MEMLOCK] = [32768, 32768]
  return limits
}

const INITIAL_LIMITS = initialLimits()
const ROOT = rootCredentials()

export class TaskStruct implements Task {
  readonly pid: number
  parent: TaskStruct | undefined
  readonly children = new Set<TaskStruct>()
  pgid = 0
  session: Session = { sid: 0, tty: undefined }
  state: TaskState = 'R'
  comm: string
  argv: readonly string[] = []
  envp: readonly string[] = []
  exe: string | undefined
  /** Its own as soon as it is a process (newTask's caller sees to it). */
  cred: Credentials = ROOT
  files: FileTable = NO_FILES
  fs: FsContext = NO_FS
  actions = new Map<number, SignalAction>()
  blocked = 0
  pending = 0
  nice = 0
  utimeNs = 0
  stimeNs = 0
  /** Of children that were waited for. */
  childUtimeNs = 0
  childStimeNs = 0
  maxPages = 0
  childMaxPages = 0
  startNs = 0
  textPages = 0
  readonly kthread: boolean
  /** Shared with the parent: replaced, not changed. */
  limits: readonly (readonly [number, number])[] = INITIAL_LIMITS
  /** Frames of the heap and the user stack. */
  anon: Gpfn[] = []
  /** Of the heap, what brk says. */
  brkBytes = 0
  /** What it has mapped, with those who share its heap. Undefined: nothing was ever. */
  mm: AddressSpace | undefined = undefined
  /** Kernel stack and page tables: true once they are charged. */
  charged = false

  // --- What it runs ---
  code: LoadedCode | undefined
  frames: UserFrame[] = []
  /** Its side in the kernel, while that sleeps or has not begun. */
  kernelCode: KernelCode | undefined
  /** Where it sleeps until its request is done again (park.ts). */
  parkedOn: WaitQueue | readonly WaitQueue[] | undefined = undefined
  /** What the next resumption brings. */
  result: unknown = undefined
  request: Request | undefined
  resume: (() => void) | undefined
  /** What the last resumption came to; see user-mode.ts. */
  trap: 'preempted' | 'syscall' | 'done' = 'preempted'
  /** The mask that holds again after sigsuspend. */
  savedMask: number | undefined
  /** nanosleep's or poll's end, for going on after a stop. */
  sleepUntilNs: number | undefined
  alarm: { readonly dueNs: number; readonly timer: Timer } | undefined

  // --- The scheduler's ---
  vruntime = 0
  queueOrder = 0
  queued = false
  onCpu = false
  interruptible = false
  woken: Woken | undefined
  voluntary = 0

  // --- Signals and exit ---
  /** Stopped by a signal that wait4 has not told of; or continued. */
  stopSignal = 0
  stopReported = true
  continuedUnreported = false
  exiting = false
  exitStatus = 0
  /** It may use the last frames: the OOM killer has chosen it. */
  memDie = false
  /** PF_MEMALLOC: it frees memory, and may need some for that. */
  reclaiming = false
  /** fork has made it and execve has not yet been called. */
  forked = false
  /** wait4 sleeps here. */
  readonly childExit = new WaitQueue()
  readonly #enqueue: (task: TaskStruct) => void

  constructor(pid: number, comm: string, kthread: boolean, enqueue: (task: TaskStruct) => void) {
    this.pid = pid
    this.comm = comm.slice(0, 15)
    this.kthread = kthread
    this.#enqueue = enqueue
  }

  get anonPages(): number {
    return this.anon.length + (this.mm?.anonPages ?? 0)
  }

  wake(): void {
    if (this.state !== 'S' && this.state !== 'D') return
    this.woken ??= 'woken'
    this.state = 'R'
    this.#enqueue(this)
  }

  /** Runnable again, from whatever it was in: a stop's end, a time-out. */
  wakeFrom(why: Woken): void {
    if (this.state === 'T') this.state = 'R'
    else if (this.state === 'S' || this.state === 'D') {
      this.woken = why
      this.state = 'R'
    } else return
    this.#enqueue(this)
  }
}
