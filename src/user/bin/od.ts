/** od(1). */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type OdFormat, parseTypes } from '../coreutils/od-formats.ts'
import { parseSize } from '../libc/number.ts'
import { quote } from '../libc/quote.ts'
import { CHUNK, STDIN } from '../libc/stdio.ts'
import { close, open, read } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'

/** Old letters and what they are short for. */
const SHORT_FORMS: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'o1',
  c: 'c',
  d: 'u2',
  f: 'f4',
  h: 'x2',
  i: 'd4',
  l: 'd8',
  o: 'o2',
  s: 'd2',
  x: 'x2',
}

export const od = utility({
  name: 'od',
  usage: 'od [OPTION]... [FILE]...',
  help: `Write an unambiguous representation, octal bytes by default,
of FILE to standard output.  With more than one FILE argument,
concatenate them in the listed order to form the input.
With no FILE, or when FILE is -, read standard input.

All arguments to long options are mandatory for short options.
  -A, --address-radix=RADIX   decide how file offsets are printed
  -j, --skip-bytes=BYTES      skip BYTES input bytes first
  -N, --read-bytes=BYTES      limit dump to BYTES input bytes
  -t, --format=TYPE           select output format or formats
  -v, --output-duplicates     do not use * to mark line suppression
  -w, --width[=BYTES]         output BYTES bytes per output line
      --help     display this help and exit
      --version  output version information and exit

Traditional format specifications may be intermixed; they accumulate:
  -a   same as -t a,  select named characters
  -b   same as -t o1, select octal bytes
  -c   same as -t c,  select ASCII characters or backslash escapes
  -d   same as -t u2, select unsigned decimal 2-byte units
  -f   same as -t fF, select floats
  -i   same as -t dI, select decimal ints
  -l   same as -t dL, select decimal longs
  -o   same as -t o2, select octal 2-byte units
  -s   same as -t d2, select decimal 2-byte units
  -x   same as -t x2, select hexadecimal 2-byte units

TYPE is made up of one or more of these specifications:

  a          named character
  c          ASCII character or backslash escape
  d[SIZE]    signed decimal, SIZE bytes per integer
  f[SIZE]    floating point, SIZE bytes per integer
  o[SIZE]    octal, SIZE bytes per integer
  u[SIZE]    unsigned decimal, SIZE bytes per integer
  x[SIZE]    hexadecimal, SIZE bytes per integer

Adding a z suffix to any type adds a display of printable characters
to the end of each line of output.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'abcdfhilosxA:j:N:t:vw::',
  long: {
    'address-radix:': 'A',
    'skip-bytes:': 'j',
    'read-bytes:': 'N',
    'format:': 't',
    'output-duplicates': 'v',
    'width::': 'w',
  },
  *main(run) {
    const formats: OdFormat[] = []
    for (const { code, value } of run.options) {
      const text = code === 't' ? value! : SHORT_FORMS[code]
      if (text === undefined) continue
      const parsed = parseTypes(text)
      if (!parsed) throw new Exit(1, `invalid type string ${quote(text)}`)
      formats.push(...parsed)
    }
    if (formats.length === 0) formats.push(...parseTypes('o2')!)
    const radix = run.value('A') ?? 'o'
    if (!/^[doxn]$/.test(radix))
      throw new Exit(1, `invalid output address radix \`${radix}'; it must be one character from [doxn]`)
    const count = (code: string, otherwise: number): number => {
      const text = run.value(code)
      if (text === undefined) return otherwise
      const value = /^0[xX][0-9a-fA-F]+$/.test(text) ? Number(text) : parseSize(text)
      if (value === undefined) throw new Exit(1, `${text}: invalid number`)
      return value
    }
    const skip = count('j', 0)
    const limit = count('N', Number.POSITIVE_INFINITY)
    const unit = Math.max(...formats.map(({ size }) => size))
    let width = run.has('w') ? (run.value('w') === undefined ? 32 : count('w', 32)) : 16
    if (width === 0 || width % unit !== 0) {
      yield* run.complain(`warning: invalid width ${width}; using ${unit} instead`, 0)
      width = unit
    }
    yield* dump(run, formats, radix, skip, limit, width)
    return run.status
  },
})

/** All files as one stream. */
function* chunks(run: Run, take: (bytes: Uint8Array) => Sys<boolean>): Sys<void> {
  for (const name of run.operands.length > 0 ? run.operands : ['-']) {
    try {
      const fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
      for (;;) {
        const part = yield* read(fd, CHUNK)
        if (part.length === 0) break
        if (!(yield* take(part))) return
      }
      if (fd !== STDIN) yield* close(fd)
    } catch (error) {
      yield* run.warn(error, name)
    }
  }
}

function* dump(
  run: Run,
  formats: readonly OdFormat[],
  radix: string,
  skip: number,
  limit: number,
  width: number,
): Sys<void> {
  const address = (at: number): string => {
    if (radix === 'n') return ''
    if (radix === 'o') return at.toString(8).padStart(7, '0')
    return radix === 'd' ? String(at).padStart(7, '0') : at.toString(16).padStart(6, '0')
  }
  const columns = cellWidths(formats, width)
  let toSkip = skip
  let left = limit
  let at = skip
  let block = new Uint8Array(width)
  let last = new Uint8Array(width)
  let fill = 0
  let first = true
  let starred = false
  const flush = function* (): Sys<void> {
    const same = !first && !run.has('v') && fill === width && block.every((byte, i) => byte === last[i])
    if (same) {
      if (!starred) yield* run.out.line('*')
      starred = true
    } else {
      starred = false
      for (const [i, line] of lines(formats, columns, block, fill).entries())
        yield* run.out.line((i === 0 ? address(at) : ' '.repeat(address(at).length)) + line)
    }
    first = false
    at += fill
    fill = 0
    ;[block, last] = [last, block]
    block.fill(0)
  }
  yield* chunks(run, function* (bytes) {
    let from = Math.min(toSkip, bytes.length)
    toSkip -= from
    while (from < bytes.length && left > 0) {
      const take = Math.min(bytes.length - from, width - fill, left)
      block.set(bytes.subarray(from, from + take), fill)
      from += take
      fill += take
      left -= take
      if (fill === width) yield* flush()
    }
    return left > 0
  })
  if (toSkip > 0) throw new Exit(1, 'cannot skip past end of combined input')
  if (fill > 0) yield* flush()
  if (radix !== 'n') yield* run.out.line(address(at))
}

/** How wide a byte is, so that units of several formats stand below each other. */
function cellWidths(formats: readonly OdFormat[], width: number): number[] {
  const widest = Math.max(...formats.map((format) => (format.width * width) / format.size))
  return formats.map((format) => (widest * format.size) / width)
}

function lines(formats: readonly OdFormat[], widths: readonly number[], block: Uint8Array, fill: number): string[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  return formats.map((format, i) => {
    let line = ''
    for (let at = 0; at < fill; at += format.size) line += format.show(view, at).padStart(widths[i]!)
    if (!format.trailer) return line
    const units = Math.ceil(fill / format.size)
    line += ' '.repeat((block.length / format.size - units) * widths[i]!)
    const text = [...block.subarray(0, fill)].map((code) =>
      code >= 32 && code < 127 ? String.fromCharCode(code) : '.',
    )
    return `${line}  >${text.join('')}<`
  })
}
