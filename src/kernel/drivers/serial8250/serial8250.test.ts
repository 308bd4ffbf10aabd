import { describe, expect, test } from 'vitest'
import type { PortIo } from '#abi/pc/metal.ts'
import { ENODEV } from '#abi/posix/errno.ts'
import { SIGHUP } from '#abi/posix/signal.ts'
import { B57600, CLOCAL, CREAD, CRTSCTS, CS8 } from '#abi/posix/termios.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { lab } from '#machine/devices/lab.ts'
import { uart16550 } from '#machine/devices/uart16550/uart16550.ts'
import { TtyRig } from '#testing/tty-rig.ts'
import { ttysOf } from '../../tty/core.ts'
import { serial8250Init, serialConsoleInit } from './serial8250.ts'

const MS = 1_000_000
const TTYS1 = (4 << 8) | 65

/** The driver on the machine's chip at 0x2f8; the other ports read all ones. */
function build(cmdline = '') {
  const bench = lab()
  let pending = false
  let interrupt: (() => void) | undefined
  let sent = ''
  const chip = uart16550({
    clock: bench.clock,
    irq: (level) => {
      pending = level
    },
    transmit: (byte) => {
      sent += String.fromCharCode(byte)
    },
  })
  const mine = (port: number): boolean => port >= 0x2f8 && port < 0x300
  const io: PortIo = {
    in8(port) {
      if (!mine(port)) return 0xff
      // Each look takes its time, as a port does.
      bench.run(1000)
      return chip.read(port - 0x2f8)
    },
    in16: () => 0xffff,
    in32: () => 0xffffffff,
    out8(port, value) {
      if (mine(port)) chip.write(port - 0x2f8, value)
    },
    out16() {},
    out32() {},
  }
  let console: ((text: string) => void) | undefined
  const rig = new TtyRig({
    cmdline,
    vcpu: { io } as never,
    irq: {
      requestPirq: (irq: number, name: string, handler: () => void) => {
        expect([irq, name]).toEqual([3, 'serial'])
        interrupt = handler
      },
      freePirq: () => {
        interrupt = undefined
      },
    } as never,
  })
  const { log } = rig.kernel
  Object.assign(log, {
    registerConsole: ({ name, index, write }: { name: string; index: number; write: (text: string) => void }) => {
      expect([name, index]).toEqual(['ttyS', 1])
      console = write
    },
  })
  const run = (ns: number): void => {
    for (let at = 0; at < ns; at += MS / 10) {
      bench.run(MS / 10)
      for (let i = 0; pending && interrupt && i < 10; i++) interrupt()
      rig.run()
    }
  }
  serialConsoleInit(rig.kernel)
  rig.now(rig.current, serial8250Init(rig.kernel))
  const task = rig.task(10, 10, { sid: 10, tty: undefined })
  const tty = () => ttysOf(rig.kernel).byNumber(TTYS1)
  const open = () => {
    const port = tty()
    port.setTermios({ ...port.termios, cflag: port.termios.cflag | CLOCAL, cc: port.termios.cc.slice() })
    return rig.open(task, TTYS1)
  }
  return {
    rig,
    chip,
    task,
    tty,
    open,
    run,
    sent: () => sent,
    console: () => console,
    pending: () => interrupt !== undefined,
  }
}

test('finds what answers, and only that', () => {
  const { rig } = build()
  expect(rig.log).toBe(
    'Serial: 8250/16550 driver $Revision: 1.90 $ 4 ports, IRQ sharing disabled\n'.replace(/^/, '<6>') +
      '<6>serial8250: ttyS1 at I/O 0x2f8 (irq = 3) is a 16550A\n',
  )
  const task = rig.task(5, 5, { sid: 5, tty: undefined })
  expect(() => rig.open(task, (4 << 8) | 64)).toThrow(expect.objectContaining({ errno: ENODEV }))
})

test('what is written goes out by interrupts, at the line’s speed', () => {
  const { rig, task, open, run, sent } = build()
  const file = open()
  const text = 'a line of text\n'.repeat(8)
  rig.start(task, () => file.ops.write!(file, bytesOfString(text), 0))
  expect(task.result).toBe(120)
  run(60 * MS)
  expect(sent().length).toBeLessThan(70)
  run(100 * MS)
  expect(sent()).toBe(text.replace(/\n/g, '\r\n'))
})

