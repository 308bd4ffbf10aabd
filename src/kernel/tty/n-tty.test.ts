import { describe, expect, test } from 'vitest'
import { SIGINT, SIGQUIT, SIGTSTP } from '#abi/posix/signal.ts'
import * as t from '#abi/posix/termios.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import type { LdiscHost } from './n-tty.ts'
import { NTty } from './n-tty.ts'
import { stdTermios, type Termios } from './termios.ts'

function build(change: (termios: Termios) => void = () => {}) {
  const termios = stdTermios()
  change(termios)
  let out = ''
  const events: string[] = []
  const host = {
    termios,
    stopped: false,
    port: {
      room: 1 << 20,
      writeRoom() {
        return this.room
      },
      charsInBuffer: () => 0,
      write(bytes: Uint8Array) {
        out += byteString(bytes)
        return bytes.length
      },
      throttle: () => events.push('throttle'),
      unthrottle: () => events.push('unthrottle'),
    },
    signal: (signo: number) => events.push(`signal ${signo}`),
    start() {
      host.stopped = false
      events.push('start')
    },
    stop() {
      host.stopped = true
      events.push('stop')
    },
    wakeReaders: () => {},
    flushOutput: () => events.push('flush'),
  }
  const ldisc = new NTty(host as unknown as LdiscHost)
  return {
    host,
    ldisc,
    events,
    type: (text: string) => ldisc.receive(bytesOfString(text), 0),
    /** Every read that a program could make now. */
    reads: (count = 100) => {
      const got: string[] = []
      while (ldisc.inputAvailable(0)) got.push(byteString(ldisc.take(count)))
      return got
    },
    echo: () => {
      const text = out
      out = ''
      return text
    },
    write: (text: string) => ldisc.output(bytesOfString(text), 0),
  }
}

const set =
  (change: {
    readonly i?: number
    readonly o?: number
    readonly l?: number
    readonly noI?: number
    readonly noL?: number
    readonly noO?: number
  }) =>
  (termios: Termios): void => {
    termios.iflag = (termios.iflag | (change.i ?? 0)) & ~(change.noI ?? 0)
    termios.oflag = (termios.oflag | (change.o ?? 0)) & ~(change.noO ?? 0)
    termios.lflag = (termios.lflag | (change.l ?? 0)) & ~(change.noL ?? 0)
  }
const plain = set({})
const cc = (index: number, value: number) => (termios: Termios) => {
  termios.cc[index] = value
}

