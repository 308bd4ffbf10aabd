/** The serial terminal against a chip that takes its time. */
import { describe, expect, test } from 'vitest'
import type { Exit, Metal } from '#abi/pc/metal.ts'
import { COM1_BASE, COM2_BASE, UART_LSR } from '#abi/pc/uart16550.ts'
import { Serial } from './serial.ts'

const BYTE_NS = 86806 // ten bits at 115200 baud
const SETTINGS = { port: COM1_BASE, speed: 115200, word: 8, parity: 'no', stop: 1 } as const

/** A line whose transmitter is busy for `busyNs` after each byte; `input` arrives at its times. */
function bench(busyNs: number, input: readonly { readonly at: number; readonly byte: number }[] = []) {
  const sent: number[] = []
  const waiting = [...input]
  const ports = new Map<number, number>()
  let now = 0
  let readyAt = 0
  const io = {
    in8(port: number): number {
      const arrived = waiting[0] !== undefined && waiting[0].at <= now
      if ((port & 7) === UART_LSR) return (now >= readyAt ? 0x20 : 0) | (arrived ? 1 : 0)
      return waiting.shift()!.byte
    },
    out8(port: number, value: number): void {
      ports.set(port, value)
      if (port !== COM1_BASE) return
      sent.push(value)
      readyAt = now + busyNs
    },
  }
  const bda = new Map([[0x402, COM2_BASE]])
  const mem = { read16: (at: number) => bda.get(at) ?? 0 }
  const metal = { io, mem, now: () => now } as unknown as Metal
  const serial = new Serial(metal)
  const run = <T>(steps: Iterable<Exit>): { value: T; pauses: Exit[] } => {
    const pauses: Exit[] = []
    const iterator = steps[Symbol.iterator]() as Iterator<Exit, T>
    for (let step = iterator.next(); ; step = iterator.next()) {
      if (step.done) return { value: step.value, pauses }
      pauses.push(step.value)
      if (step.value.kind !== 'pause') throw new Error('only pauses here')
      const until = step.value.untilNs
      now = Number.isFinite(until) ? Math.min(until, waiting[0]?.at ?? until) : waiting[0]!.at
    }
  }
  expect(serial.setUp(SETTINGS)).toBe(true)
  sent.length = 0
  readyAt = 0
  return { serial, sent, run, time: () => now, ports }
}

describe('output', () => {
  test('waits for the transmitter, a byte time at a time, and not for a person', () => {
    const { serial, sent, run, time } = bench(BYTE_NS)
    const all: Exit[] = []
    for (const byte of [65, 66, 67]) all.push(...run(serial.put(byte)).pauses)
    expect(sent).toEqual([65, 66, 67])
    expect(all).toHaveLength(2)
    expect(all.every((pause) => pause.kind === 'pause' && !pause.forInput)).toBe(true)
    expect(time()).toBe(2 * BYTE_NS)
  })
  test('gives a byte up when the transmitter never empties', () => {
    const { serial, sent, run, time } = bench(1e15)
    run(serial.put(65))
    run(serial.put(66))
    expect(sent).toEqual([65])
    expect(time()).toBeLessThan(1e9)
  })
  test('breaks the line before its last column, and counts where it is', () => {
    const { serial, sent, run } = bench(0)
    for (let i = 0; i < 80; i++) run(serial.put(120))
    expect(sent.slice(78)).toEqual([120, 13, 10, 120])
    expect([serial.column(), serial.row()]).toEqual([1, 1])
  })
  test('takes what is typed meanwhile', () => {
    const typed = Array.from({ length: 40 }, (_, i) => ({ at: 1 + i * 1000, byte: 48 + (i % 10) }))
    const { serial, run } = bench(BYTE_NS, typed)
    for (let i = 0; i < 10; i++) run(serial.put(65))
    const heard = Array.from({ length: 40 }, () => run<number>(serial.key()).value)
    expect(heard).toEqual(typed.map(({ byte }) => byte))
  })
})

describe('keys', () => {
  const bytes = (text: string, gapNs = BYTE_NS): { at: number; byte: number }[] =>
    [...text].map((c, i) => ({ at: 1000 + i * gapNs, byte: c.charCodeAt(0) }))
  const rows: [string, string, number[]][] = [
    ['plain', 'ab', [97, 98]],
    ['arrows', '\x1b[A\x1b[B\x1b[C\x1b[D', [16, 14, 6, 2]],
    ['home and end', '\x1b[H\x1b[F\x1b[1~\x1b[8~', [1, 5, 1, 5]],
    ['delete, page up, page down', '\x1b[3~\x1b[5~\x1b[6~', [4, 7, 3]],
    ['DEL is backspace', '\x7f\b', [8, 8]],
    ['a sequence that is none comes byte by byte', '\x1b[Z', [27, 91, 90]],
    ['Esc and a letter', '\x1bx', [27, 120]],
  ]
  test.each(rows)('%s', (_, text, keys) => {
    const { serial, run } = bench(0, bytes(text))
    expect(keys.map(() => run<number>(serial.key()).value)).toEqual(keys)
    expect(serial.hasKey()).toBe(false)
  })
  test('Esc alone is known after a moment without more', () => {
    const { serial, run, time } = bench(0, bytes('\x1b'))
    const { value, pauses } = run<number>(serial.key())
    expect(value).toBe(27)
    expect(pauses.map((pause) => pause.kind === 'pause' && pause.forInput)).toEqual([true, false])
    expect(time()).toBeLessThan(1e9)
  })
  test('slow bytes are no sequence', () => {
    const { serial, run } = bench(0, bytes('\x1b[A', 1e9))
    expect([1, 2, 3].map(() => run<number>(serial.key()).value)).toEqual([27, 91, 65])
  })
})

describe('set-up', () => {
  test('ports come from the BIOS data area, else they are the usual ones', () => {
    const { serial } = bench(0)
    expect([0, 1, 2, 3].map((unit) => serial.portOf(unit))).toEqual([0x3f8, 0x2f8, 0x3e8, 0x2e8])
  })
  test.each([
    [2400, 48],
    [9600, 12],
    [57600, 2],
    [115200, 1],
  ])('%i baud: divisor %i', (speed, divisor) => {
    const { serial, ports } = bench(0)
    serial.setUp({ ...SETTINGS, port: COM2_BASE, speed })
    expect([ports.get(COM2_BASE), ports.get(COM2_BASE + 1)]).toEqual([divisor, 0])
    expect(ports.get(COM2_BASE + 3)).toBe(0x03)
  })
  test('a speed without a divisor', () => {
    expect(bench(0).serial.setUp({ ...SETTINGS, speed: 1200 })).toBe(false)
  })
})
