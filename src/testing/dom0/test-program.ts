/** Programs and guest kernels that only tests have: compiled from src/ by the same cc and ld, put onto a disk before it boots. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ImageCode, ImageKind } from '#abi/image.ts'
import {
  XEN_ELFNOTE_ENTRY,
  XEN_ELFNOTE_LOADER,
  XEN_ELFNOTE_PADDR_OFFSET,
  XEN_ELFNOTE_VIRT_BASE,
  XEN_ELFNOTE_XEN_VERSION,
} from '#abi/xen/elfnote.ts'
import { cc } from '#toolchain/cc.ts'
import { kernelImage } from '#toolchain/elf.ts'
import { plainImage } from '#toolchain/image.ts'
import { ld, resolveSpecifier } from '#toolchain/ld.ts'
import type { ObjectFile } from '#toolchain/object-file.ts'

function link(entry: string, preempt: boolean): ImageCode {
  const objects = new Map<string, ObjectFile>()
  const wanted = [entry]
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (objects.has(path)) continue
    const object = cc(path, readFileSync(resolve('src', path), 'utf8'), preempt ? { preempt } : {})
    objects.set(path, object)
    for (const { specifier } of object.imports) {
      const to = resolveSpecifier(path, specifier)
      if (to !== undefined) wanted.push(to)
    }
  }
  return ld(objects, entry)
}

/** The program image of `entry`, a path below src/ that exports `main`. */
export const compileProgram = (name: string, entry: string): Uint8Array =>
  plainImage(ImageKind.program, name.slice(0, 12), link(entry, true))

const VADDR = 0xffffffff80200000n
const VIRT_BASE = 0xffffffff80000000n

/** A guest kernel's ELF64: `entry` exports `start`. */
export const compileGuest = (name: string, entry: string): Uint8Array =>
  kernelImage(name, link(entry, false), {
    vaddr: VADDR,
    paddr: VADDR,
    notes: [
      { type: XEN_ELFNOTE_XEN_VERSION, value: 'xen-3.0' },
      { type: XEN_ELFNOTE_VIRT_BASE, value: VIRT_BASE },
      { type: XEN_ELFNOTE_PADDR_OFFSET, value: VIRT_BASE },
      { type: XEN_ELFNOTE_ENTRY, value: VADDR },
      { type: XEN_ELFNOTE_LOADER, value: 'generic' },
    ],
  })
