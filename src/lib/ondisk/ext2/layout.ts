/**
 * The second extended file system, revision 1: constants and records as they lie on disk. Source of the facts: Linux 2.6.18's
 * include/linux/ext2_fs.h and e2fsprogs' doc. All words are little-endian. Shared by the kernel, GRUB and the image recipes.
 */

export const EXT2_SUPER_MAGIC = 0xef53
/** The superblock lies here, whatever the block size. */
export const SUPERBLOCK_OFFSET = 1024
export const SUPERBLOCK_BYTES = 1024
export const GROUP_DESC_BYTES = 32
export const GOOD_OLD_REV = 0
export const DYNAMIC_REV = 1
export const GOOD_OLD_INODE_BYTES = 128

export const EXT2_BAD_INO = 1
export const EXT2_ROOT_INO = 2
export const GOOD_OLD_FIRST_INO = 11

export const EXT2_VALID_FS = 1
export const EXT2_ERROR_FS = 2
export const EXT2_ERRORS_CONTINUE = 1

export const COMPAT_EXT_ATTR = 0x8
export const INCOMPAT_FILETYPE = 0x2
/** ext3's journal wants replaying: such a disk can be read as it stands, but not written. */
export const INCOMPAT_RECOVER = 0x4
export const RO_COMPAT_SPARSE_SUPER = 0x1
export const RO_COMPAT_LARGE_FILE = 0x2

export const EXT2_NAME_MAX = 255
export const EXT2_LINK_MAX = 32000
/** PATH_MAX: the longest path and the longest target of a symbolic link, with the zero that ends it. */
export const PATH_MAX = 4096
/** Blocks that an inode names itself; then one indirect, one double, one triple indirect block. */
export const DIRECT_BLOCKS = 12
/** Bytes of a symbolic link's target that fit in place of the block pointers. */
export const FAST_SYMLINK_BYTES = 60

/** i_mode: file types and the bits beside the permissions. */
export const S_IFMT = 0xf000
export const S_IFSOCK = 0xc000
export const S_IFLNK = 0xa000
export const S_IFREG = 0x8000
export const S_IFBLK = 0x6000
export const S_IFDIR = 0x4000
export const S_IFCHR = 0x2000
export const S_IFIFO = 0x1000

/** The directory is indexed by hashes (ext3); whoever changes it without keeping the index takes this away. */
export const EXT2_INDEX_FL = 0x1000

/** Directory entries' file_type, by i_mode >> 12. */
export const FILE_TYPE_OF_MODE = [0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6, 0, 0, 0] as const

/** Fields of the superblock: offset and width in bytes. */
export const SB = {
  inodes_count: [0, 4],
  blocks_count: [4, 4],
  r_blocks_count: [8, 4],
  free_blocks_count: [12, 4],
  free_inodes_count: [16, 4],
  first_data_block: [20, 4],
  log_block_size: [24, 4],
  log_frag_size: [28, 4],
  blocks_per_group: [32, 4],
  frags_per_group: [36, 4],
  inodes_per_group: [40, 4],
  mtime: [44, 4],
  wtime: [48, 4],
  mnt_count: [52, 2],
  max_mnt_count: [54, 2],
  magic: [56, 2],
  state: [58, 2],
  errors: [60, 2],
  minor_rev_level: [62, 2],
  lastcheck: [64, 4],
  checkinterval: [68, 4],
  creator_os: [72, 4],
  rev_level: [76, 4],
  def_resuid: [80, 2],
  def_resgid: [82, 2],
  first_ino: [84, 4],
  inode_size: [88, 2],
  block_group_nr: [90, 2],
  feature_compat: [92, 4],
  feature_incompat: [96, 4],
  feature_ro_compat: [100, 4],
  mkfs_time: [264, 4],
} as const
export const SB_UUID = 104
export const SB_UUID_BYTES = 16
export const SB_LABEL = 120
export const SB_LABEL_BYTES = 16

export type SuperblockField = keyof typeof SB

/** A superblock's 1024 bytes, read and written by field name. */
export class Superblock {
  readonly bytes: Uint8Array
  readonly #view: DataView
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = viewOf(bytes)
  }
  get(field: SuperblockField): number {
    const [at, width] = SB[field]
    return width === 4 ? this.#view.getUint32(at, true) : this.#view.getUint16(at, true)
  }
  set(field: SuperblockField, value: number): void {
    const [at, width] = SB[field]
    if (width === 4) this.#view.setUint32(at, value, true)
    else this.#view.setUint16(at, value, true)
  }
}

/** One group descriptor, copied out of the table. */
export interface GroupDesc {
  blockBitmap: number
  inodeBitmap: number
  inodeTable: number
  freeBlocks: number
  freeInodes: number
  usedDirs: number
}

export function readGroupDesc(view: DataView, at: number): GroupDesc {
  return {
    blockBitmap: view.getUint32(at, true),
    inodeBitmap: view.getUint32(at + 4, true),
    inodeTable: view.getUint32(at + 8, true),
    freeBlocks: view.getUint16(at + 12, true),
    freeInodes: view.getUint16(at + 14, true),
    usedDirs: view.getUint16(at + 16, true),
  }
}

export function writeGroupDesc(view: DataView, at: number, group: GroupDesc): void {
  view.setUint32(at, group.blockBitmap, true)
  view.setUint32(at + 4, group.inodeBitmap, true)
  view.setUint32(at + 8, group.inodeTable, true)
  view.setUint16(at + 12, group.freeBlocks, true)
  view.setUint16(at + 14, group.freeInodes, true)
  view.setUint16(at + 16, group.usedDirs, true)
}

/** With sparse_super, backups of superblock and descriptors lie in groups 0, 1 and the powers of 3, 5 and 7 only. */
export function groupHasSuper(group: number, sparse: boolean): boolean {
  if (!sparse || group <= 1) return true
  for (const base of [3, 5, 7]) {
    let power = base
    while (power < group) power *= base
    if (power === group) return true
  }
  return false
}

/**
 * Which pointers lead to the file's block `index`: [pointer in the inode, pointer in each indirect block...], the way of
 * ext2_block_to_path. Undefined past the triple indirect block. `pointers` is how many fit in a block.
 */
export function blockPath(index: number, pointers: number): number[] | undefined {
  if (index < DIRECT_BLOCKS) return [index]
  let rest = index - DIRECT_BLOCKS
  if (rest < pointers) return [DIRECT_BLOCKS, rest]
  rest -= pointers
  if (rest < pointers * pointers) return [DIRECT_BLOCKS + 1, Math.floor(rest / pointers), rest % pointers]
  rest -= pointers * pointers
  if (rest < pointers * pointers * pointers)
    return [
      DIRECT_BLOCKS + 2,
      Math.floor(rest / (pointers * pointers)),
      Math.floor(rest / pointers) % pointers,
      rest % pointers,
    ]
  return undefined
}

/** Blocks that one file can have: all that `blockPath` reaches. */
export const fileBlocksMax = (pointers: number): number =>
  DIRECT_BLOCKS + pointers + pointers * pointers + pointers * pointers * pointers

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
