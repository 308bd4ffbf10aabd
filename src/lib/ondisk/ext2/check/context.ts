/** What the passes share: the file system's shape, what they have found so far, and how they ask. */
import { Inode } from '../inode.ts'
import {
  GROUP_DESC_BYTES,
  type GroupDesc,
  groupHasSuper,
  RO_COMPAT_SPARSE_SUPER,
  readGroupDesc,
  type Superblock,
  viewOf,
} from '../layout.ts'
import type { Geometry } from '../reader.ts'
import { Blocks, type CheckIo, type Step } from './io.ts'
import { CheckAborted, type Problem, preenWord, question } from './problems.ts'

export interface CheckOptions {
  /** How questions are answered: -y, -n, -p, or by `io.ask`. */
  readonly answer: 'yes' | 'no' | 'preen' | 'ask'
  /** In front of preening's messages, and in summaries: the label, or the device. */
  readonly name: string
  /** Seconds since 1970. */
  readonly now: number
}

/** What pass 1 found at an inode number. */
export const FREE = 0
export const USED = 1
export const DIRECTORY = 2
/** In use, but not to be believed: pass 2 clears it with its name. */
export const BAD = 3

export interface Directory {
  readonly ino: number
  /** Its blocks in order; 0 for a hole. */
  readonly blocks: number[]
  /** What its `..` says. */
  dotdot: number
  /** Whose entry names it; 0: nobody's yet. */
  parent: number
}

/** s_reserved_gdt_blocks. */
const SB_RESERVED_GDT_BLOCKS = 206

export class Context<Y> {
  readonly io: CheckIo<Y>
  readonly options: CheckOptions
  readonly superblock: Superblock
  readonly geometry: Geometry
  readonly groups: GroupDesc[] = []
  readonly blocks: Blocks<Y>
  /** FREE, USED, ... by inode number. */
  readonly kinds: Uint8Array
  /** i_links_count, and how many names there are. */
  readonly links: Uint16Array
  readonly counted: Uint32Array
  /** i_mode >> 12: for directory entries' types. */
  readonly types: Uint8Array
  /** A bit for each block in use. */
  readonly found: Uint8Array
  /** ...and for those of the file system itself. */
  readonly metadata: Uint8Array
  readonly directories = new Map<number, Directory>()
  /** Blocks that several claim, and how many do. */
  readonly claims = new Map<number, number>()
  fragmented = 0
  lostFound = 0
  /** Something stays wrong: a question was answered with no. */
  unresolved = false
  #nextBlock = 0

  constructor(io: CheckIo<Y>, options: CheckOptions, superblock: Superblock, geometry: Geometry) {
    this.io = io
    this.options = options
    this.superblock = superblock
    this.geometry = geometry
    this.blocks = new Blocks(io, geometry.blockBytes)
    const { inodes, blocks } = geometry
    this.kinds = new Uint8Array(inodes + 1)
    this.links = new Uint16Array(inodes + 1)
    this.counted = new Uint32Array(inodes + 1)
    this.types = new Uint8Array(inodes + 1)
    this.found = new Uint8Array((blocks >> 3) + 1)
    this.metadata = new Uint8Array((blocks >> 3) + 1)
  }

  get preening(): boolean {
    return this.options.answer === 'preen'
  }

  /** Passes announce themselves, and there are remarks; not while preening. */
  *remark(text: string): Step<Y, void> {
    if (!this.preening) yield* this.io.say(text)
  }

  /** Tell of a problem and ask whether to repair it. `detail` follows the text before the question, as bitmap differences do. */
  *fix(problem: Problem): Step<Y, boolean> {
    const { text, prompt, preen = false, quiet = false } = problem
    const { answer, name } = this.options
    if (answer === 'preen') {
      if (!preen) {
        yield* this.io.say(`${name}: ${text}`)
        yield* this.io.say(
          `\n\n${name}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n\t(i.e., without -a or -p options)\n`,
        )
        throw new CheckAborted()
      }
      if (!quiet) yield* this.io.say(`${name}: ${text}${text.endsWith('\n') ? '' : ''}${preenWord(prompt)}.\n`)
      return true
    }
    yield* this.io.say(text)
    const asked = question(prompt)
    if (answer === 'ask' && this.io.ask) {
      const yes = yield* this.io.ask(asked)
      if (!yes) this.unresolved = true
      return yes
    }
    const yes = answer === 'yes'
    if (!yes) this.unresolved = true
    yield* this.io.say(`${asked}? ${yes ? 'yes' : 'no'}\n\n`)
    return yes
  }