test('a line comes in, is echoed and read', () => {
  const { rig, chip, task, open, run, sent } = build()
  const file = open()
  rig.start(task, function* () {
    return byteString(yield* file.ops.read!(file, 100, 0))
  })
  chip.receive([...bytesOfString('hello there\r')])
  run(50 * MS)
  expect([task.result, sent()]).toEqual(['hello there\n', 'hello there\r\n'])
})

test('a writer sleeps while four kilobytes are on their way', () => {
  const { rig, task, tty, open, run, sent } = build()
  const file = open()
  const port = tty()
  port.setTermios({ ...port.termios, cflag: B57600 | CS8 | CREAD | CLOCAL, cc: port.termios.cc.slice() })
  rig.start(task, () => file.ops.write!(file, new Uint8Array(6000).fill(0x78), 0))
  expect(task.done).toBe(false)
  run(1200 * MS)
  expect([task.result, sent().length]).toEqual([6000, 6000])
})

test('^S is obeyed', () => {
  const { rig, chip, task, open, run, sent } = build()
  const file = open()
  chip.receive([0x13])
  run(10 * MS)
  rig.start(task, () => file.ops.write!(file, bytesOfString('held'), 0))
  run(10 * MS)
  expect(sent()).toBe('')
  chip.receive([0x11])
  run(20 * MS)
  expect(sent()).toBe('held')
})

describe('the modem’s lines', () => {
  test('TIOCMGET and TIOCMBIC', () => {
    const { rig, chip, task, open } = build()
    const file = open()
    const call = (request: number, arg: number | Uint8Array) =>
      rig.start(task, () => file.ops.ioctl!(file, request, arg)).result
    expect((call(0x5415, 0) as Uint8Array)[0]! & 6).toBe(6)
    expect(call(0x5417, Uint8Array.of(2, 0, 0, 0))).toBe(0)
    expect(chip.state.mcr & 3).toBe(2)
  })

  test('B0 drops them', () => {
    const { chip, tty, open } = build()
    open()
    const port = tty()
    port.setTermios({ ...port.termios, cflag: port.termios.cflag & ~0o10017, cc: port.termios.cc.slice() })
    expect(chip.state.mcr & 3).toBe(0)
  })

  test('RTS holds the other side while nobody reads', () => {
    const { rig, chip, task, tty, open, run } = build()
    const file = open()
    const port = tty()
    port.setTermios({
      ...port.termios,
      cflag: B57600 | CS8 | CREAD | CLOCAL | CRTSCTS,
      lflag: 0,
      cc: port.termios.cc.slice(),
    })
    chip.receive([...new Uint8Array(6000).fill(0x61)])
    run(2000 * MS)
    expect(chip.state.mcr & 2).toBe(0)
    let total = 0
    for (let i = 0; i < 20; i++) {
      rig.start(task, function* () {
        return (yield* file.ops.read!(file, 8192, 0)).length
      })
      total += task.result as number
      run(100 * MS)
      if (total === 6000) break
    }
    expect(total).toBe(6000)
  })
})

test('the last close gives the interrupt back', () => {
  const { rig, task, open, pending } = build()
  const file = open()
  expect(pending()).toBe(true)
  rig.start(task, () => file.ops.release!(file))
  expect(pending()).toBe(false)
})

test('a hangup does so too', () => {
  const { rig, task, tty, open, pending } = build()
  const file = open()
  tty().vhangup()
  expect([pending(), task.signals[0]]).toEqual([false, SIGHUP])
  rig.start(task, () => file.ops.write!(file, Uint8Array.of(1), 0))
  expect(task.result).toBe(-5)
})

describe('as console', () => {
  test('console=ttyS1,115200n8', () => {
    const { tty, chip, console, sent, run } = build('root=/dev/hda1 console=ttyS1,115200n8')
    console()!('hi\n')
    run(5 * MS)
    expect(sent()).toBe('hi\r\n')
    expect(tty().termios.cflag & 0o10017).toBe(0o10002)
    expect(chip.state.mcr).toBeDefined()
  })

  test.each(['', 'console=tty0', 'console=ttyS0', 'console=ttyS9'])('not with %s', (cmdline) => {
    expect(build(cmdline).console()).toBe(undefined)
  })
})
