/**
 * What processes have mapped (Linux: mm/mmap.c, struct mm_struct). Tasks that share a heap (fork(body)) share their areas too, as threads do; execve begins
 * with none. Addresses are handed out for the whole kernel, since the domain has one page map for all.
 */
import { EACCES, EAGAIN, EFAULT, EINVAL, ENODEV, ENOMEM } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_RDWR, O_WRONLY } from '#abi/posix/fcntl.ts'
import { MAP_LOCKED, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '#abi/posix/mman.ts'
import { RLIMIT_AS, RLIMIT_MEMLOCK } from '#abi/posix/resource.ts'
import { type Gpfn, PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import { DOMID_SELF } from '#abi/xen/xen.ts'
import type { Core } from '../core.ts'
import { Errno, fail } from '../errno.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { File } from '../vfs/file.ts'
import { Mutex } from '../vfs/mutex.ts'
import { Area } from './area.ts'

/** TASK_UNMAPPED_BASE and TASK_SIZE of an x86_64 process. */
const UNMAPPED_BASE: Vaddr = 0x2aaaaaaab000
const TASK_SIZE: Vaddr = 0x7ffffffff000
/** DEFAULT_MAX_MAP_COUNT */
const AREAS_MAX = 65536

/** Of tasks that share their memory. */
export class AddressSpace {
  users = 1
  /** Frames of its own. */
  anonPages = 0
  /** All of its addresses, and those that MAP_LOCKED asked to stay. */
  totalPages = 0
  lockedPages = 0
  areas = 0
  /** mmap_sem: one change at a time. */
  readonly mutex = new Mutex()
}

export class UserAreas {
  readonly #core: Core
  /** Of all address spaces, in order of their addresses. */
  #areas: Area[] = []

  constructor(core: Core) {
    this.#core = core
  }

  /** The area of `task`'s that `address` lies in. */
  find(task: TaskStruct, address: Vaddr): Area | undefined {
    const area = this.#areas[this.#firstAbove(address) - 1]
    return area && area.space === task.mm && address < area.end ? area : undefined
  }

  *map(
    task: TaskStruct,
    length: number,
    prot: number,
    flags: number,
    file: File | undefined,
    offset: number,
  ): Sleeping<Vaddr> {
    const shared = (flags & MAP_SHARED) !== 0
    if (shared === ((flags & MAP_PRIVATE) !== 0)) fail(EINVAL)
    if (length === 0 || offset < 0 || offset % PAGE_SIZE !== 0) fail(EINVAL)
    if (length < 0 || length > TASK_SIZE) fail(ENOMEM)
    if (file) mayMap(file, prot, shared)
    task.mm ??= new AddressSpace()
    const { mm } = task
    yield* mm.mutex.lock(this.#core)
    try {
      return yield* this.#mapLocked(task, mm, Math.ceil(length / PAGE_SIZE), prot, flags, file, offset)
    } finally {
      mm.mutex.unlock()
    }
  }

  *#mapLocked(
    task: TaskStruct,
    space: AddressSpace,
    pages: number,
    prot: number,
    flags: number,
    file: File | undefined,
    offset: number,
  ): Sleeping<Vaddr> {
    const locked = (flags & MAP_LOCKED) !== 0
    this.#withinLimits(task, space, pages, locked, file === undefined)
    const frames = file || (prot & (PROT_READ | PROT_WRITE)) === 0 ? [] : yield* this.#zeroed(pages)
    const area = new Area(this.#core, space, this.#freeAddress(pages), pages, prot, locked, file, offset)
    area.frames = frames
    this.#areas.splice(this.#firstAbove(area.start), 0, area)
    space.areas++
    space.totalPages += pages
    space.anonPages += frames.length
    if (locked) space.lockedPages += pages
    try {
      for (let i = 0; i < frames.length; i++)
        if (area.insert(i, this.#core.pages.mfn(frames[i]!), DOMID_SELF) !== 0) fail(ENOMEM)
      if (file) {
        this.#core.vfs.holdFile(file)
        yield* file.ops.mmap!(file, area)
      }
    } catch (error) {
      yield* this.#release(area)
      throw error
    }
    if (task.anonPages + task.textPages > task.maxPages) task.maxPages = task.anonPages + task.textPages
    return area.start
  }

  /** do_munmap: whatever of these addresses is mapped. */
  *unmap(task: TaskStruct, address: Vaddr, length: number): Sleeping<void> {
    if (address < 0 || address % PAGE_SIZE !== 0 || length <= 0 || address + length > TASK_SIZE) fail(EINVAL)
    const end = address + Math.ceil(length / PAGE_SIZE) * PAGE_SIZE
    const { mm } = task
    if (!mm) return
    yield* mm.mutex.lock(this.#core)
    try {
      const hit = this.#areas.filter((area) => area.space === mm && area.start < end && area.end > address)
      // A driver that maps on its own knows nothing of halves.
      for (const area of hit) if (area.unmap && (area.start < address || area.end > end)) fail(EINVAL)
      for (const area of hit) {
        const [below, above] = this.#cut(area, address)
        yield* this.#release(this.#cut(above ?? below, end)[0])
      }
    } finally {
      mm.mutex.unlock()
    }
  }

  /** mmput: `task` has another address space from now on. */
  *leave(task: TaskStruct): Sleeping<void> {
    const space = task.mm
    task.mm = undefined
    if (!space || --space.users > 0) return
    while (space.areas > 0) yield* this.#release(this.#areas.find((area) => area.space === space)!)
  }

  /** An instruction that reads. */
  load(task: TaskStruct, address: Vaddr, count: number): Uint8Array {
    this.#check(task, address, count, false)
    return this.#core.mem.copyOut(address, count)
  }

  /** An instruction that writes. */
  store(task: TaskStruct, address: Vaddr, bytes: Uint8Array): void {
    this.#check(task, address, bytes.length, true)
    this.#core.mem.copyIn(address, bytes)
  }

  #check(task: TaskStruct, address: Vaddr, count: number, write: boolean): void {
    if (count < 0 || address < 0 || address + count > TASK_SIZE) fail(EFAULT)
    for (let at = address; at < address + count; ) {
      const area = this.find(task, at)
      if (!area?.readable || (write && !area.writable)) fail(EFAULT)
      const end = Math.min(area.end, address + count)
      if (!area.isMapped(at, end)) fail(EFAULT)
      at = end
    }
  }

  /** The first gap that is large enough. */
  #freeAddress(pages: number): Vaddr {
    let at = UNMAPPED_BASE
    for (const { start, end } of this.#areas) {
      if (start - at >= pages * PAGE_SIZE) break
      at = end
    }
    return at + pages * PAGE_SIZE > TASK_SIZE ? fail(ENOMEM) : at
  }

  /** Index of the first area that begins above `address`. */
  #firstAbove(address: Vaddr): number {
    let low = 0
    let high = this.#areas.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#areas[middle]!.start <= address) low = middle + 1
      else high = middle
    }
    return low
  }

  #withinLimits(task: TaskStruct, space: AddressSpace, pages: number, locked: boolean, anonymous: boolean): void {
    if (space.areas >= AREAS_MAX) fail(ENOMEM)
    const bytes = (count: number): number => count * PAGE_SIZE
    if (bytes(task.anon.length + task.textPages + space.totalPages + pages) > task.limits[RLIMIT_AS]![0]) fail(ENOMEM)
    const mayLock = task.cred.euid === 0 || bytes(space.lockedPages + pages) <= task.limits[RLIMIT_MEMLOCK]![0]
    if (locked && !mayLock) fail(EAGAIN)
    // __vm_enough_memory: what can never be is refused at once.
    if (anonymous && pages > this.#core.pages.total) fail(ENOMEM)
  }

  /** Fresh frames full of zeros: all of them now, there is no overcommitment. */
  *#zeroed(count: number): Sleeping<Gpfn[]> {
    const { pages } = this.#core
    const frames: Gpfn[] = []
    try {
      for (let i = 0; i < count; i++) {
        const pfn = yield* pages.alloc('anon')
        pages.zero(pfn)
        frames.push(pfn)
      }
    } catch (error) {
      for (const pfn of frames) pages.release(pfn, 'anon')
      throw error
    }
    return frames
  }

  /** Split `area` at `address`: what is below, and what is not; the second only where both are something. */
  #cut(area: Area, address: Vaddr): readonly [Area, Area | undefined] {
    if (address <= area.start || address >= area.end) return [area, undefined]
    const [below, above] = area.split((address - area.start) / PAGE_SIZE)
    if (above.file) this.#core.vfs.holdFile(above.file)
    this.#areas.splice(this.#areas.indexOf(area), 1, below, above)
    area.space.areas++
    return [below, above]
  }

  /** Mappings first, then frames, then addresses. */
  *#release(area: Area): Sleeping<void> {
    const { space, file } = area
    area.unmap?.()
    area.removeAll()
    for (const pfn of area.frames) this.#core.pages.release(pfn, 'anon')
    space.anonPages -= area.frames.length
    space.totalPages -= area.pages
    if (area.locked) space.lockedPages -= area.pages
    space.areas--
    this.#areas.splice(this.#areas.indexOf(area), 1)
    if (!file) return
    try {
      yield* this.#core.vfs.dropFile(file)
    } catch (error) {
      // Nobody hears of a last write that fails.
      if (!(error instanceof Errno)) throw error
    }
  }
}

function mayMap(file: File, prot: number, shared: boolean): void {
  const access = file.flags & O_ACCMODE
  if (access === O_WRONLY) fail(EACCES)
  if (shared && (prot & PROT_WRITE) !== 0 && access !== O_RDWR) fail(EACCES)
  if (!file.ops.mmap) fail(ENODEV)
}
