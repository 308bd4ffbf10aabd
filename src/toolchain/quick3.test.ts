import { readFileSync } from 'node:fs'
import { test } from 'vitest'
import { cc } from './cc.ts'
import { sectorBody } from './sector.ts'

test('q', () => {
  for (const f of ['stage1', 'start']) {
    const b = sectorBody(cc('boot/stage1/' + f + '.ts', readFileSync('src/boot/stage1/' + f + '.ts', 'utf8')))
    console.log(b.length, b)
  }
})
