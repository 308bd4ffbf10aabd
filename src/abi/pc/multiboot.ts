/** Multiboot Specification 0.6.96: the header in the image, the information structure in EBX. */
import { packed, struct, u32, u64 } from '../struct.ts'

export const MULTIBOOT_HEADER_MAGIC = 0x1badb002
/** EAX at the kernel's entry. */
export const MULTIBOOT_LOADER_MAGIC = 0x2badb002
/** The header lies, 4-byte aligned, wholly within this many bytes from the file's start. */
export const MULTIBOOT_SEARCH_BYTES = 8192

export const MULTIBOOT_PAGE_ALIGN = 1 << 0
export const MULTIBOOT_MEMORY_INFO = 1 << 1
export const MULTIBOOT_VIDEO_MODE = 1 << 2
export const MULTIBOOT_AOUT_KLUDGE = 1 << 16

export const multiboot_header = struct('multiboot_header', 32, {
  magic: u32(0),
  flags: u32(4),
  /** magic + flags + checksum = 0 mod 2^32 */
  checksum: u32(8),
  header_addr: u32(12),
  load_addr: u32(16),
  load_end_addr: u32(20),
  bss_end_addr: u32(24),
  entry_addr: u32(28),
})

export const MBI_MEMORY = 1 << 0
export const MBI_BOOTDEV = 1 << 1
export const MBI_CMDLINE = 1 << 2
export const MBI_MODULES = 1 << 3
export const MBI_AOUT_SYMS = 1 << 4
export const MBI_ELF_SHDR = 1 << 5
export const MBI_MEMMAP = 1 << 6
export const MBI_DRIVES = 1 << 7
export const MBI_CONFIG = 1 << 8
export const MBI_LOADERNAME = 1 << 9
export const MBI_APM = 1 << 10

export const multiboot_info = struct('multiboot_info', 88, {
  flags: u32(0),
  /** KiB from 0. */
  mem_lower: u32(4),
  /** KiB from 1 MiB. */
  mem_upper: u32(8),
  boot_device: u32(12),
  cmdline: u32(16),
  mods_count: u32(20),
  mods_addr: u32(24),
  elf_num: u32(28),
  elf_size: u32(32),
  elf_addr: u32(36),
  elf_shndx: u32(40),
  mmap_length: u32(44),
  mmap_addr: u32(48),
  drives_length: u32(52),
  drives_addr: u32(56),
  config_table: u32(60),
  boot_loader_name: u32(64),
  apm_table: u32(68),
  vbe_control_info: u32(72),
  vbe_mode_info: u32(76),
  vbe_mode: u32(80),
  vbe_interface: u32(84),
})

export const module_t = struct('module', 16, { mod_start: u32(0), mod_end: u32(4), string: u32(8), reserved: u32(12) })

/** `size` counts the bytes behind itself (20); the next entry lies at this one's address + size + 4. */
export const memory_map = struct('memory_map', 24, {
  size: u32(0),
  base_addr: packed(u64(4)),
  length: packed(u64(12)),
  type: u32(20),
})
