/** xsh over the daemon's core: its language, each command with what it refuses, and the editor with what watches tell in between. */
import { describe, expect, test } from 'vitest'
import { Screen } from '#tape/screen.ts'
import { type PosixRig, posixRig, type Session } from '#testing/posix-rig.ts'
import { storeCalls, World } from '#testing/xenstored-rig.ts'
import { xsh } from '../packages/xsh.ts'
import { commandsOf, resolve } from './words.ts'

const TREE = `
  s WRITE /a|x => OK|
  s WRITE /a/b|two words => OK|
  s WRITE /a/c/d|1 => OK|
  s WRITE /a/c/deep|2 => OK|
  s CHMOD /a/c|n5|r0|b3| => OK|
  s WRITE /odd|\x01\t\\"\xff^ => OK|
`

function make(): { readonly world: World; readonly rig: PosixRig } {
  const world = new World()
  world.run(TREE)
  return { world, rig: posixRig({ packages: [xsh], calls: storeCalls(world.store) }) }
}

test.each<readonly [string, string[][]]>([
  ['ls', [['ls']]],
  ['  ls   -l /a ', [['ls', '-l', '/a']]],
  ['cd /a; ls;; pwd\npwd # where\n#all', [['cd', '/a'], ['ls'], ['pwd'], ['pwd']]],
  ['write /a \'two words\' "and \\"three\\""', [['write', '/a', 'two words', 'and "three"']]],
  ["w a\\ b '' '\\n'", [['w', 'a b', '', '\\n']]],
  ['a\'b\'"c"d#e', [['abcd#e']]],
  ["'a\nb;c'", [['a\nb;c']]],
  ['\\', [['\\']]],
  ['', []],
  [' ; \n#', []],
])('the words of %j', (text, wanted) => expect(commandsOf(text)).toEqual(wanted))

test.each(["write /a 'x", 'a "', 'a "\\"'])('%j is not closed', (text) =>
  expect(() => commandsOf(text)).toThrow(/matching/),
)

test.each([
  ['/a', '/b', '/b'],
  ['/a', 'b', '/a/b'],
  ['/', 'b/c/', '/b/c'],
  ['/a/b', '..', '/a'],
  ['/a/b', '../../../x', '/x'],
  ['/a', './/b/.', '/a/b'],
  ['/a', '', '/a'],
  ['/a', '@releaseDomain', '@releaseDomain'],
])('in %s %j is %s', (cwd, typed, wanted) => expect(resolve(cwd, typed)).toBe(wanted))

