import { describe, expect, test } from 'vitest'
import { EACCES, EIO, ENOENT } from '#abi/posix/errno.ts'
import { SIG_IGN, SIGINT, SIGTERM } from '#abi/posix/signal.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { cpuid } from '#machine/cpu-identity.ts'
import { type RigTask, TtyRig } from '#testing/tty-rig.ts'
import { Errno } from '../errno.ts'
import type { File } from '../vfs/file.ts'
import type { Inode } from '../vfs/inode.ts'
import { registerProcFiles, uuidText } from './files.ts'
import { makeProc, type Proc } from './make.ts'

function build() {
  const rig = new TtyRig({
    vcpu: { vcpuId: 0, cpuid: (leaf: number) => cpuid(0, leaf) } as never,
    blocks: {
      majors: new Map([
        [3, 'ide0'],
        [1, 'ramdisk'],
      ]),
      disks: [],
    } as never,
  })
  const { kernel } = rig
  Object.assign(kernel.time, { tscHz: 2_400_000_000 })
  Object.assign(kernel.vfs, {
    charDevices: rig.openers,
    mountsText: () => '/dev/root / ext2 rw 0 0\n',
    pathText: (_task: unknown, path: { name: string }) => `/${path.name}`,
  })
  const proc = makeProc(kernel) as Proc
  Object.assign(kernel, { proc })
  registerProcFiles(kernel)
  const init = rig.tasks[0]!
  const prepare = (task: RigTask, more: object = {}): RigTask =>
    Object.assign(task, {
      fs: { cwd: { name: 'root' }, root: { name: '' }, umask: 0o22 },
      files: { get: (fd: number) => (fd === 3 ? FILE : undefined), entries: () => [[3, FILE]] },
      limits: [],
      pending: 0,
      nice: 0,
      utimeNs: 1_234_000_000,
      stimeNs: 50_000_000,
      startNs: 3_000_000_000,
      textPages: 20,
      anonPages: 12,
      brkBytes: 16_384,
      kthread: false,
      argv: ['sh', '-c', 'x y'],
      envp: ['A=1', 'B=2'],
      exe: '/bin/sh',
      comm: 'sh',
      ...more,
    })
  prepare(init, { comm: 'init', exe: '/sbin/init' })
  const sb = rig.now(init, proc.type.mount(kernel, 'proc', 0, ''))
  const walk = (path: string, by = init): Inode | undefined => {
    let inode: Inode | undefined = sb.root
    for (const name of path.split('/')) inode = inode && rig.now(by, inode.lookup(name))
    return inode
  }
  const open = (path: string, by = init): File => {
    const inode =
      walk(path, by) ??
      (() => {
        throw new Errno(ENOENT)
      })()
    const file = { inode, flags: 0, offset: 0, data: undefined } as unknown as File
    return Object.assign(file, { ops: rig.now(by, inode.open(file)) })
  }
  const read = (path: string, by = init): string => {
    const file = open(path, by)
    let text = ''
    for (;;) {
      const part = rig.now(by, file.ops.read!(file, 100, text.length))
      if (part.length === 0) return text
      text += byteString(part)
    }
  }
  const names = (path: string): string[] => {
    const file = open(path)
    return rig.now(init, file.ops.readdir!(file)).map(({ name }) => name)
  }
  const write = (path: string, text: string): number => {
    const file = open(path)
    return rig.now(init, file.ops.write!(file, bytesOfString(text), 0))
  }
  return { rig, proc, init, prepare, walk, read, names, write, sb }
}

const FILE = { flags: 2, path: { name: 'dev/null' } }

