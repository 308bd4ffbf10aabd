/** mke2fs 1.39: lib/ondisk/ext2/mkfs on a device or a file. It makes ext2 with filetype and sparse_super, and no journal. */
import { ENOENT } from '#abi/posix/errno.ts'
import { O_RDONLY, O_RDWR, SEEK_SET } from '#abi/posix/fcntl.ts'
import { BLKGETSIZE64 } from '#abi/posix/ioctl.ts'
import { major, S_IFBLK, S_IFMT, type Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { Ext2Error } from '#lib/ondisk/ext2/errors.ts'
import { groupHasSuper, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, Superblock } from '#lib/ondisk/ext2/layout.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { sbrk } from '../libc/heap.ts'
import { execvp } from '../libc/process.ts'
import { type Program, program } from '../libc/program.ts'
import { eprint, readFile, readLineUnbuffered, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, fsync, ioctl, lseek, open, read, stat } from '../libc/syscall.ts'
import { time } from '../libc/time.ts'
import { parseTable } from './mount/fstab.ts'

const USAGE = `Usage: mke2fs [-c|-l filename] [-b block-size] [-f fragment-size]
\t[-i bytes-per-inode] [-I inode-size] [-j] [-J journal-options]
\t[-N number-of-inodes] [-m reserved-blocks-percentage] [-o creator-os]
\t[-g blocks-per-group] [-L volume-label] [-M last-mounted-directory]
\t[-O feature[,...]] [-r fs-revision] [-E extended-option[,...]] [-qvSV]
\tdevice [blocks-count]
`
/** What mke2fs.conf says for file systems below 3 MiB, below 512 MiB, and for the others: block size and bytes for each inode. */
const FLOPPY_BYTES = 3 * 1024 * 1024
const SMALL_BYTES = 512 * 1024 * 1024
const MAJORS_WITH_PARTITIONS = [3, 22, 33, 34]
const PARTITION_BITS = 63

const record = (name: string): Program =>
  program({
    name,
    usage: `${name} [-b BLOCK-SIZE] [-F] [-i BYTES-PER-INODE] [-L LABEL] [-m PERCENT] [-n] [-q] DEVICE [BLOCKS]`,
    help: [
      'Make an ext2 file system on DEVICE.',
      '  -b SIZE    blocks of 1024, 2048 or 4096 bytes',
      '  -F         also if DEVICE is no partition, or no device at all',
      '  -i BYTES   one inode for each so many bytes',
      '  -L LABEL   at most 16 characters',
      '  -m PERCENT of the blocks are for root alone (5)',
      '  -n         show what would be made, and make nothing',
      '  -q         quiet',
    ].join('\n'),
    main: (argv) => run(argv.slice(1)),
  })

export const mke2fs = record('mke2fs')
export const mkfsExt2 = record('mkfs.ext2')

export const mkfsProgram = program({
  name: 'mkfs',
  usage: 'mkfs [-V] [-t FSTYPE] [FS-OPTIONS] DEVICE [SIZE]',
  help: 'Make a file system of type FSTYPE (ext2) on DEVICE, by the program mkfs.FSTYPE.',
  *main(argv, env) {
    const rest = argv.slice(1)
    let type = 'ext2'
    const at = rest.findIndex((word) => /^-t/.test(word))
    if (at >= 0) {
      const joined = rest[at]!.slice(2)
      type = joined || (rest[at + 1] ?? '')
      rest.splice(at, joined ? 1 : 2)
    }
    if (rest.length === 0 || type === '') {
      yield* eprint('Usage: mkfs [-V] [-t fstype] [fs-options] device [size]\n')
      return 1
    }
    try {
      return yield* execvp(
        `mkfs.${type}`,
        [`mkfs.${type}`, ...rest],
        [`PATH=/sbin:/sbin/fs:/sbin/fs.d:/etc/fs:/etc:/bin`, ...env.filter((one) => !one.startsWith('PATH='))],
      )
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`mkfs.${type}: ${strerror(error.errno)}\n`)
      return 1
    }
  },
})

const say = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(text))

