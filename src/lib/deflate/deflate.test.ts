/** Both directions against zlib, whole and in pieces. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createRng } from '../prng.ts'
import { Deflater } from './deflate.ts'
import { codeLengths } from './huffman.ts'
import { InflateError, Inflater } from './inflate.ts'

const rng = createRng(1951).fork('deflate')

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function deflate(raw: Uint8Array, level: number, piece = 65536): Uint8Array {
  const deflater = new Deflater(level)
  const parts: Uint8Array[] = []
  for (let at = 0; !deflater.done; ) {
    const { bytes, wantsInput } = deflater.run()
    parts.push(bytes)
    if (!wantsInput) continue
    if (at >= raw.length) deflater.end()
    else deflater.push(raw.subarray(at, at + piece))
    at += piece
  }
  return joined(parts)
}

function inflate(packed: Uint8Array, piece = 65536): { raw: Uint8Array; rest: Uint8Array } {
  const inflater = new Inflater()
  const parts: Uint8Array[] = []
  for (let at = 0; ; ) {
    const { bytes, wantsInput } = inflater.run()
    parts.push(bytes)
    if (inflater.done) return { raw: joined(parts), rest: joined([inflater.rest(), packed.subarray(at)]) }
    if (!wantsInput) continue
    if (at >= packed.length) inflater.end()
    else inflater.push(packed.subarray(at, at + piece))
    at += piece
  }
}

const SAMPLES: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(7)],
  ['two bytes', Uint8Array.of(7, 7)],
  ['zeros', new Uint8Array(300_000)],
  ['noise', rng.bytes(150_000)],
  ['few letters', rng.bytes(200_000).map((byte) => 97 + (byte & 3))],
  [
    'text',
    new Uint8Array(Buffer.from(Array.from({ length: 9000 }, (_, i) => `line ${(i * i) % 977} of it\n`).join(''))),
  ],
  ['far matches', joined([rng.bytes(32500), new Uint8Array(10), rng.bytes(300), new Uint8Array(40_000)])],
  [
    'noise twice, just in reach',
    (() => {
      const one = rng.bytes(32_500)
      return joined([one, one, one])
    })(),
  ],
  [
    'noise twice, just out of reach',
    (() => {
      const one = rng.bytes(32_770)
      return joined([one, one])
    })(),
  ],
  ['skewed', rng.bytes(100_000).map((byte, i) => (byte > 250 ? i & 255 : byte > 128 ? 1 : byte > 64 ? 2 : 3))],
]

describe.each(SAMPLES)('%s', (_, raw) => {
  test.each([1, 3, 4, 6, 9])('comes back from zlib, level %i', (level) => {
    const packed = deflate(raw, level)
    expect(Buffer.compare(inflateRawSync(packed), raw)).toBe(0)
    // Within a few percent of zlib.
    expect(packed.length).toBeLessThan(deflateRawSync(raw, { level }).length * 1.06 + 16)
  })

  test.each([
    ['best', { level: 9 }],
    ['stored', { level: 0 }],
    ['fixed codes', { strategy: constants.Z_FIXED }],
    ['Huffman only', { strategy: constants.Z_HUFFMAN_ONLY }],
    ['flushed blocks', { level: 6, memLevel: 1 }],
  ])('is had back from zlib, %s', (_name, options) => {
    const packed = new Uint8Array(deflateRawSync(raw, options))
    const more = joined([packed, Uint8Array.of(1, 2, 3)])
    for (const piece of [65536, 1000]) {
      const { raw: back, rest } = inflate(more, piece)
      expect(Buffer.compare(back, raw)).toBe(0)
      expect([...rest]).toEqual([1, 2, 3])
    }
  })
})

test('small pieces make the same as large ones', () => {
  const raw = SAMPLES[6]![1]
  expect(Buffer.compare(deflate(raw, 6, 100), deflate(raw, 6))).toBe(0)
  expect(Buffer.compare(inflate(deflate(raw, 6), 1).raw, raw)).toBe(0)
})

test('random mixtures survive both ways', () => {
  for (let round = 0; round < 60; round++) {
    const parts: Uint8Array[] = []
    for (let i = rng.below(8); i >= 0; i--) {
      const earlier = parts[rng.below(Math.max(1, parts.length))]
      const kind = rng.below(3)
      parts.push(
        kind === 0 || !earlier ? rng.bytes(rng.below(3000)) : kind === 1 ? earlier : new Uint8Array(rng.below(900)),
      )
    }
    const raw = joined(parts)
    const packed = deflate(raw, 1 + rng.below(9), 1 + rng.below(5000))
    expect(Buffer.compare(inflateRawSync(packed), raw)).toBe(0)
    expect(Buffer.compare(inflate(packed, 1 + rng.below(5000)).raw, raw)).toBe(0)
  }
})

test.each([
  ['block type 3', [7], 'invalid block type'],
  ['stored lengths that differ', [1, 1, 0, 1, 0], 'invalid stored block lengths'],
  ['a distance before the start', [0x4b, 0x04, 0x22, 0x00], 'too far back'],
  ['nothing', [], 'unexpected end'],
  ['a cut stored block', [1, 5, 0, 250, 255, 1, 2], 'unexpected end'],
  ['a cut fixed block', [0x4b], 'unexpected end'],
])('refuses %s', (_, bytes, message) => {
  expect(() => inflate(Uint8Array.from(bytes as number[]))).toThrow(message as string)
})

test('whatever the bytes are, it ends: with output or an InflateError', () => {
  for (let round = 0; round < 3000; round++) {
    const bytes = rng.bytes(1 + rng.below(400))
    if (round % 2 === 0) bytes[0] = (bytes[0]! & 0xf8) | 4
    try {
      inflate(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(InflateError)
    }
  }
})

test('code lengths keep their limit and fill the code', () => {
  const fibonacci = [1, 1]
  while (fibonacci.length < 23) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!)
  for (const limit of [7, 15]) {
    const lengths = codeLengths(Uint16Array.from(fibonacci.slice(0, 19)), 19, limit)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(limit)
    expect(lengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1)
  }
})
