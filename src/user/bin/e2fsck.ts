/** e2fsck 1.39: lib/ondisk/ext2/check on a device. */
import { EBUSY } from '#abi/posix/errno.ts'
import { O_RDONLY, O_RDWR, SEEK_SET } from '#abi/posix/fcntl.ts'
import type { Sys, Syscall } from '#abi/posix/syscalls.ts'
import { type CheckIo, checkExt2, openSuperblock, restoreSuperblock } from '#lib/ondisk/ext2/check/check.ts'
import { EXT2_ERROR_FS, EXT2_VALID_FS, type Superblock } from '#lib/ondisk/ext2/layout.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { eprint, isatty, readFile, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, fsync, lseek, open, read } from '../libc/syscall.ts'
import { time } from '../libc/time.ts'
import { labelOf, parseTable } from './mount/fstab.ts'

/** What the exit status is made of. */
const FSCK_NONDESTRUCT = 1
const FSCK_REBOOT = 2
const FSCK_UNCORRECTED = 4
const FSCK_ERROR = 8
const FSCK_USAGE = 16

const USAGE = `Usage: e2fsck [-panyrcdfvstDFSV] [-b superblock] [-B blocksize]
\t\t[-I inode_buffer_blocks] [-P process_inode_size]
\t\t[-l|-L bad_blocks_file] [-C fd] [-j external_journal]
\t\t[-E extended-options] device

Emergency help:
 -p                   Automatic repair (no questions)
 -n                   Make no changes to the filesystem
 -y                   Assume "yes" to all questions
 -c                   Check for bad blocks and add them to the badblock list
 -f                   Force checking even if filesystem is marked clean
 -v                   Be verbose
 -b superblock        Use alternative superblock
 -B blocksize         Force blocksize when looking for superblock
 -j external_journal  Set location of the external journal
 -l bad_blocks_file   Add to badblocks list
 -L bad_blocks_file   Set badblocks list
`

export const e2fsck = program({
  name: 'e2fsck',
  usage: 'e2fsck [-panyfV] [-C FD] DEVICE',
  help: [
    'Check an ext2 file system, and repair it.',
    '  -p, -a   repair what is safe without asking; stop at anything else',
    '  -n       change nothing: every answer is no',
    '  -y       every answer is yes',
    '  -f       even if the file system is marked clean',
    '  -C FD    progress: taken, and not shown',
    'Status: 0 clean, 1 repaired, 2 repaired and a reboot is needed, 4 errors are left, 8 could not be checked.',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'panyrcC:B:dE:fvtFVM:b:I:j:P:l:L:N:SsDk')
    const has = (...codes: string[]): boolean => options.some(({ code }) => codes.includes(code))
    if (error !== undefined || (operands.length !== 1 && !has('V'))) {
      yield* eprint(`${error === undefined ? '' : `${argv[0]}: ${error}\n`}${USAGE}`)
      return FSCK_USAGE
    }
    const preen = has('p', 'a')
    if (!preen || has('V')) yield* eprint('e2fsck 1.39 (29-May-2006)\n')
    if (has('V')) return 0
    if ([preen, has('n'), has('y')].filter((one) => one).length > 1) {
      yield* eprint('e2fsck: Only one the options -p/-a, -n or -y may be specified.\n')
      return FSCK_USAGE
    }
    const answer = preen ? 'preen' : has('n') ? 'no' : has('y') ? 'yes' : 'ask'
    if (answer === 'ask' && !((yield* isatty(STDIN)) && (yield* isatty(STDOUT)))) {
      yield* eprint('e2fsck: need terminal for interactive repairs\n')
      return FSCK_ERROR
    }
    return yield* checkDevice(operands[0]!, answer, has('f'))
  },
})

type Answer = 'yes' | 'no' | 'preen' | 'ask'

/** How the device is mounted: not at all, read-only, or for writing; and whether it is the root. */
function* mounted(device: string): Sys<{ writable: boolean; root: boolean } | undefined> {
  try {
    for (const { spec, dir, options } of parseTable(yield* readFile('/proc/mounts')))
      if (spec === device) return { writable: options.split(',').includes('rw'), root: dir === '/' }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return undefined
}

function* checkDevice(device: string, answer: Answer, force: boolean): Sys<number> {
  const use = yield* mounted(device)
  if (use?.writable) {
    if (answer === 'no') yield* say(`Warning!  ${device} is mounted.\n`)
    else {
      yield* say(`${device} is mounted.  `)
      if (answer !== 'ask') {
        yield* eprint('\ne2fsck: Cannot continue, aborting.\n\n\n')
        return FSCK_ERROR
      }
      yield* say(
        '\n\n\x07\x07\x07\x07WARNING!!!  Running e2fsck on a mounted filesystem may cause\nSEVERE filesystem damage.\x07\x07\x07\n\n',
      )
      if (!(yield* askPerson('Do you really want to continue'))) {
        yield* say('check aborted.\n')
        return 0
      }
    }
  }
  let fd: number
  try {
    fd = yield* open(device, answer === 'no' ? O_RDONLY : O_RDWR, 0)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`e2fsck: ${strerror(error.errno)} while trying to open ${device}\n`)
    if (error.errno === EBUSY) yield* eprint('Filesystem mounted or opened exclusively by another program?\n')
    else if (error.errno === 2 || error.errno === 6) yield* eprint('Possibly non-existent or swap device?\n')
    else if (error.errno === 13) yield* eprint('You must have r/w access to the filesystem or be root\n')
    return FSCK_ERROR
  }
  try {
    return yield* checkOpen(deviceIo(fd), device, answer, force, use?.root === true && use.writable)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`e2fsck: ${strerror(error.errno)} while reading or writing ${device}\n`)
    return FSCK_ERROR
  } finally {
    if (answer !== 'no') yield* fsync(fd)
    yield* close(fd)
  }
}

