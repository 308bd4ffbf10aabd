import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { hueOf, hueToken } from './hue.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

it('dom0 is blue, the first guest violet, and the next ones differ', () => {
  expect(hueOf(0)).toBe('layer-dom0')
  expect(hueOf(1)).toBe('layer-domu')
  expect(new Set([0, 1, 2, 3, 4, 5, 6].map(hueToken)).size).toBe(7)
  expect(hueOf(7)).toBe(hueOf(1))
})

it.each([2, 3, 4, 5, 6])('the class of domain %d’s hue has its token, and each theme has that', (domid) => {
  const classes = hueOf(domid)
    .split(' ')
    .map((name) => `.${name}`)
    .join('')
  expect(read('layout/panel.css')).toContain(`${classes} {\n  --hue: var(--${hueToken(domid)});`)
  expect(read('theme.css').split(`--${hueToken(domid)}:`)).toHaveLength(4)
})
