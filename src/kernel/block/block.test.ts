import { expect, test } from 'vitest'
import { O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import { BLKGETSIZE64, BLKRRPART } from '#abi/posix/ioctl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { kernelRig, rootOf } from '#testing/kernel-rig.ts'
import { inProcess, type RamDisk, ramDisk, vfsParts } from '#testing/vfs-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { blockInitcalls } from './make.ts'

const entry = (sector: Uint8Array, i: number, type: number, start: number, sectors: number): void => {
  const view = new DataView(sector.buffer)
  sector[446 + 16 * i + 4] = type
  view.setUint32(446 + 16 * i + 8, start, true)
  view.setUint32(446 + 16 * i + 12, sectors, true)
  view.setUint16(510, 0xaa55, true)
}

/** Two primary partitions, and two logical ones in a third. */
function partitioned(): SparseDisk {
  const store = new SparseDisk(20_000)
  const mbr = new Uint8Array(512)
  entry(mbr, 0, 0x83, 63, 5000)
  entry(mbr, 1, 0x82, 5063, 1000)
  entry(mbr, 2, 0x05, 7000, 12_000)
  store.write(0, mbr)
  const first = new Uint8Array(512)
  entry(first, 0, 0x83, 63, 2000)
  entry(first, 1, 0x05, 3000, 3000)
  store.write(7000, first)
  const second = new Uint8Array(512)
  entry(second, 0, 0x83, 63, 1500)
  store.write(10_000, second)
  return store
}

function build(store: SparseDisk) {
  const parts = vfsParts()
  const rig = kernelRig({ pages: 4096, parts: { ...parts, initcalls: [...parts.initcalls!, blockInitcalls[0]!] } })
  let disk: RamDisk | undefined
  rig.root = rig.run(function* (kernel) {
    const made = ramDisk(kernel, store)
    disk = Object.assign(made, { minors: 16 })
    yield* kernel.blocks.addDisk(disk)
    return rootOf(yield* kernel.vfs.mountRoot('none', ['tmpfs'], 0))
  })
  return { rig, disk: disk! }
}

test('primary and logical partitions, in the log and in /proc/partitions', () => {
  const { rig } = build(partitioned())
  expect(rig.kernel.log.text()).toContain(' rda: rda1 rda2 rda3 < rda5 rda6 >\n')
  const files = (rig.kernel.proc as unknown as { files: Map<string, { read(): string }> }).files
  expect(files.get('partitions')!.read()).toBe(
    `major minor  #blocks  name

 240     0      10000 rda
 240     1       2500 rda1
 240     2        500 rda2
 240     3          1 rda3
 240     5       1000 rda5
 240     6        750 rda6
`,
  )
  expect(files.get('diskstats')!.read()).toMatch(/^ 240 {4}0 rda 3 0 3 /)
})

test('a disk without a table says so', () => {
  expect(build(new SparseDisk(2000)).rig.kernel.log.text()).toContain(' rda: unknown partition table\n')
})

test('nodes of devices: size, end, reading over it, a table read anew', () => {
  const store = partitioned()
  const { rig } = build(store)
  inProcess(rig, function* () {
    const errno = function* (work: Sys<unknown>): Sys<number> {
      try {
        yield* work
        return 0
      } catch (error) {
        return (error as OsError).errno
      }
    }
    yield* c.mknod('/rda1', 0o060600, (240 << 8) | 1)
    yield* c.mknod('/rda', 0o060600, 240 << 8)
    yield* c.mknod('/none', 0o060600, (240 << 8) | 9)
    expect(yield* errno(c.open('/none', O_RDONLY, 0))).toBe(6)
    const part = yield* c.open('/rda1', O_RDWR, 0)
    const size = (yield* c.ioctl(part, BLKGETSIZE64, 0)) as Uint8Array
    expect(new DataView(size.buffer).getUint32(0, true)).toBe(5000 * 512)
    expect(yield* c.lseek(part, -4, 2)).toBe(5000 * 512 - 4)
    expect(yield* c.write(part, new Uint8Array([1, 2, 3, 4, 5, 6]))).toBe(4)
    expect(yield* errno(c.write(part, new Uint8Array(1)))).toBe(28)
    expect((yield* c.read(part, 10)).length).toBe(0)
    const whole = yield* c.open('/rda', O_RDWR, 0)
    expect(yield* errno(c.ioctl(whole, BLKRRPART, 0))).toBe(16)
    yield* c.close(part)
    // The last to close it has it written.
    expect([...store.read(5062, 1).subarray(508)]).toEqual([1, 2, 3, 4])
    yield* c.lseek(whole, 446 + 16, 0)
    yield* c.write(whole, new Uint8Array(16))
    yield* c.ioctl(whole, BLKRRPART, 0)
    yield* c.close(whole)
  })
  expect(rig.kernel.log.text()).toContain(' rda: rda1 rda3 < rda5 rda6 >\n')
})

test('neighbours that wait become one request, and the head does not go to and fro', () => {
  const { rig, disk } = build(partitioned())
  rig.run(function* (kernel) {
    const device = kernel.blocks.named('rda')!
    let left = 0
    const start = (body: () => Generator<void, unknown, void>): void => {
      left++
      kernel.sched.kthread('reader', function* () {
        yield* body()
        left--
      })
    }
    const from = disk.log.length
    start(() => device.readSectors(100, 8))
    for (const sector of [9000, 3008, 3000, 3016, 200]) start(() => device.readSectors(sector, 8))
    while (left > 0) yield* kernel.sched.sleepFor(1e6)
    const seen = disk.log.slice(from).map(({ sector, count }) => [sector, count])
    expect(seen).toEqual([
      [100, 8],
      [200, 8],
      [3000, 24],
      [9000, 8],
    ])
  })
})
