/** Programs at the inner end of host links: their terminal, their surroundings, their end, and what is no program. */
import { describe, expect, test } from 'vitest'
import { HOSTLINK_WINDOW } from '#abi/pc/hostlink.ts'
import { O_CREAT, O_WRONLY } from '#abi/posix/fcntl.ts'
import { SIG_IGN, SIGHUP, SIGKILL } from '#abi/posix/signal.ts'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { bytesOf, daemon, outside, text } from '#testing/hostlink-rig.ts'
import { inProcess } from '#testing/vfs-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import * as c from '#user/libc/syscall.ts'
import { tcgetwinsize } from '#user/libc/termios.ts'

function* errnoOf(call: Sys<unknown>): Sys<number> {
  try {
    yield* call
    return 0
  } catch (error) {
    if (error instanceof OsError) return error.errno
    throw error
  }
}

const say = (words: string): Sys<number> => c.write(1, bytesOf(`${words}\n`))

const PROGRAMS: Readonly<Record<string, ProgramEntry>> = {
  *facts(argv, env) {
    const { rows, cols } = yield* tcgetwinsize(1)
    yield* say(
      `${argv.join('|')} ${cols}x${rows} ${(yield* c.getsid(0)) === (yield* c.getpid()) ? 'leads' : 'follows'}`,
    )
    yield* say(env.filter((entry) => /^(TERM|PATH|HOME)=/.test(entry)).join(' '))
    yield* say(`in ${yield* c.getcwd()}`)
    const open: number[] = []
    for (let fd = 0; fd < 20; fd++) if ((yield* errnoOf(c.fstat(fd))) === 0) open.push(fd)
    yield* say(`open ${open.join(' ')}`)
    // Its terminal is /dev/tty.
    yield* c.write(yield* c.open('/dev/tty', O_WRONLY, 0), bytesOf('to its terminal\n'))
    return 3
  },
  /** Echoes lines in capitals; `quit` ends it. */
  *shout() {
    for (;;) {
      const line = text(yield* c.read(0, 4096))
      if (line === '' || line === 'quit\n') return 0
      yield* c.write(1, bytesOf(line.toUpperCase()))
    }
  },
  *much() {
    for (let i = 0; i < 100; i++) yield* say('x'.repeat(998))
    return 0
  },
  *stubborn() {
    yield* c.rt_sigaction(SIGHUP, SIG_IGN, 0, 0)
    yield* say('ready')
    const end = yield* errnoOf(c.read(0, 1))
    yield* c.close(yield* c.open(`/went-on-${end}`, O_WRONLY | O_CREAT, 0o644))
    return 0
  },
  *hup() {
    yield* c.rt_sigaction(
      SIGHUP,
      function* () {
        yield* c.close(yield* c.open('/hup', O_WRONLY | O_CREAT, 0o644))
        yield* c.exit(0)
      },
      0,
      0,
    )
    yield* say('ready')
    yield* c.pause()
    return 0
  },
}

/** A system with those programs in /bin, and hostlinkd. */
function host(): ReturnType<typeof outside> & { readonly processes: () => number } {
  const at = outside()
  inProcess(at.rig, function* () {
    for (const dir of ['/bin', '/root']) yield* c.mkdir(dir, 0o755)
    yield* c.mknod('/dev/tty', 0o020666, 5 << 8)
    for (const [name, main] of Object.entries(PROGRAMS)) {
      const fd = yield* c.open(`/bin/${name}`, O_WRONLY | O_CREAT, 0o755)
      yield* c.write(fd, at.rig.programFile(main))
      yield* c.close(fd)
    }
    for (const [name, mode] of [
      ['plain', 0o644],
      ['nonsense', 0o755],
    ] as const) {
      const fd = yield* c.open(`/bin/${name}`, O_WRONLY | O_CREAT, mode)
      yield* c.write(fd, Uint8Array.of(1, 2, 3))
      yield* c.close(fd)
    }
  })
  daemon(at.rig)
  return { ...at, processes: () => at.rig.kernel.sched.tasks.length }
}

test('it leads a session on a terminal of that size, as root, with nothing else open; its end is the link’s', () => {
  const at = host()
  const before = at.processes()
  const link = at.open('exec:132x43:/bin/facts')
  at.rig.settle()
  expect(link.log.join('').split('\r\n')).toEqual([
    '/bin/facts 132x43 leads',
    'HOME=/root PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/bin:/root/bin TERM=xterm',
    'in /root',
    'open 0 1 2',
    'to its terminal',
    '<end>',
  ])
  expect(at.processes()).toBe(before)
  // Too late, and harmless.
  link.write('x')
  link.end()
  at.rig.settle()
  expect(at.chip.state.links).toEqual([])
})

