/** consoletype of initscripts 8.45: what kind of terminal standard input is. */
import { KDGETMODE, KDGKBTYPE } from '#abi/posix/ioctl.ts'
import { SYSCALL_NR } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { program } from '../libc/program.ts'
import { STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { fstat, raw } from '../libc/syscall.ts'

export const consoletype = program({
  name: 'consoletype',
  usage: 'consoletype [stdout]',
  help: 'Print `vt` (status 0), `serial` (1) or `pty` (2).',
  *main(argv) {
    const fd = argv[1] === 'stdout' ? STDOUT : STDIN
    const { rdev } = yield* fstat(fd)
    const pty = rdev >> 8 >= 136 && rdev >> 8 <= 143
    const isVt =
      !failed(yield* raw(SYSCALL_NR.ioctl, fd, KDGKBTYPE, 0)) || !failed(yield* raw(SYSCALL_NR.ioctl, fd, KDGETMODE, 0))
    const [kind, status] = pty ? ['pty', 2] : isVt ? ['vt', 0] : ['serial', 1]
    yield* writeAll(STDOUT, bytesOfString(`${kind}\n`))
    return status as number
  },
})

const failed = (result: unknown): boolean => typeof result === 'number' && result < 0
