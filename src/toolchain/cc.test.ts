import { expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { ImageLoader } from '../world/realm/loader.ts'
import { cc } from './cc.ts'
import { CompileError } from './diagnostics.ts'
import { plainImage } from './image.ts'
import { ld } from './ld.ts'
import { sectorBody } from './sector.ts'
import { verify } from './verify.ts'

/** Compile, link, load and evaluate; fails where the result is not the entry's exports. */
function run(files: Record<string, string>, entry = 'a.ts', fuel = 1000, preempt = false) {
  const objects = new Map(Object.entries(files).map(([path, text]) => [path, cc(path, text, { preempt })]))
  const loader = new ImageLoader()
  loader.fuel.refill(fuel)
  const exports = loader.loadNow(memOf(plainImage(6, 'test', ld(objects, entry)))).instantiate()
  return { exports: exports as Record<string, never>, fuel: loader.fuel }
}

const messages = (build: () => unknown): readonly string[] => {
  try {
    build()
  } catch (error) {
    if (error instanceof CompileError) return error.messages
    throw error
  }
  throw new Error('it was built')
}

test('comments go, their line ends stay', () => {
  const source =
    "import {\n  a, // first\n  /* second\n*/ b,\n} from './y.ts'\nexport const c = a/* and */+b // sum\nreturn_()\nfunction return_() { /* one\ntwo */ return/**/a }"
  const { code } = cc('x.ts', source)
  expect(code.split('\n')).toHaveLength(source.split('\n').length)
  expect(code).not.toMatch(/first|second|and|sum|one|two/)
  expect(code.split('\n')[8]).toMatch(/return \S/)
  expect(verify(code, 'x.ts')).toEqual([])
})

test('lazyImports: a module that only functions use is evaluated when one of them first does', () => {
  const noting = (name: string): string =>
    `import { log } from './log.ts'\nlog.push('${name}')\nexport const ${name} = { ${name}: 1 }`
  const files = {
    'log.ts': 'export const log: string[] = []',
    'b.ts': noting('b'),
    'c.ts': noting('c'),
    'd.ts': noting('d'),
    'e.ts': "import { log } from './log.ts'\nlog.push('e')",
    'a.ts': [
      "import { b } from './b.ts'",
      "import { c } from './c.ts'",
      "import './e.ts'",
      "import { log } from './log.ts'",
      "export { d } from './d.ts'",
      'export const seen = c.c',
      'export const named = () => {',
      '  const n = 1',
      '  b.b += n',
      '  return { b, f: () => b }',
      '}',
      'export const noted = () => log.join()',
    ].join('\n'),
  }
  const objects = new Map(
    Object.entries(files).map(([path, text]) => [path, cc(path, text, { lazyImports: path === 'a.ts' })]),
  )
  const loader = new ImageLoader()
  loader.fuel.refill(1000)
  const image = memOf(plainImage(6, 'test', ld(objects, 'a.ts')))
  for (const loaded of [loader.loadNow(image), loader.loadNow(image)]) {
    const exports = loaded.instantiate() as Record<string, () => unknown>
    expect(exports['noted']!()).toBe('c,e,d')
    expect(exports['named']!()).toMatchObject({ b: { b: 2 } })
    exports['named']!()
    expect(exports['noted']!()).toBe('c,e,d,b')
  }
})

test('no line moves, and what is compiled passes the verifier', () => {
  const source = [
    "import { type A, b } from './y.ts'",
    'interface Erased {',
    '  a: string',
    '}',
    'const x: A = b as A',
    "b('1')",
    'for (const z of [1, 2]) while (z) b(z)',
    'class K<T> { m = new Map<T, Erased>(); n = 0; get q(): number { try { return 1 } catch { return 2 } } }',
    'do b(1)',
    'while (x)',
    'export const f = <T,>(a: T): T => ({ a, b }) as T',
    'export { x as y, K }',
  ]
  const { code } = cc('x.ts', source.join('\n'))
  const lines = code.split('\n')
  expect(lines).toHaveLength(source.length)
  expect(lines[6]).toMatch(/for\(const \w of/)
  expect(lines[10]).toContain('const f=')
  expect(verify(code, 'x.ts')).toEqual([])
})

test.each([
  ['const a: = 5', 'xen/x.ts:1:10: error: unexpected token\nconst a: = 5\n         ^'],
  [
    'let a = 1\nlet a: number = 2',
    "xen/x.ts:2:5: error: identifier 'a' has already been declared\nlet a: number = 2\n    ^",
  ],
  ["const s = 'open", "xen/x.ts:1:11: error: unterminated string constant\nconst s = 'open\n          ^"],
  ['function f(a: string, b: Map<string, number>) { return gone }', "xen/x.ts:1:56: error: 'gone' undeclared"],
  ['async function f() {}', "xen/x.ts:1:1: error: 'async' is not supported"],
  ['try { } catch ({ message }) { }', 'xen/x.ts:1:9: error: a catch clause takes a plain name here'],
  ['enum E { A }', "xen/x.ts:1:1: error: 'enum' is not supported"],
  ['export namespace N { export const a = 1 }', "xen/x.ts:1:8: error: 'namespace' is not supported"],
  ["export * from './y.ts'", "xen/x.ts:1:1: error: 'export *' is not supported"],
  ["import { a } from './y.ts'\na = 1", "xen/x.ts:2:1: error: assignment of read-only variable 'a'"],
  ['const $f = 1', "xen/x.ts:1:7: error: '$f' is reserved for the compiler"],
])('%s is an error as gcc words it', (source, message) => {
  expect(messages(() => cc('xen/x.ts', source))[0]).toContain(message)
})

test('several errors in one file are all told, in order', () => {
  const all = messages(() => cc('a.ts', 'gone1()\nfoo: for (;;) {}\ngone2()'))
  expect(all.map((text) => text.split('\n')[0])).toEqual([
    "a.ts:1:1: error: 'gone1' undeclared",
    'a.ts:2:1: error: labels are not supported',
    "a.ts:3:1: error: 'gone2' undeclared",
  ])
})

test('words in comments and strings are no errors', () => {
  expect(() =>
    cc('a.ts', '// namespace N {\n/*\nenum E {\n*/\nconst a = `\nnamespace N {\n`\nexport { a }'),
  ).not.toThrow()
})

test.each([
  ["import { nosuch } from './b.ts'\nnosuch()", "a.ts:1: undefined reference to 'nosuch'"],
  ["const a = 1\nimport { b } from './gone.ts'\nb(a)", 'a.ts:2:19: fatal error: ./gone.ts: No such file or directory'],
  ["import { b } from '#lib/gone.ts'\nb()", 'a.ts:1:19: fatal error: #lib/gone.ts: No such file or directory'],
  ["import { b } from 'acorn'\nb()", 'a.ts:1:19: fatal error: acorn: No such file or directory'],
])('ld refuses %j', (source, message) => {
  const objects = new Map([cc('a.ts', source), cc('b.ts', 'export const b = 1')].map((object) => [object.path, object]))
  expect(messages(() => ld(objects, 'a.ts'))).toEqual([message])
})

test('ld refuses an object that no cc of ours made', () => {
  const evil = { path: 'a.ts', code: 'exports.a=globalThis', imports: [], exports: ['a'] }
  expect(messages(() => ld(new Map([['a.ts', evil]]), 'a.ts'))).toEqual(["a.ts:1: error: 'globalThis' undeclared"])
})

test('type-only imports vanish; the same objects make the same image', () => {
  const object = cc(
    'a.ts',
    "import type { T } from './gone.ts'\nimport { type U } from './gone2.ts'\nexport const a: T | U = 1",
  )
  expect(object.imports).toEqual([])
  const link = () => plainImage(6, 'x', ld(new Map([['a.ts', object]]), 'a.ts'))
  expect(link()).toEqual(link())
})

test('cycles, live bindings, re-exports, namespaces', () => {
  const { exports } = run({
    'a.ts':
      "import { count, step, twice } from './b.ts'\nimport * as b from './b.ts'\nexport function inc(n: number) { return n + 1 }\nexport const before = count\nstep()\nexport const after = count\nexport const again = b.count + twice(1)\nexport { step as passed } from './b.ts'\nexport { count }",
    'b.ts':
      "import { inc } from './a.ts'\nexport let count = inc(0)\nexport function step() { count = inc(count) }\nexport const twice = (n: number) => inc(inc(n))",
  })
  expect({ ...exports }).toMatchObject({ before: 1, after: 2, again: 5, count: 2 })
})

test('an imported function is called without a receiver, whatever the line before ends with', () => {
  const { exports } = run({
    'a.ts':
      "import { self } from './b.ts'\nconst log: unknown[] = []\nconst x = log\nself(log)\nif (x)\n  self(log)\nexport const n = log.length\nexport const tag = self`x`",
    'b.ts':
      'export function self(this: unknown, a?: unknown) { if (Array.isArray(a) && !("raw" in a)) a.push(this); return this }',
  })
  expect(exports['n']).toBe(2)
  expect(exports['tag']).toBeUndefined()
})

test('each boot evaluates modules afresh', () => {
  const object = cc('a.ts', 'const list: number[] = []\nexport const add = () => list.push(1)')
  const loader = new ImageLoader()
  loader.fuel.refill(100)
  const image = loader.loadNow(memOf(plainImage(6, 'x', ld(new Map([['a.ts', object]]), 'a.ts'))))
  const [one, two] = [image.instantiate(), image.instantiate()] as unknown as { add(): number }[]
  expect([one!.add(), one!.add(), two!.add()]).toEqual([1, 2, 1])
})

test('fuel counts calls and rounds, and nothing else', () => {
  const { exports, fuel } = run({
    'a.ts':
      'export function f(n: number) { let s = 0; for (let i = 0; i < n; i++) s += i; return s }\nexport const g = (n: number) => n * 2',
  })
  fuel.refill(1000)
  const { f, g } = exports as unknown as { f(n: number): number; g(n: number): number }
  expect(f(10)).toBe(45)
  expect(fuel.used()).toBe(11)
  expect(g(4)).toBe(8)
  expect(fuel.used()).toBe(12)
  expect(() => f(2000)).toThrow('fuel exhausted')
})

test('a preemptible generator yields when its slice is used up, an iterator never', () => {
  const source =
    "export function* work() { for (let i = 0; i < 100; i++) {} return 'done' }\nexport function* list() { 'no preempt'; for (let i = 0; i < 3; i++) yield i }"
  const { exports, fuel } = run({ 'a.ts': source }, 'a.ts', 1000, true)
  const { work, list } = exports as unknown as Record<'work' | 'list', () => Generator<unknown, unknown>>
  fuel.refill(1000, 950)
  const steps = work()
  expect(steps.next()).toEqual({ done: false, value: undefined })
  expect(fuel.used()).toBe(51)
  fuel.refill(1000, 0)
  expect(steps.next()).toEqual({ done: true, value: 'done' })
  fuel.refill(1000, 999)
  expect([...(list() as Generator<number>)]).toEqual([0, 1, 2])
})

test('a sector program becomes the body of a function, or is refused', () => {
  const body = sectorBody(
    cc(
      's.ts',
      'export function start({ mem }: { mem: { read8(a: number): number } }) {\n  // say it\n  return {\n    run() {\n      return mem.read8(1)\n    },\n    nmi() {},\n  }\n}',
      { keepNames: true },
    ),
  )
  expect(body).toBe('const{mem}=metal;return{run(){--$f[0]<0&&$x();return mem.read8(1)},nmi(){},}')
  expect(messages(() => sectorBody(cc('s.ts', 'export const a = 1')))[0]).toContain("exports 'start' alone")
  expect(
    messages(() => sectorBody(cc('s.ts', "import { a } from './a.ts'\nexport function start() { a() }")))[0],
  ).toContain('imports nothing')
})
