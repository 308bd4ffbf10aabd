/** readlink(1). */
import { ELOOP, ENOENT, ENOTDIR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { lstatIfAny } from '../coreutils/files.ts'
import { OsError } from '../libc/errno.ts'
import { isDir, isLink } from '../libc/mode.ts'
import { join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import { getcwd, readlink as readlinkCall } from '../libc/syscall.ts'
import { UsageError, utility } from '../libc/utility.ts'

export const readlink = utility({
  name: 'readlink',
  usage: 'readlink [OPTION]... FILE',
  help: `Display value of a symbolic link on standard output.

  -f, --canonicalize            canonicalize by following every symlink in
                                every component of the given name recursively;
                                all but the last component must exist
  -e, --canonicalize-existing   canonicalize by following every symlink in
                                every component of the given name recursively,
                                all components must exist
  -m, --canonicalize-missing    canonicalize by following every symlink in
                                every component of the given name recursively,
                                without requirements on components existence
  -n, --no-newline              do not output the trailing newline
  -q, --quiet,
  -s, --silent                  suppress most error messages
  -v, --verbose                 report error messages
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'efmnqsv',
  long: {
    canonicalize: 'f',
    'canonicalize-existing': 'e',
    'canonicalize-missing': 'm',
    'no-newline': 'n',
    quiet: 'q',
    silent: 's',
    verbose: 'v',
  },
  *main(run) {
    const [file, extra] = run.operands
    if (file === undefined) throw new UsageError('missing operand')
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const mode = run.options.findLast(({ code }) => 'efm'.includes(code))?.code
    try {
      const value = mode === undefined ? yield* readlinkCall(file) : yield* canonicalize(file, mode)
      yield* run.out.print(run.has('n') ? value : `${value}\n`)
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (run.has('v')) yield* run.warn(error, file)
      return 1
    }
  },
})

/** canonicalize_filename_mode(): `e` all must exist, `f` all but the last, `m` none. */
function* canonicalize(path: string, mode: string): Sys<string> {
  if (path === '') throw new OsError(ENOENT, 'readlink', path)
  const parts = (path.startsWith('/') ? path : join(yield* getcwd(), path)).split('/')
  let result = ''
  let links = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part === '' || part === '.') continue
    if (part === '..') {
      result = result.slice(0, result.lastIndexOf('/') < 0 ? 0 : result.lastIndexOf('/'))
      continue
    }
    const here = `${result}/${part}`
    const status = yield* lstatIfAny(here)
    if (!status) {
      const last = parts.slice(i + 1).every((rest) => rest === '')
      if (mode === 'e' || (mode === 'f' && !last)) throw new OsError(ENOENT, 'readlink', path)
    } else if (isLink(status.mode)) {
      if (++links > 40) throw new OsError(ELOOP, 'readlink', path)
      const target = yield* readlinkCall(here)
      parts.splice(i + 1, 0, ...target.split('/'))
      if (target.startsWith('/')) result = ''
      continue
    } else if (!isDir(status.mode) && i < parts.length - 1 && mode !== 'm') throw new OsError(ENOTDIR, 'readlink', path)
    result = here
  }
  return result === '' ? '/' : result
}
