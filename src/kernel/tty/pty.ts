/**
 * Unix98 pseudo terminals (Linux 2.6.18: drivers/char/pty.c, fs/devpts/inode.c): /dev/ptmx makes a pair, whose slave appears in devpts. What is
 * written to one end is received at the other.
 */
import { EINVAL, EIO, ENOSPC } from '#abi/posix/errno.ts'
import { O_NOCTTY } from '#abi/posix/fcntl.ts'
import { TIOCGPTN, TIOCSPTLCK } from '#abi/posix/ioctl.ts'
import { DEVPTS_SUPER_MAGIC } from '#abi/posix/mount.ts'
import { makedev } from '#abi/posix/stat.ts'
import { B38400, CREAD, CS8 } from '#abi/posix/termios.ts'
import { fail } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import { StaticDir, SynthFs } from '../proc/synth.ts'
import type { Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import type { FileOps } from '../vfs/file.ts'
import type { FileSystemType, SuperBlock } from '../vfs/inode.ts'
import { ttysOf } from './core.ts'
import type { TtyDriver, TtyPort } from './driver.ts'
import { intArg } from './ioctl.ts'
import { N_TTY_BUF_SIZE } from './n-tty.ts'
import { stdTermios } from './termios.ts'
import { TtyDevice } from './tty.ts'

const UNIX98_PTY_MASTER_MAJOR = 128
const UNIX98_PTY_SLAVE_MAJOR = 136
const PTYS = 1 << 20
/** NR_UNIX98_PTY_DEFAULT, kernel.pty.max. */
const PTY_MAX_DEFAULT = 4096
/** Of anonymous devices, far from those that are counted up. */
const DEVPTS_DEV = 0xfe
const DEVPTS_ROOT_INO = 1

const u32 = (value: number): Uint8Array => Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, 0)

interface Config {
  uid: number | undefined
  gid: number | undefined
  mode: number
}

