/** How it ends (Linux: kernel/sys.c, drivers/xen/core/machine_reboot.c). */
import { SIGINT } from '#abi/posix/signal.ts'
import { SHUTDOWN_poweroff, SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import type { Core } from '../core.ts'
import { acpiPowerOff } from './acpi-sleep.ts'

export function restart(core: Core): void {
  core.log.printk('<0>Restarting system.\n')
  core.ending ??= SHUTDOWN_reboot
}

export function halt(core: Core): void {
  core.log.printk('<0>System halted.\n')
  core.ending ??= SHUTDOWN_poweroff
}

export function powerOff(core: Core): void {
  core.log.printk('<0>Power down.\n')
  acpiPowerOff(core)
  core.ending ??= SHUTDOWN_poweroff
}

/** Ctrl-Alt-Del: what init's `ctrlaltdel` entry is for, unless it is to restart at once. */
export function ctrlAltDel(core: Core): void {
  const init = core.sched.initTask
  if (core.ctrlAltDelRestarts || !init) restart(core)
  else core.sched.sendSignal(init, SIGINT)
}
