/** cat(1). */
import { S_IFMT, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { byteString } from '#lib/utf8.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { CHUNK, STDOUT } from '../libc/stdio.ts'
import { fstat, lseek, read } from '../libc/syscall.ts'
import { type Run, utility } from '../libc/utility.ts'

export const cat = utility({
  name: 'cat',
  usage: 'cat [OPTION] [FILE]...',
  help: `Concatenate FILE(s), or standard input, to standard output.

  -A, --show-all           equivalent to -vET
  -b, --number-nonblank    number nonblank output lines
  -e                       equivalent to -vE
  -E, --show-ends          display $ at end of each line
  -n, --number             number all output lines
  -s, --squeeze-blank      never more than one single blank line
  -t                       equivalent to -vT
  -T, --show-tabs          display TAB characters as ^I
  -u                       (ignored)
  -v, --show-nonprinting   use ^ and M- notation, except for LFD and TAB
      --help     display this help and exit
      --version  output version information and exit

With no FILE, or when FILE is -, read standard input.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'benstuvAET',
  long: {
    'number-nonblank': 'b',
    number: 'n',
    'squeeze-blank': 's',
    'show-nonprinting': 'v',
    'show-ends': 'E',
    'show-tabs': 'T',
    'show-all': 'A',
  },
  *main(run) {
    const output = yield* fstat(STDOUT)
    const form = cooked(run)
    yield* eachInput(run, function* (fd, name) {
      if ((output.mode & S_IFMT) === S_IFREG) {
        const input = yield* fstat(fd)
        if (input.dev === output.dev && input.ino === output.ino && (yield* lseek(fd, 0, 1)) < input.size)
          return yield* run.complain(`${name}: input file is output file`)
      }
      yield* copy(run, fd, form)
    })
    return run.status
  },
})

function* copy(run: Run, fd: number, form: ((text: string) => string) | undefined): Sys<void> {
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return
    if (form) yield* run.out.print(form(byteString(part)))
    else yield* run.out.bytes(part)
    // What cat has read it shows at once, also in a pipe.
    yield* run.out.flush()
  }
}

/** What the options make of a chunk of text; undefined where they leave it alone. The line number goes on from file to file. */
function cooked(run: Run): ((text: string) => string) | undefined {
  const has = (...codes: string[]): boolean => codes.some((code) => run.has(code))
  const nonblank = has('b')
  const number = nonblank || has('n')
  const squeeze = has('s')
  const visible = has('v', 'A', 'e', 't')
  const ends = has('E', 'A', 'e')
  const tabs = has('T', 'A', 't')
  if (!number && !squeeze && !visible && !ends && !tabs) return undefined
  let line = 0
  let atStart = true
  let blanks = 0
  const shown = (text: string): string => {
    const plain = visible ? text.replace(/[\0-\x08\x0b-\x1f\x7f-\xff]/g, notation) : text
    return tabs ? plain.replaceAll('\t', '^I') : plain
  }
  return (text) => {
    let result = ''
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf('\n', at)
      const body = text.slice(at, end < 0 ? undefined : end)
      at = end < 0 ? text.length : end + 1
      const blank = atStart && body === ''
      if (blank && squeeze && ++blanks > 1) continue
      if (!blank) blanks = 0
      if (atStart && number && !(blank && nonblank)) result += `${String(++line).padStart(6)}\t`
      result += shown(body)
      atStart = end >= 0
      if (atStart) result += ends ? '$\n' : '\n'
    }
    return result
  }
}

/** ^X and M-x. */
function notation(c: string): string {
  const code = c.charCodeAt(0)
  const low = code & 127
  const text = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low)
  return code < 128 ? text : `M-${text}`
}
