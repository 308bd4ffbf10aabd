/** What the kernel starts, in order: a driver is one file and one row here. */
import { blockInitcalls } from '../block/make.ts'
import { balloonInit } from '../drivers/balloon/balloon.ts'
import { blkbackInit } from '../drivers/blk/back.ts'
import { blkfrontInit } from '../drivers/blk/front.ts'
import { cpuidInit } from '../drivers/cpuid/cpuid.ts'
import { evtchnInit } from '../drivers/evtchn/evtchn.ts'
import { hostlinkInit } from '../drivers/hostlink/hostlink.ts'
import { memInit } from '../drivers/mem/mem.ts'
import { miscInit } from '../drivers/misc/misc.ts'
import { privcmdInit } from '../drivers/privcmd/privcmd.ts'
import type { ConsoleInit, Initcall } from '../kernel.ts'
import { netInit } from '../net/net.ts'
import { procInitcalls } from '../proc/initcalls.ts'
import { consoleInits, ttyInitcalls } from '../tty/initcalls.ts'
import { vfsInitcalls } from '../vfs/make.ts'
import { gntdevInit } from '../xen/gntdev.ts'
import { gnttabInit } from '../xen/gnttab.ts'
import { controlInit } from '../xenbus/control.ts'
import { xenbusDevInit } from '../xenbus/dev.ts'
import { xenbusInit } from '../xenbus/init.ts'
import { waitForDevicesInit } from '../xenbus/probe.ts'

/** console_init. */
export const CONSOLE_INITS: readonly ConsoleInit[] = consoleInits

/** do_initcalls. */
export const INITCALLS: readonly Initcall[] = [
  ...vfsInitcalls,
  ...procInitcalls,
  netInit,
  gnttabInit,
  xenbusInit,
  balloonInit,
  controlInit,
  memInit,
  cpuidInit,
  miscInit,
  evtchnInit,
  xenbusDevInit,
  hostlinkInit,
  privcmdInit,
  gntdevInit,
  ...ttyInitcalls,
  ...blockInitcalls,
  blkfrontInit,
  blkbackInit,
  // Late: drivers have begun.
  waitForDevicesInit,
]
