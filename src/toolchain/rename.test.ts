import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { crashReport, ImageLoader } from '../world/realm/loader.ts'
import { cc } from './cc.ts'
import { plainImage } from './image.ts'
import { ld } from './ld.ts'
import { verify } from './verify.ts'

/** What cc makes of a file, without the fuel counts. */
const code = (source: string): string =>
  cc('a.ts', source).code.replaceAll('--$f[0]<0&&$x();', '').replaceAll('--$f[0]<0&&$x(),', '')

test.each([
  ['parameters, in their order', 'function f(first, second) { return first - second }', 'function f(a,b){return a-b}'],
  ['variables', 'function f() { const one = 1; let two = one; two++ }', 'function f(){const a=1;let b=a;b++}'],
  [
    'what a module keeps to itself',
    'const size = 4\nfunction f() { return size }',
    'const A=4\nfunction f(){return A}',
  ],
  [
    'a constant that others see',
    'export const size = 4\nfunction f() { return size }',
    'const A=exports.size=4\nfunction f(){return A}',
  ],
  ['a catch parameter', 'try {} catch (error) { throw error }', 'try{}catch(a){$k(a);throw a}'],
  ['shorthand', 'function f(x1, y1) { return { x1, y1: y1 } }', 'function f(a,b){return{x1:a,y1:b}}'],
  ['patterns', 'function f({ x1, y1: [z1 = x1], ...rest }) {}', 'function f({x1:a,y1:[b=a],...c}){}'],
  ['patterns that assign', 'function f(x1, y1) { ({ x1, y1 = x1 } = y1) }', 'function f(a,b){({x1:a,y1:b=a}=b)}'],
  ['defaults', 'function f(x1, y1 = () => x1) {}', 'function f(a,b=()=>(a)){}'],
  ['for heads', 'function f(list) { for (const item of list) f(item) }', 'function f(a){for(const b of a){f(b)}}'],
  ['what inner functions do not use is used again', '(one => two => two)', '(a=>(a=>(a)))'],
  ['and what they use is not', '(one => two => one + two)', '(a=>(b=>(a+b)))'],
  [
    'private fields',
    'class K { #count = 1; get n() { return #count in this && this.#count } }',
    'class K{#a=1;get n(){return #a in this&&this.#a}}',
  ],
])('renames %s', (_what, source, expected) => {
  expect(code(source)).toBe(expected)
  expect(verify(cc('a.ts', source).code, 'a.ts')).toEqual([])
})

test.each([
  ['functions', 'function work() { function step() {} ; step() }'],
  ['variables that functions are named after', 'const work=()=>{const step=function(){};step()}'],
  ['classes', '{class Work{};new Work()}'],
  ['names of function and class expressions', '(function work(){work()});(class Work{})'],
  ['properties, methods, private methods', '({work:1,step(){}}).work;(class{#step(){};#work=()=>{}})'],
  ['var', '{var work=1;work++}'],
  ['what is free', 'Math.max(Infinity)'],
])('keeps %s', (_what, source) => {
  expect(code(source)).toBe(code(source).replace(/\b[aA]\b/g, '?'))
  for (const [name] of source.matchAll(/\b(?:work|step|Work|Math|Infinity)\b/g)) expect(code(source)).toContain(name)
})

