/**
 * What is asked of the domain through xenstore (linux-2.6.18-xen: drivers/xen/core/reboot.c, cpu_hotplug.c): control/shutdown, control/sysrq,
 * cpu/N/availability.
 */
import { coreOf } from '../core.ts'
import { Errno } from '../errno.ts'
import { powerOff } from '../init/reboot.ts'
import { askSysrq } from '../init/sysrq.ts'
import type { Initcall, Kernel } from '../kernel.ts'
import { callUsermodehelper } from '../sched/usermodehelper.ts'
import type { Sleeping } from '../sched/wait.ts'
import { readKey } from './device.ts'
import type { XenbusProbe } from './probe.ts'
import type { XenstoreClient } from './store.ts'

const POWEROFF = '/sbin/poweroff'
const POWEROFF_ENV = ['HOME=/', 'TERM=linux', 'PATH=/sbin:/usr/sbin:/bin:/usr/bin']

/** setup_shutdown_event and setup_vcpu_hotplug_event. */
export const controlInit: Initcall = function* (kernel) {
  const xenbus = kernel.xenbus as XenbusProbe | undefined
  xenbus?.onReady(function* () {
    const { store } = xenbus
    yield* store.watch('control/shutdown', () => shutdownHandler(kernel, store))
    yield* store.watch('control/sysrq', () => sysrqHandler(kernel, store))
    yield* store.watch('cpu', (path) => vcpuHandler(kernel, store, path))
  })
}

/** Read a key that is a wish, and put `taken` in its place. Undefined: there is none. */
function take(store: XenstoreClient, path: string, taken: string): Sleeping<string | undefined> {
  return store.transaction(function* (t) {
    const value = yield* readKey(store, path, t)
    if (value === undefined || value === '' || value === taken) return undefined
    yield* store.write(path, taken, t)
    return value
  })
}

function* shutdownHandler(kernel: Kernel, store: XenstoreClient): Sleeping<void> {
  const wish = yield* take(store, 'control/shutdown', '')
  if (wish === undefined) return
  if (wish === 'poweroff' || wish === 'halt') {
    try {
      callUsermodehelper(kernel, POWEROFF, [POWEROFF], POWEROFF_ENV)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      powerOff(coreOf(kernel))
    }
  } else if (wish === 'reboot') kernel.ctrlAltDel()
  // Suspending is not among what this kernel can do.
  else kernel.log.printk(`<4>Ignoring shutdown request: ${wish}\n`)
}

function* sysrqHandler(kernel: Kernel, store: XenstoreClient): Sleeping<void> {
  const wish = yield* take(store, 'control/sysrq', '\0')
  if (wish !== undefined) askSysrq(coreOf(kernel), wish[0]!)
}

/** vcpu_hotplug. The only processor stays, whatever is said of it. */
function* vcpuHandler({ log }: Kernel, store: XenstoreClient, path: string): Sleeping<void> {
  if (!/(^|\/)cpu\/0(\/|$)/.test(path)) return
  const state = yield* readKey(store, 'cpu/0/availability')
  if (state === undefined) log.printk('<3>XENBUS: Unable to read cpu state\n')
  else if (state !== 'online' && state !== 'offline') log.printk(`<3>XENBUS: unknown state(${state}) on CPU0\n`)
}
