import { describe, expect, test } from 'vitest'
import { type Mem, memOf } from '#abi/mem.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { VGA_TEXT_BYTES } from '#abi/pc/vga.ts'
import { EPERM } from '#abi/posix/errno.ts'
import * as io from '#abi/posix/ioctl.ts'
import { SIGINT } from '#abi/posix/signal.ts'
import { __HYPERVISOR_update_va_mapping, dom0_vga_console_info, start_info } from '#abi/xen/xen.ts'
import { cp437 } from '#lib/cp437.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { i8042 } from '#machine/devices/i8042/i8042.ts'
import { lab } from '#machine/devices/lab.ts'
import { vga } from '#machine/devices/vga/vga.ts'
import { type RigTask, TtyRig } from '#testing/tty-rig.ts'
import type { Task } from '../../sched/task.ts'
import { ttysOf } from '../../tty/core.ts'
import { i8042Init } from '../keyboard/i8042.ts'
import { vtConsoleInit } from './vt.ts'

const VGA_VA = -0xc00000 + 0x18000
const MS = 1_000_000

/** The kernel's drivers on the machine's chips. */
function build({ screen = true, cmdline = '' } = {}) {
  const bench = lab()
  const text = vga({ clock: bench.clock })
  let pending = false
  let interrupt: (() => void) | undefined
  const keys = i8042({
    clock: bench.clock,
    irq: (level) => {
      pending = level
    },
    reset: () => {},
  })
  const ports: PortIo = {
    in8: (port) =>
      port >= 0x3c0 && port < 0x3e0
        ? text.ports.read(port - 0x3c0)
        : port === 0x60 || port === 0x64
          ? keys.read(port - 0x60)
          : 0xff,
    in16: () => 0xffff,
    in32: () => 0xffffffff,
    out8(port, value) {
      if (port >= 0x3c0 && port < 0x3e0) text.ports.write(port - 0x3c0, value)
      else if (port === 0x60 || port === 0x64) keys.write(port - 0x60, value)
    },
    out16() {},
    out32() {},
  }
  const low = memOf(new Uint8Array(8192))
  start_info.write(low, 4096, { console_info_off: 1152, console_info_size: screen ? 36 : 0 })
  dom0_vga_console_info.write(low, 4096 + 1152, { video_type: 3, rows: 25, columns: 80, cursor_x: 4, cursor_y: 2 })
  let mapped = 0
  const mem = {
    ...low,
    copyOut(at: number, length: number) {
      if (at >= 0) return low.copyOut(at, length)
      return Uint8Array.from({ length }, (_, i) => text.read(at - VGA_VA + i, 1))
    },
    copyIn(at: number, bytes: Uint8Array) {
      if (at >= 0) low.copyIn(at, bytes)
      else for (const [i, byte] of bytes.entries()) text.write(at - VGA_VA + i, 1, byte)
    },
  } as Mem
  let booted = 0
  const rig = new TtyRig({
    mem,
    startInfo: 4096,
    cmdline,
    ctrlAltDel: () => {
      booted++
    },
    vcpu: {
      io: ports,
      hypercall(nr: number, va: number, entry: number) {
        expect(nr).toBe(__HYPERVISOR_update_va_mapping)
        expect(entry - (entry % 4096) - 0xb8000).toBe(va - VGA_VA)
        mapped += 4096
        return 0
      },
    } as never,
    irq: {
      requestPirq: (irq: number, name: string, handler: () => void) => {
        expect([irq, name]).toEqual([1, 'i8042'])
        interrupt = handler
      },
    } as never,
  })
  const threads: RigTask[] = []
  Object.assign(rig.kernel.sched, {
    kthread: (_name: string, body: Parameters<TtyRig['start']>[1]) => {
      const thread = rig.task(100 + threads.length, 0, { sid: 0, tty: undefined })
      threads.push(thread)
      return rig.start(thread, body) as unknown as Task
    },
  })
  /** Time passes, for the chips and for the kernel. */
  const run = (ns: number): void => {
    for (let at = 0; at < ns; at += MS) {
      bench.run(MS)
      while (pending && interrupt) interrupt()
      rig.run()
      rig.advance(MS)
    }
  }
  for (const [i, byte] of bytesOfString('Xen').entries()) text.write(2 * i, 1, byte)
  vtConsoleInit(rig.kernel)
  ttysOf(rig.kernel).vts?.register()
  rig.now(rig.current, i8042Init(rig.kernel))
  run(20 * MS)
  const task = rig.task(10, 10, { sid: 10, tty: undefined })
  const shown = (): string[] => {
    const { cells, columns } = text.screen()
    const rows: string[] = []
    for (let at = 0; at < cells.length; at += columns * 2) {
      let line = ''
      for (let i = 0; i < columns; i++) line += cp437(cells[at + 2 * i]!)
      rows.push(line.trimEnd())
    }
    return rows
  }
  return {
    rig,
    text,
    task,
    run,
    shown,
    mapped: () => mapped,
    booted: () => booted,
    open: (number: number, by = task) => rig.open(by, 0x400 + number),
    write: (file: ReturnType<TtyRig['open']>, what: string) =>
      rig.start(task, () => file.ops.write!(file, bytesOfString(what), 0)),
    press(...codes: readonly number[]) {
      keys.type(codes)
      run((codes.length + 2) * 2 * MS)
    },
    leds: () => keys.state.keyboard.leds,
    ioctl: (file: ReturnType<TtyRig['open']>, request: number, arg: number | Uint8Array = 0, by = task) =>
      rig.start(by, () => file.ops.ioctl!(file, request, arg)).result,
  }
}

