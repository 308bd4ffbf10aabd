/** mv(1). */
import { Copier } from '../coreutils/copy.ts'
import { toDestinations } from '../coreutils/destinations.ts'
import { lstatIfAny } from '../coreutils/files.ts'
import { removeOperand } from '../coreutils/remove.ts'
import { stripSlashes } from '../libc/path.ts'
import { utility } from '../libc/utility.ts'

export const mv = utility({
  name: 'mv',
  usage: 'mv [OPTION]... [-T] SOURCE DEST\nmv [OPTION]... SOURCE... DIRECTORY\nmv [OPTION]... -t DIRECTORY SOURCE...',
  help: `Rename SOURCE to DEST, or move SOURCE(s) to DIRECTORY.

Mandatory arguments to long options are mandatory for short options too.
  -f, --force                  do not prompt before overwriting
  -i, --interactive            prompt before overwrite
      --strip-trailing-slashes remove any trailing slashes from each SOURCE
                                 argument
  -t, --target-directory=DIRECTORY  move all SOURCE arguments into DIRECTORY
  -T, --no-target-directory    treat DEST as a normal file
  -u, --update                 move only when the SOURCE file is newer
                                 than the destination file or when the
                                 destination file is missing
  -v, --verbose                explain what is being done
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'fit:uvT',
  long: {
    force: 'f',
    interactive: 'i',
    'strip-trailing-slashes': 'strip',
    'target-directory:': 't',
    'no-target-directory': 'T',
    update: 'u',
    verbose: 'v',
  },
  *main(run) {
    const last = run.options.findLast(({ code }) => code === 'f' || code === 'i')?.code
    const copier = new Copier(run, {
      recursive: true,
      dereference: 'never',
      keepMode: true,
      keepOwner: true,
      keepTimes: true,
      keepLinks: true,
      force: last === 'f',
      interactive: last === 'i',
      update: run.has('u'),
      verbose: run.has('v'),
      hardLink: false,
      symbolicLink: false,
      oneFileSystem: false,
      removeFirst: false,
      move: true,
    })
    yield* toDestinations(run, run.value('t'), run.has('T'), function* (operand, dest) {
      const source = run.has('strip') ? stripSlashes(operand) : operand
      const before = yield* lstatIfAny(source)
      if (!(yield* copier.copy(source, dest))) return false
      const left = before && (yield* lstatIfAny(source))
      // Copied to another file system (or skipped, and then the copy is not there).
      if (left && left.ino === before.ino && left.dev === before.dev && copier.copied(source)) {
        yield* removeOperand(run, source, {
          recursive: true,
          force: true,
          interactive: false,
          verbose: run.has('v'),
          directories: false,
          terminal: false,
          preserveRoot: true,
        })
      }
      return true
    })
    return run.status
  },
})
