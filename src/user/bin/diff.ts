/** diff(1): GNU diffutils 2.8.1. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT, type Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { basename } from '../libc/path.ts'
import { readAll, STDIN } from '../libc/stdio.ts'
import { close, fstat, open, stat } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'
import { editScript, type Hunk } from './diff/edit-script.ts'

interface Side {
  readonly name: string
  readonly lines: readonly string[]
  /** No newline at the end. */
  readonly incomplete: boolean
  readonly binary: boolean
  readonly text: string
  readonly mtime: number
}

const DEPTH_MAX = 100

export const diff = utility({
  name: 'diff',
  usage: 'diff [OPTION]... FILES',
  help: `Compare files line by line.

  -i  --ignore-case  Ignore case differences in file contents.
  -b  --ignore-space-change  Ignore changes in the amount of white space.
  -w  --ignore-all-space  Ignore all white space.
  -B  --ignore-blank-lines  Ignore changes whose lines are all blank.
  -a  --text  Treat all files as text.
  -u  -U NUM  --unified[=NUM]  Output NUM (default 3) lines of unified context.
  --label LABEL  Use LABEL instead of file name.
  -q  --brief  Output only whether files differ.
  -r  --recursive  Recursively compare any subdirectories found.
  -N  --new-file  Treat absent files as empty.
  -s  --report-identical-files  Report when two files are the same.

FILES are \`FILE1 FILE2' or \`DIR1 DIR2' or \`DIR FILE...' or \`FILE... DIR'.
If a FILE is \`-', read standard input.
`,
  version: '(GNU diffutils) 2.8.1',
  short: 'ibwBauU:qrNs',
  long: {
    'ignore-case': 'i',
    'ignore-space-change': 'b',
    'ignore-all-space': 'w',
    'ignore-blank-lines': 'B',
    text: 'a',
    'unified::': 'unified',
    'label:': 'label',
    brief: 'q',
    recursive: 'r',
    'new-file': 'N',
    'report-identical-files': 's',
  },
  usageStatus: 2,
  *main(run) {
    const [a, b, extra] = run.operands
    if (a === undefined || b === undefined) throw new UsageError(`missing operand after \`${a ?? run.name}'`)
    if (extra !== undefined) throw new UsageError(`extra operand \`${extra}'`)
    const [dirA, dirB] = [yield* isDirectory(a), yield* isDirectory(b)]
    let status: number
    if (dirA && dirB) status = yield* directories(run, a, b, 0)
    else if (dirA) status = yield* files(run, `${a}/${basename(b)}`, b, false)
    else if (dirB) status = yield* files(run, a, `${b}/${basename(a)}`, false)
    else status = yield* files(run, a, b, false)
    return Math.max(status, run.status)
  },
})

