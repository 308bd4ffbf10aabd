import { describe, expect, test } from 'vitest'
import { EINVAL } from '#abi/posix/errno.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import { bareDomU } from '#testing/domu-rig.ts'
import { fail } from '../errno.ts'
import type { Sleeping } from '../sched/wait.ts'
import { xenbusInit } from './init.ts'
import { waitForDevicesInit, type XenbusProbe } from './probe.ts'
import type { XenbusDevice } from './xenbus.ts'

const BACK = '/local/domain/0/backend/vbd/1/2049'
const FRONTEND = { 'device/vbd/2049/backend': BACK, 'device/vbd/2049/backend-id': '0', 'device/vbd/2049/state': '1' }
const FRONT = '/local/domain/5/device/vbd/2049'
const BACKEND = {
  'backend/vbd/5/2049/frontend': FRONT,
  'backend/vbd/5/2049/frontend-id': '5',
  'backend/vbd/5/2049/state': '1',
}

function rigOf(
  keys: Readonly<Record<string, string>>,
  run: (device: XenbusDevice) => Sleeping<void>,
  register: 'registerFrontend' | 'registerBackend' = 'registerFrontend',
) {
  const rig = bareDomU(xenbusInit, keys)
  rig.run(function* (kernel) {
    kernel.xenbus![register]({ devicetype: 'vbd', run })
  })
  rig.settle()
  const set = (path: string, value: string | undefined): void => {
    rig.store.set(path, value)
    rig.xen.kick()
    rig.settle()
  }
  return { rig, set, state: () => rig.store.get('device/vbd/2049/state') }
}

describe('a front end', () => {
  test('shakes hands', () => {
    const seen: unknown[] = []
    const { rig, set, state } = rigOf({ ...FRONTEND, [`${BACK}/state`]: '1' }, function* (device) {
      seen.push(device.nodename, device.devicetype, device.otherend, device.otherendId, device.peerState)
      yield* device.publish({ 'ring-ref': 8, protocol: 'x86_64-abi' })
      yield* device.switchState(XenbusState.Initialised)
      seen.push(
        yield* device.untilPeer(XenbusState.Connected),
        yield* device.readPeer('sectors'),
        yield* device.read('none'),
      )
      yield* device.switchState(XenbusState.Connected)
      seen.push(yield* device.untilPeer(XenbusState.Closing))
      yield* device.switchState(XenbusState.Closed)
    })
    expect([rig.store.get('device/vbd/2049/ring-ref'), state()]).toEqual(['8', '3'])
    set(`${BACK}/sectors`, '100')
    set(`${BACK}/state`, '2')
    expect(state()).toBe('3')
    set(`${BACK}/state`, '4')
    expect(state()).toBe('4')
    set(`${BACK}/state`, '5')
    expect(state()).toBe('6')
    expect(seen).toEqual(['device/vbd/2049', 'vbd', BACK, 0, 1, 4, '100', undefined, 5])
    // Nobody watches any more, nor does the device come to life again before its directory has gone.
    expect(rig.store.watches.some(({ path }) => path.startsWith(BACK))).toBe(false)
    set('device/vbd/2049/state', '1')
    expect(seen.length).toBe(9)
    set('device/vbd/2049', undefined)
    set(`${BACK}/state`, '1')
    for (const [path, value] of Object.entries(FRONTEND)) set(path, value)
    expect(seen.length).toBe(14)
  })

  test('appears while it runs; goes when its directory goes', () => {
    const states: string[] = []
    const { set, rig } = rigOf({ [`${BACK}/state`]: '2' }, function* (device) {
      states.push('begins')
      states.push(`peer ${yield* device.untilPeer(XenbusState.Connected)} ${device.removed}`)
      yield* device.switchState(XenbusState.Closed)
    })
    for (const [path, value] of Object.entries(FRONTEND)) set(path, value)
    expect(states).toEqual(['begins'])
    set('device/vbd', undefined)
    expect(states).toEqual(['begins', 'peer 0 true'])
    expect(rig.store.get('device/vbd/2049/state')).toBeUndefined()
  })

  test.each([
    ['state 2', { 'device/vbd/2049/state': '2' }],
    ['no state', { 'device/vbd/2049/state': undefined }],
    ['nonsense', { 'device/vbd/2049/state': 'x' }],
  ])('is left alone with %s', (_name, change) => {
    let runs = 0
    const keys = Object.entries({ ...FRONTEND, ...change }).filter(([, value]) => value !== undefined)
    const { rig } = rigOf({ ...(Object.fromEntries(keys) as Record<string, string>), [BACK]: '' }, function* () {
      runs++
    })
    expect([runs, rig.kernel.log.text().includes('xenbus_dev_probe')]).toEqual([0, false])
  })

  test.each([
    [
      'no other end',
      { ...FRONTEND, 'device/vbd/2049/backend': '/local/domain/0/nowhere' },
      'unable to read other end from device/vbd/2049.  missing or inaccessible.',
    ],
    [
      'an empty one',
      { ...FRONTEND, 'device/vbd/2049/backend': '', [BACK]: '' },
      'unable to read other end from device/vbd/2049.  missing or inaccessible.',
    ],
    [
      'a strange domain',
      { ...FRONTEND, 'device/vbd/2049/backend-id': 'zero', [BACK]: '' },
      'reading other end details from device/vbd/2049',
    ],
  ])('%s: says so', (_name, keys, text) => {
    const { rig, state } = rigOf(keys, function* () {})
    expect(rig.kernel.log.text()).toContain(
      `vbd vbd-2049: 2 ${text}\nvbd vbd-2049: 2 xenbus_dev_probe on device/vbd/2049\n`,
    )
    expect(rig.store.get('error/device/vbd/2049/error')).toBe('2 xenbus_dev_probe on device/vbd/2049')
    expect(state()).toBe('6')
  })

  test('a driver that fails', () => {
    const { rig, state } = rigOf({ ...FRONTEND, [`${BACK}/state`]: '2' }, function* (device) {
      yield* device.fatal(EINVAL, 'bad thing')
      fail(EINVAL)
    })
    expect(rig.kernel.log.text()).toContain(
      'vbd vbd-2049: 22 bad thing\nvbd vbd-2049: 22 xenbus_dev_probe on device/vbd/2049\n',
    )
    expect(state()).toBe('6')
  })

  test('a change of the other end reaches a driver that sleeps elsewhere', () => {
    const seen: number[] = []
    const { set } = rigOf({ ...FRONTEND, [`${BACK}/state`]: '2' }, function* (device) {
      device.onPeerChange((state) => seen.push(state))
      yield* device.untilPeer(XenbusState.Closed)
    })
    for (const state of ['4', '4', '9', '5']) set(`${BACK}/state`, state)
    set(BACK, undefined)
    expect(seen).toEqual([4, 0])
  })
})

