import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { ENODEV } from '#abi/posix/errno.ts'
import { SIGINT } from '#abi/posix/signal.ts'
import { __HYPERVISOR_console_io, CONSOLEIO_read, CONSOLEIO_write } from '#abi/xen/xen.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { TtyRig } from '#testing/tty-rig.ts'
import { ttysOf } from '../../tty/core.ts'
import { xenConsoleInit, xencons, xenconsInit } from './xencons.ts'

const XVC0 = (204 << 8) | 191

function build(word?: string) {
  let output = ''
  let input = ''
  let writes = 0
  let interrupt = (): void => {}
  const mem = memOf(new Uint8Array(8192))
  const rig = new TtyRig({
    mem,
    bounce: 4096,
    params: new Map(word === undefined ? [] : [['xencons', word]]),
    vcpu: {
      hypercall(nr: number, command: number, length: number, at: number) {
        expect(nr).toBe(__HYPERVISOR_console_io)
        if (command === CONSOLEIO_write) {
          writes++
          output += byteString(mem.copyOut(at, length))
          return 0
        }
        expect([command, length]).toEqual([CONSOLEIO_read, 16])
        const part = input.slice(0, length)
        input = input.slice(length)
        mem.copyIn(at, bytesOfString(part))
        return part.length
      },
    } as never,
    irq: {
      bindVirq: (_virq: number, _name: string, handler: () => void) => {
        interrupt = handler
      },
    } as never,
  })
  const { kernel } = rig
  xenConsoleInit(kernel)
  const console = xencons(kernel)
  if (console) rig.now(rig.current, xenconsInit(kernel, console))
  const task = rig.task(10, 10, { sid: 10, tty: undefined })
  return {
    rig,
    task,
    output: () => output,
    writes: () => writes,
    type(text: string) {
      input += text
      interrupt()
      rig.run()
    },
  }
}

test('a program reads a line, sees the echo, and gets ^C', () => {
  const { rig, task, type, output } = build()
  const file = rig.open(task, XVC0)
  const read = () =>
    rig.start(task, function* () {
      return byteString(yield* file.ops.read!(file, 100, 0))
    })
  read()
  type('echo a line of more than sixteen bytes\r')
  expect(task.result).toBe('echo a line of more than sixteen bytes\n')
  expect(output()).toBe('echo a line of more than sixteen bytes\r\n')
  read()
  type('x\x03')
  expect([task.result, task.signals]).toEqual([-4, [SIGINT]])
})

test('a page is two hypercalls: newlines make it longer than one buffer', () => {
  const { rig, task, writes, output } = build()
  const file = rig.open(task, XVC0)
  rig.start(task, () => file.ops.write!(file, bytesOfString('line\n'.repeat(819)), 0))
  expect([task.result, writes(), output().length]).toEqual([4095, 2, 4914])
})

test('^S holds output back, ^Q sends it', () => {
  const { rig, task, type, output } = build()
  const file = rig.open(task, XVC0)
  type('\x13')
  rig.start(task, () => file.ops.write!(file, bytesOfString('abc'), 0))
  expect(output()).toBe('')
  type('\x11')
  expect([task.result, output()]).toEqual([3, 'abc'])
})

describe('where it appears', () => {
  test.each([
    [undefined, XVC0, 'xvc0'],
    ['xvc', XVC0, 'xvc0'],
    ['ttyS', (4 << 8) | 64, 'ttyS0'],
    ['ttyS1', (4 << 8) | 65, 'ttyS1'],
    ['tty', (4 << 8) | 1, 'tty1'],
    ['nonsense', XVC0, 'xvc0'],
  ])('xencons=%s', (word, dev, name) => {
    const { rig, task, output } = build(word)
    expect(rig.log).toBe(`Xen virtual console successfully installed as ${name}\n`)
    expect(rig.consoleDevice).toBe(dev)
    const file = rig.open(task, dev)
    rig.start(task, () => file.ops.write!(file, bytesOfString('hi\n'), 0))
    expect(output()).toBe('hi\r\n')
    expect(task.session.tty?.name).toBe(name)
  })

  test('off: nowhere', () => {
    const { rig } = build('off')
    expect([rig.log, rig.consoleDevice]).toEqual(['', 0])
    expect(rig.openers.has(204)).toBe(false)
  })

  test('as tty1 the others are dummies', () => {
    const { rig, task, output } = build('tty')
    const file = rig.open(task, (4 << 8) | 5)
    rig.start(task, () => file.ops.write!(file, bytesOfString('into nothing'), 0))
    expect([task.result, output()]).toEqual([12, ''])
  })

  test('not where another driver is', () => {
    const { rig } = build()
    const console = xencons(rig.kernel)!
    rig.now(rig.current, xenconsInit(rig.kernel, console))
    expect(rig.log).toContain("WARNING: Failed to register Xen virtual console driver as 'xvc0'\n")
  })

  test('there is no second one', () => {
    const { rig } = build()
    expect(() => ttysOf(rig.kernel).byNumber(XVC0 + 1)).toThrow(expect.objectContaining({ errno: ENODEV }))
  })
})
