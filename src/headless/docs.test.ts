/** The examples of docs/api.md, run as an author runs them: under Node, from the repository's folder. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const [anywhere = '', node = ''] = [
  ...readFileSync(resolve(root, 'docs/api.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g),
].map(([, code]) => code)

const run = (program: string): Promise<{ status: number | string; stdout: string; stderr: string }> =>
  new Promise((done) => {
    execFile(process.execPath, ['--input-type=module', '-e', program], { cwd: root }, (error, stdout, stderr) => {
      done({ status: error?.code ?? 0, stdout, stderr })
    })
  })

test('the example for any place reaches the login', async () => {
  const program = `import { createPlayground } from './scripts/playground.mjs'
const playground = await createPlayground()
${anywhere}
console.log((await com1.screen()).includes('xenhost login:'))
await playground.close()`
  expect(await run(program)).toEqual({ status: 0, stdout: 'true\n', stderr: '' })
})

test('the example for Node begins and ends a machine', async () => {
  expect(node).toContain('createPlayground({')
  expect(await run(node)).toEqual({ status: 0, stdout: '', stderr: '' })
})
