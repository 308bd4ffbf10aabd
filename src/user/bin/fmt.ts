/** fmt(1): paragraphs filled by the original's rule, which weighs each line's raggedness against those of all others. */

import type { Sys } from '#abi/posix/syscalls.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { In } from '../libc/stdio.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'

/** Lines should be this much shorter than the widest, in percent. */
const LEEWAY = 7

export const fmt = utility({
  name: 'fmt',
  usage: 'fmt [-DIGITS] [OPTION]... [FILE]...',
  help: `Reformat each paragraph in the FILE(s), writing to standard output.
If no FILE or if FILE is \`-', read standard input.

  -s, --split-only          split long lines, but do not refill
  -u, --uniform-spacing     one space between words, two after sentences
  -w, --width=WIDTH         maximum line width (default of 75 columns)
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'suw:',
  long: { 'split-only': 's', 'uniform-spacing': 'u', 'width:': 'w' },
  prepare: (args) => (/^-\d+$/.test(args[0] ?? '') ? ['-w', args[0]!.slice(1), ...args.slice(1)] : args),
  *main(run) {
    const text = run.value('w') ?? '75'
    if (!/^\d+$/.test(text) || Number(text) > 32767) throw new Exit(1, `invalid width: ${quote(text)}`)
    const width = Number(text)
    yield* eachInput(run, function* (fd) {
      const input = new In(fd)
      let paragraph: string[] = []
      let indent = ''
      for (;;) {
        const line = yield* input.line()
        const body = line?.trimStart() ?? ''
        const own = line === undefined ? '' : line.slice(0, line.length - body.length).replaceAll('\t', '        ')
        if (paragraph.length > 0 && (body === '' || own !== indent || run.has('s'))) {
          yield* fill(run, paragraph, indent, width)
          paragraph = []
        }
        if (line === undefined) return
        if (body === '') yield* run.out.line('')
        else {
          indent = own
          paragraph.push(body)
        }
      }
    })
    return run.status
  },
})

interface Word {
  readonly text: string
  /** Blanks behind it. */
  readonly space: number
  /** It ends a sentence, or a phrase. */
  readonly final: boolean
  readonly punct: boolean
  readonly paren: boolean
}

function wordsOf(run: Run, lines: readonly string[]): Word[] {
  const words: Word[] = []
  lines.forEach((line, number) => {
    const parts = [...line.matchAll(/(\S+)(\s*)/g)]
    parts.forEach(([, text, blanks], i) => {
      const atEnd = i === parts.length - 1
      const period = /[.?!][)\]'"]*$/.test(text!)
      const final = period && (atEnd || blanks!.length > 1)
      const last = atEnd && number === lines.length - 1
      words.push({
        text: text!,
        space: atEnd || run.has('u') ? (final ? 2 : 1) : blanks!.replaceAll('\t', '        ').length,
        final: final || last,
        punct: /[,;:.?!]$/.test(text!),
        paren: /^[(['"`]/.test(text!),
      })
    })
  })
  return words
}

const square = (n: number): number => n * n
const NEVER = Number.MAX_SAFE_INTEGER

/** fmt_paragraph(): from the end, the cheapest way to go on from every word. */
function* fill(run: Run, lines: readonly string[], indent: string, width: number): Sys<void> {
  const words = wordsOf(run, lines)
  const goal = Math.floor((width * (2 * (100 - LEEWAY) + 1)) / 200)
  const count = words.length
  const best = new Float64Array(count + 1)
  const next = new Int32Array(count)
  const lengths = new Int32Array(count + 1)
  for (let start = count - 1; start >= 0; start--) {
    let length = indent.length + words[start]!.text.length
    let least = NEVER
    for (let end = start + 1; ; end++) {
      let cost = best[end]!
      if (end < count) {
        cost += square((goal - length) * 10)
        if (next[end]! < count) cost += square(((length - lengths[end]!) * 10) / 2)
      }
      cost += start > 0 ? breakCost(words, start) : 0
      if (cost < least) {
        least = cost
        next[start] = end
        lengths[start] = length
      }
      if (end === count) break
      length += words[end - 1]!.space + words[end]!.text.length
      if (length >= width) break
    }
    best[start] = least
  }
  for (let start = 0; start < count; start = next[start]!) {
    let line = indent
    for (let i = start; i < next[start]!; i++)
      line += words[i]!.text + (i + 1 < next[start]! ? ' '.repeat(words[i]!.space) : '')
    yield* run.out.line(line)
  }
}

/** base_cost(): good and bad places for a line to begin. */
function breakCost(words: readonly Word[], at: number): number {
  const before = words[at - 1]!
  const word = words[at]!
  let cost = square(70)
  if (before.punct && /[.?!]$/.test(before.text)) cost += before.final ? -square(50) : square(600)
  else if (before.punct) cost -= square(40)
  else if (at > 1 && words[at - 2]!.final) cost += square(200) / (before.text.length + 2)
  if (word.paren) cost -= square(40)
  else if (word.final) cost += square(150) / (word.text.length + 2)
  return cost
}
