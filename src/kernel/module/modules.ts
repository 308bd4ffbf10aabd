/**
 * Loadable modules (Linux: kernel/module.c): image files of the kind `module`, whose entry exports `module: KernelModule`. Their init and exit
 * run inside LoadedCode.call: a fault there is an oops, which takes the process along and leaves the kernel.
 */

import { ImageKind } from '#abi/image.ts'
import type { CodeFault, LoadedCode } from '#abi/pc/metal.ts'
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT, ENOEXEC, EPERM } from '#abi/posix/errno.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import type { Core } from '../core.ts'
import { fail } from '../errno.ts'
import { die } from '../init/oops.ts'
import type { Kernel, KernelModule, LoadedModule } from '../kernel.ts'
import type { Task } from '../sched/task.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import type { Sleeping } from '../sched/wait.ts'

/** MODULES_VADDR, 0xffffffff88000000. */
const MODULES_VADDR: Vaddr = -0x78000000
const NAME = /^[\w-]{1,55}$/

interface Module extends LoadedModule {
  users: number
  state: LoadedModule['state']
  readonly code: LoadedCode
  readonly record: KernelModule
  readonly usedBy: string[]
}

/** What a module's generator came to, one resumption at a time. */
type Step = { readonly done: boolean; readonly errno: number | undefined }

export class ModuleTable extends Map<string, LoadedModule> {
  readonly #core: Core
  #nextAddress = MODULES_VADDR

  constructor(core: Core) {
    super()
    this.#core = core
  }

  *insert(task: Task, image: Uint8Array, parameters: string): Sleeping<number> {
    const core = this.#core
    if (task.cred.euid !== 0) fail(EPERM)
    const code = yield* core.images.load(image, ImageKind.module)
    const record = this.#record(task, code)
    if (this.has(record.name)) fail(EEXIST)
    for (const name of record.depends ?? []) {
      if (this.get(name)?.state === 'Live') continue
      core.log.printk(`<4>${record.name}: Unknown symbol of ${name}\n`)
      fail(ENOENT)
    }
    const bytes = Math.ceil(code.bytes / PAGE_SIZE) * PAGE_SIZE
    yield* core.pages.chargeSlowly('kernel', bytes)
    const module: Module = {
      name: record.name,
      bytes,
      users: 0,
      usedBy: [],
      state: 'Loading',
      address: this.#nextAddress,
      code,
      record,
    }
    this.#nextAddress += bytes
    this.set(module.name, module)
    for (const name of record.depends ?? []) (this.get(name) as Module).usedBy.unshift(module.name)
    if (record.license !== 'GPL')
      core.log.printk(`<4>${record.name}: module license '${record.license}' taints kernel.\n`)
    let errno: number | undefined
    let finished = false
    try {
      errno = yield* this.#run(task, code, () => record.init(core, parametersOf(parameters)))
      finished = true
    } finally {
      if (!finished || errno !== undefined) this.#drop(module)
    }
    if (errno !== undefined) fail(errno)
    module.state = 'Live'
    return 0
  }

  *remove(task: Task, name: string): Sleeping<number> {
    if (task.cred.euid !== 0) fail(EPERM)
    const module = this.get(name) as Module | undefined
    if (!module) return fail(ENOENT)
    if (module.usedBy.length > 0) fail(EAGAIN)
    if (module.state !== 'Live' || module.users > 0) fail(EBUSY)
    const { exit } = module.record
    if (!exit) return fail(EBUSY)
    module.state = 'Unloading'
    const errno = yield* this.#run(task, module.code, () => exit(this.#core))
    if (errno !== undefined) {
      module.state = 'Live'
      fail(errno)
    }
    this.#drop(module)
    return 0
  }

  #drop(module: Module): void {
    this.delete(module.name)
    this.#core.pages.uncharge('kernel', module.bytes)
    for (const name of module.record.depends ?? []) {
      const users = (this.get(name) as Module | undefined)?.usedBy
      const at = users?.indexOf(module.name) ?? -1
      if (at >= 0) users!.splice(at, 1)
    }
  }

  /** Evaluate it, and copy its record: the module's own object is looked at inside of call alone. */
  #record(task: Task, code: LoadedCode): KernelModule {
    const evaluated = code.instantiate()
    if (!evaluated.ok) return this.#oops(task, evaluated.fault, code.name)
    const copied = code.call(() => {
      const { name, license, description, depends, init, exit } = evaluated.value['module'] as KernelModule
      return {
        name,
        license: String(license),
        depends: [...(depends ?? [])].map(String),
        init: (kernel: Kernel, parameters: ReadonlyMap<string, string>) => init(kernel, parameters),
        ...(description === undefined ? {} : { description: String(description) }),
        ...(exit ? { exit: (kernel: Kernel) => exit(kernel) } : {}),
      }
    })
    if (!copied.ok || typeof copied.value.name !== 'string' || !NAME.test(copied.value.name)) {
      this.#core.log.printk(`<4>${code.name}: no module record\n`)
      return fail(ENOEXEC)
    }
    return copied.value
  }

  /** Run a generator of the module's to its end: the errno that it failed with. */
  *#run(task: Task, code: LoadedCode, make: () => Sleeping<void>): Sleeping<number | undefined> {
    let generator: Sleeping<void> | undefined
    for (;;) {
      const outcome = code.call((): Step => {
        try {
          generator ??= make()
          return { done: generator.next().done === true, errno: undefined }
        } catch (error) {
          // An Errno is the module's own class: it is told by what it carries.
          const errno = (error as { readonly errno?: unknown } | null)?.errno
          if (typeof errno !== 'number') throw error
          return { done: true, errno }
        }
      })
      if (!outcome.ok) return this.#oops(task, outcome.fault, code.name)
      if (outcome.value.done) {
        const { errno } = outcome.value
        return errno === undefined ? undefined : Number.isInteger(errno) && errno > 0 && errno < 4096 ? errno : EINVAL
      }
      yield
    }
  }

  /** The process that was in the module is killed. */
  #oops(task: Task, { message, file, line }: CodeFault, name: string): never {
    const where = file === undefined ? '' : ` at ${file}${line === undefined ? '' : `:${line}`}`
    die(this.#core, task as TaskStruct, `${message}${where}`, name)
    return fail(EINVAL)
  }
}

/** `name=value name2=value2`, as insmod gives them. */
function parametersOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const word of text.split(/\s+/)) {
    if (word === '') continue
    const equals = word.indexOf('=')
    found.set(equals < 0 ? word : word.slice(0, equals), equals < 0 ? '' : word.slice(equals + 1))
  }
  return found
}