const CASES: readonly (readonly [commands: string, wanted: string])[] = [
  ['pwd', '/\n0'],
  ['ls', 'tool\na\nodd\n0'],
  ['ls /a', 'b\nc\n0'],
  ['cd a; pwd; ls; cd; pwd', '/a\nb\nc\n/\n0'],
  ['cd a/c; cd ..; pwd; cd ../..; pwd', '/a\n/\n0'],
  ['cd /none; pwd', 'cd: /none: No such file or directory\n/\n0'],
  ['ls -l /a', 'n0           b = "two words"\nn5,r0,b3     c = ""\n0'],
  ['ls -R /a', 'b\nc\nc/d\nc/deep\n0'],
  [
    'ls -lR /a',
    'n0           b = "two words"\nn5,r0,b3     c = ""\nn0           c/d = "1"\nn0           c/deep = "2"\n0',
  ],
  ['ls -ld /a odd', 'n0           /a = "x"\nn0           odd = "\\001\\t\\\\"\\xff\\n"\n0'],
  ['ls -d /a/none', 'ls: /a/none: No such file or directory\n1'],
  ['ls /a /none /a/c', '/a:\nb\nc\nls: /none: No such file or directory\n\n/a/c:\nd\ndeep\n1'],
  ['ls /a/b', '0'],
  ['ls -x', 'ls: invalid option -- x\nusage: ls [-l] [-R] [-d] [PATH...]\n2'],
  ['ls bad!', 'ls: bad!: Invalid argument\n1'],
  ['tree a', '/a\n|-- b = "two words"\n`-- c = ""\n    |-- d = "1"\n    `-- deep = "2"\n0'],
  ['tree -pL 1 a', '/a\n|-- [n0] b = "two words"\n`-- [n5,r0,b3] c = ""\n0'],
  ['tree -L0 a', '/a\n0'],
  ['tree -L', 'tree: option -L needs a number\nusage: tree [-p] [-L DEPTH] [PATH]\n2'],
  ['tree /none', 'tree: /none: No such file or directory\n1'],
  ['tree a a', 'tree: too many operands\nusage: tree [-p] [-L DEPTH] [PATH]\n2'],
  ['cat a a/b', 'x\ntwo words\n0'],
  ['cat odd', '\\001\\t\\\\"\\xff\\n\n0'],
  ['cat -r odd', '\x01\t\\"\xff\n0'],
  ['cat a/none a', 'cat: a/none: No such file or directory\nx\n1'],
  ['cat', 'cat: missing operand\nusage: cat [-r] PATH...\n2'],
  ["write a/n 'one\\ttwo'; cat -r a/n", 'one\ttwo0'],
  ['write /p 1 /q 2; cat p q', '1\n2\n0'],
  ['write /p -1; cat p', '-1\n0'],
  ['write /p 1 bad! 2; cat p', 'write: bad!: Invalid argument\ncat: p: No such file or directory\n1'],
  ['write /p 1 /q', 'write: usage: write PATH VALUE [PATH VALUE]...\n2'],
  ['mkdir m m/n/o; ls -R m; rm -r m; exists m', 'n\nn/o\n1'],
  ['rm a/c; ls a', 'b\n0'],
  ['rm /', 'rm: /: Invalid argument\n1'],
  ['rm /none/below', 'rm: /none/below: No such file or directory\n1'],
  ['chmod a b1 r2; perms a', 'b1,r2  owner domain 1; domain 2 may read, all others may read and write\n0'],
  ['chmod a n1,w2; perms a', 'n1,w2  owner domain 1; domain 2 may write, nobody else\n0'],
  ['perms tool', 'n0  owner domain 0; nobody else\n0'],
  ['chmod a r0; perms a', 'r0  owner domain 0; all may read\n0'],
  ['chmod -r a n7; perms a/c/d a', 'n7  owner domain 7; nobody else\nn7  owner domain 7; nobody else\n0'],
  [
    'chmod -u a/c/d n7; perms a/c a a/b',
    'n7  owner domain 7; nobody else\nn7  owner domain 7; nobody else\nn0  owner domain 0; nobody else\n0',
  ],
  ['chmod a q1', 'chmod: q1: no permission (n, r, w or b, and a domain)\n2'],
  ['chmod /none n1', 'chmod: /none: No such file or directory\n1'],
  ['chmod a', 'chmod: missing operand\nusage: chmod [-r] [-u] PATH MODE...\n2'],
  ['perms /none', 'perms: /none: No such file or directory\n1'],
  ['exists a a/b', '0'],
  ['exists a none', '1'],
  ['watch a; watch; unwatch; watch', '/a = "x"\n/a\n0'],
  ['watch a a', 'watch: a: File exists\n/a = "x"\n1'],
  ['unwatch a', 'unwatch: a: No such file or directory\n1'],
  ['frob', 'xsh: frob: command not found\n127'],
  ["ls 'a", "xsh: unexpected end of line while looking for matching `''\n2"],
  ['help frob', 'help: frob: no such command\n1'],
  ['help cd', 'cd [PATH]\n    Go to PATH, or to where you began.\n0'],
  ['exit 3; pwd', '3'],
  ['cat /none; exit', 'cat: /none: No such file or directory\n1'],
  ['exit x', 'exit: x: numeric argument required\n2'],
  ['', '0'],
]

test.each(CASES)('%s', (commands, wanted) => {
  const { output, status } = make().rig.run(['xsh', '-c', commands])
  expect(`${output}${status}`).toBe(wanted)
})

