/** Every debug key there is; `h` prints them by ASCII code. */

import { keyNmiStatistics } from './arch-x86/key-4e-nmi-statistics.ts'
import { keyTriggerNmi } from './arch-x86/key-6e-trigger-nmi.ts'
import { keyIoapic } from './arch-x86/key-7a-ioapic.ts'
import { keyDom0Registers } from './arch-x86/key-30-dom0-registers.ts'
import { keyShadowAudits, keyShadowTables } from './arch-x86/key-53-shadow.ts'
import { keyCx } from './arch-x86/key-63-cx.ts'
import { keyRegisters } from './arch-x86/key-64-registers.ts'
import { keyInterrupts } from './arch-x86/key-69-interrupts.ts'
import { keyClocks } from './arch-x86/key-74-clocks.ts'
import { keyNuma } from './arch-x86/key-75-numa.ts'
import { keyMemoryInfo } from './common/key-6d-memory-info.ts'
import { keyDebugger } from './common/key-25-debugger.ts'
import { keyCrashdump } from './common/key-43-crashdump.ts'
import { keyHeapInfo } from './common/key-48-heap-info.ts'
import { keyReboot } from './common/key-52-reboot.ts'
import { keyTimers } from './common/key-61-timers.ts'
import { keyEventChannels } from './common/key-65-event-channels.ts'
import { keyHelp } from './common/key-68-help.ts'
import { keyDomains } from './common/key-71-domains.ts'
import { keyRunQueues } from './common/key-72-run-queues.ts'
import type { Keyhandler } from './common/keyhandler.ts'
import { keyPciDevices } from './drivers/key-51-pci-devices.ts'

export const keyhandlers: readonly Keyhandler[] = [
  keyDebugger,
  keyDom0Registers,
  keyCrashdump,
  keyHeapInfo,
  keyNmiStatistics,
  keyPciDevices,
  keyShadowAudits,
  keyReboot,
  keyShadowTables,
  keyTimers,
  keyCx,
  keyRegisters,
  keyEventChannels,
  keyHelp,
  keyInterrupts,
  keyMemoryInfo,
  keyTriggerNmi,
  keyDomains,
  keyRunQueues,
  keyClocks,
  keyNuma,
  keyIoapic,
]
