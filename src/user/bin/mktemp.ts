/** mktemp(1): the one of its own package, 1.5. */
import { EEXIST } from '#abi/posix/errno.ts'
import { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { getenv } from '../libc/env.ts'
import { OsError } from '../libc/errno.ts'
import { basename, join } from '../libc/path.ts'
import { close, mkdir, open, read, unlink } from '../libc/syscall.ts'
import { Exit, utility } from '../libc/utility.ts'

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const TRIES = 1000

export const mktemp = utility({
  name: 'mktemp',
  usage: 'mktemp [-V] | [-dqtu] [-p prefix] [template]',
  help: `Make a temporary file of a name that ends in six random characters (the X's of the template), and print that name.

  -d         make a directory instead of a file
  -p prefix  put it there if TMPDIR is not set
  -q         fail silently
  -t         the template is a file name in TMPDIR or /tmp
  -u         remove it again
  -V         print the version`,
  version: 'version 1.5',
  short: 'dp:qtuV',
  *main(run) {
    if (run.has('V')) {
      yield* run.out.line('mktemp version 1.5')
      return 0
    }
    const [given] = run.operands
    const prefix = run.value('p')
    let template = given ?? 'tmp.XXXXXXXXXX'
    if (given === undefined || run.has('t') || prefix !== undefined) {
      if (basename(template) !== template)
        throw new Exit(1, `template must not contain directory separators in -t mode`)
      template = join(getenv(run.env, 'TMPDIR') || prefix || '/tmp', template)
    }
    const count = /X*$/.exec(template)![0].length
    if (count < 6) {
      if (run.has('q')) return 1
      throw new Exit(1, `cannot create temp ${run.has('d') ? 'directory' : 'file'} ${template}: Invalid argument`)
    }
    const stem = template.slice(0, template.length - count)
    const random = yield* randomBytes(count * TRIES)
    for (let i = 0; i < TRIES; i++) {
      let name = stem
      for (let k = 0; k < count; k++) name += LETTERS[random[i * count + k]! % LETTERS.length]!
      try {
        if (run.has('d')) yield* mkdir(name, 0o700)
        else yield* close(yield* open(name, O_RDWR | O_CREAT | O_EXCL, 0o600))
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        if (error.errno === EEXIST) continue
        if (!run.has('q'))
          yield* run.warn(error, `cannot create temp ${run.has('d') ? 'directory' : 'file'} ${template}`)
        return 1
      }
      if (run.has('u') && !run.has('d')) yield* unlink(name)
      yield* run.out.line(name)
      return 0
    }
    throw new Exit(1, `cannot make temp file ${template}: File exists`)
  },
})

function* randomBytes(count: number): Sys<Uint8Array> {
  const fd = yield* open('/dev/urandom', O_RDONLY, 0)
  try {
    return yield* read(fd, count)
  } finally {
    yield* close(fd)
  }
}
