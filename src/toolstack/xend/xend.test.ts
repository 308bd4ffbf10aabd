import { expect, test } from 'vitest'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { CONFIG, type FakeHost, withFakeHost } from '#testing/xend-rig.ts'
import { OsError } from '#user/libc/errno.ts'
import { children, childText, type Sxp } from '../sxp/sxp.ts'
import { XendDomain } from './domains.ts'
import { dispatch } from './rpc.ts'

const UUID = '6e4d2fbc-0d8a-5c4f-1111-222233334444'
const DISK = ['device', ['vbd', ['uname', 'file:/xen/sebastian.img'], ['dev', 'sda1'], ['mode', 'w']]]
const vm = (...more: Sxp[]): Sxp[] => [
  'vm',
  ['name', 'sebastian'],
  ['memory', 128],
  ['uuid', UUID],
  ['vcpus', 1],
  ['on_reboot', 'restart'],
  ['on_crash', 'destroy'],
  ['image', ['linux', ['kernel', '/boot/vmlinuz'], ['root', '/dev/sda1 ro']]],
  ...more,
]
/** The configuration with a value of its own for each name given. */
const changed = (values: Record<string, Sxp>): Sxp[] => {
  const rest = vm(DISK).filter((entry) => !(Array.isArray(entry) && String(entry[0]) in values))
  return [...rest, ...Object.entries(values).map(([name, value]) => [name, value])]
}

const call = (host: FakeHost, method: string, ...params: XmlRpcValue[]): Sys<XmlRpcValue> =>
  dispatch(host.xend, method, params)

/** As `xm create` does: it destroys what cannot be finished. */
function* create(host: FakeHost, config: Sxp[] = vm(DISK)): Sys<number> {
  const sxp = (yield* call(host, 'xend.domain.create', config as XmlRpcValue)) as Sxp
  const domid = Number(childText(sxp, 'domid'))
  try {
    yield* call(host, 'xend.domain.waitForDevices', domid)
    yield* call(host, 'xend.domain.unpause', domid)
  } catch (error) {
    yield* call(host, 'xend.domain.destroy', domid)
    throw error
  }
  return domid
}

/** `code text` of the fault that `act` ends in. */
function* fault(act: Sys<unknown>): Sys<string> {
  try {
    yield* act
  } catch (error) {
    if (error instanceof Fault) return `${error.code} ${error.message}`
    throw error
  }
  return 'no fault'
}

/** Whatever is left of domain `domid`. */
const traces = ({ store, hypervisor }: FakeHost, domid: number): string[] => [
  ...store.below(`/local/domain/${domid}`),
  ...store
    .below('/local/domain/0/backend')
    .filter((path) => path.includes(`/${domid}/`) || path.endsWith(`/console/${domid}`)),
  ...store.below('/vm').filter((path) => !path.includes('00000000') && path !== '/vm'),
  ...store.watches.filter((path) => path.includes(`/domain/${domid}/`) || path.startsWith(`/vm/${UUID}`)),
  ...(hypervisor.domains.has(domid) ? [`domain ${domid}`] : []),
]

const status = (vmSxp: Sxp): string => `${childText(vmSxp, 'name')} ${childText(vmSxp, 'state')}`
function* list(host: FakeHost): Sys<string[]> {
  return ((yield* call(host, 'xend.domains_with_state', true, 'all', false)) as Sxp[]).map(status)
}

