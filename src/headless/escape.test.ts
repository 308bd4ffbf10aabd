import { expect, test } from 'vitest'
import { createEscape } from './escape.ts'

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
const send = (text: string) => ({ kind: 'send', bytes: [...bytes(text)] })

test.each([
  ['plain text', ['abc'], [send('abc')]],
  ['leave', ['\x1dq'], [{ kind: 'leave' }]],
  ['upper case too', ['\x1dQ'], [{ kind: 'leave' }]],
  ['the letter may come later', ['a\x1d', 'qb'], [send('a'), { kind: 'leave' }, send('b')]],
  ['reset', ['\x1dr'], [{ kind: 'button', button: 'reset' }]],
  ['NMI', ['\x1dn'], [{ kind: 'button', button: 'nmi' }]],
  ['power', ['\x1dp'], [{ kind: 'button', button: 'power' }]],
  ['the escape itself', ['\x1d\x1d'], [send('\x1d')]],
  ['help', ['x\x1d?y'], [send('x'), { kind: 'help' }, send('y')]],
  ['an unknown letter shows the list', ['\x1dz'], [{ kind: 'help' }]],
  ['nothing', [''], []],
])('%s', (_name, typed, acts) => {
  const sort = createEscape()
  expect(typed.flatMap((part) => sort(bytes(part)))).toEqual(acts)
})
