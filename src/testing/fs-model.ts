/** A file system as its manual pages tell it, in memory: what random operations on the real one are compared with. */

interface Node {
  readonly type: 'file' | 'dir' | 'link' | 'fifo'
  bytes: Uint8Array
  target: string
  children: Map<string, Node>
  mode: number
  links: number
}

const node = (type: Node['type'], mode: number): Node => ({
  type,
  bytes: new Uint8Array(0),
  target: '',
  children: new Map(),
  mode,
  links: type === 'dir' ? 2 : 1,
})

/** Paths are absolute and without links on the way: names alone are the test's matter. Operations return an error's name or undefined. */
export class FsModel {
  readonly root = node('dir', 0o755)

  at(path: string): Node | undefined {
    let here: Node | undefined = this.root
    for (const name of path.split('/').filter((part) => part !== '')) here = here?.children.get(name)
    return here
  }

  #parent(path: string): { dir: Node; name: string } {
    const cut = path.lastIndexOf('/')
    const dir = this.at(path.slice(0, cut))
    if (dir?.type !== 'dir') throw new Error(`${path}: no parent directory`)
    return { dir, name: path.slice(cut + 1) }
  }

  make(path: string, type: Node['type'], mode: number, target = ''): string | undefined {
    const { dir, name } = this.#parent(path)
    if (dir.children.has(name)) return 'EEXIST'
    const made = node(type, mode)
    made.target = target
    dir.children.set(name, made)
    if (type === 'dir') dir.links++
    return undefined
  }

  link(from: string, to: string): string | undefined {
    const inode = this.at(from)!
    const { dir, name } = this.#parent(to)
    if (inode.type === 'dir') return 'EPERM'
    if (dir.children.has(name)) return 'EEXIST'
    inode.links++
    dir.children.set(name, inode)
    return undefined
  }

  unlink(path: string): string | undefined {
    const { dir, name } = this.#parent(path)
    const inode = dir.children.get(name)!
    if (inode.type === 'dir') return 'EISDIR'
    inode.links--
    dir.children.delete(name)
    return undefined
  }

  rmdir(path: string): string | undefined {
    const { dir, name } = this.#parent(path)
    const inode = dir.children.get(name)!
    if (inode.type !== 'dir') return 'ENOTDIR'
    if (inode.children.size > 0) return 'ENOTEMPTY'
    dir.links--
    dir.children.delete(name)
    return undefined
  }

  rename(from: string, to: string): string | undefined {
    const source = this.#parent(from)
    const target = this.#parent(to)
    const inode = source.dir.children.get(source.name)!
    const victim = target.dir.children.get(target.name)
    if (inode === victim) return undefined
    if (inode.type === 'dir' && `${to}/`.startsWith(`${from}/`)) return 'EINVAL'
    if (victim?.type === 'dir' && inode.type !== 'dir') return 'EISDIR'
    if (victim && victim.type !== 'dir' && inode.type === 'dir') return 'ENOTDIR'
    if (victim && victim.type === 'dir' && victim.children.size > 0) return 'ENOTEMPTY'
    if (victim?.type === 'dir') target.dir.links--
    else if (victim) victim.links--
    source.dir.children.delete(source.name)
    target.dir.children.set(target.name, inode)
    if (inode.type === 'dir') {
      source.dir.links--
      target.dir.links++
    }
    return undefined
  }

  write(path: string, offset: number, part: Uint8Array): string | undefined {
    const inode = this.at(path)!
    if (inode.type === 'dir') return 'EISDIR'
    if (inode.type !== 'file') return 'EINVAL'
    const bytes = new Uint8Array(Math.max(inode.bytes.length, offset + part.length))
    bytes.set(inode.bytes)
    bytes.set(part, offset)
    inode.bytes = bytes
    return undefined
  }

  truncate(path: string, size: number): string | undefined {
    const inode = this.at(path)!
    if (inode.type === 'dir') return 'EISDIR'
    if (inode.type !== 'file') return 'EINVAL'
    const bytes = new Uint8Array(size)
    bytes.set(inode.bytes.subarray(0, size))
    inode.bytes = bytes
    return undefined
  }

  /** Every path with its node, parents first. */
  *walk(path = '', here = this.root): Generator<[string, Node]> {
    yield [path === '' ? '/' : path, here]
    for (const [name, child] of here.children) yield* this.walk(`${path}/${name}`, child)
  }
}
