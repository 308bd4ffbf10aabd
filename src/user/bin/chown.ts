/** chown(1) and chgrp(1). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { isRoot } from '../coreutils/remove.ts'
import { walk } from '../coreutils/walk.ts'
import { isLink } from '../libc/mode.ts'
import { getgrnam, getpwnam } from '../libc/pwd.ts'
import { quote } from '../libc/quote.ts'
import { chown as chownCall, lchown, stat } from '../libc/syscall.ts'
import { Exit, type Run, UsageError, utility } from '../libc/utility.ts'

const SHORT = 'RcfhvHLP'
const LONG = {
  changes: 'c',
  dereference: 'dereference',
  'no-dereference': 'h',
  silent: 'f',
  quiet: 'f',
  'reference:': 'reference',
  recursive: 'R',
  verbose: 'v',
  'preserve-root': 'preserve-root',
  'no-preserve-root': 'no-preserve-root',
  'from:': 'from',
} as const

const COMMON = `  -c, --changes          like verbose but report only when a change is made
      --dereference      affect the referent of each symbolic link, rather
                         than the symbolic link itself (this is the default)
  -h, --no-dereference   affect each symbolic link instead of any referenced
                         file
      --no-preserve-root do not treat \`/' specially (the default)
      --preserve-root    fail to operate recursively on \`/'
  -f, --silent, --quiet  suppress most error messages
      --reference=RFILE  use RFILE's owner and group
  -R, --recursive        operate on files and directories recursively
  -v, --verbose          output a diagnostic for every file processed
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

/** -1: stays. */
interface Owner {
  readonly uid: number
  readonly gid: number
}

export const chown = utility({
  name: 'chown',
  usage: 'chown [OPTION]... [OWNER][:[GROUP]] FILE...\nchown [OPTION]... --reference=RFILE FILE...',
  help: `Change the owner and/or group of each FILE to OWNER and/or GROUP.
With --reference, change the owner and group of each FILE to those of RFILE.

${COMMON}`,
  short: SHORT,
  long: LONG,
  main: (run) => change(run, parseOwner, 'ownership'),
})

export const chgrp = utility({
  name: 'chgrp',
  usage: 'chgrp [OPTION]... GROUP FILE...\nchgrp [OPTION]... --reference=RFILE FILE...',
  help: `Change the group of each FILE to GROUP.
With --reference, change the group of each FILE to that of RFILE.

${COMMON}`,
  short: SHORT,
  long: LONG,
  main: (run) =>
    change(
      run,
      function* (text) {
        return { uid: -1, gid: yield* groupId(text, text) }
      },
      'group',
    ),
})

function* groupId(name: string, spec: string): Sys<number> {
  const group = yield* getgrnam(name)
  if (group) return group.gid
  if (/^\+?\d+$/.test(name)) return Number(name)
  throw new Exit(1, spec === name ? `invalid group ${quote(spec)}` : `${quote(spec)}: invalid group`)
}

/** `user`, `user:group`, `user:` (the login group), `:group`; a dot does for the colon. */
function* parseOwner(spec: string): Sys<Owner> {
  const separator = spec.includes(':') ? ':' : (yield* getpwnam(spec)) ? '' : '.'
  const at = separator === '' ? -1 : spec.indexOf(separator)
  const userName = at < 0 ? spec : spec.slice(0, at)
  const groupName = at < 0 ? undefined : spec.slice(at + 1)
  let uid = -1
  let gid = -1
  if (userName !== '') {
    const user = yield* getpwnam(userName)
    if (user) uid = user.uid
    else if (/^\+?\d+$/.test(userName)) uid = Number(userName)
    else throw new Exit(1, `${quote(spec)}: invalid user`)
    if (groupName === '') {
      if (!user) throw new Exit(1, `${quote(spec)}: invalid spec`)
      gid = user.gid
    }
  }
  if (groupName) gid = yield* groupId(groupName, spec)
  return { uid, gid }
}

function* change(run: Run, parse: (text: string) => Sys<Owner>, what: string): Sys<number> {
  const reference = run.value('reference')
  if (run.operands.length < (reference === undefined ? 2 : 1))
    throw new UsageError(
      run.operands.length === 0 ? 'missing operand' : `missing operand after ${quote(run.operands.at(-1)!)}`,
    )
  let owner: Owner
  if (reference === undefined) owner = yield* parse(run.operands[0]!)
  else {
    try {
      const { uid, gid } = yield* stat(reference)
      owner = { uid: what === 'group' ? -1 : uid, gid }
    } catch (error) {
      yield* run.warn(error, `failed to get attributes of ${quote(reference)}`)
      return 1
    }
  }
  const from = run.value('from')
  const only = from === undefined ? undefined : yield* parseOwner(from)
  const spec = run.operands[0]!
  for (const file of reference === undefined ? run.operands.slice(1) : run.operands) {
    if (run.has('R') && run.has('preserve-root') && (yield* isRoot(file))) {
      yield* run.complain("it is dangerous to operate recursively on `/'")
      yield* run.complain('use --no-preserve-root to override this failsafe')
      continue
    }
    yield* walk(run, file, run.has('R'), function* (path, status) {
      try {
        // With -R links that are met are changed themselves.
        const itself = run.has('h') || (run.has('R') && isLink(status.mode) && path !== file)
        const old = isLink(status.mode) && !itself ? yield* stat(path) : status
        if (only && ((only.uid >= 0 && only.uid !== old.uid) || (only.gid >= 0 && only.gid !== old.gid))) return
        yield* itself ? lchown(path, owner.uid, owner.gid) : chownCall(path, owner.uid, owner.gid)
        const changed = (owner.uid >= 0 && owner.uid !== old.uid) || (owner.gid >= 0 && owner.gid !== old.gid)
        if (run.has('v') || (run.has('c') && changed)) {
          const verb = changed ? (what === 'group' ? 'changed group of' : 'changed ownership of') : `${what} of`
          yield* run.out.line(`${verb} ${quote(path)} ${changed ? 'to' : 'retained as'} ${spec}`)
        }
      } catch (error) {
        if (run.has('f')) run.status = 1
        else yield* run.warn(error, `changing ${what} of ${quote(path)}`)
      }
    })
  }
  return run.status
}
