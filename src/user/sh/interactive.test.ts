import { describe, expect, test } from 'vitest'
import { PACKAGES } from '#testing/differential/packages.ts'
import { posixRig, type SessionOptions } from '#testing/posix-rig.ts'

const FILES = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/profile': 'PROFILE=read\n',
  '/root/.bash_profile': "PS1='\\u@\\h:\\w\\$ '\n",
  '/root/.bashrc': "PS1='[\\W]\\$ '\nalias hi='echo hello'\n",
  '/root/.bash_history': 'echo old one\necho old two\n',
  '/tmp/alpha.txt': '',
  '/tmp/alpine': '',
  '/tmp/a dir/': '',
}

function session(name: string, options: SessionOptions = {}) {
  const rig = posixRig({ packages: PACKAGES, files: FILES })
  const s = rig.session([name], options)
  s.take()
  return { rig, s, type: (...keys: string[]) => keys.map((key) => s.type(key, { steps: 3000 }).take()) }
}

test('prompts, several lines, errors', () => {
  const { type } = session('sh')
  expect(type('echo hi\n', 'for i in 1 2\n', 'do echo $i; done\n', 'nosuch\n', 'fi\n', 'echo "a\n', 'b"\n')).toEqual([
    'echo hi\r\nhi\r\n# ',
    'for i in 1 2\r\n> ',
    'do echo $i; done\r\n1\r\n2\r\n# ',
    'nosuch\r\nsh: 4: nosuch: not found\r\n# ',
    'fi\r\nsh: 5: Syntax error: "fi" unexpected\r\n# ',
    'echo "a\r\n> ',
    'b"\r\na\r\nb\r\n# ',
  ])
})

test('a loop without system calls is ended by ^C; the shell goes on', () => {
  const { type } = session('sh')
  expect(type('while :; do :; done\n', '\x03', 'echo $?\n')).toEqual([
    'while :; do :; done\r\n',
    '^C\r\n# ',
    'echo $?\r\n130\r\n# ',
  ])
})

