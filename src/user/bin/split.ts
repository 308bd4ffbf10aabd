/** split(1). */
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { withInput } from '../coreutils/inputs.ts'
import { parseSize } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { CHUNK, writeAll } from '../libc/stdio.ts'
import { close, open, read } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const split = utility({
  name: 'split',
  usage: 'split [OPTION] [INPUT [PREFIX]]',
  help: `Output fixed-size pieces of INPUT to PREFIXaa, PREFIXab, ...; default
PREFIX is \`x'.  With no INPUT, or when INPUT is -, read standard input.

  -a, --suffix-length=N   use suffixes of length N (default 2)
  -b, --bytes=SIZE        put SIZE bytes per output file
  -C, --line-bytes=SIZE   put at most SIZE bytes of lines per output file
  -d, --numeric-suffixes  use numeric suffixes instead of alphabetic
  -l, --lines=NUMBER      put NUMBER lines per output file
      --verbose           print a diagnostic to standard error just
                            before each output file is opened
      --help     display this help and exit
      --version  output version information and exit

SIZE may have a multiplier suffix: b for 512, k for 1K, m for 1 Meg.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'a:b:C:dl:',
  long: {
    'suffix-length:': 'a',
    'bytes:': 'b',
    'line-bytes:': 'C',
    'numeric-suffixes': 'd',
    'lines:': 'l',
    verbose: 'verbose',
  },
  prepare: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-l${arg.slice(1)}` : arg)),
  *main(run) {
    const [name = '-', prefix = 'x', extra] = run.operands
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const kinds = run.options.filter(({ code }) => 'bCl'.includes(code))
    if (kinds.length > 1) throw new UsageError('cannot split in more than one way')
    const { code = 'l', value = '1000' } = kinds[0] ?? {}
    const count = parseSize(value!, code === 'l' ? '' : 'bkmKM')
    if (!count) throw new UsageError(`${value}: invalid number of ${code === 'l' ? 'lines' : 'bytes'}`)
    const files = new Pieces(run, prefix)
    yield* withInput(name, (fd) =>
      code === 'l'
        ? byLines(fd, files, count)
        : code === 'b'
          ? byBytes(fd, files, count)
          : byLineBytes(fd, files, count),
    )
    yield* files.end()
    return 0
  },
})

/** The output files, one after the other. */
class Pieces {
  readonly #run: Run
  readonly #prefix: string
  readonly #length: number
  readonly #letters: string
  #number: number
  #fd: number

  constructor(run: Run, prefix: string) {
    const text = run.value('a') ?? '2'
    if (!/^\d+$/.test(text) || Number(text) === 0) throw new UsageError(`${text}: invalid suffix length`)
    this.#run = run
    this.#prefix = prefix
    this.#length = Number(text)
    this.#letters = run.has('d') ? '0123456789' : 'abcdefghijklmnopqrstuvwxyz'
    this.#number = 0
    this.#fd = -1
  }

  *put(bytes: Uint8Array): Sys<void> {
    if (bytes.length === 0) return
    if (this.#fd < 0) {
      let suffix = ''
      let left = this.#number++
      for (let i = 0; i < this.#length; i++) {
        suffix = this.#letters[left % this.#letters.length]! + suffix
        left = Math.floor(left / this.#letters.length)
      }
      if (left > 0) throw new Exit(1, 'output file suffixes exhausted')
      const name = this.#prefix + suffix
      if (this.#run.has('verbose')) yield* this.#run.complain(`creating file ${quote(name)}`, 0)
      this.#fd = yield* open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    }
    yield* writeAll(this.#fd, bytes)
  }

  *end(): Sys<void> {
    if (this.#fd >= 0) yield* close(this.#fd)
    this.#fd = -1
  }
}

function* byBytes(fd: number, files: Pieces, count: number): Sys<void> {
  for (let left = count; ; ) {
    const part = yield* read(fd, Math.min(left, CHUNK))
    if (part.length === 0) return
    yield* files.put(part)
    left -= part.length
    if (left > 0) continue
    yield* files.end()
    left = count
  }
}

function* byLines(fd: number, files: Pieces, count: number): Sys<void> {
  let lines = 0
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return
    let start = 0
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) {
      if (++lines < count) continue
      yield* files.put(part.subarray(start, at + 1))
      yield* files.end()
      start = at + 1
      lines = 0
    }
    yield* files.put(part.subarray(start))
  }
}

/** Whole lines, as many as fit; a line that is too long is cut. */
function* byLineBytes(fd: number, files: Pieces, count: number): Sys<void> {
  let held = new Uint8Array(0)
  for (let ended = false; !ended || held.length > 0; ) {
    while (!ended && held.length < count) {
      const part = yield* read(fd, CHUNK)
      if (part.length === 0) ended = true
      const all = new Uint8Array(held.length + part.length)
      all.set(held)
      all.set(part, held.length)
      held = all
    }
    if (held.length === 0) return
    let end = Math.min(count, held.length)
    if (held.length > count) {
      const newline = held.lastIndexOf(10, count - 1)
      if (newline >= 0) end = newline + 1
    }
    yield* files.put(held.subarray(0, end))
    yield* files.end()
    held = held.slice(end)
  }
}
