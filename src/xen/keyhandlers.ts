/** Every debug key there is; `h` prints them by ASCII code. */
import { keyNmiStatistics } from './arch-x86/key-4e-nmi-statistics.ts'
import { keyTriggerNmi } from './arch-x86/key-6e-trigger-nmi.ts'
import { keyClocks } from './arch-x86/key-74-clocks.ts'
import { keyMemoryInfo } from './common/key-6d-memory-info.ts'
import { keyCrashdump } from './common/key-43-crashdump.ts'
import { keyHeapInfo } from './common/key-48-heap-info.ts'
import { keyReboot } from './common/key-52-reboot.ts'
import { keyHelp } from './common/key-68-help.ts'
import type { Keyhandler } from './common/keyhandler.ts'

export const keyhandlers: readonly Keyhandler[] = [
  keyCrashdump,
  keyHeapInfo,
  keyNmiStatistics,
  keyReboot,
  keyHelp,
  keyMemoryInfo,
  keyTriggerNmi,
  keyClocks,
]
