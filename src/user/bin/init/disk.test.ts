/** The scripts of the default disk, from init to the login and back down, on the rig: real init, sh and commands; mounts are pretended. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TIOCNOTTY } from '#abi/posix/ioctl.ts'
import { S_IFBLK, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { MANIFEST } from '#images/default/manifest.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { type PosixRig, posixRig, type RigFile, type Session } from '#testing/posix-rig.ts'
import type { Package, Program } from '#user/libc/program.ts'
import { getpid, ioctl } from '#user/libc/syscall.ts'
import { coreutils } from '#user/packages/coreutils.ts'
import { coreutilsUsr } from '#user/packages/coreutils-usr.ts'
import { e2fsprogs } from '#user/packages/e2fsprogs.ts'
import { moduleInitTools } from '#user/packages/module-init-tools.ts'
import { procps } from '#user/packages/procps.ts'
import { sh } from '#user/packages/sh.ts'
import { sysvinit } from '#user/packages/sysvinit.ts'
import { utilLinux } from '#user/packages/util-linux.ts'
import { init } from './init.ts'

const FILES = join(import.meta.dirname, '../../../images/default/files')

function* walk(dir: string): Generator<string> {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) yield* walk(path)
    else yield path
  }
}

function diskFiles(): Record<string, RigFile> {
  const texts = new Map([...walk(FILES)].map((path) => [path.slice(FILES.length), new Uint8Array(readFileSync(path))]))
  const files: Record<string, RigFile> = {}
  for (const row of MANIFEST) {
    // Where packages install, the rig has directories already.
    if (row.kind === 'dir' && /^\/(bin|sbin|usr|usr\/s?bin)$/.test(row.path)) continue
    if (row.kind === 'dir') files[row.path] = { dir: true, mode: row.mode }
    else if (row.kind === 'file') files[row.path] = { text: texts.get(row.path)!, mode: row.mode }
    else if (row.kind === 'empty') files[row.path] = { text: '', mode: row.mode }
    else if (row.kind === 'link') files[row.path] = { link: row.target }
    else if (row.kind === 'node')
      files[row.path] = {
        device: [(row.mode & S_IFMT) === S_IFBLK ? 'b' : 'c', (row.major << 8) | row.minor],
        mode: row.mode & 0o7777,
      }
  }
  // The rig has one terminal: console and Xen's console are it.
  for (const name of ['console', 'xvc0']) files[`/dev/${name}`] = { device: ['c', 0x440], mode: 0o600 }
  files['/proc/cmdline'] = 'ro root=/dev/hda1 console=tty0 console=xvc0\n'
  files['/proc/mounts'] = '/dev/root / ext2 ro 0 0\n'
  return files
}

function boot(): { rig: PosixRig; s: Session; execs: string[]; calls: string[] } {
  const execs: string[] = []
  const calls: string[] = []
  const files = diskFiles()
  // The rig has no disks.
  const checker: Program = {
    name: 'fsck.ext2',
    usage: '',
    help: '',
    *main(): Sys<number> {
      calls.push('e2fsck')
      return 0
    },
  }
  // Nor anybody outside.
  const silent: Program = {
    name: 'hostlinkd',
    usage: '',
    help: '',
    main: function* () {
      return 0
    },
  }
  const detached: Program = {
    ...init,
    *main(argv, env) {
      if ((yield* getpid()) === 1) yield* ioctl(0, TIOCNOTTY, 0)
      return yield* init.main(argv, env)
    },
  }
  const instead = (pkg: Package, path: string, program: Program): Package => ({
    name: pkg.name,
    programs: pkg.programs.map(([at, one]) => (at === path ? [at, () => program] : [at, one])),
  })
  const rig = posixRig({
    firstPid: 1,
    packages: [
      coreutils,
      coreutilsUsr,
      procps,
      sh,
      instead(sysvinit, '/sbin/init', detached),
      utilLinux,
      moduleInitTools,
      instead(e2fsprogs, '/sbin/fsck.ext2', checker),
      { name: 'hostlink', programs: [['/usr/sbin/hostlinkd', () => silent]] },
    ],
    files,
    calls: {
      reboot: (_k, _p, command: number) => {
        if (command !== 0) calls.push(`reboot ${command.toString(16)}`)
        return 0
      },
      mount: (_k, _p, source: string, dir: string, type: string, flags: number) => {
        calls.push(`mount ${source} ${dir} ${type} ${flags}`)
        return 0
      },
      umount2: (_k, _p, dir: string) => {
        calls.push(`umount ${dir}`)
        return 0
      },
      syslog: (_k, _p, action: number) => (action === 10 ? 16384 : bytesOfString('<5>Linux version 2.6.18.8-xen\n')),
      sethostname: () => 0,
    },
  })
  const { exec } = rig.kernel
  rig.kernel.exec = (process, path, argv, env) => {
    execs.push(argv.join(' '))
    return exec.call(rig.kernel, process, path, argv, env)
  }
  return { rig, s: rig.session(['/sbin/init']), execs, calls }
}

test('the default disk boots to a login, and root gets a shell', () => {
  const { rig, s, execs, calls } = boot()
  s.pass(3000)
  expect(s.take()).toMatchSnapshot()
  expect(execs.length).toBeLessThan(60)
  expect(calls).toMatchSnapshot()
  expect(byteString(bytesOfString(rig.read('/etc/mtab') ?? ''))).toMatchSnapshot()
  s.type('root\r')
  expect(s.take()).toBe('root\r\n[root@xenhost ~]# ')
  s.type('mount; runlevel\n')
  expect(s.take()).toMatchSnapshot()
})

test('reboot goes through runlevel 6 to the system call', () => {
  const { s, calls } = boot()
  s.pass(3000)
  s.type('root\r').take()
  s.type('reboot\n').pass(20_000)
  s.pass(20_000)
  expect(s.take().replace(/^.*reboot\r\n/s, '')).toMatchSnapshot()
  expect(calls.at(-1)).toBe('reboot 1234567')
})
