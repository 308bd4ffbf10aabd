import { describe, expect, test } from 'vitest'
import * as errno from '#abi/posix/errno.ts'
import * as f from '#abi/posix/fcntl.ts'
import { FIONREAD } from '#abi/posix/ioctl.ts'
import { MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import { POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGPIPE } from '#abi/posix/signal.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { inProcess, tmpfsRig } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'

function* put(path: string, text: string, flags = 0): Sys<void> {
  const fd = yield* c.open(path, f.O_WRONLY | f.O_CREAT | flags, 0o644)
  yield* c.write(fd, bytesOfString(text))
  yield* c.close(fd)
}

function* get(path: string): Sys<string> {
  const fd = yield* c.open(path, f.O_RDONLY, 0)
  const text = byteString(yield* c.read(fd, 65536))
  yield* c.close(fd)
  return text
}

/** The errno of what must fail, by name; or its value. */
function* tried(work: Sys<unknown>): Sys<unknown> {
  try {
    return yield* work
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return Object.entries(errno).find(([, number]) => number === error.errno)?.[0]
  }
}

/** As somebody else, in a child: the value comes back by the shared heap. */
function* asUser(uid: number, gid: number, body: () => Sys<void>): Sys<void> {
  let thrown: unknown
  const pid = yield* c.fork(function* () {
    try {
      yield* c.setgid(gid)
      yield* c.setuid(uid)
      yield* body()
    } catch (error) {
      thrown = error
    }
    return 0
  })
  yield* c.wait4(pid, 0)
  if (thrown) throw thrown
}

const names = function* (path: string): Sys<string[]> {
  const fd = yield* c.open(path, f.O_RDONLY, 0)
  const found: string[] = []
  for (;;) {
    const part = yield* c.getdents(fd)
    if (part.length === 0) break
    found.push(...part.map(({ name }) => name))
  }
  yield* c.close(fd)
  return found
}

describe('names', () => {
  test('files are written, read, listed and removed', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* c.mkdir('/etc', 0o755)
      yield* put('/etc/passwd', 'root')
      yield* c.symlink('passwd', '/etc/link')
      expect(yield* get('/etc/link')).toBe('root')
      yield* c.rename('/etc/passwd', '/etc/shadow')
      expect(yield* names('/etc')).toEqual(['.', '..', 'link', 'shadow'])
      expect(yield* c.readlink('/etc/link')).toBe('passwd')
      expect(yield* tried(get('/etc/link'))).toBe('ENOENT')
      yield* c.unlink('/etc/link')
      yield* c.unlink('/etc/shadow')
      yield* c.rmdir('/etc')
      expect(yield* names('/')).toEqual(['.', '..'])
    })
  })

  test('what the walk refuses', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* c.mkdir('/d', 0o755)
      yield* put('/f', 'x')
      yield* c.symlink('loop', '/loop')
      yield* c.symlink('/d/', '/tod')
      let chain = '/f'
      for (let i = 0; i < 41; i++) {
        yield* c.symlink(chain, `/l${i}`)
        chain = `/l${i}`
      }
      const rows: (readonly [Sys<unknown>, string])[] = [
        [c.stat(''), 'ENOENT'],
        [c.stat('/f/x'), 'ENOTDIR'],
        [c.stat('/f/'), 'ENOTDIR'],
        [c.stat('/none/x'), 'ENOENT'],
        [c.stat('/loop'), 'ELOOP'],
        [c.stat('/l40'), 'ELOOP'],
        [c.stat(`/${'n'.repeat(256)}`), 'ENAMETOOLONG'],
        [c.stat(`/${'d/'.repeat(2100)}`), 'ENAMETOOLONG'],
        [c.stat('/a\0b'), 'EINVAL'],
        [c.stat('/\u0100'), 'EINVAL'],
        [c.mkdir('/d', 0o755), 'EEXIST'],
        [c.mkdir('/', 0o755), 'EEXIST'],
        [c.mkdir('/x/y', 0o755), 'ENOENT'],
        [c.rmdir('/d/.'), 'EINVAL'],
        [c.rmdir('/d/..'), 'ENOTEMPTY'],
        [c.rmdir('/f'), 'ENOTDIR'],
        [c.rmdir('/'), 'EBUSY'],
        [c.unlink('/d'), 'EISDIR'],
        [c.unlink('/f/'), 'ENOTDIR'],
        [c.rename('/d', '/d/x'), 'EINVAL'],
        [c.rename('/d', '/f'), 'ENOTDIR'],
        [c.rename('/f', '/d'), 'EISDIR'],
        [c.rename('/none', '/d'), 'ENOENT'],
        [c.rename('/.', '/e'), 'EBUSY'],
        [c.link('/d', '/e'), 'EPERM'],
        [c.link('/f', '/d'), 'EEXIST'],
        [c.open('/d', f.O_WRONLY, 0), 'EISDIR'],
        [c.open('/d', f.O_RDONLY | f.O_CREAT, 0), 'EISDIR'],
        [c.open('/f', f.O_CREAT | f.O_EXCL, 0), 'EEXIST'],
        [c.open('/loop', f.O_CREAT | f.O_EXCL, 0), 'EEXIST'],
        [c.open('/l0', f.O_NOFOLLOW, 0), 'ELOOP'],
        [c.open('/f', f.O_DIRECTORY, 0), 'ENOTDIR'],
        [c.open('/new/', f.O_CREAT | f.O_WRONLY, 0o644), 'ENOENT'],
        [c.chdir('/f'), 'ENOTDIR'],
        [c.readlink('/f'), 'EINVAL'],
        [c.mknod('/n', 0o040755, 0), 'EPERM'],
        [c.truncate('/f', -1), 'EINVAL'],
        [c.truncate('/d', 0), 'EISDIR'],
      ]
      for (const [i, [work, wanted]] of rows.entries()) expect([i, yield* tried(work)]).toEqual([i, wanted])
      expect((yield* c.stat('/l39')).size).toBe(1)
      expect((yield* c.stat('/tod/..')).ino).toBe((yield* c.stat('/')).ino)
      // Through a dangling link O_CREAT makes what it names.
      yield* c.symlink('d/made', '/dangling')
      yield* put('/dangling', 'ok')
      expect(yield* get('/d/made')).toBe('ok')
    })
  })

  test('an open file outlives its name, a working directory its own', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* put('/f', 'still here')
      const fd = yield* c.open('/f', f.O_RDONLY, 0)
      yield* c.unlink('/f')
      expect((yield* c.fstat(fd)).nlink).toBe(0)
      expect(byteString(yield* c.read(fd, 100))).toBe('still here')
      yield* c.close(fd)
      yield* c.mkdir('/w', 0o755)
      yield* c.chdir('/w')
      expect(yield* c.getcwd()).toBe('/w')
      yield* c.rename('/w', '/v')
      expect(yield* c.getcwd()).toBe('/v')
      yield* c.rmdir('/v')
      expect(yield* tried(c.getcwd())).toBe('ENOENT')
      expect(yield* tried(put('here', 'x'))).toBe('ENOENT')
      yield* c.chdir('/')
    })
  })

  test('who may what', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* c.chmod('/', 0o755)
      yield* c.mkdir('/tmp', 0o777)
      yield* c.chmod('/tmp', 0o1777)
      yield* c.mkdir('/group', 0o777)
      yield* c.chown('/group', 0, 50)
      yield* c.chmod('/group', 0o2777)
      yield* put('/secret', 'x')
      yield* c.chmod('/secret', 0o600)
      yield* put('/tmp/roots', 'x')
      yield* asUser(500, 500, function* () {
        const rows: (readonly [Sys<unknown>, string])[] = [
          [c.open('/secret', f.O_RDONLY, 0), 'EACCES'],
          [c.mkdir('/d', 0o755), 'EACCES'],
          [c.unlink('/tmp/roots'), 'EPERM'],
          [c.chmod('/secret', 0o777), 'EPERM'],
          [c.chown('/tmp/roots', 500, -1), 'EPERM'],
          [c.mknod('/tmp/null', 0o020666, 0x103), 'EPERM'],
          [c.mount('x', '/tmp', 'tmpfs', 0, ''), 'EPERM'],
          [c.chroot('/tmp'), 'EPERM'],
          [c.access('/secret', f.R_OK), 'EACCES'],
        ]
        for (const [i, [work, wanted]] of rows.entries()) expect([i, yield* tried(work)]).toEqual([i, wanted])
        yield* c.umask(0o077)
        yield* put('/group/mine', 'x')
        expect(yield* c.stat('/group/mine')).toMatchObject({ uid: 500, gid: 50, mode: 0o100600 })
        yield* c.mkdir('/group/dir', 0o777)
        expect((yield* c.stat('/group/dir')).mode).toBe(0o042700)
        yield* c.unlink('/group/mine')
      })
    })
  })
})

