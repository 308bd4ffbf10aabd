/** ps(1): procps 3.2.7. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { getgrgid } from '../libc/pwd.ts'
import { eprint, isatty, STDOUT } from '../libc/stdio.ts'
import { clock_gettime, geteuid, getpid } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'
import { sizeOf } from '../terminal/terminal.ts'
import { COLUMNS, type Column, type Now, type Shown } from './procps/columns.ts'
import { allProcs, bootTime, meminfo, type Proc, readProc, TtyNames, UserNames, uptimeSeconds } from './procps/proc.ts'
import { type PsOptions, parseOptions } from './procps/ps-options.ts'

export const ps = utility({
  name: 'ps',
  usage: 'ps [options]',
  help: `Show processes: this terminal's, or those that are asked for.

  -e, -A   all processes            a   all with a terminal
  -a       all but session leaders  x   also those without a terminal
  -p, p    by process number        -u, U  by user
  -t, t    by terminal              -C  by name
  -f, -l, -j, u, l, j, v            formats; -o, o   columns by name
  --sort, k    order by columns     -H, f   as a tree
  h, --no-headers   no header       -w, w   wide
`,
  version: 'version 3.2.7',
  // Three styles of options: getopt knows none of them.
  prepare: (args) => (args.length === 1 && args[0] === '--help' ? args : ['--', ...args]),
  *main(run) {
    let options: PsOptions
    try {
      options = yield* parseOptions(run.operands)
    } catch (error) {
      if (!(error instanceof Exit) || !error.message.startsWith('\0')) throw error
      const text = error.message.slice(1)
      if (error.status === 0) yield* run.out.print(text)
      else yield* eprint(text)
      return error.status
    }
    return yield* show(run, options)
  },
})

function* show(run: Run, options: PsOptions): Sys<number> {
  const me = yield* readProc(yield* getpid())
  const euid = yield* geteuid()
  const [up] = yield* uptimeSeconds()
  const [time] = yield* clock_gettime(CLOCK_REALTIME)
  const memory = yield* meminfo()
  const now: Now = { upSeconds: up, bootTime: yield* bootTime(), time, memoryKb: memory.get('MemTotal') ?? 0 }
  const procs = (yield* allProcs()).filter((proc) => wanted(proc, options, me, euid) !== options.negate)
  for (const { column, descending } of [...options.sort].reverse()) {
    const key = column.sort
    if (!key) continue
    const sign = descending ? -1 : 1
    procs.sort((a, b) => {
      const [x, y] = [key(a, now), key(b, now)]
      return x === y ? 0 : (x < y ? -1 : 1) * sign
    })
  }
  const users = new UserNames()
  const ttys = yield* TtyNames.read()
  const rows: Shown[] = []
  for (const [proc, indent] of options.forest ? forest(procs, options.bsd) : procs.map((p) => [p, ''] as const)) {
    rows.push({
      proc,
      user: yield* users.name(proc.euid),
      realUser: yield* users.name(proc.uid),
      group: (yield* getgrgid(proc.egid))?.name ?? String(proc.egid),
      tty: ttys.name(proc.tty),
      indent,
    })
  }
  const columns = options.columns.map((column) =>
    options.onlyNames && column === COLUMNS['args'] ? { ...COLUMNS['comm']!, width: -27 } : column,
  )
  const limit =
    options.wide || !(yield* isatty(STDOUT)) ? Number.POSITIVE_INFINITY : (yield* sizeOf(STDOUT, run.env)).cols
  if (options.headers && columns.some(({ header }) => header !== ''))
    yield* line(
      run,
      columns.map((c) => c.header),
      columns,
      limit,
    )
  for (const row of rows)
    yield* line(
      run,
      columns.map((column) => column.text(row, now)),
      columns,
      limit,
    )
  return rows.length > 0 ? 0 : 1
}

function wanted(proc: Proc, options: PsOptions, me: Proc | undefined, euid: number): boolean {
  if (options.running && proc.state !== 'R' && proc.state !== 'D') return false
  if (options.all) return true
  if (options.picks.some((pick) => pick(proc))) return true
  const leader = proc.session === proc.pid
  if (options.unixNoLeaders) return !leader
  if (options.unixTty) return !leader && proc.tty !== 0
  const { bsdAll, bsdNoTty } = options
  if (bsdAll && bsdNoTty) return true
  if (bsdAll) return proc.tty !== 0
  if (bsdNoTty) return proc.euid === euid
  if (options.thisTty) return proc.tty === me?.tty
  if (options.picks.length > 0) return false
  if (options.bsd) return proc.euid === euid && proc.tty !== 0 && proc.tty === me?.tty
  return proc.euid === euid && proc.tty === me?.tty
}

/** Children under their parents, with what stands in front of their commands. */
function forest(procs: readonly Proc[], art: boolean): (readonly [Proc, string])[] {
  const rows: (readonly [Proc, string])[] = []
  const known = new Set(procs.map(({ pid }) => pid))
  const children = (pid: number): Proc[] => procs.filter((proc) => proc.ppid === pid && proc.pid !== pid)
  const walk = (proc: Proc, depth: number, stem: string, last: boolean): void => {
    const indent = depth === 0 ? '' : art ? `${stem} \\_ ` : '  '.repeat(depth)
    rows.push([proc, indent])
    const below = children(proc.pid)
    const under = depth === 0 ? '' : `${stem}${last ? '    ' : ' |  '}`
    for (const [i, child] of below.entries()) walk(child, depth + 1, under, i === below.length - 1)
  }
  for (const proc of procs) if (!known.has(proc.ppid) || proc.ppid === proc.pid) walk(proc, 0, '', true)
  return rows
}

/** A value that is too wide moves what follows; later blanks make up for it. */
function* line(run: Run, values: readonly string[], columns: readonly Column[], limit: number): Sys<void> {
  let text = ''
  let end = 0
  for (const [i, value] of values.entries()) {
    const { width } = columns[i]!
    const last = i === values.length - 1
    const size = Math.abs(width)
    const room = Math.max(0, size - Math.max(0, text.length - end))
    text += width > 0 ? value.padStart(room) : last ? value : value.padEnd(room)
    end += size
    if (!last) {
      text += ' '
      end++
    }
  }
  yield* run.out.line(text.slice(0, limit).trimEnd() === '' ? text : text.slice(0, limit))
}
