/** Thousands of random operations, compared with a model in memory and with e2fsck. */
import { describe, expect, test } from 'vitest'
import { createRng, type Rng } from '#lib/prng.ts'
import { e2fsck, hasE2fsprogs } from '#testing/e2fsprogs.ts'
import { FsModel } from '#testing/fs-model.ts'
import { SparseDisk } from '../sparse-disk.ts'
import { Ext2Error } from './errors.ts'
import { Ext2 } from './fs.ts'
import { S_IFIFO } from './layout.ts'
import { mkfs } from './mkfs.ts'

const OPERATIONS = 4000

/** The name of the error that `act` ends with, or undefined. */
function outcome(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Ext2Error) return error.code
    throw error
  }
}

class Player {
  readonly model = new FsModel()
  readonly fs: Ext2
  readonly rng: Rng
  readonly codes = new Map<string, number>()
  constructor(fs: Ext2, rng: Rng) {
    this.fs = fs
    this.rng = rng
    this.model.make('/lost+found', 'dir', 0o700)
  }

  #paths(type?: string): string[] {
    return [...this.model.walk()].flatMap(([path, { type: is }]) =>
      path === '/' || (type && is !== type) ? [] : [path],
    )
  }
  #known(): string {
    return this.rng.pick(this.#paths())
  }
  /** A name in some directory: mostly a new one. */
  #fresh(): string {
    const dir = this.rng.pick(['', ...this.#paths('dir')])
    if (this.rng.below(8) === 0) return this.#known()
    const name = `${'n'.repeat(this.rng.below(this.rng.below(4) === 0 ? 240 : 12))}${this.rng.below(500)}`
    return `${dir}/${name}`
  }
  #both(model: string | undefined, real: string | undefined, what: string): void {
    expect(real, what).toBe(model)
    const key = `${what.split(' ')[0]} ${model ?? 'ok'}`
    this.codes.set(key, (this.codes.get(key) ?? 0) + 1)
  }

  step(): void {
    const { model, fs, rng } = this
    const kind = rng.below(24)
    if (kind < 4) {
      const path = this.#fresh()
      this.#both(
        model.make(path, 'file', 0o640),
        outcome(() => fs.create(path, 0o640)),
        `create ${path}`,
      )
    } else if (kind < 6) {
      const path = this.#fresh()
      this.#both(
        model.make(path, 'dir', 0o751),
        outcome(() => fs.mkdir(path, 0o751)),
        `mkdir ${path}`,
      )
    } else if (kind < 7) {
      const path = this.#fresh()
      const target = 't'.repeat(1 + rng.below(120))
      this.#both(
        model.make(path, 'link', 0o777, target),
        outcome(() => fs.symlink(target, path)),
        `symlink ${path}`,
      )
    } else if (kind < 8) {
      const path = this.#fresh()
      const made = outcome(() => fs.mknod(path, S_IFIFO | 0o600, { major: 0, minor: 0 }))
      this.#both(model.make(path, 'fifo', 0o600), made, `mknod ${path}`)
    } else if (kind < 10) {
      const [from, to] = [this.#known(), this.#fresh()]
      this.#both(
        model.link(from, to),
        outcome(() => fs.link(from, to)),
        `link ${from} ${to}`,
      )
    } else if (kind < 13) {
      const path = this.#known()
      this.#both(
        model.unlink(path),
        outcome(() => fs.unlink(path)),
        `unlink ${path}`,
      )
    } else if (kind < 14) {
      const path = this.rng.pick(this.#paths('dir'))
      if (path === '/lost+found') return
      this.#both(
        model.rmdir(path),
        outcome(() => fs.rmdir(path)),
        `rmdir ${path}`,
      )
    } else if (kind < 17) {
      const [from, to] = [this.#known(), this.#fresh()]
      if (from === '/lost+found' || to === '/lost+found') return
      this.#both(
        model.rename(from, to),
        outcome(() => fs.rename(from, to)),
        `rename ${from} ${to}`,
      )
    } else if (kind < 22) {
      const path = this.#known()
      const size = model.at(path)!.bytes.length
      const offset = rng.below(3) === 0 ? rng.below(600_000) : rng.below(size + 1)
      const bytes = rng.bytes(rng.below(rng.below(5) === 0 ? 60_000 : 3000))
      const real = outcome(() => fs.writeAt(fs.lookup(path, { followLast: false }), offset, bytes))
      if (bytes.length > 0) this.#both(model.write(path, offset, bytes), real, `write ${path}`)
    } else if (kind < 23) {
      const path = this.#known()
      const size = rng.below(rng.below(2) === 0 ? 1000 : 700_000)
      const real = outcome(() => fs.truncate(fs.lookup(path, { followLast: false }), size))
      this.#both(model.truncate(path, size), real, `truncate ${path}`)
    } else {
      const path = this.#known()
      const node = model.at(path)!
      if (node.type === 'link') return
      node.mode = rng.below(0o10000)
      fs.chmod(path, node.mode)
    }
  }

  /** The whole tree, compared. */
  compare(fs: Ext2): void {
    for (const [path, node] of this.model.walk()) {
      const inode = fs.lookup(path, { followLast: false })
      expect([inode.mode & 0o7777, inode.links], path).toEqual([node.mode, node.links])
      if (node.type === 'link') expect(fs.readlink(inode)).toBe(node.target)
      else if (node.type === 'file') {
        expect(inode.size, path).toBe(node.bytes.length)
        expect(Buffer.compare(fs.readFile(inode), node.bytes), path).toBe(0)
      } else if (node.type === 'dir') {
        const names = fs.list(inode).map(({ name }) => name)
        expect(names.sort(), path).toEqual(['.', '..', ...node.children.keys()].sort())
      }
    }
  }
}

