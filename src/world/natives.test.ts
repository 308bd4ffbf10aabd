import { deflateSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { natives } from './natives.ts'

const raw = Uint8Array.from({ length: 300_000 }, (_, i) => ((i * i) >> 3) & 255)
const deflated = deflateSync(raw)

describe('inflate', () => {
  const inflate = (data: Uint8Array, sizeHint?: number) => natives(() => {}).inflate(data, sizeHint)

  test.each([[undefined], [raw.length], [raw.length + 5000]])('gives the data back, size hint %s', (hint) => {
    expect(inflate(deflated, hint)).toEqual(raw)
  })

  test('ignores what follows the data, as a gzip trailer does', () => {
    const more = new Uint8Array(deflated.length + 100_000)
    more.set(deflated)
    expect(inflate(more)).toEqual(raw)
    expect(inflate(more, raw.length)).toEqual(raw)
  })

  test.each([
    ['cut short', deflated.subarray(0, deflated.length - 5), undefined],
    ['cut short, size known', deflated.subarray(0, deflated.length - 5), raw.length],
    ['almost nothing', deflated.subarray(0, 2), undefined],
    ['no DEFLATE at all', Uint8Array.of(7, 7, 7, 7, 7), 100],
    ['longer than its size says', deflated, raw.length - 1],
    ['said to be larger than any machine', deflated, 2 ** 40],
  ])('refuses what is %s', (_, data, hint) => expect(inflate(data, hint)).toBeUndefined())

  test('is paid for by size', () => {
    let ns = 0
    natives((charged) => {
      ns += charged
    }).inflate(deflated)
    expect(ns).toBe((deflated.length + raw.length) * 4)
  })
})
