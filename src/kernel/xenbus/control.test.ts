import { describe, expect, test } from 'vitest'
import { SIGINT } from '#abi/posix/signal.ts'
import type { ProgramEntry, Sys } from '#abi/posix/syscalls.ts'
import { SHUTDOWN_poweroff, SHUTDOWN_reboot } from '#abi/xen/sched.ts'
import { bootedRig, type RootFiles } from '#testing/booted-rig.ts'
import { bareDomU, domUParts, procFile } from '#testing/domu-rig.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'
import { fork, pause, reboot } from '#user/libc/syscall.ts'
import { coreOf } from '../core.ts'
import { controlInit } from './control.ts'

function rigOf(files: RootFiles = {}, keys: Readonly<Record<string, string>> = {}) {
  let parts: ReturnType<typeof domUParts> | undefined
  const onMade = (made: KernelRig): void => {
    parts = domUParts(made, keys)
  }
  const rig = bootedRig(files, { domU: true, cmdline: 'root=/dev/ram0 rootfstype=testfs rw', onMade })
  const { store, console } = parts!
  const set = (path: string, value: string | undefined): void => {
    store.set(path, value)
    rig.xen.kick()
    rig.settle()
  }
  return { rig, store, console, set }
}

describe('control/shutdown', () => {
  test.each(['poweroff', 'halt'])('%s runs /sbin/poweroff', (wish) => {
    const heard: unknown[] = []
    const poweroff: ProgramEntry = function* (argv, envp) {
      heard.push(argv, envp)
      return yield* reboot(0x4321fedc)
    }
    const { rig, store, set } = rigOf({ '/sbin/poweroff': poweroff })
    set('control/shutdown', wish)
    expect(heard).toEqual([['/sbin/poweroff'], ['HOME=/', 'TERM=linux', 'PATH=/sbin:/usr/sbin:/bin:/usr/bin']])
    expect([rig.xen.shutdown, store.get('control/shutdown')]).toEqual([SHUTDOWN_poweroff, ''])
  })

  test('without the program nothing comes of it', () => {
    const { rig, set } = rigOf()
    const tasks = rig.kernel.sched.tasks.length
    set('control/shutdown', 'poweroff')
    expect([rig.xen.shutdown, rig.kernel.sched.tasks.length]).toEqual([undefined, tasks])
  })

  test('before there is a root, the kernel does it', () => {
    const rig = bareDomU(controlInit)
    rig.store.set('control/shutdown', 'halt')
    rig.xen.kick()
    rig.settle()
    expect(rig.xen.shutdown).toBe(SHUTDOWN_poweroff)
  })

  test('reboot is Ctrl-Alt-Del', () => {
    const { rig, set, store } = rigOf()
    set('control/shutdown', 'reboot')
    expect([rig.xen.shutdown, store.get('control/shutdown')]).toEqual([SHUTDOWN_reboot, ''])
    const soft = rigOf()
    coreOf(soft.rig.kernel).ctrlAltDelRestarts = false
    const init = soft.rig.kernel.sched.task(1)!
    let signalled = 0
    Object.assign(coreOf(soft.rig.kernel).sched, {
      sendSignal: (task: unknown, signo: number) => {
        if (task === init) signalled = signo
      },
    })
    soft.set('control/shutdown', 'reboot')
    expect([soft.rig.xen.shutdown, signalled]).toEqual([undefined, SIGINT])
  })

  test.each(['suspend', 'crash', 'Poweroff', '\0'])('%j is refused', (wish) => {
    const { rig, set, store } = rigOf()
    set('control/shutdown', wish)
    expect(rig.kernel.log.text()).toContain(`Ignoring shutdown request: ${wish}\n`)
    expect([rig.xen.shutdown, store.get('control/shutdown')]).toEqual([undefined, ''])
  })

  test('a node without a wish is none', () => {
    const { rig, set } = rigOf({}, { 'control/platform-feature-multiprocessor-suspend': '1' })
    set('control/shutdown', '')
    set('control/shutdown', undefined)
    expect(rig.kernel.log.text()).not.toContain('Ignoring')
  })
})

