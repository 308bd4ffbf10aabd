/** chmod(1). */

import { currentUmask } from '../coreutils/files.ts'
import { isRoot } from '../coreutils/remove.ts'
import { walk } from '../coreutils/walk.ts'
import { adjustMode, isLink, modeString, parseMode } from '../libc/mode.ts'
import { quote } from '../libc/quote.ts'
import * as sys from '../libc/syscall.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

export const chmod = utility({
  name: 'chmod',
  usage:
    'chmod [OPTION]... MODE[,MODE]... FILE...\nchmod [OPTION]... OCTAL-MODE FILE...\nchmod [OPTION]... --reference=RFILE FILE...',
  help: `Change the mode of each FILE to MODE.

  -c, --changes           like verbose but report only when a change is made
      --no-preserve-root  do not treat \`/' specially (the default)
      --preserve-root     fail to operate recursively on \`/'
  -f, --silent, --quiet   suppress most error messages
  -v, --verbose           output a diagnostic for every file processed
      --reference=RFILE   use RFILE's mode instead of MODE values
  -R, --recursive         change files and directories recursively
      --help     display this help and exit
      --version  output version information and exit

Each MODE is of the form \`[ugoa]*([-+=]([rwxXst]*|[ugo]))+'.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'Rcfv',
  long: {
    changes: 'c',
    silent: 'f',
    quiet: 'f',
    verbose: 'v',
    'reference:': 'reference',
    recursive: 'R',
    'preserve-root': 'preserve-root',
    'no-preserve-root': 'no-preserve-root',
  },
  // `chmod -x file`: a mode that looks like options.
  prepare(args) {
    const at = args.findIndex((arg) => /^-[rwxXstugo,+=-]+$/.test(arg) && arg !== '--' && !/^--/.test(arg))
    return at < 0 || args.slice(0, at).includes('--') ? args : [...args.slice(0, at), '--', ...args.slice(at)]
  },
  *main(run) {
    const reference = run.value('reference')
    const needed = reference === undefined ? 2 : 1
    if (run.operands.length < needed)
      throw new UsageError(
        run.operands.length === 0 ? 'missing operand' : `missing operand after ${quote(run.operands.at(-1)!)}`,
      )
    const text = reference === undefined ? run.operands[0]! : undefined
    let change = text === undefined ? undefined : parseMode(text)
    if (reference !== undefined) {
      try {
        const bits = (yield* sys.stat(reference)).mode & 0o7777
        change = parseMode(bits.toString(8))
      } catch (error) {
        yield* run.warn(error, `failed to get attributes of ${quote(reference)}`)
        return 1
      }
    }
    if (!change) throw new Exit(1, `invalid mode: ${quote(text!)}`)
    const wanted = change
    const umask = yield* currentUmask()
    for (const file of text === undefined ? run.operands : run.operands.slice(1)) {
      if (run.has('R') && run.has('preserve-root') && (yield* isRoot(file))) {
        yield* run.complain("it is dangerous to operate recursively on `/'")
        yield* run.complain('use --no-preserve-root to override this failsafe')
        continue
      }
      yield* walk(run, file, run.has('R'), function* (path, status) {
        let old = status.mode
        try {
          if (isLink(old)) {
            // Of links only operands are followed.
            if (path !== file) return
            old = (yield* sys.stat(path)).mode
          }
          const bits = adjustMode(old, wanted, umask)
          yield* sys.chmod(path, bits)
          if (run.has('v') || (run.has('c') && bits !== (old & 0o7777))) {
            const shown = `${bits.toString(8).padStart(4, '0')} (${modeString(bits).slice(1)})`
            const changed = bits !== (old & 0o7777)
            yield* run.out.line(`mode of ${quote(path)} ${changed ? 'changed to' : 'retained as'} ${shown}`)
          }
        } catch (error) {
          if (run.has('f')) run.status = 1
          else yield* run.warn(error, `changing permissions of ${quote(path)}`)
        }
      })
    }
    return run.status
  },
})