describe('input', () => {
  test.each<[string, (termios: Termios) => void, string, string, string[]]>([
    ['a line', plain, 'ls\r', 'ls\r\n', ['ls\n']],
    ['two lines', plain, 'a\nb\n', 'a\r\nb\r\n', ['a\n', 'b\n']],
    ['no line yet', plain, 'abc', 'abc', []],
    ['no echo', set({ noL: t.ECHO }), 'pw\n', '', ['pw\n']],
    ['no echo, but of the newline', set({ noL: t.ECHO, l: t.ECHONL }), 'pw\n', '\r\n', ['pw\n']],
    ['erase', plain, 'ab\x7fc\n', 'ab\b \bc\r\n', ['ac\n']],
    ['erase at the beginning', plain, '\x7fa\n', 'a\r\n', ['a\n']],
    ['erase of a control character', plain, 'a\x01\x7f\n', 'a^A\b \b\b \b\r\n', ['a\n']],
    ['erase without ECHOE shows the erase character', set({ noL: t.ECHOE }), 'ab\x7f\n', 'ab^?\r\n', ['a\n']],
    ['erase of a tab', plain, 'ab\t\x7fc\n', 'ab\t\b\b\b\b\b\bc\r\n', ['abc\n']],
    ['erase of UTF-8', set({ i: t.IUTF8 }), 'a\xc3\xa4\x7f\n', 'a\xc3\xa4\b \b\r\n', ['a\n']],
    ['erase of bytes', plain, 'a\xc3\xa4\x7f\n', 'a\xc3\xa4\b \b\r\n', ['a\xc3\n']],
    ['erase with ECHOPRT', set({ l: t.ECHOPRT }), 'abc\x7f\x7fd\n', 'abc\\cb/d\r\n', ['ad\n']],
    ['kill', plain, 'abc\x15d\n', 'abc\b \b\b \b\b \bd\r\n', ['d\n']],
    ['kill without ECHOKE', set({ noL: t.ECHOKE }), 'abc\x15d\n', 'abc^U\r\nd\r\n', ['d\n']],
    ['kill without ECHOK', set({ noL: t.ECHOK | t.ECHOKE }), 'abc\x15d\n', 'abc^Ud\r\n', ['d\n']],
    ['word erase', plain, 'one two \x17x\n', 'one two \b \b\b \b\b \b\b \bx\r\n', ['one x\n']],
    ['word erase stops at punctuation', plain, 'a/bc\x17\n', 'a/bc\b \b\b \b\r\n', ['a/\n']],
    ['word erase is IEXTEN', set({ noL: t.IEXTEN }), 'a b\x17\n', 'a b^W\r\n', ['a b\x17\n']],
    ['reprint', plain, 'ab\x12c\n', 'ab^R\r\nabc\r\n', ['abc\n']],
    ['literal next', plain, 'a\x16\x03b\n', 'a^\b^Cb\r\n', ['a\x03b\n']],
    ['literal newline', plain, 'a\x16\nb\n', 'a^\b^Jb\r\n', ['a\nb\n']],
    ['end of file at once', plain, '\x04', '', ['']],
    ['end of file pushes a line', plain, 'ab\x04', 'ab', ['ab']],
    ['another line end', cc(t.VEOL, 0x3b), 'a;b\n', 'a;b\r\n', ['a;', 'b\n']],
    ['IGNCR', set({ i: t.IGNCR }), 'a\rb\n', 'ab\r\n', ['ab\n']],
    ['no ICRNL', set({ noI: t.ICRNL }), 'a\rb\n', 'a^Mb\r\n', ['a\rb\n']],
    ['INLCR and ICRNL', set({ i: t.INLCR }), 'a\nb\r', 'a^Mb\r\n', ['a\rb\n']],
    ['ISTRIP', set({ i: t.ISTRIP }), '\xe1\n', 'a\r\n', ['a\n']],
    ['IUCLC', set({ i: t.IUCLC }), 'LS\n', 'ls\r\n', ['ls\n']],
    ['no ECHOCTL', set({ noL: t.ECHOCTL }), '\x01\n', '\x01\r\n', ['\x01\n']],
    ['PARMRK doubles 0xff', set({ i: t.PARMRK }), '\xff\n', '\xff\r\n', ['\xff\xff\n']],
    ['bytes', set({ noL: t.ICANON }), 'ab\x7f\r', 'ab^?\r\n', ['ab\x7f\n']],
    ['raw', (m) => Object.assign(m, { iflag: 0, lflag: 0, oflag: 0 }), 'a\r\x03\x04\xff', '', ['a\r\x03\x04\xff']],
  ])('%s', (_name, change, typed, echoed, read) => {
    const { type, echo, reads } = build(change)
    type(typed)
    expect(echo()).toBe(echoed)
    expect(reads()).toEqual(read)
  })

  test.each([
    ['^C', '\x03', SIGINT],
    ['^\\', '\x1c', SIGQUIT],
    ['^Z', '\x1a', SIGTSTP],
  ])('%s signals, forgets the line, echoes nothing', (_name, typed, signo) => {
    const { type, echo, reads, events } = build()
    type('abc' + typed + 'd\n')
    expect(events).toEqual([`signal ${signo}`, 'flush'])
    expect(reads()).toEqual(['d\n'])
    // 2.6.18 throws away even the echo of what came together with it; `d` was echoed after.
    expect(echo()).toBe('d\r\n')
  })

  test('NOFLSH keeps it', () => {
    const { type, reads, events } = build(set({ l: t.NOFLSH }))
    type('ab\x03c\n')
    expect(events).toEqual([`signal ${SIGINT}`])
    expect(reads()).toEqual(['abc\n'])
  })

  test('without ISIG they are characters', () => {
    const { type, echo, reads, events } = build(set({ noL: t.ISIG }))
    type('\x03\n')
    expect([echo(), reads(), events]).toEqual(['^C\r\n', ['\x03\n'], []])
  })

  test('a disabled character is an ordinary zero', () => {
    const { type, events, reads } = build(cc(t.VINTR, 0))
    type('\0\x03\n')
    expect(events).toEqual([])
    expect(reads()).toEqual(['\0\x03\n'])
  })

  test.each([
    ['^S and ^Q', plain, '\x13\x11', ['stop', 'start']],
    ['IXANY', set({ i: t.IXANY }), '\x13a', ['stop', 'start']],
    ['only ^Q', plain, '\x13a', ['stop']],
    ['no IXON', set({ noI: t.IXON }), '\x13\x11', []],
  ])('flow control: %s', (_name, change, typed, expected) => {
    const { type, events } = build(change)
    type(typed)
    expect(events).toEqual(expected)
  })

  test('a short read leaves the rest of the line', () => {
    const { type, reads } = build()
    type('abcde\n')
    expect(reads(4)).toEqual(['abcd', 'e\n'])
  })

  test('a full line rings the bell, the newline still ends it', () => {
    const { type, echo, reads, ldisc } = build()
    type('x'.repeat(4095))
    expect(echo().length).toBe(4095)
    type('yz')
    expect(echo()).toBe('\x07\x07')
    type('\n')
    expect(echo()).toBe('\x07\r\n')
    expect(ldisc.inputBytes).toBe(4096)
    expect(reads(8192).join('').length).toBe(4096)
  })

  test('what is complete fills the buffer, more is not taken', () => {
    const { type, ldisc, events } = build(set({ noL: t.ECHO }))
    expect(type('x'.repeat(2000) + '\n' + 'y'.repeat(3000))).toBe(4095)
    expect(events).toEqual(['throttle'])
    expect(ldisc.inputBytes).toBe(2001)
  })

  test('FIONREAD does not count an end of file', () => {
    const { type, ldisc } = build()
    type('ab\x04c\n')
    expect(ldisc.inputBytes).toBe(4)
    type('d')
    expect(ldisc.inputBytes).toBe(4)
  })

  test.each<[string, (termios: Termios) => void, 'break' | 'parity', string[], string[]]>([
    ['break is a zero', set({ noL: t.ICANON }), 'break', ['\0'], []],
    ['IGNBRK', set({ noL: t.ICANON, i: t.IGNBRK }), 'break', [], []],
    ['BRKINT', set({ noL: t.ICANON, i: t.BRKINT }), 'break', [], [`signal ${SIGINT}`, 'flush']],
    ['PARMRK', set({ noL: t.ICANON, i: t.PARMRK }), 'break', ['\xff\0\0'], []],
    ['a byte of wrong parity', set({ noL: t.ICANON }), 'parity', ['A'], []],
    ['INPCK', set({ noL: t.ICANON, i: t.INPCK }), 'parity', ['\0'], []],
    ['IGNPAR', set({ noL: t.ICANON, i: t.IGNPAR }), 'parity', [], []],
  ])('line errors: %s', (_name, change, kind, read, expected) => {
    const { ldisc, reads, events } = build(change)
    ldisc.receiveError(kind, 0x41)
    expect([reads(), events]).toEqual([read, expected])
  })
})

