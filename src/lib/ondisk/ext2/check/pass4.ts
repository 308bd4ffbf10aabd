/** Pass 4: links are as many as there are names. */
import { EXT2_ROOT_INO } from '../layout.ts'
import { BAD, type Context, FREE } from './context.ts'
import type { Step } from './io.ts'
import { connect } from './pass3.ts'
import { visitBlocks } from './pointers.ts'

export function* pass4<Y>(ctx: Context<Y>): Step<Y, void> {
  yield* ctx.remark('Pass 4: Checking reference counts\n')
  const { inodes, firstInode } = ctx.geometry
  for (let ino = EXT2_ROOT_INO; ino <= inodes; ino++) {
    if (ino > EXT2_ROOT_INO && ino < firstInode) continue
    if (ctx.kinds[ino] === FREE) continue
    if (ctx.counted[ino] === 0 && (yield* unattached(ctx, ino))) continue
    const counted = ctx.counted[ino]!
    if (counted === ctx.links[ino]) continue
    const text = `Inode ${ino} ref count is ${ctx.links[ino]}, should be ${counted}.  `
    if (!(yield* ctx.fix({ text, prompt: 'fix', preen: true }))) continue
    const inode = yield* ctx.readInode(ino)
    inode.links = counted
    yield* ctx.writeInode(inode)
    ctx.links[ino] = counted
  }
}

/** An inode without a name. Whether there is nothing more to do for it. */
function* unattached<Y>(ctx: Context<Y>, ino: number): Step<Y, boolean> {
  const inode = yield* ctx.readInode(ino)
  const empty = inode.sectors === 0 && (inode.isFile || inode.isDir)
  if (empty || ctx.kinds[ino] === BAD) {
    const text = `Unattached zero-length inode ${ino}.  `
    if (yield* ctx.fix({ text, prompt: 'clear', preen: true })) {
      yield* visitBlocks(ctx, inode, function* (block) {
        return block
      })
      yield* ctx.clearInode(inode)
      return true
    }
  }
  if (yield* ctx.fix({ text: `Unattached inode ${ino}\n`, prompt: 'connect' })) return !(yield* connect(ctx, ino))
  return true
}