function* statOf(path: string): Sys<Stat | undefined> {
  try {
    return yield* stat(path)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

function* isDirectory(path: string): Sys<boolean> {
  const found = path === '-' ? undefined : yield* statOf(path)
  return found !== undefined && (found.mode & S_IFMT) === S_IFDIR
}

function* directories(run: Run, a: string, b: string, depth: number): Sys<number> {
  const inA = new Set(yield* namesIn(a))
  const inB = new Set(yield* namesIn(b))
  let status = 0
  for (const name of [...new Set([...inA, ...inB])].sort()) {
    if (name === '.' || name === '..') continue
    const [pathA, pathB] = [`${a}/${name}`, `${b}/${name}`]
    if ((!inA.has(name) || !inB.has(name)) && !run.has('N')) {
      yield* run.out.line(`Only in ${inA.has(name) ? a : b}: ${name}`)
      status = Math.max(status, 1)
      continue
    }
    const [dirA, dirB] = [yield* isDirectory(pathA), yield* isDirectory(pathB)]
    if (dirA && dirB) {
      if (run.has('r') && depth < DEPTH_MAX) status = Math.max(status, yield* directories(run, pathA, pathB, depth + 1))
      else yield* run.out.line(`Common subdirectories: ${pathA} and ${pathB}`)
    } else if (dirA !== dirB && inA.has(name) && inB.has(name)) {
      const kind = (dir: boolean) => (dir ? 'directory' : 'regular file')
      yield* run.out.line(`File ${pathA} is a ${kind(dirA)} while file ${pathB} is a ${kind(dirB)}`)
      status = Math.max(status, 1)
    } else status = Math.max(status, yield* files(run, pathA, pathB, true))
  }
  return status
}

function* readSide(run: Run, path: string): Sys<Side | undefined> {
  try {
    const fd = path === '-' ? STDIN : yield* open(path, O_RDONLY, 0)
    const { mtime } = yield* fstat(fd)
    const text = yield* readAll(fd)
    if (fd !== STDIN) yield* close(fd)
    return side(path, text, mtime)
  } catch (error) {
    if (error instanceof OsError && error.errno === 2 && run.has('N')) return side(path, '', 0)
    yield* run.warn(error, path, 2)
    return undefined
  }
}

function side(name: string, text: string, mtime: number): Side {
  const incomplete = text !== '' && !text.endsWith('\n')
  const lines = text === '' ? [] : (incomplete ? text : text.slice(0, -1)).split('\n')
  return { name, lines, incomplete, text, mtime, binary: text.slice(0, 32768).includes('\0') }
}

function* files(run: Run, pathA: string, pathB: string, headed: boolean): Sys<number> {
  const a = yield* readSide(run, pathA)
  const b = yield* readSide(run, pathB)
  if (!a || !b) return 2
  const { out } = run
  if (a.text === b.text) {
    if (run.has('s')) yield* out.line(`Files ${a.name} and ${b.name} are identical`)
    return 0
  }
  if ((a.binary || b.binary) && !run.has('a')) {
    yield* out.line(
      run.has('q') ? `Files ${a.name} and ${b.name} differ` : `Binary files ${a.name} and ${b.name} differ`,
    )
    return run.has('q') ? 1 : 2
  }
  const numbers = new Map<string, number>()
  const numbered = ({ lines, incomplete }: Side): Int32Array => {
    const list = new Int32Array(lines.length)
    for (const [i, line] of lines.entries()) {
      const key =
        normal(run, line) + (incomplete && i === lines.length - 1 && !run.has('w') && !run.has('b') ? '\n' : '')
      let number = numbers.get(key)
      if (number === undefined) {
        number = numbers.size
        numbers.set(key, number)
      }
      list[i] = number
    }
    return list
  }
  let script = yield* editScript(numbered(a), numbered(b))
  if (run.has('B')) {
    const blank = (s: Side, from: number, count: number) =>
      s.lines.slice(from, from + count).every((line) => line === '')
    script = script.filter((h) => !(blank(a, h.a, h.removed) && blank(b, h.b, h.added)))
  }
  if (script.length === 0) return 0
  if (run.has('q')) {
    yield* out.line(`Files ${a.name} and ${b.name} differ`)
    return 1
  }
  if (headed) {
    const options = run.options.map(({ code, value }) => (code.length === 1 ? `-${code}${value ?? ''}` : `--${code}`))
    yield* out.line(`diff ${options.join(' ')}${options.length > 0 ? ' ' : ''}${a.name} ${b.name}`)
  }
  const context = run.value('unified') ?? run.value('U') ?? (run.has('u') || run.has('unified') ? '3' : undefined)
  if (context === undefined) yield* normalOutput(run, a, b, script)
  else if (!/^[0-9]+$/.test(context)) throw new Exit(2, `invalid context length \`${context}'`)
  else yield* unifiedOutput(run, a, b, script, Number(context))
  return 1
}

function normal(run: Run, line: string): string {
  let text = line
  if (run.has('w')) text = text.replace(/[ \t\v\f\r]+/g, '')
  else if (run.has('b')) text = text.replace(/[ \t\v\f\r]+/g, ' ').replace(/ $/, '')
  return run.has('i') ? text.toLowerCase() : text
}

function* printLine(run: Run, mark: string, { lines, incomplete }: Side, index: number): Sys<void> {
  yield* run.out.line(mark + lines[index]!)
  if (incomplete && index === lines.length - 1) yield* run.out.line('\\ No newline at end of file')
}

function* normalOutput(run: Run, a: Side, b: Side, script: readonly Hunk[]): Sys<void> {
  const range = (from: number, count: number): string =>
    count === 0 ? String(from) : count === 1 ? String(from + 1) : `${from + 1},${from + count}`
  for (const hunk of script) {
    const letter = hunk.removed === 0 ? 'a' : hunk.added === 0 ? 'd' : 'c'
    yield* run.out.line(range(hunk.a, hunk.removed) + letter + range(hunk.b, hunk.added))
    for (let i = 0; i < hunk.removed; i++) yield* printLine(run, '< ', a, hunk.a + i)
    if (letter === 'c') yield* run.out.line('---')
    for (let i = 0; i < hunk.added; i++) yield* printLine(run, '> ', b, hunk.b + i)
  }
}

function* unifiedOutput(run: Run, a: Side, b: Side, script: readonly Hunk[], context: number): Sys<void> {
  const labels = run.options.filter(({ code }) => code === 'label').map(({ value }) => value ?? '')
  const head = ({ name, mtime }: Side, label: string | undefined): string =>
    label ?? `${name}\t${strftime('%Y-%m-%d %H:%M:%S', mtime)}.000000000 +0000`
  yield* run.out.line(`--- ${head(a, labels[0])}`)
  yield* run.out.line(`+++ ${head(b, labels[1])}`)
  for (let i = 0; i < script.length; ) {
    let last = i
    while (last + 1 < script.length && script[last + 1]!.a - (script[last]!.a + script[last]!.removed) <= 2 * context)
      last++
    const first = script[i]!
    const final = script[last]!
    const fromA = Math.max(0, first.a - context)
    const fromB = Math.max(0, first.b - context)
    const toA = Math.min(a.lines.length, final.a + final.removed + context)
    const toB = Math.min(b.lines.length, final.b + final.added + context)
    const range = (from: number, to: number): string =>
      to - from === 1 ? String(from + 1) : `${to === from ? from : from + 1},${to - from}`
    yield* run.out.line(`@@ -${range(fromA, toA)} +${range(fromB, toB)} @@`)
    let at = fromA
    for (const hunk of script.slice(i, last + 1)) {
      for (; at < hunk.a; at++) yield* printLine(run, ' ', a, at)
      for (let k = 0; k < hunk.removed; k++) yield* printLine(run, '-', a, hunk.a + k)
      for (let k = 0; k < hunk.added; k++) yield* printLine(run, '+', b, hunk.b + k)
      at = hunk.a + hunk.removed
    }
    for (; at < toA; at++) yield* printLine(run, ' ', a, at)
    i = last + 1
  }
}
