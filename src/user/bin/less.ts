/** less(1): version 394, as much of it as a screen needs. */
import { ENOTTY, ENXIO } from '#abi/posix/errno.ts'
import { O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFMT } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '../libc/errno.ts'
import { Heap } from '../libc/heap.ts'
import { isatty, readAll, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, fstat, open } from '../libc/syscall.ts'
import { type Run, UsageError, utility } from '../libc/utility.ts'
import { Terminal, Terminated } from '../terminal/terminal.ts'
import { Pager } from './less/pager.ts'
import { PagedText } from './less/text.ts'

export const less = utility({
  name: 'less',
  usage: 'less [-NSRieFX] [FILE]...',
  help: `Show files a screen at a time.

  -N   number lines            -S   cut long lines rather than fold them
  -R   take colours as such    -i   searches ignore case
  -E, -e   leave at the end    -F   leave at once if all fits on a screen

Keys: SPACE f forward, b backward, d u half screens, RETURN j k y lines, g G NUMBER lines,
NUMBER% part, / ? search, n N again, :n :p files, = where, q quit.
`,
  version: '394',
  short: 'NSRrieEFXMmgqs',
  *main(run) {
    if (run.operands.length === 0 && (yield* isatty(STDIN))) throw new UsageError('Missing filename')
    const files = run.operands.length > 0 ? run.operands : ['-']
    if (!(yield* isatty(STDOUT))) return yield* copy(run, files)
    const keys = (yield* isatty(STDIN)) ? STDIN : yield* open('/dev/tty', O_RDWR, 0)
    let terminal: Terminal
    const opened: { name: string; text: PagedText }[] = []
    const heap = new Heap()
    for (const name of files) {
      const fd = yield* openFile(run, name)
      if (fd !== undefined) opened.push({ name, text: new PagedText(fd, heap) })
    }
    if (opened.length === 0) return 1
    try {
      terminal = yield* Terminal.open(run.env, { input: keys })
    } catch (error) {
      if (!(error instanceof OsError) || (error.errno !== ENOTTY && error.errno !== ENXIO)) throw error
      return yield* copy(run, files)
    }
    const has = (code: string) => run.has(code)
    const pager = new Pager(terminal, opened, {
      numbers: has('N'),
      chop: has('S'),
      raw: has('R') || has('r'),
      ignoreCase: has('i'),
      quitAtEnd: has('e') || has('E'),
    })
    try {
      yield* pager.run(has('F'))
      return 0
    } catch (error) {
      if (error instanceof Terminated) return 1
      throw error
    } finally {
      yield* terminal.restore()
    }
  },
})

function* openFile(run: Run, name: string): Sys<number | undefined> {
  try {
    const fd = name === '-' ? STDIN : yield* open(name, O_RDONLY, 0)
    if (((yield* fstat(fd)).mode & S_IFMT) === S_IFDIR) {
      yield* run.complain(`${name} is a directory`)
      return undefined
    }
    return fd
  } catch (error) {
    yield* run.warn(error, name)
    return undefined
  }
}

/** No terminal: less is cat. */
function* copy(run: Run, files: readonly string[]): Sys<number> {
  for (const name of files) {
    const fd = yield* openFile(run, name)
    if (fd === undefined) continue
    yield* writeAll(STDOUT, bytesOfString(yield* readAll(fd)))
    if (fd !== STDIN) yield* close(fd)
  }
  return run.status
}
