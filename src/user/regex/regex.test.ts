import { describe, expect, it } from 'vitest'
import { compileRegex } from './regex.ts'
import type { RegexSyntax } from './syntax.ts'

const BRE: RegexSyntax = {}
const ERE: RegexSyntax = { extended: true }

/** Pattern, text, the match with its groups in brackets, or null. */
const found = (pattern: string, text: string, syntax: RegexSyntax): string | null => {
  const match = compileRegex(pattern, syntax).exec(text)
  if (!match) return null
  const parts: string[] = []
  for (let i = 0; i < match.length; i += 2) parts.push(match[i]! < 0 ? '-' : text.slice(match[i], match[i + 1]))
  return parts.join('|')
}

describe('basic expressions', () => {
  it.each<[string, string, string | null]>([
    ['abc', 'xabcy', 'abc'],
    ['abc', 'xaby', null],
    ['a*', 'baaa', ''],
    ['*a', 'b*a', '*a'],
    ['^*a', '*a', '*a'],
    ['\\(*a\\)', '*a', '*a|*a'],
    ['a\\{2,3\\}', 'aaaa', 'aaa'],
    ['a\\{2\\}', 'aaaa', 'aa'],
    ['a\\{2,\\}', 'aaaa', 'aaaa'],
    ['a{2}', 'aa a{2}', 'a{2}'],
    ['a+b', 'aab a+b', 'a+b'],
    ['a\\+b', 'aab', 'aab'],
    ['ab\\?c', 'ac', 'ac'],
    ['\\(a\\)\\(b\\)', 'ab', 'ab|a|b'],
    ['\\(.\\)\\1', 'abccd', 'cc|c'],
    ['\\(a*\\)b\\1', 'aabaa', 'aabaa|aa'],
    ['a^b$c', 'a^b$c', 'a^b$c'],
    ['^a$', 'a', 'a'],
    ['^a$', 'ba', null],
    ['\\(^a\\)', 'ba', null],
    ['x$', 'ax', 'x'],
    ['a\\|bc', 'xbc', 'bc'],
    ['\\<foo\\>', 'a foo b', 'foo'],
    ['\\<foo\\>', 'afoo foob', null],
    ['o\\b', 'foo', 'o'],
    ['\\Bo', 'oo', 'o'],
    ['\\w\\w*', '--ab_9-', 'ab_9'],
    ['[]a]*', ']a]b', ']a]'],
    ['[^]a]', ']ab', 'b'],
    ['[a-]*', '-a-b', '-a-'],
    ['[[:digit:][:upper:]]*', '1A2b', '1A2'],
    ['[[.-.]x]*', '-x-', '-x-'],
    ['[\\n]', 'n', 'n'],
    ['.', '\xff', '\xff'],
    ['\\.', 'a.', '.'],
    ['', 'abc', ''],
  ])('%s in %j: %j', (pattern, text, expected) => {
    expect(found(pattern, text, BRE)).toBe(expected)
  })
})

describe('extended expressions', () => {
  it.each<[string, string, string | null]>([
    ['a|ab|abc', 'abcd', 'abc'],
    ['(a|ab)(c|bcd)(d*)', 'abcd', 'abcd|a|bcd|'],
    ['x*', 'aaa', ''],
    ['(a+)(b?)', 'aab', 'aab|aa|b'],
    ['(a)|(b)', 'b', 'b|-|b'],
    ['(foo|bar)+', 'foobarfoo!', 'foobarfoo|foo'],
    ['a{,2}', 'aaa', 'aa'],
    ['a{1', 'a{1', 'a{1'],
    ['a{x}', 'a{x}', 'a{x}'],
    ['^(ab)?c$', 'abc', 'abc|ab'],
    ['(a*)*', 'b', '|-'],
    ['(a*)+', 'aab', 'aa|aa'],
    ['(a|b)*abb', 'ababbabb', 'ababbabb|b'],
    ['a$b', 'a$b', null],
    ['()', 'x', '|'],
    ['(.)(.)\\2\\1', 'xabbay', 'abba|a|b'],
    ['*a', 'a', 'a'],
    ['[0-9]{1,3}(\\.[0-9]{1,3}){3}', 'at 192.168.0.1.', '192.168.0.1|.1'],
    [')', 'a)', ')'],
    ['a||b', 'c', ''],
  ])('%s in %j: %j', (pattern, text, expected) => {
    expect(found(pattern, text, ERE)).toBe(expected)
  })
})

