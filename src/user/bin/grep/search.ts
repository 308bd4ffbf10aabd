/** How grep goes through its files, and what it prints of them. */
import { EISDIR } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '../../libc/errno.ts'
import { fnmatch } from '../../libc/fnmatch.ts'
import { In, isatty, readAll, STDIN, STDOUT } from '../../libc/stdio.ts'
import { close, getdents, open, stat } from '../../libc/syscall.ts'
import { Exit, type Run } from '../../libc/utility.ts'
import { compileRegex, type Regex } from '../../regex/regex.ts'
import { RegexError } from '../../regex/syntax.ts'

interface Search {
  readonly run: Run
  readonly regex: Regex | undefined
  readonly invert: boolean
  readonly maximum: number
  readonly before: number
  readonly after: number
  readonly withName: boolean
  readonly color: string | undefined
  /** Letters of plain options. */
  readonly on: ReadonlySet<string>
  selected: boolean
  failed: boolean
}

/** Depth of directories that -r follows; a loop of mounts would have no end. */
const DEPTH_MAX = 100

export const grepMain = (matcher: 'G' | 'E' | 'F') =>
  function* (run: Run): Sys<number> {
    let kind: string = matcher
    for (const { code } of run.options) if (code === 'E' || code === 'F' || code === 'G') kind = code
    const on = new Set(run.options.map(({ code }) => (code === 'R' ? 'r' : code)))
    const [patterns, files] = yield* patternsOf(run)
    const numeric = (code: string, otherwise: number): number => {
      const value = run.value(code)
      if (value === undefined) return otherwise
      if (!/^[0-9]+$/.test(value))
        throw new Exit(2, code === 'm' ? 'invalid max count' : `${value}: invalid context length argument`)
      return Number(value)
    }
    const context = numeric('C', 0)
    let regex: Regex | undefined
    try {
      // No pattern at all, as from an empty file, matches nothing.
      if (patterns.length > 0)
        regex = compileRegex(patterns, {
          extended: kind === 'E',
          fixed: kind === 'F',
          ignoreCase: on.has('i'),
          whole: on.has('x') ? 'line' : on.has('w') ? 'word' : undefined,
        })
    } catch (error) {
      if (!(error instanceof RegexError)) throw error
      throw new Exit(2, error.message)
    }
    const search: Search = {
      run,
      regex,
      invert: on.has('v'),
      maximum: numeric('m', Number.POSITIVE_INFINITY),
      before: numeric('B', context),
      after: numeric('A', context),
      withName: on.has('H') || (!on.has('h') && (files.length > 1 || on.has('r'))),
      color: yield* colorOf(run),
      on,
      selected: false,
      failed: false,
    }
    for (const file of files.length > 0 ? files : ['-']) {
      yield* searchPath(search, file, true, 0)
      if (search.selected && on.has('q')) return 0
    }
    return search.failed && !(search.selected && on.has('q')) ? 2 : search.selected ? 0 : 1
  }

function* patternsOf(run: Run): Sys<readonly [patterns: readonly string[], files: readonly string[]]> {
  const patterns: string[] = []
  let given = false
  for (const { code, value = '' } of run.options) {
    if (code === 'e') patterns.push(...value.split('\n'))
    else if (code === 'f') {
      let text: string
      try {
        const fd = value === '-' ? STDIN : yield* open(value, O_RDONLY, 0)
        text = yield* readAll(fd)
        if (fd !== STDIN) yield* close(fd)
      } catch (error) {
        yield* run.warn(error, value, 2)
        throw new Exit(2)
      }
      if (text !== '') patterns.push(...text.replace(/\n$/, '').split('\n'))
    } else continue
    given = true
  }
  if (given) return [patterns, run.operands]
  const [first, ...files] = run.operands
  if (first === undefined) {
    yield* run.complain(`\bUsage: ${run.name} [OPTION]... PATTERN [FILE]...`.slice(1), 2)
    throw new Exit(2)
  }
  return [first.split('\n'), files]
}

function* colorOf(run: Run): Sys<string | undefined> {
  if (!run.has('color')) return undefined
  const when = run.value('color') ?? 'auto'
  const environment = (name: string) => run.env.find((entry) => entry.startsWith(name + '='))?.slice(name.length + 1)
  const terminal = environment('TERM')
  const wanted =
    when === 'always' || (when === 'auto' && terminal !== undefined && terminal !== 'dumb' && (yield* isatty(STDOUT)))
  return wanted ? (environment('GREP_COLOR') ?? '01;31') : undefined
}

