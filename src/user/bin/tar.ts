/** GNU tar 1.15.1: -c, -x and -t. */
import type { Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Creator } from '../archive/tar-create.ts'
import { Extractor } from '../archive/tar-extract.ts'
import { TarJob } from '../archive/tar-job.ts'
import { BlockReader, closeArchive, createArchive, Fatal, openArchive } from '../archive/tar-stream.ts'
import { OsError } from '../libc/errno.ts'
import { describe, eprint, isatty, Out, readFile, STDERR, STDIN, STDOUT } from '../libc/stdio.ts'
import { chdir, fstat, geteuid } from '../libc/syscall.ts'
import { type Run, utility } from '../libc/utility.ts'

const FAILURE = 2
const SHORT = 'cxtvzf:C:phkmOPX:T:'
const OPERATIONS = 'Acdrtux'
/** -C between the names of -c: an argument that getopt must not move. */
const CHDIR_MARK = '\x00C'

export const tar = utility({
  name: 'tar',
  usage: 'tar [OPTION...] [FILE]...',
  help: `GNU \`tar' saves many files together into a single tape or disk archive, and
can restore individual files from the archive.

Examples:
  tar -cf archive.tar foo bar  # Create archive.tar from files foo and bar.
  tar -tvf archive.tar         # List all files in archive.tar verbosely.
  tar -xf archive.tar          # Extract all files from archive.tar.

  -c, --create               create a new archive
  -t, --list                 list the contents of an archive
  -x, --extract, --get       extract files from an archive
  -f, --file=ARCHIVE         use archive file ARCHIVE
  -z, --gzip, --ungzip       filter the archive through gzip
  -v, --verbose              verbosely list files processed
  -C, --directory=DIR        change to directory DIR
  -h, --dereference          dump instead the files symlinks point to
  -k, --keep-old-files       don't replace existing files when extracting
  -m, --touch                don't extract file modified time
  -O, --to-stdout            extract files to standard output
  -p, --preserve-permissions extract permissions information (default for root)
  -P, --absolute-names       don't strip leading \`/'s from file names
  -T, --files-from=FILE      get names to create or extract from file FILE
  -X, --exclude-from=FILE    exclude patterns listed in FILE
      --exclude=PATTERN      exclude files, given as a PATTERN
      --no-recursion         avoid descending automatically in directories
      --numeric-owner        always use numbers for user/group names
      --no-same-owner        extract files as yourself
      --same-owner           try extracting files with the same ownership
      --no-same-permissions  apply the user's umask to extracted files
      --strip-components=NUMBER
                             strip NUMBER leading components from file names
      --help                 print this help, then exit
      --version              print tar program version number, then exit

*This* \`tar' defaults to:
--format=gnu -f- -b20
`,
  version: '(GNU tar) 1.15.1',
  short: SHORT,
  long: {
    create: 'c',
    list: 't',
    extract: 'x',
    get: 'x',
    'file:': 'f',
    gzip: 'z',
    ungzip: 'z',
    gunzip: 'z',
    verbose: 'v',
    'directory:': 'C',
    dereference: 'h',
    'keep-old-files': 'k',
    touch: 'm',
    'to-stdout': 'O',
    'preserve-permissions': 'p',
    'same-permissions': 'p',
    'absolute-names': 'P',
    'files-from:': 'T',
    'exclude-from:': 'X',
    'exclude:': 'exclude',
    'no-recursion': 'no-recursion',
    'numeric-owner': 'numeric-owner',
    'no-same-owner': 'no-same-owner',
    'same-owner': 'same-owner',
    'no-same-permissions': 'no-same-permissions',
    'strip-components:': 'strip',
  },
  usageStatus: FAILURE,
  prepare: (args) => markDirectories(oldStyle(args)),
  main: run,
})

/** `tar cvf a.tar x`: letters without a dash, their arguments behind them in order. */
function oldStyle(args: readonly string[]): readonly string[] {
  const [letters, ...rest] = args
  if (letters === undefined || letters === '' || letters.startsWith('-')) return args
  const made: string[] = []
  for (const letter of letters) {
    made.push(`-${letter}`)
    if (letter !== ':' && SHORT.includes(`${letter}:`)) {
      const value = rest.shift()
      if (value !== undefined) made.push(value)
    }
  }
  return [...made, ...rest]
}

/** -C takes effect where it stands among the names. */
function markDirectories(args: readonly string[]): readonly string[] {
  const made: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    const joined = /^(?:-C|--directory=)(.+)$/s.exec(arg)?.[1]
    if (arg === '--') return [...made, ...args.slice(i)]
    if (joined !== undefined) made.push(CHDIR_MARK + joined)
    else if ((arg === '-C' || arg === '--directory') && i + 1 < args.length) made.push(CHDIR_MARK + args[++i]!)
    else if (/^-[a-zA-Z]*C$/.test(arg) && i + 1 < args.length) made.push(arg.slice(0, -1), CHDIR_MARK + args[++i]!)
    else {
      made.push(arg)
      // What belongs to the option before it is no -C.
      if (/^-[a-zA-Z]*[fTX]$/.test(arg) && i + 1 < args.length) made.push(args[++i]!)
    }
  }
  return made
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

