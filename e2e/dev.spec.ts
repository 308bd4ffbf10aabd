import { type ChildProcess, spawn } from 'node:child_process'
import { expect, test } from '@playwright/test'
import { Playground } from './playground.ts'

const port = 4174
let server: ChildProcess

test.beforeAll(async () => {
  server = spawn(
    process.execPath,
    ['node_modules/vite/bin/vite.js', '--host', '127.0.0.1', '--port', String(port), '--strictPort'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.stdout!.on('data', (chunk: Buffer) => chunk.toString().includes('ready in') && resolve())
    server.on('exit', (code) => reject(new Error(`vite ended with ${code}`)))
  })
})

test.afterAll(() => {
  server.kill()
})

test('the development server starts the sandboxed machine as well', async ({ page, isMobile }) => {
  test.skip(isMobile, 'the same server')
  test.setTimeout(120_000)
  const pg = await Playground.open(page, {}, `http://127.0.0.1:${port}/`)
  await expect(pg.com1).toContainText('GNU GRUB', { timeout: 60_000 })
  expect(page.workers().some((worker) => worker.url().startsWith('blob:null/'))).toBe(true)
})
