/** mknod(1) and mkfifo(1). */
import { makedev, S_IFBLK, S_IFCHR, S_IFIFO } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { currentUmask } from '../coreutils/files.ts'
import { adjustMode, parseMode } from '../libc/mode.ts'
import { quote } from '../libc/quote.ts'
import { chmod, mknod as mknodCall } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

const COMMON = `
  -m, --mode=MODE   set permission mode (as in chmod), not a=rw - umask
      --help     display this help and exit
      --version  output version information and exit
`

/** -m's mode; undefined without it. */
function* modeOption(run: Run): Sys<number | undefined> {
  const text = run.value('m')
  if (text === undefined) return undefined
  const change = parseMode(text)
  if (!change) throw new Exit(1, 'invalid mode')
  return adjustMode(0o666, change, yield* currentUmask(), false) & 0o777
}

function* make(path: string, type: number, dev: number, mode: number | undefined): Sys<void> {
  yield* mknodCall(path, type | 0o666, dev)
  if (mode !== undefined) yield* chmod(path, mode)
}

export const mknod = utility({
  name: 'mknod',
  usage: 'mknod [OPTION]... NAME TYPE [MAJOR MINOR]',
  help: `Create the special file NAME of the given TYPE.

Mandatory arguments to long options are mandatory for short options too.${COMMON}
Both MAJOR and MINOR must be specified when TYPE is b, c, or u, and they
must be omitted when TYPE is p.  If MAJOR or MINOR begins with 0x or 0X,
it is interpreted as hexadecimal; otherwise, if it begins with 0, as octal;
otherwise, as decimal.  TYPE may be:

  b      create a block (buffered) special file
  c, u   create a character (unbuffered) special file
  p      create a FIFO

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'm:',
  long: { 'mode:': 'm' },
  *main(run) {
    const { operands } = run
    const [name, type] = operands
    const mode = yield* modeOption(run)
    const expected = type?.startsWith('p') ? 2 : 4
    if (operands.length < expected) {
      if (operands.length === 0) throw new UsageError('missing operand')
      yield* run.complain(`missing operand after ${quote(operands.at(-1)!)}`)
      throw new UsageError()
    }
    if (operands.length > expected) throw new UsageError(`extra operand ${quote(operands[expected]!)}`)
    let what = S_IFIFO
    let dev = 0
    if (expected === 4) {
      what = type === 'b' ? S_IFBLK : type === 'c' || type === 'u' ? S_IFCHR : -1
      if (what < 0) throw new UsageError(`invalid device type ${quote(type!)}`)
      const [major, minor] = [deviceNumber(operands[2]!), deviceNumber(operands[3]!)]
      if (major === undefined) throw new Exit(1, `invalid major device number ${quote(operands[2]!)}`)
      if (minor === undefined) throw new Exit(1, `invalid minor device number ${quote(operands[3]!)}`)
      dev = makedev(major, minor)
    }
    try {
      yield* make(name!, what, dev, mode)
    } catch (error) {
      yield* run.warn(error, quote(name!))
    }
    return run.status
  },
})

const deviceNumber = (text: string): number | undefined =>
  /^0[xX][0-9a-fA-F]+$/.test(text)
    ? Number(text)
    : /^0[0-7]*$/.test(text)
      ? Number.parseInt(text, 8)
      : /^\d+$/.test(text)
        ? Number(text)
        : undefined

export const mkfifo = utility({
  name: 'mkfifo',
  usage: 'mkfifo [OPTION] NAME...',
  help: `Create named pipes (FIFOs) with the given NAMEs.

Mandatory arguments to long options are mandatory for short options too.${COMMON}
Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'm:',
  long: { 'mode:': 'm' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    const mode = yield* modeOption(run)
    for (const name of run.operands) {
      try {
        yield* make(name, S_IFIFO, 0, mode)
      } catch (error) {
        yield* run.warn(error, `cannot create fifo ${quote(name)}`)
      }
    }
    return run.status
  },
})