test('^C ends a loop of programs, not only the program', () => {
  const { type } = session('sh')
  type('while :; do sleep 1; done\n')
  expect(type('\x03')[0]).toMatch(/^\^C\r\n(\r\n)?# $/)
})

test("job control, in dash's words", () => {
  const { s, type } = session('sh')
  type('sleep 100\n')
  expect(
    type('\x1a', 'jobs\n', 'bg\n', 'sleep 50 &\n', 'jobs\n', 'kill %1\n', '\n', 'fg\n', '\x03', 'echo $?\n'),
  ).toEqual([
    '^Z[1] + Stopped                    sleep 100\r\n# ',
    'jobs\r\n[1] + Stopped                    sleep 100\r\n# ',
    'bg\r\n[1] sleep 100\r\n# ',
    'sleep 50 &\r\n# ',
    'jobs\r\n[2] + Running                    sleep 50\r\n[1] - Running                    sleep 100\r\n# ',
    'kill %1\r\n# ',
    '\r\n[1] - Terminated                 sleep 100\r\n# ',
    'fg\r\nsleep 50\r\n',
    '^C\r\n# ',
    'echo $?\r\n130\r\n# ',
  ])
  type('sleep 9 | cat\n')
  expect(type('\x1a')).toEqual(['^Z[1] + Stopped                    sleep 9 | cat\r\n# '])
  expect(type('exit\n')).toEqual(['exit\r\nYou have stopped jobs.\r\n# '])
  expect(s.status).toBeUndefined()
  type('exit\n')
  expect(s.status).toBe(1)
})

test("job control, in bash's words", () => {
  const { s, type } = session('bash')
  type('sleep 100\n')
  expect(type('\x1a', 'jobs\n', 'fg\n', '\x03')).toEqual([
    '^Z\r\n[1]+  Stopped                 sleep 100\r\n[/]# ',
    'jobs\r\n[1]+  Stopped                 sleep 100\r\n[/]# ',
    'fg\r\nsleep 100\r\n',
    '^C\r\n[/]# ',
  ])
  expect(type('sleep 2 &\n')[0]).toMatch(/^sleep 2 &\r\n\[1\] \d+\r\n\[\/\]# $/)
  type('wait\n')
  expect(s.pass(3000).take()).toBe('[1]+  Done                    sleep 2\r\n[/]# ')
})

test('a program of the background that reads the terminal is stopped', () => {
  const { type } = session('sh')
  expect(type('cat &\n', '\n')[1]).toBe('\r\n[1] + Stopped (tty input)        cat\r\n# ')
  expect(type('fg\n', 'line\n', '\x04')).toEqual(['fg\r\ncat\r\n', 'line\r\nline\r\n', '# '])
})

test('what is typed ahead is for the program that runs', () => {
  const { type } = session('sh')
  expect(type('cat\nabc\n\x04')[0]).toContain('abc\r\n# ')
})

test.each([
  ['^A ^E', 'cho hi\x01e\x05!', 'echo hi!'],
  ['^B ^F ^D', 'echo xab\x02\x02\x02\x04\x06\x06', 'echo ab'],
  ['backspace and ^H', 'echo axx\x7f\x08', 'echo a'],
  ['^K and ^Y', 'echo a b\x02\x02\x0b\x19', 'echo a b'],
  ['^U', 'rubbish\x15echo ok', 'echo ok'],
  ['^W', 'echo one two\x17three', 'echo one three'],
  ['^T', 'ehco\x02\x02\x14\x05 t', 'echo t'],
  ['meta-b meta-d', 'echo one two\x1bb\x1bd2', 'echo one 2'],
  ['meta-f', 'echo one\x01\x1bf -n\x05', 'echo -n one'],
  ['arrows, Home, End, Del', 'xecho b\x1b[H\x1b[3~\x1b[F\x1b[Da\x1b[C', 'echo ab'],
  ['^V', 'echo \x16\x01', 'echo \x01'],
])('editing: %s', (_, keys, line) => {
  const { rig, s } = session('sh')
  s.type('cat >/tmp/line <<E\n').type(`${keys}\n`).type('E\n')
  expect(rig.read('/tmp/line')).toBe(`${line}\n`)
})

test('a line longer than the terminal wraps', () => {
  const { s } = session('sh', { columns: 20 })
  const line = 'echo 345678901234567890123456789'
  s.type(line)
  expect(s.take()).toBe(`${line.slice(0, 18)} \r${line.slice(18)}`)
  s.type('\x01')
  expect(s.take()).toBe('\x1b[1A\r\x1b[2C')
  s.type('\x05\n')
  expect(s.take()).toBe('\x1b[1B\r\x1b[14C\r\n345678901234567890123456789\r\n# ')
})

test('history: up and down, ^R, the file', () => {
  const { rig, type } = session('bash')
  const [up] = type('\x10\x10\n')
  expect(up).toContain('old one\r\n')
  const [found] = type('\x12two\n')
  expect(found).toContain("(reverse-i-search)`two': echo old two")
  expect(found).toContain('\r\nold two\r\n')
  expect(type('history 2\n')[0]).toBe('history 2\r\n    4  echo old two\r\n    5  history 2\r\n[/]# ')
  type('exit\n')
  expect(rig.read('/root/.bash_history')).toBe(
    'echo old one\necho old two\necho old one\necho old two\nhistory 2\nexit\n',
  )
})

describe('completion', () => {
  test.each([
    ['a command', 'ech\thi\n', 'echo hi\r\nhi\r\n'],
    ['a file', 'ls /tmp/alph\t\n', 'ls /tmp/alpha.txt \r\n/tmp/alpha.txt\r\n'],
    ['a directory with a blank', 'cd /tmp/a\\ \tx\x7f; pwd\n', 'cd /tmp/a\\ dir/x\b\x1b[K; pwd\r\n/tmp/a dir\r\n'],
    ['what is common', 'echo /tmp/al\th\t\n', 'echo /tmp/alpha.txt \r\n/tmp/alpha.txt\r\n'],
    ['a variable', 'echo $HOM\t\n', 'echo $HOME \r\n/root\r\n'],
  ])('%s', (_, keys, printed) => {
    expect(session('sh').type(keys)[0]).toContain(printed)
  })
  test('two TABs list what there is', () => {
    expect(session('sh').type('ls /tmp/al\t\t\t')[0]).toBe(
      'ls /tmp/alp\x07\r\nalpha.txt  alpine\r\n\r# ls /tmp/alp\x1b[J',
    )
  })
  test('nothing rings', () => {
    expect(session('sh').type('zzz\t')[0]).toBe('zzz\x07')
  })
})

test('start-up files and prompts of bash', () => {
  const rig = posixRig({ packages: PACKAGES, files: FILES })
  const login = rig.session(['-bash'], { cwd: '/root' })
  expect(login.take()).toBe('root@xenhost:~# ')
  expect(login.type('echo $PROFILE; cd /usr/bin\n').take()).toBe(
    'echo $PROFILE; cd /usr/bin\r\nread\r\nroot@xenhost:/usr/bin# ',
  )
  expect(login.type('nosuch\n').take()).toBe('nosuch\r\n-bash: nosuch: command not found\r\nroot@xenhost:/usr/bin# ')
  expect(login.type('exit\n').take()).toBe('exit\r\nlogout\r\n')
  const plain = rig.session(['bash'], { cwd: '/usr/bin' })
  expect(plain.take()).toBe('[bin]# ')
  expect(plain.type('hi\n').take()).toBe('hi\r\nhello\r\n[bin]# ')
  expect(plain.type('\x04').take()).toBe('exit\r\n')
})

test('ENV for sh; an ordinary user sees $', () => {
  const rig = posixRig({ packages: PACKAGES, files: { '/e': "V=env\nPS1='$V> '\n" } })
  expect(rig.session(['sh'], { env: { ENV: '/e' } }).take()).toBe('env> ')
  expect(rig.session(['sh'], { uid: 500 }).take()).toBe('$ ')
})

test('the terminal is as before while programs run, and after ^C', () => {
  const { s, type } = session('sh')
  const raw = s.tty.canonical
  type('sleep 5\n')
  expect([raw, s.tty.canonical]).toEqual([false, true])
  type('\x03')
  expect(s.tty.canonical).toBe(false)
})

test('SIGTERM does not end an interactive shell, SIGHUP does', () => {
  const { rig, s, type } = session('sh')
  expect(type('kill $$; echo alive\n')[0]).toContain('alive')
  rig.kernel.sendGroup(s.pid, 1)
  s.pass(10)
  expect(s.status).toBe(129)
})
