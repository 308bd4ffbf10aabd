/** The kernel as its core sees it: the same object, with the insides of the core's own parts. Other folders see `Kernel`. */

import type { ImageCache } from './exec/image-cache.ts'
import type { EventIrqs } from './irq/events.ts'
import type { Kernel, KernelParts } from './kernel.ts'
import type { Printk } from './log/printk.ts'
import type { UserAreas } from './mm/address-space.ts'
import type { PageAllocator } from './mm/allocator.ts'
import type { ReclaimCounts } from './mm/reclaim.ts'
import type { ModuleTable } from './module/modules.ts'
import type { Sched } from './sched/scheduler.ts'
import type { SyscallDispatcher } from './syscalls/dispatch.ts'
import type { TimeKeeper } from './time/timekeeper.ts'

export interface Core extends Kernel {
  readonly log: Printk
  readonly time: TimeKeeper
  readonly irq: EventIrqs
  readonly pages: PageAllocator
  readonly areas: UserAreas
  readonly sched: Sched
  readonly images: ImageCache
  readonly modules: ModuleTable
  readonly syscalls: SyscallDispatcher
  readonly parts: KernelParts
  /** How the domain is to end, once someone has said so. */
  ending: number | undefined
  /** What reclaim has done; undefined before it has begun. */
  reclaim: ReclaimCounts | undefined
  /** oops=panic: a fault in the kernel crashes the domain, and Xen says where it was. */
  oopsPanics: boolean
  /** kernel.panic, which nothing looks at under Xen: the domain crashes first. */
  panicTimeout: number
  /** kernel.hotplug: who is told of devices that come and go; and how often that has been. */
  hotplugHelper: string
  hotplugSeqnum: number
  /** kernel.sysrq */
  sysrqEnabled: boolean
  /** C_A_D: Ctrl-Alt-Del restarts at once, as until init says otherwise. */
  ctrlAltDelRestarts: boolean
}

export const coreOf = (kernel: Kernel): Core => kernel as Core
