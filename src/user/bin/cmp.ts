/** cmp(1): GNU diffutils 2.8.1. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { CHUNK, STDIN } from '../libc/stdio.ts'
import { close, fstat, open, read } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const cmp = utility({
  name: 'cmp',
  usage: 'cmp [OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]',
  help: `Compare two files byte by byte.

  -b  --print-bytes      Print differing bytes.
  -i SKIP                Skip the first SKIP bytes of input.
  -l  --verbose          Output byte numbers and values of all differing bytes.
  -n LIMIT               Compare at most LIMIT bytes.
  -s  --quiet  --silent  Output nothing; yield exit status only.

Exit status is 0 if inputs are the same, 1 if different, 2 if trouble.
`,
  version: '(GNU diffutils) 2.8.1',
  short: 'bci:ln:s',
  long: { 'print-bytes': 'b', verbose: 'l', quiet: 's', silent: 's', 'bytes:': 'n', 'ignore-initial:': 'i' },
  usageStatus: 2,
  *main(run) {
    const [a, b = '-', skipA = '0', skipB = '0', extra] = run.operands
    if (a === undefined) throw new UsageError(`missing operand after \`${run.name}'`)
    if (extra !== undefined) throw new UsageError(`extra operand \`${extra}'`)
    const [first = skipA, second = first] = run.value('i')?.split(':') ?? [skipA, skipB]
    const count = (text: string): number => (/^[0-9]+$/.test(text) ? Number(text) : invalid(text))
    const limit = run.has('n') ? count(run.value('n')!) : Number.POSITIVE_INFINITY
    const one = yield* source(run, a, count(first))
    const other = yield* source(run, b, count(second))
    const status = yield* compare(run, one, other, limit)
    for (const { fd } of [one, other]) if (fd !== STDIN) yield* close(fd)
    return status
  },
})

function invalid(text: string): never {
  throw new UsageError(`invalid --bytes value \`${text}'`)
}

interface Source {
  readonly name: string
  readonly fd: number
  bytes: Uint8Array
  at: number
  ended: boolean
  /** Of a regular file. */
  readonly size: number
}

function* source(run: Run, name: string, skip: number): Sys<Source> {
  let fd: number
  try {
    fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
  } catch (error) {
    if (!run.has('s')) yield* run.warn(error, name, 2)
    throw new Exit(2)
  }
  const { mode, size } = yield* fstat(fd)
  const known = (mode & S_IFMT) === S_IFREG ? size : Number.MAX_SAFE_INTEGER
  const made: Source = { name, fd, bytes: new Uint8Array(0), at: 0, ended: false, size: known }
  for (let left = skip; left > 0; ) {
    yield* fill(made)
    if (made.ended) break
    const step = Math.min(left, made.bytes.length - made.at)
    made.at += step
    left -= step
  }
  return made
}

function* fill(from: Source): Sys<void> {
  if (from.at < from.bytes.length || from.ended) return
  from.bytes = yield* read(from.fd, CHUNK)
  from.at = 0
  if (from.bytes.length === 0) from.ended = true
}

/** cat -v's notation. */
const visible = (byte: number): string =>
  byte >= 0x80
    ? `M-${visible(byte - 0x80)}`
    : byte < 0x20 || byte === 0x7f
      ? `^${String.fromCharCode(byte ^ 0x40)}`
      : String.fromCharCode(byte)

function* compare(run: Run, a: Source, b: Source, limit: number): Sys<number> {
  let position = 1
  let line = 1
  let status = 0
  const width = String(Math.min(a.size, b.size, limit)).length
  while (position <= limit) {
    yield* fill(a)
    yield* fill(b)
    if (a.ended || b.ended) {
      if (a.ended && b.ended) return status
      if (!run.has('s')) {
        yield* run.out.flush()
        yield* run.complain(`EOF on ${a.ended ? a.name : b.name}`)
      }
      return 1
    }
    const length = Math.min(a.bytes.length - a.at, b.bytes.length - b.at, limit - position + 1)
    for (let i = 0; i < length; i++) {
      const x = a.bytes[a.at + i]!
      const y = b.bytes[b.at + i]!
      if (x !== y) {
        status = 1
        const octal = (byte: number) => byte.toString(8).padStart(3)
        if (run.has('s')) return 1
        if (!run.has('l')) {
          const bytes = run.has('b') || run.has('c') ? ` is ${octal(x)} ${visible(x)} ${octal(y)} ${visible(y)}` : ''
          const unit = bytes === '' ? 'char' : 'byte'
          yield* run.out.line(`${a.name} ${b.name} differ: ${unit} ${position + i}, line ${line}${bytes}`)
          return 1
        }
        yield* run.out.line(
          run.has('b')
            ? `${String(position + i).padStart(width)} ${octal(x)} ${visible(x).padEnd(4)} ${octal(y)} ${visible(y)}`
            : `${String(position + i).padStart(width)} ${octal(x)} ${octal(y)}`,
        )
      }
      if (x === 10) line++
    }
    a.at += length
    b.at += length
    position += length
  }
  return status
}
