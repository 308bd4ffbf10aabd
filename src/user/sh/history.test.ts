import { expect, test } from 'vitest'
import { PACKAGES } from '#testing/differential/packages.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { expandHistory } from './history-expansion.ts'

const HISTORY = ['cat /etc/fstab', 'ls -l /boot /etc', "echo 'a b' c", 'vi /boot/grub/menu.lst']

test.each([
  ['!!', 'vi /boot/grub/menu.lst'],
  ['sudo !!', 'sudo vi /boot/grub/menu.lst'],
  ['cat !$', 'cat /boot/grub/menu.lst'],
  ['cat !$:h', 'cat /boot/grub'],
  ['echo !$:t:r', 'echo menu'],
  ['!1', 'cat /etc/fstab'],
  ['!-2', "echo 'a b' c"],
  ['echo !-2:1', "echo 'a b'"],
  ['echo !ls:*', 'echo -l /boot /etc'],
  ['echo !ls:2-$', 'echo /boot /etc'],
  ['!ca | wc', 'cat /etc/fstab | wc'],
  ['!?fst?', 'cat /etc/fstab'],
  ['^menu^device^', 'vi /boot/grub/device.lst'],
  ['!!:s/menu.lst/default/', 'vi /boot/grub/default'],
  ['"!!"', '"vi /boot/grub/menu.lst"'],
])('%s', (line, text) => {
  expect(expandHistory(line, HISTORY)).toEqual({ kind: 'line', text, only: false })
})

test.each(["echo '!!'", 'echo \\!!', '! true', 'x!=y', 'echo hi!', 'echo $!', '#!/bin/sh', 'true # !!'])(
  '%s stays as it is',
  (line) => {
    expect(expandHistory(line, HISTORY).kind).toBe('none')
  },
)

test.each([
  ['!nosuch', '!nosuch: event not found'],
  ['!99', '!99: event not found'],
  ['echo !!:9', '!!:9: bad word specifier'],
  ['^nope^x^', '!!:s^nope^x^: substitution failed'],
])('%s fails', (line, message) => {
  expect(expandHistory(line, HISTORY)).toEqual({ kind: 'fault', message })
})

test('in the shell: lines that belong together are one entry, !! runs it again, subshells see the list', () => {
  const rig = posixRig({ packages: PACKAGES, files: { '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n' } })
  const s = rig.session(['bash'])
  const type = (keys: string): string => s.type(keys, { steps: 9000 }).take()
  s.take()
  type('for i in 1 2\ndo echo $i\ndone\n')
  expect(type('!!\n')).toContain('for i in 1 2; do echo $i; done\r\n1\r\n2\r\n')
  expect(type('history | cat\n')).toContain('    1  for i in 1 2; do echo $i; done\r\n    2  for')
  expect(type('!nope\n')).toContain('bash: !nope: event not found\r\n')
  type("echo 'a\nb'\n")
  expect(type('history 2\n')).toContain("  echo 'a\r\nb'\r\n")
})

test('a character of UTF-8 is one for the keys', () => {
  const rig = posixRig({ packages: PACKAGES, files: { '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n' } })
  const s = rig.session(['bash'])
  s.take()
  s.type('echo caf\xc3\xa9\x7f\x7fx\xc3\xb6y\x1b[D\x1b[D\x1b[3~\x02\x06-\n', { steps: 9000 })
  expect(s.take()).toContain('\r\ncax-y\r\n')
})
