/**
 * The image container: how compiled code lies in a file and in memory (design D1, docs/adr/0001). A file that boots carries
 * one *image header*; whoever starts it (firmware's boot sector load, a jump, Xen's domain builder, exec) finds the header at
 * the entry address and the code behind it.
 *
 *   boot sector   the header at byte 0 of the sector, code behind it, a partition table at 446, 0x55AA at 510
 *   stage2        sector 0: a header with the loader of the rest; sector 1: the header of stage2 proper
 *   hypervisor    an ELF32 file whose PT_LOAD segment begins with the header and holds a multiboot header within 8 KiB
 *   kernel        an ELF64 file with Xen notes, whose entry is the header
 *   module, program   the header at byte 0
 *
 * The code of a boot sector and of stage2's first sector is the text of one function body (they must fit a sector). All others hold
 * JSON: `ImageCode`; a module's imports may be a list there, of indices or of specifiers, which its path makes paths of.
 */
import { bytes, struct, u16, u32 } from './struct.ts'

/** 'XPIM', little-endian. */
export const IMAGE_MAGIC = 0x4d495058
/** Raised whenever an image built before can no longer run. */
export const IMAGE_ABI = 1

export const ImageKind = { bootSector: 1, stage2: 2, hypervisor: 3, kernel: 4, module: 5, program: 6 } as const
export type ImageKind = (typeof ImageKind)[keyof typeof ImageKind]

export const image_header = struct('image_header', 32, {
  magic: u32(0),
  kind: u16(4),
  abi: u16(6),
  /** From the header's first byte to the code's. */
  code_offset: u32(8),
  code_bytes: u32(12),
  /** CRC-32 (IEEE) of the code: a file damaged on disk says so instead of running. */
  code_crc32: u32(16),
  /** Name for crash reports, ASCII, zero-padded: `stage2`, `xen-3.3.0`. */
  name: bytes(20, 12),
})

/** One compiled module: fuel counted, imports already resolved to indices of `modules`. */
export interface ImageModule {
  /** Source path, as in stack traces and panics: `xen/common/keyhandler.ts`. */
  readonly path: string
  /** CommonJS-style body; `require(0)` is answered by the first of `imports`. */
  readonly code: string
  readonly imports: Readonly<Record<string, number>>
}

/** The JSON of an image's code. `modules[entry]` exports the entry point named by the kind's contract. */
export interface ImageCode {
  readonly entry: number
  readonly modules: readonly ImageModule[]
}

/** The three names that instrumented code may use, and what they are. No program may declare or assign them. */
export const FUEL_CELL = '$f'
/** Called when the fuel is used up; throws what no image can catch. */
export const FUEL_TRAP = '$x'
/** First statement of each catch clause: rethrows what no image may catch. */
export const CATCH_GUARD = '$k'
