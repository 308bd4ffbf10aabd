import { expect, test } from 'vitest'
import { bareDomU } from '#testing/domu-rig.ts'
import type { KernelRig } from '#testing/kernel-rig.ts'
import type { SynthNode } from '../proc/synth.ts'
import type { File } from '../vfs/file.ts'
import { xenbusInit } from '../xenbus/init.ts'
import { sysfsRoot } from './sysfs.ts'

const KEYS = {
  vm: '/vm/6e4d2fbc',
  '/vm/6e4d2fbc/uuid': '6e4d2fbc',
  'device/vbd/2049/state': '1',
  'device/console/0/state': '1',
  'backend/vbd/5/2049/state': '1',
}

function node(rig: KernelRig, path: string): SynthNode | undefined {
  let at: SynthNode | undefined = sysfsRoot(rig.kernel)
  for (const name of path.split('/')) at = at?.kind === 'dir' ? at.find(name) : undefined
  return at
}
const names = (rig: KernelRig, path: string): string[] => {
  const found = node(rig, path)
  return found?.kind === 'dir' ? [...found.list()].map(([name]) => name) : []
}
const text = (rig: KernelRig, path: string): string => {
  const found = node(rig, path)
  if (found?.kind === 'link') return found.target()
  if (found?.kind !== 'file') return 'no file'
  if (found.read) return found.read()
  return String.fromCharCode(...rig.run(() => found.ops!().read!({} as File, 100, 0)))
}

test('split devices are on their buses, as long as they are there', () => {
  const rig = bareDomU(xenbusInit, KEYS)
  rig.run(function* (kernel) {
    kernel.xenbus!.registerFrontend({ devicetype: 'vif', *run() {} })
  })
  expect(names(rig, 'bus')).toEqual(['xen', 'xen-backend'])
  expect(names(rig, 'bus/xen/devices')).toEqual(['vbd-2049', 'console-0'])
  expect(names(rig, 'bus/xen/drivers')).toEqual(['vif'])
  expect(names(rig, 'bus/xen-backend/devices')).toEqual(['vbd-5-2049'])
  expect(text(rig, 'bus/xen/devices/vbd-2049')).toBe('../../../devices/xen/vbd-2049')
  expect(text(rig, 'devices/xen/vbd-2049/nodename')).toBe('device/vbd/2049\n')
  expect(text(rig, 'devices/xen-backend/vbd-5-2049/devtype')).toBe('vbd\n')
  rig.store.set('device/vbd', undefined)
  rig.settle()
  expect(names(rig, 'bus/xen/devices')).toEqual(['console-0'])
  expect(text(rig, 'devices/xen/vbd-2049/nodename')).toBe('no file')
})

test('the uuid is the store’s', () => {
  expect(text(bareDomU(xenbusInit, KEYS), 'hypervisor/uuid')).toBe('6e4d2fbc\n')
  expect(() => text(bareDomU(xenbusInit), 'hypervisor/uuid')).toThrow(expect.objectContaining({ errno: 2 }))
})
