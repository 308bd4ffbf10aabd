import { expect, it } from 'vitest'
import { utf8Stream } from './utf8-stream.ts'

it.each<[string, readonly number[]]>([
  ['plain', [0x41, 0x0a]],
  ['two, three and four bytes', [0xc3, 0xa4, 0xe5, 0x9f, 0x9f, 0xf0, 0x9f, 0x98, 0x80]],
])('%s, cut anywhere, is the same text', (_, bytes) => {
  const whole = new TextDecoder().decode(Uint8Array.from(bytes))
  for (let at = 0; at <= bytes.length; at++) {
    const decode = utf8Stream()
    expect(decode(Uint8Array.from(bytes.slice(0, at))) + decode(Uint8Array.from(bytes.slice(at)))).toBe(whole)
  }
})

it.each<[string, readonly number[], string]>([
  ['a byte that begins nothing', [0x80, 0x41], '\ufffdA'],
  ['an overlong form', [0xe0, 0x80, 0x80], '\ufffd'],
  ['a surrogate', [0xed, 0xa0, 0x80], '\ufffd'],
  ['a beginning without an end', [0xc3, 0x41], '\ufffdA'],
  ['beyond Unicode', [0xf5, 0x41], '\ufffdA'],
])('%s becomes the replacement character', (_, bytes, expected) => {
  expect(utf8Stream()(Uint8Array.from(bytes))).toBe(expected)
})
