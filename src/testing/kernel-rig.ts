/**
 * For tests: the kernel's source over a small fake hypervisor. Real are memory (bytes behind a page map, the domain builder's layout), event channels,
 * the timer and block (virtual time jumps to what comes next), console_io (a string) and the kernel itself; programs are TypeScript functions.
 * Time passes by what is done: each look at the TSC and each resumption of a program costs a little. Nothing is preempted but where a program yields `undefined`.
 */
import { IMAGE_MAGIC, ImageKind } from '#abi/image.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { O_NOCTTY, O_RDWR } from '#abi/posix/fcntl.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import type { VcpuCode } from '#abi/xen/guest.ts'
import { coreOf } from '#kernel/core.ts'
import { Errno } from '#kernel/errno.ts'
import { enterProgram, instantiate } from '#kernel/exec/exec.ts'
import { makeKernel } from '#kernel/init/make-kernel.ts'
import type { Kernel, KernelModule, KernelParts } from '#kernel/kernel.ts'
import type { Task } from '#kernel/sched/task.ts'
import { rootCredentials, type TaskStruct } from '#kernel/sched/task-struct.ts'
import type { Sleeping } from '#kernel/sched/wait.ts'
import type { Path } from '#kernel/vfs/file.ts'
import type { Mount } from '#kernel/vfs/vfs.ts'
import { type FakeXen, fakeCode, fakeXen } from './fake-xen.ts'
import { bareParts } from './kernel-bare-parts.ts'

export interface RigOptions {
  readonly cmdline?: string
  /** The domain's memory, in pages of 4 KiB. */
  readonly pages?: number
  /** What is real besides the core; the rest is bare (kernel-bare-parts.ts). */
  readonly parts?: Partial<KernelParts>
  /** Instead of nothing: what the first run does (start_kernel). Initcalls are run by the rig's own thread if this is not given. */
  readonly boot?: (kernel: Kernel) => void
  readonly io?: PortIo
  /** Not the first domain. */
  readonly domU?: boolean
  /** Called before its first run: who is at the other ends of its channels. */
  readonly onMade?: (rig: KernelRig) => void
  /** See FakeXenOptions. */
  readonly memoryMap?: number
  /** False: a fault in a system call is the process's end, as on a machine. */
  readonly oopsPanics?: boolean
  /** Program images that exec finds, by path, where the VFS is bare. With a real one use `programFile`. */
  readonly programs?: Readonly<Record<string, ProgramEntry>>
}

export interface KernelRig {
  readonly kernel: Kernel
  readonly xen: FakeXen
  /** What is / for threads and processes that begin from now on: after a mountRoot, see rootOf. */
  root: Path | undefined
  /** Everything printed by console_io. */
  readonly output: string
  /** Run kernel code in a thread of its own until it ends: its value. What it throws is thrown here. */
  run<T>(body: (kernel: Kernel) => Sleeping<T>): T
  /** Run `main` as a process, as init would start it, until it ends: what wait4 would say. */
  process(main: ProgramEntry, argv?: readonly string[], envp?: readonly string[]): number
  /** The bytes of an image file that exec will find to be `main`. */
  programFile(main: ProgramEntry): Uint8Array
  moduleFile(module: KernelModule): Uint8Array
  /** Bytes come in on the console. */
  feed(text: string): void
  /** Go on until the console's output since the last wait shows `text`. Throws after `steps` runs of the vCPU, with the output. */
  waitFor(text: string | RegExp, steps?: number): void
  /** Go on until nothing will happen any more without input, or `until` holds. */
  settle(until?: () => boolean, steps?: number): void
  /** Go on for so much virtual time. */
  runFor(ns: number): void
}

const IMAGE_BYTES = 64
const PROGRAM = 'rig program '

const decode = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

