/**
 * Directory blocks: a chain of entries {inode u32, rec_len u16, name_len u8, file_type u8, name}, each a multiple of four bytes long;
 * the last one reaches to the end of the block, and none crosses it. Entries with inode 0 are free space.
 */
import { byteString } from '../../utf8.ts'
import { inconsistent } from './errors.ts'
import { viewOf } from './layout.ts'

export interface DirEntry {
  /** A byte string: names on disk have no encoding. */
  readonly name: string
  readonly inode: number
  /** FILE_TYPE_OF_MODE's values; 0 where the file system does not keep types. */
  readonly fileType: number
}

/** An entry with its place in its block. */
export interface Slot {
  readonly at: number
  readonly recLen: number
  readonly inode: number
  readonly nameLen: number
  readonly fileType: number
}

/** Bytes that an entry with a name of so many bytes takes at least. */
export const entryBytes = (nameLen: number): number => (8 + nameLen + 3) & ~3

/**
 * All slots of a directory block, free ones too. Throws EIO where the chain breaks its own rules, so it always ends.
 * `inodesCount` bounds the inode numbers.
 */
export function slotsOf(block: Uint8Array, inodesCount: number): Slot[] {
  const view = viewOf(block)
  const slots: Slot[] = []
  let at = 0
  while (at < block.length) {
    if (at + 8 > block.length) throw inconsistent('directory entry across blocks')
    const slot = {
      at,
      inode: view.getUint32(at, true),
      recLen: view.getUint16(at + 4, true),
      nameLen: view.getUint8(at + 6),
      fileType: view.getUint8(at + 7),
    }
    if (slot.recLen < 12 || slot.recLen % 4 !== 0) throw inconsistent('rec_len is wrong')
    if (at + slot.recLen > block.length) throw inconsistent('directory entry across blocks')
    if (slot.inode !== 0 && entryBytes(slot.nameLen) > slot.recLen)
      throw inconsistent('rec_len is too small for name_len')
    if (slot.inode > inodesCount) throw inconsistent('directory entry with an inode out of bounds')
    slots.push(slot)
    at += slot.recLen
  }
  return slots
}

/**
 * The inode number of the entry called `name` (its bytes), or undefined: `slotsOf` for the path walk, without an object an entry. Stops at
 * the name, so what is wrong behind it goes unseen.
 */
export function findInBlock(block: Uint8Array, name: Uint8Array, inodesCount: number): number | undefined {
  const view = viewOf(block)
  for (let at = 0; at < block.length; ) {
    // The same rules as above; let it word what is wrong.
    if (at + 8 > block.length) return void slotsOf(block, inodesCount)
    const recLen = view.getUint16(at + 4, true)
    if (recLen < 12 || recLen % 4 !== 0 || at + recLen > block.length) return void slotsOf(block, inodesCount)
    const inode = view.getUint32(at, true)
    if (inode !== 0 && block[at + 6] === name.length && entryBytes(name.length) <= recLen) {
      let same = 0
      while (same < name.length && block[at + 8 + same] === name[same]) same++
      if (same === name.length) {
        if (inode > inodesCount) throw inconsistent('directory entry with an inode out of bounds')
        return inode
      }
    }
    at += recLen
  }
  return undefined
}

/** Where in `block` an entry of `need` bytes fits: the slot that is free or has so much to spare. Undefined where none does. */
export function roomInBlock(block: Uint8Array, need: number, inodesCount: number): number | undefined {
  const view = viewOf(block)
  for (let at = 0; at + 8 <= block.length; ) {
    const recLen = view.getUint16(at + 4, true)
    if (recLen < 12 || recLen % 4 !== 0 || at + recLen > block.length) return void slotsOf(block, inodesCount)
    const taken = view.getUint32(at, true) === 0 ? 0 : entryBytes(block[at + 6]!)
    if (recLen - taken >= need) return at
    at += recLen
  }
  return undefined
}

export const slotName = (block: Uint8Array, slot: Slot): string =>
  byteString(block.subarray(slot.at + 8, slot.at + 8 + slot.nameLen))

/** Store an entry at `at`, taking `recLen` bytes; the bytes behind the name are zeroed. */
export function writeEntry(
  block: Uint8Array,
  at: number,
  recLen: number,
  entry: { readonly inode: number; readonly fileType: number; readonly name: Uint8Array },
): void {
  const view = viewOf(block)
  block.fill(0, at, at + Math.min(recLen, entryBytes(entry.name.length)))
  view.setUint32(at, entry.inode, true)
  view.setUint16(at + 4, recLen, true)
  view.setUint8(at + 6, entry.name.length)
  view.setUint8(at + 7, entry.fileType)
  block.set(entry.name, at + 8)
}

/** A block that is one free entry. */
export function emptyDirBlock(blockBytes: number): Uint8Array {
  const block = new Uint8Array(blockBytes)
  viewOf(block).setUint16(4, blockBytes, true)
  return block
}
