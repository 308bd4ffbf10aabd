/** Disks and kernels to boot in tests: one ext2 partition with the files that a test wants. */
import { ELF_MAGIC, Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr } from '#abi/elf.ts'
import { memOf } from '#abi/mem.ts'
import { MULTIBOOT_HEADER_MAGIC, multiboot_header } from '#abi/pc/multiboot.ts'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { mkfs } from '#lib/ondisk/ext2/mkfs.ts'
import { FIRST_PARTITION_LBA, PARTITION_LINUX, partition, writePartitions } from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { bytesOfString } from '#lib/utf8.ts'

const DISK_SECTORS = 16384

/** Path to content; a string that begins with `->` is a symbolic link, undefined a directory. */
export type Files = Readonly<Record<string, string | Uint8Array | undefined>>

/** A disk of 8 MiB whose first partition holds `files`; `sectors` may make the partition shorter than its file system. */
export function diskWith(files: Files, { blockBytes = 1024 } = {}): SparseDisk {
  const disk = new SparseDisk(DISK_SECTORS)
  const entry = {
    active: true,
    type: PARTITION_LINUX,
    start: FIRST_PARTITION_LBA,
    sectors: DISK_SECTORS - FIRST_PARTITION_LBA,
  }
  writePartitions(disk, [entry])
  const store = partition(disk, entry)
  mkfs(store, { blockBytes, uuid: new Uint8Array(16).fill(7), nowSeconds: 1242109972 })
  const fs = Ext2.mount(store, { now: () => 1242109972 })
  const made = new Set<string>()
  const makeDirectory = (path: string): void => {
    if (path === '' || made.has(path)) return
    makeDirectory(path.slice(0, path.lastIndexOf('/')))
    fs.mkdir(path, 0o755)
    made.add(path)
  }
  for (const [path, content] of Object.entries(files)) {
    makeDirectory(content === undefined ? path : path.slice(0, path.lastIndexOf('/')))
    if (content === undefined) continue
    if (typeof content !== 'string') fs.writeFile(path, content)
    else if (content.startsWith('->')) fs.symlink(content.slice(2), path)
    else fs.writeFile(path, bytesOfString(content))
  }
  fs.unmount()
  return disk
}

export interface KernelOptions {
  readonly entry?: number
  readonly paddr?: number
  readonly vaddr?: number
  readonly flags?: number
  readonly bytes?: number
  /** Zero-filled bytes behind the segment's own. */
  readonly bss?: number
  readonly sections?: boolean
  readonly type?: number
}

const SEGMENT_OFFSET = 0x1000
const STRINGS = '\0.text\0.shstrtab\0'

/** A multiboot ELF32 kernel of one segment, filled with a pattern, its multiboot header at the segment's byte 64. */
export function elfKernel({
  paddr = 0x100000,
  vaddr = paddr,
  entry = vaddr,
  flags = 3,
  bytes = 0x3000,
  bss = 0x500,
  sections = true,
  type = 2,
}: KernelOptions = {}): Uint8Array {
  const stringsAt = SEGMENT_OFFSET + bytes
  const tableAt = stringsAt + 32
  const file = new Uint8Array(sections ? tableAt + 3 * Elf32_Shdr.size : stringsAt)
  const mem = memOf(file)
  mem.write32(0, ELF_MAGIC)
  file.set([1, 1, 1], 4)
  mem.write16(16, type)
  mem.write16(18, 3)
  mem.write32(20, 1)
  const { e_entry, e_phoff, e_phentsize, e_phnum, e_shoff, e_shentsize, e_shnum, e_shstrndx } = Elf32_Ehdr.fields
  e_entry.set(mem, 0, entry)
  e_phoff.set(mem, 0, Elf32_Ehdr.size)
  e_phentsize.set(mem, 0, Elf32_Phdr.size)
  e_phnum.set(mem, 0, 1)
  Elf32_Phdr.write(mem, Elf32_Ehdr.size, {
    p_type: 1,
    p_offset: SEGMENT_OFFSET,
    p_vaddr: vaddr,
    p_paddr: paddr,
    p_filesz: bytes,
    p_memsz: bytes + bss,
    p_flags: 7,
    p_align: 0x1000,
  })
  for (let i = 0; i < bytes; i++) file[SEGMENT_OFFSET + i] = (i * 7 + (i >> 8)) & 0xff
  multiboot_header.write(mem, SEGMENT_OFFSET + 64, {
    magic: MULTIBOOT_HEADER_MAGIC,
    flags,
    checksum: -(MULTIBOOT_HEADER_MAGIC + flags) >>> 0,
  })
  if (!sections) return file
  e_shoff.set(mem, 0, tableAt)
  e_shentsize.set(mem, 0, Elf32_Shdr.size)
  e_shnum.set(mem, 0, 3)
  e_shstrndx.set(mem, 0, 2)
  mem.copyIn(stringsAt, bytesOfString(STRINGS))
  Elf32_Shdr.write(mem, tableAt + Elf32_Shdr.size, {
    sh_name: 1,
    sh_type: 1,
    sh_addr: vaddr,
    sh_offset: SEGMENT_OFFSET,
    sh_size: bytes,
    sh_addralign: 4096,
  })
  Elf32_Shdr.write(mem, tableAt + 2 * Elf32_Shdr.size, {
    sh_name: 7,
    sh_type: 3,
    sh_offset: stringsAt,
    sh_size: STRINGS.length,
    sh_addralign: 1,
  })
  return file
}
