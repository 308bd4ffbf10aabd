/** rm(1). */

import { ask } from '../coreutils/ask.ts'
import { removeOperand } from '../coreutils/remove.ts'
import { isatty, STDIN } from '../libc/stdio.ts'
import { UsageError, utility } from '../libc/utility.ts'

export const rm = utility({
  name: 'rm',
  usage: 'rm [OPTION]... FILE...',
  help: `Remove (unlink) the FILE(s).

  -d, --directory       unlink FILE, even if it is a non-empty directory
                          (super-user only; this works only if your system
                           supports \`unlink' for nonempty directories)
  -f, --force           ignore nonexistent files, never prompt
  -i                    prompt before every removal
  -I                    prompt once before removing more than three files, or
                          when removing recursively
      --no-preserve-root do not treat \`/' specially
      --preserve-root   fail to operate recursively on \`/' (default)
  -r, -R, --recursive   remove directories and their contents recursively
  -v, --verbose         explain what is being done
      --help     display this help and exit
      --version  output version information and exit

By default, rm does not remove directories.  Use the --recursive (-r or -R)
option to remove each listed directory, too, along with all of its contents.

To remove a file whose name starts with a \`-', for example \`-foo',
use one of these commands:
  rm -- -foo

  rm ./-foo

Note that if you use rm to remove a file, it is usually possible to recover
the contents of that file.  If you want more assurance that the contents are
truly unrecoverable, consider using shred.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'dfirvIR',
  long: {
    directory: 'd',
    force: 'f',
    interactive: 'i',
    recursive: 'r',
    verbose: 'v',
    'preserve-root': 'preserve-root',
    'no-preserve-root': 'no-preserve-root',
  },
  *main(run) {
    const last = run.options.findLast(({ code }) => code === 'f' || code === 'i' || code === 'I')?.code
    const root = run.options.findLast(({ code }) => code.endsWith('preserve-root'))?.code
    if (run.operands.length === 0) {
      if (last === 'f') return 0
      throw new UsageError('missing operand')
    }
    const recursive = run.has('r') || run.has('R')
    if (last === 'I' && (recursive || run.operands.length > 3)) {
      if (!(yield* ask(run, recursive ? 'remove all arguments recursively' : 'remove all arguments'))) return 0
    }
    const options = {
      recursive,
      force: last === 'f',
      interactive: last === 'i',
      verbose: run.has('v'),
      directories: run.has('d'),
      terminal: yield* isatty(STDIN),
      preserveRoot: root !== 'no-preserve-root',
    }
    for (const path of run.operands) yield* removeOperand(run, path, options)
    return run.status
  },
})
