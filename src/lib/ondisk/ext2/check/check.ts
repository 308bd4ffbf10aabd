/**
 * Checking and repairing an ext2 file system: e2fsck 1.39's passes, messages and answers. Everything on the disk is doubted; whatever it
 * holds, the check ends, and with every question answered yes a second one finds nothing.
 */
import { EXT2_ERROR_FS, EXT2_VALID_FS, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, Superblock, viewOf } from '../layout.ts'
import { type Geometry, geometryOf } from '../reader.ts'
import { type CheckOptions, Context, FREE } from './context.ts'
import type { CheckIo, Step } from './io.ts'
import { pass1 } from './pass1.ts'
import { pass1b } from './pass1b.ts'
import { pass2 } from './pass2.ts'
import { pass3 } from './pass3.ts'
import { pass4 } from './pass4.ts'
import { pass5 } from './pass5.ts'
import { CheckAborted } from './problems.ts'

export type { CheckIo } from './io.ts'

export interface CheckResult {
  /** Something was repaired. */
  readonly changed: boolean
  /** Something is wrong still. */
  readonly unresolved: boolean
  /** Files in use, inodes, files in pieces; blocks in use, blocks. */
  readonly files: number
  readonly inodes: number
  readonly fragmented: number
  readonly usedBlocks: number
  readonly blocks: number
}

/** What lies at 1024; a string says what is wrong with it. */
export function* openSuperblock<Y>(io: CheckIo<Y>): Step<Y, { superblock: Superblock; geometry: Geometry } | string> {
  const superblock = new Superblock((yield* io.read(1, 1, SUPERBLOCK_OFFSET)).slice(0, SUPERBLOCK_BYTES))
  const geometry = geometryOf(superblock)
  return typeof geometry === 'string' ? geometry : { superblock, geometry }
}

/** Where a backup of the superblock may lie: behind the first group, for each block size. */
const BACKUPS = [
  [8193, 1024],
  [16384, 2048],
  [32768, 4096],
] as const

/** A backup that makes sense, put back in the first one's place. */
export function* restoreSuperblock<Y>(
  io: CheckIo<Y>,
): Step<Y, { superblock: Superblock; geometry: Geometry } | undefined> {
  for (const [block, blockBytes] of BACKUPS) {
    let bytes: Uint8Array
    try {
      bytes = yield* io.read(block, 1, blockBytes)
    } catch {
      // The disk ends before it.
      continue
    }
    if (bytes.length < SUPERBLOCK_BYTES) continue
    const superblock = new Superblock(bytes.slice(0, SUPERBLOCK_BYTES))
    const geometry = geometryOf(superblock)
    if (typeof geometry === 'string' || geometry.blockBytes !== blockBytes) continue
    superblock.set('block_group_nr', 0)
    superblock.set('state', 0)
    yield* io.write(1, superblock.bytes, SUPERBLOCK_OFFSET)
    const groups = yield* io.read(block + 1, 1, blockBytes)
    const first = yield* io.read(geometry.firstDataBlock + 1, 1, blockBytes)
    // The descriptors' places never change; counts that are out of date are pass 5's.
    if (viewOf(first).getUint32(0, true) !== viewOf(groups).getUint32(0, true))
      yield* io.write(geometry.firstDataBlock + 1, groups, blockBytes)
    return { superblock, geometry }
  }
  return undefined
}

/** All passes. `undefined`: aborted, after saying why. */
export function* checkExt2<Y>(
  io: CheckIo<Y>,
  { superblock, geometry }: { superblock: Superblock; geometry: Geometry },
  options: CheckOptions,
): Step<Y, CheckResult | undefined> {
  const ctx = new Context(io, options, superblock, geometry)
  try {
    yield* ctx.readGroups()
    if (!groupsSane(ctx)) {
      yield* io.say(`${options.name}: Group descriptors look bad...\n`)
      return undefined
    }
    yield* pass1(ctx)
    yield* pass1b(ctx)
    yield* pass2(ctx)
    yield* pass3(ctx)
    yield* pass4(ctx)
    yield* pass5(ctx)
  } catch (error) {
    if (error instanceof CheckAborted) return undefined
    throw error
  }
  const changed = ctx.blocks.changed
  if (options.answer !== 'no') {
    if (!ctx.unresolved) superblock.set('state', (superblock.get('state') | EXT2_VALID_FS) & ~EXT2_ERROR_FS)
    superblock.set('mnt_count', 0)
    superblock.set('lastcheck', options.now)
    superblock.set('wtime', options.now)
    yield* io.write(1, superblock.bytes, SUPERBLOCK_OFFSET)
  }
  let files = 0
  for (let ino = 1; ino <= geometry.inodes; ino++) if (ino < geometry.firstInode || ctx.kinds[ino] !== FREE) files++
  return {
    changed,
    unresolved: ctx.unresolved,
    files,
    inodes: geometry.inodes,
    fragmented: ctx.fragmented,
    usedBlocks: geometry.blocks - superblock.get('free_blocks_count'),
    blocks: geometry.blocks,
  }
}

/** Bitmaps and tables lie inside their groups. */
function groupsSane<Y>(ctx: Context<Y>): boolean {
  const { firstDataBlock, blocksPerGroup, blocks } = ctx.geometry
  return ctx.groups.every(({ blockBitmap, inodeBitmap, inodeTable }, group) => {
    const start = firstDataBlock + group * blocksPerGroup
    const end = Math.min(start + blocksPerGroup, blocks)
    const inside = (first: number, count: number): boolean => first >= start && first + count <= end
    return inside(blockBitmap, 1) && inside(inodeBitmap, 1) && inside(inodeTable, ctx.tableBlocks)
  })
}
