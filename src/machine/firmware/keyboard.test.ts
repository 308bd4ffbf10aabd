import { expect, test } from 'vitest'
import { translate } from './keyboard.ts'

const SHIFT = 2
const CONTROL = 4
const ALT = 8
const NUM = 0x20
const CAPS = 0x40

test.each([
  ['a', 0x1e, 0, false, 0x1e61],
  ['A', 0x1e, SHIFT, false, 0x1e41],
  ['caps a', 0x1e, CAPS, false, 0x1e41],
  ['caps shift a', 0x1e, CAPS | SHIFT, false, 0x1e61],
  ['caps 1', 0x02, CAPS, false, 0x0231],
  ['!', 0x02, SHIFT, false, 0x0221],
  ['ctrl-a', 0x1e, CONTROL, false, 0x1e01],
  ['alt-a', 0x1e, ALT, false, 0x1e00],
  ['alt-1', 0x02, ALT, false, 0x7800],
  ['ctrl-1', 0x02, CONTROL, false, undefined],
  ['ctrl-[', 0x1a, CONTROL, false, 0x1a1b],
  ['Esc', 0x01, 0, false, 0x011b],
  ['Enter', 0x1c, 0, false, 0x1c0d],
  ['grey Enter', 0x1c, 0, true, 0x1c0d],
  ['Backspace', 0x0e, 0, false, 0x0e08],
  ['Tab', 0x0f, 0, false, 0x0f09],
  ['back tab', 0x0f, SHIFT, false, 0x0f00],
  ['space', 0x39, 0, false, 0x3920],
  ['\\', 0x2b, 0, false, 0x2b5c],
  ['/', 0x35, 0, false, 0x352f],
  ['grey /', 0x35, 0, true, 0x352f],
  ['F1', 0x3b, 0, false, 0x3b00],
  ['F10', 0x44, 0, false, 0x4400],
  ['shift F1', 0x3b, SHIFT, false, 0x5400],
  ['F12', 0x58, 0, false, 0x8600],
  ['up', 0x48, 0, true, 0x4800],
  ['down', 0x50, 0, true, 0x5000],
  ['left', 0x4b, 0, true, 0x4b00],
  ['right', 0x4d, 0, true, 0x4d00],
  ['home', 0x47, 0, true, 0x4700],
  ['end', 0x4f, 0, true, 0x4f00],
  ['page up', 0x49, 0, true, 0x4900],
  ['delete', 0x53, 0, true, 0x5300],
  ['ctrl right', 0x4d, CONTROL, true, 0x7400],
  ['keypad 8', 0x48, NUM, false, 0x4838],
  ['keypad 8 without Num Lock', 0x48, 0, false, 0x4800],
  ['up with Num Lock', 0x48, NUM, true, 0x4800],
  ['keypad 5 without Num Lock', 0x4c, 0, false, undefined],
  ['keypad -', 0x4a, 0, false, 0x4a2d],
  ['a code that no key has', 0x70, 0, false, undefined],
])('%s', (_name, code, flags, extended, key) => {
  expect(translate(code, flags, extended)).toBe(key)
})
