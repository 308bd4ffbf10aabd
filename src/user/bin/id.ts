/** id(1), whoami(1), groups(1), logname(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { utmpRecords } from '../account/utmp.ts'
import { OsError } from '../libc/errno.ts'
import { getgrgid, getgrouplist, getpwnam, getpwuid } from '../libc/pwd.ts'
import { quote } from '../libc/quote.ts'
import { getegid, geteuid, getgid, getgroups, getuid, readlink } from '../libc/syscall.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

const COMMON = `      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

interface Identity {
  readonly uid: number
  readonly euid: number
  readonly gid: number
  readonly egid: number
  readonly groups: readonly number[]
}

function* identityOf(name: string | undefined): Sys<Identity> {
  if (name === undefined) {
    return {
      uid: yield* getuid(),
      euid: yield* geteuid(),
      gid: yield* getgid(),
      egid: yield* getegid(),
      groups: yield* getgroups(),
    }
  }
  const user = yield* getpwnam(name)
  if (!user) throw new Exit(1, `${name}: No such user`)
  const { uid, gid } = user
  return { uid, euid: uid, gid, egid: gid, groups: yield* getgrouplist(name, gid) }
}

export const id = utility({
  name: 'id',
  usage: 'id [OPTION]... [USERNAME]',
  help: `Print information for USERNAME, or the current user.

  -a              ignore, for compatibility with other versions
  -g, --group     print only the effective group ID
  -G, --groups    print all group IDs
  -n, --name      print a name instead of a number, for -ugG
  -r, --real      print the real ID instead of the effective ID, with -ugG
  -u, --user      print only the effective user ID
      --help     display this help and exit
      --version  output version information and exit

Without any OPTION, print some useful set of identified information.

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'agGnru',
  long: { group: 'g', groups: 'G', name: 'n', real: 'r', user: 'u' },
  *main(run) {
    const only = ['u', 'g', 'G'].filter((code) => run.has(code))
    if (only.length > 1) throw new Exit(1, 'cannot print only user and only group')
    if (only.length === 0 && (run.has('r') || run.has('n')))
      throw new Exit(1, 'cannot print only names or real IDs in default format')
    const [name, extra] = run.operands
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const who = yield* identityOf(name)
    const userName = function* (uid: number): Sys<string | undefined> {
      return (yield* getpwuid(uid))?.name
    }
    const groupName = function* (gid: number): Sys<string | undefined> {
      return (yield* getgrgid(gid))?.name
    }
    const shown = function* (
      number: number,
      lookUp: (n: number) => Sys<string | undefined>,
      what: string,
    ): Sys<string> {
      if (!run.has('n')) return String(number)
      const found = yield* lookUp(number)
      if (found === undefined) yield* run.complain(`cannot find name for ${what} ID ${number}`)
      return found ?? String(number)
    }
    const named = function* (number: number, lookUp: (n: number) => Sys<string | undefined>): Sys<string> {
      const found = yield* lookUp(number)
      return found === undefined ? String(number) : `${number}(${found})`
    }
    const all = [who.egid, ...who.groups.filter((gid) => gid !== who.egid)]
    if (only[0] === 'u') yield* run.out.line(yield* shown(run.has('r') ? who.uid : who.euid, userName, 'user'))
    else if (only[0] === 'g') yield* run.out.line(yield* shown(run.has('r') ? who.gid : who.egid, groupName, 'group'))
    else if (only[0] === 'G') {
      const names: string[] = []
      for (const gid of who.gid === who.egid ? all : [who.gid, ...all])
        names.push(yield* shown(gid, groupName, 'group'))
      yield* run.out.line(names.join(' '))
    } else {
      let line = `uid=${yield* named(who.uid, userName)} gid=${yield* named(who.gid, groupName)}`
      if (who.euid !== who.uid) line += ` euid=${yield* named(who.euid, userName)}`
      if (who.egid !== who.gid) line += ` egid=${yield* named(who.egid, groupName)}`
      const groups: string[] = []
      for (const gid of who.groups) groups.push(yield* named(gid, groupName))
      if (groups.length > 0) line += ` groups=${groups.join(',')}`
      yield* run.out.line(line)
    }
    return run.status
  },
})

export const groups = utility({
  name: 'groups',
  usage: 'groups [OPTION]... [USERNAME]...',
  help: `Print the groups a user is in: for each USERNAME, or for the current process.

${COMMON}`,
  *main(run) {
    const names: readonly (string | undefined)[] = run.operands.length > 0 ? run.operands : [undefined]
    for (const name of names) {
      const who = yield* identityOf(name)
      const shown: string[] = []
      for (const gid of [who.egid, ...who.groups.filter((other) => other !== who.egid)])
        shown.push((yield* getgrgid(gid))?.name ?? String(gid))
      yield* run.out.line(`${name === undefined ? '' : `${name} : `}${shown.join(' ')}`)
    }
    return 0
  },
})

export const whoami = utility({
  name: 'whoami',
  usage: 'whoami [OPTION]...',
  help: `Print the user name associated with the current effective user ID.
Same as id -un.

${COMMON}`,
  *main(run) {
    if (run.operands.length > 0) throw new UsageError(`extra operand ${quote(run.operands[0]!)}`)
    const uid = yield* geteuid()
    const user = yield* getpwuid(uid)
    if (!user) throw new Exit(1, `cannot find name for user ID ${uid}`)
    yield* run.out.line(user.name)
    return 0
  },
})

export const logname = utility({
  name: 'logname',
  usage: 'logname [OPTION]',
  help: `Print the name of the current user.

${COMMON}`,
  *main(run) {
    if (run.operands.length > 0) throw new UsageError(`extra operand ${quote(run.operands[0]!)}`)
    const name = yield* loginName()
    if (name === undefined) throw new Exit(1, 'no login name')
    yield* run.out.line(name)
    return 0
  },
})

/** getlogin(3): who utmp says is on our terminal. */
function* loginName(): Sys<string | undefined> {
  try {
    const line = (yield* readlink('/proc/self/fd/0')).replace('/dev/', '')
    return (yield* utmpRecords()).find((record) => record.line === line && record.type === 7)?.user
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return undefined
  }
}
