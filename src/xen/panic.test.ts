/** Ends of the host, and a line that is too slow for what is to be said. */
import { describe, expect, test } from 'vitest'
import { scriptHost } from '#testing/xen-domain.ts'
import type { TestHost } from '#testing/xen-host.ts'
import { BLOCK } from '#testing/xen-script.ts'
import { fatalTrap, panic } from './arch-x86/shutdown.ts'
import { bug } from './common/bug.ts'
import type { Steps } from './steps.ts'
import { printk, type Xen } from './xen.ts'

const SECOND = 1e9
const STARS = '****************************************'

function host(options = ''): TestHost {
  const one = scriptHost(function* () {
    for (;;) yield BLOCK
  }, options)
  one.runFor(SECOND / 10)
  return one
}

const plain = (one: TestHost): string => one.serial.replaceAll('\r', '')

/** Processor `id` does `body` as its next step. */
function on(one: TestHost, id: number, body: (xen: Xen) => void): void {
  one.inXen((xen) => {
    function* steps(): Steps {
      body(xen)
    }
    xen.pcpus[id]!.push(steps())
    // Out of its sleep.
    if (id !== 0) xen.current.apic.ipi(xen.pcpus[id]!.metal.cpu.apicId, 0xfc)
  })
}

describe('panic', () => {
  test.each([0, 1])('on CPU %i: the other one is stopped, the boot processor resets the machine', (id) => {
    const one = host()
    on(one, id, (xen) => panic(xen, 'One way or another.\n'))
    one.expect('Reboot in five seconds...')
    expect(plain(one)).toContain(
      `(XEN) \n(XEN) ${STARS}\n(XEN) Panic on CPU ${id}:\n(XEN) One way or another.\n(XEN) ${STARS}\n(XEN) \n(XEN) Reboot`,
    )
    one.runFor(4.9 * SECOND)
    expect(one.resets).toBe(0)
    one.runFor(0.2 * SECOND)
    expect(one.resets).toBeGreaterThan(0)
  })

  test('a message of more than 127 characters is cut', () => {
    const one = host('noreboot')
    on(one, 0, (xen) => panic(xen, `${'x'.repeat(200)}\n`))
    one.expect('Manual reset required')
    expect(plain(one)).toContain(`(XEN) ${'x'.repeat(127)}${STARS}\n`)
  })

  test('one that meets another: both are said, and the machine still goes down', () => {
    const one = host()
    on(one, 0, (xen) => panic(xen, 'The first.\n'))
    one.expect('Reboot in five seconds...')
    one.inXen((xen) => {
      const serial = xen.irqs.get(4)!
      xen.irqs.set(4, { ...serial, handler: () => bug('drivers/none.ts: the second') })
    })
    one.type('x')
    one.expect('The first.')
    one.runFor(SECOND)
    expect(plain(one)).toMatch(/The first\.[\s\S]*Xen BUG at drivers\/none\.ts: the second\n[\s\S]*Panic on CPU 0:/)
    one.runFor(6 * SECOND)
    expect(one.resets).toBeGreaterThan(0)
  })

  test('a fatal trap tells of the processor first', () => {
    const one = host('noreboot')
    on(one, 1, (xen) => fatalTrap(xen, 2, 'nmi'))
    one.expect('Manual reset required')
    expect(plain(one)).toContain(
      '(XEN) ----[ Xen-3.3.0  x86_64  debug=n  Not tainted ]----\n(XEN) CPU:    1\n(XEN) CONTEXT: hypervisor   idle, interrupts on\n',
    )
    expect(plain(one)).toContain('(XEN) FATAL TRAP: vector = 2 (nmi)\n(XEN) [error_code=0000] \n')
  })

  test('with sync_console the header tells of it', () => {
    const one = host('sync_console noreboot')
    on(one, 0, () => bug('drivers/none.ts: nothing there'))
    one.expect('Manual reset required')
    expect(plain(one)).toContain('debug=n  Tainted:    C ]----\n')
  })
})

describe('more text than the line can take', () => {
  const LINES = 600
  const flood = (xen: Xen): void => {
    for (let i = 0; i < LINES; i++) printk(xen, `line ${String(i).padStart(4, '0')} ${'.'.repeat(50)}\n`)
  }
  const linesOf = (one: TestHost): number => plain(one).match(/\(XEN\) line \d{4} \.{50}\n/g)?.length ?? 0

  test('asynchronous: once the buffer is full the rest is lost, and nobody waits', () => {
    const one = host()
    const from = one.nowNs
    one.inXen(flood)
    expect(one.nowNs - from).toBeLessThan(SECOND / 100)
    one.runFor(10 * SECOND)
    // The ring has had it all.
    expect(one.xen.console.ringText()).toContain(`line 0${LINES - 1} `)
    expect(linesOf(one)).toBeGreaterThan(200)
    expect(linesOf(one)).toBeLessThan(LINES / 2)
    // Later lines come through again.
    one.inXen((xen) => printk(xen, 'and so on\n'))
    one.runFor(SECOND)
    expect(one.serial).toContain('(XEN) and so on\r\n')
  })

  test('synchronous: all of it, in the time that it takes', () => {
    const one = host('sync_console')
    const from = one.nowNs
    one.inXen(flood)
    one.expect(`line 0${LINES - 1} `)
    expect(linesOf(one)).toBe(LINES - 1)
    // 68 characters a line, 10 bits a character.
    expect(one.nowNs - from).toBeGreaterThan(((LINES - 1) * 68 * 10 * SECOND) / 115200)
  })
})