describe('control/sysrq', () => {
  test.each([
    ['h', /SysRq : HELP : loglevel0-8 reBoot .* Unmount \n$/],
    ['z', /SysRq : HELP : /],
    ['constructor', /SysRq : Trigger a crashdump\n$/],
    ['c', /SysRq : Trigger a crashdump\n$/],
    ['m', /SysRq : Show Memory\nMem-info:\nFree pages: +\d+kB [\s\S]*\d+ pages of RAM\n\d+ reserved pages\n$/],
    [
      't',
      /SysRq : Show State\n\n +sibling\n {2}task +PC +pid father child younger older\ninit +S 0{16} +0 +1 +0 .*\(NOTLB\)\n/,
    ],
    ['s', /SysRq : Emergency Sync\nEmergency Sync complete\n$/],
    ['u', /SysRq : Emergency Remount R\/O\nEmergency Remount complete\n$/],
    ['3', /SysRq : Changing Loglevel\nLoglevel set to 3\n$/],
    ['p', /SysRq : Show Regs\n$/],
  ])('%s', (key, text) => {
    const { rig, set, store } = rigOf()
    set('control/sysrq', key)
    expect(rig.kernel.log.text()).toMatch(text)
    expect([store.get('control/sysrq'), rig.xen.shutdown]).toEqual(['\0', undefined])
  })

  test('b restarts, o switches off, at once', () => {
    for (const [key, reason] of [
      ['b', SHUTDOWN_reboot],
      ['o', SHUTDOWN_poweroff],
    ] as const) {
      const { rig, set } = rigOf()
      set('control/sysrq', key)
      expect(rig.xen.shutdown).toBe(reason)
    }
  })

  test('e and i end all but init', () => {
    const forever = function* (): Sys<never> {
      for (;;) yield* pause()
    }
    const init: ProgramEntry = function* () {
      yield* fork(forever)
      return yield* forever()
    }
    for (const key of ['e', 'i']) {
      const { rig, set } = rigOf({ '/sbin/init': init })
      const before = rig.kernel.sched.tasks.filter(({ kthread, state }) => !kthread && state !== 'Z').length
      set('control/sysrq', key)
      expect([before, rig.kernel.sched.tasks.filter(({ kthread, state }) => !kthread && state !== 'Z').length]).toEqual(
        [2, 1],
      )
      expect(rig.xen.shutdown).toBeUndefined()
    }
  })

  test('is nothing where kernel.sysrq is 0; /proc/sysrq-trigger is root’s own', () => {
    const { rig, set } = rigOf()
    procFile(rig, 'sys/kernel/sysrq').write!('0\n')
    set('control/sysrq', 'h')
    expect(rig.kernel.log.text()).not.toContain('SysRq')
    procFile(rig, 'sysrq-trigger').write!('h')
    expect(rig.kernel.log.text()).toContain('SysRq : HELP')
  })
})

test.each([
  ['online', ''],
  ['offline', ''],
  ['sideways', 'XENBUS: unknown state(sideways) on CPU0\n'],
  [undefined, 'XENBUS: Unable to read cpu state\n'],
])('cpu/0/availability %s', (value, text) => {
  const { rig, set } = rigOf({}, { 'cpu/0/availability': 'online' })
  const before = rig.kernel.log.text()
  set('cpu/0/availability', value)
  set('cpu/1/availability', 'sideways')
  expect(rig.kernel.log.text().slice(before.length)).toBe(text)
})

describe('hotplug', () => {
  const device = {
    'backend/vbd/5/2049/frontend': '/local/domain/5/device/vbd/2049',
    'backend/vbd/5/2049/frontend-id': '5',
    'backend/vbd/5/2049/state': '1',
  }
  test('tells a program of back ends that come and go', () => {
    const heard: (readonly string[])[] = []
    const { rig, set } = rigOf({
      '/sbin/hotplug': function* (argv, envp) {
        heard.push([...argv, ...envp])
        return 0
      },
    })
    for (const [path, value] of Object.entries(device)) set(path, value)
    set('backend/vbd/5', undefined)
    const env = (action: string, number: number): readonly string[] => [
      '/sbin/hotplug',
      'xen-backend',
      'HOME=/',
      'PATH=/sbin:/bin:/usr/sbin:/usr/bin',
      `ACTION=${action}`,
      'DEVPATH=/devices/xen-backend/vbd-5-2049',
      'SUBSYSTEM=xen-backend',
      'XENBUS_TYPE=vbd',
      'XENBUS_PATH=backend/vbd/5/2049',
      'XENBUS_BASE_PATH=backend',
      `SEQNUM=${number}`,
    ]
    expect(heard).toEqual([env('add', 1), env('remove', 2)])
    expect(procFile(rig, 'sys/kernel/hotplug').read!()).toBe('/sbin/hotplug\n')
  })

  test('what no driver can do anything with stays until its directory goes', () => {
    const heard: unknown[] = []
    const { rig, set, store } = rigOf({
      '/sbin/hotplug': function* (_argv, envp) {
        heard.push(envp[2])
        return 0
      },
    })
    rig.run(function* (kernel) {
      kernel.xenbus!.registerBackend({ devicetype: 'vbd', *run() {} })
    })
    set('backend/vbd/5/2049/state', '1')
    expect([heard, store.get('backend/vbd/5/2049/state')]).toEqual([['ACTION=add'], '6'])
    set('backend', undefined)
    expect(heard).toEqual(['ACTION=add', 'ACTION=remove'])
  })

  test.each(['\n', '/no/such\n'])('nobody, where kernel.hotplug is %j', (helper) => {
    let heard = 0
    const { rig, set } = rigOf({
      '/sbin/hotplug': function* () {
        heard++
        return 0
      },
    })
    procFile(rig, 'sys/kernel/hotplug').write!(helper)
    const tasks = rig.kernel.sched.tasks.length
    for (const [path, value] of Object.entries(device)) set(path, value)
    expect([heard, rig.kernel.sched.tasks.length]).toEqual([0, tasks])
  })
})
