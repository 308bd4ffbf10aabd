import { expect, test } from 'vitest'
import { O_CREAT, O_RDONLY, O_RDWR, O_SYNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { ext2Rig, freshExt2, inProcess } from '#testing/vfs-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import type { VirtualFileSystem } from './make.ts'

const MEGABYTE = 1024 * 1024

test('a file larger than memory is written and read, and memory is never short', () => {
  const { rig } = ext2Rig(freshExt2(100_000, 4096), 0, 3072)
  const { pages } = rig.kernel
  inProcess(rig, function* () {
    const fd = yield* c.open('/big', O_RDWR | O_CREAT, 0o644)
    const block = new Uint8Array(65536)
    for (let i = 0; i < 400; i++) {
      block.fill(i)
      yield* c.write(fd, block)
    }
    yield* c.lseek(fd, 0, 0)
    for (let i = 0; i < 400; i++) {
      const part = yield* c.read(fd, 65536)
      if (part[0] !== (i & 255) || part[65535] !== (i & 255)) throw new Error(`block ${i} holds ${part[0]}`)
    }
    expect(pages.free).toBeGreaterThan(0)
    expect(pages.used.cache).toBeLessThan(pages.total)
    yield* c.close(fd)
  })
  expect(rig.kernel.log.text()).not.toContain('Out of memory')
})

test('a second reader takes what the first has read; drop_caches makes both read again', () => {
  const { rig, disk } = ext2Rig(freshExt2(20_000, 1024))
  inProcess(rig, function* () {
    const fd = yield* c.open('/f', O_RDWR | O_CREAT, 0o644)
    yield* c.write(fd, new Uint8Array(2 * MEGABYTE).fill(7))
    yield* c.close(fd)
    yield* c.sync()
  })
  const readWhole = (): number => {
    const before = disk.log.length
    inProcess(rig, function* () {
      const fd = yield* c.open('/f', O_RDONLY, 0)
      for (;;) if ((yield* c.read(fd, 4096)).length === 0) break
      yield* c.close(fd)
    })
    return disk.log.slice(before).filter(({ write }) => !write).length
  }
  expect(readWhole()).toBe(0)
  rig.kernel.vfs.cache.dropClean()
  // Read-ahead: far fewer requests than pages.
  const requests = readWhole()
  expect(requests).toBeGreaterThan(0)
  expect(requests).toBeLessThan(80)
  expect(readWhole()).toBe(0)
})

test('pdflush writes after 30 seconds, and then sleeps for good', () => {
  const { rig, disk } = ext2Rig(freshExt2(20_000, 1024))
  rig.runFor(60e9)
  const flushes = disk.flushes
  inProcess(rig, function* () {
    const fd = yield* c.open('/f', O_WRONLY | O_CREAT, 0o644)
    yield* c.write(fd, new Uint8Array(5000).fill(7))
    yield* c.close(fd)
  })
  const before = disk.written
  rig.runFor(20e9)
  expect(disk.written).toBe(before)
  rig.runFor(20e9)
  expect(disk.written).toBeGreaterThan(before)
  expect(rig.kernel.vfs.cache.dirtyPages).toBe(0)
  rig.runFor(10e9)
  const { wakeUps } = rig.xen
  rig.runFor(600e9)
  expect(rig.xen.wakeUps - wakeUps).toBeLessThan(3)
  expect(disk.flushes).toBe(flushes + 1)
})

test('O_SYNC and fsync reach the platter; a disk that refuses is EIO and a line in the log', () => {
  const { rig, disk } = ext2Rig(freshExt2(20_000, 1024))
  inProcess(rig, function* () {
    const flushes = disk.flushes
    const fd = yield* c.open('/f', O_WRONLY | O_CREAT | O_SYNC, 0o644)
    yield* c.write(fd, new Uint8Array(5000).fill(7))
    expect(disk.flushes).toBeGreaterThan(flushes)
    yield* c.close(fd)
    const other = yield* c.open('/g', O_WRONLY | O_CREAT, 0o644)
    yield* c.write(other, new Uint8Array(5000).fill(8))
    for (let sector = 4; sector < 20_000; sector++) disk.bad.add(sector)
    let errno = 0
    try {
      yield* c.fsync(other)
    } catch (error) {
      errno = (error as OsError).errno
    }
    expect(errno).toBe(5)
    disk.bad.clear()
  })
  expect(rig.kernel.log.text()).toMatch(/Buffer I\/O error on device rda, logical block \d+/)
  expect(rig.kernel.log.text()).toContain('lost page write due to I/O error on rda')
})

test('two tasks that miss the same page read it once', () => {
  const { rig, disk } = ext2Rig(freshExt2(20_000, 1024))
  inProcess(rig, function* () {
    const fd = yield* c.open('/f', O_RDWR | O_CREAT, 0o644)
    yield* c.write(fd, new Uint8Array(4096).fill(7))
    yield* c.sync()
    rig.kernel.vfs.cache.dropClean()
    yield* c.stat('/f')
    const before = disk.log.length
    const got: number[] = []
    const reader = function* () {
      const own = yield* c.open('/f', O_RDONLY, 0)
      got.push((yield* c.read(own, 4096))[4095]!)
      return 0
    }
    const children = [yield* c.fork(reader), yield* c.fork(reader)]
    for (const pid of children) yield* c.wait4(pid, 0)
    expect(got).toEqual([7, 7])
    const data = disk.log.slice(before).filter(({ write, count }) => !write && count >= 2)
    expect(new Set(data.map(({ sector }) => sector)).size).toBe(data.length)
  })
})

test('names are forgotten beyond a bound, and found again', () => {
  const { rig } = ext2Rig(freshExt2(60_000, 4096))
  const { core } = rig.kernel.vfs as VirtualFileSystem
  inProcess(rig, function* () {
    const nameOf = (i: number): string => `/d${i % 50}/f${i}`
    for (let i = 0; i < 50; i++) yield* c.mkdir(`/d${i}`, 0o755)
    yield* c.chdir('/d7')
    for (let i = 0; i < 4500; i++) yield* c.mknod(nameOf(i), 0o100644, 0)
    expect(core.dentries).toBeLessThan(4200)
    expect(yield* c.getcwd()).toBe('/d7')
    for (let i = 0; i < 4500; i += 97) expect((yield* c.stat(nameOf(i))).nlink).toBe(1)
    for (let i = 0; i < 4500; i++) yield* c.unlink(nameOf(i))
    yield* c.rmdir('../d7')
  })
})
