import { expect, it } from 'vitest'
import { asciicast, CastRecorder } from './asciicast.ts'

const options = { columns: 80, rows: 25, title: 'COM1', timestamp: 1242109972 }
const bytes = (text: string) => new TextEncoder().encode(text)
const header = '{"version":2,"width":80,"height":25,"timestamp":1242109972,"title":"COM1"}'

it('a header, then what was said when, from the first byte on', () => {
  const heard = [
    { atNs: 5_000_000_000, bytes: bytes('GRUB\r\n') },
    { atNs: 5_250_000_500, bytes: bytes('"\x1b[H') },
  ]
  expect(asciicast(heard, options)).toBe(
    [header, '[0,"o","GRUB\\r\\n"]', '[0.250001,"o","\\"\\u001b[H"]', ''].join('\n'),
  )
})

it('nothing said is a header alone', () => expect(asciicast([], options)).toBe(`${header}\n`))

it('a character that came in two pieces is whole, with the second', () => {
  const [first, ...rest] = bytes('ä')
  const heard = [
    { atNs: 0, bytes: Uint8Array.of(first!) },
    { atNs: 1_000_000, bytes: Uint8Array.from(rest) },
  ]
  expect(asciicast(heard, options)).toBe(`${header}\n[0.001,"o","ä"]\n`)
})

it('a recorder begins anew with a machine whose time begins anew', () => {
  const recorder = new CastRecorder()
  recorder.add(7e9, bytes('old'))
  recorder.add(1e9, bytes('new'))
  expect(recorder.cast(options)).toBe(`${header}\n[0,"o","new"]\n`)
})

it('a recorder keeps the newest of a line that never stops', () => {
  const recorder = new CastRecorder(400)
  for (let i = 0; i < 6; i++) recorder.add(i * 1e9, new Uint8Array(100).fill(0x30 + i))
  const lines = recorder.cast(options).trim().split('\n').slice(1)
  expect(lines.map((line) => JSON.parse(line)[2][0])).toEqual(['2', '3', '4', '5'])
})
