/**
 * xen/common/libelf as libxc is built with it: an ELF kernel and its Xen notes. The hypervisor has its own copy (src/xen/common/libelf.ts), which
 * prints less. Reads beyond the file, where the real one reads its neighbour, give zeros.
 */
import {
  ELF_MAGIC,
  ELFCLASS64,
  Elf32_Ehdr,
  Elf32_Phdr,
  Elf32_Shdr,
  Elf64_Ehdr,
  Elf64_Phdr,
  EM_386,
  EM_X86_64,
  PF_W,
  PF_X,
  PT_LOAD,
  PT_NOTE,
} from '#abi/elf.ts'
import {
  XEN_ELFNOTE_BSD_SYMTAB,
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_FEATURES,
  XEN_ELFNOTE_GUEST_OS,
  XEN_ELFNOTE_GUEST_VERSION,
  XEN_ELFNOTE_HV_START_LOW,
  XEN_ELFNOTE_HYPERCALL_PAGE,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_NAME,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_PAE_MODE,
  XEN_ELFNOTE_SUSPEND_CANCEL,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { hex, type Log } from './log.ts'

const SHT_NOTE = 7
/** Headers beyond this count are not looked at. */
const HEADERS_MAX = 1024

const NAMES: Readonly<Record<number, string>> = {
  [XEN_ELFNOTE_ENTRY]: 'ENTRY',
  [XEN_ELFNOTE_HYPERCALL_PAGE]: 'HYPERCALL_PAGE',
  [XEN_ELFNOTE_VIRT_BASE]: 'VIRT_BASE',
  [XEN_ELFNOTE_PADDR_OFFSET]: 'PADDR_OFFSET',
  [XEN_ELFNOTE_HV_START_LOW]: 'HV_START_LOW',
  [XEN_ELFNOTE_XEN_VERSION]: 'XEN_VERSION',
  [XEN_ELFNOTE_GUEST_OS]: 'GUEST_OS',
  [XEN_ELFNOTE_GUEST_VERSION]: 'GUEST_VERSION',
  [XEN_ELFNOTE_LOADER]: 'LOADER',
  [XEN_ELFNOTE_PAE_MODE]: 'PAE_MODE',
  [XEN_ELFNOTE_FEATURES]: 'FEATURES',
  [XEN_ELFNOTE_BSD_SYMTAB]: 'BSD_SYMTAB',
  [XEN_ELFNOTE_SUSPEND_CANCEL]: 'SUSPEND_CANCEL',
}
const NUMERIC = [
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_HYPERCALL_PAGE,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_HV_START_LOW,
  XEN_ELFNOTE_SUSPEND_CANCEL,
]

/** What the note is called, and whether it is a number; undefined: unknown. */
export function noteName(type: number): { readonly name: string; readonly numeric: boolean } | undefined {
  const name = NAMES[type]
  return name === undefined ? undefined : { name, numeric: NUMERIC.includes(type) }
}

/** elf_xen_feature_names: bits of the first submap. */
const FEATURES = [
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'supervisor_mode_kernel',
  'pae_pgdir_above_4gb',
]

export interface Features {
  supported: number
  required: number
}

/** elf_xen_parse_features. False: at the first that nobody knows. */
export function parseFeatures(text: string, into: Features, mayRequire: boolean): boolean {
  for (const word of text.split('|')) {
    if (word === '') continue
    const required = mayRequire && word[0] === '!'
    const bit = FEATURES.indexOf(required ? word.slice(1) : word)
    if (bit < 0) return false
    into.supported |= 1 << bit
    if (required) into.required |= 1 << bit
  }
  return true
}

/** A program header of what is loaded. */
export interface ElfSegment {
  readonly offset: number
  readonly paddr: bigint
  readonly fileBytes: bigint
  readonly memBytes: bigint
}

/** elf_binary as far as it is looked at. */
export interface Elf {
  readonly bytes: Uint8Array
  readonly is64: boolean
  readonly machine: number
  readonly entry: bigint
  /** e_shstrndx names a section. */
  readonly hasShstrtab: boolean
  readonly segments: readonly ElfSegment[]
  /** Byte ranges of the file that hold notes. */
  readonly noteSegments: readonly (readonly [number, number])[]
  readonly noteSections: readonly (readonly [number, number])[]
  readonly pstart: bigint
  readonly pend: bigint
}

/** elf_dom_parms. */
export interface ElfParms {
  readonly virtBase: bigint
  readonly virtEntry: bigint
  readonly virtHypercall: bigint | undefined
  readonly virtKstart: bigint
  readonly virtKend: bigint
  readonly pae: number
  readonly features: Features
  /** By the notes' names. */
  readonly notes: ReadonlyMap<string, string | bigint>
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
/** An offset or size: what does not fit is beyond every file. */
const fileSize = (value: bigint): number => (value > 0xffffffffffffn ? 2 ** 48 : Number(value))

/** Little-endian, whatever the file says: as the real one on x86, but for swapped files, which no loader takes. */
function reader(bytes: Uint8Array): (at: number, width: number) => bigint {
  return (at, width) => {
    let value = 0n
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0)
    return value
  }
}

export const isElf = (bytes: Uint8Array): boolean => Number(reader(bytes)(0, 4)) === ELF_MAGIC

/** elf_init and elf_parse_binary. Undefined: headers that stick out of the file. */
export function elfInit(bytes: Uint8Array): Elf | undefined {
  const uint = reader(bytes)
  const num = (at: number, width: number): number => fileSize(uint(at, width))
  const is64 = bytes[4] === ELFCLASS64
  const wide = is64 ? 8 : 4
  const ehdr = (is64 ? Elf64_Ehdr : Elf32_Ehdr).fields
  const phdr = (is64 ? Elf64_Phdr : Elf32_Phdr).fields
  const phoff = num(ehdr.e_phoff.offset, wide)
  const shoff = num(ehdr.e_shoff.offset, wide)
  const phentsize = num(ehdr.e_phentsize.offset, 2)
  const shentsize = num(ehdr.e_shentsize.offset, 2)
  const phnum = num(ehdr.e_phnum.offset, 2)
  const shnum = num(ehdr.e_shnum.offset, 2)
  if (phoff + phentsize * phnum > bytes.length || shoff + shentsize * shnum > bytes.length) return undefined
  const segments: ElfSegment[] = []
  const noteSegments: (readonly [number, number])[] = []
  for (let i = 0; i < Math.min(phnum, HEADERS_MAX); i++) {
    const at = phoff + i * phentsize
    const type = num(at + phdr.p_type.offset, 4)
    const offset = num(at + phdr.p_offset.offset, wide)
    const fileBytes = uint(at + phdr.p_filesz.offset, wide)
    // Some binutils leave p_offset of a note segment at 0.
    if (type === PT_NOTE && offset !== 0) noteSegments.push([offset, offset + fileSize(fileBytes)])
    if (type !== PT_LOAD || (num(at + phdr.p_flags.offset, 4) & (PF_W | PF_X)) === 0) continue
    const paddr = uint(at + phdr.p_paddr.offset, wide)
    segments.push({ offset, paddr, fileBytes, memBytes: uint(at + phdr.p_memsz.offset, wide) })
  }
  const noteSections: (readonly [number, number])[] = []
  for (let i = 0; i < Math.min(shnum, HEADERS_MAX); i++) {
    const at = shoff + i * shentsize
    if (num(at + Elf32_Shdr.fields.sh_type.offset, 4) !== SHT_NOTE) continue
    const offset = num(at + (is64 ? 24 : 16), wide)
    noteSections.push([offset, offset + num(at + (is64 ? 32 : 20), wide)])
  }
  let pstart = wrap(-1n)
  let pend = 0n
  for (const { paddr, memBytes } of segments) {
    const end = wrap(paddr + memBytes)
    if (paddr < pstart) pstart = paddr
    if (end > pend) pend = end
  }
  return {
    bytes,
    is64,
    machine: num(ehdr.e_machine.offset, 2),
    entry: uint(ehdr.e_entry.offset, wide),
    hasShstrtab: num(ehdr.e_shstrndx.offset, 2) < shnum,
    segments,
    noteSegments,
    noteSections,
    pstart,
    pend,
  }
}

/** What elf_parse_binary says of it. */
export function logSegments({ segments, pstart, pend }: Elf, log: Log): void {
  for (const { paddr, memBytes } of segments)
    log(`elf_parse_binary: phdr: paddr=0x${hex(paddr)} memsz=0x${hex(memBytes)}\n`)
  log(`elf_parse_binary: memory: 0x${hex(pstart)} -> 0x${hex(pend)}\n`)
}

export interface Note {
  readonly type: number
  readonly descBytes: number
  /** The description as a string, and as the number it is if it has 4 or 8 bytes. */
  readonly text: string
  readonly value: bigint
}

/** The notes named `Xen` of bytes `from` to `to`. */
export function xenNotes(bytes: Uint8Array, [from, to]: readonly [number, number]): Note[] {
  const uint = reader(bytes)
  const align = (length: number): number => Math.ceil(length / 4) * 4
  const string = (at: number, end: number): string => {
    let text = ''
    for (; at < end && bytes[at]; at++) text += String.fromCharCode(bytes[at]!)
    return text
  }
  const notes: Note[] = []
  for (let at = from; at + 12 <= Math.min(to, bytes.length); ) {
    const nameBytes = Number(uint(at, 4))
    const descBytes = Number(uint(at + 4, 4))
    const desc = at + 12 + align(nameBytes)
    if (string(at + 12, Math.min(at + 12 + nameBytes, bytes.length)) === XEN_ELFNOTE_NAME)
      notes.push({
        type: Number(uint(at + 8, 4)),
        descBytes,
        text: string(desc, Math.min(desc + descBytes, to, bytes.length)),
        value: descBytes === 4 || descBytes === 8 ? uint(desc, descBytes) : 0n,
      })
    at = desc + align(descBytes)
  }
  return notes
}

/** elf_xen_parse. Undefined: refused, and the log says why. */
export function xenParse(elf: Elf, log: Log): ElfParms | undefined {
  const notes = new Map<string, string | bigint>()
  const features: Features = { supported: 0, required: 0 }
  let found = 0
  const take = (ranges: readonly (readonly [number, number])[]): boolean => {
    for (const range of ranges)
      for (const note of xenNotes(elf.bytes, range)) {
        found++
        const name = NAMES[note.type]
        if (name === undefined) {
          log(`elf_xen_parse_note: unknown xen elf note (0x${hex(note.type)})\n`)
          continue
        }
        const numeric = NUMERIC.includes(note.type)
        log(`elf_xen_parse_note: ${name} = ${numeric ? `0x${hex(note.value)}` : `"${note.text}"`}\n`)
        notes.set(name, numeric ? note.value : note.text)
        if (note.type === XEN_ELFNOTE_FEATURES && !parseFeatures(note.text, features, true)) return false
      }
    return true
  }
  if (!take(elf.noteSegments)) return undefined
  let places = elf.noteSegments.length
  if (found === 0) {
    places += elf.noteSections.length
    if (!take(elf.noteSections)) return undefined
    if (found > 0) log('elf_xen_parse: using notes from SHT_NOTE section\n')
  }
  if (!checkNotes(elf, notes, places > 0, log)) return undefined
  return addresses(elf, notes, features, log)
}

/** elf_xen_note_check. One of its messages really has no newline. */
function checkNotes(elf: Elf, notes: ReadonlyMap<string, string | bigint>, found: boolean, log: Log): boolean {
  const begins = (name: string, start: string): boolean => String(notes.get(name) ?? '').startsWith(start)
  if (!found) {
    if (elf.machine !== EM_386 && elf.machine !== EM_X86_64) return true
    log("elf_xen_note_check: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\n")
    return false
  }
  if (!begins('LOADER', 'generic') && !begins('GUEST_OS', 'linux')) {
    log('elf_xen_note_check: ERROR: Will only load images built for the generic loader or Linux images')
    return false
  }
  if (begins('XEN_VERSION', 'xen-3.0')) return true
  log('elf_xen_note_check: ERROR: Xen will only load images built for Xen v3.0\n')
  return false
}

/** elf_xen_addr_calc_check. */
function addresses(
  elf: Elf,
  notes: ReadonlyMap<string, string | bigint>,
  features: Features,
  log: Log,
): ElfParms | undefined {
  const said = (text: string): void => log(`elf_xen_addr_calc_check: ${text}\n`)
  const address = (name: string): bigint | undefined => {
    const value = notes.get(name)
    return typeof value === 'bigint' ? value : undefined
  }
  const paddrOffset = address('PADDR_OFFSET') ?? 0n
  if (notes.has('PADDR_OFFSET') && !notes.has('VIRT_BASE')) {
    said('ERROR: ELF_PADDR_OFFSET set, VIRT_BASE unset')
    return undefined
  }
  const virtBase = address('VIRT_BASE') ?? 0n
  if (!notes.has('VIRT_BASE')) said('VIRT_BASE unset, using 0x0')
  if (!notes.has('PADDR_OFFSET')) said('ELF_PADDR_OFFSET unset, using 0x0')
  const virtOffset = wrap(virtBase - paddrOffset)
  const virtKstart = wrap(elf.pstart + virtOffset)
  const virtKend = wrap(elf.pend + virtOffset)
  const virtEntry = address('ENTRY') ?? elf.entry
  said('addresses:')
  const rows: readonly (readonly [string, bigint])[] = [
    ['virt_base', virtBase],
    ['elf_paddr_offset', paddrOffset],
    ['virt_offset', virtOffset],
    ['virt_kstart', virtKstart],
    ['virt_kend', virtKend],
    ['virt_entry', virtEntry],
  ]
  for (const [name, value] of rows) log(`    ${name.padEnd(16)} = 0x${hex(value)}\n`)
  if (virtKstart > virtKend || virtEntry < virtKstart || virtEntry > virtKend || virtBase > virtKstart) {
    said('ERROR: ELF start or entries are out of bounds.')
    return undefined
  }
  const mode = String(notes.get('PAE_MODE') ?? '')
  const pae = mode.includes('bimodal') ? 3 : mode === 'yes' ? 2 : 0
  return { virtBase, virtEntry, virtHypercall: address('HYPERCALL_PAGE'), virtKstart, virtKend, pae, features, notes }
}

/** elf_load_binary: bytes `from` to `from + length` of what is loaded, counted from pstart. */
export function loadedPart({ bytes, segments, pstart }: Elf, from: number, length: number): Uint8Array {
  const part = new Uint8Array(length)
  for (const { offset, paddr, fileBytes, memBytes } of segments) {
    // Where this segment begins in the part; it was checked to fit into the domain.
    const start = Number(paddr - pstart) - from
    const inFile = Math.min(fileSize(fileBytes), fileSize(memBytes))
    const clip = (at: number): number => Math.max(0, Math.min(length, at))
    const begin = clip(start)
    const end = clip(start + inFile)
    if (end > begin) part.set(bytes.subarray(offset + begin - start, offset + end - start), begin)
    part.fill(0, end, Math.max(end, clip(start + fileSize(memBytes))))
  }
  return part
}
