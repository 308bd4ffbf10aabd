import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import * as hl from '#abi/pc/hostlink.ts'
import { lab } from '../lab.ts'
import { hostlink } from './hostlink.ts'

const AT = 0x2000
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const bytesOf = (string: string): Uint8Array => Uint8Array.from(string, (letter) => letter.charCodeAt(0))

function bench() {
  const ram = new Uint8Array(0x4000)
  const irq = lab().line()
  const out: string[] = []
  const chip = hostlink({
    irq,
    mem: memOf(ram),
    output: (id, output) =>
      out.push(
        `${id} ${output.kind}${'bytes' in output ? ` ${typeof output.bytes === 'number' ? output.bytes : text(output.bytes)}` : ''}${'reason' in output ? `: ${output.reason}` : ''}`,
      ),
    trace: (bytes) => out.push(`trace ${text(bytes)}`),
  })
  const command = (value: number): boolean => {
    chip.write(hl.HOSTLINK_ADDRESS, 4, AT)
    chip.write(hl.HOSTLINK_COMMAND, 4, value)
    return (chip.read(hl.HOSTLINK_STATUS, 4) & hl.HOSTLINK_REFUSED) === 0
  }
  const send = (kind: number, link: number, data: Uint8Array | string = ''): boolean => {
    ram.set(hl.frameBytes({ kind, link, data: typeof data === 'string' ? bytesOf(data) : data }), AT)
    return command(hl.HOSTLINK_SEND)
  }
  /** All that waits. */
  const received = (): string[] => {
    const frames: string[] = []
    while (chip.read(hl.HOSTLINK_STATUS, 4) & hl.HOSTLINK_RECEIVABLE) {
      command(hl.HOSTLINK_RECEIVE)
      const frame = hl.readFrame(ram.slice(AT))!
      frames.push(
        `${frame.link} ${frame.kind} ${frame.kind === hl.HOSTLINK_CREDIT ? hl.creditOf(frame) : text(frame.data)}`,
      )
    }
    return frames
  }
  return { chip, ram, irq, out, command, send, received }
}

test('a link is opened, data goes both ways, and both sides end it', () => {
  const { chip, irq, out, command, send, received } = bench()
  expect(chip.read(hl.HOSTLINK_ID, 4)).toBe(hl.HOSTLINK_SIGNATURE)
  command(hl.HOSTLINK_ENABLE)
  chip.receive(7, { kind: 'open', to: '/s' })
  chip.receive(7, { kind: 'data', bytes: [...bytesOf('hello')] })
  expect(irq.high()).toBe(true)
  expect(received()).toEqual(['7 1 /s', '7 2 hello'])
  expect(irq.high()).toBe(false)
  expect(send(hl.HOSTLINK_DATA, 7, 'hi')).toBe(true)
  expect(send(hl.HOSTLINK_CREDIT, 7, hl.creditBytes(5))).toBe(true)
  expect(send(hl.HOSTLINK_END, 7)).toBe(true)
  chip.receive(7, { kind: 'credit', bytes: 2 })
  chip.receive(7, { kind: 'end' })
  expect(received()).toEqual(['7 5 2', '7 3 '])
  expect(out).toEqual(['7 data hi', '7 credit 5', '7 end'])
  expect(chip.state.links).toEqual([])
})

test('much data comes in frames that fit', () => {
  const { chip, command, received } = bench()
  command(hl.HOSTLINK_ENABLE)
  chip.receive(1, { kind: 'open', to: '/s' })
  received()
  chip.receive(1, { kind: 'data', bytes: new Array(10_000).fill(65) })
  expect(received().map((frame) => frame.length - 4)).toEqual([4088, 4088, 1824])
})

test('the window holds what the inside may send', () => {
  const { chip, command, send } = bench()
  command(hl.HOSTLINK_ENABLE)
  chip.receive(1, { kind: 'open', to: '/s' })
  const full = new Uint8Array(4096 - 8)
  for (let left = hl.HOSTLINK_WINDOW; left >= full.length; left -= full.length)
    expect(send(hl.HOSTLINK_DATA, 1, full)).toBe(true)
  expect(send(hl.HOSTLINK_DATA, 1, full)).toBe(false)
  chip.receive(1, { kind: 'credit', bytes: 4096 })
  expect(send(hl.HOSTLINK_DATA, 1, full)).toBe(true)
})

