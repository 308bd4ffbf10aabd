/** Pass 2: the entries of every directory. */
import { byteString } from '../../../utf8.ts'
import { entryBytes, writeEntry } from '../directory.ts'
import { EXT2_ROOT_INO, FILE_TYPE_OF_MODE, INCOMPAT_FILETYPE, viewOf } from '../layout.ts'
import { BAD, type Context, DIRECTORY, type Directory, FREE } from './context.ts'
import type { Step } from './io.ts'

const DOT = Uint8Array.of(0x2e)
const DOT_DOT = Uint8Array.of(0x2e, 0x2e)

export function* pass2<Y>(ctx: Context<Y>): Step<Y, void> {
  yield* ctx.remark('Pass 2: Checking directory structure\n')
  for (const dir of [...ctx.directories.values()]) {
    const names = new Set<string>()
    for (let index = 0; index < dir.blocks.length; index++) {
      let block = dir.blocks[index]!
      if (block === 0) {
        const made = yield* fillHole(ctx, dir, index)
        if (made === undefined) continue
        block = made
      }
      yield* checkBlock(ctx, dir, block, index, names)
    }
  }
}

/** A directory has no holes: an empty block is put in. */
function* fillHole<Y>(ctx: Context<Y>, dir: Directory, index: number): Step<Y, number | undefined> {
  const text = `Directory inode ${dir.ino} has an unallocated block #${index}.  `
  if (!(yield* ctx.fix({ text, prompt: 'allocate' }))) return undefined
  const inode = yield* ctx.readInode(dir.ino)
  const block = ctx.takeBlock()
  if (block === undefined) return undefined
  const bytes = new Uint8Array(ctx.geometry.blockBytes)
  viewOf(bytes).setUint16(4, bytes.length, true)
  yield* ctx.blocks.put(block, bytes)
  if (yield* setPointer(ctx, dir.ino, index, block)) {
    dir.blocks[index] = block
    const again = yield* ctx.readInode(dir.ino)
    again.sectors = inode.sectors + ctx.geometry.blockBytes / 512
    yield* ctx.writeInode(again)
    return block
  }
  return undefined
}

/** Only where the pointer's own block exists. */
export function* setPointer<Y>(ctx: Context<Y>, ino: number, index: number, block: number): Step<Y, boolean> {
  const inode = yield* ctx.readInode(ino)
  if (index < 12) {
    inode.setBlock(index, block)
    yield* ctx.writeInode(inode)
    return true
  }
  const table = inode.block(12)
  if (index - 12 >= ctx.geometry.pointers || !ctx.isBlock(table)) return false
  const bytes = (yield* ctx.blocks.get(table)).slice()
  viewOf(bytes).setUint32(4 * (index - 12), block, true)
  yield* ctx.blocks.put(table, bytes)
  return true
}

function* checkBlock<Y>(
  ctx: Context<Y>,
  dir: Directory,
  block: number,
  index: number,
  names: Set<string>,
): Step<Y, void> {
  const bytes = (yield* ctx.blocks.get(block)).slice()
  const view = viewOf(bytes)
  const before = bytes.slice()
  let number = 0
  for (let at = 0; at < bytes.length; number++) {
    const left = bytes.length - at
    const recLen = left >= 8 ? view.getUint16(at + 4, true) : 0
    const nameLen = left >= 8 ? bytes[at + 6]! : 0
    const corrupt =
      left < 12 ||
      recLen < 12 ||
      recLen % 4 !== 0 ||
      recLen > left ||
      (view.getUint32(at, true) !== 0 && 8 + nameLen > recLen)
    if (corrupt) {
      const text = `Directory inode ${dir.ino}, block ${index}, offset ${at}: directory corrupted\n`
      if (!(yield* ctx.fix({ text, prompt: 'salvage' }))) break
      salvage(bytes, at, ctx.geometry.inodes)
      if (left < 12) break
      // The same entry once more, in its new shape.
    }
    if (index === 0 && number === 0) yield* checkDot(ctx, dir, bytes, at)
    else if (index === 0 && number === 1) yield* checkDotDot(ctx, dir, bytes, at)
    else if (view.getUint32(at, true) !== 0) yield* checkEntry(ctx, dir, bytes, at, names)
    at += view.getUint16(at + 4, true)
  }
  if (before.some((byte, i) => byte !== bytes[i])) yield* ctx.blocks.put(block, bytes)
}

