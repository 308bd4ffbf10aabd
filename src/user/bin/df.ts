/** df(1). */
import type { StatFs } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Mounted, mountOf, mountTable } from '../coreutils/mounts.ts'
import { humanSize, parseSize } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { statfs } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'

export const df = utility({
  name: 'df',
  usage: 'df [OPTION]... [FILE]...',
  help: `Show information about the file system on which each FILE resides,
or all file systems by default.

Mandatory arguments to long options are mandatory for short options too.
  -a, --all             include file systems having 0 blocks
  -B, --block-size=SIZE use SIZE-byte blocks
  -h, --human-readable  print sizes in human readable format (e.g., 1K 234M 2G)
  -H, --si              likewise, but use powers of 1000 not 1024
  -i, --inodes          list inode information instead of block usage
  -k                    like --block-size=1K
  -l, --local           limit listing to local file systems
      --no-sync         do not invoke sync before getting usage info (default)
  -P, --portability     use the POSIX output format
      --sync            invoke sync before getting usage info
  -t, --type=TYPE       limit listing to file systems of type TYPE
  -T, --print-type      print file system type
  -x, --exclude-type=TYPE   limit listing to file systems not of type TYPE
  -v                    (ignored)
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'aB:hHiklmPt:Tvx:',
  long: {
    all: 'a',
    'block-size:': 'B',
    'human-readable': 'h',
    si: 'H',
    inodes: 'i',
    local: 'l',
    'no-sync': 'v',
    sync: 'v',
    portability: 'P',
    'type:': 't',
    'print-type': 'T',
    'exclude-type:': 'x',
  },
  *main(run) {
    const unit = unitOf(run)
    const mounts = yield* mountTable()
    const rows: { mount: Mounted; fs: StatFs }[] = []
    const wanted = run.options.filter(({ code }) => code === 't').map(({ value }) => value)
    const unwanted = run.options.filter(({ code }) => code === 'x').map(({ value }) => value)
    const accepted = ({ type }: Mounted): boolean =>
      (wanted.length === 0 || wanted.includes(type)) && !unwanted.includes(type)

    if (run.operands.length > 0) {
      for (const file of run.operands) {
        try {
          const mount = yield* mountOf(file, mounts)
          if (!mount) yield* run.complain(`cannot find mount point of ${quote(file)}`)
          else if (accepted(mount)) rows.push({ mount, fs: yield* statfs(mount.target) })
        } catch (error) {
          yield* run.warn(error, quote(file))
        }
      }
    } else {
      for (const mount of mounts) {
        if (!accepted(mount)) continue
        try {
          const fs = yield* statfs(mount.target)
          if (run.has('a') || (fs.blocks > 0 && mount.type !== 'rootfs')) rows.push({ mount, fs })
        } catch (error) {
          yield* run.warn(error, quote(mount.target))
        }
      }
    }
    if (rows.length === 0) {
      if (run.operands.length === 0 && run.status === 0) throw new Exit(1, 'no file systems processed')
      return run.status
    }
    yield* heading(run, unit)
    for (const { mount, fs } of rows) yield* show(run, mount, fs, unit)
    return run.status
  },
})

interface Unit {
  readonly bytes: number
  /** Base of -h and -H, 0 without. */
  readonly human: number
}

function unitOf(run: Run): Unit {
  const last = run.options.findLast(({ code }) => 'hHkmB'.includes(code))
  if (last?.code === 'h') return { bytes: 1024, human: 1024 }
  if (last?.code === 'H') return { bytes: 1024, human: 1000 }
  if (last?.code === 'm') return { bytes: 1048576, human: 0 }
  if (last?.code !== 'B') return { bytes: 1024, human: 0 }
  const size = parseSize(/^\d/.test(last.value!) ? last.value! : `1${last.value!}`)
  if (!size) throw new Exit(1, `invalid block size ${quote(last.value!)}`)
  return { bytes: size, human: 0 }
}

function* heading(run: Run, { bytes, human }: Unit): Sys<void> {
  let line = run.has('T') ? 'Filesystem    Type' : 'Filesystem        '
  if (run.has('i')) line += '    Inodes   IUsed   IFree IUse%'
  else if (human === 1024) line += '    Size  Used Avail Use%'
  else if (human === 1000) line += '     Size   Used  Avail Use%'
  else if (run.has('P')) line += ` ${bytes}-blocks      Used Available Capacity`
  else line += ` ${blockName(bytes).padStart(4)}-blocks      Used Available Use%`
  yield* run.out.line(`${line} Mounted on`)
}

function blockName(bytes: number): string {
  if (bytes % 1048576 === 0) return `${bytes / 1048576}M`
  return bytes % 1024 === 0 ? `${bytes / 1024}K` : `${bytes}B`
}

/** A name that is too long takes a line of its own. */
function nameCells(run: Run, source: string, type: string): string {
  const alone = !run.has('P')
  if (run.has('T')) {
    if (source.length + type.length + 2 < 20) return `${source}${type.padStart(18 - source.length)}  `
    return alone ? `${source}\n${type.padStart(18)}  ` : `${source} ${type}`
  }
  return source.length > 20 && alone ? `${source}\n${' '.repeat(20)}` : source.padEnd(20)
}

function* show(run: Run, { source, target, type }: Mounted, fs: StatFs, unit: Unit): Sys<void> {
  const inodes = run.has('i')
  const width = inodes ? 7 : unit.human === 1024 ? 5 : unit.human === 1000 ? 6 : 9
  const useWidth = inodes ? 5 : run.has('P') && !unit.human ? 8 : 4
  const [total, free, available] = inodes ? [fs.files, fs.ffree, fs.ffree] : [fs.blocks, fs.bfree, fs.bavail]
  const used = total - free
  const figure = (count: number): string => {
    if (inodes) return unit.human ? humanSize(count, unit.human) : String(count)
    return unit.human ? humanSize(count * fs.bsize, unit.human) : String(Math.ceil((count * fs.bsize) / unit.bytes))
  }
  const cells = [total, used, available].map((count) => figure(count).padStart(width)).join(' ')
  const share = used + available > 0 ? `${Math.ceil((used * 100) / (used + available))}%` : '- '
  yield* run.out.line(`${nameCells(run, source, type)} ${cells} ${share.padStart(useWidth)} ${target}`)
}