describe.each([
  [1024, 1],
  [4096, 2],
])('random operations in blocks of %i', (blockBytes, seed) => {
  const disk = new SparseDisk(128 * 2048)
  mkfs(disk, { blockBytes, uuid: new Uint8Array(16), nowSeconds: 1242109972 })
  const fs = Ext2.mount(disk, { now: () => 1242110000 })
  const player = new Player(fs, createRng(seed).fork('ext2'))

  test('end like those of a model', () => {
    for (let i = 0; i < OPERATIONS; i++) player.step()
    // The test means something only if it went through all of these.
    for (const seen of [
      'rename ok',
      'rename EINVAL',
      'rename EISDIR',
      'rename ENOTDIR',
      'rename ENOTEMPTY',
      'link EPERM',
      'link ok',
      'mkdir EEXIST',
      'unlink EISDIR',
      'rmdir ENOTEMPTY',
      'rmdir ok',
      'write ok',
      'truncate ok',
    ])
      expect(player.codes.get(seen), seen).toBeGreaterThan(0)
    player.compare(fs)
  })

  test('are on the disk when it is unmounted', () => {
    fs.unmount()
    const again = Ext2.mount(disk, { now: () => 1242110000, readOnly: true })
    player.compare(again)
    expect(again.checkDue()).toBeUndefined()
  })

  test.skipIf(!hasE2fsprogs)('leave nothing for e2fsck to find', () => {
    const { status, output } = e2fsck(disk)
    expect(status, output).toBe(0)
  })

  test('leave an empty disk when everything is removed', () => {
    const before = new SparseDisk(disk.sectors)
    mkfs(before, { blockBytes, uuid: new Uint8Array(16), nowSeconds: 1242109972 })
    const empty = Ext2.mount(before, { now: () => 1242110000 }).statfs()
    const again = Ext2.mount(disk, { now: () => 1242110000 })
    for (const [path, node] of [...player.model.walk()].reverse()) {
      if (path === '/' || path === '/lost+found') continue
      if (node.type === 'dir') again.rmdir(path)
      else again.unlink(path)
    }
    // The root directory keeps the blocks that it grew to.
    const grown = again.root().size / blockBytes - 1
    expect(again.statfs()).toEqual({ ...empty, free: empty.free - grown, available: empty.available - grown })
    again.unmount()
    if (hasE2fsprogs) expect(e2fsck(disk).output).not.toMatch(/WARNING|error/i)
  })
})
