/** hostlinkd(8) as a command. */
import { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { program } from '#user/libc/program.ts'
import { eprint, STDERR, STDIN, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { chdir, close, dup2, fork, getpid, open, setsid } from '#user/libc/syscall.ts'
import { serve } from './hostlinkd.ts'

const DEVICE = '/dev/hostlink'
const PID_FILE = '/var/run/hostlinkd.pid'

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

function* daemon(device: number): Sys<number> {
  try {
    yield* setsid()
    yield* chdir('/')
    const file = yield* open(PID_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    yield* writeAll(file, bytesOf(`${yield* getpid()}\n`))
    yield* close(file)
    const none = yield* open('/dev/null', O_RDWR, 0)
    for (const fd of [STDIN, STDOUT, STDERR]) yield* dup2(none, fd)
    if (none > STDERR) yield* close(none)
    yield* serve(device)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return 1
}

export const hostlinkd = program({
  name: 'hostlinkd',
  usage: 'hostlinkd',
  help: 'Join links from outside the machine to sockets, terminals, programs and files of this domain. Goes on in the background.',
  *main(argv) {
    if (argv.length > 1) {
      if (argv[1] === '--help') {
        yield* writeAll(STDOUT, bytesOf(`Usage: ${hostlinkd.usage}\n${hostlinkd.help}\n`))
        return 0
      }
      yield* eprint(`Usage: ${hostlinkd.usage}\n`)
      return 1
    }
    try {
      const device = yield* open(DEVICE, O_RDWR, 0)
      yield* fork(() => daemon(device))
      return 0
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`hostlinkd: ${DEVICE}: ${strerror(error.errno)}\n`)
      return 1
    }
  },
})
