/** xen/common/libelf: an ELF kernel with Xen notes, taken apart. Refusals print libelf's words. Addresses are 64-bit words. */
import {
  ELF_MAGIC,
  ELFCLASS64,
  ELFDATA2LSB,
  Elf32_Ehdr,
  Elf32_Phdr,
  Elf32_Shdr,
  Elf64_Ehdr,
  Elf64_Phdr,
  PF_W,
  PF_X,
  PT_LOAD,
  PT_NOTE,
} from '#abi/elf.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_FEATURES,
  XEN_ELFNOTE_GUEST_OS,
  XEN_ELFNOTE_HYPERCALL_PAGE,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_NAME,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_PAE_MODE,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { hex } from './lib.ts'

type Printk = (text: string) => void

const SHT_NOTE = 7
/** Program and section headers beyond this count are not looked at. */
const HEADERS_MAX = 1024
const FEATURES: readonly string[] = [
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'supervisor_mode_kernel',
  'pae_pgdir_above_4gb',
]

export interface ElfSegment {
  readonly offset: number
  readonly fileBytes: number
  readonly memBytes: number
  readonly paddr: bigint
}

export interface DomainImage {
  readonly is64bit: boolean
  readonly lsb: boolean
  readonly machine: number
  readonly segments: readonly ElfSegment[]
  /** Loadable segments together, by p_paddr. */
  readonly pstart: bigint
  readonly pend: bigint
  readonly virtBase: bigint
  readonly virtKstart: bigint
  readonly virtKend: bigint
  readonly virtEntry: bigint
  /** HYPERCALL_PAGE. */
  readonly virtHypercall: bigint | undefined
  /** 0: no PAE_MODE note. */
  readonly pae: number
  readonly supervisorModeRequired: boolean
}

/** Bytes of the file; zero beyond its end, where the real parser would read its neighbour. */
class Reader {
  readonly #bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  uint(at: number, width: number): bigint {
    let value = 0n
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i] ?? 0)
    return value
  }
  u16(at: number): number {
    return Number(this.uint(at, 2))
  }
  u32(at: number): number {
    return Number(this.uint(at, 4))
  }
  text(at: number, length: number): string {
    let text = ''
    for (let i = at; i < at + length; i++) {
      const byte = this.#bytes[i] ?? 0
      if (byte === 0) break
      text += String.fromCharCode(byte)
    }
    return text
  }
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
/** An offset or size: what does not fit is beyond every file. */
const size = (value: bigint): number => (value > 0xffffffffffffn ? Number.POSITIVE_INFINITY : Number(value))

interface Params {
  notes: number
  virtBase: bigint | undefined
  virtEntry: bigint | undefined
  virtHypercall: bigint | undefined
  paddrOffset: bigint | undefined
  loader: string
  guestOs: string
  xenVer: string
  pae: number
  supervisorRequired: boolean
}

/** elf_init, elf_parse_binary and elf_xen_parse. Undefined: refused, and said why. */
export function parseDomainImage(bytes: Uint8Array, printk: Printk): DomainImage | undefined {
  const file = new Reader(bytes)
  if (file.u32(0) !== ELF_MAGIC) {
    printk('elf_init: not an ELF binary\n')
    return undefined
  }
  const is64bit = bytes[4] === ELFCLASS64
  const lsb = bytes[5] === ELFDATA2LSB
  const wide = is64bit ? 8 : 4
  const ehdr = (is64bit ? Elf64_Ehdr : Elf32_Ehdr).fields
  const machine = file.u16(ehdr.e_machine.offset)
  const phoff = size(file.uint(ehdr.e_phoff.offset, wide))
  const shoff = size(file.uint(ehdr.e_shoff.offset, wide))
  const phentsize = file.u16(ehdr.e_phentsize.offset)
  const shentsize = file.u16(ehdr.e_shentsize.offset)
  const phnum = Math.min(file.u16(ehdr.e_phnum.offset), HEADERS_MAX)
  const shnum = Math.min(file.u16(ehdr.e_shnum.offset), HEADERS_MAX)
  for (const [what, end] of [
    ['phdr', phoff + phentsize * phnum],
    ['shdr', shoff + shentsize * shnum],
  ] as const) {
    if (end <= bytes.length) continue
    printk(
      `elf_init: ${what} overflow (off ${hex(end === Number.POSITIVE_INFINITY ? 2 ** 48 : end)} > size ${hex(bytes.length)})\n`,
    )
    return undefined
  }
  const phdr = (is64bit ? Elf64_Phdr : Elf32_Phdr).fields
  const headers = Array.from({ length: phnum }, (_, i) => phoff + i * phentsize)
  const segments: ElfSegment[] = []
  const noteRanges: (readonly [number, number])[] = []
  for (const at of headers) {
    const type = file.u32(at + phdr.p_type.offset)
    const offset = size(file.uint(at + phdr.p_offset.offset, wide))
    const fileBytes = size(file.uint(at + phdr.p_filesz.offset, wide))
    // Some binutils leave p_offset of a note segment at 0.
    if (type === PT_NOTE && offset !== 0) noteRanges.push([offset, offset + fileBytes])
    if (type !== PT_LOAD || (file.u32(at + phdr.p_flags.offset) & (PF_W | PF_X)) === 0) continue
    segments.push({
      offset,
      fileBytes,
      memBytes: size(file.uint(at + phdr.p_memsz.offset, wide)),
      paddr: file.uint(at + phdr.p_paddr.offset, wide),
    })
  }
  let pstart = 2n ** 64n - 1n
  let pend = 0n
  for (const { paddr, memBytes } of segments) {
    const end = paddr + BigInt(memBytes === Number.POSITIVE_INFINITY ? 2 ** 48 : memBytes)
    if (paddr < pstart) pstart = paddr
    if (end > pend) pend = end
  }
  const params: Params = {
    notes: 0,
    virtBase: undefined,
    virtEntry: undefined,
    virtHypercall: undefined,
    paddrOffset: undefined,
    loader: '',
    guestOs: '',
    xenVer: '',
    pae: 0,
    supervisorRequired: false,
  }
  for (const [from, to] of noteRanges) if (!parseNotes(file, params, from, Math.min(to, bytes.length))) return undefined
  let noteParts = noteRanges.length
  if (params.notes === 0) {
    for (let i = 0; i < shnum; i++) {
      const at = shoff + i * shentsize
      if (file.u32(at + Elf32_Shdr.fields.sh_type.offset) !== SHT_NOTE) continue
      noteParts++
      const offset = size(file.uint(at + (is64bit ? 24 : 16), wide))
      const length = size(file.uint(at + (is64bit ? 32 : 20), wide))
      if (!parseNotes(file, params, offset, Math.min(offset + length, bytes.length))) return undefined
    }
  }
  if (!checkNotes(params, noteParts > 0, printk)) return undefined
  return addresses(file, params, { is64bit, lsb, machine, segments, pstart, pend }, ehdr.e_entry.offset, printk)
}

