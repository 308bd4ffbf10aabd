/**
 * The two ELF files that real loaders read. The hypervisor is what Xen's arch/x86/boot/mkelf32.c writes: an ELF32 with one segment at file
 * offset 128 and three section headers, which GRUB reports as `shtab`. A PV kernel is an ELF64 with Xen's notes.
 */
import {
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  Elf32_Ehdr,
  Elf32_Phdr,
  Elf32_Shdr,
  Elf64_Ehdr,
  Elf64_Phdr,
  Elf64_Shdr,
  EM_386,
  EM_X86_64,
  ET_EXEC,
  PF_R,
  PF_W,
  PF_X,
  PT_LOAD,
  PT_NOTE,
  SHT_NULL,
  SHT_PROGBITS,
  SHT_STRTAB,
} from '#abi/elf.ts'
import { type ImageCode, ImageKind, image_header } from '#abi/image.ts'
import { memOf } from '#abi/mem.ts'
import {
  MULTIBOOT_HEADER_MAGIC,
  MULTIBOOT_MEMORY_INFO,
  MULTIBOOT_PAGE_ALIGN,
  MULTIBOOT_SEARCH_BYTES,
} from '#abi/pc/multiboot.ts'
import { utf8Encode } from '#lib/utf8.ts'
import { CompileError } from './diagnostics.ts'
import { codeBytes, withHeader } from './image.ts'

/** Where Xen is linked to lie. */
export const XEN_PADDR = 0x100000
/** mkelf32's RAW_OFFSET. */
const RAW_OFFSET = 128
/** magic, flags, checksum; no address fields, since GRUB reads the ELF headers. */
const MULTIBOOT_HEADER_BYTES = 12
/** Default size of the hypervisor's .bss: its boot stacks, its idle page tables. */
const BSS_BYTES = 0x80000

const SHF_ALLOC = 2
const SHF_EXECINSTR = 4

const identOf = (elfClass: number): Uint8Array =>
  Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, elfClass, ELFDATA2LSB, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to

export interface HypervisorOptions {
  /** Memory behind the image that GRUB clears. */
  readonly bssBytes?: number
}

/** A multiboot ELF32 whose entry, and whose segment's first byte, is the image header. */
export function hypervisorImage(name: string, code: ImageCode, options: HypervisorOptions = {}): Uint8Array {
  const multiboot = new Uint8Array(MULTIBOOT_HEADER_BYTES)
  const flags = MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO
  const header = memOf(multiboot)
  header.write32(0, MULTIBOOT_HEADER_MAGIC)
  header.write32(4, flags)
  header.write32(8, (0x100000000 - MULTIBOOT_HEADER_MAGIC - flags) >>> 0)
  const text = withHeader(
    ImageKind.hypervisor,
    name,
    codeBytes(code),
    roundUp(image_header.size + MULTIBOOT_HEADER_BYTES, 16),
    multiboot,
  )

  const names = utf8Encode('\0.text\0.shstrtab\0')
  const textBytes = roundUp(text.length, 4)
  const sectionsAt = RAW_OFFSET + textBytes
  const namesAt = sectionsAt + 3 * Elf32_Shdr.size
  const file = new Uint8Array(namesAt + names.length)
  const mem = memOf(file)
  Elf32_Ehdr.write(mem, 0, {
    e_ident: identOf(ELFCLASS32),
    e_type: ET_EXEC,
    e_machine: EM_386,
    e_version: 1,
    e_entry: XEN_PADDR,
    e_phoff: Elf32_Ehdr.size,
    e_shoff: sectionsAt,
    e_ehsize: Elf32_Ehdr.size,
    e_phentsize: Elf32_Phdr.size,
    e_phnum: 1,
    e_shentsize: Elf32_Shdr.size,
    e_shnum: 3,
    e_shstrndx: 2,
  })
  Elf32_Phdr.write(mem, Elf32_Ehdr.size, {
    p_type: PT_LOAD,
    p_offset: RAW_OFFSET,
    p_vaddr: XEN_PADDR,
    p_paddr: XEN_PADDR,
    p_filesz: textBytes,
    p_memsz: roundUp(textBytes, 4096) + (options.bssBytes ?? BSS_BYTES),
    p_flags: PF_R | PF_W | PF_X,
    p_align: 64,
  })
  file.set(text, RAW_OFFSET)
  Elf32_Shdr.write(mem, sectionsAt, { sh_type: SHT_NULL })
  Elf32_Shdr.write(mem, sectionsAt + Elf32_Shdr.size, {
    sh_name: 1,
    sh_type: SHT_PROGBITS,
    sh_flags: SHF_ALLOC | SHF_EXECINSTR,
    sh_addr: XEN_PADDR,
    sh_offset: RAW_OFFSET,
    sh_size: textBytes,
    sh_addralign: 64,
  })
  Elf32_Shdr.write(mem, sectionsAt + 2 * Elf32_Shdr.size, {
    sh_name: 7,
    sh_type: SHT_STRTAB,
    sh_offset: namesAt,
    sh_size: names.length,
    sh_addralign: 1,
  })
  file.set(names, namesAt)
  return file
}

