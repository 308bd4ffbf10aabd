import { expect, test } from 'vitest'
import { type PosixRig, posixRig } from '#testing/posix-rig.ts'
import { login } from './login.ts'
import { passwd } from './passwd.ts'
import { su } from './su.ts'

const shell = function* () {
  yield [1, 1, Uint8Array.of(36, 10)] as const
  return 0
}
const rig = (): PosixRig =>
  posixRig({
    programs: { '/bin/login': login, '/usr/bin/passwd': passwd, '/bin/su': su, '/bin/sh': shell },
    files: {
      '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\njoe:x:500:500::/:/bin/sh\n',
      '/etc/shadow': 'root::14376:0:99999:7:::\njoe:*:1:::::\n',
      '/etc/group': 'root:x:0:\n',
    },
  })

test('a password is asked for twice, and then needed', () => {
  const machine = rig()
  const s = machine.session(['passwd'])
  s.type('sesame\n').type('sesame\n')
  expect(s.transcript).toBe(
    'Changing password for user root.\r\nNew UNIX password: \r\nRetype new UNIX password: \r\npasswd: all authentication tokens updated successfully.\r\n',
  )
  expect(machine.read('/etc/shadow')).toMatch(/^root:\$1\$[./0-9A-Za-z]{8}\$[./0-9A-Za-z]{22}:14376:0:99999:7:::\njoe:/)
  const entry = machine.session(['login', 'root'])
  expect(entry.take()).toBe('Password: ')
  entry.type('sesam\n').pass(2500)
  expect(entry.take()).toBe('\r\nLogin incorrect\r\n\r\nlogin: ')
  entry.type('root\n').type('sesame\n')
  expect(entry.take()).toBe('root\r\nPassword: \r\n$\r\n')
})

test.each([
  [['passwd', 'nemo'], 0, "passwd: Unknown user name 'nemo'.\n", 1],
  [['passwd', 'root'], 500, 'passwd: Only root can specify a user name.\n', 1],
  [['passwd', '-S', 'joe'], 0, 'joe LK (Password locked.)\n', 0],
  [['passwd', '-S', 'root'], 0, 'root NP (Empty password.)\n', 0],
  [['su', 'nemo'], 0, 'su: user nemo does not exist\n', 1],
  [['su', 'joe'], 0, '$\n', 0],
])('%j as %i', (argv, uid, output, status) => {
  expect(rig().run(argv, { uid })).toMatchObject({ output, status })
})

test('passwords that differ, and none at all', () => {
  const s = rig().session(['passwd', 'joe'])
  s.type('sesame\n').type('other!\n')
  expect(s.take()).toContain('Sorry, passwords do not match.\r\n')
  s.type('\n').type('\n')
  expect(s.take()).toContain('passwd: Authentication token manipulation error\r\n')
  expect(s.status).toBe(1)
})
