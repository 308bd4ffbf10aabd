/** Pass 3: every directory hangs on the root; who does not comes to /lost+found. */
import { bytesOfString } from '../../../utf8.ts'
import { emptyDirBlock, writeEntry } from '../directory.ts'
import { Inode } from '../inode.ts'
import { EXT2_ROOT_INO, INCOMPAT_FILETYPE, S_IFDIR, viewOf } from '../layout.ts'
import { type Context, DIRECTORY, type Directory, FREE } from './context.ts'
import type { Step } from './io.ts'
import { addEntry, setPointer } from './pass2.ts'

export function* pass3<Y>(ctx: Context<Y>): Step<Y, void> {
  yield* ctx.remark('Pass 3: Checking directory connectivity\n')
  yield* checkRoot(ctx)
  for (const dir of [...ctx.directories.values()]) yield* checkDirectory(ctx, dir)
}

function* checkRoot<Y>(ctx: Context<Y>): Step<Y, void> {
  const root = ctx.directories.get(EXT2_ROOT_INO)
  if (root) {
    root.parent = EXT2_ROOT_INO
    return
  }
  if (!(yield* ctx.fix({ text: 'Root inode not allocated.  ', prompt: 'allocate' }))) return
  const made = yield* makeDirectory(ctx, EXT2_ROOT_INO, EXT2_ROOT_INO, 0o755)
  if (made) made.parent = EXT2_ROOT_INO
}

/** A new directory of one block at inode `ino`. */
function* makeDirectory<Y>(ctx: Context<Y>, ino: number, parent: number, mode: number): Step<Y, Directory | undefined> {
  const block = ctx.takeBlock()
  if (block === undefined) return undefined
  const { blockBytes, inodeBytes } = ctx.geometry
  const fileType = (ctx.superblock.get('feature_incompat') & INCOMPAT_FILETYPE) !== 0 ? 2 : 0
  const bytes = emptyDirBlock(blockBytes)
  writeEntry(bytes, 0, 12, { inode: ino, fileType, name: bytesOfString('.') })
  writeEntry(bytes, 12, blockBytes - 12, { inode: parent, fileType, name: bytesOfString('..') })
  yield* ctx.blocks.put(block, bytes)
  const inode = new Inode(ino, new Uint8Array(inodeBytes))
  inode.mode = S_IFDIR | mode
  inode.size = blockBytes
  inode.sectors = blockBytes / 512
  inode.links = 2
  inode.atime = inode.ctime = inode.mtime = ctx.options.now
  inode.setBlock(0, block)
  yield* ctx.writeInode(inode)
  ctx.kinds[ino] = DIRECTORY
  ctx.types[ino] = S_IFDIR >> 12
  ctx.links[ino] = 2
  ctx.counted[ino] = ctx.counted[ino]! + 1
  ctx.counted[parent] = ctx.counted[parent]! + 1
  const dir: Directory = { ino, blocks: [block], dotdot: parent, parent }
  ctx.directories.set(ino, dir)
  return dir
}

function* checkDirectory<Y>(ctx: Context<Y>, dir: Directory): Step<Y, void> {
  // Upwards until the root: who has no parent, or is its own forefather, is cut off there.
  const seen = new Set<number>()
  for (let here: Directory | undefined = dir; here && here.ino !== EXT2_ROOT_INO; ) {
    const above: Directory | undefined = ctx.directories.get(here.parent)
    if (!above || seen.has(here.ino)) {
      const text = `Unconnected directory inode ${here.ino} (???)\n`
      if (!(yield* ctx.fix({ text, prompt: 'connect' }))) break
      if (!(yield* connect(ctx, here.ino))) break
      // A circle is opened: its entry would be a second name.
      if (above) yield* removeEntry(ctx, above, here.ino)
      here.parent = ctx.lostFound
      break
    }
    seen.add(here.ino)
    here = above
  }
  if (dir.parent === 0 || dir.parent === dir.dotdot) return
  const text = `'..' in ??? (${dir.ino}) is ??? (${dir.dotdot}), should be ??? (${dir.parent}).\n`
  if (yield* ctx.fix({ text, prompt: 'fix' })) yield* setDotDot(ctx, dir)
}

/** The name of `ino` in `dir` goes. */
function* removeEntry<Y>(ctx: Context<Y>, dir: Directory, ino: number): Step<Y, void> {
  for (const block of dir.blocks) {
    if (block === 0) continue
    const bytes = (yield* ctx.blocks.get(block)).slice()
    const view = viewOf(bytes)
    const first = block === dir.blocks[0]
    for (let at = 0, number = 0; at + 12 <= bytes.length; number++) {
      const recLen = view.getUint16(at + 4, true)
      if (recLen < 12 || at + recLen > bytes.length) break
      if (view.getUint32(at, true) === ino && !(first && number < 2)) {
        view.setUint32(at, 0, true)
        yield* ctx.blocks.put(block, bytes)
        ctx.counted[ino] = ctx.counted[ino]! - 1
        return
      }
      at += recLen
    }
  }
}