/** Keep the name, if it can be one, and stretch the entry to the block's end; otherwise the rest is free space. */
function salvage(bytes: Uint8Array, at: number, inodes: number): void {
  const view = viewOf(bytes)
  const left = bytes.length - at
  if (left < 12) {
    // Too little for an entry: the one before takes it. There is always one, since blocks are a multiple of 12 and more long.
    let previous = 0
    for (let i = 0; i < at; i += view.getUint16(i + 4, true)) previous = i
    view.setUint16(previous + 4, bytes.length - previous, true)
    return
  }
  const ino = view.getUint32(at, true)
  const nameLen = bytes[at + 6]!
  view.setUint16(at + 4, left, true)
  if (ino !== 0 && ino <= inodes && nameLen > 0 && nameLen + 8 <= left) return
  view.setUint32(at, 0, true)
  bytes[at + 6] = 0
}

const nameOf = (bytes: Uint8Array, at: number): string => byteString(bytes.subarray(at + 8, at + 8 + bytes[at + 6]!))

const fileTypes = <Y>(ctx: Context<Y>): boolean => (ctx.superblock.get('feature_incompat') & INCOMPAT_FILETYPE) !== 0

function* checkDot<Y>(ctx: Context<Y>, dir: Directory, bytes: Uint8Array, at: number): Step<Y, void> {
  const view = viewOf(bytes)
  const ino = view.getUint32(at, true)
  const name = nameOf(bytes, at)
  const type = fileTypes(ctx) ? 2 : 0
  let problem: string | undefined
  if (ino === 0) problem = `Missing '.' in directory inode ${dir.ino}.\n`
  else if (name !== '.')
    problem = `First entry '${name}' (inode=${ino}) in directory inode ${dir.ino} (???) should be '.'\n`
  if (problem !== undefined) {
    if (!(yield* ctx.fix({ text: problem, prompt: 'fix' }))) return
    const recLen = view.getUint16(at + 4, true)
    writeEntry(bytes, at, recLen, { inode: dir.ino, fileType: type, name: DOT })
  } else if (ino !== dir.ino) {
    const text = `Invalid inode number for '.' in directory inode ${dir.ino}.\n`
    if (yield* ctx.fix({ text, prompt: 'fix' })) view.setUint32(at, dir.ino, true)
  }
  yield* setType(ctx, dir, bytes, at, 4)
  ctx.counted[dir.ino] = ctx.counted[dir.ino]! + 1
  const recLen = view.getUint16(at + 4, true)
  const rest = recLen - 12
  // `..` must be able to follow.
  if (rest >= 12 && at + recLen >= bytes.length) {
    const text = "Directory entry for '.' is big.  "
    if (yield* ctx.fix({ text, prompt: 'split' })) {
      view.setUint16(at + 4, 12, true)
      view.setUint32(at + 12, 0, true)
      view.setUint16(at + 16, rest, true)
      bytes[at + 18] = 0
    }
  }
}

function* checkDotDot<Y>(ctx: Context<Y>, dir: Directory, bytes: Uint8Array, at: number): Step<Y, void> {
  const view = viewOf(bytes)
  const ino = view.getUint32(at, true)
  const name = nameOf(bytes, at)
  let problem: string | undefined
  if (ino === 0) problem = `Missing '..' in directory inode ${dir.ino}.\n`
  else if (name !== '..')
    problem = `Second entry '${name}' (inode=${ino}) in directory inode ${dir.ino} should be '..'\n`
  if (problem !== undefined) {
    if (!(yield* ctx.fix({ text: problem, prompt: 'fix' }))) return
    // Whose child it is, pass 3 finds out.
    const recLen = view.getUint16(at + 4, true)
    writeEntry(bytes, at, recLen, { inode: EXT2_ROOT_INO, fileType: fileTypes(ctx) ? 2 : 0, name: DOT_DOT })
    dir.dotdot = EXT2_ROOT_INO
  } else dir.dotdot = ino
  yield* setType(ctx, dir, bytes, at, 4)
  if (dir.dotdot > 0 && dir.dotdot <= ctx.geometry.inodes) ctx.counted[dir.dotdot] = ctx.counted[dir.dotdot]! + 1
}