test('the keys of a domain are those of xenstore.md, section 7', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    const { store } = host
    const keys = (path: string): Record<string, string> =>
      Object.fromEntries(
        store
          .below(path)
          .filter((one) => store.below(one).length === 1)
          .map((one) => [one.slice(path.length + 1), store.value(one)!]),
      )
    const { image, start_time, ...vmKeys } = keys(`/vm/${UUID}`)
    expect(Number(start_time)).toBeCloseTo(1242109972, -1)
    expect(store.value(`/vm/${UUID}/image`)).toBe(
      "(linux (kernel /boot/vmlinuz) (args 'root=/dev/sda1 ro ') (notes (FEATURES '!writable_page_tables|pae_pgdir_above_4gb') (GUEST_OS linux) (VIRT_BASE 18446744071562067968)))",
    )
    expect(vmKeys).toEqual({
      uuid: UUID,
      name: 'sebastian',
      vcpus: '1',
      vcpu_avail: '1',
      shadow_memory: '0',
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      on_crash: 'destroy',
      on_xend_start: 'ignore',
      on_xend_stop: 'ignore',
      'image/ostype': 'linux',
      'image/kernel': '/boot/vmlinuz',
      'image/cmdline': 'root=/dev/sda1 ro ',
      'image/ramdisk': '',
      'xend/restart_count': '0',
    })
    const { 'device/vbd/2049/backend': back, ...domKeys } = keys('/local/domain/1')
    expect(domKeys).toEqual({
      vm: `/vm/${UUID}`,
      domid: '1',
      name: 'sebastian',
      'memory/target': '131072',
      'console/ring-ref': '2001',
      'console/port': '2',
      'console/limit': '1048576',
      'console/type': 'xenconsoled',
      'store/ring-ref': '1001',
      'store/port': '1',
      'control/platform-feature-multiprocessor-suspend': '1',
      'cpu/0/availability': 'online',
      'image/features/writable-page-tables': '0',
      'image/features/pae-pgdir-above-4gb': '1',
      'image/guest-os': 'linux',
      'image/virt-base': '18446744071562067968',
      'device/vbd/2049/backend-id': '0',
      'device/vbd/2049/state': '1',
      'device/vbd/2049/virtual-device': '2049',
      'device/vbd/2049/device-type': 'disk',
      'device/vbd/2049/protocol': 'x86_64-abi',
      'device/console/0/backend': '/local/domain/0/backend/console/1/0',
      'device/console/0/backend-id': '0',
      'device/console/0/state': '1',
      'device/console/0/protocol': 'x86_64-abi',
      'device-misc/console/nextDeviceID': '1',
    })
    const { uuid, ...backKeys } = keys(back!)
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
    expect(backKeys).toEqual({
      domain: 'sebastian',
      frontend: '/local/domain/1/device/vbd/2049',
      'frontend-id': '1',
      state: '1',
      online: '1',
      dev: 'sda1',
      type: 'file',
      params: '/xen/sebastian.img',
      mode: 'w',
      'hotplug-status': 'connected',
    })
    expect([
      store.permissions('/vm'),
      store.permissions(`/vm/${UUID}/uuid`),
      store.permissions(`/vm/${UUID}/image/cmdline`),
      store.permissions('/local/domain/1'),
      store.permissions('/local/domain/1/device/vbd/2049'),
      store.permissions(back!),
    ]).toEqual(['n0', 'r1', 'r1', 'n1', 'n1,r0', 'n0,r1'])
    expect(image).toBeUndefined()
    expect(keys('/local/domain/0')).toMatchObject({
      domid: '0',
      name: 'Domain-0',
      vm: '/vm/00000000-0000-0000-0000-000000000000',
      'memory/target': '262144',
    })
  })
})

test('a domain is created, listed, paused, and destroyed without a trace', () => {
  withFakeHost(function* (host) {
    const free = host.hypervisor.freePages
    const domid = yield* create(host)
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian ------'])
    expect(host.hypervisor.domains.get(1)).toMatchObject({ introduced: true, ports: 2, maxMemkb: 131072, weight: 256 })
    yield* call(host, 'xend.domain.pause', 'sebastian')
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian --p---'])
    const full = (yield* call(host, 'xend.domain', 'sebastian', true)) as Sxp
    expect(children(full).map((entry) => (entry as Sxp[])[0])).toEqual(
      'domid on_crash uuid bootloader_args vcpus name on_poweroff on_reboot bootloader maxmem memory shadow_memory features on_xend_start on_xend_stop start_time cpu_time online_vcpus image status state store_mfn console_mfn device device'.split(
        ' ',
      ),
    )
    yield* call(host, 'xend.domain.destroy', domid)
    yield* host.threads.sleep(10)
    expect(traces(host, domid)).toEqual([])
    expect(host.hypervisor.freePages).toBe(free)
    expect(yield* list(host)).toEqual(['Domain-0 r-----'])
  })
})

