/** top(1): procps 3.2.7, as a batch of texts or on the terminal. */
import { ENOTTY } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../libc/errno.ts'
import { kill, nanosleep, setpriority } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'
import { BOLD, NORMAL, REVERSE } from '../terminal/display.ts'
import { Terminal, Terminated } from '../terminal/terminal.ts'
import { signalNumber } from './kill.ts'
import { BOOT, HEADER, type Look, look, type Order, summary, table } from './procps/top-text.ts'

const VERSION = 'top: procps version 3.2.7'

export const top = utility({
  name: 'top',
  usage: 'top -hv | -bc -d delay -n iterations [-u user] -p pid [,pid ...]',
  help: `  -b   batch: print texts, take no keys
  -c   command lines rather than names
  -d   seconds between pictures
  -n   so many pictures
  -p   only these processes

Keys: q ends, space shows anew, k kills, r renices, P M T N order by processor, memory, time, number,
c shows command lines, d or s changes the delay, h helps.
`,
  version: VERSION,
  short: 'hvbcd:n:p:iHS',
  prepare: (args) => args.map((arg, i) => (i === 0 && /^[bcS]/.test(arg) ? `-${arg}` : arg)),
  *main(run) {
    if (run.has('h') || run.has('v')) {
      yield* run.out.print(`\t${VERSION}\nusage:\t${top.usage}\n`)
      return 0
    }
    const delay = Number(run.value('d') ?? 3)
    if (!(delay >= 0)) throw new Exit(1, `bad delay interval '${run.value('d')}'`)
    const rounds = run.has('n') ? Number(run.value('n')) : Number.POSITIVE_INFINITY
    if (!(rounds >= 1)) throw new Exit(1, `bad iterations arg '${run.value('n')}'`)
    const only = run.value('p')?.split(',').map(Number)
    const state: State = { run, delay, rounds, only, order: 'cpu', args: run.has('c'), message: '' }
    if (run.has('b')) return yield* batch(state)
    let terminal: Terminal
    try {
      terminal = yield* Terminal.open(run.env, { signals: true })
    } catch (error) {
      if (!(error instanceof OsError) || error.errno !== ENOTTY) throw error
      throw new Exit(1, 'failed tty get')
    }
    try {
      return yield* interactive(state, terminal)
    } catch (error) {
      if (error instanceof Terminated) return 0
      throw error
    } finally {
      yield* terminal.restore()
    }
  },
})

interface State {
  readonly run: Run
  delay: number
  readonly rounds: number
  readonly only: readonly number[] | undefined
  order: Order
  args: boolean
  message: string
}

function* now({ only }: State): Sys<Look> {
  const seen = yield* look()
  return only ? { ...seen, procs: seen.procs.filter(({ pid }) => only.includes(pid)) } : seen
}

function* batch(state: State): Sys<number> {
  const { out } = state.run
  let before = BOOT
  for (let i = 0; i < state.rounds; i++) {
    const seen = yield* now(state)
    for (const line of yield* summary(before, seen)) yield* out.line(line)
    yield* out.line('')
    yield* out.line(HEADER)
    for (const line of yield* table(before, seen, state.order, state.args)) yield* out.line(line)
    yield* out.line('')
    yield* out.flush()
    before = seen
    if (i + 1 < state.rounds) yield* nanosleep(Math.max(0.01, state.delay) * 1e9)
  }
  return 0
}

function* interactive(state: State, terminal: Terminal): Sys<number> {
  let before = BOOT
  for (let i = 0; i < state.rounds; i++) {
    const seen = yield* now(state)
    yield* picture(state, terminal, before, seen)
    before = seen
    if (i + 1 >= state.rounds) return 0
    const key = yield* terminal.key(Math.max(10, state.delay * 1000))
    state.message = ''
    if (key === 'q' || key === 'Eof' || key === '\x03') return 0
    yield* command(state, terminal, key)
  }
  return 0
}

