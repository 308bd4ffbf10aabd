import { describe, expect, test } from 'vitest'
import { Printk } from './printk.ts'

function console(name: string, index = 0) {
  const written: string[] = []
  return { name, index, device: 1, enabled: name === 'xvc', write: (text: string) => void written.push(text), written }
}

describe('printk', () => {
  test('levels decide what consoles show, not what is kept', () => {
    const log = new Printk('quiet')
    const screen = console('tty')
    log.registerConsole(screen)
    log.printk('<3>error\n<6>info\n')
    log.printk('no level, warning\n')
    log.consoleLevel = 7
    log.printk('<7>debug\n<6>more\n')
    expect(screen.written.join('')).toBe('error\nmore\n')
    expect(log.text()).toBe('error\ninfo\nno level, warning\ndebug\nmore\n')
    expect(log.taggedText()).toBe('<3>error\n<6>info\n<4>no level, warning\n<7>debug\n<6>more\n')
  })
  test('a text without newline is continued, at its line’s level', () => {
    const log = new Printk('')
    log.printk('<6>a')
    log.printk('b')
    log.printk('<3>c\n')
    expect(log.taggedText()).toBe('<6>abc\n')
  })
  // xvc is enabled from the start, as Xen's console is.
  test.each([
    ['', ['tty0', 'ttyS0'], ['tty0']],
    ['', ['tty0', 'xvc0'], ['tty0', 'xvc0']],
    ['', ['xvc0', 'tty0'], ['xvc0']],
    ['console=tty0', ['tty0', 'xvc0'], ['tty0', 'xvc0']],
    ['console=tty0', ['xvc0', 'tty0'], ['tty0', 'xvc0']],
    ['console=ttyS0', ['tty0', 'ttyS0', 'xvc0'], ['ttyS0', 'xvc0']],
    ['console=tty0 console=ttyS0 console=xvc0', ['tty0', 'ttyS0', 'xvc0'], ['xvc0', 'tty0', 'ttyS0']],
    ['console=tty0 console=ttyS0 console=xvc1', ['tty0', 'ttyS0', 'xvc0'], ['tty0', 'xvc0', 'ttyS0']],
    ['console=xvc0', ['tty0', 'xvc0'], ['xvc0']],
    ['console=tty0 console=xvc0', ['tty0', 'xvc0'], ['xvc0', 'tty0']],
    ['console=xvc0 console=tty0', ['tty0', 'xvc0'], ['tty0', 'xvc0']],
    ['console=ttyS0,115200n8', ['tty0', 'ttyS0'], ['ttyS0']],
    ['console=ttyS1', ['tty0', 'ttyS0'], []],
  ])('%j of %j: %j', (cmdline, offered, chosen) => {
    const log = new Printk(cmdline)
    for (const text of offered) {
      const [, name, index] = /^(\D+)(\d)$/.exec(text)!
      log.registerConsole(console(name!, Number(index)))
    }
    expect(log.consoles.map(({ name, index }) => `${name}${index}`)).toEqual(chosen)
  })
  test('what was logged before a console came is printed then', () => {
    const log = new Printk('')
    log.printk('<6>early\n')
    const screen = console('tty')
    log.registerConsole(screen)
    expect(screen.written).toEqual(['early\n'])
  })
  test('the ring forgets its oldest lines', () => {
    const log = new Printk('')
    for (let i = 0; i < 20_000; i++) log.printk(`<6>line ${i}\n`)
    expect(log.taggedText().length).toBeLessThanOrEqual(log.bufferBytes)
    expect(log.text().endsWith('line 19999\n')).toBe(true)
    expect(log.text()).not.toContain('line 0\n')
  })
  test('clear hides from dmesg, reads take each line once', () => {
    const log = new Printk('')
    log.printk('<6>one\n')
    log.clear()
    log.printk('<6>two\n<6>three')
    expect(log.text()).toBe('two\nthree')
    expect(log.takeUnread(100)).toBe('<6>one\n<6>two\n')
    expect(log.unread).toBe(false)
    log.printk('!\n')
    expect(log.takeUnread(100)).toBe('<6>three!\n')
  })
})
