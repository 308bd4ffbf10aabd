import { expect, it } from 'vitest'
import { startsByTape, tapePlace } from './link.ts'

const base = 'https://xen.example/play/?seed=1'

it.each([
  ['demo.tape', 'own'],
  ['/tapes/demo.tape', 'own'],
  ['https://xen.example/demo.tape', 'own'],
  ['data:text/plain,Enter', 'data'],
  ['https://evil.example/demo.tape', 'refused'],
  ['//evil.example/demo.tape', 'refused'],
  ['http://xen.example/demo.tape', 'refused'],
  ['https://xen.example@evil.example/', 'refused'],
  ['javascript:alert(1)', 'refused'],
  ['file:///etc/passwd', 'refused'],
  ['blob:https://evil.example/1', 'refused'],
  ['http://', 'refused'],
])('the tape at %s: %s', (tape, kind) => {
  expect(tapePlace(tape, base).kind).toBe(kind)
  expect(startsByTape(tape, base)).toBe(kind === 'own')
})

it('a page that is a file has no site of its own', () => {
  expect(tapePlace('demo.tape', 'file:///home/me/index.html').kind).toBe('refused')
})
