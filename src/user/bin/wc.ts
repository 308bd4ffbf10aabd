/** wc(1). */
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { withInput } from '../coreutils/inputs.ts'
import { OsError } from '../libc/errno.ts'
import { CHUNK } from '../libc/stdio.ts'
import { fstat, read, stat } from '../libc/syscall.ts'
import { type Run, utility } from '../libc/utility.ts'

interface Counts {
  lines: number
  words: number
  bytes: number
  longest: number
}

export const wc = utility({
  name: 'wc',
  usage: 'wc [OPTION]... [FILE]...',
  help: `Print newline, word, and byte counts for each FILE, and a total line if
more than one FILE is specified.  With no FILE, or when FILE is -,
read standard input.
  -c, --bytes            print the byte counts
  -m, --chars            print the character counts
  -l, --lines            print the newline counts
  -L, --max-line-length  print the length of the longest line
  -w, --words            print the word counts
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'clLmw',
  long: { bytes: 'c', chars: 'm', lines: 'l', words: 'w', 'max-line-length': 'L' },
  *main(run) {
    const asked = ['l', 'w', 'm', 'c', 'L'].filter((code) => run.has(code))
    const shown = asked.length > 0 ? asked : ['l', 'w', 'c']
    const names = run.operands.length > 0 ? run.operands : ['-']
    const width = yield* columnWidth(names, shown.length)
    const total: Counts = { lines: 0, words: 0, bytes: 0, longest: 0 }
    for (const name of names) {
      const counts: Counts = { lines: 0, words: 0, bytes: 0, longest: 0 }
      try {
        yield* withInput(name, (fd) => count(fd, counts, shown))
      } catch (error) {
        yield* run.warn(error, name)
        if (error instanceof OsError && error.call === 'open') continue
      }
      yield* show(run, counts, shown, width, run.operands.length > 0 ? name : '')
      total.lines += counts.lines
      total.words += counts.words
      total.bytes += counts.bytes
      total.longest = Math.max(total.longest, counts.longest)
    }
    if (names.length > 1) yield* show(run, total, shown, width, 'total')
    return run.status
  },
})

function* show(run: Run, counts: Counts, shown: readonly string[], width: number, name: string): Sys<void> {
  const value = { l: counts.lines, w: counts.words, m: counts.bytes, c: counts.bytes, L: counts.longest }
  const cells = shown.map((code) => String(value[code as 'l']).padStart(width))
  yield* run.out.line(cells.join(' ') + (name === '' ? '' : ` ${name}`))
}

/** compute_number_width(): as wide as the sizes of all files together, seven where one has none. */
function* columnWidth(names: readonly string[], columns: number): Sys<number> {
  if (names.length === 1 && columns === 1) return 1
  let least = 1
  let total = 0
  for (const name of names) {
    try {
      const status = name === '-' ? yield* fstat(0) : yield* stat(name)
      if ((status.mode & S_IFMT) === S_IFREG) total += status.size
      else least = 7
    } catch (error) {
      if (!(error instanceof OsError)) throw error
    }
  }
  return Math.max(least, String(total).length)
}

function* count(fd: number, counts: Counts, shown: readonly string[]): Sys<void> {
  const deep = shown.includes('w') || shown.includes('L')
  const linesToo = deep || shown.includes('l')
  const state = { inWord: false, column: 0 }
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) break
    counts.bytes += part.length
    if (deep) countChunk(part, counts, state)
    else if (linesToo) countLines(part, counts)
  }
  if (state.column > counts.longest) counts.longest = state.column
}

function countLines(part: Uint8Array, counts: Counts): void {
  for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) counts.lines++
}

function countChunk(part: Uint8Array, counts: Counts, state: { inWord: boolean; column: number }): void {
  let { inWord, column } = state
  let { lines, words, longest } = counts
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!
    if (c > 32 && c < 127) {
      column++
      if (!inWord) {
        inWord = true
        words++
      }
    } else if (c === 32) {
      column++
      inWord = false
    } else if (c === 10 || c === 12 || c === 13) {
      if (c === 10) lines++
      if (column > longest) longest = column
      column = 0
      inWord = false
    } else if (c === 9) {
      column += 8 - (column % 8)
      inWord = false
    } else if (c === 11) inWord = false
  }
  state.inWord = inWord
  state.column = column
  counts.lines = lines
  counts.words = words
  counts.longest = longest
}
