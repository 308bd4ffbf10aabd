/** init_module and delete_module (Linux: kernel/module.c). */
import { coreOf } from '../core.ts'
import { type SyscallTable, sleeping } from './row.ts'

export const moduleSyscalls = {
  init_module: sleeping(['bytes', 'text'], (kernel, task, image, parameters) =>
    coreOf(kernel).modules.insert(task, image, parameters),
  ),
  delete_module: sleeping(['text', 'int'], (kernel, task, name) => coreOf(kernel).modules.remove(task, name)),
} satisfies SyscallTable