describe('options', () => {
  it.each<[string, string, RegexSyntax, string | null]>([
    ['AbC', 'xaBcy', { ignoreCase: true }, 'aBc'],
    ['[a-c]*', 'ABCd', { ignoreCase: true }, 'ABC'],
    ['\\(a\\)\\1', 'aA', { ignoreCase: true }, 'aA|a'],
    ['a.c*', 'a.c*', { fixed: true }, 'a.c*'],
    ['a.c', 'abc', { fixed: true }, null],
    ['b', 'a\nb', { multiline: true }, 'b'],
    ['^b$', 'a\nb\nc', { multiline: true }, 'b'],
    ['^b$', 'a\nb\nc', {}, null],
    ['a.b', 'a\nb', { dotExcludesNewline: true }, null],
    ['a.b', 'a\nb', {}, 'a\nb'],
    ['foo', 'foobar', { whole: 'word' }, null],
    ['foo\\|foobar', 'foobar', { whole: 'word' }, 'foobar'],
    ['a*', 'aab', { whole: 'line' }, null],
    ['a*b', 'aab', { whole: 'line' }, 'aab'],
  ])('%s in %j with %j: %j', (pattern, text, syntax, expected) => {
    expect(found(pattern, text, syntax)).toBe(expected)
  })
})

describe('refusals', () => {
  it.each<[string, RegexSyntax, string]>([
    ['[a', BRE, 'Unmatched [ or [^'],
    ['[[:alpha', BRE, 'Unmatched [ or [^'],
    ['[[:foo:]]', BRE, 'Invalid character class name'],
    ['[b-a]', BRE, 'Invalid range end'],
    ['\\(a', BRE, 'Unmatched ( or \\('],
    ['a\\)', BRE, 'Unmatched ) or \\)'],
    ['(a', ERE, 'Unmatched ( or \\('],
    ['a\\', BRE, 'Trailing backslash'],
    ['a\\{2', BRE, 'Unmatched \\{'],
    ['a\\{x\\}', BRE, 'Invalid content of \\{\\}'],
    ['a\\{3,2\\}', BRE, 'Invalid content of \\{\\}'],
    ['a\\{1,40000\\}', BRE, 'Regular expression too big'],
    ['((a{200}){200}){200}', ERE, 'Regular expression too big'],
    ['\\1', BRE, 'Invalid back reference'],
    ['\\(\\1\\)', BRE, 'Invalid back reference'],
    ['*a', { extended: true, strict: true }, 'Invalid preceding regular expression'],
  ])('%s: %s', (pattern, syntax, message) => {
    expect(() => compileRegex(pattern, syntax)).toThrow(message)
  })
})

it('takes linear time where a backtracking matcher would not end', () => {
  const text = 'a'.repeat(2000)
  expect(compileRegex('(a*)*b', ERE).test(text)).toBe(false)
  expect(compileRegex('(a|a)*c|(a|aa)+$', ERE).exec(text)?.[1]).toBe(2000)
  expect(compileRegex('(a?){30}a{30}', ERE).test('a'.repeat(30))).toBe(true)
})

it('gives up on back-references that do not end', () => {
  expect(() => compileRegex('(a*)*(a*)*(a*)*\\1b', ERE).test('a'.repeat(60))).toThrow('Memory exhausted')
})

it('forgets states when there are too many', () => {
  const text = 'ab'.repeat(3000) + 'c'
  const regex = compileRegex('(a|b)*a(a|b){13}c', ERE)
  expect(regex.test(text)).toBe(true)
})