  // --- blocks ---

  isBlock(block: number): boolean {
    return block > this.geometry.firstDataBlock && block < this.geometry.blocks
  }

  /** Group descriptors, and the blocks that are the file system's own. */
  *readGroups(): Step<Y, void> {
    const { blockBytes, firstDataBlock, groups, blocksPerGroup } = this.geometry
    const descBlocks = Math.ceil((groups * GROUP_DESC_BYTES) / blockBytes)
    const sparse = (this.superblock.get('feature_ro_compat') & RO_COMPAT_SPARSE_SUPER) !== 0
    const reserved = viewOf(this.superblock.bytes).getUint16(SB_RESERVED_GDT_BLOCKS, true)
    for (let group = 0; group < groups; group++) {
      const at = group * GROUP_DESC_BYTES
      const table = yield* this.blocks.get(firstDataBlock + 1 + Math.floor(at / blockBytes))
      const desc = readGroupDesc(viewOf(table), at % blockBytes)
      this.groups.push(desc)
      const start = firstDataBlock + group * blocksPerGroup
      if (groupHasSuper(group, sparse)) for (let i = 0; i <= descBlocks + reserved; i++) this.own(start + i)
      this.own(desc.blockBitmap)
      this.own(desc.inodeBitmap)
      for (let i = 0; i < this.tableBlocks; i++) this.own(desc.inodeTable + i)
    }
  }

  get tableBlocks(): number {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.geometry
    return Math.ceil((inodesPerGroup * inodeBytes) / blockBytes)
  }

  own(block: number): void {
    setBit(this.metadata, block)
    setBit(this.found, block)
  }

  /** Somebody claims `block`. */
  claim(block: number): void {
    if (!hasBit(this.found, block)) setBit(this.found, block)
    else this.claims.set(block, (this.claims.get(block) ?? 1) + 1)
  }

  unclaim(block: number): void {
    const many = this.claims.get(block)
    if (many === undefined) clearBit(this.found, block)
    else if (many === 2) this.claims.delete(block)
    else this.claims.set(block, many - 1)
  }

  /** A block that nobody uses, now used; undefined: there is none. */
  takeBlock(): number | undefined {
    const { firstDataBlock, blocks } = this.geometry
    if (this.#nextBlock === 0) this.#nextBlock = firstDataBlock + 1
    for (let tried = firstDataBlock + 1; tried < blocks; tried++) {
      const block = this.#nextBlock
      this.#nextBlock = block + 1 >= blocks ? firstDataBlock + 1 : block + 1
      if (!hasBit(this.found, block)) {
        setBit(this.found, block)
        return block
      }
    }
    return undefined
  }

  // --- inodes ---

  #place(ino: number): { block: number; at: number } {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.geometry
    const { inodeTable } = this.groups[Math.floor((ino - 1) / inodesPerGroup)]!
    const offset = ((ino - 1) % inodesPerGroup) * inodeBytes
    return { block: inodeTable + Math.floor(offset / blockBytes), at: offset % blockBytes }
  }

  *readInode(ino: number): Step<Y, Inode> {
    const { block, at } = this.#place(ino)
    const bytes = yield* this.blocks.get(block)
    return new Inode(ino, bytes.slice(at, at + this.geometry.inodeBytes))
  }

  *writeInode(inode: Inode): Step<Y, void> {
    const { block, at } = this.#place(inode.number)
    const bytes = (yield* this.blocks.get(block)).slice()
    bytes.set(inode.bytes, at)
    yield* this.blocks.put(block, bytes)
  }

  /** As a deleted one: no links, a time of deletion. */
  *clearInode(inode: Inode): Step<Y, void> {
    inode.links = 0
    inode.dtime = this.options.now
    yield* this.writeInode(inode)
    this.kinds[inode.number] = FREE
    this.links[inode.number] = 0
    this.directories.delete(inode.number)
  }
}

export const hasBit = (bitmap: Uint8Array, bit: number): boolean => (bitmap[bit >> 3]! & (1 << (bit & 7))) !== 0
export const setBit = (bitmap: Uint8Array, bit: number): void => {
  bitmap[bit >> 3] = bitmap[bit >> 3]! | (1 << (bit & 7))
}
export const clearBit = (bitmap: Uint8Array, bit: number): void => {
  bitmap[bit >> 3] = bitmap[bit >> 3]! & ~(1 << (bit & 7))
}