test.each([
  ['xend.domain', ['nobody'], '3 nobody'],
  ['xend.domain', [7], '3 7'],
  ['xend.domain.destroy', ['nobody'], '3 nobody'],
  ['xend.domain.destroy', [77], "2 (3, 'No such process')"],
  ['xend.domain.destroy', ['Domain-0'], '2 Cannot destroy privileged domain Domain-0'],
  ['xend.domain.destroy', [0], '2 Cannot destroy privileged domain 0'],
  ['xend.domain.pause', ['0'], '2 Cannot pause privileged domain 0'],
  ['xend.domain.unpause', ['Domain-0'], '2 Cannot unpause privileged domain Domain-0'],
  ['xend.domain.reset', ['Domain-0'], '2 Cannot reset privileged domain Domain-0'],
  ['xend.domain.shutdown', ['Domain-0', 'poweroff'], '2 Domain 0 cannot be shutdown'],
  ['xend.domain.setName', ['Domain-0', 'a b'], '2 Invalid VM Name'],
  ['xend.domain.setName', ['Domain-0', ''], '2 Missing VM Name'],
  ['xend.domain.setMemoryTarget', [0, 100], '2 memory_dynamic_max too small'],
  ['xend.domain.setVCpuCount', [0, 0], '2 Invalid VCPUs'],
  ['xend.domain.sched_credit_set', [0, 70000, null], '2 weight is out of range'],
  ['xend.domain.sched_credit_set', [0, null, 101], '2 cap is out of range'],
  ['xend.domain.send_trigger', [0, 'x'], '2 Invalid trigger: x'],
  ['xend.domain.save', [0, '/tmp/x'], '2 Cannot save privileged domain 0'],
  ['xend.domain.nonsense', [0], '1 method "xend.domain.nonsense" is not supported'],
  ['constructor', [0], '1 method "constructor" is not supported'],
])('%s%j is refused: %s', (method, params, text) => {
  withFakeHost(function* (host) {
    expect(yield* fault(call(host, method, ...params))).toBe(text)
  })
})

test.each<[Record<string, Sxp>, string]>([
  [{ name: '' }, '2 Missing VM Name'],
  [{ name: 'a b' }, '2 Invalid VM Name'],
  [{ memory: 0 }, '2 Invalid Configuration: memory_dynamic_max must be greater than zero'],
  [{ maxmem: 64 }, '2 Invalid Configuration: memory_dynamic_max must be less than or equal to memory_static_max'],
  [{ on_crash: 'explode' }, '2 Invalid Configuration: Invalid event handling mode: crash'],
  [{ device: ['vif'] }, '2 Invalid Configuration: XendConfig: vif not a valid device type'],
  [{ device: ['vbd', ['uname', 'file:/x'], ['dev', 'sda1'], ['mode', 'q']] }, '2 Invalid mode'],
  [
    { device: ['vbd', ['uname', 'nfs:/x'], ['dev', 'sda1']] },
    '2 Block device must have "phy", "file" or "tap" specified to type',
  ],
  [{ device: ['vbd', ['uname', '/x'], ['dev', 'sda1']] }, '2 Block device must have physical details specified'],
  [{ device: ['vbd', ['uname', 'file:/x'], ['dev', 'sda99']] }, '2 Unable to find number for device (sda99)'],
  [{ image: ['linux', ['kernel', '/boot/nothing']] }, '2 Kernel image does not exist: /boot/nothing'],
  [
    { image: ['linux', ['kernel', '/boot/vmlinuz'], ['ramdisk', '/initrd']] },
    '2 Kernel ramdisk does not exist: /initrd',
  ],
  [{ image: ['linux'] }, "2 Bootloader isn't executable"],
  [{ image: ['linux'], device: ['console'] }, '2 Had a bootloader specified, but no disks are bootable'],
  [
    { image: ['hvm', ['kernel', '/x']] },
    '2 HVM guest support is unavailable: is VT/AMD-V supported by your CPU and enabled in your BIOS?',
  ],
  [{ cpus: 'x' }, '2 Invalid Configuration: cpus = x: invalid literal for int(): x'],
  [
    { memory: 810 },
    '2 I need 833536 KiB, but dom0_min_mem is 200704 and shrinking to 200704 KiB would leave only 831488 KiB free.',
  ],
  [
    { memory: 2000 },
    '2 I need 2056192 KiB, but dom0_min_mem is 200704 and shrinking to 200704 KiB would leave only 831488 KiB free.',
  ],
])('a domain with %j is refused: %s', (values, text) => {
  withFakeHost(function* (host) {
    const before = host.hypervisor.freePages
    expect(yield* fault(create(host, changed(values)))).toBe(text)
    yield* host.threads.sleep(10)
    expect(traces(host, 1)).toEqual([])
    expect(host.hypervisor.freePages).toBe(before)
  })
})

