import { describe, expect, test } from 'vitest'
import { EAGAIN, EINTR, EINVAL, EIO, ENOTTY, ENXIO, EPERM } from '#abi/posix/errno.ts'
import { O_NOCTTY, O_NONBLOCK } from '#abi/posix/fcntl.ts'
import * as io from '#abi/posix/ioctl.ts'
import { POLLHUP, POLLIN, POLLOUT } from '#abi/posix/poll.ts'
import { SIG_IGN, SIGCONT, SIGHUP, SIGINT, SIGTTIN, SIGTTOU, SIGWINCH, sigmask } from '#abi/posix/signal.ts'
import { ICANON, TOSTOP, VMIN, VTIME } from '#abi/posix/termios.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { type RigTask, TEST_DEV, TtyRig, testDriver } from '#testing/tty-rig.ts'
import { Errno } from '../errno.ts'
import type { File } from '../vfs/file.ts'
import { ttysOf } from './core.ts'
import { termiosBytes } from './termios.ts'

const SECOND = 1_000_000_000

/** A session leader at its terminal, and a child of it in a group of its own. */
function build() {
  const rig = new TtyRig()
  const port = testDriver(rig)
  const leader = rig.task(10, 10, { sid: 10, tty: undefined })
  const file = rig.open(leader, TEST_DEV)
  const tty = ttysOf(rig.kernel).byNumber(TEST_DEV)
  const child = rig.task(11, 11, leader.session)
  const read = (task: RigTask, count = 100, from: File = file) =>
    rig.start(task, function* () {
      return byteString(yield* from.ops.read!(from, count, 0))
    })
  const write = (task: RigTask, text: string, to: File = file) =>
    rig.start(task, () => to.ops.write!(to, bytesOfString(text), 0))
  const ioctl = (task: RigTask, request: number, arg: number | Uint8Array = 0, on: File = file) =>
    rig.start(task, () => on.ops.ioctl!(on, request, arg)).result
  const set = (change: (termios: typeof tty.termios) => void): void => {
    const next = { ...tty.termios, cc: tty.termios.cc.slice() }
    change(next)
    tty.setTermios(next)
  }
  const input = (text: string): void => {
    port.input(text)
    rig.run()
  }
  return { rig, port, tty, leader, child, file, read, write, ioctl, set, input }
}

const raw = (min: number, time: number) => (termios: { lflag: number; cc: Uint8Array }) => {
  termios.lflag &= ~ICANON
  termios.cc[VMIN] = min
  termios.cc[VTIME] = time
}

describe('open', () => {
  test('a session leader without a terminal gets it', () => {
    const { tty, leader } = build()
    expect([tty.session, tty.pgrp, leader.session.tty]).toEqual([10, 10, tty])
  })

  test.each([
    ['O_NOCTTY', O_NOCTTY, 20],
    ['no leader', 0, 21],
  ])('not so: %s', (_name, flags, pid) => {
    const rig = new TtyRig()
    testDriver(rig)
    const task = rig.task(pid, pid, { sid: 20, tty: undefined })
    rig.open(task, TEST_DEV, 2 | flags)
    expect(task.session.tty).toBe(undefined)
  })

  test('not a second session’s', () => {
    const { rig, tty } = build()
    const other = rig.task(30, 30, { sid: 30, tty: undefined })
    rig.open(other, TEST_DEV)
    expect([tty.session, other.session.tty]).toEqual([10, undefined])
  })

  test('/dev/tty is one’s own', () => {
    const { rig, leader, input, read } = build()
    const own = rig.open(leader, 0x500)
    read(leader, 10, own)
    input('x\n')
    expect(leader.result).toBe('x\n')
    const stranger = rig.task(40, 40, { sid: 40, tty: undefined })
    expect(() => rig.open(stranger, 0x500)).toThrow(expect.objectContaining({ errno: ENXIO }))
  })

  test('/dev/console is what the log prints to, and never a controlling terminal', () => {
    const { rig, port, write, tty } = build()
    rig.consoleDevice = TEST_DEV
    const task = rig.task(50, 50, { sid: 50, tty: undefined })
    tty.clearSession()
    const file = rig.open(task, 0x501)
    expect(task.session.tty).toBe(undefined)
    write(task, 'hello\n', file)
    expect(port.sent).toBe('hello\r\n')
  })

  test('exclusive use is for all but root', () => {
    const { rig, ioctl, leader } = build()
    ioctl(leader, io.TIOCEXCL)
    const user = rig.task(60, 60, { sid: 60, tty: undefined })
    user.cred.euid = 500
    expect(() => rig.open(user, TEST_DEV)).toThrow(Errno)
  })

  test('memory is charged while it is open', () => {
    const { rig, file } = build()
    expect(rig.charged).toBeGreaterThan(0)
    rig.now(rig.current, file.ops.release!(file))
    expect(rig.charged).toBe(0)
  })
})