function* picture(state: State, terminal: Terminal, before: Look, seen: Look): Sys<void> {
  const { display } = terminal
  const head = yield* summary(before, seen)
  for (const [row, line] of head.entries()) {
    // Numbers stand out.
    const looks =
      row === 0
        ? ''
        : line
            .replace(/[0-9][0-9.]*[%k]?/g, (n) => '\x01'.repeat(n.length))
            .replace(/[^\x01]/g, NORMAL)
            .replaceAll('\x01', BOLD)
    display.row(row, line, looks)
  }
  display.row(5, state.message)
  display.row(6, HEADER.padEnd(display.columns), REVERSE.repeat(display.columns))
  const rows = yield* table(before, seen, state.order, state.args)
  for (let row = 7; row < display.rows; row++) {
    const line = rows[row - 7] ?? ''
    display.row(row, line, / R +[0-9.]+ +[0-9.]+ +[0-9]+:/.test(line) ? BOLD.repeat(line.length) : '')
  }
  display.cursor(5, 0)
  yield* display.flush()
}

const HELP: readonly string[] = [
  "  P,M,T,N   Sort by: 'P' cpu, 'M' memory, 'T' time, 'N' number",
  "  c         Toggle: 'c' cmd name/line",
  "  k,r       Manipulate tasks: 'k' kill; 'r' renice",
  '  d or s    Set update interval',
  '  space     Show anew',
  '  q         Quit',
]

const ORDERS: Readonly<Record<string, Order>> = { P: 'cpu', M: 'memory', T: 'time', N: 'pid' }

function* command(state: State, terminal: Terminal, key: string): Sys<void> {
  const order = key.length === 1 ? ORDERS[key] : undefined
  if (order) state.order = order
  else if (key === 'c') state.args = !state.args
  else if (key === 'd' || key === 's') {
    const text = yield* ask(terminal, `Change delay from ${state.delay.toFixed(1)} to: `)
    const delay = Number(text)
    if (text !== '' && delay >= 0) state.delay = delay
    else if (text !== '') state.message = '\tUnacceptable'
  } else if (key === 'k') {
    const pid = yield* ask(terminal, 'PID to kill: ')
    if (!/^[0-9]+$/.test(pid)) return
    const text = yield* ask(terminal, `Kill PID ${pid} with signal [15]: `)
    const signo = signalNumber(text === '' ? '15' : text)
    if (signo === undefined) state.message = '\tInvalid signal'
    else if (!(yield* tried(kill(Number(pid), signo)))) state.message = `\tKill of PID '${pid}' with '${signo}' failed`
  } else if (key === 'r') {
    const pid = yield* ask(terminal, 'PID to renice: ')
    if (!/^[0-9]+$/.test(pid)) return
    const nice = yield* ask(terminal, `Renice PID ${pid} to value: `)
    if (!/^-?[0-9]+$/.test(nice)) return
    if (!(yield* tried(setpriority(0, Number(pid), Number(nice)))))
      state.message = `\tRenice of PID ${pid} to ${nice} failed`
  } else if (key === '\x0c') terminal.display.invalidate()
  else if (key === 'h' || key === '?') {
    yield* help(terminal)
  } else if (key.length === 1 && key > ' ') state.message = "\tUnknown command - try 'h' for help"
  state.message = state.message.replace('\t', ' ')
}

/** A screen of words, until a key. */
function* help(terminal: Terminal): Sys<void> {
  const { display } = terminal
  const words = [
    `Help for Interactive Commands - ${VERSION.replace('top: ', '')}`,
    '',
    ...HELP,
    '',
    'Press any key to continue ',
  ]
  for (let row = 0; row < display.rows; row++) display.row(row, words[row] ?? '')
  display.cursor(words.length - 1, words.at(-1)!.length)
  yield* display.flush()
  yield* terminal.key()
}

function* tried(call: Sys<unknown>): Sys<boolean> {
  try {
    yield* call
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** A line typed in the row between summary and table. */
function* ask(terminal: Terminal, question: string): Sys<string> {
  const { display } = terminal
  let text = ''
  for (;;) {
    display.row(5, question + text, BOLD.repeat(question.length))
    display.cursor(5, question.length + text.length)
    yield* display.flush()
    const key = yield* terminal.key()
    if (key === '\r' || key === '\n' || key === 'Eof') return text.trim()
    if (key === '\x1b') return ''
    if (key === '\b' || key === '\x7f') text = text.slice(0, -1)
    else if (key.length === 1 && key >= ' ') text += key
  }
}
