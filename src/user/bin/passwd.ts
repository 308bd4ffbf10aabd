/** passwd of CentOS 5 (passwd 0.73 with pam_unix): a new password, into /etc/shadow. */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { askSecret } from '../account/ask.ts'
import { hashOf, passwordFits, passwordHash, SHADOW } from '../account/shadow.ts'
import { OsError } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { program } from '../libc/program.ts'
import { getpwnam, getpwuid, type Passwd } from '../libc/pwd.ts'
import { eprint, readFile, readLineUnbuffered, STDIN, STDOUT, writeAll } from '../libc/stdio.ts'
import { close, fchmod, fsync, getuid, open, read, rename } from '../libc/syscall.ts'
import { time } from '../libc/time.ts'
import { answering } from '../libc/utility.ts'

const TRIES = 3

export const passwd = answering(
  program({
    name: 'passwd',
    usage: 'passwd [-d] [-l] [-u] [-S] [--stdin] [USER]',
    help: [
      "Change a user's password.",
      '  -d        no password at all',
      '  -l, -u    lock and unlock the password',
      '  -S        say what there is',
      '  --stdin   read the new one from standard input',
    ].join('\n'),
    *main(argv) {
      const { options, operands, error } = getopt(argv.slice(1), 'dluSkf', {
        stdin: 'i',
        delete: 'd',
        lock: 'l',
        unlock: 'u',
        status: 'S',
      })
      const has = (code: string): boolean => options.some((option) => option.code === code)
      if (error !== undefined || operands.length > 1) {
        yield* eprint(`passwd: ${error ?? 'Only one user name may be specified.'}\n`)
        return 1
      }
      const uid = yield* getuid()
      const own = yield* getpwuid(uid)
      const [name] = operands
      if (uid !== 0 && (name !== undefined || options.length > 0)) {
        yield* eprint('passwd: Only root can specify a user name.\n')
        return 1
      }
      const user = name === undefined ? own : yield* getpwnam(name)
      if (!user) {
        yield* eprint(`passwd: Unknown user name '${name ?? uid}'.\n`)
        return 1
      }
      const hash = yield* passwordHash(user)
      if (has('S')) {
        const what =
          hash === ''
            ? 'NP (Empty password.)'
            : hash.startsWith('$1$')
              ? 'PS (Password set, MD5 crypt.)'
              : 'LK (Password locked.)'
        yield* say(`${user.name} ${what}\n`)
        return 0
      }
      if (has('d')) return yield* remove(user)
      if (has('l') || has('u')) return yield* lock(user, hash, has('l'))
      yield* say(`Changing password for user ${user.name}.\n`)
      return yield* change(user, hash, uid, has('i'))
    },
  }),
)

const say = (text: string): Sys<void> => writeAll(STDOUT, bytesOfString(text))

function* remove(user: Passwd): Sys<number> {
  yield* say(`Removing password for user ${user.name}.\n`)
  return yield* store(user, '')
}

function* lock(user: Passwd, hash: string, locking: boolean): Sys<number> {
  yield* say(`${locking ? 'Locking' : 'Unlocking'} password for user ${user.name}.\n`)
  const bare = hash.replace(/^!+/, '')
  if (!locking && bare === '') {
    yield* eprint('passwd: Warning: unlocked password would be empty.\npasswd: Unsafe operation (use -f to force)\n')
    return 1
  }
  const status = yield* store(user, locking ? `!!${bare}` : bare)
  if (status === 0) yield* say('passwd: Success.\n')
  return status
}

function* change(user: Passwd, hash: string, uid: number, fromInput: boolean): Sys<number> {
  if (uid !== 0 && hash !== '') {
    yield* say(`Changing password for ${user.name}\n`)
    const old = yield* askSecret('(current) UNIX password: ', STDIN, STDOUT)
    if (old === undefined || !(yield* passwordFits(old, hash))) {
      yield* eprint('passwd: Authentication token manipulation error\n')
      return 1
    }
  }
  let password: string | undefined
  for (let tries = 0; tries < TRIES && password === undefined; tries++) {
    const first = fromInput ? yield* readLineUnbuffered(STDIN) : yield* askSecret('New UNIX password: ', STDIN, STDOUT)
    if (first === undefined || first === '') {
      if (first === '') yield* say('No password supplied\n')
      if (first === undefined || fromInput) break
      continue
    }
    if (first.length < 6) {
      yield* say('BAD PASSWORD: it is too short\n')
      // Only root may have it all the same.
      if (uid !== 0) continue
    }
    const second = fromInput ? first : yield* askSecret('Retype new UNIX password: ', STDIN, STDOUT)
    if (second === first) password = first
    else yield* say('Sorry, passwords do not match.\n')
  }
  if (password === undefined) {
    yield* eprint('passwd: Authentication token manipulation error\n')
    return 1
  }
  const status = yield* store(user, yield* hashOf(password, yield* random()))
  if (status === 0) yield* say('passwd: all authentication tokens updated successfully.\n')
  return status
}

function* random(): Sys<Uint8Array> {
  const fd = yield* open('/dev/urandom', O_RDONLY, 0)
  const bytes = yield* read(fd, 8)
  yield* close(fd)
  return bytes
}

/** A new /etc/shadow beside the old one, and then in its place. */
function* store(user: Passwd, hash: string): Sys<number> {
  try {
    const day = Math.floor((yield* time()) / 86400)
    let found = false
    const lines = (yield* readFile(SHADOW)).split('\n').map((line) => {
      const fields = line.split(':')
      if (fields[0] !== user.name) return line
      found = true
      return [fields[0], hash, day, ...fields.slice(3)].join(':')
    })
    if (!found) lines.splice(-1, 0, `${user.name}:${hash}:${day}:0:99999:7:::`)
    const fd = yield* open(`${SHADOW}+`, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    yield* fchmod(fd, 0o400)
    yield* writeAll(fd, bytesOfString(lines.join('\n')))
    yield* fsync(fd)
    yield* close(fd)
    yield* rename(`${SHADOW}+`, SHADOW)
    return 0
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint('passwd: Authentication token manipulation error\n')
    return 1
  }
}
