/** Programs that keep what grows ask the kernel for it, and say when there is no more; so do those that cannot fork. */
import { expect, test } from 'vitest'
import { EAGAIN } from '#abi/posix/errno.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { coreutils } from './coreutils.ts'
import { coreutilsUsr } from './coreutils-usr.ts'
import { sh } from './sh.ts'
import { textutils } from './textutils.ts'
import { textutilsUsr } from './textutils-usr.ts'

const packages = [sh, coreutils, coreutilsUsr, textutils, textutilsUsr]
const files = { '/big': 'a line of some length, again and again\n'.repeat(8000), '/tmp/f': 'x\n' }

test.each([
  ['sort /big', 2, 'sort: memory exhausted\n'],
  ['grep -f /big /tmp/f', 2, 'grep: memory exhausted\n'],
  ['diff /big /tmp/f', 2, 'diff: memory exhausted\n'],
  ['sed -n H /big', 4, 'sed: memory exhausted\n'],
  ['sed :a;N;$!ba /big', 4, 'sed: memory exhausted\n'],
  ['awk {a[NR]=$0} /big', 2, 'awk: memory exhausted\n'],
  ['awk {a=a$0} /big', 2, 'awk: memory exhausted\n'],
])('%s', (line, status, stderr) => {
  const rig = posixRig({ packages, files, memoryBytes: 200_000 })
  expect(rig.run(line.split(' '))).toMatchObject({ status, stderr })
})

test('what awk deletes it may use again', () => {
  const rig = posixRig({ packages, files, memoryBytes: 400_000 })
  expect(
    rig.run(['awk', '{ a[NR] = $0; delete a[NR - 9] } NR % 99 == 0 { delete a } END { print NR }', '/big']),
  ).toMatchObject({
    status: 0,
    stdout: '8000\n',
  })
})

test.each([
  [['xargs', 'echo'], 1, 'xargs: cannot fork: Resource temporarily unavailable\n'],
  [['find', '/tmp/f', '-exec', 'echo', '{}', ';'], 1, 'find: cannot fork: Resource temporarily unavailable\n'],
  [['bash', '-c', 'ls | cat'], undefined, 'bash: fork: Resource temporarily unavailable\n'],
])('%j without processes', (argv, status, stderr) => {
  const rig = posixRig({ packages, files, calls: { fork: () => -EAGAIN } })
  const result = rig.run(argv, { stdin: 'a b\n' })
  expect(result.stderr).toBe(stderr)
  if (status !== undefined) expect(result.status).toBe(status)
})