describe('descriptors', () => {
  test('offsets, appending, dup, flags', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      const fd = yield* c.open('/f', f.O_RDWR | f.O_CREAT, 0o644)
      yield* c.write(fd, bytesOfString('0123456789'))
      expect(yield* c.lseek(fd, -4, f.SEEK_END)).toBe(6)
      const twin = yield* c.dup(fd)
      expect(byteString(yield* c.read(twin, 2))).toBe('67')
      expect(yield* c.lseek(fd, 0, f.SEEK_CUR)).toBe(8)
      expect(yield* tried(c.lseek(fd, -1, f.SEEK_SET))).toBe('EINVAL')
      const append = yield* c.open('/f', f.O_WRONLY | f.O_APPEND, 0)
      yield* c.write(append, bytesOfString('AB'))
      expect((yield* c.fstat(fd)).size).toBe(12)
      expect(yield* tried(c.read(append, 1))).toBe('EBADF')
      yield* c.lseek(fd, 20_000, f.SEEK_SET)
      yield* c.write(fd, bytesOfString('!'))
      expect((yield* c.fstat(fd)).size).toBe(20_001)
      yield* c.ftruncate(fd, 5)
      yield* c.lseek(fd, 0, f.SEEK_SET)
      expect(byteString(yield* c.read(fd, 100))).toBe('01234')
      expect(yield* c.fcntl(fd, f.F_DUPFD, 20)).toBe(20)
      expect(yield* c.fcntl(append, f.F_GETFL, 0)).toBe(f.O_WRONLY | f.O_APPEND)
      expect(yield* c.dup2(fd, 30)).toBe(30)
      expect(yield* tried(c.close(31))).toBe('EBADF')
      expect(yield* tried(c.dup2(99, 1))).toBe('EBADF')
      yield* c.setrlimit(7, 32, 32)
      yield* c.close(30)
      for (let i = 0; i < 40; i++) yield* tried(c.dup(fd))
      expect(yield* tried(c.dup(fd))).toBe('EMFILE')
    })
  })

  test('a pipe: order, end, EPIPE, poll, atomic writes', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      const [r, w] = yield* c.pipe()
      expect(yield* c.poll([r, POLLIN, w, POLLOUT, 77, POLLIN, -1, POLLIN], 0)).toEqual([0, POLLOUT, POLLNVAL, 0])
      yield* c.write(w, bytesOfString('hello'))
      yield* c.write(w, bytesOfString('world'))
      const waiting = (yield* c.ioctl(r, FIONREAD, 0)) as Uint8Array
      expect(waiting[0]).toBe(10)
      expect(byteString(yield* c.read(r, 7))).toBe('hellowo')
      expect(byteString(yield* c.read(r, 7))).toBe('rld')
      yield* c.fcntl(w, f.F_SETFL, f.O_NONBLOCK)
      yield* c.fcntl(r, f.F_SETFL, f.O_NONBLOCK)
      expect(yield* tried(c.read(r, 1))).toBe('EAGAIN')
      expect(yield* c.write(w, new Uint8Array(100_000))).toBe(65536)
      expect(yield* tried(c.write(w, new Uint8Array(1)))).toBe('EAGAIN')
      yield* c.read(r, 1000)
      // PIPE_BUF goes in whole or not at all.
      expect(yield* tried(c.write(w, new Uint8Array(4096)))).toBe('EAGAIN')
      expect(yield* c.write(w, new Uint8Array(5000))).toBe(1000)
      expect(yield* tried(c.lseek(r, 0, 0))).toBe('ESPIPE')
      yield* c.close(w)
      let left = 0
      for (;;) {
        const part = yield* c.read(r, 30_000)
        if (part.length === 0) break
        left += part.length
      }
      expect(left).toBe(65536)
      expect(yield* c.poll([r, POLLIN], -1)).toEqual([POLLHUP])
      yield* c.close(r)
      const [r2, w2] = yield* c.pipe()
      yield* c.rt_sigaction(SIGPIPE, SIG_IGN, 0, 0)
      yield* c.close(r2)
      expect(yield* tried(c.write(w2, bytesOfString('x')))).toBe('EPIPE')
    })
  })

  test('ten megabytes through a pipe between two processes', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      const [r, w] = yield* c.pipe()
      const pid = yield* c.fork(function* () {
        yield* c.close(r)
        const block = new Uint8Array(65536)
        for (let i = 0; i < 160; i++) {
          block[0] = i
          yield* c.write(w, block)
        }
        return 0
      })
      yield* c.close(w)
      let bytes = 0
      for (;;) {
        const part = yield* c.read(r, 65536)
        if (part.length === 0) break
        bytes += part.length
      }
      yield* c.wait4(pid, 0)
      expect(bytes).toBe(10 * 1024 * 1024)
    })
    expect(rig.kernel.vfs.openFiles).toBe(0)
  })

  test('a FIFO brings both ends together; a lock waits for its holder', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* c.mknod('/fifo', 0o010644, 0)
      expect(yield* tried(c.open('/fifo', f.O_WRONLY | f.O_NONBLOCK, 0))).toBe('ENXIO')
      let heard = ''
      const order: string[] = []
      const pid = yield* c.fork(function* () {
        const fd = yield* c.open('/fifo', f.O_RDONLY, 0)
        heard = byteString(yield* c.read(fd, 10))
        const lock = yield* c.open('/lock', f.O_RDWR | f.O_CREAT, 0o644)
        yield* c.flock(lock, f.LOCK_EX)
        order.push('child')
        return 0
      })
      const lock = yield* c.open('/lock', f.O_RDWR | f.O_CREAT, 0o644)
      yield* c.flock(lock, f.LOCK_EX)
      const second = yield* c.open('/lock', f.O_RDWR, 0)
      expect(yield* tried(c.flock(second, f.LOCK_SH | f.LOCK_NB))).toBe('EAGAIN')
      const fd = yield* c.open('/fifo', f.O_WRONLY, 0)
      yield* c.write(fd, bytesOfString('ping'))
      yield* c.nanosleep(1e6)
      order.push('parent')
      yield* c.close(lock)
      yield* c.wait4(pid, 0)
      expect([heard, order]).toEqual(['ping', ['parent', 'child']])
    })
  })
})

