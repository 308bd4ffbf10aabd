/** tee(1). */
import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGINT } from '#abi/posix/signal.ts'
import { OsError } from '../libc/errno.ts'
import { CHUNK, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { open, read, rt_sigaction } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

export const tee = utility({
  name: 'tee',
  usage: 'tee [OPTION]... [FILE]...',
  help: `Copy standard input to each FILE, and also to standard output.

  -a, --append              append to the given FILEs, do not overwrite
  -i, --ignore-interrupts   ignore interrupt signals
      --help     display this help and exit
      --version  output version information and exit

If a FILE is -, copy again to standard output.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'ai',
  long: { append: 'a', 'ignore-interrupts': 'i' },
  *main(run) {
    if (run.has('i')) yield* rt_sigaction(SIGINT, SIG_IGN, 0, 0)
    const outputs: { fd: number; name: string }[] = [{ fd: STDOUT, name: 'standard output' }]
    for (const name of run.operands) {
      try {
        const flags = O_WRONLY | O_CREAT | (run.has('a') ? O_APPEND : O_TRUNC)
        outputs.push({ fd: name === '-' ? STDOUT : yield* open(name, flags, 0o666), name })
      } catch (error) {
        yield* run.warn(error, name)
      }
    }
    let alive = outputs
    for (;;) {
      const part = yield* read(STDIN, CHUNK)
      if (part.length === 0) return run.status
      for (const output of alive) {
        try {
          yield* writeAll(output.fd, part)
        } catch (error) {
          if (!(error instanceof OsError)) throw error
          yield* run.warn(error, output.name)
          alive = alive.filter((other) => other !== output)
        }
      }
    }
  },
})
