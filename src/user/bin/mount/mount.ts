/** mount of util-linux 2.13. */
import { EACCES, EINVAL, ENODEV, EROFS } from '#abi/posix/errno.ts'
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from '#abi/posix/mount.ts'
import { S_IFBLK, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { getopt } from '../../libc/getopt.ts'
import { normalize } from '../../libc/path.ts'
import { program } from '../../libc/program.ts'
import { eprint, Out, readFile, STDOUT } from '../../libc/stdio.ts'
import { getcwd, geteuid, mount as mountCall, stat } from '../../libc/syscall.ts'
import { complaintOf } from './complaints.ts'
import {
  addToMtab,
  deviceOf,
  FSTAB,
  labelOf,
  type Mntent,
  MTAB,
  matchesOptions,
  matchesType,
  readTable,
  rewriteMtab,
  superblockOf,
} from './fstab.ts'
import { deleteLoop, setLoop, unusedLoop } from './loop.ts'
import { type MountOptions, optionText, parseOptions } from './options.ts'

const EX_USAGE = 1
const EX_FAIL = 32
const EX_SOMEOK = 64

const USAGE = `Usage: mount -V                 : print version
       mount -h                 : print this help
       mount                    : list mounted filesystems
       mount -l                 : idem, including volume labels
So far the informational part. Next the mounting.
The command is \`mount [-t fstype] something somewhere'.
Details found in /etc/fstab may be omitted.
       mount -a [-t|-O] ...     : mount all stuff from /etc/fstab
       mount device             : mount device at the known place
       mount directory          : mount known device here
       mount -t type dev dir    : ordinary mount command
Note that one does not really mount a device, one mounts
a filesystem (of the given type) found on the device.
One can also mount an already visible directory tree elsewhere:
       mount --bind olddir newdir
or move a subtree:
       mount --move olddir newdir
A device can be given by name, say /dev/hda1 or /dev/cdrom,
or by label, using  -L label  or by uuid, using  -U uuid .
Other options: [-nfFrsvw] [-o options] [-p passwdfd].
For many more details, say  man 8 mount .
`

/** How the command line asks for it. */
interface How {
  readonly fake: boolean
  readonly noMtab: boolean
  readonly verbose: boolean
  readonly out: Out
}

export const mount = program({
  name: 'mount',
  usage: 'mount [-lhV]\nmount -a [-fnrvw] [-t TYPES] [-O OPTS]\nmount [-fnrvw] [-o OPTIONS] [-t TYPE] DEVICE DIR',
  help: [
    'Mount a file system, or show what is mounted.',
    '  -a           all of /etc/fstab (of TYPES, with OPTS) that is not mounted',
    '  -f           only pretend: nothing but /etc/mtab is changed',
    '  -n           without /etc/mtab',
    "  -o OPTIONS   ro, rw, remount, noexec, nosuid, nodev, sync, noatime, bind, and the file system's own",
    '  -r, -w       read-only, read-write',
    '  -v           say what is done',
    '  -L LABEL, -U UUID   the device that has it',
    '  -l           show labels too',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'afhilL:no:O:rst:U:vVw', {
      all: 'a',
      fake: 'f',
      help: 'h',
      'no-mtab': 'n',
      'options:': 'o',
      'read-only': 'r',
      'types:': 't',
      verbose: 'v',
      version: 'V',
      bind: 'B',
      rw: 'w',
    })
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    if (error !== undefined) {
      yield* eprint(`mount: ${error}\n${USAGE}`)
      return EX_USAGE
    }
    const out = new Out(STDOUT)
    if (has('h') || has('V')) {
      yield* out.print(has('h') ? USAGE : 'mount: (util-linux 2.13-pre7)\n')
      yield* out.flush()
      return 0
    }
    let words = options.flatMap(({ code, value: text }) => (code === 'o' && text !== undefined ? text.split(',') : []))
    if (has('r')) words = [...words, 'ro']
    if (has('w')) words = [...words, 'rw']
    if (has('B')) words = [...words, 'bind']
    const how: How = { fake: has('f'), noMtab: has('n'), verbose: has('v'), out }
    const given = has('L')
      ? [`LABEL=${value('L')}`, ...operands]
      : has('U')
        ? [`UUID=${value('U')}`, ...operands]
        : operands
    const status = yield* act(given, words, value('t'), value('O'), has('a'), has('l'), how)
    yield* out.flush()
    return status
  },
})

