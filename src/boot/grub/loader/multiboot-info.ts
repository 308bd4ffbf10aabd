/** The multiboot information structure (Multiboot Specification 0.6.96), laid out in low memory where GRUB keeps it. */
import type { Mem } from '#abi/mem.ts'
import {
  MBI_BOOTDEV,
  MBI_CMDLINE,
  MBI_CONFIG,
  MBI_DRIVES,
  MBI_ELF_SHDR,
  MBI_LOADERNAME,
  MBI_MEMMAP,
  MBI_MEMORY,
  MBI_MODULES,
  memory_map,
  module_t,
  multiboot_info,
} from '#abi/pc/multiboot.ts'
import { struct, u8, u16, u32 } from '#abi/struct.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { DRIVES_MAX, FIRST_HARD_DISK } from '../disk/device.ts'
import { Err, fail } from '../errors.ts'
import type { Grub } from '../grub.ts'
import type { MultibootKernel } from './loaded.ts'

/** MB_CMDLINE_BUF and its length: the kernel's and the modules' command lines, one behind the other. */
const COMMAND_LINES = 0x2000
export const COMMAND_LINES_BYTES = 0x6000
/** `mll` of stage2/boot.c. */
export const MODULES_MAX = 99
const LOADER_NAME = 'GNU GRUB 0.97'

/** Multiboot Specification 3.3. Ports of the drive would follow; GRUB does not look for them. */
const drive_info = struct('drive_info', 12, {
  size: u32(0),
  drive_number: u8(4),
  drive_mode: u8(5),
  drive_cylinders: u16(6),
  drive_heads: u8(8),
  drive_sectors: u8(9),
})
const DRIVE_MODE_LBA = 1
/** The size word does not count itself. */
const MAP_ENTRY_SIZE = 20

/** The room that command lines take, each with its final zero. Error 28 past the buffer. */
export function checkCommandLines(kernel: MultibootKernel | undefined, added: string): void {
  let bytes = added.length + 1
  if (kernel) {
    bytes += kernel.commandLine.length + 1
    for (const { commandLine } of kernel.modules) bytes += commandLine.length + 1
  }
  if (bytes > COMMAND_LINES_BYTES) fail(Err.wontFit)
}

/** Zero-ended text at `at`; returns the byte behind. */
function putText(mem: Mem, at: number, text: string): number {
  mem.copyIn(at, bytesOfString(text + '\0'))
  return at + text.length + 1
}

const align = (at: number): number => (at + 7) & ~7

/** Write everything out and return the address for EBX. */
export function writeMultibootInfo({ metal, memory, disks, codeEnd }: Grub, kernel: MultibootKernel): number {
  const { mem } = metal
  const info = align(codeEnd)
  let at = align(info + multiboot_info.size)

  const mapAddress = at
  for (const { base, length, type } of memory.map) {
    memory_map.write(mem, at, { size: MAP_ENTRY_SIZE, base_addr: BigInt(base), length: BigInt(length), type })
    at += memory_map.size
  }
  const mapLength = at - mapAddress

  const drivesAddress = at
  for (let drive = FIRST_HARD_DISK; drive < FIRST_HARD_DISK + DRIVES_MAX; drive++) {
    const geometry = disks.geometry(drive)
    if (!geometry) break
    drive_info.write(mem, at, {
      size: drive_info.size,
      drive_number: drive,
      drive_mode: DRIVE_MODE_LBA,
      drive_cylinders: geometry.cylinders & 0xffff,
      drive_heads: geometry.heads & 0xff,
      drive_sectors: geometry.sectorsPerTrack & 0xff,
    })
    at += drive_info.size
  }
  const drivesLength = at - drivesAddress

  let text = putText(mem, COMMAND_LINES, kernel.commandLine)
  const modulesAddress = align(at)
  at = modulesAddress
  for (const { start, end, commandLine } of kernel.modules) {
    module_t.write(mem, at, { mod_start: start, mod_end: end, string: text, reserved: 0 })
    text = putText(mem, text, commandLine)
    at += module_t.size
  }
  const nameAddress = at
  putText(mem, nameAddress, LOADER_NAME)

  const { sections, modules } = kernel
  mem.fill(info, multiboot_info.size, 0)
  multiboot_info.write(mem, info, {
    flags:
      MBI_MEMORY |
      MBI_BOOTDEV |
      MBI_CMDLINE |
      (modules.length > 0 ? MBI_MODULES : 0) |
      (sections ? MBI_ELF_SHDR : 0) |
      (memory.mapValid ? MBI_MEMMAP : 0) |
      MBI_DRIVES |
      // Set whether the BIOS has a ROM configuration table or not (INT 15h AH=C0h); ours has none, so the pointer stays 0.
      MBI_CONFIG |
      MBI_LOADERNAME,
    mem_lower: memory.lowerKib,
    mem_upper: memory.upperKib,
    boot_device: kernel.bootDevice,
    cmdline: COMMAND_LINES,
    mods_count: modules.length,
    mods_addr: modules.length > 0 ? modulesAddress : 0,
    elf_num: sections?.count ?? 0,
    elf_size: sections?.entryBytes ?? 0,
    elf_addr: sections?.address ?? 0,
    elf_shndx: sections?.stringIndex ?? 0,
    mmap_length: mapLength,
    mmap_addr: mapAddress,
    drives_length: drivesLength,
    drives_addr: drivesAddress,
    boot_loader_name: nameAddress,
  })
  return info
}
