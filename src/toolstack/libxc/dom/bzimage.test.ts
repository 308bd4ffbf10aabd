import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ENOMEM } from '#abi/posix/errno.ts'
import { SYSCALL_NR } from '#abi/posix/syscalls.ts'
import { crc32 } from '#lib/crc32.ts'
import { probeBzImage } from './bzimage.ts'
import { Charge } from './memory.ts'

const ELF = Uint8Array.from({ length: 70_000 }, (_, i) => [0x7f, 0x45, 0x4c, 0x46][i] ?? (i * i) >> 5)
const words = (...values: readonly number[]): number[] =>
  values.flatMap((value) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24])
const join = (...parts: readonly ArrayLike<number>[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
const pieces = (bytes: Uint8Array, most: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / most) }, (_, i) => bytes.subarray(i * most, (i + 1) * most))

/** One block of nothing but literals. */
function lz4Block(bytes: Uint8Array): Uint8Array {
  const more = bytes.length - 15
  return join([0xf0], new Uint8Array(Math.floor(more / 255)).fill(255), [more % 255], bytes)
}

/** Packings that pack nothing: as the tools make them of what cannot be made smaller. */
const STORED: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  LZ4: (bytes) => {
    const block = lz4Block(bytes)
    return join(words(0x184c2102, block.length), block)
  },
  'LZ4 frame': (bytes) =>
    join(words(0x184d2204), [0x60, 0x70, 0], words((0x80000000 + bytes.length) >>> 0), bytes, words(0)),
  ZSTD: (bytes) => {
    const parts = pieces(bytes, 65536)
    const blocks = parts.map((part, i) => {
      const head = part.length * 8 + (i === parts.length - 1 ? 1 : 0)
      return join(words(head).slice(0, 3), part)
    })
    return join(words(0xfd2fb528), [0xa0], words(bytes.length), ...blocks)
  },
  XZ: (bytes) => {
    const flags = [0, 1]
    const header = [2, 0, 0x21, 1, 0x16, 0, 0, 0]
    const chunks = pieces(bytes, 65536).map((part, i) =>
      join([i === 0 ? 1 : 2, (part.length - 1) >> 8, (part.length - 1) & 255], part),
    )
    const data = join(...chunks, [0])
    const unpadded = header.length + 4 + data.length + 4
    const number = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)])
    const records = [0, 1, ...number(unpadded), ...number(bytes.length)]
    const index = join(records, new Uint8Array(-records.length & 3))
    const footer = [...words((index.length + 4) / 4 - 1), ...flags]
    const sum = (part: ArrayLike<number>): number[] => words(crc32(Uint8Array.from(part)))
    return join(
      [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...flags],
      sum(flags),
      join(header, sum(header)),
      join(data, new Uint8Array(-data.length & 3), sum(bytes)),
      join(index, sum(index)),
      join(sum(footer), footer, [0x59, 0x5a]),
    )
  },
}
/** As the kernel's makefile does it. */
const sized = (packed: Uint8Array, size = ELF.length): Uint8Array => join(packed, words(size))

function bzImage(payload: Uint8Array, version = 0x20f): Uint8Array {
  const bytes = new Uint8Array(1024 + 8 + payload.length)
  bytes[0x1f1] = 1
  bytes.set(
    [...'HdrS'].map((letter) => letter.charCodeAt(0)),
    0x202,
  )
  bytes.set([version & 255, version >> 8], 0x206)
  bytes.set([...words(8), ...words(payload.length)], 0x248)
  bytes.set(payload, 1032)
  return bytes
}

interface Probed {
  readonly blob: Uint8Array
  readonly isKernel: boolean
  readonly log: string
  /** The most that the process held. */
  readonly held: number
}

/** Its only system call is brk; there are `room` bytes. */
function probe(image: Uint8Array, room = 1 << 24): Probed {
  let log = ''
  let held = 0
  const work = probeBzImage(image, new Charge(), (text) => {
    log += text
  })
  for (let step = work.next(); ; ) {
    if (step.done) return { blob: step.value[0], isKernel: step.value[1], log, held }
    if (!step.value) {
      step = work.next()
      continue
    }
    const [nr, bytes] = step.value as readonly [number, number]
    expect(nr).toBe(SYSCALL_NR.brk)
    if (bytes > room) step = work.next(-ENOMEM)
    else {
      if (bytes > 0) held = bytes
      step = work.next(bytes === 0 ? held : bytes)
    }
  }
}

describe('a kernel', () => {
  test.each([
    ...Object.entries(STORED).map(([name, pack]) => [name, sized(pack(ELF))] as const),
    ['gzip', new Uint8Array(gzipSync(ELF))] as const,
    ['nothing', ELF] as const,
  ])('packed by %s', (name, payload) => {
    const { blob, isKernel, log } = probe(bzImage(payload))
    expect(isKernel).toBe(true)
    expect(Buffer.compare(blob.subarray(0, ELF.length), ELF)).toBe(0)
    const format = name.split(' ')[0]!
    if (name in STORED) {
      expect(log).toContain(`: ${format} decompress OK, 0x${payload.length.toString(16)} -> 0x11170\n`)
      expect(blob.length).toBe(ELF.length)
    }
  })

  test('of a size that is a lie is not believed before the bytes are there', () => {
    const payload = sized(STORED['LZ4']!(ELF), 1 << 29)
    const { log, held } = probe(bzImage(payload), 1 << 26)
    expect(held).toBeLessThan(1 << 24)
    expect(log).toContain('LZ4: got 0x11170 bytes instead of 0x20000000\n')
  })

  test('that is no ELF file is left to the next loader', () => {
    expect(probe(bzImage(sized(STORED['ZSTD']!(new Uint8Array(100)), 100)))).toMatchObject({ isKernel: false })
  })
})

