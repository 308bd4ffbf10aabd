import { describe, expect, test } from 'vitest'
import { EINTR, EINVAL, EIO, ENOTTY } from '#abi/posix/errno.ts'
import * as io from '#abi/posix/ioctl.ts'
import { POLLHUP } from '#abi/posix/poll.ts'
import { SIGCONT, SIGHUP, SIGINT, SIGWINCH } from '#abi/posix/signal.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { type RigTask, TtyRig } from '#testing/tty-rig.ts'
import type { ProcFile } from '../kernel.ts'
import type { File } from '../vfs/file.ts'
import type { FileSystemType, SuperBlock } from '../vfs/inode.ts'
import { ttysOf } from './core.ts'
import { registerPtys } from './pty.ts'

const PTMX = 0x502
const slaveDev = (index: number): number => (136 << 8) | index

function build() {
  const files = new Map<string, ProcFile>()
  let type: FileSystemType | undefined
  const rig = new TtyRig({ proc: { add: (path: string, file: ProcFile) => files.set(path, file) } as never })
  Object.assign(rig.kernel.vfs, {
    registerFileSystem: (each: FileSystemType) => {
      type = each
    },
  })
  registerPtys(rig.kernel)
  const owner = rig.task(2, 2, { sid: 2, tty: undefined })
  const user = rig.task(3, 3, { sid: 3, tty: undefined })
  const call = (task: RigTask, file: File, request: number, arg: number | Uint8Array = 0) =>
    rig.start(task, () => file.ops.ioctl!(file, request, arg)).result
  const read = (task: RigTask, file: File, count = 100) =>
    rig.start(task, function* () {
      return byteString(yield* file.ops.read!(file, count, 0))
    })
  const write = (task: RigTask, file: File, text: string) =>
    rig.start(task, () => file.ops.write!(file, bytesOfString(text), 0))
  const close = (task: RigTask, file: File) => rig.start(task, () => file.ops.release!(file))
  const pair = () => {
    const master = rig.open(owner, PTMX)
    call(owner, master, io.TIOCSPTLCK, 0)
    const slave = rig.open(user, slaveDev(0))
    return { master, slave }
  }
  const mount = (data = ''): SuperBlock => rig.now(owner, type!.mount(rig.kernel, 'devpts', 0, data))
  return { rig, owner, user, call, read, write, close, pair, mount, files }
}

describe('a pair', () => {
  test('what is typed at the master is a line at the slave, and echoed', () => {
    const { owner, user, read, write, pair } = build()
    const { master, slave } = pair()
    read(user, slave)
    write(owner, master, 'ls\r')
    expect(user.result).toBe('ls\n')
    expect(read(owner, master).result).toBe('ls\r\n')
  })

  test('what the slave writes is processed, and read as it is', () => {
    const { owner, user, read, write, pair } = build()
    const { master, slave } = pair()
    write(user, slave, 'a\nb')
    expect(read(owner, master).result).toBe('a\r\nb')
  })

  test('a slow reader at the master holds the slave up', () => {
    const { rig, owner, user, read, write, pair } = build()
    const { master, slave } = pair()
    write(user, slave, 'x'.repeat(10_000))
    expect(user.done).toBe(false)
    let total = 0
    for (let i = 0; i < 10 && total < 10_000; i++) {
      total += (read(owner, master, 5000).result as string).length
      rig.run()
    }
    expect([total, user.result]).toEqual([10_000, 10_000])
  })

  test('^C at the master signals the slave’s foreground, which is its own session', () => {
    const { owner, user, read, write, pair } = build()
    const { master, slave } = pair()
    expect(user.session.tty?.name).toBe('pts/0')
    read(user, slave)
    write(owner, master, '\x03')
    expect([user.result, user.signals]).toEqual([-EINTR, [SIGINT]])
  })

  test('the number, the settings and the size are asked at the master', () => {
    const { owner, user, call, pair } = build()
    const { master, slave } = pair()
    expect(call(owner, master, io.TIOCGPTN)).toEqual(Uint8Array.of(0, 0, 0, 0))
    expect(call(owner, master, io.TCGETS)).toEqual(call(user, slave, io.TCGETS))
    expect(call(owner, master, io.TIOCGPGRP)).toEqual(Uint8Array.of(3, 0, 0, 0))
    const size = Uint8Array.of(24, 0, 80, 0, 0, 0, 0, 0)
    call(owner, master, io.TIOCSWINSZ, size)
    expect([call(user, slave, io.TIOCGWINSZ), user.signals]).toEqual([size, [SIGWINCH]])
    expect(call(user, slave, io.TIOCGPTN)).toBe(-EINVAL)
  })
})

