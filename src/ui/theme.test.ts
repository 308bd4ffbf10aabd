import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = import.meta.dirname
const css = readFileSync(join(folder, 'theme.css'), 'utf8')

function tokens(block: string): Record<string, string> {
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,8})\b/g)].map((match) => [match[1]!, match[2]!]),
  )
}

const lightBlock = css.slice(css.indexOf(':root {'), css.indexOf(':root[data-theme="dark"]'))
const darkBlock = css.slice(css.indexOf(':root[data-theme="dark"]'), css.indexOf('@media'))
const systemBlock = css.slice(css.indexOf('@media'))
const light = tokens(lightBlock)
const themes: Record<string, Record<string, string>> = { light, dark: { ...light, ...tokens(darkBlock) } }

/** WCAG 2.1 relative luminance. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
  const linear = (c: number) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  return 0.2126 * linear(r!) + 0.7152 * linear(g!) + 0.0722 * linear(b!)
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const surfaces = ['surface-0', 'surface-1', 'surface-2', 'surface-3']
const hues = ['machine', 'xen', 'dom0', 'domu', ...[2, 3, 4, 5, 6].map((hue) => `domu-${hue}`)]
const pairs: [string, string, number][] = [
  ...surfaces.flatMap((surface): [string, string, number][] => [
    ['text', surface, 4.5],
    ['text-muted', surface, 4.5],
    // Not text: rings and lamps need 3:1.
    ['focus', surface, 3],
  ]),
  ...[...hues.map((layer) => `hue-${layer}`), 'danger', 'accent'].flatMap((hue): [string, string, number][] => [
    [hue, 'surface-1', 4.5],
    [hue, 'surface-2', 4.5],
  ]),
  ...hues.flatMap((layer): [string, string, number][] => [
    [`hue-${layer}`, `hue-${layer}-soft`, 4.5],
    ['text', `hue-${layer}-soft`, 4.5],
  ]),
  ['accent-text', 'accent', 4.5],
  ['text', 'accent-soft', 4.5],
  ['text', 'danger-soft', 4.5],
  ['text-muted', 'danger-soft', 4.5],
  ['lamp-on', 'surface-1', 3],
  ...['foreground', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'].map(
    (name): [string, string, number] => [`term-${name}`, 'term-background', 4.5],
  ),
  ...['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'].map((name): [string, string, number] => [
    `term-bright-${name}`,
    'term-background',
    4.5,
  ]),
]

describe.each(Object.keys(themes))('the %s theme', (theme) => {
  it.each(pairs)('%s on %s has a contrast of at least %d', (front, back, least) => {
    const { [front]: a, [back]: b } = themes[theme]!
    expect(a, front).toMatch(/^#[0-9a-f]{6}$/)
    expect(b, back).toMatch(/^#[0-9a-f]{6}$/)
    expect(contrast(a!, b!)).toBeGreaterThanOrEqual(least)
  })
})

it('the dark theme is the same whether chosen or the system’s', () => {
  expect(Object.keys(tokens(darkBlock)).length).toBeGreaterThan(40)
  expect(tokens(systemBlock)).toEqual(tokens(darkBlock))
})

const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (path) => /\.(css|tsx?)$/.test(path) && !/\.test\.tsx?$/.test(path) && path !== 'theme.css',
)

it.each(sources)('%s names no colour of its own', (path) => {
  const text = readFileSync(join(folder, path), 'utf8')
  expect(text.match(/#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b(?=["';\s,)])/gi) ?? []).toEqual([])
  expect(text.match(/\b(?:rgba?|hsla?|oklch)\(/g) ?? []).toEqual([])
})

it.each(sources.filter((path) => path.endsWith('.tsx')))('%s holds no literal text for people', (path) => {
  const text = readFileSync(join(folder, path), 'utf8')
  const between = [...text.matchAll(/>\s*([A-Za-z][A-Za-z ,.!?’']+)\s*<\//g)].map((match) => match[1])
  const attributes = [...text.matchAll(/\b(?:aria-label|title|placeholder|alt)="([^"]+)"/g)].map((match) => match[1])
  expect([...between, ...attributes]).toEqual([])
})
