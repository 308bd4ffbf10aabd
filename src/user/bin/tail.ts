/** tail(1). */
import { O_RDONLY, SEEK_CUR, SEEK_END, SEEK_SET } from '#abi/posix/fcntl.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { Heap } from '../libc/heap.ts'
import { parseSize } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { CHUNK, STDIN } from '../libc/stdio.ts'
import { close, fstat, kill, lseek, nanosleep, open, read } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'
import { headings } from './head.ts'

export const tail = utility({
  name: 'tail',
  usage: 'tail [OPTION]... [FILE]...',
  help: `Print the last 10 lines of each FILE to standard output.
With more than one FILE, precede each with a header giving the file name.
With no FILE, or when FILE is -, read standard input.

  -c, --bytes=N            output the last N bytes
  -f, --follow             output appended data as the file grows
  -n, --lines=N            output the last N lines, instead of the last 10
      --pid=PID            with -f, terminate after process ID, PID dies
  -q, --quiet, --silent    never output headers giving file names
  -s, --sleep-interval=S   with -f, sleep for approximately S seconds
                           (default 1.0) between iterations.
  -v, --verbose            always output headers giving file names
      --help     display this help and exit
      --version  output version information and exit

If the first character of N (the number of bytes or lines) is a \`+',
print beginning with the Nth item from the start of each file, otherwise,
print the last N items in the file.  N may have a multiplier suffix:
b 512, k 1024, m 1024*1024.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'c:fn:qs:v',
  long: {
    'bytes:': 'c',
    follow: 'f',
    'lines:': 'n',
    'pid:': 'pid',
    quiet: 'q',
    silent: 'q',
    'sleep-interval:': 's',
    verbose: 'v',
  },
  prepare(args) {
    // `tail -5`, `tail -20f`: one such word, and at most one file.
    const match = /^-(\d+)([bcl]?)(f?)$/.exec(args[0] ?? '')
    if (!match) return args
    const unit = match[2] === 'b' || match[2] === 'c' ? '-c' : '-n'
    return [unit, match[1]! + (match[2] === 'b' ? 'b' : ''), ...(match[3] ? ['-f'] : []), ...args.slice(1)]
  },
  *main(run) {
    const last = run.options.findLast(({ code }) => code === 'c' || code === 'n')
    const text = last?.value ?? '10'
    const fromStart = text.startsWith('+')
    const count = parseSize(text.replace(/^[-+]/, ''), 'bkmKMGTPE')
    const byLines = last?.code !== 'c'
    if (count === undefined)
      throw new Exit(1, `${text.replace(/^[-+]/, '')}: invalid number of ${byLines ? 'lines' : 'bytes'}`)
    const interval = Number(run.value('s') ?? '1')
    if (!(interval >= 0)) throw new UsageError(`${run.value('s')}: invalid number of seconds`)
    const follow = run.has('f')

    const heading = headings(run)
    const followed: { name: string; fd: number; size: number }[] = []
    for (const name of run.operands.length > 0 ? run.operands : ['-']) {
      const shown = name === '-' ? 'standard input' : name
      let fd: number
      try {
        fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* run.warn(error, `cannot open ${quote(shown)} for reading`)
        continue
      }
      heading(shown)
      try {
        if (fromStart) yield* skip(run, fd, Math.max(count, 1) - 1, byLines)
        else if (byLines) yield* lastLines(run, fd, count)
        else yield* lastBytes(run, fd, count)
        const { mode } = yield* fstat(fd)
        if (follow && (name !== '-' || (mode & S_IFMT) === S_IFREG)) followed.push({ name: shown, fd, size: 0 })
        else if (fd !== STDIN) yield* close(fd)
      } catch (error) {
        yield* run.warn(error, `error reading ${quote(shown)}`)
      }
    }
    if (followed.length > 0) yield* followAll(run, followed, Math.round(interval * 1e9), heading)
    return run.status
  },
})

/** What is left, to the end. */
function* rest(run: Run, fd: number): Sys<boolean> {
  let any = false
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return any
    any = true
    yield* run.out.bytes(part)
  }
}

function* skip(run: Run, fd: number, count: number, byLines: boolean): Sys<void> {
  for (let left = count; left > 0; ) {
    const part = yield* read(fd, byLines ? CHUNK : Math.min(left, CHUNK))
    if (part.length === 0) return
    let end = 0
    if (!byLines) {
      end = part.length
      left -= end
    }
    while (byLines && left > 0 && end < part.length) {
      const newline = part.indexOf(10, end)
      end = newline < 0 ? part.length : newline + 1
      if (newline >= 0) left--
    }
    if (end < part.length) yield* run.out.bytes(part.subarray(end))
  }
  yield* rest(run, fd)
}

/** Where the file ends, if it is one that can be read backwards. */
function* seekable(fd: number): Sys<{ start: number; end: number } | undefined> {
  const { mode } = yield* fstat(fd)
  if ((mode & S_IFMT) !== S_IFREG) return undefined
  const start = yield* lseek(fd, 0, SEEK_CUR)
  return { start, end: Math.max(start, yield* lseek(fd, 0, SEEK_END)) }
}

function* lastBytes(run: Run, fd: number, count: number): Sys<void> {
  const file = yield* seekable(fd)
  if (file) {
    yield* lseek(fd, Math.max(file.start, file.end - count), SEEK_SET)
    yield* rest(run, fd)
    return
  }
  const heap = new Heap()
  let held = ''
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return yield* run.out.print(held)
    if (held.length < count) yield* heap.keep(Math.min(part.length, count - held.length))
    held += byteString(part)
    if (held.length > count) held = held.slice(held.length - count)
  }
}

function* lastLines(run: Run, fd: number, count: number): Sys<void> {
  const file = yield* seekable(fd)
  if (file) {
    yield* lseek(fd, yield* lineFromEnd(fd, file.start, file.end, count), SEEK_SET)
    if (count > 0) yield* rest(run, fd)
    return
  }
  // A pipe: keep chunks, let go of those that are too many lines from the end.
  const heap = new Heap()
  const chunks: { text: string; lines: number }[] = []
  let lines = 0
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) break
    const text = byteString(part)
    let inPart = 0
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) inPart++
    yield* heap.keep(part.length)
    chunks.push({ text, lines: inPart })
    lines += inPart
    while (chunks.length > 1 && lines - chunks[0]!.lines > count) {
      const gone = chunks.shift()!
      lines -= gone.lines
      heap.free(gone.text.length)
    }
  }
  const text = chunks.map((chunk) => chunk.text).join('')
  let start = text.length
  for (let left = count; left > 0 && start > 0; left--) start = text.lastIndexOf('\n', start - 2) + 1
  yield* run.out.print(text.slice(start))
}

/** Where the last `count` lines begin. */
function* lineFromEnd(fd: number, start: number, end: number, count: number): Sys<number> {
  if (count === 0) return end
  let left = count
  // A newline at the very end ends the last line and begins none.
  for (let high = end; high > start; ) {
    const low = Math.max(start, high - 8192)
    yield* lseek(fd, low, SEEK_SET)
    const part = yield* read(fd, high - low)
    for (let at = part.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : part.lastIndexOf(10, at - 1)) {
      if (low + at === end - 1) continue
      if (--left === 0) return low + at + 1
    }
    high = low
  }
  return start
}

function* followAll(
  run: Run,
  files: { name: string; fd: number; size: number }[],
  intervalNs: number,
  heading: (name: string) => void,
): Sys<void> {
  const pid = run.value('pid')
  let current = files.at(-1)
  for (;;) {
    let any = false
    for (const file of files) {
      const { size, mode } = yield* fstat(file.fd)
      if ((mode & S_IFMT) === S_IFREG) {
        const at = yield* lseek(file.fd, 0, SEEK_CUR)
        if (size < at) {
          yield* run.complain(`${file.name}: file truncated`, run.status)
          yield* lseek(file.fd, 0, SEEK_SET)
        } else if (size === at) continue
      }
      if (file !== current) heading(file.name)
      current = file
      any = (yield* rest(run, file.fd)) || any
    }
    yield* run.out.flush()
    if (pid !== undefined && !(yield* alive(Number(pid)))) return
    if (!any) yield* nanosleep(intervalNs)
  }
}

function* alive(pid: number): Sys<boolean> {
  try {
    yield* kill(pid, 0)
    return true
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return false
  }
}
