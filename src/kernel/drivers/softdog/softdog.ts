/**
 * softdog.ko (Linux: drivers/char/watchdog/softdog.c): a watchdog of the kernel's own making. Whoever opens /dev/watchdog and then does not write to it
 * for soft_margin seconds has the machine restarted. Closed properly, by a last `V`, it stops.
 */
import { EBUSY, EINVAL, ENODEV, ENOTTY } from '#abi/posix/errno.ts'
import { fail } from '../../errno.ts'
import type { Kernel, KernelModule, Timer } from '../../kernel.ts'
import type { FileOps } from '../../vfs/file.ts'

const WATCHDOG_MINOR = 130
const MARGIN_SECONDS = 60
const NS = 1_000_000_000
const SHUTDOWN_REBOOT = 1
const WDIOC_KEEPALIVE = 0x80045705
const WDIOC_SETTIMEOUT = 0xc0045706
const WDIOC_GETTIMEOUT = 0x80045707

interface Dog {
  margin: number
  timer: Timer | undefined
  open: boolean
  mayStop: boolean
}

function watchdogOps(kernel: Kernel, dog: Dog): FileOps {
  const keepAlive = (): void => {
    dog.timer?.cancel()
    dog.timer = kernel.time.after(dog.margin * NS, () => {
      kernel.log.printk('<2>SoftDog: Initiating system reboot.\n')
      kernel.shutdown(SHUTDOWN_REBOOT)
    })
  }
  keepAlive()
  return {
    seekable: false,
    *write(_file, bytes) {
      dog.mayStop = bytes.includes(0x56)
      if (bytes.length > 0) keepAlive()
      return bytes.length
    },
    *ioctl(_file, request, arg) {
      switch (request >>> 0) {
        case WDIOC_KEEPALIVE:
          keepAlive()
          return 0
        case WDIOC_SETTIMEOUT:
          if (typeof arg !== 'number' || arg < 1 || arg > 65535) fail(EINVAL)
          dog.margin = arg
          keepAlive()
          return arg
        case WDIOC_GETTIMEOUT:
          return dog.margin
        default:
          return fail(ENOTTY)
      }
    },
    *release() {
      dog.open = false
      if (dog.mayStop) {
        dog.timer?.cancel()
        dog.timer = undefined
      } else {
        kernel.log.printk('<2>SoftDog: Unexpected close, not stopping watchdog!\n')
        keepAlive()
      }
    },
  }
}

export const softdog = (): KernelModule => {
  const dog: Dog = { margin: MARGIN_SECONDS, timer: undefined, open: false, mayStop: false }
  return {
    name: 'softdog',
    license: 'GPL',
    description: 'Software Watchdog Device Driver',
    *init(kernel, parameters) {
      const margin = parameters.get('soft_margin')
      if (margin !== undefined) {
        dog.margin = Number(margin)
        if (!Number.isInteger(dog.margin) || dog.margin < 1 || dog.margin > 65535) {
          kernel.log.printk('<6>softdog: soft_margin must be 0 < soft_margin < 65536, using 60\n')
          dog.margin = MARGIN_SECONDS
        }
      }
      const misc = kernel.misc ?? fail(ENODEV)
      misc.register(WATCHDOG_MINOR, 'watchdog', function* () {
        if (dog.open) fail(EBUSY)
        dog.open = true
        dog.mayStop = false
        return watchdogOps(kernel, dog)
      })
      kernel.log.printk(
        `<6>Software Watchdog Timer: 0.07 initialized. soft_noboot=0 soft_margin=${dog.margin} sec (nowayout= 0)\n`,
      )
    },
    *exit(kernel) {
      dog.timer?.cancel()
      kernel.misc?.unregister(WATCHDOG_MINOR)
    },
  }
}

/** The image's entry: module evaluation makes one dog. */
export const module: KernelModule = softdog()