test('help lists every command', () => {
  const { stdout } = make().rig.run(['xsh', '-c', 'help'])
  for (const name of 'ls tree cd pwd cat write mkdir rm chmod perms exists watch unwatch help exit'.split(' '))
    expect(stdout).toMatch(new RegExp(`^${name}\\b.*  [A-Z]`, 'm'))
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(120)
})

test.each([
  [['xsh', '-q'], 'xsh: invalid option -- q\nUsage: xsh [-s] [-c COMMANDS]\n2'],
  [['xsh', 'file'], "xsh: extra operand `file'\nUsage: xsh [-s] [-c COMMANDS]\n2"],
  [['xsh', '-s', '-c', 'cat a'], 'x\n0'],
])('%j', (argv, wanted) => {
  const { output, status } = make().rig.run(argv)
  expect(`${output}${status}`).toBe(wanted)
})

test('from a pipe, line by line; the last may lack its newline', () => {
  const { output, status } = make().rig.run(['xsh'], { stdin: 'cd a\nls\n\n# no\ncat none\nwatch b\nwrite b 2\ncat b' })
  expect(output).toBe('b\nc\ncat: none: No such file or directory\n/a/b = "two words"\n/a/b = "2"\n2\n')
  expect(status).toBe(0)
})

test('nobody there', () => {
  const rig = posixRig({
    packages: [xsh],
    calls: { socket: () => 5, connect: () => -111, fcntl: () => 0, close: () => 0 },
  })
  expect(rig.run(['xsh']).output).toBe('xsh: xs_domain_open: No such file or directory\n')
  expect(rig.run(['xsh', '-s', '-c', 'ls'])).toMatchObject({
    output: 'xsh: xs_daemon_open: Connection refused\n',
    status: 1,
  })
})

