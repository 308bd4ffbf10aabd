import { expect, test } from 'vitest'
import type { WorldRecord } from './machine.ts'
import { parseRecord, RecordError } from './record.ts'

const good: WorldRecord = {
  version: 1,
  build: '0.1.0',
  diskHash: 'ab',
  seed: 7,
  memoryMiB: 512,
  inputs: [
    { atNs: 0, input: { kind: 'button', button: 'power' } },
    { atNs: 5, input: { kind: 'serial', line: 'com2', bytes: [0, 255] } },
    { atNs: 5, input: { kind: 'keyboard', scancodes: [0xe0, 0x48] } },
    { atNs: 6, input: { kind: 'link', link: 1, event: { kind: 'open', to: '/var/run/s' } } },
    { atNs: 6, input: { kind: 'link', link: 1, event: { kind: 'data', bytes: [0, 255] } } },
    { atNs: 6, input: { kind: 'link', link: 1, event: { kind: 'credit', bytes: 16384 } } },
    { atNs: 6, input: { kind: 'link', link: 1, event: { kind: 'end' } } },
  ],
  endNs: 9,
}

test('what was written is read', () => {
  expect(parseRecord(JSON.stringify(good))).toEqual(good)
})

const input = (entry: unknown) => ({ ...good, inputs: [entry] })

test.each<[string, unknown, string]>([
  ['nothing', null, 'the log is no object'],
  ['a list', [], 'the log is no object'],
  ['another version', { ...good, version: 2 }, 'not an input log of version 1: version 2'],
  ['no inputs', { ...good, inputs: 3 }, 'not an input log: inputs is no list'],
  ['an input that is none', input(5), 'input 0 is no object'],
  ['no time', input({ input: good.inputs[0]!.input }), 'input 0: atNs is no whole number'],
  ['a time before all', input({ ...good.inputs[0], atNs: -1 }), 'input 0: atNs is no whole number'],
  ['an unknown kind', input({ atNs: 0, input: { kind: 'mouse' } }), 'input 0 is of no known kind'],
  ['an unknown button', input({ atNs: 0, input: { kind: 'button', button: 'turbo' } }), 'input 0 is of no known kind'],
  [
    'an unknown line',
    input({ atNs: 0, input: { kind: 'serial', line: 'lpt1', bytes: [] } }),
    'input 0 is of no known kind',
  ],
  ['no bytes', input({ atNs: 0, input: { kind: 'serial', line: 'com1' } }), 'input 0: bytes is no list of bytes'],
  [
    'too large a byte',
    input({ atNs: 0, input: { kind: 'keyboard', scancodes: [256] } }),
    'input 0: scancodes is no list of bytes',
  ],
  ['a link without number', input({ atNs: 0, input: { kind: 'link' } }), 'input 0: link is no whole number'],
  ['a link without event', input({ atNs: 0, input: { kind: 'link', link: 1 } }), 'input 0: event is no object'],
  [
    'an unknown event of a link',
    input({ atNs: 0, input: { kind: 'link', link: 1, event: { kind: 'x' } } }),
    'input 0 is of no known kind',
  ],
  [
    'a link to nothing',
    input({ atNs: 0, input: { kind: 'link', link: 1, event: { kind: 'open', to: 1 } } }),
    'input 0: to is no text',
  ],
  ['disorder', { ...good, inputs: [...good.inputs].reverse() }, 'input 4 is earlier than the one before'],
  ['an early end', { ...good, endNs: 4 }, 'endNs is earlier than the last input'],
  ['no end', { ...good, endNs: 'x' }, 'endNs is no whole number'],
  ['no seed', { ...good, seed: 1.5 }, 'seed is no whole number'],
  ['no build', { ...good, build: 1 }, 'build is no text'],
])('%s is refused', (_name, json, message) => {
  expect(() => parseRecord(JSON.stringify(json))).toThrow(new RecordError(message))
})

test('what is no JSON is refused', () => {
  expect(() => parseRecord('version 1')).toThrow(new RecordError('not an input log: not JSON'))
})
