/** Pass 5: bitmaps and counts say what was found. */
import { GROUP_DESC_BYTES, viewOf, writeGroupDesc } from '../layout.ts'
import { type Context, clearBit, DIRECTORY, FREE, hasBit, setBit } from './context.ts'
import type { Step } from './io.ts'

export function* pass5<Y>(ctx: Context<Y>): Step<Y, void> {
  yield* ctx.remark('Pass 5: Checking group summary information\n')
  const { firstDataBlock, blocks, blocksPerGroup, inodesPerGroup, inodes, firstInode } = ctx.geometry
  yield* checkBitmaps(ctx, 'Block', firstDataBlock, blocksPerGroup, blocks - firstDataBlock, (block) =>
    hasBit(ctx.found, block),
  )
  yield* checkCounts(ctx, 'blocks', (group) => {
    let free = 0
    const start = firstDataBlock + group * blocksPerGroup
    for (let block = start; block < Math.min(start + blocksPerGroup, blocks); block++)
      if (!hasBit(ctx.found, block)) free++
    return free
  })
  const used = (ino: number): boolean => ino < firstInode || ctx.kinds[ino] !== FREE
  yield* checkBitmaps(ctx, 'Inode', 1, inodesPerGroup, inodes, used)
  yield* checkCounts(ctx, 'inodes', (group) => {
    let free = 0
    for (let i = 1; i <= inodesPerGroup; i++) if (!used(group * inodesPerGroup + i)) free++
    return free
  })
  yield* checkDirCounts(ctx)
}

/** `what` numbers from `first` on, `perGroup` in each group's bitmap, `total` in all. */
function* checkBitmaps<Y>(
  ctx: Context<Y>,
  what: 'Block' | 'Inode',
  first: number,
  perGroup: number,
  total: number,
  inUse: (number: number) => boolean,
): Step<Y, void> {
  let text = ''
  let padding = false
  const wrong: number[] = []
  // Neighbours that differ the same way are told as a range.
  let from = 0
  let to = -1
  let sign = ''
  const end = (): void => {
    if (sign !== '') text += from === to ? ` ${sign}${from}` : ` ${sign}(${from}--${to})`
  }
  for (let group = 0; group < ctx.groups.length; group++) {
    const bitmap = yield* ctx.blocks.get(bitmapOf(ctx, what, group))
    let differs = false
    for (let bit = 0; bit < 8 * ctx.geometry.blockBytes; bit++) {
      const index = group * perGroup + bit
      const here = hasBit(bitmap, bit)
      if (bit >= perGroup || index >= total) {
        if (!here) {
          padding = true
          differs = true
        }
        continue
      }
      const should = inUse(first + index)
      if (here === should) continue
      differs = true
      const now = should ? '+' : '-'
      if (now === sign && to === first + index - 1) to++
      else {
        end()
        from = to = first + index
        sign = now
      }
    }
    if (differs) wrong.push(group)
  }
  end()
  let repair = false
  if (text !== '') {
    const problem = { text: `${what} bitmap differences: ${text}\n`, prompt: 'fix', preen: true, quiet: true } as const
    repair = yield* ctx.fix(problem)
  }
  if (padding) {
    const problem = {
      text: `Padding at end of ${what.toLowerCase()} bitmap is not set. `,
      prompt: 'fix',
      preen: true,
    } as const
    repair = (yield* ctx.fix(problem)) || repair
  }
  if (!repair) return
  for (const group of wrong) {
    const bitmap = (yield* ctx.blocks.get(bitmapOf(ctx, what, group))).slice()
    for (let bit = 0; bit < 8 * bitmap.length; bit++) {
      const index = group * perGroup + bit
      if (bit >= perGroup || index >= total || inUse(first + index)) setBit(bitmap, bit)
      else clearBit(bitmap, bit)
    }
    yield* ctx.blocks.put(bitmapOf(ctx, what, group), bitmap)
  }
}

const bitmapOf = <Y>(ctx: Context<Y>, what: 'Block' | 'Inode', group: number): number =>
  what === 'Block' ? ctx.groups[group]!.blockBitmap : ctx.groups[group]!.inodeBitmap

function* checkCounts<Y>(ctx: Context<Y>, what: 'blocks' | 'inodes', count: (group: number) => number): Step<Y, void> {
  const field = what === 'blocks' ? 'freeBlocks' : 'freeInodes'
  const total = what === 'blocks' ? 'free_blocks_count' : 'free_inodes_count'
  let sum = 0
  for (let group = 0; group < ctx.groups.length; group++) {
    const desc = ctx.groups[group]!
    const counted = count(group)
    sum += counted
    if (desc[field] === counted) continue
    const text = `Free ${what} count wrong for group #${group} (${desc[field]}, counted=${counted}).\n`
    if (yield* ctx.fix({ text, prompt: 'fix', preen: true, quiet: true })) {
      desc[field] = counted
      yield* storeGroup(ctx, group)
    }
  }
  const now = ctx.superblock.get(total)
  if (now === sum) return
  const text = `Free ${what} count wrong (${now}, counted=${sum}).\n`
  if (yield* ctx.fix({ text, prompt: 'fix', preen: true, quiet: true })) {
    ctx.superblock.set(total, sum)
    ctx.blocks.changed = true
  }
}

function* checkDirCounts<Y>(ctx: Context<Y>): Step<Y, void> {
  const { inodesPerGroup } = ctx.geometry
  for (let group = 0; group < ctx.groups.length; group++) {
    let counted = 0
    for (let i = 1; i <= inodesPerGroup; i++) if (ctx.kinds[group * inodesPerGroup + i] === DIRECTORY) counted++
    const desc = ctx.groups[group]!
    if (desc.usedDirs === counted) continue
    const text = `Directories count wrong for group #${group} (${desc.usedDirs}, counted=${counted}).\n`
    if (yield* ctx.fix({ text, prompt: 'fix', preen: true, quiet: true })) {
      desc.usedDirs = counted
      yield* storeGroup(ctx, group)
    }
  }
}

function* storeGroup<Y>(ctx: Context<Y>, group: number): Step<Y, void> {
  const { firstDataBlock, blockBytes } = ctx.geometry
  const at = group * GROUP_DESC_BYTES
  const block = firstDataBlock + 1 + Math.floor(at / blockBytes)
  const bytes = (yield* ctx.blocks.get(block)).slice()
  writeGroupDesc(viewOf(bytes), at % blockBytes, ctx.groups[group]!)
  yield* ctx.blocks.put(block, bytes)
}
