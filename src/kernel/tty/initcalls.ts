/** What the kernel starts of its terminals, in the order in which 2.6.18's links put it. */
import { i8042Init } from '../drivers/keyboard/i8042.ts'
import { serial8250Init, serialConsoleInit } from '../drivers/serial8250/serial8250.ts'
import { vtConsoleInit } from '../drivers/vt/vt.ts'
import { xenConsoleInit, xencons, xenconsInit } from '../drivers/xencons/xencons.ts'
import type { ConsoleInit, Initcall } from '../kernel.ts'
import { ttysOf } from './core.ts'
import { registerPtys } from './pty.ts'

/** console_init: what printk goes to. Each does nothing the second time. */
export const consoleInits: readonly ConsoleInit[] = [vtConsoleInit, serialConsoleInit, xenConsoleInit]

/** Terminals and their drivers. Begins with the consoles, for a kernel that has not called them before. */
export const ttyInitcalls: readonly Initcall[] = [
  function* consoles(kernel) {
    for (const init of consoleInits) init(kernel)
  },
  function* ttyInit(kernel) {
    ttysOf(kernel).vts?.register()
  },
  function* ptyInit(kernel) {
    registerPtys(kernel)
  },
  function* xenconsoles(kernel) {
    const console = xencons(kernel)
    if (console) yield* xenconsInit(kernel, console)
  },
  serial8250Init,
  i8042Init,
]
