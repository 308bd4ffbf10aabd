/** head(1). */

import { SEEK_CUR } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { OsError } from '../libc/errno.ts'
import { Heap } from '../libc/heap.ts'
import { parseSize } from '../libc/number.ts'
import { CHUNK } from '../libc/stdio.ts'
import { lseek, read } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'

export const head = utility({
  name: 'head',
  usage: 'head [OPTION]... [FILE]...',
  help: `Print the first 10 lines of each FILE to standard output.
With more than one FILE, precede each with a header giving the file name.
With no FILE, or when FILE is -, read standard input.

  -c, --bytes=[-]N         print the first N bytes of each file;
                             with the leading \`-', print all but the last
                             N bytes of each file
  -n, --lines=[-]N         print the first N lines instead of the first 10;
                             with the leading \`-', print all but the last
                             N lines of each file
  -q, --quiet, --silent    never print headers giving file names
  -v, --verbose            always print headers giving file names
      --help     display this help and exit
      --version  output version information and exit

N may have a multiplier suffix: b 512, k 1024, m 1024*1024.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'c:n:qv',
  long: { 'bytes:': 'c', 'lines:': 'n', quiet: 'q', silent: 'q', verbose: 'v' },
  prepare: oldForm,
  *main(run) {
    const last = run.options.findLast(({ code }) => code === 'c' || code === 'n')
    const unit = last?.code ?? 'n'
    const text = last?.value ?? '10'
    const allBut = text.startsWith('-')
    const count = parseSize(allBut ? text.slice(1) : text, 'bkmKMGTPE')
    if (count === undefined)
      throw new Exit(1, `${escapedCount(text)}: invalid number of ${unit === 'n' ? 'lines' : 'bytes'}`)
    const heading = headings(run)
    yield* eachInput(run, function* (fd, name) {
      heading(name === '-' ? 'standard input' : name)
      if (allBut) yield* butLast(run, fd, count, unit === 'n')
      else if (unit === 'n') yield* lines(run, fd, count)
      else yield* bytes(run, fd, count)
    })
    return run.status
  },
})

const escapedCount = (text: string): string => (text.startsWith('-') ? text.slice(1) : text)

/** `head -5`, `head -20c`, `head -3qv`. */
function oldForm(args: readonly string[]): readonly string[] {
  const match = /^-(\d+)([bkmclqv]*)$/.exec(args[0] ?? '')
  if (!match) return args
  const letters = match[2]!
  const unit = /[bkm]/.exec(letters)
  const inBytes = letters.includes('c') || (unit !== null && !letters.includes('l'))
  const rest = /[qv]/.exec(letters)
  return [
    ...(rest ? [`-${rest[0]}`] : []),
    inBytes ? '-c' : '-n',
    match[1]! + (inBytes && unit ? unit[0] : ''),
    ...args.slice(1),
  ]
}

/** Puts `==> name <==` where it belongs: before each of several files. */
export function headings(run: Run): (name: string) => void {
  const last = run.options.findLast(({ code }) => code === 'q' || code === 'v')?.code
  const wanted = last === 'v' || (last !== 'q' && run.operands.length > 1)
  let first = true
  return (name) => {
    if (!wanted) return
    run.out.put(`${first ? '' : '\n'}==> ${name} <==\n`)
    first = false
  }
}

function* bytes(run: Run, fd: number, count: number): Sys<void> {
  for (let left = count; left > 0; ) {
    const part = yield* read(fd, Math.min(left, CHUNK))
    if (part.length === 0) return
    left -= part.length
    yield* run.out.bytes(part)
  }
}

function* lines(run: Run, fd: number, count: number): Sys<void> {
  for (let left = count; left > 0; ) {
    const part = yield* read(fd, 8192)
    if (part.length === 0) return
    let end = 0
    while (left > 0 && end < part.length) {
      const newline = part.indexOf(10, end)
      end = newline < 0 ? part.length : newline + 1
      if (newline >= 0) left--
    }
    if (end < part.length) {
      yield* run.out.bytes(part.subarray(0, end))
      yield* giveBack(fd, part.length - end)
    } else yield* run.out.bytes(part)
  }
}

/** Who reads the file after us begins behind our last line, where it can be wound back. */
function* giveBack(fd: number, count: number): Sys<void> {
  try {
    yield* lseek(fd, -count, SEEK_CUR)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
}

/** All but the last `count`: what is held back is at most that much and a chunk. */
function* butLast(run: Run, fd: number, count: number, byLines: boolean): Sys<void> {
  const heap = new Heap()
  let held = ''
  let most = 0
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return byLines ? run.out.put(held.slice(0, keep(held, count))) : undefined
    held += byteString(part)
    if (held.length > most) {
      yield* heap.keep(held.length - most)
      most = held.length
    }
    const done = byLines ? keep(held, count + 1) : Math.max(0, held.length - count)
    if (done > 0) {
      yield* run.out.print(held.slice(0, done))
      held = held.slice(done)
    }
  }
}

/** How much of `text` is left when its last `count` lines are gone. */
function keep(text: string, count: number): number {
  let end = text.length
  for (let left = count; left > 0 && end > 0; left--) end = text.lastIndexOf('\n', end - 2) + 1
  return end
}
