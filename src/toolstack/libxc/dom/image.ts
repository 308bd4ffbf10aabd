/** A kernel's file, and which loader takes it: xc_dom_kernel_file, xc_dom_parse_image, and the loaders (xc_dom_bzimageloader.c, xc_dom_elfloader.c). */

import { EM_386, EM_X86_64 } from '#abi/elf.ts'
import { memOf } from '#abi/mem.ts'
import { EINVAL, ENODEV } from '#abi/posix/errno.ts'
import { O_RDONLY } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { sbrk } from '#user/libc/heap.ts'
import { isDir } from '#user/libc/mode.ts'
import { close, fstat, open, read } from '#user/libc/syscall.ts'
import { XC_INVALID_KERNEL, XC_INVALID_PARAM, XcError } from '../error.ts'
import { checkGzip, gunzip } from './gunzip.ts'
import { type Elf, type ElfParms, elfInit, isElf, logSegments, parseFeatures, xenParse } from './libelf.ts'
import { hex, type Log, memoryLine, Panic } from './log.ts'

const READ_BYTES = 1 << 20
/** Smaller allocations are not worth a line. */
const LOGGED_BYTES = 100 * 1024

/** Bytes that a build holds, charged to the process: gives them back with the build. */
export class Charge {
  #bytes: number
  constructor() {
    this.#bytes = 0
  }
  *take(bytes: number): Sys<void> {
    yield* sbrk(bytes)
    this.#bytes += bytes
  }
  *release(): Sys<void> {
    if (this.#bytes > 0) yield* sbrk(-this.#bytes)
    this.#bytes = 0
  }
}

/** xc_dom_malloc_filemap: what mmap of it would say is an errno and nothing else. */
export function* fileMap(path: string, charge: Charge, log: Log): Sys<Uint8Array> {
  try {
    const fd = yield* open(path, O_RDONLY, 0)
    try {
      const { size, mode } = yield* fstat(fd)
      if (isDir(mode)) throw new XcError(ENODEV)
      if (size === 0) throw new XcError(EINVAL)
      yield* charge.take(size)
      const bytes = new Uint8Array(size)
      let length = 0
      while (length < size) {
        const part = yield* read(fd, Math.min(READ_BYTES, size - length))
        if (part.length === 0) break
        bytes.set(part, length)
        length += part.length
      }
      if (size > LOGGED_BYTES) log(memoryLine('xc_dom_malloc_filemap', size))
      return bytes
    } finally {
      yield* close(fd)
    }
  } catch (error) {
    throw error instanceof OsError && !(error instanceof XcError) ? new XcError(error.errno) : error
  }
}

/** xc_dom_try_gunzip: `blob` unpacked, if it is packed. */
export function* tryGunzip(blob: Uint8Array, charge: Charge, log: Log): Sys<Uint8Array> {
  const size = checkGzip(blob, log)
  if (size === 0) return blob
  if (size > LOGGED_BYTES) log(memoryLine('xc_dom_malloc', size))
  return yield* gunzip(blob, size, log, (bytes) => charge.take(bytes))
}

/** The setup header of a bzImage (Linux, Documentation/i386/boot.txt): up to payload_length, which protocol 2.08 has. */
const SETUP_SECTS = 0x1f1
const HEADER = 0x202
const VERSION = 0x206
const PAYLOAD_OFFSET = 0x248
const PAYLOAD_LENGTH = 0x24c
const HEADER_BYTES = 0x250
const HDRS = 0x53726448
const PROTOCOL_WITH_PAYLOAD = 0x208

/** xc_dom_probe_bzimage_kernel: the blob that the next loader sees, and whether it is for this one. */
function* probeBzImage(blob: Uint8Array, charge: Charge, log: Log): Sys<readonly [Uint8Array, boolean]> {
  if (blob.length < HEADER_BYTES) return [blob, false]
  const mem = memOf(blob)
  if (mem.read32(HEADER) !== HDRS || mem.read16(VERSION) < PROTOCOL_WITH_PAYLOAD) return [blob, false]
  const at = (mem.read8(SETUP_SECTS) + 1) * 512 + mem.read32(PAYLOAD_OFFSET)
  const payload = blob.subarray(at, at + mem.read32(PAYLOAD_LENGTH))
  try {
    const kernel = yield* tryGunzip(payload, charge, log)
    return [kernel, isElf(kernel)]
  } catch (error) {
    if (!(error instanceof Panic)) throw error
    log(`${error.where}: panic: ${error.text}`)
    return [payload, false]
  }
}

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
