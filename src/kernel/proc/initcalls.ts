/** What starts /proc and /sys. */
import type { Initcall } from '../kernel.ts'
import { sysfsInit } from '../sysfs/sysfs.ts'
import { registerProcFiles } from './files.ts'
import type { Proc } from './make.ts'

export const procInitcalls: readonly Initcall[] = [
  function* procRootInit(kernel) {
    kernel.vfs.registerFileSystem((kernel.proc as Proc).type)
    registerProcFiles(kernel)
  },
  sysfsInit,
]