function* run(args: readonly string[]): Sys<number> {
  const { options, operands, error } = getopt(args, 'b:cf:Fi:jL:m:nqvVT:t:')
  const has = (code: string): boolean => options.some((option) => option.code === code)
  const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
  const fail = function* (text: string): Sys<number> {
    yield* eprint(`mke2fs: ${text}\n`)
    return 1
  }
  if (!has('q') || has('V')) yield* eprint('mke2fs 1.39 (29-May-2006)\n')
  if (has('V')) {
    yield* eprint('\tUsing EXT2FS Library version 1.39\n')
    return 0
  }
  const [device, blocksText] = operands
  if (error !== undefined || device === undefined || operands.length > 2) {
    yield* eprint(`${error === undefined ? '' : `mke2fs: ${error}\n`}${USAGE}`)
    return 1
  }
  for (const [code, what] of [
    ['j', 'a journal'],
    ['c', 'a search for bad blocks'],
  ])
    if (has(code!)) return yield* fail(`${what} is not supported`)
  const label = value('L') ?? ''
  if (label.length > 16) yield* eprint('Warning: label too long, truncating.\n')
  const blockText = value('b')
  if (blockText !== undefined && !['1024', '2048', '4096'].includes(blockText))
    return yield* fail(`invalid block size - ${blockText}`)
  const ratioText = value('i')
  if (
    ratioText !== undefined &&
    !(/^\d+$/.test(ratioText) && Number(ratioText) >= 1024 && Number(ratioText) <= 4 << 20)
  )
    return yield* fail(`invalid inode ratio ${ratioText} (min 1024/max 4194304)`)
  const percentText = value('m') ?? '5'
  if (!/^\d+$/.test(percentText) || Number(percentText) > 50)
    return yield* fail(`invalid reserved blocks percent - ${percentText}`)
  if (blocksText !== undefined && !/^\d{1,12}$/.test(blocksText))
    return yield* fail(`invalid blocks count - ${blocksText}`)
  const info = yield* plausible(device, has('F'))
  if (!info) return 1
  let fd: number
  try {
    fd = yield* open(device, has('n') ? O_RDONLY : O_RDWR, 0)
  } catch (caught) {
    if (!(caught instanceof OsError)) throw caught
    return yield* fail(`${strerror(caught.errno)} while trying to determine filesystem size`)
  }
  try {
    const bytes = yield* deviceBytes(fd, info)
    const blockBytes = Number(blockText ?? (bytes < SMALL_BYTES ? 1024 : 4096))
    const wanted = blocksText === undefined ? bytes : Number(blocksText) * blockBytes
    if (bytes === 0)
      return yield* fail(
        "Device size reported to be zero.  Invalid partition specified, or\n\tpartition table wasn't reread after running fdisk, due to\n\ta modified partition being busy and in use.  You may need to reboot\n\tto re-read your partition table.\n",
      )
    if (wanted > bytes) return yield* fail('Filesystem larger than apparent device size.\n')
    const ratio = Number(ratioText ?? (wanted < FLOPPY_BYTES ? 8192 : wanted < SMALL_BYTES ? 4096 : 8192))
    const recorder = new Recorder(Math.floor(wanted / SECTOR_BYTES))
    yield* sbrk(Math.max(1 << 20, Math.floor(wanted / 64)))
    try {
      mkfs(recorder, {
        blockBytes,
        uuid: yield* randomUuid(),
        nowSeconds: yield* time(),
        label: label.slice(0, 16),
        inodeRatio: ratio,
        reservedPercent: Number(percentText),
      })
    } catch (caught) {
      if (!(caught instanceof Ext2Error)) throw caught
      return yield* fail('Not enough space to build proposed filesystem while setting up superblock')
    }
    const superblock = recorder.superblock()
    if (!has('q')) yield* say(statistics(superblock, label.slice(0, 16)))
    if (has('n')) return 0
    yield* recorder.replay(fd, superblock, has('q'))
    if (!has('q'))
      yield* say(
        `\nThis filesystem will be automatically checked every ${superblock.get('max_mnt_count')} mounts or\n` +
          `${Math.floor(superblock.get('checkinterval') / 86400)} days, whichever comes first.  Use tune2fs -c or -i to override.\n`,
      )
    return 0
  } catch (caught) {
    if (!(caught instanceof OsError)) throw caught
    return yield* fail(`${strerror(caught.errno)} while writing out and closing file system`)
  } finally {
    yield* close(fd)
  }
}