describe('mounts', () => {
  test('tmpfs: size, remount, EBUSY, EXDEV, chroot', () => {
    const rig = tmpfsRig()
    inProcess(rig, function* () {
      yield* c.mkdir('/m', 0o755)
      yield* put('/m/hidden', 'x')
      yield* c.mount('none', '/m', 'tmpfs', 0, 'size=16k,mode=755')
      expect(yield* names('/m')).toEqual(['.', '..'])
      expect((yield* c.statfs('/m')).blocks).toBe(4)
      const fd = yield* c.open('/m/f', f.O_RDWR | f.O_CREAT, 0o644)
      expect(yield* c.write(fd, new Uint8Array(20_000))).toBe(16_384)
      expect(yield* tried(c.write(fd, new Uint8Array(1)))).toBe('ENOSPC')
      expect(yield* tried(c.rename('/m/f', '/f'))).toBe('EXDEV')
      expect(yield* tried(c.link('/m/f', '/f'))).toBe('EXDEV')
      expect(yield* tried(c.umount2('/m', 0))).toBe('EBUSY')
      expect(yield* tried(c.mount('', '/m', '', MS_REMOUNT | MS_RDONLY, ''))).toBe('EBUSY')
      expect(yield* tried(c.rmdir('/m'))).toBe('EBUSY')
      yield* c.close(fd)
      yield* c.mount('', '/m', '', MS_REMOUNT | MS_RDONLY, '')
      expect(yield* tried(put('/m/g', 'x'))).toBe('EROFS')
      expect(yield* tried(c.unlink('/m/f'))).toBe('EROFS')
      expect(yield* c.access('/m/f', f.R_OK)).toBe(0)
      expect(yield* tried(c.access('/m/f', f.W_OK))).toBe('EROFS')
      expect(yield* tried(c.umount2('/m/f', 0))).toBe('EINVAL')
      expect(yield* tried(c.mount('none', '/m', 'nofs', 0, ''))).toBe('ENODEV')
      yield* c.chdir('/m')
      expect(yield* c.getcwd()).toBe('/m')
      expect(yield* tried(c.umount2('/m', 0))).toBe('EBUSY')
      yield* c.chdir('..')
      yield* c.umount2('/m', 0)
      expect(yield* get('/m/hidden')).toBe('x')
      const pid = yield* c.fork(function* () {
        yield* c.chdir('/m')
        yield* c.chroot('.')
        yield* c.chdir('../../..')
        return (yield* c.getcwd()) === '/' && (yield* get('/hidden')) === 'x' ? 0 : 1
      })
      expect((yield* c.wait4(pid, 0)).status).toBe(0)
    })
  })

  test('what was written to a tmpfs is given back when it goes', () => {
    const rig = tmpfsRig()
    const { pages } = rig.kernel
    inProcess(rig, function* () {
      yield* c.mkdir('/m', 0o755)
      const before = pages.used.cache
      yield* c.mount('none', '/m', 'tmpfs', 0, '')
      yield* c.mkdir('/m/d', 0o755)
      yield* put('/m/d/f', 'x'.repeat(40_000))
      expect(pages.used.cache).toBe(before + 10)
      yield* c.umount2('/m', 0)
      expect(pages.used.cache).toBe(before)
    })
  })
})
