import { expect, test } from 'vitest'
import { O_CREAT, O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import { BLKGETSIZE64 } from '#abi/posix/ioctl.ts'
import { LOOP_CLR_FD, LOOP_GET_STATUS64, LOOP_SET_FD } from '#abi/posix/loop.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { ext2Rig, freshExt2, inProcess } from '#testing/vfs-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { module } from './loop.ts'

test('a file system within a file', () => {
  const outer = freshExt2(32768, 1024)
  const inner = freshExt2(4096, 1024)
  const { rig } = ext2Rig(outer)
  rig.run((kernel) => module.init(kernel, new Map()))
  expect(rig.kernel.log.text()).toContain('loop: loaded (max 8 devices)')
  inProcess(rig, function* () {
    const image = yield* c.open('/image', O_RDWR | O_CREAT, 0o644)
    for (let at = 0; at < 4096; at += 64) yield* c.write(image, inner.read(at, 64))
    yield* c.mknod('/loop0', 0o060660, 7 << 8)
    yield* c.mkdir('/m', 0o755)
    const loop = yield* c.open('/loop0', O_RDWR, 0)
    yield* c.ioctl(loop, LOOP_SET_FD, image)
    yield* c.close(image)
    const size = (yield* c.ioctl(loop, BLKGETSIZE64, 0)) as Uint8Array
    expect(new DataView(size.buffer).getUint32(0, true)).toBe(4096 * 512)
    expect(((yield* c.ioctl(loop, LOOP_GET_STATUS64, 0)) as Uint8Array).length).toBe(232)
    yield* c.mount('/loop0', '/m', 'ext2', 0, '')
    const file = yield* c.open('/m/hello', O_RDWR | O_CREAT, 0o644)
    for (let i = 0; i < 20; i++) yield* c.write(file, new Uint8Array(30_000).fill(65 + i))
    yield* c.close(file)
    try {
      yield* c.ioctl(loop, LOOP_CLR_FD, 0)
      expect.unreachable()
    } catch (error) {
      expect((error as OsError).errno).toBe(16)
    }
    yield* c.umount2('/m', 0)
    yield* c.ioctl(loop, LOOP_CLR_FD, 0)
    yield* c.close(loop)
    const again = yield* c.open('/image', O_RDONLY, 0)
    for (let at = 0; at < 4096; at += 64) inner.write(at, yield* c.read(again, 64 * 512))
    yield* c.sync()
  })
  if (hasE2fsprogs) expect(e2fsck(inner).status).toBe(0)
  rig.run((kernel) => module.exit!(kernel))
  expect(rig.kernel.blocks.named('loop0')).toBeUndefined()
})
