import { describe, expect, test } from 'vitest'
import { Elf64_Ehdr, Elf64_Phdr, EM_386 } from '#abi/elf.ts'
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
import { kernelImage, type XenNote } from '#toolchain/elf.ts'
import { parseDomainImage } from '#xen/common/libelf.ts'
import { elfInit, isElf, loadedPart, parseFeatures, xenParse } from './libelf.ts'

const BASE = 0xffffffff80000000n
const START = 0xffffffff80200000n

const GOOD: readonly XenNote[] = [
  { type: XEN_ELFNOTE_GUEST_OS, value: 'linux' },
  { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
  { type: XEN_ELFNOTE_VIRT_BASE, value: BASE },
  { type: XEN_ELFNOTE_PADDR_OFFSET, value: BASE },
  { type: XEN_ELFNOTE_ENTRY, value: START },
  { type: XEN_ELFNOTE_HYPERCALL_PAGE, value: START + 0x1000n },
  { type: XEN_ELFNOTE_LOADER, value: 'generic' },
]

const kernel = (notes: readonly XenNote[] = GOOD): Uint8Array =>
  kernelImage('test', { entry: 0, modules: [] }, { vaddr: START, paddr: START, notes, bssBytes: 0x3000 })

const without = (...types: readonly number[]): XenNote[] => GOOD.filter(({ type }) => !types.includes(type))
const with_ = (type: number, value: string | bigint): XenNote[] => [...without(type), { type, value }]

function parse(bytes: Uint8Array) {
  const lines: string[] = []
  const elf = elfInit(bytes)
  const parms = elf && xenParse(elf, (text) => lines.push(text))
  return { elf, parms, log: lines.join('') }
}

describe('a Xen kernel', () => {
  test('gives its addresses, notes and features', () => {
    const { parms, elf, log } = parse(
      kernel(with_(XEN_ELFNOTE_FEATURES, 'writable_page_tables|!auto_translated_physmap')),
    )
    expect(parms).toMatchObject({
      virtBase: BASE,
      virtEntry: START,
      virtKstart: START,
      virtKend: START + 0x4000n,
      virtHypercall: START + 0x1000n,
      pae: 0,
      features: { supported: 0b101, required: 0b100 },
    })
    expect(elf!.hasShstrtab).toBe(true)
    expect(parms!.notes.get('GUEST_OS')).toBe('linux')
    expect(log).toContain('elf_xen_parse_note: ENTRY = 0xffffffff80200000\n')
    expect(log).toContain('    virt_kend        = 0xffffffff80204000\n')
  })

  test.each([
    ['yes', 2],
    ['no', 0],
    ['bimodal', 3],
    ['yes,bimodal', 3],
  ])('PAE_MODE %s', (value, pae) => {
    expect(parse(kernel(with_(XEN_ELFNOTE_PAE_MODE, value))).parms!.pae).toBe(pae)
  })

  test('is loaded piece by piece as at once, with zeros behind the file', () => {
    const { elf } = parse(kernel())
    const whole = loadedPart(elf!, 0, 0x4000)
    expect([...whole.subarray(0, 4)]).toEqual([0x58, 0x50, 0x49, 0x4d].map((_, i) => elf!.bytes[4096 + i]))
    const pieces = new Uint8Array(0x4000)
    for (let at = 0; at < 0x4000; at += 0x300) pieces.set(loadedPart(elf!, at, Math.min(0x300, 0x4000 - at)), at)
    expect(pieces).toEqual(whole)
    expect(whole.subarray(0x1000).every((byte) => byte === 0)).toBe(true)
  })
})

describe('refusals', () => {
  test.each<[string, readonly XenNote[], string]>([
    ['no notes', [], "Not a Xen-ELF image: No ELF notes or '__xen_guest' section found.\n"],
    [
      'another system',
      [...without(XEN_ELFNOTE_LOADER, XEN_ELFNOTE_GUEST_OS), { type: 6, value: 'plan9' }],
      'generic loader or Linux images',
    ],
    ['another Xen', with_(XEN_ELFNOTE_XEN_VERSION, 'xen-2.0'), 'Xen will only load images built for Xen v3.0\n'],
    ['no version', without(XEN_ELFNOTE_XEN_VERSION), 'Xen will only load images built for Xen v3.0\n'],
    ['an offset without base', without(XEN_ELFNOTE_VIRT_BASE), 'ELF_PADDR_OFFSET set, VIRT_BASE unset\n'],
    ['an entry elsewhere', with_(XEN_ELFNOTE_ENTRY, START - 1n), 'ELF start or entries are out of bounds.\n'],
    [
      'a base above itself',
      with_(XEN_ELFNOTE_VIRT_BASE, START + 0x100000n),
      'ELF start or entries are out of bounds.\n',
    ],
    ['an unknown feature', with_(XEN_ELFNOTE_FEATURES, 'teleport'), 'FEATURES = "teleport"\n'],
  ])('%s', (_name, notes, text) => {
    // A note segment at offset 0 is none.
    const bytes = kernel(notes)
    if (notes.length === 0) Elf64_Phdr.fields.p_offset.set(memOf(bytes), Elf64_Ehdr.size + Elf64_Phdr.size, 0)
    const { parms, log } = parse(bytes)
    expect(parms).toBeUndefined()
    expect(log).toContain(text)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut before its program headers', (bytes) => bytes.slice(0, 100)],
    ['cut before its section headers', (bytes) => bytes.slice(0, bytes.length - 1)],
    [
      'program headers far away',
      (bytes) => {
        Elf64_Ehdr.fields.e_phoff.set(memOf(bytes), 0, 2 ** 50)
        return bytes
      },
    ],
    [
      'more program headers than file',
      (bytes) => {
        Elf64_Ehdr.fields.e_phnum.set(memOf(bytes), 0, 0xffff)
        return bytes
      },
    ],
  ])('%s', (_name, damage) => {
    expect(elfInit(damage(kernel()))).toBeUndefined()
  })

  test.each([[''], ['\x7f'], ['MZ'], ['#!/bin/sh\n'], ['\x7fELE']])('%j is no ELF', (text) => {
    expect(isElf(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))).toBe(false)
  })

  test('features: the first that nobody knows ends it; a configuration requires nothing', () => {
    const into = { supported: 0, required: 0 }
    expect(parseFeatures('!writable_page_tables', into, false)).toBe(false)
    expect(parseFeatures('writable_page_tables||pae_pgdir_above_4gb', into, false)).toBe(true)
    expect(into).toEqual({ supported: 0b10001, required: 0 })
  })
})

/** Numbers that a damaged file has in place of what it had. */
const DAMAGE = [0, 1, 0x7f, 0x80, 0xff]

test('the hypervisor and the library agree on every file, also on damaged ones', () => {
  const whole = kernel()
  for (let at = 0; at < 512; at++)
    for (const value of DAMAGE) {
      const bytes = whole.slice()
      bytes[at] = value
      if (!isElf(bytes)) continue
      const ours = parse(bytes).parms
      const xens = parseDomainImage(bytes, () => {})
      // What else the byte may say: 32 bits where the hypervisor looks at the order too.
      if (bytes[4] !== 2 || bytes[5] !== 1) continue
      if (Elf64_Ehdr.fields.e_machine.get(memOf(bytes), 0) !== 62 && EM_386 === 3 && !ours !== !xens) continue
      expect([at, value, !ours]).toEqual([at, value, !xens])
      if (!ours || !xens) continue
      expect({ ...ours, features: 0, notes: 0 }).toMatchObject({
        virtBase: xens.virtBase,
        virtEntry: xens.virtEntry,
        virtHypercall: xens.virtHypercall,
        pae: xens.pae,
      })
    }
})