const UNABLE = (name: string, line: number): string =>
  `xc_dom_bzimageloader.c:${line}: panic: xc_dom_probe_bzimage_kernel unable to ${name} decompress kernel\n`
const panicked = (line: number, text: string): string => `xc_dom_bzimageloader.c:${line}: panic: ${text}\n`
const changed = (bytes: Uint8Array, at: number): Uint8Array => {
  const bad = bytes.slice()
  bad[at]! ^= 0xff
  return bad
}
const LZ4 = STORED['LZ4']!(ELF)
const XZ = STORED['XZ']!(ELF)
const ZSTD = STORED['ZSTD']!(ELF)
const cut = (image: Uint8Array, at: number, value: number): Uint8Array => {
  const bytes = image.slice()
  bytes.set(words(value), at)
  return bytes
}

describe('a refusal', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing of a bzImage', new Uint8Array(4096), ''],
    ['too short for the header', bzImage(LZ4).subarray(0, 0x24f), ''],
    [
      'an old protocol',
      bzImage(LZ4, 0x207),
      panicked(832, 'xc_dom_probe_bzimage_kernel: boot protocol too old (0207)'),
    ],
    [
      'a payload that begins beyond the end',
      cut(bzImage(LZ4), 0x248, 0x7fffffff),
      panicked(846, 'xc_dom_probe_bzimage_kernel: payload offset overflow'),
    ],
    [
      'a payload that ends beyond the end',
      cut(bzImage(LZ4), 0x24c, 0xffffffff),
      panicked(852, 'xc_dom_probe_bzimage_kernel: payload length overflow'),
    ],
    [
      'bytes of no format',
      bzImage(new Uint8Array(100)),
      panicked(938, 'xc_dom_probe_bzimage_kernel: unknown compression format'),
    ],
    [
      'bzip2',
      bzImage(join([0x42, 0x5a, 0x68], new Uint8Array(100))),
      panicked(148, 'xc_try_bzip2_decode: BZIP2 decompress support unavailable'),
    ],
    [
      'lzma',
      bzImage(join([0x5d, 0, 0], new Uint8Array(100))),
      panicked(318, 'xc_try_lzma_decode: LZMA decompress support unavailable'),
    ],
    [
      'lzo',
      bzImage(join([0x89, 0x4c, 0x5a, 0x4f], new Uint8Array(100))),
      panicked(538, 'xc_try_lzo1x_decode: LZO1x decompress support unavailable'),
    ],
    ['too little LZ4', bzImage(LZ4.subarray(0, 8)), `LZ4: insufficient input data\n${UNABLE('LZ4', 930)}`],
    ['LZ4 with a wrong length', bzImage(sized(changed(LZ4, 6))), `LZ4: insufficient input data\n${UNABLE('LZ4', 930)}`],
    [
      'LZ4 of another size',
      bzImage(sized(LZ4, 70_001)),
      `LZ4: got 0x11170 bytes instead of 0x11171\n${UNABLE('LZ4', 930)}`,
    ],
    ['LZ4 of a smaller size', bzImage(sized(LZ4, 69_999)), `LZ4: decoding failed\n${UNABLE('LZ4', 930)}`],
    [
      'a size that cannot be',
      bzImage(sized(LZ4, 0x40000001)),
      `kernel image too large\nLZ4: output too large\n${UNABLE('LZ4', 930)}`,
    ],
    [
      'XZ with a wrong byte',
      bzImage(sized(changed(XZ, 5000))),
      `_xc_try_lzma_decode: XZ decompression error: File is corrupt\n${UNABLE('XZ', 886)}`,
    ],
    [
      'XZ without its end',
      bzImage(sized(XZ.subarray(0, 60_000))),
      `_xc_try_lzma_decode: XZ decompression error: Unexpected end of input\n${UNABLE('XZ', 886)}`,
    ],
    [
      'ZSTD with a wrong head',
      bzImage(sized(changed(ZSTD, 4))),
      `ZSTD: error: Unsupported frame parameter\n${UNABLE('ZSTD', 897)}`,
    ],
    [
      'ZSTD without its end',
      bzImage(sized(ZSTD.subarray(0, 60_000))),
      `ZSTD: error: Src size is incorrect\n${UNABLE('ZSTD', 897)}`,
    ],
  ])('of %s', (_name, image, log) => {
    const probed = probe(image)
    expect(probed.isKernel).toBe(false)
    expect(probed.log).toBe(log)
  })

  test('where there is no memory for it', () => {
    expect(probe(bzImage(sized(LZ4)), 50_000).log).toBe(`LZ4: failed to alloc memory\n${UNABLE('LZ4', 930)}`)
  })
})
