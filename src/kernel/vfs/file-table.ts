/** A task's descriptors (Linux: fs/file.c, fs/open.c). */
import { EBADF, EMFILE } from '#abi/posix/errno.ts'
import { RLIMIT_NOFILE } from '#abi/posix/resource.ts'
import { fail } from '../errno.ts'
import type { Task } from '../sched/task.ts'
import type { FileTable } from './file.ts'
import type { OpenFile } from './open-file.ts'

/** NR_OPEN: whatever the limit says. */
const DESCRIPTORS_MAX = 1024

export class FdTable implements FileTable {
  readonly files: (OpenFile | undefined)[] = []
  readonly cloexec = new Set<number>()

  get(fd: number): OpenFile | undefined {
    return this.files[fd]
  }

  entries(): readonly (readonly [fd: number, file: OpenFile])[] {
    const rows: (readonly [number, OpenFile])[] = []
    this.files.forEach((file, fd) => {
      if (file) rows.push([fd, file])
    })
    return rows
  }

  /** The lowest free number from `from` on. */
  install(task: Task, file: OpenFile, from: number, cloexec: boolean): number {
    const limit = Math.min(DESCRIPTORS_MAX, task.limits[RLIMIT_NOFILE]?.[0] ?? DESCRIPTORS_MAX)
    let fd = from
    while (fd < limit && this.files[fd]) fd++
    if (fd >= limit) fail(EMFILE)
    this.put(fd, file)
    if (cloexec) this.cloexec.add(fd)
    return fd
  }

  put(fd: number, file: OpenFile): void {
    while (this.files.length <= fd) this.files.push(undefined)
    this.files[fd] = file
    this.cloexec.delete(fd)
    file.users++
  }

  /** The file that was there; its user is the caller now. */
  take(fd: number): OpenFile {
    const file = this.files[fd] ?? fail(EBADF)
    this.files[fd] = undefined
    this.cloexec.delete(fd)
    return file
  }

  copy(): FdTable {
    const copy = new FdTable()
    for (const file of this.files) {
      copy.files.push(file)
      if (file) file.users++
    }
    for (const fd of this.cloexec) copy.cloexec.add(fd)
    return copy
  }
}

export const tableOf = (task: Task): FdTable => task.files as FdTable

export function fileOf(task: Task, fd: number): OpenFile {
  return (task.files as FdTable).files[fd] ?? fail(EBADF)
}