function* act(
  operands: readonly string[],
  words: readonly string[],
  type: string | undefined,
  test: string | undefined,
  all: boolean,
  labels: boolean,
  how: How,
): Sys<number> {
  if (operands.length === 0 && !all) {
    if (words.length > 0) {
      yield* eprint(USAGE)
      return EX_USAGE
    }
    yield* list(type, labels, how.out)
    return 0
  }
  if ((yield* geteuid()) !== 0) {
    yield* eprint('mount: only root can do that\n')
    return EX_USAGE
  }
  if (all) return yield* mountAll(type, test, words, how)
  const [first, second] = operands
  if (first === undefined || operands.length > 2) {
    yield* eprint(USAGE)
    return EX_USAGE
  }
  if (second !== undefined) return yield* mountOne(first, second, type, words, how)
  const remount = words.includes('remount')
  const path = yield* canonical(first)
  const here = (entry: Mntent): boolean => entry.dir === path || entry.spec === path || entry.spec === first
  const fstab = yield* readTable(FSTAB)
  const mtab = yield* readTable(MTAB)
  const found = (remount ? mtab.findLast(here) : undefined) ?? fstab.find(here) ?? mtab.findLast(here)
  if (!found) {
    yield* eprint(`mount: can't find ${first} in /etc/fstab or /etc/mtab\n`)
    return EX_USAGE
  }
  const own = remount
    ? found.options.split(',').filter((word) => word !== 'ro' && word !== 'rw')
    : found.options.split(',')
  return yield* mountOne(found.spec, found.dir, type ?? found.type, [...own, ...words], how)
}

function* list(type: string | undefined, labels: boolean, out: Out): Sys<void> {
  for (const entry of yield* readTable(MTAB)) {
    if (!matchesType(entry.type, type)) continue
    const superblock = labels && entry.spec.startsWith('/dev/') ? yield* superblockOf(entry.spec) : undefined
    const label = superblock ? ` [${labelOf(superblock)}]` : ''
    yield* out.line(`${entry.spec} on ${entry.dir} type ${entry.type} (${entry.options})${label}`)
  }
}

function* mountAll(
  type: string | undefined,
  test: string | undefined,
  words: readonly string[],
  how: How,
): Sys<number> {
  let good = 0
  let bad = 0
  const mtab = yield* readTable(MTAB)
  for (const entry of yield* readTable(FSTAB)) {
    const own = entry.options.split(',')
    if (!matchesType(entry.type, type) || !matchesOptions(entry.options, test)) continue
    if (entry.dir === '/' || entry.dir === 'root' || entry.type === 'swap' || own.includes('noauto')) continue
    if (mtab.some(({ spec, dir }) => spec === entry.spec && dir === entry.dir)) {
      if (how.verbose) yield* how.out.line(`mount: ${entry.spec} already mounted on ${entry.dir}`)
      continue
    }
    if ((yield* mountOne(entry.spec, entry.dir, entry.type, [...own, ...words], how)) === 0) good++
    else bad++
  }
  return bad === 0 ? 0 : good === 0 ? EX_FAIL : EX_SOMEOK
}

function* mountOne(
  spec: string,
  dir: string,
  type: string | undefined,
  words: readonly string[],
  how: How,
): Sys<number> {
  const options = parseOptions(words.join(','))
  const device = yield* deviceOf(spec)
  if (device === undefined) {
    yield* eprint(`mount: special device ${spec} does not exist\n`)
    return EX_FAIL
  }
  const target = yield* canonical(dir)
  const file = options.loop === undefined || options.flags & MS_REMOUNT ? undefined : yield* canonical(device)
  if (file === undefined) return yield* mountDevice(device, device, target, type, options, how)
  const loop = yield* loopFor(file, options, how)
  if (loop === undefined) return EX_FAIL
  const rest = options.data.split(',').filter((word) => word !== '' && !word.startsWith('offset='))
  const onLoop: MountOptions = {
    ...options,
    data: rest.join(','),
    text: `${options.text},loop=${loop.device}`,
    flags: options.flags | (loop.readOnly ? MS_RDONLY : 0),
  }
  const status = yield* mountDevice(loop.device, file, target, type, onLoop, how)
  if (status !== 0 && !how.fake) yield* deleteLoop(loop.device)
  return status
}

