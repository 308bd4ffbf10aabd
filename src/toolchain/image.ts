/** The last step of a build: code into the containers of abi/image.ts. */
import { IMAGE_ABI, IMAGE_MAGIC, type ImageCode, ImageKind, image_header } from '#abi/image.ts'
import { memOf } from '#abi/mem.ts'
import {
  BLOCKLIST_FIRST,
  PARTITION_TABLE,
  STAGE1_STAGE2_SECTOR,
  STAGE2_PARAMS_OFFSET,
  stage2_params,
} from '#abi/pc/grub.ts'
import type { Values } from '#abi/struct.ts'
import { crc32 } from '#lib/crc32.ts'
import { utf8Encode } from '#lib/utf8.ts'
import { CompileError } from './diagnostics.ts'

const SECTOR_BYTES = 512
/** Code of a boot sector: behind the fields that the installer patches, ahead of the disk signature and the partition table. */
const BOOT_SECTOR_CODE = { offset: 0x50, end: PARTITION_TABLE - 6 }
/** Code of stage2's first sector: right behind the header, below the block list that grows down from BLOCKLIST_FIRST: 4 entries and their end. */
const STAGE2_START_CODE = { offset: image_header.size, end: BLOCKLIST_FIRST - 4 * 8 }

/** header, `gap` (its bytes lie right behind the header), code at `codeOffset`. */
export function withHeader(
  kind: ImageKind,
  name: string,
  code: Uint8Array,
  codeOffset: number,
  gap?: Uint8Array,
): Uint8Array {
  if (!/^[\x21-\x7e]{1,12}$/.test(name)) throw new CompileError([`ld: image name '${name}': 1 to 12 ASCII characters`])
  const image = new Uint8Array(codeOffset + code.length)
  image_header.write(memOf(image), 0, {
    magic: IMAGE_MAGIC,
    kind,
    abi: IMAGE_ABI,
    code_offset: codeOffset,
    code_bytes: code.length,
    code_crc32: crc32(code),
    name: utf8Encode(name),
  })
  if (gap) image.set(gap, image_header.size)
  image.set(code, codeOffset)
  return image
}

/** The bytes of an image's code, as they lie behind its header. Modules ask for their imports by place, so that only indices are needed. */
export const codeBytes = ({ entry, modules }: ImageCode): Uint8Array =>
  utf8Encode(
    JSON.stringify({ entry, modules: modules.map((one) => ({ ...one, imports: Object.values(one.imports) })) }),
  )

/**
 * A program's code as it lies behind its header: the same JSON, with blanks that let each module begin and end on the border of a sector, and
 * with imports by name, so that a module is the same bytes in every image. Programs of several packages share most of libc, and a disk that
 * travels holds no sector twice (lib/ondisk/sparse-disk.ts).
 */
export function programBytes({ entry, modules }: ImageCode): Uint8Array {
  const pieces: Uint8Array[] = []
  let length = 0
  const put = (text: string): void => {
    const piece = utf8Encode(text)
    pieces.push(piece)
    length += piece.length
  }
  const align = (): void => put(' '.repeat(-(image_header.size + length) & (SECTOR_BYTES - 1)))
  put(`{"entry":${entry},"modules":[`)
  for (const [i, { path, code, imports }] of modules.entries()) {
    align()
    put(JSON.stringify({ path, code, imports: Object.keys(imports) }))
    if (i < modules.length - 1) put(',')
  }
  align()
  put(']}')
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** A module or a program: the header at byte 0. */
export const plainImage = (kind: ImageKind, name: string, code: ImageCode): Uint8Array =>
  withHeader(kind, name, kind === ImageKind.program ? programBytes(code) : codeBytes(code), image_header.size)

/**
 * The boot sector, 512 bytes without the boot signature, the partition table and the fields of abi/pc/grub.ts: those are
 * the installer's. `body` is what `sectorBody` made.
 */
export const bootSectorImage = (name: string, body: string): Uint8Array =>
  sector(ImageKind.bootSector, name, body, BOOT_SECTOR_CODE)

/** Stage2's first sector, 512 bytes without the block list. */
export const stage2StartImage = (name: string, body: string): Uint8Array =>
  sector(ImageKind.stage2, name, body, STAGE2_START_CODE)

function sector(
  kind: ImageKind,
  name: string,
  body: string,
  { offset, end }: { offset: number; end: number },
): Uint8Array {
  const code = utf8Encode(body)
  const room = end - offset
  if (code.length > room) {
    throw new CompileError([
      `ld: section .text will not fit in region 'sector': overflowed by ${code.length - room} bytes`,
    ])
  }
  const image = new Uint8Array(SECTOR_BYTES)
  image.set(withHeader(kind, name, code, offset))
  return image
}

/** Stage2 proper: header, parameters that `grub-install` patches, code. */
export function stage2Image(name: string, code: ImageCode, params: Values<typeof stage2_params>): Uint8Array {
  const gap = new Uint8Array(stage2_params.size)
  stage2_params.write(memOf(gap), 0, params)
  return withHeader(ImageKind.stage2, name, codeBytes(code), STAGE2_PARAMS_OFFSET + stage2_params.size + 4, gap)
}

// The layout that the constants promise each other.
if (BOOT_SECTOR_CODE.offset < STAGE1_STAGE2_SECTOR + 4 || STAGE2_PARAMS_OFFSET !== image_header.size)
  throw new TypeError('image layout')
