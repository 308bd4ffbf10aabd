/** The borders guard themselves: the rules of tidy.ts hold for the tree as it is, and are shown to catch what they should. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  colourComplaints,
  importComplaints,
  importsOf,
  nameComplaints,
  orphanComplaints,
  type SourceFile,
  textComplaints,
  wordComplaints,
} from './tidy.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function walk(dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(dir, entry.name)) : [join(dir, entry.name)],
  )
}

const slashes = (path: string): string => path.split(sep).join('/')
const tree = walk('src').map(slashes)
const files: SourceFile[] = tree
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
  .map((path) => ({ path: slashes(relative('src', path)), text: readFileSync(join(root, path), 'utf8') }))

const sheets: SourceFile[] = tree
  .filter((path) => path.endsWith('.css'))
  .map((path) => ({ path: slashes(relative('src', path)), text: readFileSync(join(root, path), 'utf8') }))

/** What starts by itself, is named by a script or is built into an image. */
const ENTRIES = [
  'tidy.ts',
  'boot/stage1/stage1.ts',
  'boot/stage1/start.ts',
  'boot/grub/stage2.ts',
  'xen/setup.ts',
  'testing/guests/idle-dom0.ts',
  'testing/guests/bench.ts',
  'testing/hostile-run.ts',
  'testing/coverage/main.ts',
  'testing/fuzz/soak.ts',
  'headless/main.ts',
  'headless/playground.ts',
  'headless/machine-thread.ts',
  'worker/main.ts',
  'ui/main.tsx',
  'ui/embed/client.ts',
  'images/build.ts',
  'images/first-part.ts',
]

describe('the tree', () => {
  test('imports only what the layers allow', () => expect(importComplaints(files)).toEqual([]))
  test('says no banned word', () => expect(wordComplaints(files)).toEqual([]))
  test('shows people no text that has no translations', () => expect(textComplaints(files)).toEqual([]))
  test('has its colours in one place', () => {
    expect(sheets.length).toBeGreaterThan(1)
    expect(colourComplaints(sheets)).toEqual([])
  })
  test('has no file that nobody reaches', () => expect(orphanComplaints(files, ENTRIES)).toEqual([]))
  test('has names that every file system keeps apart', () => expect(nameComplaints(tree)).toEqual([]))
  test('imports every package that it depends on', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    const used = new Set(files.filter(({ path }) => !path.endsWith('.test.ts')).flatMap(({ text }) => importsOf(text)))
    const css = tree.filter((path) => path.endsWith('.css')).map((path) => readFileSync(join(root, path), 'utf8'))
    const unused = Object.keys(dependencies).filter(
      (name) =>
        ![...used].some((specifier) => specifier === name || specifier.startsWith(`${name}/`)) &&
        !css.some((text) => text.includes(name)),
    )
    expect(unused).toEqual([])
  })
})

describe('the rules', () => {
  const file = (path: string, text: string): SourceFile[] => [{ path, text }]

  test.each([
    ['xen/a.ts', "import { x } from '#kernel/b.ts'", 'xen may not import kernel'],
    ['xen/a.ts', "import {\n  x,\n  y,\n} from '#machine/b.ts'", 'xen may not import machine'],
    ['ui/a.tsx', "import { World } from '#world/world.ts'", 'ui may not import world'],
    ['lib/a.ts', "export { x } from '#abi/mem.ts'", 'lib may not import abi'],
    ['xen/a.ts', "import { x } from 'acorn'", 'may not import the package acorn'],
    ['xen/a.ts', "import '../machine/b.ts'", 'crosses a border'],
    ['xen/a.ts', "import { x } from './b'", 'keep the file ending'],
    ['attic/a.ts', '', 'no such layer'],
  ])('refuse %s: %s', (path, text, complaint) => {
    expect(importComplaints(file(path, text)).join('\n')).toContain(complaint)
  })

  test.each([
    ['xen/a.ts', "import { x } from '#abi/b.ts'"],
    ['xen/a.ts', "import { x } from './kernel/b.ts'"],
    ['ui/a.tsx', "import { createRoot } from 'react-dom/client'"],
  ])('allow %s: %s', (path, text) => expect(importComplaints(file(path, text))).toEqual([]))

  test.each([
    ['machine/a.ts', 'const t = Date.now()', 'Date'],
    ['kernel/a.ts', 'const x = Math.random()', 'Math.random'],
    ['world/a.ts', 'setTimeout(f, 1)', 'setTimeout'],
    ['xen/a.ts', 'await f()', 'await'],
    ['ui/a.ts', "const c = '#ff0000'", '#ff0000'],
    ['xen/a.ts', '// TODO: later', 'TODO'],
  ])('ban %s: %s', (path, text, word) => expect(wordComplaints(file(path, text)).join('\n')).toContain(word))

  test.each([
    ['worker/a.ts', 'setTimeout(f, 1)'],
    ['machine/a.ts', '// Date and Math.random are banned here'],
    ['machine/a.ts', "const s = 'await the Date'"],
    ['xen/a.ts', '// TODO(#3): dom0'],
  ])('let pass %s: %s', (path, text) => expect(wordComplaints(file(path, text))).toEqual([]))

  test.each([
    ['<p>Hello, world!</p>', 'Hello, world!'],
    ['<p className="x">\n  Power on\n</p>', 'Power on'],
    ['<p>{count} domains</p>', 'domains'],
    ['<p>Memory: {mib}</p>', 'Memory:'],
    ['<p>内存</p>', '内存'],
    ['<button type="button" title="Close" />', 'Close'],
    ["<button aria-label={'Close'} />", 'Close'],
    ['<input placeholder="a filter" />', 'a filter'],
  ])('refuse the literal text of %s', (text, found) => {
    expect(textComplaints(file('ui/a.tsx', text)).join('\n')).toContain(`'${found}'`)
  })

  test.each([
    "<p title={t('a.b')}>{t('a.c')}</p>",
    '<p className="two words">{text}</p>',
    'const f = (x: number) => x < 3\nconst y = <p>{f}</p>',
    'const r = useRef<HTMLElement>(null)\nconst y = <p>{r}</p>',
    '<p>\n  {/* a comment */}\n  {a} · {b}\n</p>',
    '// <p>not code</p>',
  ])('let pass %s', (text) => expect(textComplaints(file('ui/a.tsx', text))).toEqual([]))

  test('refuse a colour in a style sheet that is not theme.css', () => {
    const rule = '.a {\n  color: #ff0000;\n}'
    expect(colourComplaints(file('ui/a.css', rule))).toEqual([
      "ui/a.css:2: '#ff0000' is banned here; use a token of theme.css",
    ])
    expect(colourComplaints(file('ui/theme.css', rule))).toEqual([])
    expect(colourComplaints(file('ui/a.css', '#root {\n  color: var(--text);\n}'))).toEqual([])
  })

  test('name a file that nobody imports', () => {
    expect(orphanComplaints(file('xen/lost.ts', ''), ['xen/setup.ts'])).toHaveLength(1)
    expect(orphanComplaints([...file('xen/a.ts', "import './b.ts'"), ...file('xen/b.ts', '')], ['xen/a.ts'])).toEqual(
      [],
    )
  })

  test.each([['src/abi/pc/com1.ts'], ['src/xen/con.ts'], ['src/aux.ts']])('refuse the name %s', (path) =>
    expect(nameComplaints([path])).toHaveLength(1),
  )
})