/** loop_check(): a loop device over `file`, or a complaint. */
function* loopFor(
  file: string,
  options: MountOptions,
  how: How,
): Sys<{ device: string; readOnly: boolean } | undefined> {
  const offset = /(?:^|,)offset=(\d{1,15})/.exec(options.data)?.[1]
  const readOnly = (options.flags & MS_RDONLY) !== 0
  for (;;) {
    const device = options.loop ? options.loop : yield* unusedLoop('mount')
    if (device === undefined) return undefined
    if (how.fake) return { device, readOnly }
    const made = yield* setLoop(device, file, Number(offset ?? 0), readOnly)
    if (made === 'busy') {
      if (!options.loop) continue
      yield* eprint(`mount: according to mtab, ${device} is in use\n`)
      return undefined
    }
    if (made === 'failed') {
      yield* eprint('mount: failed setting up loop device\n')
      return undefined
    }
    if (how.verbose) yield* how.out.line(`mount: going to use the loop device ${device}`)
    return { device, readOnly: made === 'ro' }
  }
}

/** mount(2) and mtab: `spec` is what mtab names, the file under a loop device. */
function* mountDevice(
  device: string,
  spec: string,
  target: string,
  type: string | undefined,
  options: MountOptions,
  how: How,
): Sys<number> {
  const done = how.fake
    ? { type: type && type !== 'auto' ? type : yield* fsTypeOf(device), flags: options.flags }
    : yield* attempt(device, target, type, options)
  if (typeof done === 'number') return done
  const text = optionText(done.flags & ~MS_REMOUNT, options.text.split(',').slice(1).filter(isExtra))
  if (how.verbose) yield* how.out.line(`${spec} on ${target} type ${done.type} (${text})`)
  if (how.noMtab) return 0
  const entry: Mntent = { spec, dir: target, type: done.type, options: text, freq: 0, pass: 0 }
  if (options.flags & MS_REMOUNT)
    yield* rewriteMtab((entries) => entries.map((old) => (old.dir === target ? { ...old, options: text } : old)))
  else yield* addToMtab(entry)
  return 0
}

const FLAG_WORDS = ['noexec', 'nosuid', 'nodev', 'sync', 'noatime', 'bind']
const isExtra = (word: string): boolean => !FLAG_WORDS.includes(word)

/** The file system type and flags with which it worked, or the exit status after the complaint. */
function* attempt(
  spec: string,
  dir: string,
  type: string | undefined,
  options: MountOptions,
): Sys<{ type: string; flags: number } | number> {
  const { flags, data } = options
  const bind = (flags & (MS_BIND | MS_REMOUNT)) !== 0
  const types = type !== undefined && type !== 'auto' ? type.split(',') : bind ? ['none'] : yield* guesses(spec)
  let failure: OsError | undefined
  let tried = types[0] ?? ''
  for (const name of types) {
    tried = name
    try {
      yield* mountCall(spec, dir, name, flags, data)
      return { type: name, flags }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      failure = error
      if (error.errno !== EINVAL && error.errno !== ENODEV) break
    }
  }
  if (failure === undefined || (type === undefined && !bind && failure.errno === EINVAL)) {
    yield* eprint('mount: you must specify the filesystem type\n')
    return EX_FAIL
  }
  const readOnly = failure.errno === EROFS || failure.errno === EACCES
  if (readOnly && (flags & (MS_RDONLY | MS_REMOUNT)) === 0) {
    const block = (yield* isBlock(spec)) ? 'block device ' : ''
    if (options.words.includes('rw')) {
      yield* eprint(`mount: ${block}${spec} is write-protected but explicit \`-w' flag given\n`)
      return EX_FAIL
    }
    yield* eprint(`mount: ${block}${spec} is write-protected, mounting read-only\n`)
    return yield* attempt(spec, dir, type, { ...options, flags: flags | MS_RDONLY })
  }
  yield* eprint(yield* complaintOf(failure.errno, { spec, dir, type: tried, flags }))
  return EX_FAIL
}

function* isBlock(path: string): Sys<boolean> {
  try {
    return ((yield* stat(path)).mode & S_IFMT) === S_IFBLK
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** By the superblock; else everything that the kernel knows and that needs a device. */
function* guesses(spec: string): Sys<string[]> {
  if (yield* superblockOf(spec)) return ['ext2']
  try {
    return (yield* readFile('/proc/filesystems'))
      .split('\n')
      .filter((row) => row.startsWith('\t'))
      .map((row) => row.trim())
  } catch (error) {
    if (error instanceof OsError) return ['ext2']
    throw error
  }
}

function* fsTypeOf(spec: string): Sys<string> {
  return (yield* guesses(spec))[0] ?? 'none'
}

/** An absolute path without `.` and `..`. */
export function* canonical(path: string): Sys<string> {
  if (path.startsWith('/')) return normalize(path)
  // A name without a slash may be no path at all: proc, tmpfs.
  try {
    yield* stat(path)
  } catch (error) {
    if (error instanceof OsError) return path
    throw error
  }
  return normalize(`${yield* getcwd()}/${path}`)
}
