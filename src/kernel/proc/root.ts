/** The root directory of /proc: what was registered, `self`, and the processes (Linux 2.6.18: fs/proc/root.c, base.c). */
import { ENOENT } from '#abi/posix/errno.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import { pidDir } from './pid.ts'
import { type DirNode, type LinkNode, linkTo, type StaticDir, type SynthNode } from './synth.ts'

export class ProcRoot implements DirNode {
  readonly kind = 'dir'
  readonly mode = 0o555
  readonly ino = 1
  readonly #kernel: Kernel
  readonly #files: StaticDir
  readonly #tasks = new WeakMap<Task, DirNode>()
  readonly #self: LinkNode
  readonly #mounts = linkTo('self/mounts')

  constructor(kernel: Kernel, files: StaticDir) {
    this.#kernel = kernel
    this.#files = files
    this.#self = { kind: 'link', mode: 0o777, target: () => String(kernel.sched.current.pid || fail(ENOENT)) }
  }

  find(name: string): SynthNode | undefined {
    const found = this.#files.nodes.get(name)
    if (found) return found
    if (name === 'self') return this.#self
    if (name === 'mounts') return this.#mounts
    if (!/^[1-9]\d{0,8}$/.test(name)) return undefined
    const task = this.#kernel.sched.task(Number(name))
    return task && this.#dirOf(task)
  }

  *list(): Iterable<readonly [string, SynthNode]> {
    yield ['self', this.#self]
    yield ['mounts', this.#mounts]
    yield* this.#files.nodes
    for (const task of this.#kernel.sched.tasks) yield [String(task.pid), this.#dirOf(task)]
  }

  #dirOf(task: Task): DirNode {
    let dir = this.#tasks.get(task)
    if (!dir) {
      dir = pidDir(this.#kernel, task)
      this.#tasks.set(task, dir)
    }
    return dir
  }
}
