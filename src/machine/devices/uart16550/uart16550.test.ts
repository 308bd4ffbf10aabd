import { describe, expect, test } from 'vitest'
import * as abi from '#abi/pc/uart16550.ts'
import { lab } from '../lab.ts'
import { uart16550 } from './uart16550.ts'

/** Ten bits at 115200 baud. */
const CHARACTER_NS = Math.round(1e10 / 115200)

function build({
  fifo = true,
  mcr = abi.UART_MCR_DTR | abi.UART_MCR_RTS | abi.UART_MCR_OUT2,
  ier = 0,
  divisor = 1,
} = {}) {
  const bench = lab()
  const irq = bench.line()
  const sent: { byte: number; atNs: number }[] = []
  const chip = uart16550({
    clock: bench.clock,
    irq,
    transmit: (byte) => sent.push({ byte, atNs: bench.clock.now() }),
  })
  chip.write(abi.UART_LCR, abi.UART_LCR_DLAB | abi.UART_LCR_8N1)
  chip.write(abi.UART_DLL, divisor & 0xff)
  chip.write(abi.UART_DLM, divisor >> 8)
  chip.write(abi.UART_LCR, abi.UART_LCR_8N1)
  if (fifo) chip.write(abi.UART_FCR, abi.UART_FCR_ENABLE | abi.UART_FCR_TRG14)
  chip.write(abi.UART_MCR, mcr)
  chip.write(abi.UART_IER, ier)
  const cause = (): number => chip.read(abi.UART_IIR) & 0x0f
  const drain = (): number[] => {
    const bytes: number[] = []
    while (chip.read(abi.UART_LSR) & abi.UART_LSR_DR) bytes.push(chip.read(abi.UART_RBR))
    return bytes
  }
  return { ...bench, chip, irq, sent, cause, drain }
}

describe('transmitter', () => {
  test('bytes leave one character time apart', () => {
    const { chip, sent, run } = build()
    for (const byte of [1, 2, 3]) chip.write(abi.UART_THR, byte)
    run(10 * CHARACTER_NS)
    expect(sent).toEqual([1, 2, 3].map((byte) => ({ byte, atNs: byte * CHARACTER_NS })))
  })

  test.each([
    [1, abi.UART_LCR_8N1, 86806],
    [12, abi.UART_LCR_8N1, 1041667],
    [1, 0x1f, 104167], // 8 bits, parity, two stop bits
    [0x180, abi.UART_LCR_8N1, 33333333],
  ])('divisor %i, line control %i: %i ns', (divisor, lcr, ns) => {
    const { chip, sent, run } = build({ divisor })
    chip.write(abi.UART_LCR, lcr)
    chip.write(abi.UART_THR, 0x55)
    run(ns - 1)
    expect(sent).toEqual([])
    run(1)
    expect(sent.length).toBe(1)
  })

  test('line status follows the time, for a processor that polls', () => {
    const { chip, poll } = build()
    const status = (): number => chip.read(abi.UART_LSR) & (abi.UART_LSR_THRE | abi.UART_LSR_TEMT)
    expect(status()).toBe(abi.UART_LSR_THRE | abi.UART_LSR_TEMT)
    chip.write(abi.UART_THR, 1)
    expect(status()).toBe(abi.UART_LSR_THRE)
    chip.write(abi.UART_THR, 2)
    expect(status()).toBe(0)
    expect(poll(CHARACTER_NS, status)).toBe(abi.UART_LSR_THRE)
    expect(poll(2 * CHARACTER_NS, status)).toBe(abi.UART_LSR_THRE | abi.UART_LSR_TEMT)
  })

  test('a full FIFO drops the newest, a full holding register is overwritten', () => {
    const { chip, sent, run } = build()
    for (let byte = 0; byte < 20; byte++) chip.write(abi.UART_THR, byte)
    run(100 * CHARACTER_NS)
    expect(sent.map(({ byte }) => byte)).toEqual(Array.from({ length: 17 }, (_, byte) => byte))
    const bare = build({ fifo: false })
    for (const byte of [1, 2, 3]) bare.chip.write(abi.UART_THR, byte)
    bare.run(10 * CHARACTER_NS)
    expect(bare.sent.map(({ byte }) => byte)).toEqual([1, 3])
  })

  test('clearing the FIFO leaves the byte in the shift register alone', () => {
    const { chip, sent, run } = build()
    for (const byte of [1, 2, 3]) chip.write(abi.UART_THR, byte)
    chip.write(abi.UART_FCR, abi.UART_FCR_ENABLE | abi.UART_FCR_CLTX)
    run(10 * CHARACTER_NS)
    expect(sent.map(({ byte }) => byte)).toEqual([1])
  })
})