/** check_plausibility(), check_mount(). */
function* plausible(device: string, force: boolean): Sys<Stat | undefined> {
  let info: Stat
  try {
    info = yield* stat(device)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`Could not stat ${device} --- ${strerror(error.errno)}\n`)
    if (error.errno === ENOENT) yield* eprint('\nThe device apparently does not exist; did you specify it correctly?\n')
    return undefined
  }
  const block = (info.mode & S_IFMT) === S_IFBLK
  const doubt = !block
    ? `${device} is not a block special device.\n`
    : MAJORS_WITH_PARTITIONS.includes(major(info.rdev)) && (info.rdev & PARTITION_BITS) === 0
      ? `${device} is entire device, not just one partition!\n`
      : undefined
  if (!force && doubt !== undefined) {
    yield* say(`${doubt}Proceed anyway? (y,n) `)
    if (!/^[yY]/.test((yield* readLineUnbuffered(STDIN)) ?? '')) return undefined
  }
  // By what is mounted, not by its name: the root may be called /dev/root.
  for (const { spec, dir } of parseTable(yield* readFile('/proc/mounts')))
    if (spec === device || (block && (yield* deviceUnder(dir)) === info.rdev)) {
      yield* eprint(`${device} is mounted; will not make a filesystem here!\n`)
      return undefined
    }
  return info
}

