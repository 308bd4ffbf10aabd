/**
 * Names: directories and everything that is done by name. An operation takes its target as a path or as a place {dir, name}; the first
 * is what tools use, the second what a kernel with its own path walk uses. Errors are those of the system calls.
 */
import { bytesOfString } from '../../utf8.ts'
import type { BlockStore } from '../block-store.ts'
import { emptyDirBlock, writeEntry } from './directory.ts'
import { Ext2Entries } from './entries.ts'
import { Ext2Error, Ext2MountError } from './errors.ts'
import type { Inode } from './inode.ts'
import {
  EXT2_LINK_MAX,
  EXT2_ROOT_INO,
  FAST_SYMLINK_BYTES,
  FILE_TYPE_OF_MODE,
  PATH_MAX,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  Superblock,
} from './layout.ts'
import { geometryOf } from './reader.ts'
import { type VolumeOptions, writeRefusal } from './volume.ts'

export interface Place {
  readonly dir: Inode
  /** A byte string of 1 to 255 characters. */
  readonly name: string
}

export interface Owner {
  readonly uid?: number
  readonly gid?: number
}

export class Ext2 extends Ext2Entries {
  /**
   * Inodes that somebody keeps open: `inode()` answers with these very objects, and one that loses its last name lives until `release`.
   */
  readonly #held = new Map<number, Inode>()

  /** Mount what lies on `store`, for writing unless `options.readOnly`. Ext2MountError says why not. */
  static mount(store: BlockStore, options: VolumeOptions): Ext2 {
    if (store.sectors < (SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES) / 512)
      throw new Ext2MountError('not-ext2', 'the device is too small')
    const superblock = new Superblock(store.read(2, 2))
    const geometry = geometryOf(superblock)
    if (typeof geometry === 'string') {
      const kind =
        geometry === 'no ext2 superblock' ? 'not-ext2' : geometry.startsWith('unsupported') ? 'unsupported' : 'corrupt'
      throw new Ext2MountError(kind, geometry)
    }
    const refusal = options.readOnly ? undefined : writeRefusal(superblock)
    if (refusal !== undefined) throw new Ext2MountError('read-only', refusal)
    if (geometry.blocks * (geometry.blockBytes / 512) > store.sectors)
      throw new Ext2MountError('corrupt', 'block count exceeds size of device')
    try {
      return new Ext2(store, superblock, geometry, options)
    } catch (error) {
      if (error instanceof Ext2Error) throw new Ext2MountError('corrupt', error.message)
      throw error
    }
  }

  override inode(number: number): Inode {
    return this.#held.get(number) ?? super.inode(number)
  }

  /** Keep an inode: see `#held`. */
  hold(inode: Inode): void {
    this.#held.set(inode.number, inode)
  }

  /** The last user has closed the inode: without a name it is deleted now. */
  release(inode: Inode): void {
    if (!this.#held.delete(inode.number) || inode.links > 0) return
    this.assertWritable()
    this.deleteInode(inode)
  }

  override unmount(): void {
    if (this.#held.size > 0) throw new Ext2Error('EBUSY', 'open files')
    super.unmount()
  }

  /** The directory that a path's last name lies in, and that name. Slashes at the end are left out. */
  place(path: string | Place): Place {
    if (typeof path !== 'string') return path
    let end = path.length
    while (end > 0 && path[end - 1] === '/') end--
    const cut = path.lastIndexOf('/', end - 1) + 1
    const name = path.slice(cut, end)
    if (name === '') throw new Ext2Error(path === '' ? 'ENOENT' : 'EBUSY', 'no name to act on')
    return { dir: cut === 0 ? this.root() : this.lookup(path.slice(0, cut)), name }
  }

  #at(target: string | Inode): Inode {
    return typeof target === 'string' ? this.lookup(target) : target
  }

  /** The inode with that name, or ENOENT. */
  child({ dir, name }: Place): Inode {
    const number = this.find(dir, name)
    if (number === undefined) throw new Ext2Error('ENOENT', `no ${name}`)
    return this.inode(number)
  }

  // --- making ---

  /** A new inode under a new name; `fill` gives it content and may fail, then nothing has happened but perhaps a larger directory. */
  #make(place: Place, mode: number, owner: Owner, fill: (inode: Inode) => void): Inode {
    this.assertWritable()
    this.checkName(place.name)
    const { dir, name } = place
    if (this.find(dir, name) !== undefined) throw new Ext2Error('EEXIST', `${name} exists`)
    if (dir.links === 0) throw new Ext2Error('ENOENT', 'the directory was removed')
    const isDir = (mode & S_IFMT) === S_IFDIR
    const room = this.makeRoom(dir, name)
    const inode = this.allocInode(dir, isDir)
    inode.mode = mode
    inode.uid = owner.uid ?? 0
    inode.gid = owner.gid ?? 0
    inode.atime = this.now()
    inode.ctime = this.now()
    inode.mtime = this.now()
    inode.links = 1
    try {
      fill(inode)
    } catch (error) {
      this.deleteInode(inode)
      throw error
    }
    this.storeInode(inode)
    this.fillRoom(dir, room, name, inode)
    return inode
  }