test('domain 0 gives memory back for a domain that needs it', () => {
  withFakeHost(function* (host) {
    yield* create(host, changed({ memory: 780 }))
    expect(host.store.value('/local/domain/0/memory/target')).toBe(
      String(Math.floor((262144 - (802816 - 770048)) / 1024) * 1024),
    )
    expect(host.log()).toContain('Balloon: setting dom0 target to')
    expect(yield* list(host)).toHaveLength(2)
  })
  withFakeHost(function* (host) {
    expect(yield* fault(create(host, changed({ memory: 780 })))).toBe(
      '2 Not enough free memory and enable-dom0-ballooning is False, so I cannot release any more.  I need 802816 KiB but only have 770048.',
    )
  }, '(enable-dom0-ballooning no)')
})

test.each([
  [
    { status: 'error', error: '/xen/sebastian.img does not exist.' },
    '2 Device 2049 (vbd) could not be connected. /xen/sebastian.img does not exist.',
  ],
  [{ status: 'error' }, '2 Device 2049 (vbd) could not be connected. Backend device not found.'],
  [
    { status: 'busy', error: 'Device /dev/x is mounted in a guest domain,\nand so cannot be mounted now.' },
    '2 Device 2049 (vbd) could not be connected.\nDevice /dev/x is mounted in a guest domain,\nand so cannot be mounted now.',
  ],
  [undefined, '2 Device 2049 (vbd) could not be connected. Hotplug scripts not working.'],
])('hotplug scripts that answer %j fail the creation', (hotplug, text) => {
  withFakeHost(function* (host) {
    host.hotplug = hotplug
    expect(yield* fault(create(host))).toBe(text)
    yield* host.threads.sleep(10)
    expect(traces(host, 1)).toEqual([])
  })
})

test('a failure at any step of the creation leaves nothing', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    yield* call(host, 'xend.domain.destroy', 'sebastian')
    const { faults, hypervisor } = host
    let from = faults.calls
    yield* create(host)
    const steps = faults.calls - from
    yield* call(host, 'xend.domain.destroy', 'sebastian')
    expect(steps).toBeGreaterThan(100)
    const before = host.store.below('/').length
    const free = hypervisor.freePages
    let failed = 0
    let next = 3
    for (let step = 1; step <= steps; step++) {
      from = faults.calls
      faults.at = from + step
      try {
        yield* create(host)
      } catch (error) {
        if (!(error instanceof Fault) && !(error instanceof OsError)) throw error
        failed++
      }
      faults.at = 0
      const domid = next
      if (hypervisor.domains.has(domid)) yield* call(host, 'xend.domain.destroy', domid)
      next = hypervisor.next
      yield* host.threads.sleep(20)
      expect([step, [...hypervisor.domains.keys()], hypervisor.freePages]).toEqual([step, [0], free])
      expect([step, traces(host, domid)]).toEqual([step, []])
    }
    expect(failed).toBeGreaterThan(50)
    expect(host.store.below('/').length).toBe(before)
  })
})

test('a name and a uuid belong to one domain', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    expect(yield* fault(create(host))).toBe("2 Domain 'sebastian' already exists with ID '1'")
    expect(yield* fault(create(host, changed({ name: 'other' })))).toBe("2 Domain 'other' already exists with ID '1'")
    yield* create(host, changed({ name: 'other', uuid: '11111111-2222-3333-4444-555555555555' }))
    expect(yield* fault(call(host, 'xend.domain.setName', 'other', 'sebastian'))).toBe(
      "2 VM name 'sebastian' already exists as domain 1",
    )
    yield* call(host, 'xend.domain.setName', 'other', 'viola')
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian ------', 'viola ------'])
  })
})