function* setDotDot<Y>(ctx: Context<Y>, dir: Directory): Step<Y, void> {
  const [block] = dir.blocks
  if (block === undefined || block === 0) return
  const bytes = (yield* ctx.blocks.get(block)).slice()
  const view = viewOf(bytes)
  const at = view.getUint16(4, true)
  if (at + 12 > bytes.length) return
  view.setUint32(at, dir.parent, true)
  yield* ctx.blocks.put(block, bytes)
  if (dir.dotdot > 0 && dir.dotdot <= ctx.geometry.inodes && ctx.counted[dir.dotdot]! > 0)
    ctx.counted[dir.dotdot] = ctx.counted[dir.dotdot]! - 1
  ctx.counted[dir.parent] = ctx.counted[dir.parent]! + 1
  dir.dotdot = dir.parent
}

/** An entry `#INO` in /lost+found. */
export function* connect<Y>(ctx: Context<Y>, ino: number): Step<Y, boolean> {
  const lost = yield* lostAndFound(ctx)
  if (!lost) return false
  const name = bytesOfString(`#${ino}`)
  if (!(yield* addEntry(ctx, lost, name, ino))) {
    if (!(yield* ctx.fix({ text: 'No room in lost+found directory.  ', prompt: 'expand' }))) return false
    if (!(yield* expand(ctx, lost)) || !(yield* addEntry(ctx, lost, name, ino))) return false
  }
  ctx.counted[ino] = ctx.counted[ino]! + 1
  return true
}

function* expand<Y>(ctx: Context<Y>, dir: Directory): Step<Y, boolean> {
  const block = ctx.takeBlock()
  if (block === undefined) return false
  yield* ctx.blocks.put(block, emptyDirBlock(ctx.geometry.blockBytes))
  if (!(yield* setPointer(ctx, dir.ino, dir.blocks.length, block))) return false
  dir.blocks.push(block)
  const inode = yield* ctx.readInode(dir.ino)
  inode.size += ctx.geometry.blockBytes
  inode.sectors += ctx.geometry.blockBytes / 512
  yield* ctx.writeInode(inode)
  return true
}

function* lostAndFound<Y>(ctx: Context<Y>): Step<Y, Directory | undefined> {
  if (ctx.lostFound !== 0) return ctx.directories.get(ctx.lostFound)
  const root = ctx.directories.get(EXT2_ROOT_INO)
  if (!root) return undefined
  const found = yield* findIn(ctx, root, 'lost+found')
  if (found !== undefined && ctx.kinds[found] === DIRECTORY) {
    ctx.lostFound = found
    return ctx.directories.get(found)
  }
  if (!(yield* ctx.fix({ text: '/lost+found not found.  ', prompt: 'create', preen: true }))) return undefined
  const ino = freeInode(ctx)
  const made = ino === undefined ? undefined : yield* makeDirectory(ctx, ino, EXT2_ROOT_INO, 0o700)
  if (!made) return undefined
  const name = bytesOfString('lost+found')
  if (!(yield* addEntry(ctx, root, name, made.ino)) && (yield* expand(ctx, root)))
    yield* addEntry(ctx, root, name, made.ino)
  ctx.counted[made.ino] = ctx.counted[made.ino]! + 1
  // Its `..` is one more link of the root, whose count pass 4 may have seen already.
  const above = yield* ctx.readInode(EXT2_ROOT_INO)
  above.links++
  yield* ctx.writeInode(above)
  ctx.links[EXT2_ROOT_INO] = above.links
  ctx.lostFound = made.ino
  return made
}

function freeInode<Y>(ctx: Context<Y>): number | undefined {
  for (let ino = ctx.geometry.firstInode; ino <= ctx.geometry.inodes; ino++) if (ctx.kinds[ino] === FREE) return ino
  return undefined
}

function* findIn<Y>(ctx: Context<Y>, dir: Directory, name: string): Step<Y, number | undefined> {
  const wanted = bytesOfString(name)
  for (const block of dir.blocks) {
    if (block === 0) continue
    const bytes = yield* ctx.blocks.get(block)
    const view = viewOf(bytes)
    for (let at = 0; at + 12 <= bytes.length; ) {
      const recLen = view.getUint16(at + 4, true)
      if (recLen < 12 || at + recLen > bytes.length) break
      const ino = view.getUint32(at, true)
      if (ino !== 0 && bytes[at + 6] === wanted.length && wanted.every((byte, i) => bytes[at + 8 + i] === byte))
        return ino
      at += recLen
    }
  }
  return undefined
}
