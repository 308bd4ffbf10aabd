/** The memory devices of major number 1 (Linux 2.6.18: drivers/char/mem.c, random.c): null, zero, full, random, urandom, kmsg. */
import { EINVAL, ENOSPC, ENXIO } from '#abi/posix/errno.ts'
import { POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { minor } from '#abi/posix/stat.ts'
import { byteString } from '#lib/utf8.ts'
import { fail } from '../../errno.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import type { FileOps } from '../../vfs/file.ts'

const MEM_MAJOR = 1
const NULL_MINOR = 3
const ZERO_MINOR = 5
const FULL_MINOR = 7
const RANDOM_MINOR = 8
const URANDOM_MINOR = 9
const KMSG_MINOR = 11

/** One read of /dev/zero makes no more than this; a larger one is short. */
const READ_BYTES_MAX = 1 << 24
/** SEC_XFER_SIZE: what one read of /dev/random gives. */
const RANDOM_BYTES_MAX = 512
/** Dice are thrown in pieces of this. */
const URANDOM_BYTES_MAX = 1 << 20

const NOTHING = new Uint8Array(0)

const nullOps: FileOps = {
  *read() {
    return NOTHING
  },
  *write(_file, bytes) {
    return bytes.length
  },
}

const zeroOps: FileOps = {
  *read(_file, count) {
    return new Uint8Array(Math.min(count, READ_BYTES_MAX))
  },
  write: nullOps.write!,
}

const fullOps: FileOps = {
  read: zeroOps.read!,
  *write() {
    return fail(ENOSPC)
  },
}

const diceOps = (kernel: Kernel, bytesMax: number): FileOps => ({
  seekable: false,
  *read(_file, count) {
    return kernel.random(Math.min(count, bytesMax))
  },
  // Whoever writes stirs the pool; there is none.
  write: nullOps.write!,
  poll: () => POLLIN | POLLOUT,
  *ioctl() {
    return fail(EINVAL)
  },
})

const kmsgOps = (kernel: Kernel): FileOps => ({
  seekable: false,
  *write(_file, bytes) {
    kernel.log.printk(byteString(bytes))
    return bytes.length
  },
})

function opsOf(kernel: Kernel, number: number): FileOps {
  switch (number) {
    case NULL_MINOR:
      return nullOps
    case ZERO_MINOR:
      return zeroOps
    case FULL_MINOR:
      return fullOps
    case RANDOM_MINOR:
      return diceOps(kernel, RANDOM_BYTES_MAX)
    case URANDOM_MINOR:
      return diceOps(kernel, URANDOM_BYTES_MAX)
    case KMSG_MINOR:
      return kmsgOps(kernel)
    default:
      return fail(ENXIO)
  }
}

/** chr_dev_init. */
export const memInit: Initcall = function* memInit(kernel) {
  kernel.vfs.registerCharDevice(MEM_MAJOR, 'mem', function* ({ inode }) {
    return opsOf(kernel, minor(inode.rdev))
  })
}
