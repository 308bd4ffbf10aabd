/** useradd, userdel, groupadd and groupdel: shadow-utils 4.0.17 with Red Hat's defaults (a group of one's own, a home directory). */
import { O_CREAT, O_RDONLY, O_WRONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { linesOf, locked, rewrite } from '../account/files.ts'
import { SHADOW } from '../account/shadow.ts'
import { utmpRecords } from '../account/utmp.ts'
import { OsError, strerror } from '../libc/errno.ts'
import { getopt } from '../libc/getopt.ts'
import { isDir, isLink } from '../libc/mode.ts'
import { run } from '../libc/process.ts'
import { program } from '../libc/program.ts'
import { getgrents, getpwents } from '../libc/pwd.ts'
import { CHUNK, eprint, writeAll } from '../libc/stdio.ts'
import { chown, close, getdents, lchown, lstat, mkdir, open, read, readlink, symlink, unlink } from '../libc/syscall.ts'
import { time } from '../libc/time.ts'

const PASSWD = '/etc/passwd'
const GROUP = '/etc/group'
/** /etc/login.defs of CentOS 5. */
const ID_MIN = 500
const ID_MAX = 60000
const SYSTEM_ID_MAX = 499
const SKEL = '/etc/skel'
const SPOOL = '/var/spool/mail'
const DAY_SECONDS = 86400

/** Exit statuses of useradd(8). */
const E_PW_UPDATE = 1
const E_USAGE = 2
const E_BAD_ARG = 3
const E_UID_IN_USE = 4
const E_NOTFOUND = 6
const E_USER_BUSY = 8
const E_NAME_IN_USE = 9
const E_HOMEDIR = 12

class Failure extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What every one of them does around its work. */
function* guarded(
  name: string,
  usage: string,
  lock: string,
  bad: string | undefined,
  work: () => Sys<number>,
): Sys<number> {
  if (bad !== undefined) {
    yield* eprint(`${bad === '' ? '' : `${name}: ${bad}\n`}Usage: ${usage}\n`)
    return E_USAGE
  }
  try {
    const status = yield* locked(lock, work)
    if (status !== undefined) return status
    yield* eprint(`${name}: unable to lock ${lock === PASSWD ? 'password' : 'group'} file\n`)
    return E_PW_UPDATE
  } catch (error) {
    if (error instanceof Failure) {
      yield* eprint(`${name}: ${error.message}\n`)
      return error.status
    }
    if (!(error instanceof OsError)) throw error
    yield* eprint(`${name}: ${error.path ?? error.call}: ${strerror(error.errno)}\n`)
    return E_PW_UPDATE
  }
}

const isName = (name: string): boolean => /^[a-zA-Z0-9_.][a-zA-Z0-9_.-]{0,30}\$?$/.test(name)

/** One above the highest in use; the first that is free where that is too high. */
function nextId(used: readonly number[], least: number, most: number): number {
  const highest = used.filter((id) => id >= least && id <= most).reduce((top, id) => Math.max(top, id), least - 1)
  if (highest < most) return highest + 1
  for (let id = least; id <= most; id++) if (!used.includes(id)) return id
  throw new Failure(E_UID_IN_USE, "can't get unique UID")
}

export const useradd = program({
  name: 'useradd',
  usage: 'useradd [-c COMMENT] [-d HOME] [-g GROUP] [-G GROUP,...] [-m | -M] [-n] [-o] [-r] [-s SHELL] [-u UID] LOGIN',
  help: [
    'Create a new user.',
    '  -c COMMENT   the full name',
    '  -d HOME      the home directory (/home/LOGIN)',
    "  -g GROUP     the first group (a new one of the user's name)",
    '  -G GROUPS    other groups, with commas between',
    '  -M           do not create the home directory',
    '  -n           no group of the same name: users',
    '  -o           the UID need not be unique',
    '  -r           a system account: UID below 500, no home directory',
    '  -s SHELL     the login shell (/bin/bash)',
    '  -u UID       this number',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'c:d:g:G:mMnors:u:')
    const value = (code: string): string | undefined => options.findLast((option) => option.code === code)?.value
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const bad = error ?? (operands.length === 1 ? undefined : '')
    return yield* guarded('useradd', 'useradd [options] LOGIN', PASSWD, bad, function* () {
      const login = operands[0]!
      const system = has('r')
      const users = yield* getpwents()
      const groups = yield* getgrents()
      const groupOf = (text: string) => groups.find(({ name, gid }) => name === text || String(gid) === text)
      if (!isName(login)) throw new Failure(E_BAD_ARG, `invalid user name '${login}'`)
      if (users.some(({ name }) => name === login)) throw new Failure(E_NAME_IN_USE, `user ${login} exists`)
      for (const field of ['c', 'd', 's'])
        if (/[:\n]/.test(value(field) ?? '')) throw new Failure(E_BAD_ARG, `invalid field '${value(field)}'`)
      const uidText = value('u')
      if (uidText !== undefined && !/^\d{1,9}$/.test(uidText))
        throw new Failure(E_BAD_ARG, `invalid numeric argument '${uidText}'`)
      const uid =
        uidText === undefined
          ? nextId(
              users.map((user) => user.uid),
              system ? 1 : ID_MIN,
              system ? SYSTEM_ID_MAX : ID_MAX,
            )
          : Number(uidText)
      if (!has('o') && users.some((user) => user.uid === uid))
        throw new Failure(E_UID_IN_USE, `UID ${uid} is not unique`)
      const more = (value('G') ?? '').split(',').filter((name) => name !== '')
      for (const name of more) if (!groupOf(name)) throw new Failure(E_NOTFOUND, `unknown group ${name}`)
      let gid: number
      const given = value('g') ?? (has('n') ? 'users' : undefined)
      if (given !== undefined) {
        const group = groupOf(given)
        if (!group) throw new Failure(E_NOTFOUND, `unknown group ${given}`)
        gid = group.gid
      } else {
        if (groupOf(login))
          throw new Failure(
            E_NAME_IN_USE,
            `group ${login} exists - if you want to add this user to that group, use -g.`,
          )
        const taken = groups.map((group) => group.gid)
        gid = taken.includes(uid) ? nextId(taken, system ? 1 : ID_MIN, system ? SYSTEM_ID_MAX : ID_MAX) : uid
      }
      const home = value('d') ?? `/home/${login}`
      const names = more.map((name) => groupOf(name)!.name)
      yield* rewrite(GROUP, (lines) => [
        ...lines.map((line) => (names.includes(line.slice(0, line.indexOf(':'))) ? withMember(line, login) : line)),
        ...(given === undefined ? [`${login}:x:${gid}:`] : []),
      ])
      const day = Math.floor((yield* time()) / DAY_SECONDS)
      yield* rewrite(SHADOW, (lines) => [
        ...lines,
        `${login}:!!:${day}:${system ? '' : 0}:${system ? '' : 99999}:${system ? '' : 7}:::`,
      ])
      yield* rewrite(PASSWD, (lines) => [
        ...lines,
        `${login}:x:${uid}:${gid}:${value('c') ?? ''}:${home}:${value('s') ?? '/bin/bash'}`,
      ])
      if (has('M') || (system && !has('m'))) return 0
      return yield* makeHome(login, home, uid, gid)
    })
  },
})