describe('the screen', () => {
  test('is taken over with what stands on it, below the cursor it is cleared', () => {
    const { rig, text, shown, mapped } = build()
    expect(mapped()).toBe(VGA_TEXT_BYTES)
    expect(rig.log).toContain('Console: colour VGA+ 80x25\n')
    expect(shown()[0]).toBe('Xen')
    expect(text.screen().cursor).toEqual({ row: 2, column: 4, visible: true })
    expect(rig.consoleDevice).toBe(0x400)
  })

  test('without one there are no virtual terminals', () => {
    const { rig } = build({ screen: false })
    expect(rig.log).toBe('Console: colour dummy device 80x25\n')
    expect(ttysOf(rig.kernel).drivers).toEqual([])
  })

  test('a program writes, the cursor follows', () => {
    const { text, shown, open, write } = build()
    write(open(1), '\x1b[H\x1b[2Jhello\n\x1b[31mred')
    expect(shown().slice(0, 2)).toEqual(['hello', 'red'])
    expect(text.screen().cells[161]).toBe(0x04)
    expect(text.screen().cursor).toEqual({ row: 1, column: 3, visible: true })
  })

  test('scrolling moves the origin; at the end of its memory it begins anew', () => {
    const { text, shown, open, write } = build()
    const file = open(1)
    for (let i = 0; i < 400; i++) write(file, `line ${i}\n`)
    expect(shown().slice(0, 24)).toEqual(Array.from({ length: 24 }, (_, i) => `line ${376 + i}`))
    expect(text.screen().cursor).toEqual({ row: 24, column: 0, visible: true })
  })

  test('the cursor is hidden and shaped', () => {
    const { text, open, write } = build()
    const file = open(1)
    write(file, '\x1b[?25l')
    expect(text.screen().cursor.visible).toBe(false)
    write(file, '\x1b[?25h')
    expect(text.screen().cursor.visible).toBe(true)
    write(file, '\x1b[?1c')
    expect(text.screen().cursor.visible).toBe(false)
  })

  test('its size is known', () => {
    const { open, ioctl } = build()
    expect(ioctl(open(1), io.TIOCGWINSZ)).toEqual(Uint8Array.of(25, 0, 80, 0, 0, 0, 0, 0))
  })
})

describe('several of them', () => {
  test('Alt-F2 shows the second, Alt-Left the first again', () => {
    const { shown, open, write, press } = build()
    write(open(1), '\x1b[H\x1b[2Jone')
    write(open(2), 'two')
    expect(shown()[0]).toBe('one')
    press(0x38, 0x3c, 0xbc, 0xb8)
    expect(shown()[0]).toBe('two')
    press(0x38, 0xe0, 0x4b, 0xe0, 0xcb, 0xb8)
    expect(shown()[0]).toBe('one')
  })

  test('not to one that nobody has opened', () => {
    const { rig, press } = build()
    press(0x38, 0x3d, 0xbd, 0xb8)
    expect(ttysOf(rig.kernel).vts!.front).toBe(0)
  })

  test('VT_ACTIVATE makes it; VT_GETSTATE tells', () => {
    const { open, ioctl, rig } = build()
    const file = open(1)
    expect(ioctl(file, io.VT_ACTIVATE, 4)).toBe(0)
    expect(ioctl(file, io.VT_GETSTATE)).toEqual(Uint8Array.of(4, 0, 0, 0, 3, 0))
    expect(ioctl(file, io.VT_WAITACTIVE, 4)).toBe(0)
    const user = rig.task(20, 20, { sid: 20, tty: undefined })
    user.cred.euid = 500
    expect(ioctl(file, io.VT_ACTIVATE, 1, user)).toBe(-EPERM)
  })

  test('/dev/tty0 is the one in front', () => {
    const { open, press, rig } = build()
    open(1)
    open(2)
    press(0x38, 0x3c, 0xbc, 0xb8)
    open(0)
    expect(ttysOf(rig.kernel).peek(0x402)!.opens.size).toBe(2)
  })

  test('consoletype’s question', () => {
    const { open, ioctl } = build()
    expect(ioctl(open(1), io.KDGETMODE)).toEqual(Uint8Array.of(0))
    expect(ioctl(open(1), io.KDGKBTYPE)).toEqual(Uint8Array.of(2))
  })
})

