/** The core's system calls. Those about files are the VFS's (vfs/syscalls.ts). */
import { idSyscalls } from './ids.ts'
import { limitSyscalls } from './limits.ts'
import { mmapSyscalls } from './mmap.ts'
import { moduleSyscalls } from './modules.ts'
import { processSyscalls } from './process.ts'
import type { SyscallTable } from './row.ts'
import { signalSyscalls } from './signals.ts'
import { systemSyscalls } from './system.ts'

export const CORE_SYSCALLS: SyscallTable = {
  ...processSyscalls,
  ...signalSyscalls,
  ...idSyscalls,
  ...limitSyscalls,
  ...mmapSyscalls,
  ...systemSyscalls,
  ...moduleSyscalls,
}
