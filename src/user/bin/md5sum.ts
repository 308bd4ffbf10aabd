/** md5sum(1) and sha1sum(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Hash, md5, sha1 } from '../coreutils/digests.ts'
import { eachInput, withInput } from '../coreutils/inputs.ts'
import { CHUNK, In } from '../libc/stdio.ts'
import { read } from '../libc/syscall.ts'
import { type Run, UsageError, utility } from '../libc/utility.ts'

const program = (name: string, title: string, bits: number, make: () => Hash) =>
  utility({
    name,
    usage: `${name} [OPTION] [FILE]...\n${name} [OPTION] --check [FILE]`,
    help: `Print or check ${title} (${bits}-bit) checksums.
With no FILE, or when FILE is -, read standard input.

  -b, --binary            read in binary mode
  -c, --check             read ${title} sums from the FILEs and check them
  -t, --text              read in text mode (default)

The following two options are useful only when verifying checksums:
      --status            don't output anything, status code shows success
  -w, --warn              warn about improperly formatted checksum lines

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
    short: 'bctw',
    long: { binary: 'b', check: 'c', text: 't', status: 'status', warn: 'w' },
    *main(run) {
      if (!run.has('c') && run.has('status'))
        throw new UsageError('the --status option is meaningful only when verifying checksums')
      if (run.has('c')) return yield* check(run, title, bits / 4, make)
      yield* eachInput(run, function* (fd, file) {
        const sum = yield* digest(fd, make())
        // A name with a newline in it marks its line.
        const odd = /[\n\\]/.test(file)
        const shown = odd ? file.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : file
        yield* run.out.line(`${odd ? '\\' : ''}${sum} ${run.has('b') ? '*' : ' '}${shown}`)
      })
      return run.status
    },
  })

export const md5sum = program('md5sum', 'MD5', 128, md5)
export const sha1sum = program('sha1sum', 'SHA1', 160, sha1)

function* digest(fd: number, hash: Hash): Sys<string> {
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return hash.hex()
    hash.update(part)
  }
}

function* check(run: Run, title: string, digits: number, make: () => Hash): Sys<number> {
  const pattern = new RegExp(`^(\\\\?)([0-9a-fA-F]{${digits}}) [ *](.+)$`, 's')
  const quiet = run.has('status')
  yield* eachInput(run, function* (listFd, list) {
    const input = new In(listFd)
    let lines = 0
    let unreadable = 0
    let wrong = 0
    for (let number = 1; ; number++) {
      const line = yield* input.line()
      if (line === undefined) break
      if (line.startsWith('#')) continue
      const match = pattern.exec(line)
      if (!match) {
        if (run.has('w'))
          yield* run.complain(`${list}: ${number}: improperly formatted ${title} checksum line`, run.status)
        continue
      }
      lines++
      const file = match[1] ? match[3]!.replaceAll('\\n', '\n').replaceAll('\\\\', '\\') : match[3]!
      let good: boolean
      try {
        good = (yield* withInput(file, (fd) => digest(fd, make()))) === match[2]!.toLowerCase()
      } catch (error) {
        yield* run.warn(error, file)
        unreadable++
        if (!quiet) yield* run.out.line(`${file}: FAILED open or read`)
        continue
      }
      if (!good) wrong++
      if (!quiet) yield* run.out.line(`${file}: ${good ? 'OK' : 'FAILED'}`)
    }
    if (lines === 0) yield* run.complain(`${list}: no properly formatted ${title} checksum lines found`)
    if (unreadable > 0) run.status = 1
    if (wrong > 0) run.status = 1
    if (quiet) return
    if (unreadable > 0)
      yield* run.complain(
        `WARNING: ${unreadable} of ${lines} listed ${lines === 1 ? 'file' : 'files'} could not be read`,
      )
    const computed = lines - unreadable
    if (wrong > 0)
      yield* run.complain(
        `WARNING: ${wrong} of ${computed} computed ${computed === 1 ? 'checksum' : 'checksums'} did NOT match`,
      )
  })
  return run.status
}
