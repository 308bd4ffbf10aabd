/** Passes 1B to 1D: blocks that several inodes claim. Each but the last gets a copy of its own. */
import { type Context, DIRECTORY, FREE } from './context.ts'
import type { Step } from './io.ts'
import { visitBlocks } from './pointers.ts'

export function* pass1b<Y>(ctx: Context<Y>): Step<Y, void> {
  if (ctx.claims.size === 0) return
  const { inodes } = ctx.geometry
  yield* ctx.remark(
    '\nRunning additional passes to resolve blocks claimed by more than one inode...\n' +
      'Pass 1B: Rescanning for multiply-claimed blocks\n',
  )
  const claimants: { ino: number; blocks: number[] }[] = []
  for (let ino = 1; ino <= inodes; ino++) {
    if (ctx.kinds[ino] === FREE) continue
    const type = ctx.types[ino]!
    // Only directories, files and links have blocks.
    if (type !== 4 && type !== 8 && type !== 10) continue
    const inode = yield* ctx.readInode(ino)
    if (type === 10 && inode.sectors === 0) continue
    const blocks: number[] = []
    yield* visitBlocks(ctx, inode, function* (block) {
      if (ctx.claims.has(block)) blocks.push(block)
      return block
    })
    if (blocks.length === 0) continue
    yield* ctx.remark(`Multiply-claimed block(s) in inode ${ino}: ${blocks.join(' ')}\n`)
    claimants.push({ ino, blocks })
  }
  yield* ctx.remark('Pass 1C: Scanning directories for inodes with multiply-claimed blocks.\n')
  yield* ctx.remark('Pass 1D: Reconciling multiply-claimed blocks\n')
  yield* ctx.remark(`(There are ${claimants.length} inodes containing multiply-claimed blocks.)\n\n`)
  for (const { ino, blocks } of claimants) yield* resolve(ctx, ino, blocks, claimants)
}

function* resolve<Y>(
  ctx: Context<Y>,
  ino: number,
  blocks: readonly number[],
  claimants: readonly { ino: number; blocks: readonly number[] }[],
): Step<Y, void> {
  if (!blocks.some((block) => ctx.claims.has(block))) {
    yield* ctx.remark('Multiply-claimed blocks already reassigned or cloned.\n\n')
    return
  }
  const others = claimants.filter((one) => one.ino !== ino && one.blocks.some((block) => blocks.includes(block)))
  const list = others.map((one) => `\t(inode #${one.ino})\n`).join('')
  const text = `File (inode #${ino}) \n  has ${blocks.length} multiply-claimed block(s), shared with ${others.length} file(s):\n${list}`
  if (!(yield* ctx.fix({ text, prompt: 'clone' }))) return
  const inode = yield* ctx.readInode(ino)
  let full = false
  const directory = ctx.directories.get(ino)
  const changed = yield* visitBlocks(ctx, inode, function* (block) {
    if (full || !ctx.claims.has(block)) return block
    const copy = ctx.takeBlock()
    if (copy === undefined) {
      full = true
      return block
    }
    yield* ctx.blocks.put(copy, (yield* ctx.blocks.get(block)).slice())
    ctx.unclaim(block)
    const at = directory?.blocks.indexOf(block) ?? -1
    if (directory && at >= 0) directory.blocks[at] = copy
    return copy
  })
  if (changed) yield* ctx.writeInode(inode)
  if (!full) return
  // No room for copies: the file goes, and its blocks are no longer claimed.
  yield* ctx.remark(`Couldn't clone file: Could not allocate block in ext2 filesystem\n`)
  const isDir = ctx.kinds[ino] === DIRECTORY
  if (isDir || !(yield* ctx.fix({ text: `Delete file (inode #${ino})`, prompt: 'clearInode' }))) return
  yield* visitBlocks(ctx, inode, function* (block) {
    if (ctx.isBlock(block)) ctx.unclaim(block)
    return block
  })
  yield* ctx.clearInode(inode)
}
