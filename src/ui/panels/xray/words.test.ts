import { expect, it } from 'vitest'
import { en } from './words.ts'
import { zh } from './words.zh.ts'

const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

it.each(Object.keys(en) as (keyof typeof en)[])('%s takes the same parameters in both languages', (key) => {
  expect(parameters(zh[key])).toEqual(parameters(en[key]))
  expect(zh[key].trim()).not.toBe('')
})
