import { describe, expect, test } from 'vitest'
import { Elf64_Ehdr, Elf64_Phdr } from '#abi/elf.ts'
import { memOf } from '#abi/mem.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_FEATURES,
  XEN_ELFNOTE_GUEST_OS,
  XEN_ELFNOTE_HYPERCALL_PAGE,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_PAE_MODE,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { hypervisorImage, kernelImage, type XenNote } from '#toolchain/elf.ts'
import { type DomainImage, parseDomainImage } from './libelf.ts'

const BASE = 0xffffffff80000000n
const START = BASE + 0x200000n
const GOOD: readonly XenNote[] = [
  { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
  { type: XEN_ELFNOTE_GUEST_OS, value: 'linux' },
  { type: XEN_ELFNOTE_VIRT_BASE, value: BASE },
  { type: XEN_ELFNOTE_PADDR_OFFSET, value: BASE },
  { type: XEN_ELFNOTE_ENTRY, value: START },
]
const kernel = (notes: readonly XenNote[]): Uint8Array =>
  kernelImage('test', { entry: 0, modules: [] }, { vaddr: START, paddr: START, notes, bssBytes: 0x3000 })
/** GOOD with some rows replaced, added, or (undefined) left out. */
const notes = (changes: Readonly<Record<number, string | bigint | undefined>>): XenNote[] => {
  const rows = new Map<number, string | bigint>(GOOD.map(({ type, value }) => [type, value]))
  for (const [type, value] of Object.entries(changes)) {
    if (value === undefined) rows.delete(Number(type))
    else rows.set(Number(type), value)
  }
  return [...rows].map(([type, value]) => ({ type, value }))
}

function parse(bytes: Uint8Array): { readonly image: DomainImage | undefined; readonly said: string } {
  let said = ''
  const image = parseDomainImage(bytes, (text) => {
    said += text
  })
  return { image, said }
}

test('a kernel', () => {
  const { image, said } = parse(kernel(GOOD))
  expect(said).toBe('')
  expect(image).toMatchObject({
    is64bit: true,
    lsb: true,
    pstart: START,
    virtBase: BASE,
    virtKstart: START,
    virtEntry: START,
    virtHypercall: undefined,
    pae: 0,
  })
  expect(image!.pend).toBe(START + 0x4000n)
  expect(image!.segments).toHaveLength(1)
})

test.each<[string, readonly XenNote[], Partial<DomainImage>]>([
  ['the ELF entry serves without an ENTRY note', notes({ [XEN_ELFNOTE_ENTRY]: undefined }), { virtEntry: START }],
  ['the generic loader', notes({ [XEN_ELFNOTE_GUEST_OS]: 'bsd', [XEN_ELFNOTE_LOADER]: 'generic' }), {}],
  ['a hypercall page', notes({ [XEN_ELFNOTE_HYPERCALL_PAGE]: START + 0x1000n }), { virtHypercall: START + 0x1000n }],
  ['PAE', notes({ [XEN_ELFNOTE_PAE_MODE]: 'yes' }), { pae: 2 }],
  ['PAE, bimodal', notes({ [XEN_ELFNOTE_PAE_MODE]: 'yes[bimodal]' }), { pae: 3 }],
  [
    'features',
    notes({ [XEN_ELFNOTE_FEATURES]: 'writable_page_tables|!supervisor_mode_kernel' }),
    {
      supervisorModeRequired: true,
    },
  ],
  ['an unknown note', [...GOOD, { type: 99, value: 'x' }], {}],
])('%s', (_, list, expected) => {
  expect(parse(kernel(list)).image).toMatchObject(expected)
})

describe('refusals', () => {
  const NOT_ELF = 'elf_init: not an ELF binary\n'
  const NO_NOTES = "elf_xen_note_check: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\n"
  const BOUNDS = 'elf_xen_addr_calc_check: ERROR: ELF start or entries are out of bounds.\n'
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), NOT_ELF],
    ['three bytes', Uint8Array.of(0x7f, 0x45, 0x4c), NOT_ELF],
    ['a bzImage', new Uint8Array(4096).fill(0xea), NOT_ELF],
    ['a hypervisor', hypervisorImage('xen', { entry: 0, modules: [] }), NO_NOTES],
    [
      'no notes for Xen',
      kernel([]),
      'elf_xen_note_check: ERROR: Will only load images built for the generic loader or Linux images',
    ],
    [
      'another system without LOADER',
      kernel(notes({ [XEN_ELFNOTE_GUEST_OS]: 'bsd' })),
      'elf_xen_note_check: ERROR: Will only load images built for the generic loader or Linux images',
    ],
    [
      'another Xen',
      kernel(notes({ [XEN_ELFNOTE_XEN_VERSION]: 'xen-2.0' })),
      'elf_xen_note_check: ERROR: Xen will only load images built for Xen v3.0\n',
    ],
    [
      'an offset without base',
      kernel(notes({ [XEN_ELFNOTE_VIRT_BASE]: undefined })),
      'elf_xen_addr_calc_check: ERROR: ELF_PADDR_OFFSET set, VIRT_BASE unset\n',
    ],
    ['an entry outside', kernel(notes({ [XEN_ELFNOTE_ENTRY]: BASE })), BOUNDS],
    ['a base above the kernel', kernel(notes({ [XEN_ELFNOTE_VIRT_BASE]: START + 0x10000n })), BOUNDS],
    ['an unknown feature', kernel(notes({ [XEN_ELFNOTE_FEATURES]: 'time_travel' })), ''],
    ['program headers beyond the end', mangled((mem) => Elf64_Ehdr.fields.e_phnum.set(mem, 0, 0xffff)), 'overflow'],
    ['headers at the end of space', mangled((mem) => mem.write64(32, 0xffffffffffffff00n)), 'overflow'],
    ['section headers beyond the end', mangled((mem) => mem.write64(40, 0x7fffffffn)), 'overflow'],
  ])('%s', (_, bytes, words) => {
    const { image, said } = parse(bytes)
    expect(image).toBeUndefined()
    if (words === 'overflow') expect(said).toMatch(/^elf_init: [ps]hdr overflow \(off [0-9a-f]+ > size [0-9a-f]+\)\n$/)
    else expect(said).toBe(words)
  })

  test('cut anywhere, it is refused or read, never an exception', () => {
    const whole = kernel(GOOD)
    for (let length = 0; length < 600; length++) expect(() => parse(whole.slice(0, length))).not.toThrow()
  })
})

function mangled(change: (mem: ReturnType<typeof memOf>) => void): Uint8Array {
  const bytes = kernel(GOOD)
  change(memOf(bytes))
  return bytes
}

test('a segment that claims more file than there is keeps its claim for the loader to cut', () => {
  const bytes = mangled((mem) => mem.write64(Elf64_Ehdr.size + Elf64_Phdr.fields.p_filesz.offset, 0xfffffffffffffn))
  expect(parse(bytes).image!.segments[0]!.fileBytes).toBeGreaterThan(bytes.length)
})
