import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { checkGzip, gunzip } from './gunzip.ts'
import type { Panic } from './log.ts'

const quiet = (): void => {}
let taken = 0
const free = function* (bytes: number): Sys<void> {
  taken += bytes
}
const text = new TextEncoder().encode('vmlinux '.repeat(20000))
const packed = new Uint8Array(gzipSync(text))

/** It makes no system calls: it runs through. */
function run(blob: Uint8Array): Uint8Array | string {
  const size = checkGzip(blob, quiet)
  if (size === 0) return 'not packed'
  try {
    return gunzip(blob, size, quiet, free).next().value as Uint8Array
  } catch (error) {
    return (error as Panic).text
  }
}

const changed = (at: number, value: number): Uint8Array => {
  const bytes = packed.slice()
  bytes[at < 0 ? bytes.length + at : at] = value
  return bytes
}

test('unpacks into a buffer that is 16 bytes too long, as the real one', () => {
  const bytes = run(packed) as Uint8Array
  expect(bytes.length).toBe(text.length + 16)
  expect(bytes.subarray(0, text.length)).toEqual(text)
})

test('does not believe in a size that is a lie before the bytes are there', () => {
  taken = 0
  expect(run(changed(-1, 0x30))).toBe('xc_dom_do_gunzip: inflate failed (rc=-3)\n')
  expect(taken).toBeLessThan(4 * text.length)
})

test('skips a name, a comment, extra bytes and a header check', () => {
  const header = [0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 97, 0, 98, 99, 0, 1, 2]
  const blob = new Uint8Array(header.length + packed.length - 10)
  blob.set(header)
  blob.set(packed.subarray(10), header.length)
  expect((run(blob) as Uint8Array).length).toBe(text.length + 16)
})

describe('refusals', () => {
  test.each<[string, Uint8Array, string]>([
    ['plain bytes', text, 'not packed'],
    ['a size that looks insane', changed(-1, 0x7f), 'not packed'],
    ['nothing but the magic: its own bytes are its size', Uint8Array.of(0x1f, 0x8b), 'not packed'],
    ['an empty header', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), 'xc_dom_do_gunzip: inflate failed (rc=-5)\n'],
    ['half of it', packed.slice(0, packed.length >> 1), 'not packed'],
    ['the end missing', packed.slice(0, -3), 'xc_dom_do_gunzip: inflate failed (rc=-5)\n'],
    ['a size that is too small', changed(-3, 0), 'xc_dom_do_gunzip: inflate failed (rc=-5)\n'],
    ['a wrong checksum', changed(-8, packed[packed.length - 8]! ^ 1), 'xc_dom_do_gunzip: inflate failed (rc=-3)\n'],
    ['another method', changed(2, 7), 'xc_dom_do_gunzip: inflate failed (rc=-3)\n'],
    ['garbage behind the header', changed(10, 0xff), 'xc_dom_do_gunzip: inflate failed (rc=-3)\n'],
  ])('%s', (_name, blob, outcome) => {
    const result = run(blob)
    // Where half of it is cut, the last bytes are no size: either way it is refused.
    if (_name === 'half of it') expect(typeof result).toBe('string')
    else expect(result).toBe(outcome)
  })
})
