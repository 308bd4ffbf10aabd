/**
 * The house rules that no compiler checks (docs/ARCHITECTURE.md): which layer may import which, words that would let the outside into the
 * simulated world, files that nobody reaches, packages that nobody imports. Pure: texts in, complaints out.
 */

import { type AnyNode, type CallExpression, parse } from 'acorn'
import { transform } from 'sucrase'

/** Folder of src/ → what it may import of src/, besides itself. A folder may stand for a part of another (lib/ondisk). */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  abi: ['lib'],
  toolchain: ['lib', 'abi'],
  machine: ['lib', 'abi'],
  cpu: ['lib', 'abi'],
  boot: ['lib', 'abi'],
  xen: ['lib', 'abi'],
  kernel: ['lib', 'abi'],
  user: ['lib', 'abi'],
  python: ['lib', 'abi', 'user'],
  toolstack: ['lib', 'abi', 'user', 'python'],
  protocol: ['lib', 'abi'],
  tape: ['lib', 'protocol'],
  api: ['lib', 'abi', 'protocol', 'tape'],
  world: ['lib', 'abi', 'machine', 'cpu', 'toolchain', 'protocol'],
  images: [
    'lib',
    'abi',
    'toolchain',
    'machine',
    'cpu',
    'boot',
    'xen',
    'kernel',
    'user',
    'toolstack',
    'python',
    'world',
  ],
  testing: [
    'lib',
    'abi',
    'toolchain',
    'machine',
    'cpu',
    'boot',
    'xen',
    'kernel',
    'user',
    'toolstack',
    'python',
    'world',
    'images',
    'protocol',
    'tape',
  ],
  worker: ['lib', 'abi', 'world', 'protocol', 'tape'],
  headless: ['lib', 'abi', 'world', 'protocol', 'tape', 'api', 'worker'],
  ui: ['lib', 'abi', 'protocol', 'tape', 'api'],
}

/** npm packages by layer. What runs as an image, and what other layers share with it, has none. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  lib: ['@noble/hashes'],
  toolchain: ['sucrase', 'acorn'],
  world: ['fflate', 'acorn'],
  images: ['fflate'],
  worker: ['fflate'],
  ui: [
    'react',
    'react-dom',
    'zustand',
    '@xterm/xterm',
    '@xterm/addon-search',
    'dockview-react',
    '@tanstack/react-virtual',
    'uplot',
    '@codemirror/state',
    '@codemirror/view',
    '@codemirror/commands',
    '@codemirror/language',
    '@codemirror/lint',
  ],
  headless: ['node:'],
  testing: ['node:', 'fflate'],
}

/** The simulated world: everything here is a function of seed and input log (design D8). */
const SIMULATED = [
  'lib',
  'abi',
  'toolchain',
  'machine',
  'cpu',
  'boot',
  'xen',
  'kernel',
  'user',
  'toolstack',
  'python',
  'world',
]

interface BannedWord {
  readonly pattern: RegExp
  readonly layers: readonly string[]
  readonly instead: string
}

