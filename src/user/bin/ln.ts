/** ln(1), link(1) and unlink(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { ask } from '../coreutils/ask.ts'
import { isDirectory, lstatIfAny, sameFile, statIfAny } from '../coreutils/files.ts'
import { isDir } from '../libc/mode.ts'
import { basename, join } from '../libc/path.ts'
import { quote } from '../libc/quote.ts'
import * as sys from '../libc/syscall.ts'
import { type Run, UsageError, utility } from '../libc/utility.ts'

const COMMON = `      --help     display this help and exit
      --version  output version information and exit
`

export const ln = utility({
  name: 'ln',
  usage:
    'ln [OPTION]... [-T] TARGET LINK_NAME   (1st form)\nln [OPTION]... TARGET                  (2nd form)\nln [OPTION]... TARGET... DIRECTORY     (3rd form)\nln [OPTION]... -t DIRECTORY TARGET...  (4th form)',
  help: `In the 1st form, create a link to TARGET with the name LINK_NAME.
In the 2nd form, create a link to TARGET in the current directory.
In the 3rd and 4th forms, create links to each TARGET in DIRECTORY.
Create hard links by default, symbolic links with --symbolic.
When creating hard links, each TARGET must exist.

  -d, -F, --directory         allow the superuser to attempt to hard link
                                directories (note: will probably fail due to
                                system restrictions, even for the superuser)
  -f, --force                 remove existing destination files
  -n, --no-dereference        treat destination that is a symlink to a
                                directory as if it were a normal file
  -i, --interactive           prompt whether to remove destinations
  -s, --symbolic              make symbolic links instead of hard links
  -t, --target-directory=DIRECTORY  specify the DIRECTORY in which to create
                                the links
  -T, --no-target-directory   treat LINK_NAME as a normal file
  -v, --verbose               print name of each file before linking
${COMMON}
Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'dfinst:vFT',
  long: {
    directory: 'F',
    force: 'f',
    interactive: 'i',
    'no-dereference': 'n',
    symbolic: 's',
    'target-directory:': 't',
    'no-target-directory': 'T',
    verbose: 'v',
  },
  *main(run) {
    const { operands } = run
    if (operands.length === 0) throw new UsageError('missing file operand')
    const given = run.value('t')
    if (given !== undefined || operands.length === 1) {
      const directory = given ?? '.'
      if (!(yield* isDirectory(directory))) {
        yield* run.complain(`target ${quote(directory)} is not a directory`)
        return 1
      }
      for (const target of operands) yield* makeLink(run, target, join(directory, basename(target)))
      return run.status
    }
    const last = operands.at(-1)!
    const shape = yield* lstatIfAny(last)
    const into = !run.has('T') && (run.has('n') ? shape !== undefined && isDir(shape.mode) : yield* isDirectory(last))
    if (!into) {
      if (operands.length > 2) yield* run.complain(`target ${quote(last)} is not a directory`)
      else yield* makeLink(run, operands[0]!, last)
    } else for (const target of operands.slice(0, -1)) yield* makeLink(run, target, join(last, basename(target)))
    return run.status
  },
})

function* makeLink(run: Run, target: string, name: string): Sys<void> {
  const symbolic = run.has('s')
  const what = symbolic ? 'symbolic' : 'hard'
  try {
    if (!symbolic) {
      const source = yield* sys.lstat(target)
      if (isDir(source.mode) && !run.has('F') && !run.has('d'))
        return yield* run.complain(`${quote(target)}: hard link not allowed for directory`)
    }
  } catch (error) {
    return yield* run.warn(error, `accessing ${quote(target)}`)
  }
  const old = yield* lstatIfAny(name)
  if (old && (run.has('f') || run.has('i'))) {
    if (isDir(old.mode)) return yield* run.complain(`${quote(name)}: cannot overwrite directory`)
    const source = symbolic ? undefined : yield* statIfAny(target)
    if (source && sameFile(source, old) && basename(target) === basename(name))
      return yield* run.complain(`${quote(target)} and ${quote(name)} are the same file`)
    if (run.has('i') && !(yield* ask(run, `replace ${quote(name)}`))) return
    try {
      yield* sys.unlink(name)
    } catch (error) {
      return yield* run.warn(error, `cannot remove ${quote(name)}`)
    }
  }
  if (run.has('v')) yield* run.out.line(`create ${what} link ${quote(name)} to ${quote(target)}`)
  try {
    yield* symbolic ? sys.symlink(target, name) : sys.link(target, name)
  } catch (error) {
    yield* run.warn(error, `creating ${what} link ${quote(name)}${symbolic ? '' : ` to ${quote(target)}`}`)
  }
}

export const link = utility({
  name: 'link',
  usage: 'link FILE1 FILE2\nlink OPTION',
  help: `Call the link function to create a link named FILE2 to an existing FILE1.

${COMMON}
Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const [file1, file2, extra] = run.operands
    if (file1 === undefined) throw new UsageError('missing operand')
    if (file2 === undefined) throw new UsageError(`missing operand after ${quote(file1)}`)
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    try {
      yield* sys.link(file1, file2)
    } catch (error) {
      yield* run.warn(error, `cannot create link ${quote(file2)} to ${quote(file1)}`)
    }
    return run.status
  },
})

export const unlink = utility({
  name: 'unlink',
  usage: 'unlink FILE\nunlink OPTION',
  help: `Call the unlink function to remove the specified FILE.

${COMMON}
Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const [file, extra] = run.operands
    if (file === undefined) throw new UsageError('missing operand')
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    try {
      yield* sys.unlink(file)
    } catch (error) {
      yield* run.warn(error, `cannot unlink ${quote(file)}`)
    }
    return run.status
  },
})
