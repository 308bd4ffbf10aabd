import { describe, expect, test } from 'vitest'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import { bootedRig } from '#testing/booted-rig.ts'
import { domUParts, domURig } from '#testing/domu-rig.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'

describe('a domain that is not the first', () => {
  test('says on its console what it finds, and crashes without a disk', () => {
    const rig = domURig()
    let ports = 0
    Object.assign(rig.xen.vcpu, {
      io: new Proxy({}, { get: () => () => ports++ }),
    })
    rig.settle()
    expect(rig.output).toBe('')
    expect(rig.console.shown).toBe(rig.kernel.log.text().replace(/^Probing.*\n/m, ''))
    let at = 0
    for (const line of [
      'Bootdata ok (command line is root=/dev/sda1 ro)\n',
      ' Xen: 0000000000000000 - 0000000004800000 (usable)\n',
      'Console: colour dummy device 80x25\n',
      'xen_mem: Initialising balloon driver.\n',
      'Event-channel device installed.\n',
      'Xen virtual console successfully installed as xvc0\n',
      'ide: Assuming 50MHz system bus speed for PIO modes; override with idebus=xx\n',
      'VFS: Cannot open root device "sda1" or unknown-block(0,0)\nPlease append a correct "root=" boot option\n',
      'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n',
    ]) {
      const found = rig.console.shown.indexOf(line, at)
      expect([line, found >= at]).toEqual([line, true])
      at = found + line.length
    }
    for (const line of ['Serial:', 'i8042', 'PS/2', 'hda', 'xsd_'])
      expect([line, rig.console.shown.includes(line)]).toEqual([line, false])
    expect([ports, rig.xen.shutdown]).toEqual([0, SHUTDOWN_crash])
  })

  test('shows the memory map that it was given', () => {
    const rig = domURig({ pages: 32 * 256, memoryMap: 72 * 256 })
    rig.settle()
    expect(rig.console.shown).toContain(' Xen: 0000000000000000 - 0000000004800000 (usable)\n')
    expect(rig.console.shown).toMatch(/Memory: \d+k\/73728k available/)
  })

  test('built without rings, it has neither console nor store, and lives', () => {
    const rig = domURig({ domU: true })
    rig.xen.memory.fill(0, 0, 0)
    const { mem, startInfo } = rig.kernel
    mem.write32(startInfo + 64, 0)
    mem.write32(startInfo + 80, 0)
    rig.settle()
    expect([rig.kernel.xenbus, rig.console.text, rig.xen.shutdown]).toEqual([undefined, '', SHUTDOWN_crash])
  })

  const small = (pages: number, init: () => Generator<unknown, number, unknown>) => {
    let parts: ReturnType<typeof domUParts> | undefined
    const onMade = (made: KernelRig): void => {
      parts = domUParts(made)
    }
    const rig = bootedRig(
      { '/bin/true': init as never },
      { domU: true, pages, memoryMap: pages + 2048, cmdline: 'root=/dev/ram0 rootfstype=testfs rw', onMade },
    )
    return { rig, ...parts! }
  }
  test.each([1024, 1536, 2048])('lives in %i pages', (pages) => {
    const { rig } = small(pages, function* () {
      return 3
    })
    expect(
      rig.process(function* () {
        return 3
      }),
    ).toBe(3 << 8)
    expect(rig.kernel.pages.free).toBeGreaterThan(pages * 0.3)
    expect(rig.kernel.log.text()).not.toContain('oom')
  })

  test('init=/bin/true is its end', () => {
    let parts: ReturnType<typeof domUParts> | undefined
    expect(() =>
      bootedRig(
        {
          '/bin/true': function* () {
            return 0
          },
        },
        {
          domU: true,
          cmdline: 'root=/dev/ram0 rootfstype=testfs rw init=/bin/true',
          onMade(made) {
            parts = domUParts(made)
          },
        },
      ),
    ).toThrow('Attempted to kill init!')
    expect(parts!.console.shown.endsWith('Kernel panic - not syncing: Attempted to kill init!\n')).toBe(true)
  })
})
