/** xargs(1): GNU findutils 4.2.27. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFSIGNALED, WTERMSIG } from '#abi/posix/wait.ts'
import { eprint, In, readLineUnbuffered, STDIN } from '../libc/stdio.ts'
import { close, dup2, open } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'
import { execute as spawn } from './find/execute.ts'

/** Bytes of one command line: 2.6.18's limit less room for the environment. */
const COMMAND_BYTES = 131072 - 2048

export const xargs = utility({
  name: 'xargs',
  usage:
    'xargs [-0prtx] [-I replace-str] [-E eof-str] [-L max-lines] [-n max-args]\n       [-s max-chars] [command [initial-arguments]]',
  help: `Run COMMAND with arguments from standard input.

  -0, --null                 items are ended by NUL, nothing is special
  -E END                     an item that is END ends the input
  -I R                       replace R in initial arguments by each line
  -L, --max-lines=N          use at most N lines for a command
  -n, --max-args=N           use at most N arguments for a command
  -p, --interactive          ask before each command
  -r, --no-run-if-empty      no command if there are no arguments
  -s, --max-chars=N          at most N bytes for a command
  -t, --verbose              print commands before running them
  -x, --exit                 exit if the size is exceeded
`,
  version: 'version 4.2.27',
  short: '+0E:I:L:n:prs:tx',
  long: {
    null: '0',
    'replace:': 'I',
    'max-lines:': 'L',
    'max-args:': 'n',
    interactive: 'p',
    'no-run-if-empty': 'r',
    'max-chars:': 's',
    verbose: 't',
    exit: 'x',
  },
  *main(run) {
    const positive = (code: string, otherwise: number): number => {
      const value = run.value(code)
      if (value === undefined) return otherwise
      if (!/^[0-9]+$/.test(value)) throw new Exit(1, `invalid number for -${code} option`)
      if (Number(value) < 1) throw new Exit(1, `value for -${code} option should be >= 1`)
      return Number(value)
    }
    const command = run.operands.length > 0 ? run.operands : ['echo']
    const replace = run.value('I')
    const maxLines = replace !== undefined ? 1 : positive('L', Number.POSITIVE_INFINITY)
    const maxArgs = positive('n', Number.POSITIVE_INFINITY)
    const maxBytes = positive('s', COMMAND_BYTES)
    const own = command.reduce((sum, word) => sum + word.length + 1, 0)
    const input = new In(STDIN)
    let args: string[] = []
    let bytes = own
    let lines = 0
    let ran = false

    function* flush(): Sys<void> {
      ran = true
      const argv = [...command, ...args]
      args = []
      bytes = own
      lines = 0
      yield* execute(run, argv)
    }

    const items = run.has('0')
      ? nulItems(input)
      : replace !== undefined
        ? lineItems(input)
        : wordItems(input, run.value('E'))
    for (let item = yield* items(); item !== undefined; item = yield* items()) {
      if (replace !== undefined) {
        ran = true
        yield* execute(
          run,
          command.map((word, i) => (i === 0 ? word : word.replaceAll(replace, item!.text))),
        )
        continue
      }
      const { text, endsLine } = item
      if (bytes + text.length + 1 > maxBytes) {
        if (args.length === 0) throw new Exit(1, 'argument line too long')
        yield* flush()
      }
      args.push(text)
      bytes += text.length + 1
      if (endsLine) lines++
      if (args.length >= maxArgs || lines >= maxLines) yield* flush()
    }
    if (args.length > 0 || (!ran && !run.has('r') && replace === undefined)) yield* flush()
    return run.status
  },
})

interface Item {
  readonly text: string
  readonly endsLine: boolean
}

const nulItems = (input: In) =>
  function* (): Sys<Item | undefined> {
    const text = yield* input.delimited('\0')
    return text === undefined ? undefined : { text, endsLine: true }
  }

/** -I: lines without leading blanks. Quotes are taken away as elsewhere. */
const lineItems = (input: In) =>
  function* (): Sys<Item | undefined> {
    for (;;) {
      const line = yield* input.line()
      if (line === undefined) return undefined
      const text = unquote(line.trimStart())
      if (text !== '') return { text, endsLine: true }
    }
  }

function unquote(line: string): string {
  let text = ''
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (char === '\\') text += line[++i] ?? ''
    else if (char === '"' || char === "'") {
      const end = line.indexOf(char, i + 1)
      if (end < 0) throw new Exit(1, `unmatched ${char === '"' ? 'double' : 'single'} quote`)
      text += line.slice(i + 1, end)
      i = end
    } else text += char
  }
  return text
}

/** Words between blanks and newlines, with quotes and backslashes. */
const wordItems = (input: In, eof: string | undefined) => {
  let ended = false
  return function* (): Sys<Item | undefined> {
    let text = ''
    let quoted = false
    let started = false
    if (ended) return undefined
    for (;;) {
      const char = yield* input.char()
      if (char === '' || ((char === ' ' || char === '\t' || char === '\n') && !quoted)) {
        if (char === '') ended = true
        if (started) {
          if (text === eof) {
            ended = true
            return undefined
          }
          return { text, endsLine: char !== ' ' && char !== '\t' }
        }
        if (char === '') return undefined
      } else if (char === '\\') {
        started = true
        text += yield* input.char()
      } else if (char === '"' || char === "'") {
        started = true
        for (;;) {
          const inner = yield* input.char()
          if (inner === char) break
          if (inner === '' || inner === '\n') throw new Exit(1, `unmatched ${char === '"' ? 'double' : 'single'} quote`)
          text += inner
        }
      } else {
        started = true
        text += char
      }
      quoted = false
    }
  }
}

function* execute(run: Run, argv: readonly string[]): Sys<void> {
  if (run.has('t') || run.has('p')) {
    yield* eprint(argv.join(' ') + (run.has('p') ? ' ?...' : '\n'))
    if (run.has('p')) {
      const tty = yield* open('/dev/tty', O_RDONLY, 0)
      const answer = yield* readLineUnbuffered(tty)
      yield* close(tty)
      if (!/^[yY]/.test(answer ?? '')) return
    }
  }
  // The command must not read our input.
  const status = yield* spawn(run.name, argv, run.env, function* () {
    yield* dup2(yield* open('/dev/null', O_RDONLY, 0), STDIN)
  })
  if (WIFSIGNALED(status)) throw new Exit(125, `${argv[0]}: terminated by signal ${WTERMSIG(status)}`)
  const code = WEXITSTATUS(status)
  if (code === 255) throw new Exit(124, `${argv[0]}: exited with status 255; aborting`)
  if (code === 126 || code === 127) throw new Exit(code)
  if (code !== 0) run.status = 123
}
