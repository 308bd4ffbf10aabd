/** du(1). */
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { fnmatch } from '../libc/fnmatch.ts'
import { isDir } from '../libc/mode.ts'
import { humanSize, parseSize } from '../libc/number.ts'
import { basename, join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { lstat, stat } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const du = utility({
  name: 'du',
  usage: 'du [OPTION]... [FILE]...',
  help: `Summarize disk usage of each FILE, recursively for directories.

Mandatory arguments to long options are mandatory for short options too.
  -a, --all             write counts for all files, not just directories
      --apparent-size   print apparent sizes, rather than disk usage
  -B, --block-size=SIZE use SIZE-byte blocks
  -b, --bytes           equivalent to \`--apparent-size --block-size=1'
  -c, --total           produce a grand total
  -D, --dereference-args  dereference FILEs that are symbolic links
  -h, --human-readable  print sizes in human readable format (e.g., 1K 234M 2G)
      --si              like -h, but use powers of 1000 not 1024
  -k                    like --block-size=1K
  -l, --count-links     count sizes many times if hard linked
  -L, --dereference     dereference all symbolic links
  -m                    like --block-size=1M
  -P, --no-dereference  don't follow any symbolic links (this is the default)
  -S, --separate-dirs   do not include size of subdirectories
  -s, --summarize       display only a total for each argument
  -x, --one-file-system  skip directories on different file systems
      --exclude=PATTERN Exclude files that match PATTERN.
      --max-depth=N     print the total for a directory (or file, with --all)
                          only if it is N or fewer levels below the command
                          line argument;  --max-depth=0 is the same as
                          --summarize
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'aB:bcDhHklLmPSsx',
  long: {
    all: 'a',
    'apparent-size': 'apparent',
    'block-size:': 'B',
    bytes: 'b',
    total: 'c',
    'dereference-args': 'D',
    'human-readable': 'h',
    si: 'si',
    'count-links': 'l',
    dereference: 'L',
    'no-dereference': 'P',
    'separate-dirs': 'S',
    summarize: 's',
    'one-file-system': 'x',
    'exclude:': 'exclude',
    'max-depth:': 'depth',
  },
  *main(run) {
    const depthText = run.value('depth')
    if (depthText !== undefined && !/^\d+$/.test(depthText))
      throw new UsageError(`invalid maximum depth ${quote(depthText)}`)
    if (run.has('a') && run.has('s')) throw new UsageError('cannot both summarize and show all entries')
    if (run.has('s') && depthText !== undefined && Number(depthText) !== 0)
      throw new UsageError(`warning: summarizing conflicts with --max-depth=${depthText}`)
    const counter = new Counter(
      run,
      run.has('s') ? 0 : depthText === undefined ? Number.POSITIVE_INFINITY : Number(depthText),
    )
    let total = 0
    for (const path of run.operands.length > 0 ? run.operands : ['.']) total += yield* counter.count(path, 0, -1)
    if (run.has('c')) yield* counter.show(total, 'total')
    return run.status
  },
})

class Counter {
  readonly #run: Run
  readonly #depth: number
  /** Hard links are counted once. */
  readonly #seen: Set<string>
  readonly #excluded: readonly string[]
  readonly #apparent: boolean
  readonly #shown: (bytes: number) => string
  #lastWasDirectory: boolean

  constructor(run: Run, depth: number) {
    this.#run = run
    this.#depth = depth
    this.#seen = new Set()
    this.#excluded = run.options.filter(({ code }) => code === 'exclude').map(({ value }) => value!)
    this.#apparent = run.has('apparent') || run.has('b')
    this.#shown = sizeFormat(run)
    this.#lastWasDirectory = false
  }

  /** Bytes at and below `path`. */
  *count(path: string, level: number, device: number): Sys<number> {
    const run = this.#run
    let status: Stat
    try {
      const follow = run.has('L') || (level === 0 && (run.has('D') || run.has('H')))
      status = follow ? yield* stat(path) : yield* lstat(path)
    } catch (error) {
      yield* run.warn(error, `cannot access ${quote(path)}`)
      return 0
    }
    if (this.#excluded.some((pattern) => fnmatch(pattern, path) || fnmatch(pattern, basename(path)))) return 0
    if (run.has('x') && device >= 0 && status.dev !== device) return 0
    const directory = isDir(status.mode)
    if (!run.has('l') && (status.nlink > 1 || level === 0)) {
      const key = `${status.dev}:${status.ino}`
      if (this.#seen.has(key)) return 0
      this.#seen.add(key)
    }
    let bytes = this.#apparent ? status.size : status.blocks * 512
    let below = 0
    if (directory) {
      let names: string[] = []
      try {
        names = yield* namesIn(path)
      } catch (error) {
        yield* run.warn(error, `cannot read directory ${quote(path)}`)
      }
      for (const name of names) {
        const part = yield* this.count(join(path, name), level + 1, status.dev)
        if (run.has('S') && this.#lastWasDirectory) below += part
        else bytes += part
      }
    }
    if ((directory || run.has('a') || level === 0) && level <= this.#depth) yield* this.show(bytes, path)
    this.#lastWasDirectory = directory
    return bytes + below
  }

  *show(bytes: number, name: string): Sys<void> {
    yield* this.#run.out.line(`${this.#shown(bytes)}\t${name}`)
  }
}

/** -h, -k, -m, -b, -B; blocks of 1024 without. */
function sizeFormat(run: Run): (bytes: number) => string {
  const last = run.options.findLast(({ code }) => ['h', 'si', 'k', 'm', 'b', 'B'].includes(code))
  if (last?.code === 'h') return (bytes) => humanSize(bytes)
  if (last?.code === 'si') return (bytes) => humanSize(bytes, 1000)
  let unit = last?.code === 'm' ? 1048576 : last?.code === 'b' ? 1 : 1024
  if (last?.code === 'B') {
    const size = parseSize(/^\d/.test(last.value!) ? last.value! : `1${last.value!}`)
    if (!size) throw new Exit(1, `invalid block size ${quote(last.value!)}`)
    unit = size
  }
  return (bytes) => String(Math.ceil(bytes / unit))
}