describe('no name comes between another and its uses', () => {
  test.each([
    ['a kept name that is short', 'function a() { return 1 }\nexport const r = (value => value + a())(2)', 3],
    [
      'a kept name further in',
      'export const r = (value => { const b = () => value; function a() { return b() } return a() })(4)',
      4,
    ],
    ['var and a parameter are one', 'export const r = (function (value) { var value; return value })(5)', 5],
    [
      'an unused parameter and the body',
      'export const r = ((unused, value) => { const other = value; return other })(1, 6)',
      6,
    ],
    [
      'a catch parameter and its block',
      'export let r = 0\ntry { throw 7 } catch (error) { let other = 0; r = error + other }',
      7,
    ],
    [
      'the head of a loop and its body',
      'export let r = 0\nfor (const item of [8]) { const item2 = item; { const item = item2; r = item } }',
      8,
    ],
    [
      'a loop over what is called alike',
      'export let r = 0\n{ const list = [9]; for (const one of list) { const list = one; r = list } }',
      9,
    ],
    [
      'a default sees no body',
      'const x = 10\nexport const r = ((value = () => x) => { const x = 1; return value() + x - 1 })()',
      10,
    ],
    [
      'a class inside itself',
      'class K { static self = () => K; value = 11 }\nexport const r = new (K.self())().value',
      11,
    ],
    ['a block’s function', 'export let r = 0\n{ const value = 12; function a() { return value } r = a() }', 12],
    [
      'a switch',
      'export let r = 0\nconst value = 1\nswitch (value) { case 1: { const other = value; r = other + 12 } }',
      13,
    ],
    ['a computed key', "const key = 'k'\nexport const r = ((value) => ({ [key]: value }))(14)[key]", 14],
    ['a template', `const one = 1\nexport const r = Number(((two) => \`\${one}\${two}\`)(5))`, 15],
    ['an accessor', 'export const r = { _v: 16, get v() { const that = this; return that._v } }.v', 16],
    ['a generator', 'export const r = [...(function* (list) { for (const item of list) yield item })([17])][0]', 17],
    [
      'nested classes with private names',
      'class K { #one = 18; inner() { const k = this; return new (class { #two = 0; get v() { return k.#one + this.#two } })().v } }\nexport const r = new K().inner()',
      18,
    ],
    [
      'private names of one letter',
      'class K { #a() { return 9 }; #long = 10; get v() { return this.#a() + this.#long } }\nexport const r = new K().v',
      19,
    ],
    [
      'more names than letters',
      `function f(${Array.from({ length: 4000 }, (_, i) => `p${i}`)}) { return p0 + p53 + p3999 }\nexport const r = f(...Array.from({ length: 4000 }, (_, i) => i)) - 4032`,
      20,
    ],
    [
      'a constant exported twice',
      'const value = 7\nexport { value as r1, value as r }\nexport const both = value * 3',
      7,
    ],
    ['a constant in parentheses', 'export const r = (8, 22)', 22],
    ['on lines of its own', 'export const\n r\n = 23', 23],
    ['one of several', 'export const q = 4, r = q * 6', 24],
    ['a variable that changes', 'export let r = 1\nr += 24', 25],
    [
      'a module’s own Object',
      'class Object {}\nexport function f() { return new Object() }\nexport function g() {}\nexport const r = f() instanceof Object ? 26 : 0',
      26,
    ],
  ])('%s', (_what, source, expected) => {
    expect(run(source).exports['r']).toBe(expected)
  })
})

test('a crash names functions and lines as the source does', () => {
  const source = [
    'const LIMIT = 3',
    'export class Walk {',
    '  #depth = 0',
    '  #down(by: number): void {',
    '    this.#depth += by',
    "    if (this.#depth > LIMIT) throw new Error('too deep')",
    '  }',
    '  go(): void {',
    '    const step = (by: number) => this.#down(by)',
    '    step(LIMIT + 1)',
    '  }',
    '}',
    'export function start(): void {',
    '  new Walk().go()',
    '}',
  ].join('\n')
  const { exports } = run(source)
  let report: unknown
  try {
    ;(exports['start'] as unknown as () => void)()
  } catch (error) {
    report = crashReport(error, 'test', 0).stack
  }
  expect(report).toEqual([
    expect.stringMatching(/#down \(a\.ts:6\)$/),
    expect.stringMatching(/^step \(a\.ts:9\)$/),
    expect.stringMatching(/go \(a\.ts:10\)$/),
    expect.stringMatching(/start \(a\.ts:14\)$/),
  ])
})

test('fuel is counted as without', () => {
  const source =
    'export function work(count: number) { let sum = 0; for (let at = 0; at < count; at++) sum += [1, 2].map((one) => one)[0]!; return sum }'
  const counts = [false, true].map((keepNames) => {
    const { exports, fuel } = run(source, keepNames)
    fuel.refill(10_000)
    expect((exports['work'] as unknown as (count: number) => number)(50)).toBe(50)
    return fuel.used()
  })
  expect(counts[0]).toBe(counts[1])
})

test('the same source makes the same names', () => {
  const source =
    'export const f = (one: number, two: number) => { const { three } = { three: one }; return three + two }'
  expect(cc('a.ts', source)).toEqual(cc('a.ts', source))
})

function run(source: string, keepNames = false) {
  const loader = new ImageLoader()
  loader.fuel.refill(100_000)
  const objects = new Map([['a.ts', cc('a.ts', source, { keepNames })]])
  const exports = loader.loadNow(memOf(plainImage(6, 'test', ld(objects, 'a.ts')))).instantiate()
  return { exports: exports as Record<string, unknown>, fuel: loader.fuel }
}