describe('THRE interrupt', () => {
  test('comes at once when it is enabled with nothing to send, and again each time', () => {
    const { chip, irq, cause } = build()
    for (let i = 0; i < 2; i++) {
      chip.write(abi.UART_IER, abi.UART_IER_ETHREI)
      expect(irq.high()).toBe(true)
      expect(cause()).toBe(abi.UART_IIR_THR)
      expect(irq.high()).toBe(false)
      expect(cause()).toBe(abi.UART_IIR_NOINT)
      chip.write(abi.UART_IER, 0)
    }
  })

  test('comes when the FIFO runs empty, is taken back by a write', () => {
    const { chip, irq, run, cause } = build({ ier: abi.UART_IER_ETHREI })
    cause()
    for (const byte of [1, 2, 3]) chip.write(abi.UART_THR, byte)
    expect(irq.high()).toBe(false)
    run(2 * CHARACTER_NS - 1)
    expect(irq.high()).toBe(false)
    run(1)
    expect(irq.high()).toBe(true)
    chip.write(abi.UART_THR, 4)
    chip.write(abi.UART_THR, 5)
    expect(irq.high()).toBe(false)
  })
})

describe('receiver', () => {
  test('bytes arrive at the speed of the line', () => {
    const { chip, run, drain } = build()
    chip.receive([1, 2, 3])
    run(2 * CHARACTER_NS)
    expect(drain()).toEqual([1, 2])
    run(CHARACTER_NS)
    expect(drain()).toEqual([3])
  })

  test('interrupts at the trigger level, or by timeout four characters after the last one', () => {
    const { chip, irq, run, cause } = build({ ier: abi.UART_IER_ERDAI })
    chip.receive(Array.from({ length: 14 }, (_, n) => n))
    run(13 * CHARACTER_NS)
    expect(irq.high()).toBe(false)
    run(CHARACTER_NS)
    expect(cause()).toBe(abi.UART_IIR_RDA)
    chip.read(abi.UART_RBR)
    expect(irq.high()).toBe(false)
    run(4 * CHARACTER_NS - 1)
    expect(irq.high()).toBe(false)
    run(1)
    expect(cause()).toBe(abi.UART_IIR_CTI)
    chip.read(abi.UART_RBR)
    expect(cause()).toBe(abi.UART_IIR_NOINT)
  })

  test.each([
    [0x00, 1],
    [0x40, 4],
    [0x80, 8],
    [0xc0, 14],
  ])('trigger bits %i mean %i bytes', (bits, bytes) => {
    const { chip, irq, run } = build({ ier: abi.UART_IER_ERDAI })
    chip.write(abi.UART_FCR, abi.UART_FCR_ENABLE | bits)
    chip.receive(new Array<number>(bytes).fill(1))
    run((bytes - 1) * CHARACTER_NS)
    expect(irq.edges()).toBe(0)
    run(CHARACTER_NS)
    expect(irq.high()).toBe(true)
  })

  test.each([
    ['a FIFO', true, 16],
    ['the buffer register', false, 1],
  ])('with %s full the sender waits and nothing is lost', (_name, fifo, room) => {
    const { chip, run, drain, clock } = build({ fifo })
    const bytes = Array.from({ length: 40 }, (_, n) => n)
    chip.receive(bytes)
    run(100 * CHARACTER_NS)
    expect(clock.pending).toBe(0)
    const got = drain()
    expect(got.length).toBe(room)
    for (let i = 0; i < 100; i++) {
      run(20 * CHARACTER_NS)
      got.push(...drain())
    }
    expect(got).toEqual(bytes)
  })

  test('without RTS the outside holds its bytes', () => {
    const { chip, run, drain, clock } = build({ mcr: 0 })
    chip.receive([1])
    run(100 * CHARACTER_NS)
    expect(drain()).toEqual([])
    expect(clock.pending).toBe(0)
    chip.write(abi.UART_MCR, abi.UART_MCR_RTS)
    run(CHARACTER_NS)
    expect(drain()).toEqual([1])
  })

  test('a very long paste comes through whole', () => {
    const { chip, run, drain } = build()
    const bytes = Array.from({ length: 10_000 }, (_, n) => n & 255)
    chip.receive(bytes)
    const got: number[] = []
    for (let i = 0; i < 1000; i++) {
      run(16 * CHARACTER_NS)
      got.push(...drain())
    }
    expect(got).toEqual(bytes)
  })
})