describe('a process', () => {
  test('stat has 42 fields', () => {
    const { rig, prepare, read } = build()
    prepare(rig.task(7, 5, { sid: 4, tty: { dev: 1025, pgrp: 5 } as never }), {
      parent: rig.tasks[0],
      blocked: 2,
      nice: 5,
    })
    expect(read('7/stat')).toBe(
      '7 (sh) S 1 5 4 1025 5 256 0 0 0 0 123 5 0 0 25 5 1 0 300 131072 32 18446744073709551615 ' +
        '0 0 0 0 0 0 2 0 0 0 0 0 17 0 0 0 0\n',
    )
    expect(read('7/statm')).toBe('32 32 20 20 0 12 0\n')
  })

  test('status', () => {
    const { rig, prepare, read } = build()
    const task = prepare(rig.task(7, 7, { sid: 7, tty: undefined }), { parent: rig.tasks[0] })
    task.actions.set(SIGINT, { handler: SIG_IGN, flags: 0, mask: 0 })
    task.actions.set(SIGTERM, { handler: function* () {}, flags: 0, mask: 0 })
    task.cred.groups.push(0, 10)
    expect(read('7/status')).toMatchSnapshot()
  })

  test('cmdline, environ, links, descriptors', () => {
    const { rig, init, prepare, read, walk, names } = build()
    prepare(rig.task(7, 7, { sid: 7, tty: undefined }))
    expect(read('7/cmdline')).toBe('sh\0-c\0x y\0')
    expect(read('7/environ')).toBe('A=1\0B=2\0')
    const link = (path: string): string => rig.now(init, walk(path)!.readlink())
    expect([link('7/exe'), link('7/cwd'), link('7/root'), link('7/fd/3')]).toEqual([
      '/bin/sh',
      '/root',
      '/',
      '/dev/null',
    ])
    expect(names('7/fd')).toEqual(['3'])
    expect([walk('7/fd/4'), walk('7/fd/03')]).toEqual([undefined, undefined])
    expect(walk('7/fd/3')!.mode & 0o777).toBe(0o700)
    expect(read('7/maps')).toBe(
      `${'00400000-00414000 r-xp 00000000 00:00 0 '.padEnd(73)}/bin/sh\n` +
        `${'00414000-00418000 rw-p 00000000 00:00 0 '.padEnd(73)}[heap]\n` +
        `${'7fffffff7000-7ffffffff000 rw-p 00000000 00:00 0 '.padEnd(73)}[stack]\n`,
    )
  })

  test('a kernel thread has neither command line nor program', () => {
    const { rig, init, prepare, read, walk } = build()
    prepare(rig.task(3, 0, { sid: 0, tty: undefined }), { kthread: true, exe: undefined, comm: 'kswapd0' })
    expect([read('3/cmdline'), read('3/maps')]).toEqual(['', ''])
    expect(() => rig.now(init, walk('3/exe')!.readlink())).toThrow(expect.objectContaining({ errno: ENOENT }))
    expect(read('3/status')).not.toContain('VmSize')
  })

  test('strangers see what it is, not what it has', () => {
    const { rig, prepare, read, walk } = build()
    prepare(rig.task(7, 7, { sid: 7, tty: undefined }))
    const user = prepare(rig.task(8, 8, { sid: 8, tty: undefined }))
    Object.assign(user.cred, { uid: 500, euid: 500 })
    expect(read('7/stat', user)).toContain('(sh)')
    expect(() => read('7/environ', user)).toThrow(expect.objectContaining({ errno: EACCES }))
    expect(() => rig.now(user, walk('7/cwd', user)!.readlink())).toThrow(expect.objectContaining({ errno: EACCES }))
    expect([walk('8')!.uid, walk('7')!.uid]).toEqual([500, 0])
  })

  test('it is gone when it is gone', () => {
    const { rig, prepare, walk } = build()
    prepare(rig.task(7, 7, { sid: 7, tty: undefined }))
    expect(walk('7/stat')).toBeDefined()
    rig.tasks.pop()
    expect([walk('7'), walk('07'), walk('x')]).toEqual([undefined, undefined, undefined])
  })

  test('self is whoever asks', () => {
    const { rig, prepare, walk } = build()
    const task = prepare(rig.task(7, 7, { sid: 7, tty: undefined }))
    expect(rig.now(task, walk('self')!.readlink())).toBe('7')
    expect(rig.now(task, walk('mounts')!.readlink())).toBe('self/mounts')
  })
})

describe('files', () => {
  test('cpuinfo', () => {
    expect(build().read('cpuinfo')).toMatchSnapshot()
  })

  test('devices', () => {
    const { rig, read } = build()
    rig.openers.set(1, { name: 'mem', open: undefined as never })
    expect(read('devices')).toBe(
      'Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n  1 ramdisk\n  3 ide0\n',
    )
  })

  test('capabilities tell dom0', () => {
    const { read, walk } = build()
    expect([read('xen/capabilities'), walk('xen/capabilities')!.mode]).toEqual(['control_d\n', 0o100400])
  })

  test('uuids', () => {
    const { read } = build()
    expect(read('sys/kernel/random/uuid')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}\n$/)
    expect(read('sys/kernel/random/boot_id')).toBe(read('sys/kernel/random/boot_id'))
    expect(uuidText(new Uint8Array(16))).toBe('00000000-0000-4000-8000-000000000000')
  })

  test('a registered file is read and written', () => {
    const { proc, read, write, names } = build()
    let value = '1\n'
    proc.add('sys/vm/swappiness', {
      mode: 0o644,
      read: () => value,
      write: (text) => {
        value = text
      },
    })
    expect(write('sys/vm/swappiness', '60\n')).toBe(3)
    expect(read('sys/vm/swappiness')).toBe('60\n')
    expect(names('sys')).toEqual(['kernel', 'vm'])
    proc.remove('sys/vm/swappiness')
    expect(names('sys/vm')).toEqual([])
    proc.remove('no/such/thing')
  })

  test('what cannot be written says so', () => {
    const { write } = build()
    expect(() => write('cpuinfo', 'x')).toThrow(expect.objectContaining({ errno: EIO }))
  })
})
