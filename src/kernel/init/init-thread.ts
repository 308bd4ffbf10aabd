/** pid 1: initcalls, the root file system, then /sbin/init (Linux: init/main.c). */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_RDWR } from '#abi/posix/fcntl.ts'
import { RLIMIT_NPROC } from '#abi/posix/resource.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { Core } from '../core.ts'
import { Errno } from '../errno.ts'
import { execve } from '../exec/exec.ts'
import { startReclaim } from '../mm/reclaim.ts'
import { chargeTask } from '../sched/fork.ts'
import { type KernelCode, rootCredentials, type TaskStruct } from '../sched/task-struct.ts'
import type { Sleeping } from '../sched/wait.ts'
import { prepareNamespace } from './do-mounts.ts'

const ATTEMPTS = ['/sbin/init', '/etc/init', '/bin/init', '/bin/sh']
/** Words of the command line that are the kernel's own: init never sees them. */
const OWN_WORDS = new Set([
  'root',
  'ro',
  'rw',
  'rootfstype',
  'rootflags',
  'rootdelay',
  'console',
  'init',
  'quiet',
  'debug',
  'loglevel',
  'panic',
  'mem',
  'xencons',
  'earlyprintk',
  'swiotlb',
  'noreplacement',
  'noapic',
  'acpi',
  'nosmp',
  'maxcpus',
  'ip',
  'vga',
])

export function startInit(core: Core): void {
  const { sched } = core
  const task = sched.newTask('swapper', false)
  const processes = Math.floor(sched.maxThreads / 2)
  task.limits = task.limits.map((limit, i) => (i === RLIMIT_NPROC ? [processes, processes] : limit))
  task.cred = rootCredentials()
  task.files = core.vfs.newFileTable()
  task.kernelCode = initThread(core, task)
  sched.start(task)
}

function* initThread(core: Core, task: TaskStruct): KernelCode {
  const { log, pages, params, vfs } = core
  yield* chargeTask(core.sched)
  task.charged = true
  core.reclaim = startReclaim(core)
  for (const initcall of core.parts.initcalls) yield* initcall(core)
  yield* prepareNamespace(core)
  task.fs = vfs.rootFsContext()
  for (const other of core.sched.tasks) if (other.kthread) other.fs = task.fs
  const kb = (pages.initPages * PAGE_SIZE) / 1024
  pages.freeInit()
  log.printk(`<6>Freeing unused kernel memory: ${kb}k freed\n`)
  yield* openConsole(core, task)
  const given = params.get('init')
  const { argv, envp } = wordsForInit(core)
  if (given) {
    if (yield* run(core, task, given, argv, envp)) return 0
    log.printk(`<4>Failed to execute ${given}.  Attempting defaults...\n`)
  }
  for (const path of ATTEMPTS) if (yield* run(core, task, path, argv, envp)) return 0
  return core.panic('No init found.  Try passing init= option to kernel.')
}

function* openConsole({ vfs, log, syscalls }: Core, task: TaskStruct): Sleeping<void> {
  try {
    const file = yield* vfs.open(task, '/dev/console', O_RDWR, 0)
    const fd = vfs.install(task, file, 0, false)
    for (const to of [1, 2]) yield* syscalls.call(task, 'dup2', fd, to)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    log.printk('<4>Warning: unable to open an initial console.\n')
  }
}

/** What the kernel does not know is init's: words as arguments, `name=value` as environment; `module.name=value` is nobody's. */
function wordsForInit({ cmdline, log }: Core): { readonly argv: readonly string[]; readonly envp: readonly string[] } {
  const argv: string[] = []
  const envp = ['HOME=/', 'TERM=linux']
  for (const word of cmdline.split(/\s+/)) {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (word === '' || OWN_WORDS.has(name)) continue
    if (name.includes('.')) log.printk(`<4>Unknown boot option \`${word}': ignoring\n`)
    else if (equals < 0) argv.push(word)
    else envp.push(word)
  }
  return { argv, envp }
}

/** run_init_process. False: it cannot be run. */
function* run(
  core: Core,
  task: TaskStruct,
  path: string,
  argv: readonly string[],
  envp: readonly string[],
): Sleeping<boolean> {
  try {
    yield* execve(core, task, path, [path, ...argv], envp)
    return true
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.errno !== ENOENT) core.log.printk(`<4>${path}: error ${error.errno}\n`)
    return false
  }
}
