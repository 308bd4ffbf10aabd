/** Processes: making them, waiting for them, ending them (Linux: fork.c, exec.c, exit.c). */
import { exitStatus } from '#abi/posix/wait.ts'
import { coreOf } from '../core.ts'
import { execve } from '../exec/exec.ts'
import { exitTask } from '../sched/exit.ts'
import { fork } from '../sched/fork.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { wait4 } from '../sched/wait4.ts'
import { now, type SyscallTable, sleeping } from './row.ts'

export const processSyscalls = {
  fork: sleeping(['body'], (kernel, task, body) => fork(coreOf(kernel).sched, task as TaskStruct, body)),
  execve: sleeping(['path', 'texts', 'texts'], (kernel, task, path, argv, envp) =>
    execve(coreOf(kernel), task as TaskStruct, path, argv, envp),
  ),
  exit: now(['int'], (kernel, task, status) => {
    const dying = task as TaskStruct
    dying.exitStatus = exitStatus(status)
    dying.kernelCode = exitTask(coreOf(kernel).sched, dying)
    return 0
  }),
  wait4: sleeping(['int', 'int'], (kernel, task, pid, options) =>
    wait4(coreOf(kernel).sched, task as TaskStruct, pid, options),
  ),
  getpid: now([], (_kernel, task) => task.pid),
  getppid: now([], (_kernel, task) => task.parent?.pid ?? 0),
  sched_yield: sleeping([], function* (kernel) {
    yield* kernel.sched.yieldNow()
    return 0
  }),
} satisfies SyscallTable
