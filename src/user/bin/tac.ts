/** tac(1) of coreutils and rev(1) of util-linux. */
import { eachInput } from '../coreutils/inputs.ts'
import { Heap } from '../libc/heap.ts'
import { In } from '../libc/stdio.ts'
import { utility } from '../libc/utility.ts'

export const tac = utility({
  name: 'tac',
  usage: 'tac [OPTION]... [FILE]...',
  help: `Write each FILE to standard output, last line first.
With no FILE, or when FILE is -, read standard input.

  -b, --before             attach the separator before instead of after
  -s, --separator=STRING   use STRING as the separator instead of newline
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'bs:',
  long: { before: 'b', 'separator:': 's' },
  *main(run) {
    const separator = run.value('s') ?? '\n'
    const before = run.has('b')
    yield* eachInput(run, function* (fd) {
      const heap = new Heap()
      const input = new In(fd)
      const parts: string[] = []
      for (let part = yield* input.some(); part !== ''; part = yield* input.some()) {
        yield* heap.keep(part.length)
        parts.push(part)
      }
      const text = parts.join('')
      for (let end = text.length; end > 0; ) {
        let start: number
        if (before) start = Math.max(0, text.lastIndexOf(separator, end - 1))
        else {
          const found = end - separator.length - 1 < 0 ? -1 : text.lastIndexOf(separator, end - separator.length - 1)
          start = found < 0 ? 0 : found + separator.length
        }
        yield* run.out.print(text.slice(start, end))
        end = start
      }
    })
    return run.status
  },
})

export const rev = utility({
  name: 'rev',
  usage: 'rev [file ...]',
  help: 'Copy the files, or standard input, reversing the order of characters in every line.',
  version: '(util-linux 2.13-pre7)',
  *main(run) {
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      for (let line = yield* input.line(); line !== undefined; line = yield* input.line()) {
        const reversed = line.split('').reverse().join('')
        yield* run.out.print(input.complete ? `${reversed}\n` : reversed)
      }
    })
    return run.status
  },
})
