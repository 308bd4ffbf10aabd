/** sulogin of sysvinit 2.86: a shell for root, when nothing else is there. */
import { SIG_IGN, SIGINT, SIGQUIT, SIGTSTP } from '#abi/posix/signal.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { askSecret } from '../account/ask.ts'
import { passwordFits, passwordHash } from '../account/shadow.ts'
import { getenv, withEnv } from '../libc/env.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { program } from '../libc/program.ts'
import { getpwnam } from '../libc/pwd.ts'
import { eprint, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { chdir, execve, getuid, rt_sigaction } from '../libc/syscall.ts'

const NOBODY = { name: 'root', passwd: '', uid: 0, gid: 0, gecos: '', dir: '/', shell: '/bin/sh' }

export const sulogin = program({
  name: 'sulogin',
  usage: 'sulogin [-p] [-t TIMEOUT]',
  help: [
    "Ask for root's password and start a shell: single user mode. Control-D goes on with booting.",
    '  -p   a login shell',
  ].join('\n'),
  *main(argv, env) {
    if ((yield* getuid()) !== 0) {
      yield* eprint('sulogin: only root can run sulogin.\n')
      return 1
    }
    for (const signo of [SIGINT, SIGQUIT, SIGTSTP]) yield* rt_sigaction(signo, SIG_IGN, 0, 0)
    const user = (yield* getpwnam('root')) ?? NOBODY
    const hash = yield* passwordHash(user)
    const prompt = `${hash === '' ? 'Press enter for maintenance\n' : 'Give root password for maintenance\n'}(or type Control-D to continue): `
    for (;;) {
      const typed = yield* askSecret(prompt, STDIN, STDOUT)
      if (typed === undefined) return 0
      if (hash === '' || (yield* passwordFits(typed, hash))) break
      yield* writeAll(STDOUT, bytesOfString('Login incorrect.\n'))
    }
    for (const signo of [SIGINT, SIGQUIT, SIGTSTP]) yield* rt_sigaction(signo, 0, 0, 0)
    let home = user.dir
    try {
      yield* chdir(home)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      home = '/'
      yield* chdir(home)
    }
    let next = withEnv(env, 'HOME', home)
    for (const [name, value] of [
      ['USER', 'root'],
      ['LOGNAME', 'root'],
      ['SHELL', user.shell],
    ] as const)
      next = withEnv(next, name, value)
    const dash = argv.includes('-p') ? '-' : ''
    for (const shell of [getenv(env, 'SUSHELL') ?? user.shell, '/bin/sh'])
      try {
        yield* execve(shell, [dash + shell.slice(shell.lastIndexOf('/') + 1)], next)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* eprint(`sulogin: ${shell}: ${strerror(error.errno)}\n`)
      }
    return 1
  },
})