class Ptys {
  readonly #kernel: Kernel
  readonly root = new StaticDir(0o755)
  readonly config: Config = { uid: undefined, gid: undefined, mode: 0o600 }
  readonly #used = new Set<number>()
  max = PTY_MAX_DEFAULT
  readonly master: TtyDriver
  readonly slave: TtyDriver

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    const none = (): never => fail(EIO)
    this.master = {
      driverName: 'pty_master',
      name: 'ptm',
      kind: 'pty:master',
      major: UNIX98_PTY_MASTER_MAJOR,
      minorStart: 0,
      count: PTYS,
      nameBase: 0,
      initTermios: { ...stdTermios(B38400 | CS8 | CREAD), iflag: 0, oflag: 0, lflag: 0 },
      port: none,
    }
    this.slave = {
      ...this.master,
      driverName: 'pty_slave',
      name: 'pts/',
      kind: 'pty:slave',
      major: UNIX98_PTY_SLAVE_MAJOR,
      initTermios: stdTermios(B38400 | CS8 | CREAD),
    }
  }

  get count(): number {
    return this.#used.size
  }

  /** ptmx_open. */
  *open(file: { readonly flags: number }, task: Task): Sleeping<FileOps> {
    if (this.#used.size >= this.max) fail(ENOSPC)
    let index = 0
    while (this.#used.has(index)) index++
    const ends = new PtyPair(this.#kernel, this, index)
    this.#used.add(index)
    const ttys = ttysOf(this.#kernel)
    ttys.add(ends.master)
    ttys.add(ends.slave)
    this.root.nodes.set(String(index), {
      kind: 'device',
      mode: this.config.mode,
      ino: index + 2,
      rdev: makedev(UNIX98_PTY_SLAVE_MAJOR, index),
      uid: this.config.uid ?? task.cred.fsuid,
      gid: this.config.gid ?? task.cred.fsgid,
      time: this.#kernel.time.seconds(),
    })
    try {
      return yield* ttys.openTty(ends.master, task, file.flags | O_NOCTTY, {})
    } catch (error) {
      this.forget(ends)
      throw error
    }
  }

  forget(ends: PtyPair): void {
    const ttys = ttysOf(this.#kernel)
    this.#used.delete(ends.index)
    this.root.nodes.delete(String(ends.index))
    ttys.remove(ends.master)
    ttys.remove(ends.slave)
  }
}

class PtyPair {
  readonly index: number
  readonly master: TtyDevice
  readonly slave: TtyDevice
  /** Until unlockpt nobody may open the slave. */
  locked = true

  constructor(kernel: Kernel, ptys: Ptys, index: number) {
    this.index = index
    this.master = new TtyDevice(kernel, { ...ptys.master, port: () => new PtyPort(ptys, this, true) }, index)
    this.slave = new TtyDevice(kernel, { ...ptys.slave, port: () => new PtyPort(ptys, this, false) }, index)
    this.master.link = this.slave
    this.slave.link = this.master
  }
}

class PtyPort implements TtyPort {
  readonly #ptys: Ptys
  readonly #pair: PtyPair
  readonly #isMaster: boolean

  constructor(ptys: Ptys, pair: PtyPair, isMaster: boolean) {
    this.#ptys = ptys
    this.#pair = pair
    this.#isMaster = isMaster
  }

  get #own(): TtyDevice {
    return this.#isMaster ? this.#pair.master : this.#pair.slave
  }

  get #other(): TtyDevice {
    return this.#isMaster ? this.#pair.slave : this.#pair.master
  }

  writeRoom(): number {
    return this.#own.stopped || this.#own.otherClosed ? 0 : this.#other.ldisc.receiveRoom
  }

  write(bytes: Uint8Array): number {
    const room = this.writeRoom()
    if (room === 0) return 0
    return this.#other.ldisc.receive(bytes.length > room ? bytes.subarray(0, room) : bytes, 0)
  }

  charsInBuffer(): number {
    const count = this.#other.ldisc.available
    return this.#isMaster || count >= N_TTY_BUF_SIZE / 2 ? count : 0
  }

  *open(): Sleeping<void> {
    const { master, slave } = this.#pair
    if (this.#isMaster) return
    if (slave.otherClosed || this.#pair.locked || master.opens.size !== 1) fail(EIO)
    master.otherClosed = false
  }

  *close(): Sleeping<void> {
    const { master, slave } = this.#pair
    if (this.#isMaster) {
      slave.otherClosed = true
      this.#ptys.forget(this.#pair)
      slave.vhangup()
    } else {
      master.otherClosed = true
      master.readQueue.wakeUp()
      master.writeQueue.wakeUp()
    }
  }

  /** What the other end has not read. */
  flushBuffer(): void {
    this.#other.flushInput()
  }

  start(): void {
    this.#other.readQueue.wakeUp()
  }

  unthrottle(): void {
    this.#other.wakeWriters()
  }

  ioctl(_task: Task, request: number, arg: number | Uint8Array): Sleeping<number | Uint8Array> | undefined {
    const pair = this.#pair
    if (!this.#isMaster) return undefined
    if (request === TIOCGPTN) return answer(u32(pair.index))
    if (request !== TIOCSPTLCK) return undefined
    pair.locked = intArg(arg) !== 0
    return answer(0)
  }
}

function* answer<T>(value: T): Sleeping<T> {
  return value
}

/** devpts' mount options; what is not known is refused. */
function configure(config: Config, data: string): void {
  const next: Config = { uid: undefined, gid: undefined, mode: 0o600 }
  for (const word of data.split(',')) {
    if (word === '') continue
    const match = /^(uid|gid)=(\d+)$/.exec(word)
    const mode = /^mode=([0-7]+)$/.exec(word)
    if (match) next[match[1] as 'uid' | 'gid'] = Number(match[2])
    else if (mode) next.mode = Number.parseInt(mode[1]!, 8) & 0o7777
    else fail(EINVAL)
  }
  Object.assign(config, next)
}

class DevptsFs extends SynthFs {
  readonly #config: Config
  constructor(kernel: Kernel, type: FileSystemType, source: string, flags: number, ptys: Ptys) {
    super(kernel, type, source, flags, ptys.root, {
      dev: DEVPTS_DEV,
      magic: DEVPTS_SUPER_MAGIC,
      blockBytes: 1024,
      keepsAttributes: true,
      rootIno: DEVPTS_ROOT_INO,
    })
    this.#config = ptys.config
  }
  override *remount(flags: number, data = ''): Sleeping<void> {
    configure(this.#config, data)
    this.flags = flags
  }
}

/** pty_init and init_devpts_fs. */
export function registerPtys(kernel: Kernel): void {
  const ttys = ttysOf(kernel)
  const ptys = new Ptys(kernel)
  ttys.register(ptys.master)
  ttys.register(ptys.slave)
  ttys.ptmx = (file, task) => ptys.open(file, task)
  let sb: DevptsFs | undefined
  kernel.vfs.registerFileSystem({
    name: 'devpts',
    nodev: true,
    *mount(by: Kernel, source: string, flags: number, data: string): Sleeping<SuperBlock> {
      configure(ptys.config, data)
      sb ??= new DevptsFs(by, this, source, flags, ptys)
      return sb
    },
  })
  kernel.proc.add('sys/kernel/pty/nr', { mode: 0o444, read: () => `${ptys.count}\n` })
  kernel.proc.add('sys/kernel/pty/max', {
    mode: 0o644,
    read: () => `${ptys.max}\n`,
    write(text) {
      const value = Number(text.trim())
      if (!/^\s*\d+\s*$/.test(text) || value > PTYS) fail(EINVAL)
      ptys.max = value
    },
  })
}
