/** mkdir(1) and rmdir(1). */
import { EEXIST, ENOTEMPTY } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { currentUmask, isDirectory } from '../coreutils/files.ts'
import { OsError } from '../libc/errno.ts'
import { adjustMode, parseMode } from '../libc/mode.ts'
import { dirname, stripSlashes } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import * as sys from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

const COMMON = `      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

export const mkdir = utility({
  name: 'mkdir',
  usage: 'mkdir [OPTION] DIRECTORY...',
  help: `Create the DIRECTORY(ies), if they do not already exist.

Mandatory arguments to long options are mandatory for short options too.
  -m, --mode=MODE   set permission mode (as in chmod), not rwxrwxrwx - umask
  -p, --parents     no error if existing, make parent directories as needed
  -v, --verbose     print a message for each created directory
${COMMON}`,
  short: 'pm:v',
  long: { 'mode:': 'm', parents: 'p', verbose: 'v' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    const text = run.value('m')
    let mode: number | undefined
    if (text !== undefined) {
      const change = parseMode(text)
      if (!change) throw new Exit(1, `invalid mode ${quote(text)}`)
      mode = adjustMode(0o777, change, yield* currentUmask(), true)
    }
    for (const path of run.operands) {
      if (run.has('p')) yield* makeParents(run, path)
      try {
        yield* sys.mkdir(path, 0o777)
        if (mode !== undefined) yield* sys.chmod(path, mode)
        if (run.has('v')) yield* run.out.line(`${run.name}: created directory ${quote(path)}`)
      } catch (error) {
        if (run.has('p') && error instanceof OsError && error.errno === EEXIST && (yield* isDirectory(path))) continue
        yield* run.warn(error, `cannot create directory ${quote(path)}`)
      }
    }
    return run.status
  },
})

/** All that is above `path`; what cannot be made shows when the next is tried. */
function* makeParents(run: Run, path: string): Sys<void> {
  const parents: string[] = []
  for (let at = dirname(path); at !== '.' && at !== '/' && parents.at(-1) !== at; at = dirname(at)) parents.push(at)
  for (const parent of parents.reverse()) {
    if (yield* isDirectory(parent)) continue
    try {
      yield* sys.mkdir(parent, 0o777)
      if (run.has('v')) yield* run.out.line(`${run.name}: created directory ${quote(parent)}`)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      return
    }
  }
}

export const rmdir = utility({
  name: 'rmdir',
  usage: 'rmdir [OPTION]... DIRECTORY...',
  help: `Remove the DIRECTORY(ies), if they are empty.

      --ignore-fail-on-non-empty
                  ignore each failure that is solely because a directory
                  is non-empty
  -p, --parents   Remove DIRECTORY and its ancestors.  E.g., \`rmdir -p a/b/c' is
                  similar to \`rmdir a/b/c a/b a'.
  -v, --verbose   output a diagnostic for every directory processed
${COMMON}`,
  short: 'pv',
  long: { 'ignore-fail-on-non-empty': 'ignore', parents: 'p', verbose: 'v' },
  *main(run) {
    if (run.operands.length === 0) throw new UsageError('missing operand')
    for (const operand of run.operands) {
      let path = stripSlashes(operand)
      for (;;) {
        if (run.has('v')) yield* run.out.line(`${run.name}: removing directory, ${quote(path)}`)
        try {
          yield* sys.rmdir(path)
        } catch (error) {
          const full = error instanceof OsError && (error.errno === ENOTEMPTY || error.errno === EEXIST)
          if (!(full && run.has('ignore'))) yield* run.warn(error, path)
          break
        }
        const parent = dirname(path)
        if (!run.has('p') || parent === '.' || parent === '/') break
        path = parent
      }
    }
    return run.status
  },
})
