import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import type { Probe } from '#abi/probe.ts'
import { CONRING_SIZE, Console, loglvlText, parseLoglvl, SERIAL_RX_SIZE } from './console.ts'
import { Serial } from './serial.ts'
import { Vga } from './vga.ts'

interface Bench {
  readonly console: Console
  readonly keys: number[]
  readonly probes: Probe[]
  notices: number
  nowNs: number
  wallclock: string | undefined
}

function bench(): Bench {
  const b: Bench = {
    console: undefined as unknown as Console,
    keys: [],
    probes: [],
    notices: 0,
    nowNs: 0,
    wallclock: undefined,
  }
  const console = new Console({
    mem: memOf(new Uint8Array(0)),
    serial: new Serial(),
    vga: new Vga(),
    now: () => b.nowNs,
    wallclock: () => b.wallclock,
    probe: (event) => b.probes.push(event),
    keypress: (byte) => b.keys.push(byte),
    inputForDom0: () => b.notices++,
    ringForDom0() {},
  })
  return Object.assign(b, { console })
}

const feed = (console: Console, text: string): void => {
  for (const letter of text) console.serialRx(letter.charCodeAt(0))
}
const dom0Input = (console: Console): string => String.fromCharCode(...console.readInput(1000))

describe('printk', () => {
  test.each([
    [['one\n'], '(XEN) one\n'],
    [['one\ntwo\n'], '(XEN) one\n(XEN) two\n'],
    [['no newline', ' and on\n', 'next\n'], '(XEN) no newline and on\n(XEN) next\n'],
    [['\n', 'x\n'], '(XEN) \n(XEN) x\n'],
    [['', 'x\n'], '(XEN) x\n'],
    [['a\nb', 'c\n'], '(XEN) a\n(XEN) bc\n'],
    [['<2>hidden\n', 'shown\n'], '(XEN) shown\n'],
    [['<2>hidden', ' tail too\n', '<0>error\n'], '(XEN) error\n'],
    [['<1>warning\n<3>debug\n'], '(XEN) warning\n'],
    [['<G>guest\n'], '(XEN) guest\n'],
    [['<G><2>guest info\n'], ''],
    [['<<>\n'], '(XEN) \n'],
    [['<no mark>\n'], '(XEN) <no mark>\n'],
  ])('%j', (parts, text) => {
    const { console } = bench()
    for (const part of parts) console.printk(part)
    expect(console.ringText()).toBe(text)
  })

  test('with timestamps, once the clock is known', () => {
    const b = bench()
    b.console.timestamps = true
    b.console.printk('early\n')
    b.wallclock = '2009-05-12 06:32:52'
    b.console.printk('late\n')
    expect(b.console.ringText()).toBe('(XEN) early\n(XEN) [2009-05-12 06:32:52] late\n')
  })

  test('everything is logged while somebody asks for it', () => {
    const { console } = bench()
    console.startLogEverything()
    console.printk('<3>debug\n')
    console.endLogEverything()
    console.printk('<3>debug again\n')
    expect(console.ringText()).toBe('(XEN) debug\n')
  })

  test('a limited rate: ten at once, then one each five seconds, and what was lost', () => {
    const b = bench()
    b.nowNs = 1000e9
    for (let i = 0; i < 15; i++) b.console.printk(`<G>message ${i}\n`)
    expect(b.console.ringText().split('\n')).toHaveLength(11)
    b.nowNs += 4.9e9
    b.console.printk('<G>too early\n')
    b.nowNs += 0.1e9
    b.console.printk('<G>again\n')
    expect(b.console.ringText().split('\n').slice(10)).toEqual([
      '(XEN) printk: 6 messages suppressed.',
      '(XEN) again',
      '',
    ])
  })
})

describe('loglvl', () => {
  test.each([
    ['none', 0, 0, 'Nothing'],
    ['error', 1, 1, 'Errors'],
    ['warning', 2, 2, 'Errors and warnings'],
    ['info', 3, 3, 'Errors, warnings and info'],
    ['debug', 4, 4, 'All'],
    ['all', 4, 4, 'All'],
    ['none/warning', 0, 2, 'Nothing (Rate-limited: Errors and warnings)'],
    ['error/all', 1, 4, 'Errors (Rate-limited: All)'],
    ['all/error', 4, 4, 'All'],
    ['nonsense', 2, 2, 'Errors and warnings'],
    ['error/nonsense', 1, 2, 'Errors (Rate-limited: Errors and warnings)'],
    ['', 2, 2, 'Errors and warnings'],
    ['informative', 3, 3, 'Errors, warnings and info'],
  ])('%s', (text, lower, upper, name) => {
    expect(parseLoglvl(text)).toEqual({ lower, upper })
    expect(loglvlText({ lower, upper })).toBe(name)
  })
})