test('memory, vcpus and scheduling are set', () => {
  withFakeHost(function* (host) {
    yield* create(host, changed({ maxmem: 256 }))
    yield* call(host, 'xend.domain.setMemoryTarget', 'sebastian', 112)
    expect([host.store.value(`/vm/${UUID}/memory`), host.store.value('/local/domain/1/memory/target')]).toEqual([
      '112',
      '114688',
    ])
    expect(childText((yield* call(host, 'xend.domain', 1)) as Sxp, 'memory')).toBe('112')
    expect(yield* fault(call(host, 'xend.domain.setMemoryTarget', 1, 300))).toBe(
      '2 Invalid Configuration: memory_dynamic_max must be less than or equal to memory_static_max',
    )
    yield* call(host, 'xend.domain.maxmem_set', 1, 200)
    expect(host.hypervisor.domains.get(1)!.maxMemkb).toBe(204800)
    yield* call(host, 'xend.domain.sched_credit_set', 1, 512, null)
    expect(yield* call(host, 'xend.domain.sched_credit_get', 1)).toEqual({ weight: 512, cap: 0 })
    expect(yield* call(host, 'xend.domain.pincpu', 1, 'all', [0])).toBe(0)
    yield* call(host, 'xend.domain.setVCpuCount', 1, 2)
    expect(host.store.value(`/vm/${UUID}/vcpu_avail`)).toBe('3')
    yield* call(host, 'xend.domain.send_sysrq', 1, 's')
    yield* call(host, 'xend.domain.shutdown', 1, 'reboot')
    expect([
      host.store.value('/local/domain/1/control/sysrq'),
      host.store.value('/local/domain/1/control/shutdown'),
    ]).toEqual(['s', 'reboot'])
    expect(yield* fault(call(host, 'xend.domain.shutdown', 1, 'nap'))).toBe('2 Invalid reason: nap')
  })
})

test('disks come and go', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    yield* call(host, 'xend.domain.device_create', 1, ['vbd', ['uname', 'phy:hda2'], ['dev', 'xvdb'], ['mode', 'r']])
    const sxprs = (yield* call(host, 'xend.domain.getDeviceSxprs', 1, 'vbd')) as Sxp[][]
    expect(sxprs.map(([devid]) => devid)).toEqual(['2049', '51728'])
    expect(yield* call(host, 'xend.domain.getBlockDeviceClass', 1, 'xvdb')).toBe('vbd')
    const again = ['vbd', ['uname', 'phy:hda3'], ['dev', 'xvdb'], ['mode', 'r']]
    expect(yield* fault(call(host, 'xend.domain.device_create', 1, again))).toBe(
      '2 Invalid Configuration: The device "xvdb" is already defined',
    )
    yield* call(host, 'xend.domain.destroyDevice', 1, 'vbd', 'xvdb', false, true)
    expect(((yield* call(host, 'xend.domain.getDeviceSxprs', 1, 'vbd')) as Sxp[]).length).toBe(1)
    expect(yield* fault(call(host, 'xend.domain.destroyDevice', 1, 'vbd', 'xvdb', false, true))).toBe(
      '2 Device 51728 not connected',
    )
    expect(yield* fault(call(host, 'xend.domain.destroyDevice', 1, 'vbd', 'nonsense', false, true))).toBe(
      '2 Device nonsense not connected',
    )
  })
})