describe('opening and closing', () => {
  test('locked until unlockpt', () => {
    const { rig, owner, user, call } = build()
    const master = rig.open(owner, PTMX)
    expect(() => rig.open(user, slaveDev(0))).toThrow(expect.objectContaining({ errno: EIO }))
    call(owner, master, io.TIOCSPTLCK, 0)
    expect(rig.open(user, slaveDev(0)).ops).toBeDefined()
  })

  test('no such pty', () => {
    const { rig, user } = build()
    expect(() => rig.open(user, slaveDev(5))).toThrow(expect.objectContaining({ errno: EIO }))
  })

  test('without a slave the master waits; after the last one it gets EIO', () => {
    const { owner, user, read, close, pair } = build()
    const { master, slave } = pair()
    read(owner, master)
    expect(owner.done).toBe(false)
    close(user, slave)
    expect(owner.result).toBe(-EIO)
    expect(master.ops.poll!(master) & POLLHUP).toBe(POLLHUP)
  })

  test('the master’s end hangs the slave up', () => {
    const { rig, owner, user, read, write, call, close, pair } = build()
    const { master, slave } = pair()
    read(user, slave)
    close(owner, master)
    expect([user.result, user.signals]).toEqual(['', [SIGHUP, SIGCONT]])
    expect(write(user, slave, 'x').result).toBe(-EIO)
    expect(call(user, slave, io.TIOCSPGRP, 3)).toBe(-ENOTTY)
    expect(ttysOf(rig.kernel).peek(slaveDev(0))).toBe(undefined)
  })

  test('numbers are used again, memory is given back', () => {
    const { rig, owner, close, files } = build()
    const first = rig.open(owner, PTMX)
    rig.open(owner, PTMX)
    expect(files.get('sys/kernel/pty/nr')!.read!()).toBe('2\n')
    const before = rig.charged
    close(owner, first)
    expect(rig.charged).toBeLessThan(before)
    rig.open(owner, PTMX)
    expect(ttysOf(rig.kernel).peek(slaveDev(0))?.name).toBe('pts/0')
  })

  test('no more than kernel.pty.max', () => {
    const { rig, owner, files } = build()
    files.get('sys/kernel/pty/max')!.write!('1\n')
    rig.open(owner, PTMX)
    expect(() => rig.open(owner, PTMX)).toThrow()
    expect(() => files.get('sys/kernel/pty/max')!.write!('many')).toThrow()
  })
})

describe('devpts', () => {
  test('shows the slaves, with owner and mode as mounted', () => {
    const { rig, owner, user, mount } = build()
    const sb = mount('gid=5,mode=620')
    owner.cred.fsuid = 500
    rig.open(owner, PTMX)
    const inode = rig.now(user, sb.root.lookup('0'))!
    expect([inode.mode, inode.uid, inode.gid, inode.rdev, inode.ino]).toEqual([0o020620, 500, 5, slaveDev(0), 2])
    rig.now(user, inode.setattr({ uid: 0, mode: 0o600 }))
    expect([inode.uid, inode.mode]).toEqual([0, 0o020600])
    expect(rig.now(user, sb.root.lookup('1'))).toBe(undefined)
  })

  test('unknown options are refused', () => {
    const { mount } = build()
    expect(() => mount('newinstance')).toThrow(expect.objectContaining({ errno: EINVAL }))
  })
})