describe('at a terminal', () => {
  /** What its screen shows, without what lies below the cursor. */
  function terminal(columns = 80): {
    readonly world: World
    readonly rig: PosixRig
    readonly s: Session
    screen(): string
  } {
    const { world, rig } = make()
    const s = rig.session(['xsh'], { columns, env: { TERM: 'dumb' } })
    return {
      world,
      rig,
      s,
      screen() {
        const screen = new Screen({ columns, rows: 25 })
        for (const letter of s.transcript) screen.byte(letter.charCodeAt(0))
        return screen.rows().join('\n').trimEnd()
      },
    }
  }

  test('prompts, commands, history, ^D', () => {
    const { s, rig, screen } = terminal()
    s.type('cd a\rls\r\x10\x10\r')
    expect(screen()).toBe(
      'xenstore:/> cd a\nxenstore:/a> ls\nb  c\nxenstore:/a> cd a\ncd: a: No such file or directory\nxenstore:/a>',
    )
    s.take()
    s.type('pw\x03')
    expect(s.take()).toBe('pw^C\r\nxenstore:/a> ')
    s.type('\x04')
    expect(s.take()).toBe('exit\r\n')
    expect(s.status).toBe(130)
    expect(rig.read('/root/.xsh_history')).toBe('cd a\nls\ncd a\n')
    const again = rig.session(['xsh'], { env: { TERM: 'dumb' } })
    expect(again.take()).toBe('xenstore:/> ')
    expect(again.type('\x10').take()).toBe('cd a')
  })

  test.each([
    ['pw\t', 'pwd '],
    ['ls /a/\t\t', 'ls /a/\nb  c\nxenstore:/> ls /a/'],
    ['cat /a/c/\t\t\t', 'cat /a/c/d\nd     deep\nxenstore:/> cat /a/c/d'],
    ['cat o\t', 'cat odd '],
    ['cat od\tx', 'cat odd x'],
    ['ls a\t', 'ls a/'],
    ['pwd;ls a/c/de\t', 'pwd;ls a/c/deep '],
    ['cd /a; un\t', 'cd /a; unwatch '],
    ['help ch\t', 'help chmod '],
    ['watch @r\t', 'watch @releaseDomain '],
    ['ls none/\t', 'ls none/'],
    ['frob\t', 'frob'],
  ])('%j is completed', (typed, wanted) => {
    const { s, screen } = terminal()
    s.type(typed)
    expect(`${screen()}`).toBe(`xenstore:/> ${wanted}`.trimEnd())
  })

  test('what watches tell stands above the line that is being typed', () => {
    const { s, world, rig, screen } = terminal()
    s.type('watch /a/c @releaseDomain\r')
    s.type('cat /a/b')
    world.run('s WRITE /a/c/d|new => OK|')
    rig.kernel.changed()
    s.pass(100)
    expect(screen()).toBe(
      'xenstore:/> watch /a/c @releaseDomain\n/a/c = ""\n@releaseDomain\n/a/c/d = "new"\nxenstore:/> cat /a/b',
    )
    world.run('s RM /a/c| => OK|')
    rig.kernel.changed()
    s.pass(100)
    s.type('\r')
    expect(screen()).toMatch(/\n\/a\/c: No such file or directory\nxenstore:\/> cat \/a\/b\ntwo words\nxenstore:\/>$/)
    s.type('unwatch\r')
    world.run('s WRITE /a/c/d|unseen => OK|')
    rig.kernel.changed()
    s.pass(100)
    expect(screen()).not.toContain('unseen')
  })

  test('in a narrow window: a line over several rows, values cut, names in columns', () => {
    const { s, world, rig, screen } = terminal(30)
    s.type('watch /a/b\r')
    s.type('write /a/b 0123456789012345678901234567890123456789')
    world.run('s WRITE /a/b|hi => OK|')
    rig.kernel.changed()
    s.pass(100)
    expect(screen()).toBe(
      'xenstore:/> watch /a/b\n/a/b = "two words"\n/a/b = "hi"\nxenstore:/> write /a/b 0123456\n789012345678901234567890123456\n789',
    )
    s.type('\rls -l a\r')
    expect(screen()).toContain('\nn0           b = "0123456..."\n')
    s.resize(25, 45)
    s.type('ls -l a\r')
    expect(s.take()).toContain('n0           b = "0123456789012345678901..."\r\n')
  })

  test('^C leaves a line, and ends a command but not the shell', () => {
    const { s, world } = terminal()
    for (let i = 0; i < 400; i++) world.run(`s WRITE /big/${i}/x/y|1 => OK|`)
    s.type('write /a/b wro\x03')
    s.take()
    s.type('tree /\r', { steps: 2000 })
    s.type('\x03')
    expect(s.take()).toMatch(/\^C\r\nxenstore:\/> $/)
    s.type('cat /a/b\r')
    expect(s.take()).toContain('\r\ntwo words\r\n')
    expect(s.status).toBeUndefined()
  })

  test('the daemon goes and comes: watches are set again', () => {
    const { s, world, rig } = terminal()
    s.type('watch /a/b\r')
    s.take()
    const [conn] = [...world.store.connections].filter(({ watches }) => watches.length > 0)
    world.store.disconnect(conn!)
    rig.kernel.changed()
    s.pass(100)
    expect(s.take()).toContain('xsh: xenstored has closed the connection\r\n')
    s.type('cat /a\r')
    expect(s.take()).toMatch(/\r\nx\r\n[\s\S]*\/a\/b = "two words"\r\n/)
    world.run('s WRITE /a/b|again => OK|')
    rig.kernel.changed()
    s.pass(100)
    expect(s.take()).toContain('/a/b = "again"')
  })

  test('colours only there', () => {
    const { rig } = make()
    const s = rig.session(['xsh'], { env: { TERM: 'xterm' } })
    s.type('ls -d a\r')
    expect(s.transcript).toContain('xenstore:\x1b[01;34m/\x1b[0m> ')
    expect(s.transcript).toContain('\x1b[36ma\x1b[0m\r\n')
    expect(rig.run(['xsh', '-c', 'ls -d a'], { env: { TERM: 'xterm' } }).output).toBe('a\n')
  })
})
