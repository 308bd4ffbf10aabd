/** What the kernel starts, in order: a driver is one file and one row here. */
import { blockInitcalls } from '../block/make.ts'
import { memInit } from '../drivers/mem/mem.ts'
import type { ConsoleInit, Initcall } from '../kernel.ts'
import { procInitcalls } from '../proc/initcalls.ts'
import { consoleInits, ttyInitcalls } from '../tty/initcalls.ts'
import { vfsInitcalls } from '../vfs/make.ts'

/** console_init. */
export const CONSOLE_INITS: readonly ConsoleInit[] = consoleInits

/** do_initcalls. */
export const INITCALLS: readonly Initcall[] = [
  ...vfsInitcalls,
  ...procInitcalls,
  memInit,
  ...ttyInitcalls,
  ...blockInitcalls,
]
