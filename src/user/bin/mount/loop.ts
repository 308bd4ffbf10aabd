/** Loop devices as mount and losetup set them up: util-linux's lomount.c. */
import { EACCES, EBUSY, ENXIO, EROFS } from '#abi/posix/errno.ts'
import { O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import {
  LO_FLAGS_READ_ONLY,
  LO_NAME_SIZE,
  LOOP_CLR_FD,
  LOOP_GET_STATUS64,
  LOOP_INFO64,
  LOOP_INFO64_BYTES,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
} from '#abi/posix/loop.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { run } from '../../libc/process.ts'
import { eprint, readFile } from '../../libc/stdio.ts'
import { close, ioctl, open, stat } from '../../libc/syscall.ts'

/** Where names end that one may try: loop(4). */
const LOOPS_MAX = 256

export interface LoopInfo {
  /** Of the file. */
  readonly device: number
  readonly inode: number
  readonly offset: number
  readonly readOnly: boolean
  readonly fileName: string
}

/** What a loop device has; undefined: nothing. OsError where it is none. */
export function* loopInfo(path: string): Sys<LoopInfo | undefined> {
  const fd = yield* open(path, O_RDONLY, 0)
  try {
    const info = yield* ioctl(fd, LOOP_GET_STATUS64, 0)
    if (typeof info === 'number') return undefined
    const view = new DataView(info.buffer, info.byteOffset, info.byteLength)
    const name = byteString(info.subarray(LOOP_INFO64.fileName, LOOP_INFO64.fileName + LO_NAME_SIZE))
    return {
      device: Number(view.getBigUint64(LOOP_INFO64.device, true)),
      inode: Number(view.getBigUint64(LOOP_INFO64.inode, true)),
      offset: Number(view.getBigUint64(LOOP_INFO64.offset, true)),
      readOnly: (view.getUint32(LOOP_INFO64.flags, true) & LO_FLAGS_READ_ONLY) !== 0,
      fileName: name.replace(/\0.*$/s, ''),
    }
  } catch (error) {
    if (error instanceof OsError && error.errno === ENXIO && error.call === 'ioctl') return undefined
    throw error
  } finally {
    yield* close(fd)
  }
}

/** The loop devices there are nodes for. */
export function* loopDevices(): Sys<string[]> {
  const found: string[] = []
  for (let i = 0; i < LOOPS_MAX; i++) {
    try {
      yield* stat(`/dev/loop${i}`)
    } catch (error) {
      if (error instanceof OsError) break
      throw error
    }
    found.push(`/dev/loop${i}`)
  }
  return found
}

/** Whether the kernel knows loop devices. In life opening one makes the kernel fetch its module; ours does not, so it is fetched here. */
function* loopKnown(): Sys<boolean> {
  for (let tries = 0; tries < 2; tries++) {
    try {
      if (/^ *7 loop$/m.test(yield* readFile('/proc/devices'))) return true
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
    if (tries === 0) yield* run('/sbin/modprobe', ['modprobe', '-q', 'loop'], ['PATH=/sbin:/bin'])
  }
  return false
}

/** find_unused_loop_device(); undefined after a complaint. */
export function* unusedLoop(program: string): Sys<string | undefined> {
  const known = yield* loopKnown()
  let some = false
  const devices = yield* loopDevices()
  for (const device of devices) {
    try {
      if (!(yield* loopInfo(device))) return device
      some = true
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  yield* eprint(
    devices.length === 0
      ? `${program}: could not find any device /dev/loop#\n`
      : some
        ? `${program}: could not find any free loop device\n`
        : known
          ? `${program}: Could not find any loop device.\n       Maybe /dev/loop# has a wrong major number?\n`
          : `${program}: Could not find any loop device, and, according to /proc/devices,\n` +
            '       this kernel does not know about the loop device.\n' +
            "       (If so, then recompile or `insmod loop.o'.)\n",
  )
  return undefined
}

/** set_loop(): read-only where the file cannot be written. `busy`: somebody else was faster. `failed`: complained. */
export function* setLoop(
  device: string,
  file: string,
  offset: number,
  readOnly: boolean,
): Sys<'rw' | 'ro' | 'busy' | 'failed'> {
  yield* loopKnown()
  let mode = readOnly ? O_RDONLY : O_RDWR
  let fileFd = -1
  let fd = -1
  try {
    try {
      fileFd = yield* open(file, mode, 0)
    } catch (error) {
      if (!(error instanceof OsError) || readOnly || (error.errno !== EROFS && error.errno !== EACCES)) throw error
      mode = O_RDONLY
      fileFd = yield* open(file, mode, 0)
    }
    fd = yield* open(device, mode, 0)
    yield* ioctl(fd, LOOP_SET_FD, fileFd)
    const info = new Uint8Array(LOOP_INFO64_BYTES)
    new DataView(info.buffer).setBigUint64(LOOP_INFO64.offset, BigInt(offset), true)
    info.set(bytesOfString(file.slice(0, LO_NAME_SIZE - 1)), LOOP_INFO64.fileName)
    try {
      yield* ioctl(fd, LOOP_SET_STATUS64, info)
    } catch (error) {
      yield* ioctl(fd, LOOP_CLR_FD, 0)
      throw error
    }
    return mode === O_RDONLY ? 'ro' : 'rw'
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.call === 'ioctl' && error.errno === EBUSY) return 'busy'
    const what = error.call === 'ioctl' ? 'ioctl: LOOP_SET_FD' : fileFd < 0 ? file : device
    yield* eprint(`${what}: ${strerror(error.errno)}\n`)
    return 'failed'
  } finally {
    if (fd >= 0) yield* close(fd)
    if (fileFd >= 0) yield* close(fileFd)
  }
}

/** del_loop(). */
export function* deleteLoop(device: string): Sys<boolean> {
  try {
    const fd = yield* open(device, O_RDONLY, 0)
    try {
      yield* ioctl(fd, LOOP_CLR_FD, 0)
      return true
    } finally {
      yield* close(fd)
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(
      error.call === 'ioctl'
        ? `ioctl: LOOP_CLR_FD: ${strerror(error.errno)}\n`
        : `loop: can't delete device ${device}: ${strerror(error.errno)}\n`,
    )
    return false
  }
}