describe('loopback', () => {
  const LOOP = abi.UART_MCR_LOOP | abi.UART_MCR_RTS

  test('sends to itself, and overruns when nobody reads', () => {
    const { chip, run, sent } = build({ mcr: LOOP, fifo: false })
    chip.write(abi.UART_THR, 1)
    run(CHARACTER_NS)
    chip.write(abi.UART_THR, 2)
    run(CHARACTER_NS)
    expect(sent).toEqual([])
    expect(chip.read(abi.UART_LSR) & abi.UART_LSR_OE).toBe(abi.UART_LSR_OE)
    expect(chip.read(abi.UART_LSR) & abi.UART_LSR_OE).toBe(0)
    expect(chip.read(abi.UART_RBR)).toBe(2)
  })

  test('a full FIFO keeps the old bytes', () => {
    const { chip, run, drain } = build({ mcr: LOOP })
    for (let i = 0; i < 16; i++) chip.write(abi.UART_THR, i)
    run(20 * CHARACTER_NS)
    chip.write(abi.UART_THR, 99)
    run(CHARACTER_NS)
    expect(chip.read(abi.UART_LSR) & abi.UART_LSR_OE).toBe(abi.UART_LSR_OE)
    expect(drain()).toEqual(Array.from({ length: 16 }, (_, n) => n))
  })

  test.each([
    [abi.UART_MCR_DTR, 0x20],
    [abi.UART_MCR_RTS, 0x10],
    [0x04, 0x40],
    [abi.UART_MCR_OUT2, 0x80],
  ])('output %i is modem input %i', (output, input) => {
    const { chip } = build()
    chip.write(abi.UART_MCR, abi.UART_MCR_LOOP | output)
    expect(chip.read(abi.UART_MSR) & 0xf0).toBe(input)
  })
})

test('interrupts rank: line status, data, transmitter, modem', () => {
  const { chip, run, cause } = build({ fifo: false, mcr: abi.UART_MCR_LOOP | abi.UART_MCR_OUT2, ier: 0x0f })
  expect(cause()).toBe(abi.UART_IIR_THR)
  for (const byte of [1, 2]) {
    chip.write(abi.UART_THR, byte)
    run(CHARACTER_NS)
  }
  chip.write(abi.UART_MCR, abi.UART_MCR_LOOP | abi.UART_MCR_DTR)
  const seen: number[] = [cause()]
  chip.read(abi.UART_LSR)
  seen.push(cause())
  chip.read(abi.UART_RBR)
  seen.push(cause(), cause())
  chip.read(abi.UART_MSR)
  seen.push(cause())
  expect(seen).toEqual([abi.UART_IIR_LSI, abi.UART_IIR_RDA, abi.UART_IIR_THR, abi.UART_IIR_MSI, abi.UART_IIR_NOINT])
})

test('OUT2 gates the interrupt', () => {
  const { chip, irq } = build({ mcr: abi.UART_MCR_RTS, ier: abi.UART_IER_ETHREI })
  expect(irq.high()).toBe(false)
  chip.write(abi.UART_MCR, abi.UART_MCR_OUT2)
  expect(irq.high()).toBe(true)
})

test('registers: the divisor behind DLAB, scratch, FIFO bits, unused bits as zero', () => {
  const { chip } = build({ divisor: 0x1234 })
  chip.write(abi.UART_SCR, 0x5a)
  chip.write(abi.UART_IER, 0xff)
  chip.write(abi.UART_MCR, 0xff)
  expect([chip.read(abi.UART_SCR), chip.read(abi.UART_IER), chip.read(abi.UART_MCR)]).toEqual([0x5a, 0x0f, 0x1f])
  expect(chip.read(abi.UART_IIR) & abi.UART_IIR_FIFO).toBe(abi.UART_IIR_FIFO)
  chip.write(abi.UART_FCR, 0)
  expect(chip.read(abi.UART_IIR) & abi.UART_IIR_FIFO).toBe(0)
  chip.write(abi.UART_LCR, abi.UART_LCR_DLAB)
  expect([chip.read(abi.UART_DLL), chip.read(abi.UART_DLM)]).toEqual([0x34, 0x12])
})

test('a reset keeps what the outside still has to say', () => {
  const { chip, run, drain, clock } = build()
  chip.receive([7])
  chip.reset()
  expect(clock.pending).toBe(0)
  chip.write(abi.UART_MCR, abi.UART_MCR_RTS)
  run(20 * CHARACTER_NS)
  expect(drain()).toEqual([7])
})