  /** A new empty regular file. `mode`: permissions, 0o7777. EEXIST where there is anything of that name. */
  create(where: string | Place, mode: number, owner: Owner = {}): Inode {
    return this.#make(this.place(where), S_IFREG | (mode & 0o7777), owner, () => {})
  }

  mkdir(where: string | Place, mode: number, owner: Owner = {}): Inode {
    const place = this.place(where)
    const { dir } = place
    if (dir.links >= EXT2_LINK_MAX) throw new Ext2Error('EMLINK', 'too many links')
    return this.#make(place, S_IFDIR | (mode & 0o7777), owner, (inode) => {
      const { blockBytes } = this.geometry
      const { block } = this.ensureBlock(inode, 0)
      const bytes = emptyDirBlock(blockBytes)
      const fileType = this.fileType(S_IFDIR)
      writeEntry(bytes, 0, 12, { inode: inode.number, fileType, name: bytesOfString('.') })
      writeEntry(bytes, 12, blockBytes - 12, { inode: dir.number, fileType, name: bytesOfString('..') })
      this.writeBlock(block, bytes)
      inode.size = blockBytes
      inode.links = 2
      // Stored with the new entry below.
      dir.links++
    })
  }

  /** `target` is a byte string of 1 to 4095 characters. */
  symlink(target: string, where: string | Place, owner: Owner = {}): Inode {
    if (target === '') throw new Ext2Error('ENOENT', 'empty target')
    if (target.length >= Math.min(PATH_MAX, this.geometry.blockBytes))
      throw new Ext2Error('ENAMETOOLONG', 'target too long')
    const bytes = bytesOfString(target)
    return this.#make(this.place(where), S_IFLNK | 0o777, owner, (inode) => {
      if (bytes.length < FAST_SYMLINK_BYTES) {
        inode.blockBytes.set(bytes)
        inode.size = bytes.length
      } else this.putBytes(inode, 0, bytes)
    })
  }

  /** A device, FIFO or socket. `mode` carries the type; `major` and `minor` count for devices. */
  mknod(where: string | Place, mode: number, device: { major: number; minor: number }, owner: Owner = {}): Inode {
    const type = mode & S_IFMT
    if (type === S_IFDIR || type === S_IFLNK || FILE_TYPE_OF_MODE[type >> 12] === 0)
      throw new Ext2Error('EINVAL', 'mode')
    return this.#make(this.place(where), type | (mode & 0o7777), owner, (inode) => {
      if (type !== S_IFCHR && type !== S_IFBLK) return
      const { major, minor } = device
      // Linux keeps small numbers in the old 16-bit form, others in the second pointer.
      if (major < 256 && minor < 256) inode.setBlock(0, (major << 8) | minor)
      else inode.setBlock(1, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0)
    })
  }

  /** Another name for a file. EPERM for directories. */
  link(target: string | Inode, where: string | Place): void {
    this.assertWritable()
    const inode = typeof target === 'string' ? this.lookup(target, { followLast: false }) : target
    const { dir, name } = this.place(where)
    this.checkName(name)
    if (inode.isDir) throw new Ext2Error('EPERM', 'is a directory')
    if (this.find(dir, name) !== undefined) throw new Ext2Error('EEXIST', `${name} exists`)
    if (inode.links >= EXT2_LINK_MAX) throw new Ext2Error('EMLINK', 'too many links')
    if (inode.links === 0) throw new Ext2Error('ENOENT', 'the file was removed')
    const room = this.makeRoom(dir, name)
    inode.links++
    inode.ctime = this.now()
    this.storeInode(inode)
    this.fillRoom(dir, room, name, inode)
  }

  // --- unmaking ---

  /** An inode has lost a name; with the last it goes, unless held. `names`: how many links go. */
  #drop(inode: Inode, names: number): void {
    inode.links = Math.max(0, inode.links - names)
    inode.ctime = this.now()
    if (inode.links === 0 && !this.#held.has(inode.number)) this.deleteInode(inode)
    else this.storeInode(inode)
  }

  unlink(where: string | Place): void {
    this.assertWritable()
    const place = this.place(where)
    const inode = this.child(place)
    if (inode.isDir) throw new Ext2Error('EISDIR', 'is a directory')
    this.removeEntry(place.dir, place.name)
    this.#drop(inode, 1)
  }

  #assertEmptyDir(dir: Inode): void {
    if (this.list(dir).some(({ name }) => name !== '.' && name !== '..'))
      throw new Ext2Error('ENOTEMPTY', 'directory not empty')
  }

  rmdir(where: string | Place): void {
    this.assertWritable()
    const place = this.place(where)
    if (place.name === '.') throw new Ext2Error('EINVAL', '`.` cannot be removed')
    if (place.name === '..') throw new Ext2Error('ENOTEMPTY', 'directory not empty')
    const inode = this.child(place)
    if (!inode.isDir) throw new Ext2Error('ENOTDIR', 'not a directory')
    if (inode.number === EXT2_ROOT_INO) throw new Ext2Error('EBUSY', 'the root directory')
    this.#assertEmptyDir(inode)
    this.removeEntry(place.dir, place.name)
    // Its own `.`, and the name.
    this.#drop(inode, inode.links)
    place.dir.links = Math.max(0, place.dir.links - 1)
    this.storeInode(place.dir)
  }

  /** Give `from` the name `to`, which is replaced where rename(2) allows it. */
  rename(from: string | Place, to: string | Place): void {
    this.assertWritable()
    const source = this.place(from)
    const target = this.place(to)
    // Two objects of one directory would each store their own idea of it.
    const dir = source.dir.number === target.dir.number ? source.dir : target.dir
    for (const { name } of [source, target])
      if (name === '.' || name === '..') throw new Ext2Error('EBUSY', 'cannot be renamed')
    this.checkName(target.name)
    const inode = this.child(source)
    const old = this.find(dir, target.name)
    if (old === inode.number) return
    const victim = old === undefined ? undefined : this.inode(old)
    const across = dir !== source.dir
    if (inode.isDir && across && this.#isInside(dir, inode)) throw new Ext2Error('EINVAL', 'a directory into itself')
    if (victim?.isDir && !inode.isDir) throw new Ext2Error('EISDIR', 'is a directory')
    if (victim && !victim.isDir && inode.isDir) throw new Ext2Error('ENOTDIR', 'not a directory')
    if (victim?.isDir) {
      if (victim.number === source.dir.number) throw new Ext2Error('ENOTEMPTY', 'directory not empty')
      this.#assertEmptyDir(victim)
    } else if (inode.isDir && across && dir.links >= EXT2_LINK_MAX) throw new Ext2Error('EMLINK', 'too many links')

    if (victim) this.replaceEntry(dir, target.name, inode)
    else this.fillRoom(dir, this.makeRoom(dir, target.name), target.name, inode)
    this.removeEntry(source.dir, source.name)
    if (inode.isDir && across) {
      this.replaceEntry(inode, '..', dir)
      source.dir.links = Math.max(0, source.dir.links - 1)
      dir.links++
    }
    inode.ctime = this.now()
    this.storeInode(inode)
    if (victim) {
      if (victim.isDir) dir.links = Math.max(0, dir.links - 1)
      this.#drop(victim, victim.isDir ? victim.links : 1)
    }
    this.storeInode(source.dir)
    this.storeInode(dir)
  }

  /** Whether `dir` is `top` or lies below it. */
  #isInside(dir: Inode, top: Inode): boolean {
    let number = dir.number
    for (let steps = 0; steps <= this.geometry.inodes; steps++) {
      if (number === top.number) return true
      if (number === EXT2_ROOT_INO) return false
      const up = this.find(this.inode(number), '..')
      if (up === undefined) throw this.corrupt(`directory ${number} has no parent`)
      number = up
    }
    throw this.corrupt('directories in a circle')
  }

  // --- attributes, whole files ---

  /** Permissions, 0o7777. */
  chmod(target: string | Inode, mode: number): void {
    this.assertWritable()
    const inode = this.#at(target)
    inode.mode = (inode.mode & S_IFMT) | (mode & 0o7777)
    inode.ctime = this.now()
    this.storeInode(inode)
  }

  chown(target: string | Inode, owner: Owner): void {
    this.assertWritable()
    const inode = this.#at(target)
    if (owner.uid !== undefined) inode.uid = owner.uid
    if (owner.gid !== undefined) inode.gid = owner.gid
    inode.ctime = this.now()
    this.storeInode(inode)
  }

  utime(target: string | Inode, times: { readonly atime?: number; readonly mtime?: number }): void {
    this.assertWritable()
    const inode = this.#at(target)
    if (times.atime !== undefined) inode.atime = times.atime
    if (times.mtime !== undefined) inode.mtime = times.mtime
    inode.ctime = this.now()
    this.storeInode(inode)
  }

  /** Make `path` a regular file with these bytes, new or overwritten. ENOSPC leaves what fitted. */
  writeFile(path: string, bytes: Uint8Array, mode = 0o644, owner: Owner = {}): Inode {
    const place = this.place(path)
    const known = this.find(place.dir, place.name)
    const inode = known === undefined ? this.create(place, mode, owner) : this.lookup(path)
    if (known !== undefined) this.truncate(inode, 0)
    if (this.writeAt(inode, 0, bytes) < bytes.length) throw new Ext2Error('ENOSPC', 'no space left on device')
    return inode
  }
}
