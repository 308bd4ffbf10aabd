/** execve (Linux: fs/exec.c, binfmt_script.c). */

import { IMAGE_MAGIC } from '#abi/image.ts'
import type { LoadedCode } from '#abi/pc/metal.ts'
import { E2BIG, EACCES, ELOOP, ENOEXEC } from '#abi/posix/errno.ts'
import { X_OK } from '#abi/posix/fcntl.ts'
import { MS_NOEXEC, MS_NOSUID } from '#abi/posix/mount.ts'
import { SIG_DFL, SIG_IGN, SIGKILL, SIGSEGV } from '#abi/posix/signal.ts'
import { S_IFMT, S_IFREG, S_ISGID, S_ISUID } from '#abi/posix/stat.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import type { Core } from '../core.ts'
import { fail } from '../errno.ts'
import { releaseMemory } from '../sched/exit.ts'
import type { TaskStruct } from '../sched/task-struct.ts'
import { FUEL_EXHAUSTED } from '../sched/user-mode.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { Path } from '../vfs/file.ts'

/** MAX_ARG_PAGES: 32 pages of arguments and environment. */
const ARG_BYTES_MAX = 32 * PAGE_SIZE
/** BINPRM_BUF_SIZE: what is looked at of a file. */
const BINPRM_BUF_SIZE = 128
/** A script's interpreter may be a script, so deep. */
const SCRIPTS_MAX = 4
/** Pages of a new process's stack. */
const STACK_PAGES = 4

export function* execve(
  core: Core,
  task: TaskStruct,
  path: string,
  argv: readonly string[],
  envp: readonly string[],
): Sleeping<number> {
  let args = argv
  let at = path
  for (let scripts = 0; ; scripts++) {
    checkSize(args, envp)
    const found = yield* core.vfs.walk(task, at, true)
    const { inode } = found
    if ((inode.mode & S_IFMT) !== S_IFREG) fail(EACCES)
    if ((found.mount.flags & MS_NOEXEC) !== 0) fail(EACCES)
    // Root may run only what somebody may run.
    core.vfs.permission(task, inode, X_OK)
    if ((inode.mode & 0o111) === 0) fail(EACCES)
    let code = core.images.known(inode)
    if (!code) {
      const bytes = yield* core.vfs.readAll(inode)
      const head = bytes.subarray(0, BINPRM_BUF_SIZE)
      if (head[0] === 0x23 && head[1] === 0x21) {
        if (scripts >= SCRIPTS_MAX) fail(ELOOP)
        const { interpreter, argument } = parseScript(head)
        args = [interpreter, ...(argument === '' ? [] : [argument]), at, ...args.slice(1)]
        at = interpreter
        continue
      }
      if (head.length < 4 || new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== IMAGE_MAGIC)
        fail(ENOEXEC)
      code = yield* core.images.program(inode, bytes)
    }
    const entry = instantiate(core, code, task)
    yield* becomeProgram(core, task, found, code, entry, args, envp)
    // A script keeps its own name.
    task.comm = path.slice(path.lastIndexOf('/') + 1).slice(0, 15)
    return 0
  }
}

function checkSize(argv: readonly string[], envp: readonly string[]): void {
  let bytes = 0
  for (const list of [argv, envp]) for (const text of list) bytes += text.length + 1
  if (bytes > ARG_BYTES_MAX) fail(E2BIG)
}

/** `#! interpreter argument`: one argument, blanks within it and all. */
function parseScript(head: Uint8Array): { readonly interpreter: string; readonly argument: string } {
  const text = String.fromCharCode(...head)
  const end = text.indexOf('\n')
  const line = text.slice(2, end < 0 ? BINPRM_BUF_SIZE - 1 : end).replace(/[ \t]+$/, '')
  const [, interpreter, argument] = /^[ \t]*([^ \t]*)[ \t]*(.*)$/s.exec(line)!
  if (interpreter === '') fail(ENOEXEC)
  return { interpreter: interpreter!, argument: argument! }
}

/** Evaluate it afresh, for its `main`. What breaks at that would break as the new program: `task` does not survive it. */
export function instantiate(core: Core, code: LoadedCode, task?: TaskStruct): ProgramEntry {
  const evaluated = code.instantiate()
  if (!evaluated.ok) {
    const { message } = evaluated.fault
    core.log.printk(`<6>exec: ${code.name}: ${message}\n`)
    if (task && task.pid !== 1) {
      task.actions = new Map()
      task.blocked = 0
      core.sched.sendSignal(task, message === FUEL_EXHAUSTED ? SIGKILL : SIGSEGV)
    }
    return fail(ENOEXEC)
  }
  // The entry are the program's own object.
  const entry = code.call(() => evaluated.value['main'])
  if (!entry.ok || typeof entry.value !== 'function') return fail(ENOEXEC)
  return entry.value as ProgramEntry
}

/** flush_old_exec and what follows: there is no way back. */
function* becomeProgram(
  core: Core,
  task: TaskStruct,
  found: Path,
  code: LoadedCode,
  main: ProgramEntry,
  argv: readonly string[],
  envp: readonly string[],
): Sleeping<void> {
  const stack = []
  try {
    for (let i = 0; i < STACK_PAGES; i++) stack.push(yield* core.pages.alloc('anon'))
  } catch (error) {
    for (const pfn of stack) core.pages.release(pfn, 'anon')
    throw error
  }
  yield* core.vfs.closeOnExec(task.files)
  yield* core.areas.leave(task)
  releaseMemory(core.sched, task)
  task.anon = stack
  task.textPages = Math.ceil(code.bytes / PAGE_SIZE)
  for (const [signo, action] of task.actions)
    if (action.handler !== SIG_IGN) task.actions.set(signo, { handler: SIG_DFL, flags: 0, mask: 0 })
  gainIds(task, found)
  task.exe = core.vfs.pathText(task, found)
  enterProgram(task, code, main, argv, envp)
}

/** start_thread: what the task does next is `main`'s beginning. */
export function enterProgram(
  task: TaskStruct,
  code: LoadedCode,
  main: ProgramEntry,
  argv: readonly string[],
  envp: readonly string[],
): void {
  task.argv = argv
  task.envp = envp
  task.code = code
  task.forked = false
  task.frames = [{ start: () => main([...argv], [...envp]), generator: undefined, after: undefined }]
  task.result = undefined
  task.request = undefined
  task.savedMask = undefined
}

/** Set-user-id and set-group-id. */
function gainIds(task: TaskStruct, { inode, mount }: Path): void {
  const { cred } = task
  if ((mount.flags & MS_NOSUID) === 0) {
    if ((inode.mode & S_ISUID) !== 0) cred.euid = inode.uid
    if ((inode.mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010)) cred.egid = inode.gid
  }
  cred.suid = cred.fsuid = cred.euid
  cred.sgid = cred.fsgid = cred.egid
}
