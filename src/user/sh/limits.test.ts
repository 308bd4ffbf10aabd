import { expect, test } from 'vitest'
import { PACKAGES } from '#testing/differential/packages.ts'
import { posixRig } from '#testing/posix-rig.ts'

const run = (script: string) => posixRig({ packages: PACKAGES, memoryBytes: 8 << 20 }).run(['sh', '-c', script])

test.each([
  ['functions without end', 'f() { f; }; f; echo no', 'Maximum function recursion depth (256) reached'],
  ['in loops', 'f() { for i in 1; do case x in x) if :; then f; fi;; esac; done; }; f', 'Maximum evaluation depth'],
  ['evals without end', 'x=\'eval "$x"\'; eval "$x"', 'Maximum evaluation depth'],
  ['nested parentheses', `${'('.repeat(300)}:${')'.repeat(300)}`, 'Syntax error: nested too deeply'],
  ['nested substitutions', `echo ${'$(echo '.repeat(300)}x${')'.repeat(300)}`, 'Syntax error: nested too deeply'],
  ['nested braces', `echo ${'${x:-'.repeat(300)}x${'}'.repeat(300)}`, 'Syntax error: nested too deeply'],
  ['nested arithmetic', `echo $((${'('.repeat(1000)}1${')'.repeat(1000)}))`, 'recursion level exceeded'],
  ['long arithmetic', `echo $((1${'+1'.repeat(20000)}))`, 'expression too long'],
  ['a variable that doubles', 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done', 'Out of space'],
  [
    'a substitution that does not end',
    'x=$(while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done)',
    'Out of space',
  ],
])('%s end in an error', (_, script, message) => {
  const { stderr, status } = run(script)
  expect(stderr).toContain(message)
  expect(status).toBe(2)
})

test('long lists and pipelines are no depth', () => {
  expect(run(`true${' && true'.repeat(5000)}; echo $?`).stdout).toBe('0\n')
  expect(run(`echo x${' | cat'.repeat(40)}`).stdout).toBe('x\n')
  expect(run(`${'if :; then '.repeat(100)}echo x;${' fi;'.repeat(100)}`).stdout).toBe('x\n')
})

test('a loop over arithmetic makes no system calls but lets the kernel look', () => {
  const rig = posixRig({ packages: PACKAGES })
  const { stdout } = rig.run(['sh', '-c', 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; echo $i'])
  expect(stdout).toBe('10000\n')
  expect(rig.kernel.steps).toBeLessThan(150)
})

test('a fork bomb ends in errors', () => {
  const rig = posixRig({ packages: PACKAGES })
  rig.kernel.processesMax = 50
  const { stdout, stderr } = rig.run(['sh', '-c', 'f() { f | f; }; f 2>/tmp/e; echo done; head -1 /tmp/e'], {
    steps: 2_000_000,
  })
  expect(stdout + stderr).toContain('Cannot fork')
})
