import { describe, expect, test } from 'vitest'
import { makedev } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { xencons_interface } from '#abi/xen/io/console.ts'
import { SHUTDOWN_crash, SHUTDOWN_poweroff } from '#abi/xen/sched.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { bootedRig, type RootFiles } from '#testing/booted-rig.ts'
import { domUParts } from '#testing/domu-rig.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'
import { pause, read, reboot, write } from '#user/libc/syscall.ts'

const rigOf = (files: RootFiles = {}, cmdline = 'root=/dev/ram0 rootfstype=testfs rw') => {
  let parts: ReturnType<typeof domUParts> | undefined
  const onMade = (made: KernelRig): void => {
    parts = domUParts(made)
  }
  const rig = bootedRig(files, { domU: true, cmdline, onMade })
  return { rig, ...parts! }
}

describe('the console of a domain that is not the first', () => {
  test('is /dev/console without being asked for; both ways', () => {
    const { rig, console } = rigOf()
    expect(rig.output).toBe('')
    expect(console.shown).toContain('Xen virtual console successfully installed as xvc0\n')
    expect(console.text).toContain('installed as xvc0\n\r')
    expect(rig.kernel.log.consoleDevice).toBe(makedev(204, 191))
    console.type('hello\r')
    const status = rig.process(function* () {
      const line = byteString(yield* read(0, 100))
      yield* write(1, bytesOfString(`heard ${line}`))
      return line.length
    })
    expect(status).toBe(6 << 8)
    expect(console.shown.endsWith('hello\nheard hello\n')).toBe(true)
  })

  test('loses nothing while nobody reads: a writer waits, the log goes on', () => {
    const { rig, console } = rigOf()
    const before = console.text.length
    console.reads = false
    let written = 0
    rig.kernel.sched.kthread('log', function* () {
      for (let i = 0; i < 300; i++) rig.kernel.log.printk(`<4>line ${i}\n`)
    })
    rig.xen.kick()
    rig.settle()
    expect(console.text.length).toBe(before)
    console.reads = true
    console.serve()
    rig.settle()
    const lines = Array.from({ length: 300 }, (_, i) => `line ${i}\n\r`).join('')
    expect(console.text.slice(before)).toBe(lines)
    console.reads = false
    const writer = function* (): Sys<number> {
      for (let i = 0; i < 100; i++) written += yield* write(1, bytesOfString('0123456789'.repeat(30)))
      return 0
    }
    expect(() => rig.process(writer)).toThrow('never ends')
    // The ring, and one page of buffer.
    expect(written).toBeLessThanOrEqual(6144)
    console.reads = true
    console.serve()
    rig.settle()
    expect(written).toBe(30000)
    expect(console.text.slice(before + lines.length)).toBe('0123456789'.repeat(3000))
  })

  test('input of more than a ring', () => {
    const { rig, console } = rigOf()
    const text = `${'x'.repeat(199)}\r`.repeat(15)
    let heard = 0
    rig.kernel.sched.kthread('typist', function* () {
      yield* rig.kernel.sched.sleepFor(1e6)
      console.type(text)
    })
    expect(
      rig.process(function* () {
        while (heard < 3000) heard += (yield* read(0, 4096)).length
        return 7
      }),
    ).toBe(7 << 8)
  })

  const { in_prod, out_cons } = xencons_interface.fields
  test.each([
    ['in_prod', in_prod, 0x7fffffff],
    ['out_cons', out_cons, 0x12345678],
  ] as const)('%s far away harms nobody', (_name, field, value) => {
    const { rig, console } = rigOf()
    field.set(rig.xen.memory, rig.xen.console.at, value)
    rig.xen.raise(rig.xen.console.port)
    rig.settle()
    rig.kernel.log.printk('<4>still here\n')
    expect(rig.xen.shutdown).toBeUndefined()
    expect(console.text).toContain('Freeing unused kernel memory')
  })

  test('^O and a key is for the kernel', () => {
    const { rig, console } = rigOf()
    console.type('\x0fh')
    rig.settle()
    expect(console.shown).toContain('SysRq : HELP : loglevel0-8 reBoot Crashdump tErm ')
    console.type('\x0f')
    rig.runFor(3e9)
    console.type('h')
    rig.settle()
    expect(console.shown.endsWith('h')).toBe(true)
    expect(console.shown.split('SysRq').length).toBe(2)
  })
})

describe('the end', () => {
  test('init’s is the domain’s, and its words are read before', () => {
    const { rig, console } = rigOf({
      '/bin/true': function* () {
        return 0
      },
      '/sbin/init': function* () {
        yield* pause()
        return 0
      },
    })
    console.reads = false
    rig.kernel.sched.sendSignal(rig.kernel.sched.task(1)!, 9)
    for (let i = 0; i < 100; i++) rig.kernel.log.printk(`<4>a long last sentence, number ${i}\n`)
    rig.xen.kick()
    expect(() =>
      rig.run(function* (kernel) {
        kernel.panic('Attempted to kill init!')
      }),
    ).toThrow()
    expect(rig.xen.shutdown).toBeUndefined()
    console.reads = true
    console.serve()
    rig.settle()
    expect(console.shown.endsWith('number 99\nKernel panic - not syncing: Attempted to kill init!\n')).toBe(true)
    expect(rig.xen.shutdown).toBe(SHUTDOWN_crash)
  })

  test('halt powers off', () => {
    const { rig, console } = rigOf()
    expect(() => rig.process(() => reboot(0xcdef0123))).toThrow()
    expect([rig.xen.shutdown, console.shown.endsWith('System halted.\n')]).toEqual([SHUTDOWN_poweroff, true])
  })
})