function withMember(line: string, login: string): string {
  const fields = line.split(':')
  fields[3] = fields[3] ? `${fields[3]},${login}` : login
  return fields.join(':')
}

function* makeHome(login: string, home: string, uid: number, gid: number): Sys<number> {
  try {
    yield* mkdir(home, 0o700)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    if (error.errno !== 17) throw new Failure(E_HOMEDIR, `cannot create directory ${home}`)
    yield* eprint(
      'useradd: warning: the home directory already exists.\nNot copying any file from skel directory into it.\n',
    )
    return 0
  }
  yield* chown(home, uid, gid)
  yield* copyTree(SKEL, home, uid, gid)
  try {
    const fd = yield* open(`${SPOOL}/${login}`, O_WRONLY | O_CREAT, 0o660)
    yield* close(fd)
    const mail = (yield* getgrents()).find(({ name }) => name === 'mail')
    yield* chown(`${SPOOL}/${login}`, uid, mail?.gid ?? gid)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`useradd: Creating mailbox file: ${strerror(error.errno)}\n`)
  }
  return 0
}

/** copy_tree(): files, directories and links of `from`. */
function* copyTree(from: string, to: string, uid: number, gid: number): Sys<void> {
  const names: string[] = []
  try {
    const fd = yield* open(from, O_RDONLY, 0)
    for (let part = yield* getdents(fd); part.length > 0; part = yield* getdents(fd))
      for (const { name } of part) if (name !== '.' && name !== '..') names.push(name)
    yield* close(fd)
  } catch (error) {
    if (error instanceof OsError) return
    throw error
  }
  for (const name of names) {
    const source = `${from}/${name}`
    const target = `${to}/${name}`
    const { mode } = yield* lstat(source)
    if (isLink(mode)) yield* symlink(yield* readlink(source), target)
    else if (isDir(mode)) {
      yield* mkdir(target, mode & 0o777)
      yield* copyTree(source, target, uid, gid)
    } else {
      const input = yield* open(source, O_RDONLY, 0)
      const output = yield* open(target, O_WRONLY | O_CREAT, mode & 0o777)
      for (let part = yield* read(input, CHUNK); part.length > 0; part = yield* read(input, CHUNK))
        yield* writeAll(output, part)
      yield* close(input)
      yield* close(output)
    }
    yield* lchown(target, uid, gid)
  }
}

