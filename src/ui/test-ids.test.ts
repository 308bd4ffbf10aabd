/** Others' tests hold on to the ids: one that goes away, or is renamed, has to be taken off the frozen list on purpose. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { testIds } from './test-ids.ts'

const frozen = readFileSync(new URL('test-ids.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const present: readonly string[] = Object.values(testIds)

it('no test id has gone away', () => expect(frozen.filter((id) => !present.includes(id))).toEqual([]))

it('a new test id is put on the frozen list', () => expect(present.filter((id) => !frozen.includes(id))).toEqual([]))

it('no id is there twice, and each is <panel>-<part>', () => {
  expect(new Set(present).size).toBe(present.length)
  expect(present.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(id))).toEqual([])
})