/** elf_xen_parse_notes. False: a feature that nobody knows. */
function parseNotes(file: Reader, params: Params, from: number, to: number): boolean {
  const align = (bytes: number): number => Math.ceil(bytes / 4) * 4
  for (let at = from; at + 12 <= to; ) {
    const nameBytes = file.u32(at)
    const descBytes = file.u32(at + 4)
    const type = file.u32(at + 8)
    const desc = at + 12 + align(nameBytes)
    if (file.text(at + 12, nameBytes) === XEN_ELFNOTE_NAME) {
      params.notes++
      const number = (): bigint => (descBytes === 4 || descBytes === 8 ? file.uint(desc, descBytes) : 0n)
      const text = (): string => file.text(desc, Math.min(descBytes, to - desc))
      if (!takeNote(params, type, number, text)) return false
    }
    at = desc + align(descBytes)
  }
  return true
}

function takeNote(params: Params, type: number, number: () => bigint, text: () => string): boolean {
  switch (type) {
    case XEN_ELFNOTE_ENTRY:
      params.virtEntry = number()
      break
    case XEN_ELFNOTE_HYPERCALL_PAGE:
      params.virtHypercall = number()
      break
    case XEN_ELFNOTE_VIRT_BASE:
      params.virtBase = number()
      break
    case XEN_ELFNOTE_PADDR_OFFSET:
      params.paddrOffset = number()
      break
    case XEN_ELFNOTE_XEN_VERSION:
      params.xenVer = text()
      break
    case XEN_ELFNOTE_GUEST_OS:
      params.guestOs = text()
      break
    case XEN_ELFNOTE_LOADER:
      params.loader = text()
      break
    case XEN_ELFNOTE_PAE_MODE:
      if (text() === 'yes') params.pae = 2
      if (text().includes('bimodal')) params.pae = 3
      break
    case XEN_ELFNOTE_FEATURES:
      for (const word of text().split('|')) {
        if (word === '') continue
        const required = word[0] === '!'
        const feature = required ? word.slice(1) : word
        if (!FEATURES.includes(feature)) return false
        if (required && feature === 'supervisor_mode_kernel') params.supervisorRequired = true
      }
  }
  return true
}

/** elf_xen_note_check. One of its messages really has no newline. */
function checkNotes(params: Params, found: boolean, printk: Printk): boolean {
  if (!found) {
    printk("elf_xen_note_check: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\n")
    return false
  }
  if (!params.loader.startsWith('generic') && !params.guestOs.startsWith('linux')) {
    printk('elf_xen_note_check: ERROR: Will only load images built for the generic loader or Linux images')
    return false
  }
  if (!params.xenVer.startsWith('xen-3.0')) {
    printk('elf_xen_note_check: ERROR: Xen will only load images built for Xen v3.0\n')
    return false
  }
  return true
}

/** elf_xen_addr_calc_check. */
function addresses(
  file: Reader,
  params: Params,
  elf: Pick<DomainImage, 'is64bit' | 'lsb' | 'machine' | 'segments' | 'pstart' | 'pend'>,
  entryOffset: number,
  printk: Printk,
): DomainImage | undefined {
  if (params.paddrOffset !== undefined && params.virtBase === undefined) {
    printk('elf_xen_addr_calc_check: ERROR: ELF_PADDR_OFFSET set, VIRT_BASE unset\n')
    return undefined
  }
  const virtBase = params.virtBase ?? 0n
  const virtOffset = wrap(virtBase - (params.paddrOffset ?? 0n))
  const virtKstart = wrap(elf.pstart + virtOffset)
  const virtKend = wrap(elf.pend + virtOffset)
  const virtEntry = params.virtEntry ?? file.uint(entryOffset, elf.is64bit ? 8 : 4)
  if (virtKstart > virtKend || virtEntry < virtKstart || virtEntry > virtKend || virtBase > virtKstart) {
    printk('elf_xen_addr_calc_check: ERROR: ELF start or entries are out of bounds.\n')
    return undefined
  }
  return {
    ...elf,
    virtBase,
    virtKstart,
    virtKend,
    virtEntry,
    virtHypercall: params.virtHypercall,
    pae: params.pae,
    supervisorModeRequired: params.supervisorRequired,
  }
}
