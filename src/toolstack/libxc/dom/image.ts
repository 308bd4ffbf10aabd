/** A kernel's file, and which loader takes it: xc_dom_kernel_file, xc_dom_parse_image, and the loader of ELF files (xc_dom_elfloader.c). */

import { EM_386, EM_X86_64 } from '#abi/elf.ts'
import { EINVAL } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { XC_INVALID_KERNEL, XC_INVALID_PARAM, XcError } from '../error.ts'
import { probeBzImage } from './bzimage.ts'
import { type Elf, type ElfParms, elfInit, isElf, logSegments, parseFeatures, xenParse } from './libelf.ts'
import { hex, type Log, Panic } from './log.ts'
import type { Charge } from './memory.ts'

export interface KernelImage {
  readonly elf: Elf
  readonly parms: ElfParms
  /** `xen-3.0-x86_64`. */
  readonly guestType: string
  /** XENFEAT bits that the kernel or the configuration wants. */
  readonly features: number
}

/** xc_dom_parse_image. `features` is what the configuration asks for. */
export function* parseImage(blob: Uint8Array, features: string, charge: Charge, log: Log): Sys<KernelImage> {
  log('xc_dom_parse_image: called\n')
  const trying = (name: string): void => log(`xc_dom_find_loader: trying ${name} loader ... `)
  trying('Linux bzImage')
  const [kernel, isBzImage] = yield* probeBzImage(blob, charge, log)
  let found = isBzImage
  if (!found) {
    log('failed\n')
    trying('ELF-generic')
    found = isElf(kernel)
  }
  log(found ? 'OK\n' : 'failed\n')
  if (!found) throw new Panic('xc_dom_core.c:503', XC_INVALID_KERNEL, 'xc_dom_find_loader: no loader found\n')
  const image = parseElf(kernel, log)
  const wanted = { supported: 0, required: 0 }
  parseFeatures(features, wanted, false)
  const active = wanted.supported | image.parms.features.required
  if ((active & image.parms.features.supported) !== active)
    throw new Panic('xc_dom_core.c:636', XC_INVALID_PARAM, 'xc_dom_parse_image: unsupported feature requested\n')
  return { ...image, features: active }
}

/** xc_dom_parse_elf_kernel. */
function parseElf(bytes: Uint8Array, log: Log): Omit<KernelImage, 'features'> {
  const bad = (line: number, text: string): Panic =>
    new Panic(`xc_dom_elfloader.c:${line}`, XC_INVALID_KERNEL, `xc_dom_parse_elf_kernel: ${text}\n`)
  const elf = elfInit(bytes)
  if (!elf) throw bad(237, 'corrupted ELF image')
  if (!elf.hasShstrtab) throw bad(245, 'ELF image has no shstrtab')
  logSegments(elf, log)
  const parms = xenParse(elf, log)
  // The log has the reason; the caller gets an errno.
  if (!parms) throw new XcError(EINVAL)
  const guestType = typeOf(elf.machine, parms.pae)
  log(`xc_dom_parse_elf_kernel: ${guestType}: 0x${hex(parms.virtKstart)} -> 0x${hex(parms.virtKend)}\n`)
  return { elf, parms, guestType }
}

/** xc_dom_guest_type. */
function typeOf(machine: number, pae: number): string {
  if (machine === EM_X86_64) return 'xen-3.0-x86_64'
  if (machine !== EM_386) return 'xen-3.0-unknown'
  return pae === 0 ? 'xen-3.0-x86_32' : 'xen-3.0-x86_32p'
}
