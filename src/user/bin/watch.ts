/** watch(1): procps 3.2.7. */
import { ENOTTY } from '#abi/posix/errno.ts'
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { spawn, waitpid } from '../libc/process.ts'
import { clock_gettime, close, dup2, pipe, read } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'
import { REVERSE } from '../terminal/display.ts'
import { Terminal, Terminated } from '../terminal/terminal.ts'

/** More than a screen can show is not kept. */
const OUTPUT_MAX = 100_000

export const watch = utility({
  name: 'watch',
  usage: 'watch [-dhntv] [--differences[=cumulative]] [--help] [--interval=<n>] [--no-title] [--version] <command>',
  help: `  -d, --differences            highlight changes between updates
  -n, --interval=<seconds>     seconds to wait between updates
  -t, --no-title               turns off showing the header
`,
  version: '0.2.0',
  short: '+dn:tv',
  long: { 'differences::': 'd', 'interval:': 'n', 'no-title': 't' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('')
    const interval = Math.max(0.1, Number(run.value('n') ?? 2))
    if (Number.isNaN(interval)) throw new Exit(1, `-n: '${run.value('n')}' is not a number`)
    const command = run.operands.join(' ')
    let terminal: Terminal
    try {
      terminal = yield* Terminal.open(run.env, { signals: true })
    } catch (error) {
      if (error instanceof OsError && error.errno === ENOTTY) throw new Exit(1, 'Error opening terminal: unknown.')
      throw error
    }
    let before: readonly string[] = []
    try {
      for (;;) {
        const lines = (yield* outputOf(command, run.env)).split('\n')
        const { display } = terminal
        const [now] = yield* clock_gettime(CLOCK_REALTIME)
        const head = run.has('t') ? 0 : 2
        if (head > 0) {
          const left = `Every ${interval.toFixed(1)}s: `
          const date = strftime('%a %b %e %H:%M:%S %Y', now)
          const room = display.columns - left.length - date.length - 1
          const shown = command.length > room ? `${command.slice(0, Math.max(0, room - 3))}...` : command
          display.row(0, (left + shown).padEnd(display.columns - date.length) + date)
          display.row(1, '')
        }
        const shown: string[] = []
        for (let row = head; row < display.rows; row++) {
          const line = expand(lines[row - head] ?? '').slice(0, display.columns)
          shown.push(line)
          const old = before[row - head]
          let looks = ''
          if (run.has('d') && old !== undefined)
            for (let i = 0; i < line.length; i++) looks += line[i] === (old[i] ?? ' ') ? '0' : REVERSE
          display.row(row, line, looks)
        }
        before = shown
        display.cursor(display.rows - 1, display.columns - 1)
        yield* display.flush()
        const key = yield* terminal.key(interval * 1000)
        if (key === '\x03' || key === 'Eof') return 0
      }
    } catch (error) {
      if (error instanceof Terminated) return 0
      throw error
    } finally {
      yield* terminal.restore()
    }
  },
})

function expand(line: string): string {
  let text = ''
  for (const char of line) text += char === '\t' ? ' '.repeat(8 - (text.length % 8)) : char < ' ' ? '' : char
  return text
}

function* outputOf(command: string, env: readonly string[]): Sys<string> {
  const [from, to] = yield* pipe()
  const pid = yield* spawn('/bin/sh', ['sh', '-c', command], env, function* () {
    yield* close(from)
    yield* dup2(to, 1)
    yield* dup2(to, 2)
    yield* close(to)
  })
  yield* close(to)
  let text = ''
  for (;;) {
    const bytes = yield* read(from, 65536)
    if (bytes.length === 0) break
    if (text.length < OUTPUT_MAX) text += byteString(bytes)
  }
  yield* close(from)
  yield* waitpid(pid)
  return text
}