describe('the ring', () => {
  test('holds the last 16384 bytes', () => {
    const { console } = bench()
    for (let i = 0; i < 2000; i++) console.printk(`line ${i}\n`)
    const text = console.ringText()
    expect(text).toHaveLength(CONRING_SIZE)
    expect(text.endsWith('(XEN) line 1998\n(XEN) line 1999\n')).toBe(true)
    expect(console.ringProducer - console.ringConsumer).toBe(CONRING_SIZE)
  })

  test('a guest is in it only with console_to_ring', () => {
    const { console } = bench()
    console.guestText('quiet\n')
    console.toRing = true
    console.guestText('loud\n')
    expect(console.ringText()).toBe('loud\n')
  })
})

describe('conswitch', () => {
  const TO_DOM0 = "(XEN) *** Serial input -> DOM0 (type 'CTRL-a' three times to switch input to Xen)\n"
  const TO_XEN = "(XEN) *** Serial input -> Xen (type 'CTRL-a' three times to switch input to DOM0)\n"
  test.each<[string, string, string, string]>([
    // typed while dom0 has the input; what dom0 gets; what is a key; what Xen says
    ['\x01', '', '', ''],
    ['\x01\x01', '', '', ''],
    ['\x01\x01\x01', '', '', TO_XEN],
    ['a\x01\x01\x01h', 'a', 'h', TO_XEN],
    ['\x01b', '\x01b', '', ''],
    ['\x01\x01b', '\x01\x01b', '', ''],
    ['\x01\x01b\x01', '\x01\x01b', '', ''],
    ['\x01\x01\x01\x01\x01\x01', '', '', TO_XEN + TO_DOM0],
    ['\x01\x01\x01\x01m', '', '\x01m', TO_XEN],
    ['\r\n\x1b', '\r\n\x1b', '', ''],
  ])('%j', (typed, dom0, keys, said) => {
    const { console, keys: pressed } = bench()
    console.xenRx = false
    feed(console, typed)
    expect(dom0Input(console)).toBe(dom0)
    expect(String.fromCharCode(...pressed)).toBe(keys)
    expect(console.ringText()).toBe(said)
  })

  test('another letter', () => {
    const { console } = bench()
    console.conswitch = 'bx'
    feed(console, '\x01\x01\x01\x02\x02\x02')
    expect(console.ringText()).toBe(
      "(XEN) *** Serial input -> DOM0 (type 'CTRL-b' three times to switch input to Xen)\n",
    )
  })

  test('disabled by a backtick: all is input, and no advice', () => {
    const { console } = bench()
    console.conswitch = '`'
    expect(console.switchCode).toBe(0)
    console.switchSerialInput()
    feed(console, '\x01\x01\x01\0\0\0')
    expect(dom0Input(console)).toBe('\x01\x01\x01\0\0\0')
    expect(console.ringText()).toBe('(XEN) *** Serial input -> DOM0\n')
  })

  test('observers are told', () => {
    const { console, probes } = bench()
    feed(console, '\x01\x01\x01\x01\x01\x01')
    expect(probes).toEqual([
      { kind: 'serial-input', owner: 'dom0' },
      { kind: 'serial-input', owner: 'xen' },
    ])
  })
})

test('input for dom0 is dropped beyond 128 bytes, but always announced', () => {
  const b = bench()
  b.console.xenRx = false
  feed(b.console, 'x'.repeat(SERIAL_RX_SIZE + 20))
  expect(b.notices).toBe(SERIAL_RX_SIZE + 20)
  expect(b.console.readInput(100)).toHaveLength(100)
  expect(b.console.readInput(100)).toHaveLength(SERIAL_RX_SIZE - 100)
  expect(b.console.readInput(-1)).toHaveLength(0)
})
