/**
 * Loading a kernel as load_image of GRUB 0.97's stage2/boot.c does, for the formats that this machine can start: multiboot images, ELF
 * or with addresses in their header. Also the modules. The real one knows a.out and Linux images too; starting those takes an x86 in
 * real mode, so here they are error 13 like any other foreign file.
 */

import { type Mem, memOf } from '#abi/mem.ts'
import {
  MULTIBOOT_AOUT_KLUDGE,
  MULTIBOOT_HEADER_MAGIC,
  MULTIBOOT_SEARCH_BYTES,
  multiboot_header,
} from '#abi/pc/multiboot.ts'
import type { OpenFile } from '../disk/file.ts'
import { Err, fail, GrubError } from '../errors.ts'
import { type Grub, open } from '../grub.ts'
import { RUN_ON, type Run } from '../run.ts'
import { hex } from '../text.ts'
import { copyToMemory } from './copy.ts'
import { isBootableElf, loadElf } from './elf.ts'
import type { LoadedModule, MultibootKernel, SectionTable } from './loaded.ts'
import { checkRoom } from './memory.ts'
import { checkCommandLines, MODULES_MAX } from './multiboot-info.ts'

const MIB = 0x100000
const PAGE = 0x1000
/** Flags of bits 0-15 ask for what a loader must understand; GRUB knows alignment and memory information. */
const UNSUPPORTED_FLAGS = 0x0000fffc
const HEADER_BYTES = 12
const SMALLEST_KERNEL = 32

export const pageUp = (address: number): number => Math.ceil(address / PAGE) * PAGE

/** A loaded image: where it starts, where it ends. */
export interface Placed {
  /** Physical. */
  readonly entry: number
  /** As the file says it: what is printed. */
  readonly shownEntry: number
  readonly end: number
  readonly sections: SectionTable | undefined
}

/** What a loader gets to work with. `checked` is 28's condition, `print` writes on the line that is begun. */
export interface Loading {
  readonly grub: Grub
  readonly file: OpenFile
  /** The file's first bytes, at most 8 KiB. */
  readonly head: Mem
  readonly headBytes: number
}

/** Load `argument`'s file as a kernel. Prints `   [Multiboot-elf, ...]`. Errors 7, 10, 13, 28 and those of opening and reading. */
export function* loadKernel(grub: Grub, argument: string): Run<MultibootKernel> {
  checkCommandLines(undefined, argument)
  yield RUN_ON
  const file = open(grub, argument)
  yield RUN_ON
  // A compressed file is read and unpacked whole by this.
  const bytes = file.read(0, MULTIBOOT_SEARCH_BYTES)
  yield RUN_ON
  if (bytes.length < SMALLEST_KERNEL) fail(Err.execFormat)
  const head = memOf(bytes)
  const loading = { grub, file, head, headBytes: bytes.length }
  const header = findHeader(head, bytes.length)
  if (header === undefined) return fail(Err.execFormat)
  const flags = multiboot_header.fields.flags.get(head, header)
  if (flags & UNSUPPORTED_FLAGS) fail(Err.bootFeatures)
  let placed: Placed
  if (isBootableElf(head, bytes.length)) placed = yield* loadElf(loading)
  else if (flags & MULTIBOOT_AOUT_KLUDGE) placed = yield* loadByHeader(loading, header)
  else return fail(Err.execFormat)
  yield* grub.tty.print(`, entry=${hex(placed.shownEntry)}]\n`)
  const { drive, partition } = file.extent.device
  return {
    kind: 'multiboot',
    entry: placed.entry,
    commandLine: argument,
    bootDevice: drive * 0x1000000 + partition,
    sections: placed.sections,
    free: placed.end,
    modules: [],
  }
}

/** The offset of the multiboot header. GRUB looks at every byte, though the specification asks for 4-byte alignment. */
function findHeader(head: Mem, bytes: number): number | undefined {
  const { magic, flags, checksum } = multiboot_header.fields
  for (let at = 0; at + HEADER_BYTES <= bytes; at++) {
    if (magic.get(head, at) !== MULTIBOOT_HEADER_MAGIC) continue
    if (((MULTIBOOT_HEADER_MAGIC + flags.get(head, at) + checksum.get(head, at)) >>> 0) % 2 ** 32 === 0) return at
  }
  return undefined
}

/** Run `load` inside the bracket that was opened on the screen: an error ends the line first. */
export function* inBracket<T>(grub: Grub, load: () => Run<T>): Run<T> {
  try {
    return yield* load()
  } catch (caught) {
    if (caught instanceof GrubError) yield* grub.tty.print('\n')
    throw caught
  }
}

/** An image with its addresses in the multiboot header: the "a.out kludge". */
function* loadByHeader({ grub, file, head, headBytes }: Loading, at: number): Run<Placed> {
  if (at + multiboot_header.size > headBytes) fail(Err.execFormat)
  const header = multiboot_header.read(head, at)
  const load = header.load_addr
  const offset = at - (header.header_addr - load)
  const loadEnd = header.load_end_addr || load + file.size
  const bssEnd = header.bss_end_addr || loadEnd
  if (load < MIB) fail(Err.below1mb)
  if (header.header_addr < load || loadEnd <= load || bssEnd < loadEnd || offset < 0) fail(Err.execFormat)
  const length = loadEnd - load
  const { mem } = grub.metal
  yield* grub.tty.print(`   [Multiboot-kludge, loadaddr=${hex(load)}, text-and-data=${hex(length)}`)
  return yield* inBracket(grub, function* () {
    if ((yield* copyToMemory(grub, file, offset, length, load)) < length) fail(Err.execFormat)
    checkRoom(grub.memory, loadEnd, bssEnd - loadEnd)
    mem.fill(loadEnd, bssEnd - loadEnd, 0)
    yield* grub.tty.print(`, bss=${hex(bssEnd - loadEnd)}`)
    return { entry: header.entry_addr, shownEntry: header.entry_addr, end: bssEnd, sections: undefined }
  })
}

/** Put a module behind what is loaded. Prints `   [Multiboot-module @ 0x..., 0x... bytes]`. */
export function* loadModule(grub: Grub, kernel: MultibootKernel, argument: string, decompress: boolean): Run {
  checkCommandLines(kernel, argument)
  if (kernel.modules.length >= MODULES_MAX) fail(Err.wontFit)
  const start = pageUp(kernel.free)
  kernel.free = start
  const file = open(grub, argument, { decompress })
  const bytes = yield* copyToMemory(grub, file, 0, file.size, start)
  // An empty file is no error and no module.
  if (bytes === 0) return
  const module: LoadedModule = { start, end: start + bytes, commandLine: argument }
  yield* grub.tty.print(`   [Multiboot-module @ ${hex(start)}, ${hex(bytes)} bytes]\n`)
  kernel.free = module.end
  kernel.modules.push(module)
}
