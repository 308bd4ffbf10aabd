import { readFileSync } from 'node:fs'
import { expect } from '@playwright/test'
import { test } from './fixture.ts'

test.skip(({ isMobile }) => isMobile, 'the interface is the same')

test('the fixture of docs/embedding.md logs in and asks', async ({ xen }) => {
  test.setTimeout(120_000)
  await xen.login()
  expect(await xen.type('xm list', /Domain-0 +0 +256/)).toContain('Domain-0')
})

test('docs/embedding.md has this very fixture', () => {
  expect(readFileSync('docs/embedding.md', 'utf8')).toContain(
    `\`\`\`ts\n${readFileSync('e2e/fixture.ts', 'utf8')}\`\`\``,
  )
})