describe('read', () => {
  test('sleeps until the line is complete', () => {
    const { leader, read, input, port } = build()
    read(leader)
    input('ls')
    expect(leader.done).toBe(false)
    input('\r')
    expect(leader.result).toBe('ls\n')
    expect(port.sent).toBe('ls\r\n')
  })

  test('end of file', () => {
    const { leader, read, input } = build()
    read(leader)
    input('\x04')
    expect(leader.result).toBe('')
  })

  test('a pushed line whose bytes were all read is no end of file', () => {
    const { leader, read, input } = build()
    input('abc\x04')
    expect(read(leader, 3).result).toBe('abc')
    read(leader, 3)
    expect(leader.done).toBe(false)
    input('d\n')
    expect(leader.result).toBe('d\n')
  })

  test('^C ends it with EINTR', () => {
    const { leader, read, input } = build()
    read(leader)
    input('a\x03')
    expect([leader.result, leader.signals]).toEqual([-EINTR, [SIGINT]])
  })

  test('O_NONBLOCK: EAGAIN', () => {
    const { leader, read, file } = build()
    file.flags |= O_NONBLOCK
    expect(read(leader).result).toBe(-EAGAIN)
  })

  test.each<[string, number, number, [number, string][], string]>([
    ['VMIN 1 VTIME 0: the first byte', 1, 0, [[0, 'a']], 'a'],
    [
      'VMIN 3 VTIME 0: three',
      3,
      0,
      [
        [0, 'a'],
        [9e9, 'b'],
        [1e9, 'cd'],
      ],
      'abcd',
    ],
    ['VMIN 0 VTIME 0: at once', 0, 0, [], ''],
    ['VMIN 0 VTIME 5: nothing in half a second', 0, 5, [[5e8, '']], ''],
    ['VMIN 0 VTIME 5: something in time', 0, 5, [[4e8, 'a']], 'a'],
    [
      'VMIN 3 VTIME 2: between bytes',
      3,
      2,
      [
        [5e9, 'a'],
        [1e8, 'b'],
        [2e8, ''],
      ],
      'ab',
    ],
  ])('%s', (_name, min, time, script, expected) => {
    const { rig, leader, read, input, set } = build()
    set(raw(min, time))
    read(leader)
    for (const [ns, text] of script) {
      rig.advance(ns)
      if (text) input(text)
    }
    expect(leader.result).toBe(expected)
  })

  test('leaving canonical mode sets free what was typed', () => {
    const { rig, leader, read, input, set } = build()
    read(leader)
    input('abc')
    set(raw(1, 0))
    rig.run()
    expect(leader.result).toBe('abc')
  })

  test('what has no room waits and comes after', () => {
    const { rig, leader, read, input, port } = build()
    input('x'.repeat(4000) + '\n' + 'y'.repeat(5000) + '\n')
    expect(port.calls).toBe('throttle ')
    expect((read(leader, 8000).result as string).length).toBe(4001)
    expect(port.calls).toBe('throttle ')
    expect((read(leader, 8000).result as string).length).toBe(4096)
    rig.run()
    expect(port.calls).toBe('throttle unthrottle ')
  })
})

describe('write', () => {
  test('4 KiB in one call of the driver', () => {
    const { leader, write, port } = build()
    write(leader, 'line\n'.repeat(819))
    expect([leader.result, port.writes]).toEqual([4095, 1])
  })

  test('sleeps when the driver is full, goes on when it is woken', () => {
    const { rig, tty, leader, write, port } = build()
    port.room = 4
    write(leader, 'ab\ncd')
    expect([leader.done, port.sent]).toEqual([false, 'ab\r\n'])
    port.room = 10
    tty.wakeWriters()
    rig.run()
    expect([leader.result, port.sent]).toEqual([5, 'ab\r\ncd'])
  })

  test('a second writer waits for the first', () => {
    const { rig, tty, leader, child, write, port } = build()
    port.room = 2
    write(leader, 'aaaa')
    write(child, 'bbbb')
    port.room = 100
    tty.wakeWriters()
    rig.run()
    expect(port.sent).toBe('aaaabbbb')
  })

  test('^S holds it, ^Q lets it go', () => {
    const { leader, write, input, port } = build()
    input('\x13')
    write(leader, 'abc')
    expect(port.sent).toBe('')
    input('\x11')
    expect([leader.result, port.sent]).toEqual([3, 'abc'])
  })

  test('a signal ends it, with what was written', () => {
    const { leader, write, input, port } = build()
    port.room = 2
    write(leader, 'abcd')
    input('\x03')
    expect(leader.result).toBe(2)
    port.room = 0
    write(leader, 'abcd')
    input('\x03')
    expect(leader.result).toBe(-EINTR)
  })

  test('TOSTOP stops the background', () => {
    const { child, write, set, port } = build()
    expect(write(child, 'a').result).toBe(1)
    set((termios) => {
      termios.lflag |= TOSTOP
    })
    expect(write(child, 'b').result).toBe(-EINTR)
    expect([child.signals, port.sent]).toEqual([[SIGTTOU], 'a'])
  })
})