export const BANNED: readonly BannedWord[] = [
  { pattern: /\bDate\b(?!:)/, layers: SIMULATED, instead: 'virtual time: clock.now(), the RTC' },
  { pattern: /\bperformance\.now\b/, layers: SIMULATED, instead: 'virtual time' },
  {
    pattern: /\bMath\.(random|sin|cos|tan|exp|log|log2|log10|pow|cbrt|sinh|cosh|tanh|hypot)\b/,
    layers: SIMULATED,
    instead: 'lib/prng.ts, integers',
  },
  {
    pattern: /\b(setTimeout|setInterval|queueMicrotask|requestAnimationFrame|setImmediate)\b/,
    layers: SIMULATED,
    instead: 'clock.at(), yield',
  },
  { pattern: /\bnew Promise\b|\basync (function|\(|\*)|\bawait\b/, layers: SIMULATED, instead: 'generators' },
  { pattern: /\bIntl\b|\.toLocale\w+\(|\.localeCompare\(/, layers: SIMULATED, instead: 'plain comparison' },
  { pattern: /\bWeakRef\b|\bFinalizationRegistry\b/, layers: SIMULATED, instead: 'explicit lifetimes' },
  { pattern: /\bcrypto\b/, layers: SIMULATED, instead: 'lib/digest.ts, lib/prng.ts' },
  {
    pattern: /\bconsole\.(log|warn|error|info|debug|trace|dir|table|assert)\(/,
    layers: [...SIMULATED, 'ui', 'worker', 'protocol', 'tape'],
    instead: 'a probe, a fault message',
  },
  { pattern: /#[0-9a-fA-F]{3,8}\b(?=['";])/, layers: ['ui'], instead: 'a token of theme.css' },
  { pattern: /\bTODO\b(?!\(#\d+\))/, layers: Object.keys(MAY_IMPORT), instead: 'TODO(#issue)' },
]

/** Where a banned word is the subject itself. */
const EXEMPT: Readonly<Record<string, readonly RegExp[]>> = {
  'world/realm/lockdown.ts': [/Date|Math|Intl|WeakRef|Promise|async|await|toLocale|localeCompare/],
  'world/realm/hostile.ts': [/./],
  'toolchain/verify.ts': [/async|await/],
}

export interface SourceFile {
  /** Relative to src/. */
  readonly path: string
  readonly text: string
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"\n;]|\n(?!\s*(?:import|export)\s))*?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g

export function importsOf(text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(IMPORT)) found.push((match[1] ?? match[2] ?? match[3])!)
  return found
}

/** Resolve './x.ts' against `from` (both relative to src/). */
export function resolveImport(from: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1)
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

const layerOf = (path: string): string => path.split('/')[0]!
const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path)

export function importComplaints(files: readonly SourceFile[]): string[] {
  const complaints: string[] = []
  for (const { path, text } of files) {
    // The table of hostile programs quotes imports that must be refused.
    if (isTest(path) || !path.includes('/') || path === 'world/realm/hostile.ts') continue
    const layer = layerOf(path)
    const allowed = MAY_IMPORT[layer]
    if (!allowed) {
      complaints.push(`${path}: no such layer; add '${layer}' to the table in docs/ARCHITECTURE.md and tidy.ts`)
      continue
    }
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith('.') || specifier.startsWith('#')) {
        const target = layerOf(resolveImport(path, specifier))
        if (target !== layer && !allowed.includes(target))
          complaints.push(`${path}: ${layer} may not import ${target} (${specifier})`)
        if (specifier.startsWith('.') && target !== layer)
          complaints.push(`${path}: write #${resolveImport(path, specifier)}, the import crosses a border`)
        if (!/\.(ts|tsx|css)(\?\w+)?$/.test(specifier))
          complaints.push(`${path}: keep the file ending in '${specifier}'`)
      } else if (
        !specifier.startsWith('virtual:') &&
        !(PACKAGES[layer] ?? []).some(
          (name) => specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`),
        )
      ) {
        complaints.push(`${path}: ${layer} may not import the package ${specifier}`)
      }
    }
  }
  return complaints
}

/** Comments and strings may say any word; code may not. Lines are kept. */
export function codeOnly(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (part) =>
    part.startsWith('/')
      ? part.replace(/[^\n]/g, ' ')
      : part.slice(0, 1) + part.slice(1, -1).replace(/[^\n#0-9a-fA-F]/g, '_') + part.slice(-1),
  )
}

export function wordComplaints(files: readonly SourceFile[]): string[] {
  const complaints: string[] = []
  for (const { path, text } of files) {
    if (isTest(path)) continue
    const layer = layerOf(path)
    const lines = codeOnly(text).split('\n')
    const rawLines = text.split('\n')
    for (const { pattern, layers, instead } of BANNED) {
      if (!layers.includes(layer)) continue
      const searched = pattern.source.includes('TODO') ? rawLines : lines
      searched.forEach((line, i) => {
        const hit = pattern.exec(line)
        if (hit && !(EXEMPT[path] ?? []).some((exempt) => exempt.test(hit[0])))
          complaints.push(`${path}:${i + 1}: '${hit[0]}' is banned here; use ${instead}`)
      })
    }
  }
  return complaints
}

const SHOWN_ATTRIBUTES = ['aria-label', 'aria-description', 'aria-roledescription', 'title', 'placeholder', 'alt']
/** A single letter is a unit or a key. */
const WORD = /\p{L}{2,}|\p{Script=Han}/u

/** What `node` puts on the page as it stands in the source. */
function literalsIn(node: AnyNode | null): string[] {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : []
    case 'TemplateLiteral':
      return node.quasis.map(({ value }) => value.raw)
    case 'ConditionalExpression':
      return [...literalsIn(node.consequent), ...literalsIn(node.alternate)]
    case 'LogicalExpression':
      return literalsIn(node.right)
    default:
      return []
  }
}

/** Children and attributes of `React.createElement(type, attributes, ...children)`. */
function shownBy({ arguments: [, attributes, ...children] }: CallExpression): string[] {
  const shown = children.flatMap((child) => literalsIn(child))
  if (attributes?.type === 'ObjectExpression')
    for (const property of attributes.properties) {
      if (property.type !== 'Property') continue
      const { key, value } = property
      const name = key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : ''
      if (SHOWN_ATTRIBUTES.includes(name)) shown.push(...literalsIn(value))
    }
  return shown.map((text) => text.trim()).filter((text) => WORD.test(text))
}

/** Texts for people belong to a words.ts, where each has its translations. */
export function textComplaints(files: readonly SourceFile[]): string[] {
  const complaints: string[] = []
  for (const { path, text } of files) {
    if (!path.endsWith('.tsx') || isTest(path)) continue
    const { code } = transform(text, { transforms: ['typescript', 'jsx'], jsxRuntime: 'classic', production: true })
    full(parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true }), (node) => {
      if (node.type !== 'CallExpression') return
      const { callee } = node
      if (callee.type !== 'MemberExpression' || code.slice(callee.start, callee.end) !== 'React.createElement') return
      for (const shown of shownBy(node))
        complaints.push(`${path}:${node.loc?.start.line}: '${shown}' is a literal text; put it into a words.ts`)
    })
  }
  return complaints
}

/** `visit` each node below `node`, itself included. */
function full(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node)
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') full(child, visit)
}

/** Style sheets take their colours from the tokens of theme.css. */
export function colourComplaints(sheets: readonly SourceFile[]): string[] {
  return sheets
    .filter(({ path }) => !path.endsWith('/theme.css'))
    .flatMap(({ path, text }) =>
      text
        .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
        .split('\n')
        .flatMap((line, i) => {
          const hit = /#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b(?=[^{]*$)/i.exec(line)
          return hit ? [`${path}:${i + 1}: '${hit[0]}' is banned here; use a token of theme.css`] : []
        }),
    )
}

/** Files that no other file imports and that are no entry point. */
export function orphanComplaints(files: readonly SourceFile[], entries: readonly string[]): string[] {
  const reached = new Set<string>(entries)
  for (const { path, text } of files)
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith('.') || specifier.startsWith('#'))
        reached.add(resolveImport(path, specifier).replace(/\?.*$/, ''))
    }
  return files
    .filter(({ path }) => !isTest(path) && !reached.has(path))
    .map(({ path }) => `${path}: nobody imports it and it is no entry point`)
}

const DEVICE_NAMES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

export function nameComplaints(paths: readonly string[]): string[] {
  const complaints: string[] = []
  const seen = new Map<string, string>()
  for (const path of paths) {
    const twin = seen.get(path.toLowerCase())
    if (twin !== undefined) complaints.push(`${path}: differs from ${twin} only by case`)
    seen.set(path.toLowerCase(), path)
    for (const part of path.split('/'))
      if (DEVICE_NAMES.test(part)) complaints.push(`${path}: '${part}' is a device name on Windows`)
  }
  return complaints
}