function* checkEntry<Y>(
  ctx: Context<Y>,
  dir: Directory,
  bytes: Uint8Array,
  at: number,
  names: Set<string>,
): Step<Y, void> {
  const view = viewOf(bytes)
  const ino = view.getUint32(at, true)
  const name = nameOf(bytes, at)
  const { inodes, firstInode } = ctx.geometry
  const entry = `Entry '${name}' in ??? (${dir.ino})`
  let text: string | undefined
  let preen = false
  if (ino > inodes || (ino < firstInode && ino !== EXT2_ROOT_INO)) text = `${entry} has invalid inode #: ${ino}.\n`
  else if (name === '') text = `${entry} has a zero-length name.\n`
  else if (name === '.' || name === '..') text = `${entry} is duplicate '${name}' entry.\n`
  else if (ino === dir.ino) text = `${entry} is a link to '.'  `
  else if (ino === EXT2_ROOT_INO) text = `${entry} is a link to the root inode.\n`
  else if (ctx.kinds[ino] === FREE) {
    text = `${entry} has deleted/unused inode ${ino}.  `
    preen = true
  } else if (names.has(name)) text = `Duplicate ${entry.slice(0, 1).toLowerCase()}${entry.slice(1)} found.  `
  else if (ctx.kinds[ino] === BAD) {
    if (yield* clearBad(ctx, ino)) {
      view.setUint32(at, 0, true)
      return
    }
  } else if (ctx.kinds[ino] === DIRECTORY && ctx.directories.get(ino)!.parent !== 0)
    text = `${entry} is a link to directory ??? (${ino}).\n`
  if (text !== undefined) {
    if (yield* ctx.fix({ text, prompt: 'clear', preen })) view.setUint32(at, 0, true)
    return
  }
  if (/[\0/]/.test(name)) {
    if (yield* ctx.fix({ text: `${entry} has illegal characters in its name.\n`, prompt: 'fix' }))
      for (let i = 0; i < name.length; i++) if (name[i] === '/' || name[i] === '\0') bytes[at + 8 + i] = 0x2e
  }
  names.add(nameOf(bytes, at))
  yield* setType(ctx, dir, bytes, at, ctx.types[ino]!)
  ctx.counted[ino] = ctx.counted[ino]! + 1
  const child = ctx.directories.get(ino)
  if (child) child.parent = dir.ino
}

/** An inode that pass 1 did not believe. */
function* clearBad<Y>(ctx: Context<Y>, ino: number): Step<Y, boolean> {
  const kind = { 1: 'FIFO', 2: 'character device', 6: 'block device', 12: 'socket' }[ctx.types[ino]!]
  const text = kind ? `Inode ${ino} (???) is an illegal ${kind}.\n` : `Symlink ??? (inode #${ino}) is invalid.\n`
  if (!(yield* ctx.fix({ text, prompt: 'clear' }))) return false
  yield* ctx.clearInode(yield* ctx.readInode(ino))
  return true
}

/** The entry's copy of the inode's type; `type` is i_mode >> 12. */
function* setType<Y>(ctx: Context<Y>, dir: Directory, bytes: Uint8Array, at: number, type: number): Step<Y, void> {
  const now = bytes[at + 7]!
  const right = fileTypes(ctx) ? (FILE_TYPE_OF_MODE[type] ?? 0) : 0
  if (now === right) return
  const entry = `Entry '${nameOf(bytes, at)}' in ??? (${dir.ino})`
  const problem =
    right === 0
      ? { text: `${entry} has filetype set.\n`, prompt: 'clear', preen: true }
      : now === 0
        ? {
            text: `Setting filetype for entry '${nameOf(bytes, at)}' in ??? (${dir.ino}) to ${right}.\n`,
            prompt: 'fix',
            preen: true,
          }
        : { text: `${entry} has an incorrect filetype (was ${now}, should be ${right}).\n`, prompt: 'fix' }
  if (yield* ctx.fix(problem as { text: string; prompt: 'fix' | 'clear'; preen?: boolean })) bytes[at + 7] = right
}

/** Put a name into `dir`, where there is room in its blocks. */
export function* addEntry<Y>(ctx: Context<Y>, dir: Directory, name: Uint8Array, ino: number): Step<Y, boolean> {
  const fileType = fileTypes(ctx) ? (FILE_TYPE_OF_MODE[ctx.types[ino]!] ?? 0) : 0
  const need = entryBytes(name.length)
  for (const block of dir.blocks) {
    if (block === 0) continue
    const bytes = (yield* ctx.blocks.get(block)).slice()
    const view = viewOf(bytes)
    for (let at = 0; at + 12 <= bytes.length; ) {
      const recLen = view.getUint16(at + 4, true)
      if (recLen < 12 || at + recLen > bytes.length) break
      const taken = view.getUint32(at, true) === 0 ? 0 : entryBytes(bytes[at + 6]!)
      if (recLen - taken >= need) {
        if (taken > 0) view.setUint16(at + 4, taken, true)
        writeEntry(bytes, at + taken, recLen - taken, { inode: ino, fileType, name })
        yield* ctx.blocks.put(block, bytes)
        return true
      }
      at += recLen
    }
  }
  return false
}
