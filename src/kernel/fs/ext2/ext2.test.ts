import { describe, expect, test } from 'vitest'
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { ext2Rig, freshExt2, inProcess } from '#testing/vfs-rig.ts'
import * as c from '#user/libc/syscall.ts'

function* put(path: string, bytes: Uint8Array | string, flags = 0): Sys<void> {
  const fd = yield* c.open(path, O_WRONLY | O_CREAT | O_TRUNC | flags, 0o644)
  const all = typeof bytes === 'string' ? bytesOfString(bytes) : bytes
  for (let at = 0; at < all.length; at += 20000) yield* c.write(fd, all.subarray(at, at + 20000))
  yield* c.close(fd)
}

function* get(path: string): Sys<Uint8Array> {
  const fd = yield* c.open(path, O_RDONLY, 0)
  const parts: Uint8Array[] = []
  for (;;) {
    const part = yield* c.read(fd, 30000)
    if (part.length === 0) break
    parts.push(part)
  }
  yield* c.close(fd)
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const pattern = (length: number, seed: number): Uint8Array => {
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = (i * 7 + (i >> 8) * 13 + seed) & 255
  return out
}

const clean = (store: SparseDisk): void => {
  if (!hasE2fsprogs) return
  const { status, output } = e2fsck(store)
  expect(status, output).toBe(0)
}

describe.each([1024, 2048, 4096])('blocks of %i bytes', (blockBytes) => {
  test('what is written is read again after a remount, and e2fsck finds nothing', () => {
    const store = freshExt2(40000, blockBytes)
    const big = pattern(3_000_001, 5)
    const { rig } = ext2Rig(store)
    inProcess(rig, function* () {
      yield* c.mkdir('/a', 0o755)
      yield* c.mkdir('/a/b', 0o700)
      yield* put('/a/big', big)
      yield* put('/small', 'hello')
      yield* c.link('/small', '/a/hard')
      yield* c.symlink('a/big', '/fast')
      yield* c.symlink(`${'x/'.repeat(60)}y`, '/slow')
      yield* c.mknod('/null', 0o020666, 0x103)
      yield* c.mknod('/fifo', 0o010644, 0)
      for (let i = 0; i < 300; i++) yield* put(`/a/b/file-with-a-long-name-${i}`, `${i}`)
      for (let i = 0; i < 300; i += 2) yield* c.unlink(`/a/b/file-with-a-long-name-${i}`)
      yield* c.rename('/a/b', '/moved')
      yield* c.truncate('/a/big', 2_000_000)
      const sparse = yield* c.open('/sparse', O_RDWR | O_CREAT, 0o600)
      yield* c.lseek(sparse, 50_000_000, 0)
      yield* c.write(sparse, bytesOfString('end'))
      yield* c.close(sparse)
      yield* c.sync()
    })
    inProcess(rig, function* () {
      yield* c.mount('', '/', '', MS_REMOUNT | MS_RDONLY, '')
    })
    clean(store)
    const again = ext2Rig(store, MS_RDONLY).rig
    inProcess(again, function* () {
      expect(byteString(yield* get('/small'))).toBe('hello')
      expect(Buffer.compare(yield* get('/fast'), big.subarray(0, 2_000_000))).toBe(0)
      expect(yield* c.readlink('/slow')).toBe(`${'x/'.repeat(60)}y`)
      expect((yield* c.stat('/small')).nlink).toBe(2)
      expect((yield* c.stat('/null')).rdev).toBe(0x103)
      expect((yield* c.stat('/sparse')).size).toBe(50_000_003)
      expect((yield* c.stat('/sparse')).blocks).toBeLessThan(40)
      expect(byteString(yield* get('/moved/file-with-a-long-name-299'))).toBe('299')
    })
  })

  test('everything removed gives everything back', () => {
    const store = freshExt2(20000, blockBytes)
    const { rig } = ext2Rig(store)
    inProcess(rig, function* () {
      const before = yield* c.statfs('/')
      yield* c.mkdir('/d', 0o755)
      yield* put('/d/f', pattern(1_500_000, 1))
      const fd = yield* c.open('/d/f', O_RDONLY, 0)
      yield* c.unlink('/d/f')
      expect((yield* c.read(fd, 10)).length).toBe(10)
      yield* c.rmdir('/d')
      yield* c.close(fd)
      expect(yield* c.statfs('/')).toEqual(before)
      yield* c.mount('', '/', '', MS_REMOUNT | MS_RDONLY, '')
    })
    clean(store)
  })
})
