import { describe, expect, test } from 'vitest'
import type { LinkOutput } from '#abi/pc/hostlink.ts'
import type { Probe } from '#abi/probe.ts'
import { utf8Encode } from '#lib/utf8.ts'
import type { Input, SerialLine, TextScreen } from '#protocol/machine.ts'
import type { StopReason, SyncMachine } from '#protocol/sync-machine.ts'
import { runTape, type TapeResult } from './play.ts'

interface Event {
  readonly atNs: number
  readonly run: () => void
}

const MS = 1_000_000

/** A machine that is nothing but a queue of events and a log of what it was told. */
class FakeMachine implements SyncMachine {
  readonly log: string[] = []
  readonly cells = new Uint8Array(80 * 25 * 2)
  sliceEvery = Number.POSITIVE_INFINITY
  onInput: (input: Input) => void = () => {}
  #now = 0
  #events: Event[] = []
  readonly #listeners = new Set<(line: SerialLine, byte: number) => void>()

  after(ms: number, run: () => void): void {
    this.#events.push({ atNs: this.#now + ms * MS, run })
    this.#events.sort((a, b) => a.atNs - b.atNs)
  }

  /** Text on a serial line, a byte a millisecond. */
  say(text: string, line: SerialLine = 'com1'): void {
    Array.from(text).forEach((char, i) => {
      this.after(i + 1, () => {
        for (const listener of this.#listeners) listener(line, char.charCodeAt(0))
      })
    })
  }

  show(text: string): void {
    for (let i = 0; i < text.length; i++) this.cells[i * 2] = text.charCodeAt(i)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  nowNs = () => this.#now
  state = () => 'bootloader' as const
  screen = (): TextScreen => ({
    columns: 80,
    rows: 25,
    cells: this.cells,
    cursor: { row: 0, column: 0, visible: true },
  })

  input(input: Input): void {
    const what = input.kind === 'serial' ? String.fromCharCode(...input.bytes) : JSON.stringify(input)
    this.log.push(`${this.#now / MS} ${input.kind === 'serial' ? `${input.line} ${JSON.stringify(what)}` : what}`)
    this.onInput(input)
  }

  runUntil(deadlineNs: number, stop: () => boolean): StopReason {
    for (let steps = 0; ; steps++) {
      if (steps >= this.sliceEvery) return 'slice'
      const next = this.#events[0]
      if (!next || next.atNs > deadlineNs) {
        this.#now = deadlineNs
        return next ? 'deadline' : 'idle'
      }
      this.#events.shift()
      this.#now = next.atNs
      next.run()
      if (stop()) return 'stopped'
    }
  }

  onSerial(listener: (line: SerialLine, byte: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly links = new Set<(link: number, output: LinkOutput) => void>()
  readonly probes = new Set<(probe: Probe) => void>()

  onLink(listener: (link: number, output: LinkOutput) => void): () => void {
    this.links.add(listener)
    return () => this.links.delete(listener)
  }

  onProbe(listener: (probe: Probe) => void): () => void {
    this.probes.add(listener)
    return () => this.probes.delete(listener)
  }

  /** Each at its own time: a line of XenStore's trace, or what comes out of a link. */
  happens(ms: number, what: string | LinkOutput, link = 1): void {
    this.after(ms, () => {
      if (typeof what === 'string') for (const tell of this.probes) tell({ kind: 'xenstore', line: what, atNs: 0 })
      else for (const tell of this.links) tell(link, what)
    })
  }
}

function play(
  text: string,
  machine: FakeMachine,
  source?: (path: string) => string | undefined,
): TapeResult & { slices: number } {
  const steps = runTape(text, machine, { path: 'x.tape', ...(source ? { source } : {}) })
  for (let slices = 0; ; slices++) {
    const { done, value } = steps.next()
    if (done) return { ...value, slices }
  }
}

test('keys are typed in virtual time, at the speed that is set', () => {
  const machine = new FakeMachine()
  const result = play('Type "ab"\nEnter\nType@10ms "c"\nSet TypingSpeed 100ms\nUp 2\nSleep 1\nCtrl+a+b', machine)
  expect(result).toMatchObject({ status: 0, error: undefined })
  expect(machine.log).toEqual([
    '0 com1 "a"',
    '50 com1 "b"',
    '100 com1 "\\r"',
    '150 com1 "c"',
    '160 com1 "\\u001b[A"',
    '260 com1 "\\u001b[A"',
    '1360 com1 "\\u0001"',
    '1360 com1 "\\u0002"',
  ])
  expect(machine.nowNs()).toBe(1360 * MS)
  expect(machine.listeners).toBe(0)
})

describe('Wait', () => {
  test('is met at the instant of the byte that makes it match', () => {
    const machine = new FakeMachine()
    machine.say('boot\r\ngrub> more')
    const result = play('Wait\nEnter', machine)
    expect(result.status).toBe(0)
    expect(machine.log).toEqual(['11 com1 "\\r"'])
    expect(result.transcript).toBe('boot\r\ngrub> more')
  })

  test('is met at once when the screen matches already', () => {
    const machine = new FakeMachine()
    machine.say('login: ')
    play('Sleep 1\nWait /login:$/\nEnter', machine)
    expect(machine.log).toEqual(['1000 com1 "\\r"'])
  })

  test.each([
    ['Wait /boot/', 1, 'the line with the cursor of com1 did not match /boot/ within 15 s'],
    ['Wait+Line@2 /boot/', 1, 'the line with the cursor of com1 did not match /boot/ within 2 s'],
    ['Wait+Screen /boot$/', 1, 'the screen of com1 did not match /boot$/ within 15 s'],
    ['Wait+Screen /boot$/m', 0, undefined],
    ['Wait+Screen /BOOT/i', 0, undefined],
    ['Wait+Screen /boot\\nready/', 0, undefined],
    [
      'Set WaitTimeout 100ms\nWait /nothing/',
      1,
      'the line with the cursor of com1 did not match /nothing/ within 0.1 s',
    ],
    ['Set WaitPattern /ready$/\nWait', 0, undefined],
  ])('%s', (text, status, error) => {
    const machine = new FakeMachine()
    machine.say('boot\r\nready')
    const result = play(`Sleep 1\n${text}`, machine)
    expect(result.status).toBe(status)
    const line = text.split('\n').length + 1
    expect(result.error).toBe(error === undefined ? undefined : `x.tape:${line}: Wait: ${error}`)
    expect(result.screen.slice(0, 3)).toEqual(['boot', 'ready', ''])
  })

  test('sees a wrapped line in one piece, and as its rows', () => {
    const machine = new FakeMachine()
    machine.say(`${'x'.repeat(75)} to Xen)`)
    const text = 'Sleep 1\nWait / to Xen\\)$/\nWait+Screen /x to Xen\\)/\nWait /^en\\)$/\nWait+Screen /to X\\nen/'
    expect(play(text, machine).error).toBeUndefined()
  })

  test('gives up at its virtual time, not before', () => {
    const machine = new FakeMachine()
    machine.after(14_999, () => {})
    machine.after(20_000, () => machine.say('>'))
    expect(play('Wait', machine).status).toBe(1)
    expect(machine.nowNs()).toBe(15_000 * MS)
  })

  test('after a failed one nothing more is typed', () => {
    const machine = new FakeMachine()
    play('Wait@1s\nType "rm -rf /"', machine)
    expect(machine.log).toEqual([])
  })
})

test('cut into slices, the same happens', () => {
  const run = (sliceEvery: number) => {
    const machine = new FakeMachine()
    machine.sliceEvery = sliceEvery
    machine.onInput = () => machine.say('echo>')
    const { slices, ...result } = play('Type "abc"\nWait\nEnter\nWait /echo>$/\nSleep 3', machine)
    return { slices, result, log: machine.log, now: machine.nowNs() }
  }
  const whole = run(Number.POSITIVE_INFINITY)
  const cut = run(3)
  expect(whole.slices).toBe(0)
  expect(cut.slices).toBeGreaterThan(3)
  expect({ ...cut, slices: 0 }).toEqual({ ...whole, slices: 0 })
})

test('the terminal answers a query at the instant it reads it', () => {
  const machine = new FakeMachine()
  machine.say('ab\x1b[6n')
  play('Sleep 1', machine)
  expect(machine.log).toEqual(['6 com1 "\\u001b[1;3R"'])
})

test('cursor keys follow the mode that the program has set', () => {
  const machine = new FakeMachine()
  machine.say('\x1b[?1h')
  play('Sleep 1\nUp', machine)
  expect(machine.log).toEqual(['1000 com1 "\\u001bOA"'])
})

test('targets: each console has its own screen, and only COM1 is in the transcript', () => {
  const machine = new FakeMachine()
  machine.say('one>')
  machine.say('two>', 'com2')
  machine.show('three>')
  const result = play(
    'Target com2\nWait /two>$/\nType "x"\nTarget com1\nWait /one>$/\nTarget monitor\nWait /three>$/\nType "A"',
    machine,
  )
  expect(result).toMatchObject({ status: 0, transcript: 'one>' })
  expect(machine.log).toEqual(['4 com2 "x"', '54 {"kind":"keyboard","scancodes":[42,30,158,170]}'])
})

test('paste comes in one piece', () => {
  const machine = new FakeMachine()
  play('Copy "xm list"\nPaste\nTarget monitor\nCopy "ab"\nPaste', machine)
  expect(machine.log).toEqual([
    '0 com1 "xm list"',
    '0 {"kind":"keyboard","scancodes":[30,158]}',
    '0 {"kind":"keyboard","scancodes":[48,176]}',
  ])
})

test('golden text is the screen after every command that is not hidden', () => {
  const machine = new FakeMachine()
  machine.say('a\r\nb')
  const { files } = play(
    'Output out.txt\nOutput x.log\nSet FontSize 3\nSet TypingSpeed 1\nRequire xm\nSleep 1\nHide\nSleep 1\nShow\nScreenshot shot.txt',
    machine,
  )
  const rows = ['a', 'b', ...Array(23).fill('')].join('\n')
  const frame = `${rows}\n${'─'.repeat(80)}\n`
  expect(files).toEqual([
    { path: 'out.txt', content: frame + frame + frame },
    { path: 'x.log', content: new Uint8Array([97, 13, 10, 98]) },
    { path: 'shot.txt', content: `${rows}\n` },
  ])
})

test('bytes that are no UTF-8 are kept, and shown as replacement characters', () => {
  const machine = new FakeMachine()
  machine.say('a\xffb\xc3\xa9')
  const { bytes, transcript } = play('Sleep 1', machine)
  expect([...bytes]).toEqual([97, 255, 98, 0xc3, 0xa9])
  expect(transcript).toBe('a\ufffdbé')
})

test('a bad tape plays nothing: status 2 and every mistake', () => {
  const machine = new FakeMachine()
  const result = play('Enter\nFoo\nSource b.tape', machine, () => 'Bar')
  expect(result).toMatchObject({ status: 2, transcript: '' })
  expect(result.error).toBe('x.tape:2:1: Invalid command: Foo\nb.tape:1:1: Invalid command: Bar')
  expect(machine.log).toEqual([])
})

test('a failure in a sourced tape names that tape', () => {
  const result = play('Source b.tape', new FakeMachine(), () => 'Enter\nWait@1s /x/')
  expect(result.error).toBe('b.tape:2: Wait: the line with the cursor of com1 did not match /x/ within 1 s')
})

describe('Target domain:NAME', () => {
  const STORE = [
    'new',
    'set\t0\t1\t/local/domain/1/name\tn0\tsebastian',
    'set\t0\t1\t/local/domain/1/console/tty\tn0\t/dev/pts/1',
  ]
  const says = (text: string): LinkOutput => ({ kind: 'data', bytes: utf8Encode(text) })

  test('opens the terminal that XenStore names, reads it, types into it and lets go of it', () => {
    const machine = new FakeMachine()
    STORE.forEach((line, i) => {
      machine.happens(i + 1, line)
    })
    machine.happens(100, says('sebastian login: '))
    const result = play(
      'Sleep 10ms\nTarget domain:sebastian\nWait /login:$/\nType "ro"\nTarget com1\nType "x"',
      machine,
    )
    expect(result).toMatchObject({ status: 0, error: undefined, transcript: '' })
    const link = (event: object) => JSON.stringify({ kind: 'link', link: 1, event })
    expect(machine.log).toEqual([
      `10 ${link({ kind: 'open', to: '/dev/pts/1' })}`,
      `100 ${link({ kind: 'data', bytes: Uint8Array.of(0x72) })}`,
      `150 ${link({ kind: 'data', bytes: Uint8Array.of(0x6f) })}`,
      '200 com1 "x"',
      `250 ${link({ kind: 'end' })}`,
    ])
    expect([machine.listeners, machine.links.size, machine.probes.size]).toEqual([0, 0, 0])
  })

  test('waits for a domain that is not there yet, and goes on with its successor', () => {
    const machine = new FakeMachine()
    STORE.forEach((line, i) => {
      machine.happens(i + 20, line)
    })
    machine.happens(30, says('one$'))
    machine.happens(40, 'rm\t0\t1\t/local/domain/1')
    machine.happens(50, STORE[1]!.replace('/1/', '/2/'))
    machine.happens(51, STORE[2]!.replace('/1/', '/2/').replace('pts/1', 'pts/2'))
    machine.happens(60, says(' two$'), 2)
    const result = play('Target domain:sebastian\nWait /^one\\$$/\nWait /two\\$$/', machine)
    expect(result).toMatchObject({ status: 0, error: undefined })
    expect(machine.nowNs()).toBe(60 * MS)
    expect(machine.log.map((line) => line.split(' ')[0])).toEqual(['22', '40', '51', '60'])
  })

  test.each([
    [[], 'XenStore does not run'],
    [STORE.slice(0, 1), 'there is no such domain'],
    [STORE.slice(0, 2), 'domain 1 has no console yet'],
  ])('typing where nobody is ends the tape %#', (store, why) => {
    const machine = new FakeMachine()
    store.forEach((line, i) => {
      machine.happens(i + 1, line)
    })
    const result = play('Sleep 10ms\nTarget domain:sebastian\nType "x"', machine)
    expect(result).toMatchObject({ status: 1, error: `x.tape:3: Type: domain:sebastian: ${why}` })
  })
})