test.each([
  ['poweroff', 0, {}, []],
  ['reboot', 1, {}, ['sebastian']],
  ['crash', 3, {}, []],
  ['crash', 3, { on_crash: 'preserve' }, ['sebastian']],
  ['crash', 3, { on_crash: 'rename-restart' }, ['Domain-', 'sebastian']],
  ['crash', 3, { on_crash: 'restart' }, ['sebastian']],
  ['poweroff', 0, { on_poweroff: 'preserve' }, ['sebastian']],
])('a domain that stops by %s (%i) with %j', (reason, code, values, left) => {
  withFakeHost(function* (host) {
    yield* create(host, changed(values))
    host.stops(1, code)
    yield* host.threads.sleep(1000)
    const names = (yield* list(host)).slice(1).map((line) => line.replace(/-[0-9a-f-]{30,}/, '-').split(' ')[0])
    expect(names.sort()).toEqual([...left].sort((a, b) => (a < b ? -1 : 1)))
    const text =
      reason === 'crash'
        ? 'Domain has crashed: name=sebastian id=1.'
        : `Domain has shutdown: name=sebastian id=1 reason=${reason}.`
    expect(host.log().split(text)).toHaveLength(2)
    if (left.length === 0) expect(traces(host, 1)).toEqual([])
    for (const domid of host.hypervisor.domains.keys()) if (domid > 0) yield* call(host, 'xend.domain.destroy', domid)
    yield* host.threads.sleep(100)
    expect([...traces(host, 1), ...traces(host, 2)]).toEqual([])
  })
})

test('restarts are counted, and not done too often', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    host.stops(1, 1)
    yield* host.threads.sleep(1000)
    expect(yield* call(host, 'xend.domain.getRestartCount', 'sebastian')).toBe('1')
    yield* host.threads.sleep(25_000)
    host.stops(2, 1)
    yield* host.threads.sleep(1000)
    expect(yield* call(host, 'xend.domain.getRestartCount', 'sebastian')).toBe('2')
    host.stops(3, 1)
    yield* host.threads.sleep(1000)
    expect(yield* list(host)).toEqual(['Domain-0 r-----'])
    expect(host.log()).toMatch(
      /ERROR \(XendDomainInfo:1752\) VM sebastian restarting too fast \(\d\.\d{6} seconds since the last restart\)\. {2}Refusing to restart to avoid loops\./,
    )
    expect(traces(host, 3)).toEqual([])
  })
})

test('a guest that ignores control/shutdown is called unresponsive after 300 s', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    yield* call(host, 'xend.domain.shutdown', 1, 'poweroff')
    yield* host.threads.sleep(299_000)
    expect(host.store.value('/local/domain/1/xend/unresponsive')).toBeUndefined()
    yield* host.threads.sleep(2000)
    expect(host.store.value('/local/domain/1/xend/unresponsive')).toBe('True')
    expect(host.log()).toContain('Domain shutdown timeout expired: name=sebastian id=1')
  })
})

test('requests at the same time do not disturb each other', () => {
  withFakeHost(function* (host) {
    const { threads } = host
    const results: string[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      threads.start(
        name,
        (function* () {
          const uuid = `${name.charCodeAt(0)}000000-2222-3333-4444-555555555555`
          results.push(`${name} ${yield* create(host, changed({ name, uuid, memory: 16 }))}`)
          results.push(...(yield* list(host)).filter((line) => line.startsWith(name)))
          yield* call(host, 'xend.domain.destroy', name)
        })(),
      )
    }
    for (let i = 0; i < 5; i++)
      threads.start(
        'list',
        (function* () {
          for (let k = 0; k < 10; k++) {
            yield* list(host)
            yield* threads.sleep(1)
          }
        })(),
      )
    yield* threads.sleep(2000)
    expect(results.sort()).toEqual(['a ------', 'a 1', 'b ------', 'b 2', 'c ------', 'c 3', 'd ------', 'd 4'])
    expect([...host.hypervisor.domains.keys()]).toEqual([0])
  })
})