export const userdel = program({
  name: 'userdel',
  usage: 'userdel [-r] LOGIN',
  help: "Delete a user and the group of the user's own.\n  -r   the home directory and the mail spool too",
  *main(argv, env) {
    const { options, operands, error } = getopt(argv.slice(1), 'rf')
    const bad = error ?? (operands.length === 1 ? undefined : '')
    return yield* guarded('userdel', 'userdel [options] LOGIN', PASSWD, bad, function* () {
      const login = operands[0]!
      const user = (yield* getpwents()).find(({ name }) => name === login)
      if (!user) throw new Failure(E_NOTFOUND, `user ${login} does not exist`)
      const busy = (yield* utmpRecords()).some(({ type, user: name }) => type === 7 && name === login)
      if (busy && !options.some(({ code }) => code === 'f'))
        throw new Failure(E_USER_BUSY, `user ${login} is currently logged in`)
      const without = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith(`${login}:`))
      yield* rewrite(PASSWD, without)
      yield* rewrite(SHADOW, without)
      const others = (yield* getpwents()).some(({ gid }) => gid === user.gid)
      yield* rewrite(GROUP, (lines) =>
        lines
          .filter(
            (line) =>
              others ||
              !(line.startsWith(`${login}:`) && line.split(':')[2] === String(user.gid) && !line.split(':')[3]),
          )
          .map((line) => withoutMember(line, login)),
      )
      if (!options.some(({ code }) => code === 'r')) return 0
      return yield* removeHome(login, user.dir, user.uid, env)
    })
  },
})

function withoutMember(line: string, login: string): string {
  const fields = line.split(':')
  const members = fields[3]?.split(',') ?? []
  if (!members.includes(login)) return line
  fields[3] = members.filter((name) => name !== login).join(',')
  return fields.join(':')
}

function* removeHome(login: string, dir: string, uid: number, env: readonly string[]): Sys<number> {
  try {
    yield* unlink(`${SPOOL}/${login}`)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  try {
    const info = yield* lstat(dir)
    if (info.uid !== uid) {
      yield* eprint(`userdel: ${dir} not owned by ${login}, not removing\n`)
      return E_HOMEDIR
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return 0
  }
  return (yield* run('/bin/rm', ['rm', '-rf', '--', dir], env)) === 0 ? 0 : E_HOMEDIR
}

export const groupadd = program({
  name: 'groupadd',
  usage: 'groupadd [-g GID [-o]] [-r] [-f] GROUP',
  help: [
    'Create a new group.',
    '  -f       it is no error that the group exists',
    '  -g GID   this number',
    '  -o       the GID need not be unique',
    '  -r       a system group: GID below 500',
  ].join('\n'),
  *main(argv) {
    const { options, operands, error } = getopt(argv.slice(1), 'g:orf')
    const has = (code: string): boolean => options.some((option) => option.code === code)
    const bad = error ?? (operands.length === 1 ? undefined : '')
    return yield* guarded('groupadd', 'groupadd [-g gid [-o]] [-r] [-f] group', GROUP, bad, function* () {
      const name = operands[0]!
      const groups = yield* getgrents()
      if (!isName(name)) throw new Failure(E_BAD_ARG, `${name} is not a valid group name`)
      if (groups.some((group) => group.name === name)) {
        if (has('f')) return 0
        throw new Failure(E_NAME_IN_USE, `group ${name} exists`)
      }
      const text = options.findLast(({ code }) => code === 'g')?.value
      if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new Failure(E_BAD_ARG, `invalid group ${text}`)
      const used = groups.map(({ gid }) => gid)
      const gid =
        text === undefined ? nextId(used, has('r') ? 1 : ID_MIN, has('r') ? SYSTEM_ID_MAX : ID_MAX) : Number(text)
      if (used.includes(gid) && !has('o')) throw new Failure(E_UID_IN_USE, `GID ${gid} is not unique`)
      yield* rewrite(GROUP, (lines) => [...lines, `${name}:x:${gid}:`])
      return 0
    })
  },
})

export const groupdel = program({
  name: 'groupdel',
  usage: 'groupdel GROUP',
  help: 'Delete a group that is no first group of any user.',
  *main(argv) {
    const bad = argv.length === 2 ? undefined : ''
    return yield* guarded('groupdel', 'groupdel group', GROUP, bad, function* () {
      const group = (yield* linesOf(GROUP)).find((line) => line.startsWith(`${argv[1]}:`))
      if (group === undefined) throw new Failure(E_NOTFOUND, `group ${argv[1]} does not exist`)
      const gid = Number(group.split(':')[2])
      if ((yield* getpwents()).some((user) => user.gid === gid))
        throw new Failure(E_USER_BUSY, "cannot remove user's primary group.")
      yield* rewrite(GROUP, (lines) => lines.filter((line) => line !== group))
      return 0
    })
  },
})
