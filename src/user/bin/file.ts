/** file 4.17: what a file is, by its inode, and then by its first bytes. The table holds what this disk can hold. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { major, minor, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { Out, STDIN, STDOUT } from '../libc/stdio.ts'
import { close, lstat, open, read, readlink, stat } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { type Run, UsageError, utility } from '../libc/utility.ts'

const LOOK_BYTES = 65536
const IMAGE_KINDS = ['', 'boot sector', 'stage 2', 'hypervisor', 'kernel', 'module', 'program']

export const file = utility({
  name: 'file',
  usage: 'file [-bL] FILE...',
  help: `Determine type of FILEs.

  -b, --brief         do not prepend filenames to output lines
  -L, --dereference   follow symbolic links
`,
  version: '4.17',
  short: 'bLis',
  long: { brief: 'b', dereference: 'L' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing file name')
    const width = run.operands.reduce((most, name) => Math.max(most, name.length), 0)
    const out = new Out(STDOUT)
    for (const name of run.operands) {
      const what = yield* describeFile(run, name)
      yield* out.line(run.has('b') ? what : `${`${name === '-' ? '/dev/stdin' : name}:`.padEnd(width + 1)} ${what}`)
    }
    yield* out.flush()
    return 0
  },
})

function* describeFile(run: Run, name: string): Sys<string> {
  let fd = STDIN
  if (name !== '-') {
    try {
      const { mode, rdev, size } = yield* run.has('L') ? stat(name) : lstat(name)
      const prefix = mode & 0o4000 ? 'setuid ' : mode & 0o2000 ? 'setgid ' : mode & 0o1000 ? 'sticky ' : ''
      switch (mode & S_IFMT) {
        case S_IFDIR:
          return `${prefix}directory`
        case S_IFCHR:
          return `character special (${major(rdev)}/${minor(rdev)})`
        case S_IFBLK:
          return `block special (${major(rdev)}/${minor(rdev)})`
        case S_IFIFO:
          return 'fifo (named pipe)'
        case S_IFSOCK:
          return 'socket'
        case S_IFLNK: {
          const target = yield* readlink(name)
          return (yield* reaches(name)) ? `symbolic link to \`${target}'` : `broken symbolic link to \`${target}'`
        }
      }
      if (size === 0) return `${prefix}empty`
      fd = yield* open(name, O_RDONLY, 0)
      const what = identify(yield* read(fd, LOOK_BYTES))
      yield* close(fd)
      return prefix + what
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return error.call === 'open'
        ? 'regular file, no read permission'
        : `ERROR: cannot open \`${name}' (${strerror(error.errno)})`
    }
  }
  return identify(yield* read(fd, LOOK_BYTES))
}

function* reaches(name: string): Sys<boolean> {
  try {
    yield* stat(name)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** By the first bytes of a file. */
export function identify(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty'
  const at = (offset: number, text: string): boolean =>
    byteString(bytes.subarray(offset, offset + text.length)) === text
  const u16 = (offset: number): number => (bytes[offset] ?? 0) + 256 * (bytes[offset + 1] ?? 0)
  const u32 = (offset: number): number => u16(offset) + 65536 * u16(offset + 2)
  if (at(0, '\x7fELF')) return elf(bytes, u16)
  if (at(0, 'XPIM')) return `Xen Playground image, ${IMAGE_KINDS[u16(4)] ?? `kind ${u16(4)}`}`
  if (at(0, '\x1f\x8b')) return gzip(bytes, u32)
  if (at(0, 'BZh')) return `bzip2 compressed data, block size = ${String.fromCharCode(bytes[3] ?? 0)}00k`
  if (at(257, 'ustar  \0')) return 'POSIX tar archive (GNU)'
  if (at(257, 'ustar\0')) return 'POSIX tar archive'
  if (at(0, 'PK\x03\x04')) return 'Zip archive data, at least v2.0 to extract'
  if (at(0, '\x89PNG\r\n\x1a\n')) return 'PNG image data'
  if (at(0, '\x7fXEN') || at(0, '070701')) return at(0, '070701') ? 'ASCII cpio archive (SVR4 with no CRC)' : 'data'
  if (u16(1080) === 0xef53) return 'Linux rev 1.0 ext2 filesystem data'
  if (u16(510) === 0xaa55) return 'x86 boot sector'
  return text(bytes)
}

function elf(bytes: Uint8Array, u16: (offset: number) => number): string {
  const size = ['invalid class', '32-bit', '64-bit'][bytes[4]!] ?? 'unknown class'
  const order = ['invalid byte order', 'LSB', 'MSB'][bytes[5]!] ?? 'unknown byte order'
  const type = ['no file type', 'relocatable', 'executable', 'shared object', 'core file'][u16(16)] ?? `unknown type`
  const machine = { 3: 'Intel 80386', 62: 'AMD x86-64' }[u16(18)] ?? `unknown machine ${u16(18)}`
  return `ELF ${size} ${order} ${type}, ${machine}, version ${bytes[6]} (SYSV)`
}

function gzip(bytes: Uint8Array, u32: (offset: number) => number): string {
  let what = 'gzip compressed data'
  const flags = bytes[3] ?? 0
  if (flags & 8 && !(flags & 4)) what += `, was "${byteString(bytes.subarray(10, 512)).replace(/\0.*$/s, '')}"`
  what += bytes[9] === 3 ? ', from Unix' : ''
  if (u32(4) !== 0) what += `, last modified: ${strftime('%a %b %e %H:%M:%S %Y', u32(4))}`
  return what + (bytes[8] === 2 ? ', max compression' : bytes[8] === 4 ? ', max speed' : '')
}

function text(bytes: Uint8Array): string {
  let high = false
  let escapes = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === 27) escapes = true
    else if (byte >= 128) high = true
    else if (byte === 127 || (byte < 32 && !(byte >= 7 && byte <= 13))) return 'data'
  }
  const start = byteString(bytes.subarray(0, 4096))
  const script = /^#! *(\S+)(?: +(\S+))?/.exec(start)
  const encoding = !high ? 'ASCII' : isUtf8(bytes) ? 'UTF-8 Unicode' : 'ISO-8859'
  const more = (/\r\n/.test(start) ? ', with CRLF line terminators' : '') + (escapes ? ', with escape sequences' : '')
  const command = script?.[1]?.endsWith('/env') ? (script[2] ?? 'env') : script?.[1]
  const shells: Readonly<Record<string, string>> = { sh: 'Bourne shell', bash: 'Bourne-Again shell', awk: 'awk' }
  if (command !== undefined) {
    const shell = shells[command.slice(command.lastIndexOf('/') + 1)]
    return `${shell ?? `a ${command}`} script text executable`
  }
  if (/^\.(?:TH|\\")/.test(start)) return `troff or preprocessor input text${more}`
  if (/^#include |^\/\* .*\n.*#include/s.test(start)) return `${encoding} C program text${more}`
  return `${encoding}${start.includes(' ') && start.length > 200 && /[a-z]{2,} [a-z]{2,}/.test(start) ? ' English' : ''} text${more}`
}

function isUtf8(bytes: Uint8Array): boolean {
  let more = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (more > 0) {
      if ((byte & 0xc0) !== 0x80) return false
      more--
    } else if (byte >= 0x80) {
      more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc2 ? 1 : -1
      if (more < 0) return false
    }
  }
  return true
}
