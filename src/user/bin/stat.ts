/** stat(1). */
import { DEVPTS_SUPER_MAGIC, EXT2_SUPER_MAGIC, PROC_SUPER_MAGIC, SYSFS_MAGIC, TMPFS_MAGIC } from '#abi/posix/mount.ts'
import { major, minor, type Stat, type StatFs } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { fileType } from '../coreutils/file-type.ts'
import { OsError } from '../libc/errno.ts'
import { isDevice, isLink, modeString } from '../libc/mode.ts'
import { getgrgid, getpwuid } from '../libc/pwd.ts'
import { quote } from '../libc/quote.ts'
import { lstat, readlink, stat as statCall, statfs } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { UsageError, utility } from '../libc/utility.ts'

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  [EXT2_SUPER_MAGIC]: 'ext2/ext3',
  [TMPFS_MAGIC]: 'tmpfs',
  [PROC_SUPER_MAGIC]: 'proc',
  [SYSFS_MAGIC]: 'sysfs',
  [DEVPTS_SUPER_MAGIC]: 'devpts',
}

export const stat = utility({
  name: 'stat',
  usage: 'stat [OPTION] FILE...',
  help: `Display file or file system status.

  -f, --file-system     display file system status instead of file status
  -c  --format=FORMAT   use the specified FORMAT instead of the default
  -L, --dereference     follow links
  -t, --terse           print the information in terse form
      --help     display this help and exit
      --version  output version information and exit

The valid format sequences for files (without --file-system):

  %A   Access rights in human readable form     %a   Access rights in octal
  %B   The size in bytes of each block reported by \`%b'
  %b   Number of blocks allocated (see %B)
  %D   Device number in hex                     %d   Device number in decimal
  %F   File type                                %f   Raw mode in hex
  %G   Group name of owner                      %g   Group ID of owner
  %h   Number of hard links                     %i   Inode number
  %N   Quoted File name with dereference if symbolic link
  %n   File name                                %o   I/O block size
  %s   Total size, in bytes                     %T   Minor device type in hex
  %t   Major device type in hex
  %U   User name of owner                       %u   User ID of owner
  %X   Time of last access as seconds since Epoch
  %x   Time of last access
  %Y   Time of last modification as seconds since Epoch
  %y   Time of last modification
  %Z   Time of last change as seconds since Epoch
  %z   Time of last change

Valid format sequences for file systems:

  %a   Free blocks available to non-superuser
  %b   Total data blocks in file system         %c   Total file nodes
  %d   Free file nodes                          %f   Free blocks
  %i   File System ID in hex                    %l   Maximum length of filenames
  %n   File name                                %s   Block size
  %T   Type in human readable form              %t   Type in hex

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'c:fLlt',
  long: { 'format:': 'c', 'file-system': 'f', dereference: 'L', terse: 't' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    const format = run.value('c')
    for (const name of run.operands) {
      try {
        if (run.has('f')) {
          const shape = format ?? (run.has('t') ? '%n %i %l %t %s %S %b %f %a %c %d' : FS_DEFAULT)
          yield* run.out.line(fill(shape, fsFields(name, yield* statfs(name))))
        } else {
          const status = run.has('L') ? yield* statCall(name) : yield* lstat(name)
          const shape =
            format ??
            (run.has('t')
              ? '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o'
              : isDevice(status.mode)
                ? FILE_DEFAULT.replace('Links: %-5h', 'Links: %-5h Device type: %t,%T')
                : FILE_DEFAULT)
          yield* run.out.line(fill(shape, yield* fields(name, status)))
        }
      } catch (error) {
        const what = run.has('f')
          ? `cannot read file system information for ${quote(name)}`
          : `cannot stat ${quote(name)}`
        yield* run.warn(error, what)
      }
    }
    return run.status
  },
})

const FILE_DEFAULT = `  File: %N
  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F
Device: %Dh/%dd\tInode: %-10i  Links: %-5h
Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)
Access: %x
Modify: %y
Change: %z`

const FS_DEFAULT = `  File: "%n"
    ID: %-8i Namelen: %-7l Type: %T
Block size: %-10s
Blocks: Total: %-10b Free: %-10f Available: %a
Inodes: Total: %-10c Free: %d`

/** printf's conversions of strings. */
function fill(format: string, values: Readonly<Record<string, string | number>>): string {
  return format.replace(/%(-?)(0?)(\d*)(?:\.(\d+))?([a-zA-Z%])/g, (whole, left, zero, width, precision, letter) => {
    if (letter === '%') return '%'
    const value = values[letter]
    if (value === undefined) return '?'
    const text = precision === undefined ? String(value) : String(value).slice(0, Number(precision))
    if (whole.length === 2) return text
    return left ? text.padEnd(Number(width)) : text.padStart(Number(width), zero ? '0' : ' ')
  })
}

const timestamp = (seconds: number): string => strftime('%Y-%m-%d %H:%M:%S.%N %z', seconds)

function* fields(name: string, status: Stat): Sys<Record<string, string | number>> {
  let shown = quote(name)
  if (isLink(status.mode)) {
    try {
      shown += ` -> ${quote(yield* readlink(name))}`
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return {
    A: modeString(status.mode),
    a: (status.mode & 0o7777).toString(8),
    B: 512,
    b: status.blocks,
    D: status.dev.toString(16),
    d: status.dev,
    F: fileType(status),
    f: status.mode.toString(16),
    G: (yield* getgrgid(status.gid))?.name ?? 'UNKNOWN',
    g: status.gid,
    h: status.nlink,
    i: status.ino,
    N: shown,
    n: name,
    o: status.blksize,
    s: status.size,
    T: minor(status.rdev).toString(16),
    t: major(status.rdev).toString(16),
    U: (yield* getpwuid(status.uid))?.name ?? 'UNKNOWN',
    u: status.uid,
    X: status.atime,
    x: timestamp(status.atime),
    Y: status.mtime,
    y: timestamp(status.mtime),
    Z: status.ctime,
    z: timestamp(status.ctime),
  }
}

const fsFields = (name: string, fs: StatFs): Record<string, string | number> => ({
  a: fs.bavail,
  b: fs.blocks,
  c: fs.files,
  d: fs.ffree,
  f: fs.bfree,
  i: 0,
  l: fs.namelen,
  n: name,
  S: fs.bsize,
  s: fs.bsize,
  T: FILE_SYSTEMS[fs.type] ?? `UNKNOWN (0x${fs.type.toString(16)})`,
  t: fs.type.toString(16),
})