function* deviceUnder(dir: string): Sys<number | undefined> {
  try {
    return (yield* stat(dir)).dev
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* deviceBytes(fd: number, info: Stat): Sys<number> {
  if ((info.mode & S_IFMT) !== S_IFBLK) return info.size
  const size = yield* ioctl(fd, BLKGETSIZE64, 0)
  return typeof size === 'number' ? size : Number(new DataView(size.buffer, size.byteOffset).getBigUint64(0, true))
}

function* randomUuid(): Sys<Uint8Array> {
  const fd = yield* open('/dev/urandom', O_RDONLY, 0)
  const bytes = (yield* read(fd, 16)).slice()
  yield* close(fd)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}

/** show_stats(). */
function statistics(sb: Superblock, label: string): string {
  const log = sb.get('log_block_size')
  const blocks = sb.get('blocks_count')
  const reserved = sb.get('r_blocks_count')
  const perGroup = sb.get('blocks_per_group')
  const groups = Math.ceil((blocks - sb.get('first_data_block')) / perGroup)
  const backups: number[] = []
  for (let group = 1; group < groups; group++)
    if (groupHasSuper(group, true)) backups.push(group * perGroup + sb.get('first_data_block'))
  let shown = ''
  let column = 0
  for (const block of backups) {
    const text = shown === '' ? '\n\t' : column + 2 + String(block).length > 70 ? ', \n\t' : ', '
    column = text.includes('\n') ? 8 : column + 2
    shown += text + block
    column += String(block).length
  }
  return (
    `Filesystem label=${label}\nOS type: Linux\n` +
    `Block size=${1024 << log} (log=${log})\nFragment size=${1024 << log} (log=${log})\n` +
    `${sb.get('inodes_count')} inodes, ${blocks} blocks\n` +
    `${reserved} blocks (${((100 * reserved) / blocks).toFixed(2)}%) reserved for the super user\n` +
    `First data block=${sb.get('first_data_block')}\n` +
    `${groups} block group${groups > 1 ? 's' : ''}\n` +
    `${perGroup} blocks per group, ${perGroup} fragments per group\n` +
    `${sb.get('inodes_per_group')} inodes per group\n` +
    (backups.length > 0 ? `Superblock backups stored on blocks: ${shown}\n` : '') +
    '\n'
  )
}

/** What mkfs writes, to be written by system calls afterwards. */
class Recorder implements BlockStore {
  readonly sectors: number
  readonly #writes: { readonly lba: number; readonly bytes: Uint8Array }[]

  constructor(sectors: number) {
    this.sectors = sectors
    this.#writes = []
  }

  read(): never {
    throw new RangeError('mkfs reads nothing')
  }

  write(lba: number, bytes: Uint8Array): void {
    if (lba < 0 || lba + bytes.length / SECTOR_BYTES > this.sectors) throw new RangeError('outside the disk')
    // mkfs changes its superblock between two writes of it.
    this.#writes.push({ lba, bytes: bytes.length <= SUPERBLOCK_BYTES ? bytes.slice() : bytes })
  }

  superblock(): Superblock {
    const found = this.#writes.findLast(
      ({ lba, bytes }) => lba === SUPERBLOCK_OFFSET / SECTOR_BYTES && bytes.length === SUPERBLOCK_BYTES,
    )
    return new Superblock(found!.bytes)
  }

  /** In mkfs's order: group by group its tables, then directories and superblocks. */
  *replay(fd: number, sb: Superblock, quiet: boolean): Sys<void> {
    const groupSectors = (sb.get('blocks_per_group') * (1024 << sb.get('log_block_size'))) / SECTOR_BYTES
    const groups = Math.ceil((sb.get('blocks_count') - sb.get('first_data_block')) / sb.get('blocks_per_group'))
    const width = String(groups).length
    const progress = (group: number): string => `${String(group).padStart(width)}/${groups}`
    if (!quiet) yield* say(`Writing inode tables: ${progress(0)}`)
    let group = 0
    let tables = true
    for (const { lba, bytes } of this.#writes) {
      const here = Math.floor(lba / groupSectors)
      if (tables && here < group) {
        tables = false
        if (!quiet)
          yield* say(
            `${'\b'.repeat(2 * width + 1)}done                            \nWriting superblocks and filesystem accounting information: `,
          )
      }
      if (tables && here > group && here < groups) {
        group = here
        if (!quiet) yield* say('\b'.repeat(2 * width + 1) + progress(group))
      }
      yield* lseek(fd, lba * SECTOR_BYTES, SEEK_SET)
      yield* writeAll(fd, bytes)
    }
    if (!quiet && tables)
      yield* say(
        `${'\b'.repeat(2 * width + 1)}done                            \nWriting superblocks and filesystem accounting information: `,
      )
    yield* fsync(fd)
    if (!quiet) yield* say('done\n')
  }
}

/** e2label(8). */
export const e2label = program({
  name: 'e2label',
  usage: 'e2label DEVICE [NEWLABEL]',
  help: 'Show the label of the ext2 file system on DEVICE, or change it.',
  *main(argv) {
    const [device, label] = argv.slice(1)
    if (device === undefined || argv.length > 3) {
      yield* eprint('Usage: e2label device [newlabel]\n')
      return 1
    }
    let fd: number
    try {
      fd = yield* open(device, label === undefined ? O_RDONLY : O_RDWR, 0)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(
        `e2label: ${strerror(error.errno)} while trying to open ${device}\nCouldn't find valid filesystem superblock.\n`,
      )
      return 1
    }
    try {
      return yield* labelOn(fd, device, label)
    } finally {
      yield* close(fd)
    }
  },
})

const SB_MAGIC = 0xef53
const LABEL_AT = 120
const LABEL_BYTES = 16

function* labelOn(fd: number, device: string, label: string | undefined): Sys<number> {
  yield* lseek(fd, SUPERBLOCK_OFFSET, SEEK_SET)
  const bytes = (yield* read(fd, SUPERBLOCK_BYTES)).slice()
  if (bytes.length < SUPERBLOCK_BYTES || new Superblock(bytes).get('magic') !== SB_MAGIC) {
    yield* eprint(
      `e2label: Bad magic number in super-block while trying to open ${device}\nCouldn't find valid filesystem superblock.\n`,
    )
    return 1
  }
  if (label === undefined) {
    let text = ''
    for (let i = 0; i < LABEL_BYTES && bytes[LABEL_AT + i] !== 0; i++) text += String.fromCharCode(bytes[LABEL_AT + i]!)
    yield* say(`${text}\n`)
    return 0
  }
  if (label.length > LABEL_BYTES) yield* eprint('Warning: label too long, truncating.\n')
  bytes.fill(0, LABEL_AT, LABEL_AT + LABEL_BYTES)
  bytes.set(bytesOfString(label.slice(0, LABEL_BYTES)), LABEL_AT)
  yield* lseek(fd, SUPERBLOCK_OFFSET, SEEK_SET)
  yield* writeAll(fd, bytes)
  yield* fsync(fd)
  return 0
}