function* run(options: Run): Sys<number> {
  const operations = options.options.filter(({ code }) => OPERATIONS.includes(code) && code.length === 1)
  const trouble = function* (text: string): Sys<number> {
    yield* eprint(`tar: ${text}\nTry \`tar --help' or \`tar --usage' for more information.\n`)
    return FAILURE
  }
  const operation = operations[0]?.code
  if (operation === undefined) return yield* trouble("You must specify one of the `-Acdtrux' options")
  if (operations.some(({ code }) => code !== operation))
    return yield* trouble("You may not specify more than one `-Acdtrux' option")
  const names: (string | readonly ['C', string])[] = []
  for (const operand of options.operands)
    names.push(operand.startsWith(CHDIR_MARK) ? ['C', operand.slice(CHDIR_MARK.length)] : operand)
  const exclude: string[] = []
  for (const { code, value = '' } of options.options) {
    if (code === 'exclude') exclude.push(value)
    if (code === 'X') exclude.push(...lines(yield* readFile(value)))
    if (code === 'T') names.push(...lines(yield* readFile(value)))
  }
  if (operation === 'c' && !names.some((name) => typeof name === 'string'))
    return yield* trouble('Cowardly refusing to create an empty archive')
  const archive = options.value('f') ?? '-'
  const root = (yield* geteuid()) === 0
  const strip = options.value('strip') ?? '0'
  if (!/^\d{1,6}$/.test(strip)) return yield* trouble(`${strip}: Invalid number of elements`)
  const toStdout = (operation === 'c' && archive === '-') || options.has('O')
  const job = new TarJob(
    {
      archive,
      gzip: options.has('z'),
      verbose: options.options.filter(({ code }) => code === 'v').length,
      absolute: options.has('P'),
      keepOld: options.has('k'),
      samePermissions: options.has('p') || (root && !options.has('no-same-permissions')),
      sameOwner: options.has('same-owner') || (root && !options.has('no-same-owner')),
      touch: options.has('m'),
      toStdout: options.has('O'),
      dereference: options.has('h'),
      numericOwner: options.has('numeric-owner'),
      noRecursion: options.has('no-recursion'),
      exclude,
      strip: Number(strip),
    },
    toStdout ? new Out(STDERR) : options.out,
  )
  try {
    if (operation === 'c') yield* create(job, names, options.env)
    else yield* look(job, operation === 'x', names, options.env)
  } catch (error) {
    if (!(error instanceof Fatal) && !(error instanceof OsError)) throw error
    yield* job.warn(error instanceof Fatal ? error.message : describe(error))
    yield* eprint('tar: Error is not recoverable: exiting now\n')
    return FAILURE
  }
  yield* job.list.flush()
  if (!job.failed) return 0
  yield* eprint('tar: Error exit delayed from previous errors\n')
  return FAILURE
}

function* create(job: TarJob, names: readonly (string | readonly ['C', string])[], env: readonly string[]): Sys<void> {
  const { archive, gzip } = job.options
  if (archive === '-' && (yield* isatty(STDOUT)))
    throw new Fatal('Refusing to write archive contents to terminal (missing -f option?)')
  const opened = yield* createArchive(archive, gzip, env)
  // Behind a pipe nobody knows which file it becomes.
  const info: Stat = yield* fstat(opened.fd)
  yield* new Creator(job, opened.fd, info).run(names)
  if (!(yield* closeArchive(opened))) job.failed = true
}

function* look(
  job: TarJob,
  extract: boolean,
  names: readonly (string | readonly ['C', string])[],
  env: readonly string[],
): Sys<void> {
  const { archive, gzip } = job.options
  if (archive === '-' && (yield* isatty(STDIN)))
    throw new Fatal('Refusing to read archive contents from terminal (missing -f option?)')
  const opened = yield* openArchive(archive, gzip || undefined, env)
  for (const name of names) if (typeof name !== 'string') yield* changeTo(name[1])
  const wanted = names.filter((name) => typeof name === 'string')
  const reader = new BlockReader(opened.fd)
  yield* new Extractor(job, reader, wanted).run(extract)
  if (!(yield* closeArchive(opened))) job.failed = true
}

function* changeTo(dir: string): Sys<void> {
  try {
    yield* chdir(dir)
  } catch (error) {
    throw new Fatal(`${dir}: Cannot chdir: ${describe(error, '').replace(/^: /, '')}`)
  }
}