describe('a back end', () => {
  test('waits for what a script writes', () => {
    const seen: unknown[] = []
    const { set } = rigOf(
      { ...BACKEND, [`${FRONT}/state`]: '1' },
      function* (device) {
        seen.push(device.otherend, device.otherendId)
        seen.push(yield* device.untilKey('physical-device'))
        seen.push(yield* device.untilKey('never'), device.removed)
      },
      'registerBackend',
    )
    expect(seen).toEqual([FRONT, 5])
    set('backend/vbd/5/2049/physical-device', '')
    set('backend/vbd/5/2049/physical-device', '7:0')
    expect(seen).toEqual([FRONT, 5, '7:0'])
    set('backend/vbd/5', undefined)
    expect(seen).toEqual([FRONT, 5, '7:0', undefined, true])
  })

  test('waits for no script once its other half is gone', () => {
    const seen: unknown[] = []
    const { set } = rigOf(
      { ...BACKEND, [`${FRONT}/state`]: '1' },
      function* (device) {
        seen.push(yield* device.untilKey('physical-device'), device.removed)
      },
      'registerBackend',
    )
    expect(seen).toEqual([])
    set(FRONT, undefined)
    expect(seen).toEqual([undefined, false])
  })

  test('that has ended is unregistered: the next one is new', () => {
    let runs = 0
    const { rig, set } = rigOf(
      { ...BACKEND, [FRONT]: '' },
      function* (device) {
        runs++
        yield* device.switchState(XenbusState.Closed)
      },
      'registerBackend',
    )
    expect([runs, (rig.kernel.xenbus as XenbusProbe).devices('xen-backend').length]).toEqual([1, 0])
    set('backend/vbd/5/2049/state', '1')
    expect(runs).toBe(2)
  })
})

describe('the last initcall', () => {
  const boot = (keys: Record<string, string>, ns: number) => {
    const rig = bareDomU(waitForDevicesInit, keys)
    rig.runFor(ns)
    return rig.kernel.log.text()
  }
  test('waits for nothing where there is nothing', () => {
    expect(boot({}, 1e9)).not.toContain('XENBUS')
  })
  test('names what has no driver', () => {
    expect(boot({ 'device/console/0/state': '1', 'device/console/0/backend': BACK }, 1e9)).toContain(
      'XENBUS: Device with no driver: device/console/0\n',
    )
  })
  test('waits for a driver’s device, 300 seconds long', () => {
    const rig = bareDomU(xenbusInit, { ...FRONTEND, [`${BACK}/state`]: '2' })
    let done = false
    rig.run(function* (kernel) {
      kernel.xenbus!.registerFrontend({
        devicetype: 'vbd',
        *run(device) {
          yield* device.untilPeer(XenbusState.Connected)
        },
      })
      kernel.sched.kthread('late', function* () {
        yield* waitForDevicesInit(kernel)
        done = true
      })
    })
    rig.runFor(11e9)
    expect(rig.kernel.log.text()).toMatch(/XENBUS: Waiting for devices to initialise: 295s\.\.\.290s\.\.\.$/)
    rig.runFor(300e9)
    expect(done).toBe(true)
    expect(rig.kernel.log.text()).toMatch(
      /5s\.\.\.0s\.\.\.\nXENBUS: Timeout connecting to device: device\/vbd\/2049 \(local state 1, remote state 2\)\n$/,
    )
  })
})
