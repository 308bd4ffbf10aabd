/** xen/arch/x86/shutdown.c, common/shutdown.c and panic() of console.c: how the host ends. None of these return. */
import { I8042_CMD_RESET, I8042_COMMAND, I8042_STATUS, I8042_STATUS_IBF } from '#abi/pc/i8042.ts'
import { SHUTDOWN_crash, SHUTDOWN_poweroff, SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import { XENLOG_INFO } from '../drivers/console.ts'
import { DEAD, NeverReturns, pauseUntil, RUN_AGAIN, type Steps } from '../steps.ts'
import { printk, type Xen } from '../xen.ts'
import { showHypervisor } from './execution-state.ts'
import type { Pcpu } from './pcpu.ts'
import { callFunction } from './smpboot.ts'

/** panic()'s buffer: a longer message is cut. */
const PANIC_MESSAGE_MAX = 127
/** The BIOS skips its memory test when it finds this at 0x472. */
const WARM_BOOT = 0x1234
const STOP_OTHERS_NS = 200_000

/** `message` ends its lines with newlines. */
export function panic(xen: Xen, message: string): never {
  const text = message.slice(0, PANIC_MESSAGE_MAX)
  const { noreboot } = xen.options
  xen.console.startSync()
  printk(xen, '\n****************************************\n')
  printk(xen, `Panic on CPU ${xen.current.id}:\n`)
  printk(xen, text)
  printk(xen, '****************************************\n\n')
  printk(xen, noreboot ? "Manual reset required ('noreboot' specified)\n" : 'Reboot in five seconds...\n')
  xen.metal.probe({ kind: 'panic', message: text.split('\n')[0]! })
  return noreboot ? machineHalt(xen) : machineRestart(xen, 5000)
}

/** A rule of Xen's own was broken (common/bug.ts): say where, then panic. */
export function* bugPanic(xen: Xen, where: string): Steps {
  xen.console.startSync()
  printk(xen, `Xen BUG at ${where}\n`)
  showHypervisor(xen, xen.current, where)
  yield RUN_AGAIN
  panic(xen, `Xen BUG at ${where}\n`)
}

/** fatal_trap: what the processor was doing, then panic. */
export function fatalTrap(xen: Xen, vector: number, name: string): never {
  const { current } = xen
  // Nobody is to find this processor stuck because it waits for the line.
  for (const { watchdog } of xen.pcpus) watchdog.enabled = false
  xen.console.startSync()
  showHypervisor(xen, current)
  const context = current.interruptsOn ? '' : ', IN INTERRUPT CONTEXT'
  return panic(xen, `FATAL TRAP: vector = ${vector} (${name})\n[error_code=0000] ${context}\n`)
}

/** EARLY_FAIL: a message and the end, before anybody could reboot. */
export function earlyFail(xen: Xen, message: string): never {
  printk(xen, message)
  throw new NeverReturns(halted(xen, xen.current))
}

export function machineHalt(xen: Xen): never {
  const pcpu = xen.current
  xen.console.startSync()
  callFunction(xen, (other) => stopped(other))
  throw new NeverReturns(halted(xen, pcpu))
}

/** Reset the machine after `delayMs`, during which interrupts are served: keys that run at once still do. */
export function machineRestart(xen: Xen, delayMs: number): never {
  const pcpu = xen.current
  xen.console.startSync()
  if (pcpu.id !== 0) {
    // Only the boot processor may do it.
    callFunction(xen, (other) => (other.id === 0 ? machineRestart(xen, delayMs) : undefined), [xen.pcpus[0]!])
    throw new NeverReturns(stopped(pcpu))
  }
  callFunction(xen, (other) => stopped(other))
  throw new NeverReturns(restarting(xen, pcpu, delayMs))
}

function* stopped(pcpu: Pcpu): Steps {
  pcpu.disableInterrupts()
  for (;;) yield DEAD
}

function* halted(xen: Xen, pcpu: Pcpu): Steps {
  // First what was said; the machine is not halted before it has been heard.
  yield RUN_AGAIN
  xen.metal.probe({ kind: 'halted' })
  yield* stopped(pcpu)
}

function* restarting(xen: Xen, pcpu: Pcpu, delayMs: number): Steps {
  // An interrupt taken here may itself restart the machine, and then this one's delay is over.
  pcpu.enableInterrupts()
  yield* pcpu.delay(delayMs)
  // Stopping the others takes long enough for the last character to leave the line.
  yield pauseUntil(pcpu.metal.now() + STOP_OTHERS_NS)
  const { mem, io } = xen.metal
  mem.write16(0x472, xen.options.warmReboot ? WARM_BOOT : 0)
  // The ACPI reset register needs a FADT of revision 2; this firmware has none, so ACPI falls through to the keyboard controller.
  for (;;) {
    for (let i = 0; i < 100; i++) {
      for (let tries = 0; tries < 0x10000 && io.in8(I8042_STATUS) & I8042_STATUS_IBF; tries++);
      yield pauseUntil(pcpu.metal.now() + 50_000)
      io.out8(I8042_COMMAND, I8042_CMD_RESET)
      yield pauseUntil(pcpu.metal.now() + 50_000)
    }
  }
}

/** enter_state, for the one that ends in a power switch: `value` goes into the PM1a control register at `port`. */
export function enterS5(xen: Xen, port: number, value: number): never {
  const pcpu = xen.current
  printk(xen, `${XENLOG_INFO}Preparing system for ACPI S5 state.`)
  if (pcpu.id !== 0) {
    // continue_hypercall_on_cpu
    callFunction(xen, (other) => sleeping(xen, other, port, value), [xen.pcpus[0]!])
    throw new NeverReturns(stopped(pcpu))
  }
  throw new NeverReturns(sleeping(xen, pcpu, port, value))
}

function* sleeping(xen: Xen, pcpu: Pcpu, port: number, value: number): Steps {
  printk(xen, 'Freezing cpus ...\n')
  for (const other of xen.pcpus) {
    if (other === pcpu || !other.online) continue
    printk(xen, `Prepare to bring CPU${other.id} down...\n`)
    callFunction(xen, (each) => stopped(each), [other])
    printk(xen, `CPU ${other.id} is now offline\nCPU${other.id} is down\n`)
  }
  xen.console.startSync()
  printk(xen, 'Entering ACPI S5 state.\n')
  yield* pcpu.drain()
  yield pauseUntil(pcpu.metal.now() + STOP_OTHERS_NS)
  xen.metal.io.out16(port, value & 0xffff)
  // Until it wakes, which a machine that is off does not; nor does one that was told a wrong value.
  yield* stopped(pcpu)
}

function maybeReboot(xen: Xen): never {
  if (xen.options.noreboot) {
    printk(xen, "'noreboot' set - not rebooting.\n")
    return machineHalt(xen)
  }
  printk(xen, 'rebooting machine in 5 seconds.\n')
  return machineRestart(xen, 5000)
}

/** dom0_shutdown: the host goes the way of its domain 0. */
export function dom0Shutdown(xen: Xen, reason: number): never {
  xen.metal.probe({ kind: 'dom0-shutdown', reason })
  switch (reason) {
    case SHUTDOWN_poweroff:
      printk(xen, 'Domain 0 halted: halting machine.\n')
      return machineHalt(xen)
    case SHUTDOWN_crash:
      printk(xen, 'Domain 0 crashed: ')
      return maybeReboot(xen)
    case SHUTDOWN_reboot:
      printk(xen, 'Domain 0 shutdown: rebooting machine.\n')
      return machineRestart(xen, 0)
    default:
      printk(xen, `Domain 0 shutdown (unknown reason ${reason}): `)
      return maybeReboot(xen)
  }
}
