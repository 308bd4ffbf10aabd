/** Walking paths (Linux: fs/namei.c, link_path_walk). */
import { EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from '#abi/posix/errno.ts'
import { NAME_MAX, PATH_MAX, X_OK } from '#abi/posix/fcntl.ts'
import { S_IFLNK, S_IFMT } from '#abi/posix/stat.ts'
import { fail } from '../errno.ts'
import type { Credentials, Task } from '../sched/task.ts'
import type { Sleeping } from '../sched/wait.ts'
import { cwdOf, placeOf, rootOf, type VfsCore } from './core.ts'
import type { SuperBlock } from './inode.ts'
import { checkPermission } from './permission.ts'
import { type Dentry, type MountedAt, mountedOn, Place } from './place.ts'

/** Symbolic links in one walk (Linux 2.6.18: total_link_count). */
const LINKS_MAX = 40
const SLASH = 47

const remembersNames = (sb: SuperBlock): boolean => sb.cacheNames ?? !sb.type.nodev

export class Walk {
  readonly task: Task
  readonly cred: Credentials
  mount: MountedAt
  dentry: Dentry
  /** Links followed so far. */
  links = 0
  /** A walk to the parent: the last name, '' for the root itself, and whether slashes follow it. */
  last = ''
  slash = false

  constructor(task: Task, cred: Credentials = task.cred) {
    this.task = task
    this.cred = cred
    const cwd = cwdOf(task)
    this.mount = cwd.mount
    this.dentry = cwd.dentry
  }

  get place(): Place {
    return new Place(this.mount, this.dentry)
  }

  toRoot(): void {
    const root = rootOf(this.task)
    this.mount = root.mount
    this.dentry = root.dentry
  }

  up(): void {
    const root = rootOf(this.task)
    for (;;) {
      if (this.dentry === root.dentry && this.mount === root.mount) return
      if (this.dentry !== this.mount.root) {
        this.dentry = this.dentry.parent ?? this.dentry
        this.cross()
        return
      }
      const { at } = this.mount
      if (!at) return
      this.mount = at.mount
      this.dentry = at.dentry
    }
  }

  /** What is mounted here covers it. */
  cross(): void {
    if (!this.dentry.mounts) return
    for (let on = mountedOn(this.mount, this.dentry); on; on = mountedOn(this.mount, this.dentry)) {
      this.mount = on
      this.dentry = on.root
    }
  }
}

/** The dentry of `name` in `dir`, negative where there is none. */
function* lookup(vfs: VfsCore, dir: Dentry, name: string): Sleeping<Dentry> {
  if (name.length > NAME_MAX) fail(ENAMETOOLONG)
  const inode = dir.inode!
  yield* inode.mutex.lock(vfs.kernel)
  try {
    return yield* lookupLocked(vfs, dir, name)
  } finally {
    inode.mutex.unlock()
  }
}

/** The same, with the directory's mutex held. */
export function* lookupLocked(vfs: VfsCore, dir: Dentry, name: string): Sleeping<Dentry> {
  if (name.length > NAME_MAX) fail(ENAMETOOLONG)
  const known = dir.children?.get(name)
  const remembers = remembersNames(dir.sb)
  if (known && (remembers || (known.mounts && known.mounts.length > 0))) return known
  if (dir.gone) fail(ENOENT)
  const inode = yield* dir.inode!.lookup(name)
  if (known && !known.gone && known.inode === inode) return known
  return vfs.addChild(dir, name, inode)
}

/** Refuse what is no path at all. */
function checkPath(path: string): void {
  if (path === '') fail(ENOENT)
  if (path.length >= PATH_MAX) fail(ENAMETOOLONG)
  if (path.includes('\0')) fail(EINVAL)
}

/**
 * Walk `path` from where `walk` stands. `follow`: a symbolic link at the end too. `parent`: stop before the last name, see `Walk.last`.
 */
export function* walkPath(vfs: VfsCore, walk: Walk, path: string, follow: boolean, parent: boolean): Sleeping<void> {
  checkPath(path)
  let rest = path
  let i = 0
  if (rest.charCodeAt(0) === SLASH) walk.toRoot()
  for (;;) {
    const { length } = rest
    while (i < length && rest.charCodeAt(i) === SLASH) i++
    if (i >= length) {
      walk.last = ''
      return
    }
    let end = rest.indexOf('/', i)
    if (end < 0) end = length
    const name = rest.slice(i, end)
    let next = end
    while (next < length && rest.charCodeAt(next) === SLASH) next++
    const isLast = next >= length
    const slash = next > end
    const dir = walk.dentry.inode!
    if (!dir.isDir) fail(ENOTDIR)
    // The fast half of it: everybody may search.
    if ((dir.mode & 0o111) !== 0o111) checkPermission(walk.cred, dir, X_OK)
    if (isLast && parent) {
      walk.last = name
      walk.slash = slash
      return
    }
    if (name === '.') {
      if (isLast) return
    } else if (name === '..') {
      walk.up()
      if (isLast) return
    } else {
      const from = walk.dentry
      let child = from.children?.get(name)
      if (child && remembersNames(from.sb)) child.referenced = true
      else child = yield* lookup(vfs, from, name)
      const { inode } = child
      if (!inode) fail(ENOENT)
      if ((inode.mode & S_IFMT) === S_IFLNK && (!isLast || follow || slash)) {
        const target = yield* followLink(walk, inode)
        if (typeof target === 'string') {
          rest = target + rest.slice(end)
          i = 0
          if (rest.charCodeAt(0) === SLASH) walk.toRoot()
          continue
        }
        walk.mount = target.mount
        walk.dentry = target.dentry
      } else {
        walk.dentry = child
        walk.cross()
      }
      if (isLast) {
        if (slash && !walk.dentry.inode!.isDir) fail(ENOTDIR)
        return
      }
    }
    i = next
  }
}

/** Where a link leads: text to be walked from the directory it lies in, or the place itself. */
export function* followLink(walk: Walk, link: NonNullable<Dentry['inode']>): Sleeping<string | Place> {
  if (++walk.links > LINKS_MAX) fail(ELOOP)
  const jumped = yield* link.jump()
  if (jumped) return placeOf(jumped) ?? fail(ENOENT)
  const target = yield* link.readlink()
  if (target === '') fail(ENOENT)
  return target
}

export function* walkTo(vfs: VfsCore, task: Task, path: string, follow: boolean, cred?: Credentials): Sleeping<Place> {
  const walk = new Walk(task, cred)
  vfs.inFlight++
  try {
    yield* walkPath(vfs, walk, path, follow, false)
  } finally {
    vfs.inFlight--
  }
  return walk.place
}

/** The directory of `path`'s last name. */
export function* walkToParent(vfs: VfsCore, task: Task, path: string): Sleeping<Walk> {
  const walk = new Walk(task)
  yield* walkPath(vfs, walk, path, false, true)
  return walk
}

/** The path from the task's root; undefined where none leads there. */
export function pathOf(task: Task, place: Place): string | undefined {
  const root = rootOf(task)
  const names: string[] = []
  let { mount, dentry } = place
  while (dentry !== root.dentry || mount !== root.mount) {
    if (dentry === mount.root) {
      if (!mount.at) break
      ;({ mount, dentry } = mount.at)
      continue
    }
    if (dentry.gone) return undefined
    names.push(dentry.name)
    if (!dentry.parent) return dentry.name
    dentry = dentry.parent
  }
  return `/${names.reverse().join('/')}`
}

/** EACCES unless the task may look names up there. */
export const maySearch = (task: Task, place: Place): void => {
  if (!place.inode.isDir) fail(ENOTDIR)
  checkPermission(task.cred, place.inode, X_OK)
}
