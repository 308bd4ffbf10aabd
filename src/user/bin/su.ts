/** su of coreutils 5.97: a shell as somebody else. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { askSecret } from '../account/ask.ts'
import { passwordFits, passwordHash } from '../account/shadow.ts'
import { getenv, withEnv } from '../libc/env.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { getgrouplist, getpwnam, type Passwd } from '../libc/pwd.ts'
import { eprint, STDERR, STDIN } from '../libc/stdio.ts'
import { chdir, execve, getuid, setgid, setgroups, setuid } from '../libc/syscall.ts'
import { answering } from '../libc/utility.ts'

export const su = answering(
  program({
    name: 'su',
    usage: 'su [OPTION]... [-] [USER [ARG]...]',
    help: [
      'Change the effective user id and group id to that of USER (root).',
      '  -, -l, --login             make the shell a login shell',
      '  -c, --command=COMMAND      pass a single COMMAND to the shell with -c',
      '  -f, --fast                 pass -f to the shell',
      '  -m, -p                     do not reset environment variables',
      '  -s, --shell=SHELL          run SHELL',
    ].join('\n'),
    *main(argv, env) {
      const { options, operands, error } = getopt(argv.slice(1), 'c:flmps:', {
        'command:': 'c',
        fast: 'f',
        login: 'l',
        'preserve-environment': 'm',
        'shell:': 's',
      })
      const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
      const has = (code: string): boolean => options.some((option) => option.code === code)
      if (error !== undefined) {
        yield* eprint(`su: ${error}\nTry \`su --help' for more information.\n`)
        return 1
      }
      const dash = operands[0] === '-'
      const [name = 'root', ...args] = dash ? operands.slice(1) : operands
      const login = dash || has('l')
      const user = yield* getpwnam(name)
      if (!user) {
        yield* eprint(`su: user ${name} does not exist\n`)
        return 1
      }
      if (!(yield* allowed(user))) {
        yield* eprint('su: incorrect password\n')
        return 1
      }
      const groups = yield* getgrouplist(user.name, user.gid)
      try {
        yield* setgroups(groups)
      } catch (caught) {
        if (!(caught instanceof OsError)) throw caught
        yield* eprint(`su: cannot set groups: ${strerror(caught.errno)}\n`)
        return 1
      }
      yield* setgid(user.gid)
      yield* setuid(user.uid)
      const keep = has('m') || has('p')
      const shell = value('s') ?? (keep ? getenv(env, 'SHELL') : undefined) ?? user.shell
      const command = value('c')
      const bare = shell.slice(shell.lastIndexOf('/') + 1)
      const words = [
        login ? `-${bare}` : bare,
        ...(has('f') ? ['-f'] : []),
        ...(command === undefined ? [] : ['-c', command]),
        ...args,
      ]
      if (login) {
        try {
          yield* chdir(user.dir)
        } catch (caught) {
          if (!(caught instanceof OsError)) throw caught
          yield* eprint(`su: warning: cannot change directory to ${user.dir}: ${strerror(caught.errno)}\n`)
        }
      }
      try {
        return yield* execve(shell, words, environment(user, shell, login, keep, env))
      } catch (caught) {
        if (!(caught instanceof OsError)) throw caught
        yield* eprint(`su: ${shell}: ${strerror(caught.errno)}\n`)
        return caught.errno === 2 ? 127 : 126
      }
    },
  }),
  'su (GNU coreutils) 5.97',
)

/** Root may become anybody. */
function* allowed(user: Passwd): Sys<boolean> {
  if ((yield* getuid()) === 0) return true
  const hash = yield* passwordHash(user)
  if (hash === '') return true
  const typed = yield* askSecret('Password: ', STDIN, STDERR)
  return typed !== undefined && (yield* passwordFits(typed, hash))
}

function environment(
  user: Passwd,
  shell: string,
  login: boolean,
  keep: boolean,
  env: readonly string[],
): readonly string[] {
  if (login) {
    const term = getenv(env, 'TERM')
    const path = user.uid === 0 ? '/sbin:/bin:/usr/sbin:/usr/bin' : '/bin:/usr/bin'
    const base = [`HOME=${user.dir}`, `SHELL=${shell}`, `USER=${user.name}`, `LOGNAME=${user.name}`, `PATH=${path}`]
    return term === undefined ? base : [`TERM=${term}`, ...base]
  }
  if (keep) return env
  const next = withEnv(withEnv(env, 'HOME', user.dir), 'SHELL', shell)
  return user.uid === 0 ? next : withEnv(withEnv(next, 'USER', user.name), 'LOGNAME', user.name)
}
