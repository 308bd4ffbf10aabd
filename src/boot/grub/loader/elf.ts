/**
 * ELF32 kernels as GRUB 0.97 loads them, with its trust in the file: a segment that the file does not hold to its end stays as far as it
 * was read and loading goes on. The section table goes behind the last segment, for debuggers.
 */
import {
  ELF_MAGIC,
  ELFCLASS32,
  ELFDATA2LSB,
  Elf32_Ehdr,
  Elf32_Phdr,
  Elf32_Shdr,
  EM_386,
  ET_EXEC,
  PT_LOAD,
} from '#abi/elf.ts'
import type { Mem } from '#abi/mem.ts'
import { Err, errorOf, fail } from '../errors.ts'
import type { Run } from '../run.ts'
import { hex } from '../text.ts'
import { copyToMemory } from './copy.ts'
import { inBracket, type Loading, type Placed, pageUp } from './kernel.ts'
import type { SectionTable } from './loaded.ts'
import { checkRoom } from './memory.ts'

const MIB = 0x100000
/** EM_486, as some old tools wrote. */
const EM_486 = 6
const EI_CLASS = 4
const EI_DATA = 5
const EI_VERSION = 6
const EV_CURRENT = 1

/** BOOTABLE_I386_ELF of stage2/i386-elf.h. */
export function isBootableElf(head: Mem, bytes: number): boolean {
  if (bytes <= Elf32_Ehdr.size || head.read32(0) !== ELF_MAGIC) return false
  const { e_type, e_machine, e_version } = Elf32_Ehdr.fields
  const machine = e_machine.get(head, 0)
  return (
    head.read8(EI_CLASS) === ELFCLASS32 &&
    head.read8(EI_DATA) === ELFDATA2LSB &&
    head.read8(EI_VERSION) === EV_CURRENT &&
    e_type.get(head, 0) === ET_EXEC &&
    (machine === EM_386 || machine === EM_486) &&
    e_version.get(head, 0) === EV_CURRENT
  )
}

/** Errors 7, 13, 28 and those of reading. */
export function* loadElf(loading: Loading): Run<Placed> {
  const { grub, head, headBytes } = loading
  const header = Elf32_Ehdr.read(head, 0)
  const { e_entry: entry, e_phoff: phoff, e_phnum: phnum, e_phentsize: phentsize } = header
  // The table must lie in the 8 KiB that were read.
  if (phoff === 0 || phnum === 0 || phoff + phentsize * phnum >= headBytes || phentsize < Elf32_Phdr.size)
    fail(Err.execFormat)
  if (entry < MIB) fail(Err.below1mb)
  yield* grub.tty.print('   [Multiboot-elf')
  return yield* inBracket(grub, function* () {
    let end = 0
    let loaded = 0
    let physicalEntry = entry
    for (let i = 0; i < phnum; i++) {
      const segment = Elf32_Phdr.read(head, phoff + phentsize * i)
      if (segment.p_type !== PT_LOAD) continue
      const { p_paddr: at, p_vaddr: virtual, p_memsz: size, p_offset: offset } = segment
      if (entry >= virtual && entry < virtual + size) physicalEntry = entry + at - virtual
      const fileBytes = Math.min(segment.p_filesz, size)
      end = Math.max(end, at + size)
      yield* grub.tty.print(`, <${hex(at)}:${hex(fileBytes)}:${hex(size - fileBytes)}>`)
      loaded++
      if (at < MIB) fail(Err.below1mb)
      checkRoom(grub.memory, at, size)
      if ((yield* copyToMemory(grub, loading.file, offset, fileBytes, at)) < fileBytes) break
      grub.metal.mem.fill(at + fileBytes, size - fileBytes, 0)
    }
    if (loaded === 0) fail(Err.execFormat)
    const table = yield* loadSections(loading, pageUp(end))
    return { entry: physicalEntry, shownEntry: entry, ...table }
  })
}

/** The section table at `at`, and behind it every section that no segment brought in. Prints `, shtab=0x...` or `(bad)`. */
function* loadSections(
  { grub, file, head }: Loading,
  at: number,
): Run<{ readonly end: number; readonly sections: SectionTable | undefined }> {
  const { e_shoff: shoff, e_shnum: count, e_shentsize: entryBytes, e_shstrndx: stringIndex } = Elf32_Ehdr.read(head, 0)
  const { mem } = grub.metal
  const tableBytes = entryBytes * count
  const bad = { end: 0, sections: undefined }
  // No room is an error; a table that is not there is only bad.
  const copied = yield* copyToMemory(grub, file, shoff, tableBytes, at)
  if (copied < tableBytes || (count > 0 && entryBytes < Elf32_Shdr.size)) {
    yield* grub.tty.print('(bad)')
    return bad
  }
  let end = at + tableBytes
  yield* grub.tty.print(`, shtab=${hex(end)}`)
  for (let i = 0; i < count; i++) {
    const header = at + i * entryBytes
    const section = Elf32_Shdr.read(mem, header)
    if (section.sh_addr !== 0 || section.sh_size === 0) continue
    // As in boot.c: always at least one byte further, and an alignment of 0 leads nowhere.
    end = ((end + section.sh_addralign) & -section.sh_addralign) >>> 0
    const noRoom = errorOf(() => checkRoom(grub.memory, end, section.sh_size))
    const length = noRoom === undefined ? yield* copyToMemory(grub, file, section.sh_offset, section.sh_size, end) : 0
    if (length < section.sh_size) {
      yield* grub.tty.print('(bad)')
      return noRoom === undefined ? bad : fail(noRoom)
    }
    Elf32_Shdr.fields.sh_addr.set(mem, header, end)
    end += section.sh_size
  }
  return { end, sections: { count, entryBytes, address: at, stringIndex } }
}