test('it is spoken to as at a terminal: echo, line editing, ^C', () => {
  const at = host()
  const link = at.open('exec:80x24:/bin/shout')
  link.write('heq\x7fllo\r')
  at.rig.settle()
  expect(link.log.join('')).toBe('heq\b \bllo\r\nHELLO\r\n')
  link.write('quit\r')
  at.rig.settle()
  expect(link.log.join('')).toMatch(/quit\r\n<end>$/)
  const other = at.open('exec:80x24:/bin/shout')
  at.rig.settle()
  other.write('\x03')
  at.rig.settle()
  expect(other.log.join('')).toBe('<end>')
})

test('all that it says arrives before its end, at the pace of who reads', () => {
  const at = host()
  const link = at.open('exec:80x24:/bin/much')
  link.takeAll = false
  at.rig.settle(undefined, 1_000_000)
  expect(link.got()).toBe(HOSTLINK_WINDOW)
  expect(link.log.join('')).not.toContain('<end>')
  const quick = at.open('exec:80x24:/bin/much')
  at.rig.settle(undefined, 1_000_000)
  expect(quick.got()).toBe(100_000)
  expect(quick.log.at(-1)).toBe('<end>')
})

describe('a link that is closed outside', () => {
  test.each(['close', 'end'] as const)('by %s hangs the program up', (how) => {
    const at = host()
    const before = at.processes()
    const link = at.open('exec:80x24:/bin/hup')
    at.rig.settle()
    expect(link.log).toEqual(['ready\r\n'])
    link[how]()
    at.rig.settle()
    inProcess(at.rig, () => c.stat('/hup'))
    expect([at.processes(), at.chip.state.links]).toEqual([before, []])
    expect(link.log.slice(1)).toEqual(how === 'end' ? ['<end>'] : [])
  })

  test('and a program that does not mind goes on without a terminal', () => {
    const at = host()
    const link = at.open('exec:80x24:/bin/stubborn')
    at.rig.settle()
    expect(link.log).toEqual(['ready\r\n'])
    link.close()
    at.rig.settle()
    inProcess(at.rig, () => c.stat('/went-on-0'))
  })
})

test('many at once, each its own; killed, they end', () => {
  const at = host()
  const before = at.processes()
  const links = Array.from({ length: 30 }, () => at.open('exec:80x24:/bin/shout'))
  links.forEach((link, i) => void link.write(`n${i}\r`))
  at.rig.settle(undefined, 1_000_000)
  links.forEach((link, i) => {
    expect(link.log.join('')).toBe(`n${i}\r\nN${i}\r\n`)
  })
  const programs = at.rig.kernel.sched.tasks.slice(-30).map(({ pid }) => pid)
  inProcess(at.rig, function* () {
    for (const pid of programs) yield* c.kill(pid, SIGKILL)
  })
  at.rig.settle(undefined, 1_000_000)
  for (const link of links) expect(link.log.at(-1)).toBe('<end>')
  expect(at.processes()).toBe(before)
})

test('no terminal to be had: the link is refused, others go on', () => {
  const at = host()
  const one = at.open('exec:80x24:/bin/shout')
  at.rig.settle()
  inProcess(at.rig, () => c.unlink('/dev/ptmx'))
  const refused = at.open('exec:80x24:/bin/shout')
  one.write('a\r')
  at.rig.settle()
  expect(one.log.join('')).toBe('a\r\nA\r\n')
  expect(refused.log).toEqual(['<close exec:80x24:/bin/shout: No such file or directory>'])
})

test.each<readonly [string, string]>([
  ['exec:80x24:/bin/none', 'No such file or directory'],
  ['exec:80x24:/bin/none/x', 'No such file or directory'],
  ['exec:80x24:/bin/shout/x', 'Not a directory'],
  ['exec:80x24:/bin', 'Permission denied'],
  ['exec:80x24:/bin/plain', 'Permission denied'],
  ['exec:80x24:/dev/tty', 'Permission denied'],
  [`exec:80x24:/${'x'.repeat(300)}`, 'File name too long'],
  ...[
    'exec:',
    'exec:80x24',
    'exec:80x24:',
    'exec:80x24:bin/shout',
    'exec:80x24:/',
    'exec:0x24:/bin/shout',
    'exec:80x0:/bin/shout',
    'exec:80x-1:/bin/shout',
    'exec:10000x24:/bin/shout',
    'exec: 80x24:/bin/shout',
    'exec:80X24:/bin/shout',
    'exec:80x24:/bin/shout\0',
    'exec:/bin/shout',
  ].map((to) => [to, 'Invalid argument'] as const),
  ['exec:80x24:/bin/shout quit', 'No such file or directory'],
  ['EXEC:80x24:/bin/shout', 'not a socket'],
])('%j is refused: %s', (to, reason) => {
  const at = host()
  const before = at.processes()
  const link = at.open(to)
  link.write('x')
  at.rig.settle()
  expect(link.log).toEqual([`<close ${to}: ${reason}>`])
  expect(at.processes()).toBe(before)
})

test('a file that is no program says so on the terminal', () => {
  const at = host()
  const link = at.open('exec:80x24:/bin/nonsense')
  at.rig.settle()
  expect(link.log).toEqual(['/bin/nonsense: Exec format error\r\n', '<end>'])
})