/** One ELF note of owner "Xen": `type` from xen/include/public/elfnote.h; a bigint is stored in 8 bytes, a string with its zero. */
export interface XenNote {
  readonly type: number
  readonly value: string | bigint
}

export interface KernelOptions {
  /** Virtual address of the segment's first byte, which is the entry. */
  readonly vaddr: bigint
  /** p_paddr; Linux 2.6.18-xen links it equal to the virtual address and says so by PADDR_OFFSET. */
  readonly paddr: bigint
  readonly notes: readonly XenNote[]
  readonly bssBytes?: number
}

/** A PV kernel: ELF64, entry and segment's first byte the image header, the notes in a PT_NOTE segment. */
export function kernelImage(name: string, code: ImageCode, options: KernelOptions): Uint8Array {
  const text = withHeader(ImageKind.kernel, name, codeBytes(code), image_header.size)
  const notes = noteSegment(options.notes)
  const notesAt = Elf64_Ehdr.size + 2 * Elf64_Phdr.size
  const textAt = roundUp(notesAt + notes.length, 4096)
  // libxc loads no kernel without a table of section names.
  const names = utf8Encode('\0.shstrtab\0')
  const namesAt = textAt + text.length
  const sectionsAt = roundUp(namesAt + names.length, 8)
  if (options.vaddr % 4096n !== 0n) throw new CompileError([`ld: ${name}: the load address is not page-aligned`])
  const file = new Uint8Array(sectionsAt + 2 * Elf64_Shdr.size)
  const mem = memOf(file)
  Elf64_Ehdr.write(mem, 0, {
    e_ident: identOf(ELFCLASS64),
    e_type: ET_EXEC,
    e_machine: EM_X86_64,
    e_version: 1,
    e_entry: options.vaddr,
    e_phoff: Elf64_Ehdr.size,
    e_shoff: sectionsAt,
    e_ehsize: Elf64_Ehdr.size,
    e_phentsize: Elf64_Phdr.size,
    e_phnum: 2,
    e_shentsize: Elf64_Shdr.size,
    e_shnum: 2,
    e_shstrndx: 1,
  })
  Elf64_Phdr.write(mem, Elf64_Ehdr.size, {
    p_type: PT_LOAD,
    p_flags: PF_R | PF_W | PF_X,
    p_offset: textAt,
    p_vaddr: options.vaddr,
    p_paddr: options.paddr,
    p_filesz: text.length,
    p_memsz: roundUp(text.length, 4096) + (options.bssBytes ?? 0),
    p_align: 4096,
  })
  Elf64_Phdr.write(mem, Elf64_Ehdr.size + Elf64_Phdr.size, {
    p_type: PT_NOTE,
    p_flags: PF_R,
    p_offset: notesAt,
    p_filesz: notes.length,
    p_memsz: notes.length,
    p_align: 4,
  })
  file.set(notes, notesAt)
  file.set(text, textAt)
  file.set(names, namesAt)
  Elf64_Shdr.write(mem, sectionsAt + Elf64_Shdr.size, {
    sh_name: 1,
    sh_type: SHT_STRTAB,
    sh_offset: namesAt,
    sh_size: names.length,
    sh_addralign: 1n,
  })
  return file
}

function noteSegment(notes: readonly XenNote[]): Uint8Array {
  const owner = utf8Encode('Xen\0')
  const parts = notes.map(({ type, value }) => {
    const bytes = typeof value === 'string' ? utf8Encode(`${value}\0`) : new Uint8Array(8)
    if (typeof value === 'bigint') memOf(bytes).write64(0, value)
    const note = new Uint8Array(12 + owner.length + roundUp(bytes.length, 4))
    const mem = memOf(note)
    mem.write32(0, owner.length)
    mem.write32(4, bytes.length)
    mem.write32(8, type)
    mem.copyIn(12, owner)
    mem.copyIn(12 + owner.length, bytes)
    return note
  })
  const segment = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    segment.set(part, at)
    at += part.length
  }
  return segment
}

if (RAW_OFFSET + image_header.size + MULTIBOOT_HEADER_BYTES > MULTIBOOT_SEARCH_BYTES)
  throw new TypeError('image layout')
