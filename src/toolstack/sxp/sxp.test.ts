import { expect, test } from 'vitest'
import { Float, floatRepr, floatStr } from '#lib/xmlrpc/float.ts'
import { prettyPrint } from './pretty-print.ts'
import { pyRepr, pyReprOf, Tuple } from './python-text.ts'
import { children, childText, childValue, fromString, parseSxp, toSxpString } from './sxp.ts'

test.each([
  ['', []],
  ['a b', ['a', 'b']],
  ['(a (b c) ())', [['a', ['b', 'c'], []]]],
  ['# a comment\n(xend-port 8000) # another', [['xend-port', '8000']]],
  ['(a#b\n c)', [['a', 'c']]],
  [`(x 'it is' "a 'b'")`, [['x', 'it is', "a 'b'"]]],
  [`'\\n\\t\\\\\\'\\x41\\101\\0'`, ["\n\t\\'AA\0"]],
  // What the real parser makes of an escape that it does not know.
  [`'a\\qb'`, ['a\\b']],
  [`(hosts '^localhost$ ^localhost\\\\.localdomain$')`, [['hosts', '^localhost$ ^localhost\\.localdomain$']]],
  ['a(b)c', ['a', ['b'], 'c']],
  ['phy:/dev/x,sda1,w', ['phy:/dev/x,sda1,w']],
  ['(@ a)', [['@', 'a']]],
])('%j is read as %j', (text, value) => {
  expect(parseSxp(text)).toEqual(value)
})

test.each([
  ['(a', 'unexpected EOF'],
  ["'a", 'unexpected EOF'],
  ["'a\\", 'unexpected EOF'],
  [')', 'syntax error: )'],
  ['(a))', 'syntax error: )'],
  ["'\\777'", 'invalid octal escape: out of range 777'],
  ['\x01', 'invalid character: code 1'],
  ['('.repeat(1000), 'maximum recursion depth exceeded'],
])('%j is refused: %s', (text, message) => {
  expect(() => parseSxp(text)).toThrow(message)
})

test.each([
  [['a', ['b', 1], []], '(a (b 1) ())'],
  [['args', 'root=/dev/sda1 ro '], "(args 'root=/dev/sda1 ro ')"],
  [['bootloader_args', ''], '(bootloader_args )'],
  [['x', "it's"], `(x "it's")`],
  [['x', `it's "`], `(x 'it\\'s "')`],
  [['x', 'a\nb\\c\xff'], "(x 'a\\nb\\\\c\\xff')"],
  [['uname', 'phy:/dev/vg/x-1_2~'], '(uname phy:/dev/vg/x-1_2~)'],
  [['t', new Float(1219833333.39), new Float(1.283470392), new Float(3)], '(t 1219833333.39 1.283470392 3.0)'],
  [['n', null, true], "(n 'None' True)"],
])('%j is written as %s', (value, text) => {
  expect(toSxpString(value as never)).toBe(text)
})

test('what was written reads back', () => {
  const value = ['vm', ['name', 'a b'], ['image', ['linux', ['args', `x='1' "2" \\ \n`]]], '']
  // The empty string is lost, as in life.
  expect(fromString(toSxpString(value))).toEqual(value.slice(0, -1))
})

test('children are found by name', () => {
  const value = fromString("(domain (domid 1) (device (vif (mac x))) (device (vbd)) (name 'a b') (empty))")
  expect(children(value, 'device')).toHaveLength(2)
  expect(childValue(value, 'name')).toBe('a b')
  expect(childText(value, 'domid')).toBe('1')
  expect(childText(value, 'empty')).toBeUndefined()
  expect(childText(value, 'nothing')).toBeUndefined()
})

test('long lists are broken, a member a line', () => {
  const value = fromString(
    "(domain (domid 1) (bootloader_args ) (image (linux (kernel /boot/vmlinuz-2.6.18.8-xen) (args 'root=/dev/sda1 ro ') (notes (HV_START_LOW 18446603336221196288)))))",
  )
  expect(prettyPrint(value)).toBe(`(domain
    (domid 1)
    (bootloader_args)
    (image
        (linux
            (kernel /boot/vmlinuz-2.6.18.8-xen)
            (args 'root=/dev/sda1 ro ')
            (notes (HV_START_LOW 18446603336221196288))
        )
    )
)
`)
  expect(prettyPrint(['a', 'b'])).toBe('(a b)\n')
  expect(prettyPrint('a b')).toBe("'a b'\n")
})

test.each([
  [1e15, '1000000000000000.0', '1e+15'],
  [1e16, '1e+16', '1e+16'],
  [123456789012345680, '1.2345678901234568e+17', '1.23456789012e+17'],
  [0.0001, '0.0001', '0.0001'],
  [1e-5, '1e-05', '1e-05'],
  [5e-324, '5e-324', '4.94065645841e-324'],
  [100, '100.0', '100.0'],
  [0, '0.0', '0.0'],
  [2.5e-7, '2.5e-07', '2.5e-07'],
  [1219833333.3912344, '1219833333.3912344', '1219833333.39'],
])('floats: %s', (value, repr, str) => {
  expect([floatRepr(value), floatStr(value)]).toEqual([repr, str])
})

test('repr of things in log lines', () => {
  expect(pyReprOf({ uuid: 'a', bootable: 1, x: null, l: ['b', new Tuple([1])] })).toBe(
    "{'uuid': 'a', 'bootable': 1, 'x': None, 'l': ['b', (1,)]}",
  )
  expect(pyReprOf(new Tuple([2, 'Invalid kernel', "xc_dom_boot_mem_init: can't\n"]))).toBe(
    `(2, 'Invalid kernel', "xc_dom_boot_mem_init: can't\\n")`,
  )
  expect(pyRepr('\t\r\0')).toBe("'\\t\\r\\x00'")
})
