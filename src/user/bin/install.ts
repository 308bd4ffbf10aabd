/** install(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Copier } from '../coreutils/copy.ts'
import { toDestinations } from '../coreutils/destinations.ts'
import { isDirectory, lstatIfAny } from '../coreutils/files.ts'
import { adjustMode, isDir, parseMode } from '../libc/mode.ts'
import { basename, dirname, join } from '../libc/path.ts'
import { getgrnam, getpwnam } from '../libc/pwd.ts'
import { quote } from '../libc/quote.ts'
import { chmod, chown, mkdir, stat, unlink, utime } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

export const install = utility({
  name: 'install',
  usage:
    'install [OPTION]... [-T] SOURCE DEST\ninstall [OPTION]... SOURCE... DIRECTORY\ninstall [OPTION]... -t DIRECTORY SOURCE...\ninstall [OPTION]... -d DIRECTORY...',
  help: `In the first three forms, copy SOURCE to DEST or multiple SOURCE(s) to
the existing DIRECTORY, while setting permission modes and owner/group.
In the 4th form, create all components of the given DIRECTORY(ies).

Mandatory arguments to long options are mandatory for short options too.
  -c                  (ignored)
  -d, --directory     treat all arguments as directory names; create all
                        components of the specified directories
  -D                  create all leading components of DEST except the last,
                        then copy SOURCE to DEST
  -g, --group=GROUP   set group ownership, instead of process' current group
  -m, --mode=MODE     set permission mode (as in chmod), instead of rwxr-xr-x
  -o, --owner=OWNER   set ownership (super-user only)
  -p, --preserve-timestamps   apply access/modification times of SOURCE files
                        to corresponding destination files
  -t, --target-directory=DIRECTORY  copy all SOURCE arguments into DIRECTORY
  -T, --no-target-directory  treat DEST as a normal file
  -v, --verbose       print the name of each directory as it is created
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'cdDg:m:o:pt:Tv',
  long: {
    directory: 'd',
    'group:': 'g',
    'mode:': 'm',
    'owner:': 'o',
    'preserve-timestamps': 'p',
    'target-directory:': 't',
    'no-target-directory': 'T',
    verbose: 'v',
  },
  *main(run) {
    const text = run.value('m') ?? '755'
    const change = parseMode(text)
    if (!change) throw new Exit(1, `invalid mode ${quote(text)}`)
    const mode = adjustMode(0, change)
    const uid = yield* idOf(run, 'o')
    const gid = yield* idOf(run, 'g')
    const finish = function* (path: string): Sys<void> {
      if (uid >= 0 || gid >= 0) yield* chown(path, uid, gid)
      yield* chmod(path, mode)
    }
    if (run.has('d')) {
      if (run.operands.length === 0) throw new UsageError('missing file operand')
      for (const path of run.operands) {
        if ((yield* makeAll(run, path)) && run.status === 0) yield* finish(path)
      }
      return run.status
    }
    const copier = new Copier(run, {
      recursive: false,
      dereference: 'always',
      keepMode: false,
      keepOwner: false,
      keepTimes: false,
      keepLinks: false,
      force: true,
      interactive: false,
      update: false,
      verbose: run.has('v'),
      hardLink: false,
      symbolicLink: false,
      oneFileSystem: false,
      removeFirst: false,
      move: false,
    })
    if (run.has('D') && run.operands.length === 2) yield* makeAll(run, dirname(run.operands[1]!))
    yield* toDestinations(run, run.value('t'), run.has('T'), function* (source, dest) {
      const path = (yield* isDirectory(dest)) ? join(dest, basename(source)) : dest
      const old = yield* lstatIfAny(path)
      if (old && !isDir(old.mode)) yield* unlink(path)
      if (!(yield* copier.copy(source, path))) return false
      yield* finish(path)
      if (run.has('p')) {
        const { atime, mtime } = yield* stat(source)
        yield* utime(path, atime, mtime)
      }
      return true
    })
    return run.status
  },
})

/** -o's or -g's number; -1 without. */
function* idOf(run: Run, code: 'o' | 'g'): Sys<number> {
  const name = run.value(code)
  if (name === undefined) return -1
  const found = code === 'o' ? (yield* getpwnam(name))?.uid : (yield* getgrnam(name))?.gid
  if (found !== undefined) return found
  if (/^\d+$/.test(name)) return Number(name)
  throw new Exit(1, `invalid ${code === 'o' ? 'user' : 'group'} ${quote(name)}`)
}

/** mkdir -p; whether it is there. */
function* makeAll(run: Run, path: string): Sys<boolean> {
  if (yield* isDirectory(path)) return true
  const above = dirname(path)
  if (above !== path && !(yield* makeAll(run, above))) return false
  try {
    yield* mkdir(path, 0o755)
    if (run.has('v')) yield* run.out.line(`${run.name}: creating directory ${quote(path)}`)
    return true
  } catch (error) {
    yield* run.warn(error, `cannot create directory ${quote(path)}`)
    return false
  }
}