describe('job control', () => {
  test('the background is stopped when it reads', () => {
    const { child, read } = build()
    expect([read(child).result, child.signals]).toEqual([-EINTR, [SIGTTIN]])
  })

  test.each<[string, (task: RigTask, rig: TtyRig) => void]>([
    [
      'who blocks SIGTTIN',
      (task) => {
        task.blocked = sigmask(SIGTTIN)
      },
    ],
    ['who ignores it', (task) => task.actions.set(SIGTTIN, { handler: SIG_IGN, flags: 0, mask: 0 })],
    ['an orphaned group', (task, rig) => rig.orphans.add(task.pgid)],
  ])('%s gets EIO', (_name, change) => {
    const { rig, child, read } = build()
    change(child, rig)
    expect([read(child).result, child.signals]).toEqual([-EIO, []])
  })

  test('the leader puts a group in the foreground', () => {
    const { leader, child, tty, ioctl, read, input } = build()
    expect(ioctl(leader, io.TIOCSPGRP, 11)).toBe(0)
    expect(tty.pgrp).toBe(11)
    expect(ioctl(leader, io.TIOCGPGRP)).toEqual(Uint8Array.of(11, 0, 0, 0))
    read(child)
    input('\x03')
    expect([leader.signals, child.signals]).toEqual([[], [SIGINT]])
  })

  test.each<[string, number, number]>([
    ['no such group', 99, -EPERM],
    ['a group of another session', 70, -EPERM],
    ['nonsense', -1, -EINVAL],
  ])('not %s', (_name, pgrp, expected) => {
    const { rig, leader, ioctl } = build()
    rig.task(70, 70, { sid: 70, tty: undefined })
    expect(ioctl(leader, io.TIOCSPGRP, pgrp)).toBe(expected)
  })

  test('the background may not, unless it ignores SIGTTOU', () => {
    const { child, ioctl } = build()
    expect([ioctl(child, io.TIOCSPGRP, 11), child.signals]).toEqual([-EINTR, [SIGTTOU]])
    child.actions.set(SIGTTOU, { handler: SIG_IGN, flags: 0, mask: 0 })
    expect(ioctl(child, io.TIOCSPGRP, 11)).toBe(0)
  })

  test('a stranger is told that it is not his terminal', () => {
    const { rig, ioctl } = build()
    const stranger = rig.task(80, 80, { sid: 80, tty: undefined })
    expect([io.TIOCGPGRP, io.TIOCGSID, io.TIOCSPGRP, io.TIOCNOTTY].map((request) => ioctl(stranger, request))).toEqual([
      -ENOTTY,
      -ENOTTY,
      -ENOTTY,
      -ENOTTY,
    ])
  })

  test('TIOCSCTTY', () => {
    const { rig, leader, tty, ioctl } = build()
    const other = rig.task(90, 90, { sid: 90, tty: undefined })
    expect(ioctl(leader, io.TIOCSCTTY)).toBe(0)
    expect(ioctl(other, io.TIOCSCTTY)).toBe(-EPERM)
    expect(ioctl(other, io.TIOCSCTTY, 1)).toBe(0)
    expect([tty.session, leader.session.tty]).toEqual([90, undefined])
  })

  test('the leader that gives it up takes it from all', () => {
    const { leader, child, tty, ioctl } = build()
    expect(ioctl(leader, io.TIOCNOTTY)).toBe(0)
    expect([tty.session, leader.session.tty, child.session.tty]).toEqual([0, undefined, undefined])
    expect(leader.signals).toEqual([SIGHUP, SIGCONT])
  })

  test('another gives it up for itself', () => {
    const { leader, child, tty, ioctl } = build()
    tty.pgrp = 11
    expect(ioctl(child, io.TIOCNOTTY)).toBe(0)
    expect([tty.session, leader.session.tty, child.session.tty]).toEqual([10, tty, undefined])
  })
})

