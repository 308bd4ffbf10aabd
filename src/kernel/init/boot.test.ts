import { describe, expect, test } from 'vitest'
import {
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
} from '#abi/posix/reboot.ts'
import { SIGINT, SIGSEGV } from '#abi/posix/signal.ts'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { SHUTDOWN_crash, SHUTDOWN_poweroff, SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import { bootedRig, type RootFiles } from '#testing/booted-rig.ts'
import { type KernelRig, kernelRig, type RigOptions } from '#testing/kernel-rig.ts'
import type { OsError } from '#user/libc/errno.ts'
import {
  clock_gettime,
  clock_settime,
  pause,
  reboot,
  rt_sigaction,
  sched_yield,
  setuid,
  sysinfo,
  uname,
  write,
} from '#user/libc/syscall.ts'
import { coreOf } from '../core.ts'
import { PARTS } from '../main.ts'
import { startKernel } from './start-kernel.ts'

const unbooted = (cmdline: string, options: RigOptions = {}): KernelRig => {
  const rig = kernelRig({ cmdline, parts: PARTS, boot: startKernel, ...options })
  rig.settle()
  return rig
}
const text = (string: string): Uint8Array => Uint8Array.from(string, (letter) => letter.charCodeAt(0))
const shown = (rig: KernelRig): string => rig.output.replaceAll('\r', '')
const read = (rig: KernelRig, path: string): string => {
  const found = (coreOf(rig.kernel).proc as unknown as { files?: Map<string, { read(): string }> }).files?.get(path)
  return found!.read()
}

describe('start_kernel', () => {
  test('says what it finds, and panics without a root', () => {
    const rig = unbooted('root=/dev/hda9 ro console=xvc0')
    let at = 0
    for (const line of [
      'Bootdata ok (command line is root=/dev/hda9 ro console=xvc0)\n',
      'Linux version 2.6.18.8-xen (root@xenhost) (cc version 1, ld version 1) #1 Tue May 12 06:32:52 UTC 2009\n',
      'BIOS-provided physical RAM map:\n Xen: 0000000000000000 - 0000000004800000 (usable)\n',
      'Built 1 zonelists.  Total pages: 18432\nKernel command line: root=/dev/hda9 ro console=xvc0\n',
      'Initializing CPU#0\nXen reported: 2400.000 MHz processor.\n',
      'Memory: 63484k/73728k available (0k kernel code, 2052k reserved, 156k data, 1860k init)\n',
      'Calibrating delay using timer specific routine.. 4800.00 BogoMIPS (lpj=24000000)\n',
      'VFS: Cannot open root device "hda9" or unknown-block(0,0)\nPlease append a correct "root=" boot option\n',
      'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n',
    ]) {
      const found = shown(rig).indexOf(line, at)
      expect([line, found >= at]).toEqual([line, true])
      at = found + line.length
    }
    expect(rig.xen.shutdown).toBe(SHUTDOWN_crash)
  })

  test('runs nothing where there is no init', () => {
    expect(() => bootedRig({ '/sbin/init': 'no program' })).toThrow(
      /No init found\. {2}Try passing init= option to kernel\.|no init/,
    )
  })
})

const initOf = (body: () => Sys<unknown>): RootFiles => ({
  '/sbin/init': function* () {
    yield* body()
    for (;;) yield* pause()
  } satisfies ProgramEntry,
})

describe('init', () => {
  test('gets the words that the kernel does not know', () => {
    let heard = ''
    const rig = bootedRig(
      {
        '/bin/other': function* (argv, envp) {
          heard = `${argv.join(' ')} env ${envp.join(' ')}`
          for (;;) yield* pause()
        },
        '/sbin/init': function* () {
          for (;;) yield* pause()
        },
      },
      { cmdline: 'root=/dev/ram0 rootfstype=testfs rw quiet single FOO=bar mod.x=1 init=/sbin/init' },
    )
    expect(rig.kernel.log.text()).toContain("Unknown boot option `mod.x=1': ignoring\n")
    expect(heard).toBe('')
    expect(rig.kernel.sched.task(1)!.argv).toEqual(['/sbin/init', 'single'])
    expect(rig.kernel.sched.task(1)!.envp).toEqual(['HOME=/', 'TERM=linux', 'FOO=bar'])
  })

  test.each([
    ['restart', LINUX_REBOOT_CMD_RESTART, 'Restarting system.\n', SHUTDOWN_reboot],
    ['halt', LINUX_REBOOT_CMD_HALT, 'System halted.\n', SHUTDOWN_poweroff],
    ['power off', LINUX_REBOOT_CMD_POWER_OFF, 'Power down.\n', SHUTDOWN_poweroff],
  ] as const)('reboot: %s', (_name, command, line, reason) => {
    const rig = bootedRig()
    expect(() => rig.process(() => reboot(command))).toThrow()
    expect(rig.kernel.log.text().endsWith(line)).toBe(true)
    expect(rig.xen.shutdown).toBe(reason)
  })

  test('reboot is root’s', () => {
    const rig = bootedRig()
    const status = rig.process(function* () {
      yield* setuid(500)
      try {
        return yield* reboot(LINUX_REBOOT_CMD_RESTART)
      } catch (error) {
        return (error as OsError).errno
      }
    })
    expect(status).toBe(1 << 8)
    expect(rig.xen.shutdown).toBeUndefined()
  })

  test('its end is the system’s', () => {
    const rig = bootedRig(
      initOf(function* () {
        yield* rt_sigaction(
          SIGINT,
          function* (): Sys<void> {
            throw new Error('gone')
          },
          0,
          0,
        )
        yield* reboot(LINUX_REBOOT_CMD_CAD_OFF)
      }),
    )
    rig.kernel.ctrlAltDel()
    rig.xen.kick()
    rig.settle()
    expect(shown(rig)).toContain('Kernel panic - not syncing: Attempted to kill init!\n')
    expect(rig.xen.shutdown).toBe(SHUTDOWN_crash)
  })

  test('Ctrl-Alt-Del restarts as long as nobody has said otherwise', () => {
    const rig = bootedRig()
    rig.kernel.ctrlAltDel()
    rig.xen.kick()
    rig.settle()
    expect(rig.xen.shutdown).toBe(SHUTDOWN_reboot)
  })

  test('a fault in a system call is the process’s end alone', () => {
    const rig = bootedRig({}, { oopsPanics: false })
    Object.assign(rig.kernel.sched, {
      yieldNow: () => {
        throw new TypeError('engine words')
      },
    })
    const status = rig.process(function* () {
      yield* sched_yield()
      return 0
    })
    expect(status).toBe(SIGSEGV)
    expect(rig.kernel.log.text()).toContain('Unable to handle kernel fault: type error\nOops: 0000 [1]\n')
    expect(
      rig.process(function* () {
        return 1
      }),
    ).toBe(1 << 8)
  })
})

describe('what the system says of itself', () => {
  test('uname, sysinfo, clocks', () => {
    const rig = bootedRig()
    const said: unknown[] = []
    rig.process(function* () {
      said.push((yield* uname()).release, (yield* sysinfo()).procs >= 2)
      const [before] = yield* clock_gettime(0)
      yield* clock_settime(0, before + 1000, 5)
      const [after, ns] = yield* clock_gettime(0)
      said.push(after - before, ns < 1_000_000)
      yield* write(1, text('seen\n'))
      return 0
    })
    expect(said).toEqual(['2.6.18.8-xen', true, 1000, true])
    expect(shown(rig).endsWith('seen\n')).toBe(true)
  })

  test('/proc', () => {
    const rig = kernelRig({ cmdline: 'quiet root=/dev/none', boot: startKernel })
    rig.xen.step({ run: () => ({ kind: 'run' }), upcall() {} })
    rig.settle(() => false, 1)
    const { pages } = rig.kernel
    const meminfo = read(rig, 'meminfo')
    expect(meminfo).toContain(`MemTotal:     ${String(pages.total * 4).padStart(8)} kB\nMemFree:      `)
    expect(read(rig, 'version')).toBe(
      'Linux version 2.6.18.8-xen (root@xenhost) (cc version 1, ld version 1) #1 Tue May 12 06:32:52 UTC 2009\n',
    )
    expect(read(rig, 'loadavg')).toMatch(/^0\.00 0\.00 0\.00 \d+\/\d+ \d+\n$/)
    expect(read(rig, 'uptime')).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/)
    expect(read(rig, 'interrupts')).toMatch(/^ {11}CPU0 {7}\n256: +\d+ {5}Dynamic-irq {2}timer0\n/)
    expect(read(rig, 'stat')).toMatch(
      /^cpu {2}\d+ 0 \d+ \d+ 0 0 0 0\ncpu0 .*\nintr \d+( \d+)+\nctxt \d+\nbtime 12421099\d\d\nprocesses \d+\n/,
    )
    expect(read(rig, 'cmdline')).toBe('quiet root=/dev/none\n')
    expect(read(rig, 'sys/kernel/printk')).toBe('4\t4\t1\t7\n')
  })
})