test('another xend takes over what runs, and gives back what was never finished', () => {
  withFakeHost(function* (host) {
    yield* create(host)
    yield* call(host, 'xend.domain.setMemoryTarget', 1, 96)
    host.hypervisor.domains.get(1)!.nrPages = 96 * 256
    const before = (yield* call(host, 'xend.domain', 1, true)) as Sxp
    // Killed while it made a second one, and a third's directory is left.
    const half = host.hypervisor
    yield* half.domainCreate(new Uint8Array(16).fill(7))
    yield* half.linuxBuild(2, { memMb: 64 } as never)
    host.store.put('/local/domain/2/vm', '/vm/07070707-0707-0707-0707-070707070707')
    host.store.put('/vm/07070707-0707-0707-0707-070707070707/image/ostype', 'linux')
    host.store.put('/local/domain/3/vm', '/vm/33333333-3333-3333-3333-333333333333')
    host.store.put('/vm/33333333-3333-3333-3333-333333333333/uuid', 'x')
    // What a killed process knew is gone; so are its watches.
    for (const path of host.store.watches)
      if (path !== '/local/domain/0/backend/vbd' && !path.endsWith('target')) host.store.forget(path)
    const next = host.xend as { domains: XendDomain }
    next.domains = new XendDomain(host.xend)
    yield* host.xend.domains.init()
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian ------'])
    const after = (yield* call(host, 'xend.domain', 1, true)) as Sxp
    // It does not know the frames any more, and the time less exactly, as in life.
    const known = (sxp: Sxp): Sxp[] =>
      children(sxp).filter((entry) => !['store_mfn', 'console_mfn', 'start_time'].includes(String((entry as Sxp[])[0])))
    expect(known(after)).toEqual(
      known(before).map((entry) => ((entry as Sxp[])[0] === 'maxmem' ? ['maxmem', 128] : entry)),
    )
    expect([...half.domains.keys()]).toEqual([0, 1])
    expect(host.store.below('/local/domain/2')).toEqual([])
    expect(host.store.below('/local/domain/3')).toEqual([])
    expect(host.store.below('/vm').filter((path) => path.includes('07070707') || path.includes('33333333'))).toEqual([])
    host.stops(1, 0)
    yield* host.threads.sleep(1000)
    expect(traces(host, 1)).toEqual([])
  })
})

test('managed domains are remembered while they do not run', () => {
  withFakeHost(function* (host) {
    yield* call(host, 'xend.domain.new', vm(DISK) as XmlRpcValue)
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian undefined'])
    expect(yield* fault(call(host, 'xend.domain.pause', 'sebastian'))).toBe("2 Domain 'sebastian' is not started")
    yield* call(host, 'xend.domain.start', 'sebastian', false)
    expect(yield* fault(call(host, 'xend.domain.start', 'sebastian', false))).toBe('2 Domain is already running')
    expect(yield* fault(call(host, 'xend.domain.delete', 'sebastian'))).toBe('2 Domain is not halted.')
    yield* call(host, 'xend.domain.destroy', 'sebastian')
    const next = host.xend as { domains: XendDomain }
    next.domains = new XendDomain(host.xend)
    yield* host.xend.domains.init()
    expect(yield* list(host)).toEqual(['Domain-0 r-----', 'sebastian undefined'])
    expect(childText((yield* call(host, 'xend.domain', 'sebastian')) as Sxp, 'memory')).toBe('128')
    yield* call(host, 'xend.domain.delete', 'sebastian')
    expect(yield* list(host)).toEqual(['Domain-0 r-----'])
  })
})

test('the host is described', () => {
  withFakeHost(function* (host) {
    const info = (yield* call(host, 'xend.node.info')) as [string, XmlRpcValue][]
    expect(Object.fromEntries(info)).toMatchObject({
      nr_cpus: 2,
      cpu_mhz: 2399,
      hw_caps: '178bfbff:20100800:00000000:00000140:00000001:00000000:00000001:00000000',
      virt_caps: '',
      total_memory: 1024,
      free_memory: 752,
      node_to_cpu: 'node0:0-1',
      node_to_memory: 'node0:752',
      xen_scheduler: 'credit',
      platform_params: 'virt_start=0xffff800000000000',
      xend_config_format: 4,
    })
    expect(info.map(([name]) => name).slice(0, 6)).toEqual([
      'system',
      'host',
      'release',
      'version',
      'machine',
      'nr_cpus',
    ])
    yield* call(host, 'xend.node.send_debug_keys', 'qr')
    expect(host.hypervisor.keys).toBe('qr')
    expect(yield* call(host, 'xend.node.dmesg.info')).toBe('(XEN) Xen version 3.3.0\n')
    expect(yield* call(host, 'xend.node.log')).toContain('Adding Domain: 0')
    expect(CONFIG).toContain('196')
  })
})
