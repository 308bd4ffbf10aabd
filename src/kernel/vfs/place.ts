/** Names in the tree as the VFS remembers them (Linux: dcache.h), and a place: a name seen through a mount. */
import { MS_RDONLY } from '#abi/posix/mount.ts'
import type { Path } from './file.ts'
import type { Inode, SuperBlock } from './inode.ts'
import type { Mount } from './vfs.ts'

export class Dentry {
  readonly sb: SuperBlock
  /** Undefined at the root of its file system. */
  parent: Dentry | undefined
  name: string
  /** Undefined: it is known that there is no such name. */
  inode: Inode | undefined
  children: Map<string, Dentry> | undefined
  /** Mounts on it, the latest at the end. */
  mounts: MountedAt[] | undefined
  /** Removed, or replaced: no path leads here any more. */
  gone = false
  referenced = true

  constructor(sb: SuperBlock, parent: Dentry | undefined, name: string, inode: Inode | undefined) {
    this.sb = sb
    this.parent = parent
    this.name = name
    this.inode = inode
    if (inode) inode.names++
  }
}

export class MountedAt implements Mount {
  readonly sb: SuperBlock
  readonly root: Dentry
  readonly at: Place | undefined
  flags: number
  /** As mount(2) was given it. */
  readonly source: string

  constructor(sb: SuperBlock, root: Dentry, at: Place | undefined, flags: number, source: string) {
    this.sb = sb
    this.root = root
    this.at = at
    this.flags = flags
    this.source = source
  }

  get readOnly(): boolean {
    return (this.sb.flags & MS_RDONLY) !== 0
  }
}

export class Place implements Path {
  readonly mount: MountedAt
  readonly dentry: Dentry

  constructor(mount: MountedAt, dentry: Dentry) {
    this.mount = mount
    this.dentry = dentry
  }

  get inode(): Inode {
    return this.dentry.inode!
  }

  get name(): string {
    return this.dentry.name
  }

  get parent(): Place | undefined {
    const { parent } = this.dentry
    return parent && this.dentry !== this.mount.root ? new Place(this.mount, parent) : undefined
  }
}

/** The mount that covers `dentry` as `mount` shows it. */
export function mountedOn(mount: MountedAt, dentry: Dentry): MountedAt | undefined {
  const { mounts } = dentry
  if (!mounts) return undefined
  for (let i = mounts.length - 1; i >= 0; i--) if (mounts[i]!.at!.mount === mount) return mounts[i]
  return undefined
}
