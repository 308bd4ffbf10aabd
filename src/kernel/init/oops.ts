/** Faults of the kernel's own (Linux: arch/x86_64/kernel/traps.c, die): the process that was in the kernel is killed, the rest goes on. */
import { SIGSEGV } from '#abi/posix/signal.ts'
import type { Core } from '../core.ts'
import type { TaskStruct } from '../sched/task-struct.ts'

const VERBOSE_CONSOLE_LOGLEVEL = 15

/** What was thrown, without an engine's words: those differ. */
function describe(error: unknown): string {
  if (error instanceof TypeError) return 'type error'
  if (error instanceof RangeError) return 'range error'
  if (error instanceof ReferenceError) return 'reference error'
  return error instanceof Error ? error.message : 'unknown'
}

export function oops(core: Core, task: TaskStruct, error: unknown): void {
  die(core, task, describe(error), core.uts.release)
}

export function die(core: Core, task: TaskStruct, what: string, where: string): void {
  const { log, uts, modules, sched } = core
  // console_verbose
  log.consoleLevel = VERBOSE_CONSOLE_LOGLEVEL
  log.printk(`<1>Unable to handle kernel fault: ${what}\n`)
  log.printk('<0>Oops: 0000 [1]\n')
  log.printk(`<4>CPU 0\nModules linked in: ${[...modules.keys()].join(' ')}\n`)
  log.printk(`<4>Pid: ${task.pid}, comm: ${task.comm} Not tainted ${uts.release} ${uts.version.split(' ')[0]}\n`)
  log.printk(`<4>RIP: ${where}\n`)
  if (core.oopsPanics) core.panic('Oops')
  // do_exit: what the process would die of is the system's end where it is init, or no process at all.
  if (task.pid === 0) core.panic('Attempted to kill the idle task!')
  if (task.pid === 1) core.panic('Attempted to kill init!')
  task.blocked = 0
  task.actions = new Map()
  sched.sendSignal(task, SIGSEGV)
}