type Io = CheckIo<Syscall | undefined>

function* checkOpen(io: Io, device: string, answer: Answer, force: boolean, busyRoot: boolean): Sys<number> {
  let opened = yield* openSuperblock(io)
  let damaged = false
  if (typeof opened === 'string') {
    const backup = answer === 'no' ? undefined : yield* restoreSuperblock(io)
    if (!backup) {
      yield* eprint(`e2fsck: Bad magic number in super-block while trying to open ${device}\n`)
      yield* say(
        '\nThe superblock could not be read or does not describe a correct ext2\n' +
          'filesystem.  If the device is valid and it really contains an ext2\n' +
          'filesystem (and not swap or ufs or something else), then the superblock\n' +
          'is corrupt, and you might try running e2fsck with an alternate superblock:\n' +
          '    e2fsck -b 8193 <device>\n\n',
      )
      return FSCK_ERROR
    }
    yield* say("Couldn't find ext2 superblock, trying backup blocks...\n")
    opened = backup
    damaged = true
  }
  const { superblock, geometry } = opened
  const name = labelOf(superblock) || device
  const now = yield* time()
  const why = whyChecked(superblock, now)
  const blocks = geometry.blocks
  if (!force && !damaged && why === undefined) {
    const files = geometry.inodes - superblock.get('free_inodes_count')
    const used = blocks - superblock.get('free_blocks_count')
    yield* say(
      `${name}: clean, ${files}/${geometry.inodes} files, ${used}/${blocks} blocks${nextCheck(superblock, now)}\n`,
    )
    return 0
  }
  if (!force && why !== undefined) yield* say(`${name}${why}, check forced.\n`)
  const result = yield* checkExt2(io, opened, { answer, name, now })
  if (!result) return FSCK_UNCORRECTED
  let status = result.unresolved ? FSCK_UNCORRECTED : 0
  if (result.changed || damaged) {
    status |= FSCK_NONDESTRUCT
    if (answer !== 'preen') yield* say(`\n${name}: ***** FILE SYSTEM WAS MODIFIED *****\n`)
    if (busyRoot) {
      yield* say(`${name}: ***** REBOOT LINUX *****\n`)
      status |= FSCK_REBOOT
    }
  }
  if (result.unresolved) yield* say(`\n${name}: ********** WARNING: Filesystem still has errors **********\n\n`)
  const tenths = Math.floor((1000 * result.fragmented) / Math.max(1, result.files))
  yield* say(
    `${name}: ${result.files}/${result.inodes} files (${Math.floor(tenths / 10)}.${tenths % 10}% non-contiguous), ${result.usedBlocks}/${blocks} blocks\n`,
  )
  return status
}

/** check_if_skip(): undefined where the file system is marked clean and no check is due. */
function whyChecked(superblock: Superblock, now: number): string | undefined {
  const state = superblock.get('state')
  if ((state & EXT2_ERROR_FS) !== 0) return ' contains a file system with errors'
  if ((state & EXT2_VALID_FS) === 0) return ' was not cleanly unmounted'
  const most = superblock.get('max_mnt_count')
  const mounts = superblock.get('mnt_count')
  if (most !== 0 && most < 0x8000 && mounts >= most) return ` has been mounted ${mounts} times without being checked`
  const interval = superblock.get('checkinterval')
  const last = superblock.get('lastcheck')
  if (interval !== 0 && now >= last + interval)
    return ` has gone ${Math.floor((now - last) / 86400)} days without being checked`
  return undefined
}

function nextCheck(superblock: Superblock, now: number): string {
  const most = superblock.get('max_mnt_count')
  let next = most !== 0 && most < 0x8000 ? Math.max(1, most - superblock.get('mnt_count')) : 100000
  const interval = superblock.get('checkinterval')
  if (interval !== 0 && now - superblock.get('lastcheck') >= interval) next = 1
  return next > 5 ? '' : next === 1 ? ' (check after next mount)' : ` (check in ${next} mounts)`
}

const say = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(text))

function* askPerson(question: string): Sys<boolean> {
  yield* say(`${question} (y/n)? `)
  for (;;) {
    const byte = (yield* read(STDIN, 1))[0]
    const char = byte === undefined ? 'n' : String.fromCharCode(byte).toLowerCase()
    if (char !== 'y' && char !== 'n') continue
    // The rest of a cooked line.
    while (byte !== undefined && (yield* read(STDIN, 1))[0] !== 10);
    yield* say(char === 'y' ? 'yes\n\n' : 'no\n\n')
    return char === 'y'
  }
}

function deviceIo(fd: number): Io {
  return {
    *read(block, count, blockBytes): Sys<Uint8Array> {
      const bytes = new Uint8Array(count * blockBytes)
      yield* lseek(fd, block * blockBytes, SEEK_SET)
      for (let done = 0; done < bytes.length; ) {
        const part = yield* read(fd, bytes.length - done)
        // Behind the end of the device there is nothing.
        if (part.length === 0) throw new OsError(5, 'read')
        bytes.set(part, done)
        done += part.length
      }
      return bytes
    },
    *write(block, bytes, blockBytes): Sys<void> {
      yield* lseek(fd, block * blockBytes, SEEK_SET)
      yield* writeAll(fd, bytes)
    },
    say,
    ask: askPerson,
  }
}