describe('hangup', () => {
  test('readers see the end, writers EIO, the group SIGHUP', () => {
    const { rig, child, tty, read, write, ioctl, file, port } = build()
    tty.pgrp = 11
    read(child)
    tty.hangup()
    rig.run()
    expect(child.result).toBe('')
    expect(child.signals).toEqual([SIGHUP, SIGCONT])
    expect(write(child, 'x').result).toBe(-EIO)
    expect(ioctl(child, io.TCGETS)).toBe(-EIO)
    expect(file.ops.poll!(file) & (POLLIN | POLLHUP)).toBe(POLLIN | POLLHUP)
    expect([tty.session, child.session.tty, port.calls]).toEqual([0, undefined, 'hangup '])
  })

  test('who has it as /dev/console keeps it', () => {
    const { rig, tty, leader, write, port } = build()
    rig.consoleDevice = TEST_DEV
    const file = rig.open(leader, 0x501)
    tty.hangup()
    expect(write(leader, 'still\n', file).result).toBe(6)
    expect(port.sent).toBe('still\r\n')
  })
})

describe('ioctl', () => {
  const cases: [string, number, number | Uint8Array, unknown][] = [
    ['TIOCGSID', io.TIOCGSID, 0, Uint8Array.of(10, 0, 0, 0)],
    ['TIOCOUTQ', io.TIOCOUTQ, 0, Uint8Array.of(0, 0, 0, 0)],
    ['TIOCGWINSZ', io.TIOCGWINSZ, 0, new Uint8Array(8)],
    ['TCFLSH of what', io.TCFLSH, 7, -EINVAL],
    ['TCXONC of what', io.TCXONC, 7, -EINVAL],
    ['TCSETS without a struct', io.TCSETS, 0, -EINVAL],
    ['unknown', 0x54ff, 0, -EINVAL],
    ['KDGETMODE is a virtual terminal’s', io.KDGETMODE, 0, -EINVAL],
  ]
  test.each(cases)('%s', (_name, request, arg, expected) => {
    const { leader, ioctl } = build()
    expect(ioctl(leader, request, arg)).toEqual(expected)
  })

  test('settings come back as they were set', () => {
    const { leader, tty, ioctl } = build()
    const bytes = ioctl(leader, io.TCGETS) as Uint8Array
    bytes[12] = bytes[12]! & ~8
    expect(ioctl(leader, io.TCSETSW, bytes)).toBe(0)
    expect(termiosBytes(tty.termios)).toEqual(bytes)
  })

  test('TCSETSF forgets what was typed', () => {
    const { leader, ioctl, input, read } = build()
    input('old\n')
    ioctl(leader, io.TCSETSF, ioctl(leader, io.TCGETS) as Uint8Array)
    read(leader)
    input('new\n')
    expect(leader.result).toBe('new\n')
  })

  test('a new size is told to the foreground', () => {
    const { leader, ioctl } = build()
    const size = Uint8Array.of(50, 0, 132, 0, 0, 0, 0, 0)
    expect(ioctl(leader, io.TIOCSWINSZ, size)).toBe(0)
    expect(ioctl(leader, io.TIOCGWINSZ)).toEqual(size)
    expect(leader.signals).toEqual([SIGWINCH])
    ioctl(leader, io.TIOCSWINSZ, size)
    expect(leader.signals).toEqual([SIGWINCH])
  })

  test('TIOCSTI types; a stranger may not', () => {
    const { rig, leader, ioctl, read } = build()
    for (const c of 'ok\n') ioctl(leader, io.TIOCSTI, Uint8Array.of(c.charCodeAt(0)))
    expect(read(leader).result).toBe('ok\n')
    const user = rig.task(61, 61, { sid: 61, tty: undefined })
    user.cred.euid = 500
    expect(ioctl(user, io.TIOCSTI, Uint8Array.of(65))).toBe(-EPERM)
  })

  test('a break lasts a quarter of a second', () => {
    const { rig, leader, ioctl, port } = build()
    ioctl(leader, io.TCSBRK, 0)
    expect(port.calls).toBe('break ')
    rig.advance(SECOND / 4)
    expect([leader.result, port.calls]).toEqual([0, 'break unbreak '])
  })

  test('XOFF and XON by tcflow', () => {
    const { leader, ioctl, port } = build()
    ioctl(leader, io.TCXONC, 2)
    ioctl(leader, io.TCXONC, 3)
    expect(port.calls).toBe('x19 x17 ')
  })
})

describe('poll', () => {
  test.each<[string, string, number, number]>([
    ['no line yet', 'ab', 100, POLLOUT],
    ['a line', 'ab\n', 100, POLLIN | POLLOUT],
    ['no room', '', 0, 0],
  ])('%s', (_name, typed, room, expected) => {
    const { file, input, port } = build()
    input(typed)
    port.room = room
    expect(file.ops.poll!(file)).toBe(expected)
  })
})
