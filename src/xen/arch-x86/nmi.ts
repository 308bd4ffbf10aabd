/**
 * xen/arch/x86/nmi.c: the NMI watchdog. It lets a performance counter of each processor raise an NMI once a second, and takes a processor
 * for stuck whose timers have stood still for five of them. This machine's processors have no such counters: they are found stuck at
 * boot, and only NMIs from elsewhere make the watchdog look.
 */
import type { Steps } from '../steps.ts'
import { now, printk, type Xen } from '../xen.ts'
import type { Pcpu } from './pcpu.ts'
import { fatalTrap } from './shutdown.ts'

/** Ten ticks of 10 ms: time for as many NMIs. */
const TEST_MS = 100
const NMIS_MIN = 5
const HEARTBEAT_NS = 1e9
/** 5 * nmi_hz */
const ALERTS_MAX = 5

/** check_nmi_watchdog */
export function* checkNmiWatchdog(xen: Xen, pcpus: readonly Pcpu[]): Steps {
  printk(xen, 'Testing NMI watchdog --- ')
  const before = pcpus.map(({ nmis }) => nmis)
  yield* xen.current.delay(TEST_MS)
  for (const [i, { id, nmis }] of pcpus.entries())
    printk(xen, `CPU#${id} ${nmis - before[i]! <= NMIS_MIN ? 'stuck' : 'okay'}. `)
  printk(xen, '\n')
}

/** watchdog_enable: each processor's heart beats once a second. */
export function watchdogEnable(xen: Xen): void {
  for (const pcpu of xen.pcpus) {
    const { watchdog } = pcpu
    const timer = {
      name: 'NMI watchdog',
      expiresNs: 0,
      run: (): void => {
        watchdog.beats++
        pcpu.setTimer(timer, pcpu.now() + HEARTBEAT_NS)
      },
    }
    watchdog.enabled = true
    pcpu.setTimer(timer, now(xen))
  }
}

/** nmi_watchdog_tick */
export function watchdogTick(xen: Xen, { id, watchdog }: Pcpu): void {
  if (watchdog.enabled && watchdog.lastBeats === watchdog.beats) {
    if (++watchdog.alerts !== ALERTS_MAX) return
    printk(xen, `Watchdog timer detects that CPU${id} is stuck!\n`)
    fatalTrap(xen, 2, 'nmi')
  }
  watchdog.lastBeats = watchdog.beats
  watchdog.alerts = 0
}
