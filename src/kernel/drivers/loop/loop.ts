/** loop.ko (Linux: drivers/block/loop.c): a file as a block device. `max_loop=` says how many there are. */
import { EBADF, EBUSY, EINVAL, EIO, ENOTTY, ENXIO } from '#abi/posix/errno.ts'
import { O_ACCMODE, O_RDONLY } from '#abi/posix/fcntl.ts'
import {
  LO_FLAGS_READ_ONLY,
  LO_NAME_SIZE,
  LOOP_CLR_FD,
  LOOP_GET_STATUS64,
  LOOP_INFO64,
  LOOP_INFO64_BYTES,
  LOOP_MAJOR,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
} from '#abi/posix/loop.ts'
import { S_IFBLK, S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Disk } from '../../block/block.ts'
import type { Kernel, KernelModule } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import type { File } from '../../vfs/file.ts'

const LOOPS = 8
const LOOPS_MAX = 255

/** A module has its own idea of the kernel's Errno: an object with `errno`. */
function fail(errno: number): never {
  throw { errno }
}

class LoopDevice implements Disk {
  readonly #kernel: Kernel
  readonly name: string
  readonly major = LOOP_MAJOR
  readonly firstMinor: number
  readonly minors = 1
  #file: File | undefined
  #offset = 0
  #sizeLimit = 0
  #fileName: Uint8Array = new Uint8Array(LO_NAME_SIZE)

  constructor(kernel: Kernel, number: number) {
    this.#kernel = kernel
    this.name = `loop${number}`
    this.firstMinor = number
  }

  get sectors(): number {
    if (!this.#file) return 0
    const { inode, ops } = this.#file
    const size = ops.size ? ops.size(this.#file) : inode.size
    const rest = Math.max(0, size - this.#offset)
    return Math.floor((this.#sizeLimit > 0 ? Math.min(rest, this.#sizeLimit) : rest) / 512)
  }

  get readOnly(): boolean {
    return this.#file !== undefined && (this.#file.flags & O_ACCMODE) === O_RDONLY
  }

  *read(sector: number, count: number): Sleeping<Uint8Array> {
    const file = this.#file ?? fail(EIO)
    const out = new Uint8Array(count * 512)
    for (let done = 0; done < out.length; ) {
      const part = yield* file.ops.read!(file, out.length - done, this.#offset + sector * 512 + done)
      if (part.length === 0) fail(EIO)
      out.set(part, done)
      done += part.length
    }
    return out
  }

  *write(sector: number, bytes: Uint8Array): Sleeping<void> {
    const file = this.#file ?? fail(EIO)
    const { inode } = file
    yield* inode.mutex.lock(this.#kernel)
    try {
      const written = yield* file.ops.write!(file, bytes, this.#offset + sector * 512)
      if (written < bytes.length) fail(EIO)
    } finally {
      inode.mutex.unlock()
    }
  }

  *flush(): Sleeping<void> {
    const file = this.#file
    if (file?.ops.fsync) yield* file.ops.fsync(file)
  }

  *ioctl(request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> {
    switch (request) {
      case LOOP_SET_FD:
        this.#setFd(arg)
        return 0
      case LOOP_CLR_FD:
        yield* this.clear()
        return 0
      case LOOP_SET_STATUS64:
        this.#setStatus(arg)
        return 0
      case LOOP_GET_STATUS64:
        return this.#status()
      default:
        return fail(ENOTTY)
    }
  }

  #setFd(fd: number | Uint8Array): void {
    if (this.#file) fail(EBUSY)
    if (typeof fd !== 'number') fail(EINVAL)
    const file = this.#kernel.sched.current.files.get(fd) ?? fail(EBADF)
    const type = file.inode.mode & S_IFMT
    if ((type !== S_IFREG && type !== S_IFBLK) || !file.ops.read) fail(EINVAL)
    // Not a file on itself.
    if (type === S_IFBLK && file.inode.rdev >> 8 === LOOP_MAJOR) fail(EBADF)
    this.#kernel.vfs.holdFile(file)
    this.#file = file
    this.#offset = 0
    this.#sizeLimit = 0
    this.#fileName = new Uint8Array(LO_NAME_SIZE)
  }

  /** loop_clr_fd: EBUSY while anybody but the caller has it open. */
  *clear(): Sleeping<void> {
    const file = this.#file ?? fail(ENXIO)
    const device = this.#kernel.blocks.named(this.name)
    if (device && device.openers > 1) fail(EBUSY)
    if (device) {
      yield* device.writeAll()
      yield* this.#kernel.vfs.cache.truncate(device.mapping, 0)
    }
    this.#file = undefined
    yield* this.#kernel.vfs.dropFile(file)
  }

  get bound(): boolean {
    return this.#file !== undefined
  }

  #setStatus(info: number | Uint8Array): void {
    if (!this.#file) fail(ENXIO)
    if (typeof info === 'number' || info.length < LOOP_INFO64_BYTES) fail(EINVAL)
    const view = new DataView(info.buffer, info.byteOffset, info.byteLength)
    const offset = Number(view.getBigUint64(LOOP_INFO64.offset, true))
    const limit = Number(view.getBigUint64(LOOP_INFO64.sizelimit, true))
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(limit)) fail(EINVAL)
    this.#offset = offset
    this.#sizeLimit = limit
    this.#fileName = info.slice(LOOP_INFO64.fileName, LOOP_INFO64.fileName + LO_NAME_SIZE)
  }

  #status(): Uint8Array {
    const { inode } = this.#file ?? fail(ENXIO)
    const out = new Uint8Array(LOOP_INFO64_BYTES)
    const view = new DataView(out.buffer)
    view.setBigUint64(LOOP_INFO64.device, BigInt(inode.sb.dev), true)
    view.setBigUint64(LOOP_INFO64.inode, BigInt(inode.ino), true)
    view.setBigUint64(LOOP_INFO64.offset, BigInt(this.#offset), true)
    view.setBigUint64(LOOP_INFO64.sizelimit, BigInt(this.#sizeLimit), true)
    view.setUint32(LOOP_INFO64.number, this.firstMinor, true)
    view.setUint32(LOOP_INFO64.flags, this.readOnly ? LO_FLAGS_READ_ONLY : 0, true)
    out.set(this.#fileName, LOOP_INFO64.fileName)
    return out
  }
}

const numberOf = (parameters: ReadonlyMap<string, string>): number => {
  const text = parameters.get('max_loop')
  if (text === undefined) return LOOPS
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0
  return number >= 1 && number <= LOOPS_MAX ? number : LOOPS
}

export const module: KernelModule = {
  name: 'loop',
  license: 'GPL',
  description: 'Loop devices: files as block devices',
  *init(kernel, parameters) {
    const count = numberOf(parameters)
    kernel.blocks.registerBlockDevice(LOOP_MAJOR, 'loop')
    for (let i = 0; i < count; i++) yield* kernel.blocks.addDisk(new LoopDevice(kernel, i))
    kernel.log.printk(`<6>loop: loaded (max ${count} devices)\n`)
  },
  *exit(kernel) {
    const loops = kernel.blocks.disks.filter(({ disk }) => disk.major === LOOP_MAJOR)
    for (const { disk } of loops) {
      const device = kernel.blocks.named(disk.name)
      if (disk.sectors > 0 || (device && device.openers > 0)) fail(EBUSY)
    }
    for (const { disk } of loops) yield* kernel.blocks.removeDisk(disk.name)
    kernel.blocks.unregisterBlockDevice(LOOP_MAJOR)
  },
}
