/** column(1) of util-linux: lists in columns, tables. */
import { eachInput } from '../coreutils/inputs.ts'
import { Heap, stringCost } from '../libc/heap.ts'
import { In, STDOUT } from '../libc/stdio.ts'
import { screenColumns } from '../libc/termios.ts'
import { Exit, utility } from '../libc/utility.ts'

const TAB = 8

export const column = utility({
  name: 'column',
  usage: 'column [-tx] [-c COLUMNS] [-s SEP] [FILE]...',
  help: `Format the lines of FILEs into columns.

  -c COLUMNS  the output is so wide
  -s SEP      characters that separate columns, for -t (blanks)
  -t          make a table of the columns that there are
  -x          fill rows before columns
`,
  version: '(util-linux 2.13-pre7)',
  short: 'c:s:tx',
  *main(run) {
    const widthText = run.value('c')
    if (widthText !== undefined && !/^[1-9]\d{0,4}$/.test(widthText)) throw new Exit(1, 'invalid argument')
    const width = widthText === undefined ? yield* screenColumns(STDOUT, run.env) : Number(widthText)
    const lines: string[] = []
    const heap = new Heap()
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      for (
        let line = input.next() ?? (yield* input.line());
        line !== undefined;
        line = input.next() ?? (yield* input.line())
      ) {
        if (line.trim() === '') continue
        yield* heap.keep(stringCost(line.length))
        lines.push(line)
      }
    })
    if (lines.length === 0) return run.status
    if (run.has('t')) {
      const separators = run.value('s') ?? ' \t'
      const table = lines.map((line) => fields(line, separators))
      const widths: number[] = []
      for (const row of table)
        row.forEach((cell, i) => {
          widths[i] = Math.max(widths[i] ?? 0, cell.length)
        })
      for (const row of table)
        yield* run.out.line(row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i]! + 2) : cell)).join(''))
      return run.status
    }
    const longest = lines.reduce((most, line) => Math.max(most, line.length), 0)
    const cell = (longest + TAB) & ~(TAB - 1)
    const across = longest >= width ? 1 : Math.max(1, Math.floor(width / cell))
    const down = Math.ceil(lines.length / across)
    for (let row = 0; row < down; row++) {
      let text = ''
      for (let i = 0; i < across; i++) {
        const line = lines[run.has('x') ? row * across + i : i * down + row]
        if (line === undefined) break
        const more = run.has('x')
          ? i + 1 < across && row * across + i + 1 < lines.length
          : (i + 1) * down + row < lines.length && i + 1 < across
        text += more ? line + '\t'.repeat(Math.ceil((cell - line.length) / TAB)) : line
      }
      yield* run.out.line(text)
    }
    return run.status
  },
})

/** strtok(3). */
function fields(line: string, separators: string): string[] {
  const found: string[] = []
  let word = ''
  for (const char of line) {
    if (!separators.includes(char)) word += char
    else if (word !== '') {
      found.push(word)
      word = ''
    }
  }
  if (word !== '') found.push(word)
  return found
}
