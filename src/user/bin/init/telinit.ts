/** telinit: change the runlevel by a message to process 1. */
import { EINTR } from '#abi/posix/errno.ts'
import { O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIGALRM } from '#abi/posix/signal.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { getopt } from '../../libc/getopt.ts'
import { program } from '../../libc/program.ts'
import { eprint, writeAll } from '../../libc/stdio.ts'
import { alarm, close, geteuid, open, rt_sigaction } from '../../libc/syscall.ts'
import { INIT_CMD_RUNLVL, INIT_CMD_SETENV, INIT_FIFO, requestBytes } from './request.ts'

const LEVELS = '0123456SsQqAaBbCcUu'

export const telinit = program({
  name: 'telinit',
  usage: `telinit [-t SECONDS] ${LEVELS}`,
  help: [
    'Tell init to change to a runlevel.',
    '  0 to 6, S      the runlevel: 0 halts, 6 reboots, S or 1 is single user mode',
    '  q              read /etc/inittab again',
    '  a, b, c        start the ondemand entries of that name',
    '  -t SECONDS     between the TERM and KILL signals',
    '  -e NAME=VALUE  set a variable of init',
  ].join('\n'),
  *main(argv) {
    const name = (argv[0] ?? 'telinit').replace(/.*\//, '')
    const { options, operands, error } = getopt(argv.slice(1), 't:e:')
    const variable = options.find(({ code }) => code === 'e')?.value
    const [level = ''] = operands
    if (
      error !== undefined ||
      (variable === undefined && (operands.length !== 1 || level.length !== 1 || !LEVELS.includes(level)))
    ) {
      if (error !== undefined) yield* eprint(`${name}: ${error}\n`)
      yield* eprint(`Usage: ${name} ${LEVELS}\n`)
      return 1
    }
    if ((yield* geteuid()) !== 0) {
      yield* eprint(`${name}: must be superuser.\n`)
      return 1
    }
    const sleep = Number(options.find(({ code }) => code === 't')?.value ?? 0)
    const request =
      variable === undefined
        ? { cmd: INIT_CMD_RUNLVL, level, sleep, data: '' }
        : { cmd: INIT_CMD_SETENV, level: '\0', sleep: 0, data: variable }
    // Where nobody reads the FIFO, the open would last for ever.
    yield* rt_sigaction(SIGALRM, function* () {}, 0, 0)
    yield* alarm(3)
    try {
      const fd = yield* open(INIT_FIFO, O_WRONLY, 0)
      yield* writeAll(fd, requestBytes(request))
      yield* close(fd)
      yield* alarm(0)
      return 0
    } catch (caught) {
      if (!(caught instanceof OsError)) throw caught
      yield* eprint(
        caught.errno === EINTR
          ? `${name}: timeout opening/writing control channel ${INIT_FIFO}\n`
          : `${name}: ${INIT_FIFO}: ${strerror(caught.errno)}\n`,
      )
      return 1
    }
  },
})