describe('is refused, or ignored', () => {
  test('a link without anybody there; too many; one that is already', () => {
    const { chip, out, command, received } = bench()
    chip.receive(1, { kind: 'open', to: '/s' })
    command(hl.HOSTLINK_ENABLE)
    for (let id = 2; id < 259; id++) chip.receive(id, { kind: 'open', to: '/s' })
    chip.receive(2, { kind: 'open', to: '/again' })
    expect(out).toEqual(['1 close: nobody serves links in this machine', '258 close: too many links'])
    expect(received()).toHaveLength(256)
    chip.receive(2, { kind: 'close' })
    chip.receive(300, { kind: 'open', to: 'x'.repeat(5000) })
    expect(out.at(-1)).toBe('300 close: the name is too long')
  })

  test('what comes for a link that has gone, on either side', () => {
    const { chip, out, command, send, received } = bench()
    command(hl.HOSTLINK_ENABLE)
    chip.receive(9, { kind: 'data', bytes: [1] })
    chip.receive(9, { kind: 'end' })
    expect(received()).toEqual([])
    expect(send(hl.HOSTLINK_DATA, 9, 'x')).toBe(true)
    expect(out).toEqual([])
  })

  test.each<[string, (at: ReturnType<typeof bench>) => boolean]>([
    ['a command that is none', ({ command }) => command(99)],
    ['RECEIVE of nothing', ({ command, received }) => received().length === 1 && command(hl.HOSTLINK_RECEIVE)],
    ['a kind that is none', ({ send }) => send(77, 1)],
    ['OPEN from inside', ({ send }) => send(hl.HOSTLINK_OPEN, 1, '/x')],
    ['data after the end', ({ send }) => send(hl.HOSTLINK_END, 1) && send(hl.HOSTLINK_DATA, 1, 'x')],
    ['a second end', ({ send }) => send(hl.HOSTLINK_END, 1) && send(hl.HOSTLINK_END, 1)],
    [
      'a frame longer than a frame',
      ({ ram, command }) => {
        ram.set([hl.HOSTLINK_DATA, 0, 0xff, 0xff, 1, 0, 0, 0], AT)
        return command(hl.HOSTLINK_SEND)
      },
    ],
  ])('%s', (_name, act) => {
    const at = bench()
    at.command(hl.HOSTLINK_ENABLE)
    at.chip.receive(1, { kind: 'open', to: '/s' })
    expect(act(at)).toBe(false)
  })

  test('registers of another width', () => {
    const { chip, command } = bench()
    command(hl.HOSTLINK_ENABLE)
    expect([chip.read(hl.HOSTLINK_ID, 1), chip.read(hl.HOSTLINK_ID, 2)]).toEqual([0xff, 0xffff])
    chip.write(hl.HOSTLINK_COMMAND, 1, hl.HOSTLINK_DISABLE)
    expect(chip.state.enabled).toBe(true)
  })
})

test('a reset, or nobody there any more, closes all links', () => {
  const { chip, irq, out, command } = bench()
  command(hl.HOSTLINK_ENABLE)
  chip.receive(1, { kind: 'open', to: '/s' })
  command(hl.HOSTLINK_DISABLE)
  command(hl.HOSTLINK_ENABLE)
  chip.receive(2, { kind: 'open', to: '/s' })
  chip.reset()
  expect(out).toEqual(['1 close: nobody serves links any more', '2 close: the machine was reset'])
  expect({ ...chip.state, high: irq.high() }).toEqual({
    enabled: false,
    address: 0,
    refused: false,
    links: [],
    queue: [],
    high: false,
  })
})

test('a trace needs no link and nobody there', () => {
  const { out, send } = bench()
  expect(send(hl.HOSTLINK_TRACE, 0, 'a line\n')).toBe(true)
  expect(out).toEqual(['trace a line\n'])
})
