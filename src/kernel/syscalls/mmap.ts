/** Mapped memory (Linux: mm/mmap.c), and the instructions that reach it. */
import { EBADF } from '#abi/posix/errno.ts'
import { MAP_ANONYMOUS } from '#abi/posix/mman.ts'
import { coreOf } from '../core.ts'
import { fail } from '../errno.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { now, type SyscallTable, sleeping } from './row.ts'

export const mmapSyscalls = {
  mmap: sleeping(['int', 'int', 'int', 'int', 'int'], (kernel, task, length, prot, flags, fd, offset) => {
    const file = (flags & MAP_ANONYMOUS) !== 0 ? undefined : (task.files.get(fd) ?? fail(EBADF))
    return coreOf(kernel).areas.map(task as TaskStruct, length, prot, flags, file, offset)
  }),
  munmap: sleeping(['int', 'int'], function* (kernel, task, address, length) {
    yield* coreOf(kernel).areas.unmap(task as TaskStruct, address, length)
    return 0
  }),
  load: now(['int', 'int'], (kernel, task, address, count) =>
    coreOf(kernel).areas.load(task as TaskStruct, address, count),
  ),
  store: now(['int', 'bytes'], (kernel, task, address, bytes) => {
    coreOf(kernel).areas.store(task as TaskStruct, address, bytes)
    return bytes.length
  }),
  store2: now(['int', 'bytes', 'int', 'bytes'], (kernel, task, address, bytes, then, more) => {
    const { areas } = coreOf(kernel)
    areas.store(task as TaskStruct, address, bytes)
    areas.store(task as TaskStruct, then, more)
    return bytes.length + more.length
  }),
} satisfies SyscallTable
