/** cp(1). */
import { Copier } from '../coreutils/copy.ts'
import { toDestinations } from '../coreutils/destinations.ts'
import { lstatIfAny } from '../coreutils/files.ts'
import { isDir } from '../libc/mode.ts'
import { unlink } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const cp = utility({
  name: 'cp',
  usage: 'cp [OPTION]... [-T] SOURCE DEST\ncp [OPTION]... SOURCE... DIRECTORY\ncp [OPTION]... -t DIRECTORY SOURCE...',
  help: `Copy SOURCE to DEST, or multiple SOURCE(s) to DIRECTORY.

Mandatory arguments to long options are mandatory for short options too.
  -a, --archive                same as -dpR
  -d                           same as --no-dereference --preserve=link
  -f, --force                  if an existing destination file cannot be
                                 opened, remove it and try again
  -i, --interactive            prompt before overwrite
  -H                           follow command-line symbolic links
  -l, --link                   link files instead of copying
  -L, --dereference            always follow symbolic links
  -P, --no-dereference         never follow symbolic links
  -p                           same as --preserve=mode,ownership,timestamps
      --preserve[=ATTR_LIST]   preserve the specified attributes (default:
                                 mode,ownership,timestamps), if possible
                                 additional attributes: links, all
  -R, -r, --recursive          copy directories recursively
      --remove-destination     remove each existing destination file before
                                 attempting to open it (contrast with --force)
  -s, --symbolic-link          make symbolic links instead of copying
  -t, --target-directory=DIRECTORY  copy all SOURCE arguments into DIRECTORY
  -T, --no-target-directory    treat DEST as a normal file
  -u, --update                 copy only when the SOURCE file is newer
                                 than the destination file or when the
                                 destination file is missing
  -v, --verbose                explain what is being done
  -x, --one-file-system        stay on this file system
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'adfHilLpPrRst:Tuvx',
  long: {
    archive: 'a',
    force: 'f',
    interactive: 'i',
    link: 'l',
    dereference: 'L',
    'no-dereference': 'P',
    'preserve::': 'preserve',
    recursive: 'R',
    'remove-destination': 'remove',
    'symbolic-link': 's',
    'target-directory:': 't',
    'no-target-directory': 'T',
    update: 'u',
    verbose: 'v',
    'one-file-system': 'x',
  },
  *main(run) {
    const archive = run.has('a')
    const preserved = new Set<string>()
    for (const { code, value } of run.options) {
      if (code === 'preserve') for (const what of (value ?? 'mode,ownership,timestamps').split(',')) preserved.add(what)
    }
    const keep = (what: string): boolean => archive || run.has('p') || preserved.has(what) || preserved.has('all')
    const recursive = archive || run.has('R') || run.has('r')
    const links = run.options.findLast(({ code }) => 'adHLP'.includes(code))?.code
    const copier = new Copier(run, {
      recursive,
      dereference:
        links === 'L' ? 'always' : links === 'H' ? 'operands' : links !== undefined || recursive ? 'never' : 'always',
      keepMode: keep('mode'),
      keepOwner: keep('ownership'),
      keepTimes: keep('timestamps'),
      keepLinks: archive || run.has('d') || preserved.has('links') || preserved.has('link') || preserved.has('all'),
      force: run.has('f'),
      interactive: run.has('i'),
      update: run.has('u'),
      verbose: run.has('v'),
      hardLink: run.has('l'),
      symbolicLink: run.has('s'),
      oneFileSystem: run.has('x'),
      removeFirst: false,
      move: false,
    })
    yield* toDestinations(run, run.value('t'), run.has('T'), function* (source, dest) {
      if (run.has('remove')) {
        const old = yield* lstatIfAny(dest)
        if (old && !isDir(old.mode)) yield* unlink(dest)
      }
      return yield* copier.copy(source, dest)
    })
    return run.status
  },
})
