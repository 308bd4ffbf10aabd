/** xend, Xen's management daemon (tools/misc/xend): what starts and stops it, and the daemons that it needs. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError } from '#user/libc/errno.ts'
import { run, spawn } from '#user/libc/process.ts'
import { program } from '#user/libc/program.ts'
import { eprint, STDOUT, writeAll } from '#user/libc/stdio.ts'
import { geteuid } from '#user/libc/syscall.ts'
import { daemonStatus, reloadDaemon, startDaemon, stopDaemon } from './daemon.ts'

const XENSTORED = '/usr/sbin/xenstored'
const XENCONSOLED = '/usr/sbin/xenconsoled'

/** Those that run already see that by their pid files, and end. */
function* startHelpers(env: readonly string[]): Sys<void> {
  yield* run(XENSTORED, ['xenstored', '--pid-file', '/var/run/xenstore.pid'], env)
  const trace = env.find((one) => one.startsWith('XENCONSOLED_TRACE='))?.slice('XENCONSOLED_TRACE='.length)
  yield* spawn(XENCONSOLED, ['xenconsoled', ...(trace === undefined ? [] : [`--log=${trace}`])], env)
}

export const xend = program({
  name: 'xend',
  usage: 'xend {start|stop|reload|restart|status}',
  help: `Xen's management daemon: it creates, watches and ends domains, and is what xm talks to.
  start    start xenstored and xenconsoled where they do not run, then the daemon
  stop     end the daemon; domains run on
  restart  stop and start
  reload   read /etc/xen/xend-config.sxp again
  status   exit with 0 if it runs, with 3 if it does not
It writes /var/log/xen/xend.log.`,
  *main(argv, env) {
    if ((yield* geteuid()) !== 0) {
      const line = '*'.repeat(70)
      yield* eprint(`${line}\n*** Xend must be run as root.\n${line}\n`)
      return 1
    }
    try {
      switch (argv[1]) {
        case 'start':
        case 'trace_start':
          yield* startHelpers(env)
          return yield* startDaemon(env)
        case 'stop':
          return yield* stopDaemon()
        case 'restart':
          yield* startHelpers(env)
          return (yield* stopDaemon()) || (yield* startDaemon(env))
        case 'reload':
          return yield* reloadDaemon()
        case 'status':
          return yield* daemonStatus()
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`xend: ${error.message}\n`)
      return 1
    }
    // A script's own name is where it was found.
    const path = argv[0]?.includes('/') ? argv[0] : '/usr/sbin/xend'
    const text = argv[1] === undefined ? `usage: ${path} {start|stop|reload|restart}` : `not an option: ${argv[1]}`
    yield* writeAll(STDOUT, bytesOfString(`${text}\n`))
    return 1
  },
})