function* searchPath(search: Search, path: string, named: boolean, depth: number): Sys<void> {
  const { run, on } = search
  try {
    if (path !== '-' || !named) {
      const { mode } = yield* stat(path)
      if ((mode & S_IFMT) === S_IFDIR) {
        if (!on.has('r')) throw new OsError(EISDIR, 'read', path)
        if (depth < DEPTH_MAX) yield* searchDirectory(search, path, depth)
        return
      }
      if (!wanted(run, path)) return
    }
    const fd = path === '-' && named ? STDIN : yield* open(path, O_RDONLY, 0)
    try {
      yield* searchFile(search, fd, fd === STDIN ? '(standard input)' : path)
    } finally {
      if (fd !== STDIN) yield* close(fd)
    }
  } catch (error) {
    if (error instanceof RegexError) throw new Exit(2, error.message)
    search.failed = true
    if (!on.has('s')) yield* run.warn(error, path, 2)
    else if (!(error instanceof OsError)) throw error
  }
}

/** --include and --exclude look at the last component. */
function wanted(run: Run, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const fits = (code: string) => run.options.some((o) => o.code === code && fnmatch(o.value ?? '', name, 0))
  return !fits('exclude') && (!run.has('include') || fits('include'))
}

function* searchDirectory(search: Search, path: string, depth: number): Sys<void> {
  const fd = yield* open(path, O_RDONLY, 0)
  const names: string[] = []
  for (let part = yield* getdents(fd); part.length > 0; part = yield* getdents(fd)) {
    for (const { name } of part) if (name !== '.' && name !== '..') names.push(name)
  }
  yield* close(fd)
  for (const name of names) {
    yield* searchPath(search, path.endsWith('/') ? path + name : `${path}/${name}`, false, depth + 1)
    if (search.selected && search.on.has('q')) return
  }
}

function* searchFile(search: Search, fd: number, name: string): Sys<void> {
  const { run, regex, invert, on, after, before } = search
  const { out } = run
  const input = new In(fd)
  const listing = on.has('q') || on.has('l') || on.has('L')
  const silent = listing || on.has('c')
  const prefix = search.withName ? name : undefined
  /** Lines before, for -B. */
  let held: string[] = []
  let number = 0
  let offset = 0
  let count = 0
  let trailing = 0
  /** Number of the last line printed: a gap is shown as `--`. */
  let printed = 0
  let binary = false
  if (search.maximum === 0) return

  for (let line = yield* input.line(); line !== undefined; line = input.next() ?? (yield* input.line())) {
    number++
    if (!binary && !on.has('a') && line.includes('\0')) binary = true
    const hit = (regex?.test(line) ?? false) !== invert
    if (hit) {
      count++
      search.selected = true
      if (listing || (binary && !silent)) break
      if (!silent) {
        if ((before > 0 || after > 0) && printed > 0 && number - held.length > printed + 1 && !on.has('o'))
          yield* out.line('--')
        for (const [index, old] of held.entries())
          yield* show(search, old, number - held.length + index, '-', prefix, offset)
        held = []
        yield* show(search, line, number, ':', prefix, offset)
        printed = number
        trailing = after
      }
      if (count >= search.maximum) {
        for (let left = silent ? 0 : after; left > 0; left--) {
          const more = yield* input.line()
          if (more === undefined) break
          offset += line.length + 1
          line = more
          number++
          yield* show(search, line, number, '-', prefix, offset)
        }
        break
      }
    } else if (!silent && trailing > 0) {
      trailing--
      yield* show(search, line, number, '-', prefix, offset)
      printed = number
    } else if (!silent && before > 0) {
      held.push(line)
      if (held.length > before) held.shift()
    }
    offset += line.length + 1
  }
  if (on.has('q')) return
  if (binary && count > 0 && !silent) yield* out.line(`Binary file ${name} matches`)
  if (on.has('c') && !on.has('l') && !on.has('L'))
    yield* out.line(`${prefix === undefined ? '' : `${prefix}:`}${count}`)
  if ((on.has('l') && count > 0) || (on.has('L') && count === 0)) yield* out.line(name)
}

/** One line with what options put before it; `mark` is `:` for a selected line, `-` for its surroundings. */
function* show(
  search: Search,
  line: string,
  number: number,
  mark: ':' | '-',
  prefix: string | undefined,
  offset: number,
): Sys<void> {
  const { run, regex, on, invert, color } = search
  const head = (at: number) =>
    `${prefix === undefined ? '' : prefix + mark}${on.has('n') ? number + mark : ''}${on.has('b') ? offset + at + mark : ''}`
  if (!on.has('o') && (color === undefined || !regex)) {
    yield* run.out.line(head(0) + line)
    return
  }
  if (on.has('o') && (mark === '-' || invert)) return
  let text = on.has('o') ? '' : head(0)
  let at = 0
  let done = 0
  const coloured = (part: string) => (color === undefined ? part : `\x1b[${color}m${part}\x1b[00m`)
  while (at <= line.length && regex && mark === ':' && !invert) {
    const match = regex.exec(line, at, false)
    if (!match) break
    const [start, end] = [match[0]!, match[1]!]
    if (end > start) {
      const part = coloured(line.slice(start, end))
      if (on.has('o')) yield* run.out.line(head(start) + part)
      else text += line.slice(done, start) + part
      done = end
    }
    at = end > start ? end : end + 1
  }
  if (!on.has('o')) yield* run.out.line(text + line.slice(done))
}