describe('output', () => {
  test.each<[string, (termios: Termios) => void, string, string]>([
    ['ONLCR', plain, 'a\nb', 'a\r\nb'],
    ['no OPOST', set({ noO: t.OPOST }), 'a\nb', 'a\nb'],
    ['OCRNL', set({ o: t.OCRNL, noO: t.ONLCR }), 'a\rb', 'a\nb'],
    ['ONOCR', set({ o: t.ONOCR }), '\ra\r', 'a\r'],
    ['OLCUC', set({ o: t.OLCUC }), 'aBc', 'ABC'],
    ['tabs are left alone', plain, 'a\tb', 'a\tb'],
    ['XTABS', set({ o: 0o14000 }), 'a\tb\n\tc', 'a       b\r\n        c'],
    ['XTABS after a backspace', set({ o: 0o14000 }), 'ab\b\t', 'ab\b       '],
    ['XTABS counts UTF-8 characters', (m) => set({ o: 0o14000, i: t.IUTF8 })(m), '\xc3\xa4\t', '\xc3\xa4       '],
  ])('%s', (_name, change, written, sent) => {
    const { write, echo } = build(change)
    expect(write(written)).toBe(written.length)
    expect(echo()).toBe(sent)
  })

  test('only as much as there is room for, a newline never by halves', () => {
    const { write, host, echo } = build()
    host.port.room = 3
    expect(write('ab\nc')).toBe(2)
    expect(echo()).toBe('ab')
  })

  test('a page goes out in one piece', () => {
    const { host, ldisc } = build()
    let calls = 0
    const { port } = host
    host.port = {
      ...port,
      write: (bytes: Uint8Array) => {
        calls++
        return bytes.length
      },
    } as typeof port
    expect(ldisc.output(new Uint8Array(4096).fill(10), 0)).toBe(4096)
    expect(calls).toBe(1)
  })
})
