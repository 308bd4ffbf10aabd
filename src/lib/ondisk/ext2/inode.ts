/** An inode: the 128 bytes (or more) of an inode table, with the fields that we know by name and the rest kept as it is. */
import { FAST_SYMLINK_BYTES, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, viewOf } from './layout.ts'

const AT_MODE = 0
const AT_UID = 2
const AT_SIZE = 4
const AT_ATIME = 8
const AT_CTIME = 12
const AT_MTIME = 16
const AT_DTIME = 20
const AT_GID = 24
const AT_LINKS = 26
const AT_SECTORS = 28
const AT_FLAGS = 32
const AT_BLOCK = 40
const AT_GENERATION = 100
const AT_FILE_ACL = 104
const AT_SIZE_HIGH = 108
const AT_UID_HIGH = 120
const AT_GID_HIGH = 122

export class Inode {
  readonly number: number
  readonly bytes: Uint8Array
  readonly #view: DataView
  constructor(number: number, bytes: Uint8Array) {
    this.number = number
    this.bytes = bytes
    this.#view = viewOf(bytes)
  }

  /** Type and permissions, as st_mode. */
  get mode(): number {
    return this.#view.getUint16(AT_MODE, true)
  }
  set mode(value: number) {
    this.#view.setUint16(AT_MODE, value, true)
  }
  get isDir(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR
  }
  get isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG
  }
  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK
  }
  /** Bytes. The upper half is a size in regular files alone. */
  get size(): number {
    return this.#view.getUint32(AT_SIZE, true) + (this.isFile ? this.#view.getUint32(AT_SIZE_HIGH, true) * 2 ** 32 : 0)
  }
  set size(value: number) {
    this.#view.setUint32(AT_SIZE, value % 2 ** 32, true)
    if (this.isFile) this.#view.setUint32(AT_SIZE_HIGH, Math.floor(value / 2 ** 32), true)
  }
  get uid(): number {
    return this.#view.getUint16(AT_UID, true) + this.#view.getUint16(AT_UID_HIGH, true) * 0x10000
  }
  set uid(value: number) {
    this.#view.setUint16(AT_UID, value & 0xffff, true)
    this.#view.setUint16(AT_UID_HIGH, value >>> 16, true)
  }
  get gid(): number {
    return this.#view.getUint16(AT_GID, true) + this.#view.getUint16(AT_GID_HIGH, true) * 0x10000
  }
  set gid(value: number) {
    this.#view.setUint16(AT_GID, value & 0xffff, true)
    this.#view.setUint16(AT_GID_HIGH, value >>> 16, true)
  }
  /** Times are seconds since 1970. */
  get atime(): number {
    return this.#view.getUint32(AT_ATIME, true)
  }
  set atime(value: number) {
    this.#view.setUint32(AT_ATIME, value, true)
  }
  get ctime(): number {
    return this.#view.getUint32(AT_CTIME, true)
  }
  set ctime(value: number) {
    this.#view.setUint32(AT_CTIME, value, true)
  }
  get mtime(): number {
    return this.#view.getUint32(AT_MTIME, true)
  }
  set mtime(value: number) {
    this.#view.setUint32(AT_MTIME, value, true)
  }
  /** When the inode was deleted; 0 while it is in use. */
  get dtime(): number {
    return this.#view.getUint32(AT_DTIME, true)
  }
  set dtime(value: number) {
    this.#view.setUint32(AT_DTIME, value, true)
  }
  get links(): number {
    return this.#view.getUint16(AT_LINKS, true)
  }
  set links(value: number) {
    this.#view.setUint16(AT_LINKS, value, true)
  }
  /** i_blocks: 512-byte sectors that the file takes, indirect blocks included. */
  get sectors(): number {
    return this.#view.getUint32(AT_SECTORS, true)
  }
  set sectors(value: number) {
    this.#view.setUint32(AT_SECTORS, value, true)
  }
  get flags(): number {
    return this.#view.getUint32(AT_FLAGS, true)
  }
  set flags(value: number) {
    this.#view.setUint32(AT_FLAGS, value, true)
  }
  get generation(): number {
    return this.#view.getUint32(AT_GENERATION, true)
  }
  set generation(value: number) {
    this.#view.setUint32(AT_GENERATION, value, true)
  }
  /** The block of extended attributes, or 0. */
  get fileAcl(): number {
    return this.#view.getUint32(AT_FILE_ACL, true)
  }
  set fileAcl(value: number) {
    this.#view.setUint32(AT_FILE_ACL, value, true)
  }
  /** i_block[index], 0 to 14: a block number or 0 for a hole. A device node keeps its number in the first two. */
  block(index: number): number {
    return this.#view.getUint32(AT_BLOCK + 4 * index, true)
  }
  setBlock(index: number, value: number): void {
    this.#view.setUint32(AT_BLOCK + 4 * index, value, true)
  }
  /** The bytes of the block pointers, where a short symbolic link keeps its target. A view, not a copy. */
  get blockBytes(): Uint8Array {
    return this.bytes.subarray(AT_BLOCK, AT_BLOCK + FAST_SYMLINK_BYTES)
  }
}
