/** Devices of major number 10, one minor each (Linux 2.6.18: drivers/char/misc.c). */
import { EBUSY, ENODEV } from '#abi/posix/errno.ts'
import { minor } from '#abi/posix/stat.ts'
import { fail } from '../../errno.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import type { OpenDevice } from '../../vfs/vfs.ts'

export const MISC_MAJOR = 10
/** Any number that is free, from 63 downwards. */
export const MISC_DYNAMIC_MINOR = 255
const DYNAMIC_MINORS = 64

export interface Misc {
  /** misc_register: the minor that it has then. EBUSY where somebody has it. */
  register(wanted: number, name: string, open: OpenDevice): number
  unregister(minor: number): void
  /** By minor, as they were registered. */
  readonly devices: ReadonlyMap<number, { readonly name: string; readonly open: OpenDevice }>
}

export const miscOf = (kernel: Kernel): Misc => kernel.misc ?? fail(ENODEV)

/** misc_init. */
export const miscInit: Initcall = function* miscInit(kernel) {
  const devices = new Map<number, { readonly name: string; readonly open: OpenDevice }>()
  kernel.misc = {
    devices,
    register(wanted, name, open) {
      let number = wanted
      if (wanted === MISC_DYNAMIC_MINOR) {
        number = DYNAMIC_MINORS - 1
        while (number >= 0 && devices.has(number)) number--
      }
      if (number < 0 || devices.has(number)) fail(EBUSY)
      devices.set(number, { name, open })
      return number
    },
    unregister: (number) => void devices.delete(number),
  }
  kernel.vfs.registerCharDevice(MISC_MAJOR, 'misc', (file, task) =>
    (devices.get(minor(file.inode.rdev)) ?? fail(ENODEV)).open(file, task),
  )
  kernel.proc.add('misc', {
    mode: 0o444,
    read: () => [...devices].reverse().reduce((text, [n, { name }]) => `${text}${String(n).padStart(3)} ${name}\n`, ''),
  })
}