describe('the keyboard', () => {
  const A = [0x1e, 0x9e]
  test.each<[string, number[], string]>([
    ['a letter', A, 'a'],
    ['shifted', [0x2a, ...A, 0xaa], 'A'],
    ['caps lock', [0x3a, 0xba, ...A, 0x02, 0x82], 'A1'],
    ['caps lock and shift', [0x3a, 0xba, 0x36, ...A, 0xb6], 'a'],
    ['control', [0x1d, ...A, 0x9d], '\x01'],
    ['control 2 and 8', [0x1d, 0x03, 0x83, 0x09, 0x89, 0x9d], '\0\x7f'],
    ['alt is escape', [0x38, ...A, 0xb8], '\x1ba'],
    ['punctuation', [0x0c, 0x8c, 0x2a, 0x0c, 0x8c, 0xaa, 0x2b, 0xab], '-_\\'],
    ['enter, escape, tab, backspace', [0x1c, 0x9c, 0x01, 0x81, 0x0f, 0x8f, 0x0e, 0x8e], '\r\x1b\t\x7f'],
    ['F1, F5, F6, F12', [0x3b, 0xbb, 0x3f, 0xbf, 0x40, 0xc0, 0x58, 0xd8], '\x1b[[A\x1b[[E\x1b[17~\x1b[24~'],
    ['shift F1', [0x2a, 0x3b, 0xbb, 0xaa], '\x1b[25~'],
    ['up, left', [0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x4b, 0xe0, 0xcb], '\x1b[A\x1b[D'],
    ['home, insert, page down', [0xe0, 0x47, 0xe0, 0x52, 0xe0, 0x51], '\x1b[1~\x1b[2~\x1b[6~'],
    ['keypad without num lock', [0x48, 0xc8, 0x47, 0xc7], '\x1b[A\x1b[1~'],
    ['keypad with it', [0x45, 0xc5, 0x48, 0xc8, 0x53, 0xd3], '8.'],
    ['keypad’s enter and slash', [0xe0, 0x1c, 0xe0, 0x9c, 0xe0, 0x35, 0xe0, 0xb5], '\r/'],
    ['repeats come from the keyboard', [0x1e, 0x1e, 0x1e, 0x9e], 'aaa'],
    ['pretended shifts', [0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xaa, ...A], '\x1b[Aa'],
    ['pause', [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], '\x1b[P\x1b[P'],
    ['alt and a number', [0x38, 0x4d, 0xcd, 0x4c, 0xcc, 0xb8], 'A'],
    ['unknown keys', [0x55, 0xd5, 0x7f], ''],
  ])('%s', (_name, codes, expected) => {
    const { rig, open, press } = build()
    open(1)
    const tty = ttysOf(rig.kernel).byNumber(0x401)
    tty.setTermios({ ...tty.termios, iflag: 0, lflag: 0, cc: tty.termios.cc.slice() })
    press(...codes)
    const got = tty.ldisc.inputAvailable(0) ? byteString(tty.take(100)) : ''
    expect(got).toBe(expected)
  })

  test('cursor keys in application mode', () => {
    const { rig, open, write, press } = build()
    write(open(1), '\x1b[?1h\x1b=')
    const tty = ttysOf(rig.kernel).byNumber(0x401)
    tty.setTermios({ ...tty.termios, iflag: 0, lflag: 0, cc: tty.termios.cc.slice() })
    press(0xe0, 0x48, 0x4c)
    expect(byteString(tty.take(100))).toBe('\x1bOA\x1bOu')
  })

  test('finds itself and keeps the LEDs', () => {
    const { rig, press, leds } = build()
    expect(rig.log).toContain('serio: i8042 KBD port at 0x60,0x64 irq 1\n')
    expect(rig.log).toContain('input: AT Translated Set 2 keyboard as /class/input/input0\n')
    press(0x3a, 0xba)
    expect(leds()).toBe(4)
    press(0x45, 0xc5, 0x3a, 0xba)
    expect(leds()).toBe(2)
  })

  test('^C reaches the foreground, and a line a reader', () => {
    const { rig, task, open, press } = build()
    const file = open(1)
    rig.start(task, function* () {
      return byteString(yield* file.ops.read!(file, 100, 0))
    })
    press(0x26, 0xa6, 0x1f, 0x9f, 0x1c, 0x9c)
    expect(task.result).toBe('ls\n')
    press(0x1d, 0x2e, 0xae, 0x9d)
    expect(task.signals).toEqual([SIGINT])
  })

  test('scroll lock holds the output', () => {
    const { open, write, press, shown } = build()
    const file = open(1)
    write(file, '\x1b[H\x1b[2J')
    press(0x46, 0xc6)
    write(file, 'held')
    expect(shown()[0]).toBe('')
    press(0x46, 0xc6)
    expect(shown()[0]).toBe('held')
  })

  test('Control-Alt-Del', () => {
    const { press, booted } = build()
    press(0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d)
    expect(booted()).toBe(1)
  })

  test('answers to queries are typed', () => {
    const { rig, open, write } = build()
    const file = open(1)
    const tty = ttysOf(rig.kernel).byNumber(0x401)
    tty.setTermios({ ...tty.termios, iflag: 0, lflag: 0, cc: tty.termios.cc.slice() })
    write(file, '\x1b[3;4H\x1b[6n')
    expect(byteString(tty.take(100))).toBe('\x1b[3;4R')
  })
})
