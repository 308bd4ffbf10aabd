/** ELF (System V gABI): what our linker writes and GRUB's and Xen's loaders read. */
import { bytes, size64, struct, u16, u32, u64 } from './struct.ts'

/** '\x7fELF', little-endian. */
export const ELF_MAGIC = 0x464c457f
export const ELFCLASS32 = 1
export const ELFCLASS64 = 2
export const ELFDATA2LSB = 1
export const ET_EXEC = 2
export const EM_386 = 3
export const EM_X86_64 = 62
export const PT_LOAD = 1
export const PT_NOTE = 4
export const SHT_NULL = 0
export const SHT_PROGBITS = 1
export const SHT_STRTAB = 3
export const PF_X = 1
export const PF_W = 2
export const PF_R = 4

export const Elf32_Ehdr = struct('Elf32_Ehdr', 52, {
  e_ident: bytes(0, 16),
  e_type: u16(16),
  e_machine: u16(18),
  e_version: u32(20),
  e_entry: u32(24),
  e_phoff: u32(28),
  e_shoff: u32(32),
  e_flags: u32(36),
  e_ehsize: u16(40),
  e_phentsize: u16(42),
  e_phnum: u16(44),
  e_shentsize: u16(46),
  e_shnum: u16(48),
  e_shstrndx: u16(50),
})
export const Elf32_Phdr = struct('Elf32_Phdr', 32, {
  p_type: u32(0),
  p_offset: u32(4),
  p_vaddr: u32(8),
  p_paddr: u32(12),
  p_filesz: u32(16),
  p_memsz: u32(20),
  p_flags: u32(24),
  p_align: u32(28),
})
export const Elf32_Shdr = struct('Elf32_Shdr', 40, {
  sh_name: u32(0),
  sh_type: u32(4),
  sh_flags: u32(8),
  sh_addr: u32(12),
  sh_offset: u32(16),
  sh_size: u32(20),
  sh_link: u32(24),
  sh_info: u32(28),
  sh_addralign: u32(32),
  sh_entsize: u32(36),
})
export const Elf64_Ehdr = struct('Elf64_Ehdr', 64, {
  e_ident: bytes(0, 16),
  e_type: u16(16),
  e_machine: u16(18),
  e_version: u32(20),
  e_entry: u64(24),
  e_phoff: size64(32),
  e_shoff: size64(40),
  e_flags: u32(48),
  e_ehsize: u16(52),
  e_phentsize: u16(54),
  e_phnum: u16(56),
  e_shentsize: u16(58),
  e_shnum: u16(60),
  e_shstrndx: u16(62),
})
export const Elf64_Phdr = struct('Elf64_Phdr', 56, {
  p_type: u32(0),
  p_flags: u32(4),
  p_offset: size64(8),
  p_vaddr: u64(16),
  p_paddr: u64(24),
  p_filesz: size64(32),
  p_memsz: size64(40),
  p_align: size64(48),
})
export const Elf64_Shdr = struct('Elf64_Shdr', 64, {
  sh_name: u32(0),
  sh_type: u32(4),
  sh_flags: u64(8),
  sh_addr: u64(16),
  sh_offset: size64(24),
  sh_size: size64(32),
  sh_link: u32(40),
  sh_info: u32(44),
  sh_addralign: u64(48),
  sh_entsize: u64(56),
})
