/** pwd.h and grp.h: getpwnam(3) and its like, from /etc/passwd and /etc/group. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from './errno.ts'
import { readFile } from './stdio.ts'

export interface Passwd {
  readonly name: string
  readonly passwd: string
  readonly uid: number
  readonly gid: number
  readonly gecos: string
  readonly dir: string
  readonly shell: string
}

export interface Group {
  readonly name: string
  readonly passwd: string
  readonly gid: number
  readonly members: readonly string[]
}

/** All of /etc/passwd; nobody, if it cannot be read. */
export function* getpwents(): Sys<readonly Passwd[]> {
  const users: Passwd[] = []
  for (const line of yield* lines('/etc/passwd')) {
    const [name, passwd, uid, gid, gecos, dir, shell] = line.split(':')
    if (name && isId(uid) && isId(gid))
      users.push({
        name,
        passwd: passwd ?? '',
        uid: Number(uid),
        gid: Number(gid),
        gecos: gecos ?? '',
        dir: dir ?? '',
        shell: shell || '/bin/sh',
      })
  }
  return users
}

/** All of /etc/group. */
export function* getgrents(): Sys<readonly Group[]> {
  const groups: Group[] = []
  for (const line of yield* lines('/etc/group')) {
    const [name, passwd, gid, members] = line.split(':')
    if (name && isId(gid))
      groups.push({ name, passwd: passwd ?? '', gid: Number(gid), members: members ? members.split(',') : [] })
  }
  return groups
}

/** getpwnam(3). */
export function* getpwnam(name: string): Sys<Passwd | undefined> {
  return (yield* getpwents()).find((user) => user.name === name)
}

/** getpwuid(3). */
export function* getpwuid(uid: number): Sys<Passwd | undefined> {
  return (yield* getpwents()).find((user) => user.uid === uid)
}

/** getgrnam(3). */
export function* getgrnam(name: string): Sys<Group | undefined> {
  return (yield* getgrents()).find((group) => group.name === name)
}

/** getgrgid(3). */
export function* getgrgid(gid: number): Sys<Group | undefined> {
  return (yield* getgrents()).find((group) => group.gid === gid)
}

/** getgrouplist(3): `gid` first, then every group that names the user. */
export function* getgrouplist(user: string, gid: number): Sys<readonly number[]> {
  const gids = [gid]
  for (const group of yield* getgrents()) if (group.gid !== gid && group.members.includes(user)) gids.push(group.gid)
  return gids
}

const isId = (text: string | undefined): boolean => text !== undefined && /^\d{1,10}$/.test(text)

function* lines(path: string): Sys<readonly string[]> {
  try {
    return (yield* readFile(path)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    return []
  }
}