export function kernelRig(options: RigOptions = {}): KernelRig {
  const images: { readonly kind: number; readonly exports: Record<string, unknown> }[] = []
  const addImage = (kind: number, exports: Record<string, unknown>): Uint8Array => {
    const bytes = new Uint8Array(IMAGE_BYTES)
    new DataView(bytes.buffer).setUint32(0, IMAGE_MAGIC, true)
    const text = `${PROGRAM}${images.length}\n`
    for (let i = 0; i < text.length; i++) bytes[4 + i] = text.charCodeAt(i)
    images.push({ kind, exports })
    return bytes
  }
  const programFile = (main: ProgramEntry): Uint8Array => addImage(ImageKind.program, { main })
  const files = new Map<string, Uint8Array>()
  for (const [path, main] of Object.entries(options.programs ?? {})) files.set(path, programFile(main))

  const xen = fakeXen({
    cmdline: options.cmdline ?? '',
    pages: options.pages ?? 16384,
    io: options.io,
    ...(options.domU ? { domU: true } : {}),
    ...(options.memoryMap === undefined ? {} : { memoryMap: options.memoryMap }),
    load: (mem, va) => {
      const text = decode(mem.copyOut(va, IMAGE_BYTES))
      const found = new RegExp(`${PROGRAM}(\\d+)\\n`).exec(text)
      const image = found ? images[Number(found[1])] : undefined
      return image
        ? fakeCode(xen, image.kind, image.exports)
        : { ok: false, isImage: false, why: 'no image header here' }
    },
  })
  const parts: KernelParts = { ...bareParts(files), ...options.parts }
  const made = makeKernel(xen.vcpu, parts, options.boot ?? ((kernel) => startBare(kernel, parts)))
  const { kernel } = made
  // A test wants to see the fault itself.
  coreOf(kernel).oopsPanics = options.oopsPanics ?? true
  const code: VcpuCode = made.code
  let seen = 0

  const rig: KernelRig = {
    kernel,
    xen,
    root: undefined,
    get output() {
      return xen.output
    },
    run(body) {
      let outcome: { readonly value: ReturnType<typeof JSON.parse> } | { readonly error: unknown } | undefined
      xen.step(code) // so that it has booted
      const thread = kernel.sched.kthread('rig', function* () {
        try {
          outcome = { value: yield* body(kernel) }
        } catch (error) {
          outcome = { error }
        }
      })
      const { root } = rig
      if (root) (thread as TaskStruct).fs = { root, cwd: root, umask: 0o22 }
      xen.kick()
      rig.settle(() => outcome !== undefined)
      if (!outcome) throw new Error(`the thread never ends; the console says:\n${xen.output}`)
      if ('error' in outcome) throw outcome.error
      return outcome.value
    },
    process(main, argv = ['test'], envp = []) {
      xen.step(code)
      const core = coreOf(kernel)
      const task = core.sched.newTask(argv[0] ?? 'test', false)
      task.pgid = task.pid
      task.cred = rootCredentials()
      task.session = { sid: task.pid, tty: undefined }
      task.files = core.vfs.newFileTable()
      const { root } = rig
      if (root) task.fs = { cwd: root, root, umask: 0o22 }
      task.kernelCode = (function* () {
        const image = yield* core.images.load(addImage(ImageKind.program, { main }), ImageKind.program)
        yield* openConsole(core, task)
        enterProgram(task, image, instantiate(core, image), argv, envp)
        return 0
      })()
      core.sched.start(task)
      xen.kick()
      rig.settle(() => task.state === 'X')
      if (task.state !== 'X') throw new Error(`the process never ends; the console says:\n${xen.output}`)
      return task.exitStatus
    },
    programFile,
    moduleFile: (module) => addImage(ImageKind.module, { module }),
    feed: (text) => xen.feed(text),
    waitFor(text, steps = 100_000) {
      const found = (): number => {
        const rest = xen.output.slice(seen)
        if (typeof text === 'string') {
          const at = rest.indexOf(text)
          return at < 0 ? -1 : at + text.length
        }
        const match = text.exec(rest)
        return match ? match.index + match[0].length : -1
      }
      rig.settle(() => found() >= 0, steps)
      const end = found()
      if (end < 0)
        throw new Error(`${text} never comes; since the last wait the console says:\n${xen.output.slice(seen)}`)
      seen += end
    },
    settle(until = () => false, steps = 100_000) {
      for (let i = 0; i < steps && !until(); i++) if (!xen.step(code)) return
    },
    runFor(ns) {
      const end = xen.nowNs + ns
      while (xen.nowNs < end && xen.step(code, end)) {
        // Until nothing comes before the end.
      }
      if (xen.nowNs < end) xen.passTo(end)
    },
  }
  options.onMade?.(rig)
  return rig
}

/** The path of a mounted root file system. */
export const rootOf = (mount: Mount): Path => ({ mount, inode: mount.sb.root, parent: undefined, name: '' })

/** 0, 1 and 2, where there is a /dev/console. */
function* openConsole(kernel: Kernel, task: Task): Sleeping<void> {
  try {
    const file = yield* kernel.vfs.open(task, '/dev/console', O_RDWR | O_NOCTTY, 0)
    for (let fd = 0; fd < 3; fd++) kernel.vfs.install(task, file, 0, false)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}

/** Without start_kernel: events on, consoles, and the initcalls in a thread. */
function startBare(kernel: Kernel, parts: KernelParts): void {
  // Nobody here is init.
  coreOf(kernel).sched.lastPid = 1
  for (const init of parts.consoleInits) init(kernel)
  if (parts.initcalls.length === 0) return
  kernel.sched.kthread('initcalls', function* () {
    for (const initcall of parts.initcalls) yield* initcall(kernel)
  })
}
