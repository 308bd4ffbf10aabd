/** paste(1). */

import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { In, STDIN } from '../libc/stdio.ts'
import { open } from '../libc/syscall.ts'
import { type Run, utility } from '../libc/utility.ts'

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' }

export const paste = utility({
  name: 'paste',
  usage: 'paste [OPTION]... [FILE]...',
  help: `Write lines consisting of the sequentially corresponding lines from
each FILE, separated by TABs, to standard output.
With no FILE, or when FILE is -, read standard input.

  -d, --delimiters=LIST   reuse characters from LIST instead of TABs
  -s, --serial            paste one file at a time instead of in parallel
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'd:s',
  long: { 'delimiters:': 'd', serial: 's' },
  *main(run) {
    const given = run.value('d')
    const delimiters = given === undefined ? ['\t'] : given === '' ? [''] : delimiterList(given)
    yield* run.has('s') ? serial(run, delimiters) : parallel(run, delimiters)
    return run.status
  },
})

/** Characters, with \n \t \\ and \0, which is none. */
const delimiterList = (text: string): string[] =>
  [...text.matchAll(/\\(.)|./gs)].map(([whole, c]) => (c === undefined ? whole : c === '0' ? '' : (ESCAPES[c] ?? c)))

function* serial(run: Run, delimiters: readonly string[]): Sys<void> {
  yield* eachInput(run, function* (fd) {
    const input = new In(fd)
    for (let i = 0; ; i++) {
      const line = yield* input.line()
      if (line === undefined) break
      yield* run.out.print(i === 0 ? line : delimiters[(i - 1) % delimiters.length]! + line)
    }
    run.out.put('\n')
  })
}

function* parallel(run: Run, delimiters: readonly string[]): Sys<void> {
  const stdin = new In(STDIN)
  const inputs: In[] = []
  for (const name of run.operands.length > 0 ? run.operands : ['-']) {
    try {
      inputs.push(name === '-' ? stdin : new In(yield* open(name, O_RDONLY, 0)))
    } catch (error) {
      // Without all of them there is nothing to paste.
      yield* run.warn(error, name)
      return
    }
  }
  for (;;) {
    let text = ''
    let any = false
    for (let i = 0; i < inputs.length; i++) {
      const line = yield* inputs[i]!.line()
      if (line !== undefined) any = true
      text += (i === 0 ? '' : delimiters[(i - 1) % delimiters.length]!) + (line ?? '')
    }
    if (!any) return
    yield* run.out.line(text)
  }
}
