/** sed(1): GNU sed 4.1.5. */
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { eprint, readAll, readFile, STDIN } from '../libc/stdio.ts'
import { close, open } from '../libc/syscall.ts'
import { Exit, type Run, utility } from '../libc/utility.ts'
import { RegexError } from '../regex/syntax.ts'
import { compileScript, type Piece, SedError, SedLabelError } from './sed/compile.ts'
import { execute } from './sed/execute.ts'
import { InPlace } from './sed/in-place.ts'
import { SedInput, SedOutput } from './sed/input.ts'

const USAGE = 'sed [OPTION]... {script-only-if-no-other-script} [input-file]...'
const HELP = `
  -n, --quiet, --silent
                 suppress automatic printing of pattern space
  -e script, --expression=script
                 add the script to the commands to be executed
  -f script-file, --file=script-file
                 add the contents of script-file to the commands to be executed
  -i[SUFFIX], --in-place[=SUFFIX]
                 edit files in place (makes backup if extension supplied)
  -l N, --line-length=N
                 specify the desired line-wrap length for the \`l' command
  -r, --regexp-extended
                 use extended regular expressions in the script.
  -s, --separate
                 consider files as separate rather than as a single continuous
                 long stream.
  -u, --unbuffered
                 load minimal amounts of data from the input files and flush
                 the output buffers more often
      --help     display this help and exit
      --version  output version information and exit

If no -e, --expression, -f, or --file option is given, then the first
non-option argument is taken as the sed script to interpret.  All
remaining arguments are names of input files; if no input files are
specified, then the standard input is read.
`

export const sed = utility({
  name: 'sed',
  usage: USAGE,
  help: HELP,
  version: 'version 4.1.5',
  short: 'ne:f:i::l:rEsu',
  long: {
    quiet: 'n',
    silent: 'n',
    'expression:': 'e',
    'file:': 'f',
    'in-place::': 'i',
    'line-length:': 'l',
    'regexp-extended': 'r',
    separate: 's',
    unbuffered: 'u',
  },
  *main(run) {
    const [pieces, files] = yield* scriptOf(run)
    const inPlaceSuffix = run.options.findLast(({ code }) => code === 'i')
    const output = new SedOutput(run.out)
    try {
      const script = compileScript(pieces, run.has('r') || run.has('E'))
      const inPlace = inPlaceSuffix ? new InPlace(run, output, inPlaceSuffix.value ?? '') : undefined
      const input = new SedInput(run, files, run.has('s') || inPlace !== undefined, inPlace)
      const quiet = run.has('n') || script.quiet
      return yield* execute({ run, script, input, output, quiet, lineLength: Number(run.value('l') ?? 70) })
    } catch (error) {
      if (error instanceof SedError) throw new Exit(1, error.message)
      // panic() ends it so, whatever happened.
      if (error instanceof OsError && error.call === 'brk') throw new Exit(4, 'memory exhausted')
      if (error instanceof RegexError || error instanceof SedLabelError) throw new Exit(4, error.message)
      throw error
    }
  },
})

function* scriptOf(run: Run): Sys<readonly [pieces: readonly Piece[], files: readonly string[]]> {
  const pieces: Piece[] = []
  let expressions = 0
  const expression = (text: string): void => {
    const number = ++expressions
    pieces.push({ text, where: (at) => `-e expression #${number}, char ${Math.min(at, text.length)}` })
  }
  for (const { code, value = '' } of run.options) {
    if (code === 'e') expression(value)
    else if (code === 'f') {
      try {
        const fd = value === '-' ? STDIN : yield* open(value, O_RDONLY, 0)
        const text = fd === STDIN ? yield* readAll(fd) : yield* readFile(value)
        if (fd !== STDIN) yield* close(fd)
        const line = (at: number) => text.slice(0, at).split('\n').length
        pieces.push({ text: text.replace(/\n$/, ''), where: (at) => `file ${value} line ${line(at)}` })
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        throw new Exit(1, `couldn't open file ${value}: ${strerror(error.errno)}`)
      }
    }
  }
  if (pieces.length > 0) return [pieces, run.operands]
  const [first, ...files] = run.operands
  if (first === undefined) {
    yield* eprint(`Usage: ${USAGE.replace('sed', run.name)}\n${HELP}`)
    throw new Exit(4)
  }
  expression(first)
  return [pieces, files]
}
