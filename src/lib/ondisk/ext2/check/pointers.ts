/** Walking an inode's blocks, indirect ones too, and changing the pointers on the way. */
import type { Inode } from '../inode.ts'
import { DIRECT_BLOCKS, viewOf } from '../layout.ts'
import type { Context } from './context.ts'
import type { Step } from './io.ts'

/** `index`: the file's block; -1 for one that holds pointers. The answer stands in its place; 0 makes a hole. */
export type Visit<Y> = (block: number, index: number, depth: number) => Step<Y, number>

/** Visits every block but the holes; what changed is written, the inode by the caller. Whether the inode itself changed. */
export function* visitBlocks<Y>(ctx: Context<Y>, inode: Inode, visit: Visit<Y>): Step<Y, boolean> {
  const { pointers } = ctx.geometry
  let changed = false
  let first = 0
  for (let i = 0; i < DIRECT_BLOCKS + 3; i++) {
    const depth = i < DIRECT_BLOCKS ? 0 : i - DIRECT_BLOCKS + 1
    const block = inode.block(i)
    if (block !== 0) {
      const next = yield* visitOne(ctx, block, first, depth, visit)
      if (next !== block) {
        inode.setBlock(i, next)
        changed = true
      }
    }
    first += pointers ** depth
  }
  return changed
}

function* visitOne<Y>(ctx: Context<Y>, block: number, first: number, depth: number, visit: Visit<Y>): Step<Y, number> {
  const next = yield* visit(block, depth === 0 ? first : -1, depth)
  if (depth === 0 || next === 0 || !ctx.isBlock(next)) return next
  const { pointers } = ctx.geometry
  const old = yield* ctx.blocks.get(next)
  const view = viewOf(old)
  let bytes: Uint8Array | undefined
  const span = pointers ** (depth - 1)
  for (let i = 0; i < pointers; i++) {
    const child = view.getUint32(4 * i, true)
    if (child === 0) continue
    const changed = yield* visitOne(ctx, child, first + i * span, depth - 1, visit)
    if (changed === child) continue
    bytes ??= old.slice()
    viewOf(bytes).setUint32(4 * i, changed, true)
  }
  if (bytes) yield* ctx.blocks.put(next, bytes)
  return next
}
