import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { posixRig } from '#testing/posix-rig.ts'
import { blkdevNameToNumber, type DeviceNumber, unameToFile } from './device-config.ts'
import { cpuRanges } from './node.ts'
import { XendOptions } from './options.ts'
import { uuidFromString, uuidToString } from './uuid.ts'
import { cpuList } from './vm-config.ts'

const shipped = readFileSync(new URL('../../images/default/files/etc/xen/xend-config.sxp', import.meta.url), 'latin1')

test('the shipped configuration', () => {
  const options = new XendOptions('/etc/xen/xend-config.sxp', shipped)
  expect([options.dom0MinMem, options.enableDom0Ballooning, options.dom0Cpus]).toEqual([196, true, 0])
  expect([options.logfile, options.loglevel, options.consoleLimit]).toEqual(['/var/log/xen/xend.log', 'DEBUG', 1024])
})

test('without a file all have their defaults', () => {
  const options = new XendOptions('/x', undefined)
  // With no minimum for domain 0 it is left alone.
  expect([options.dom0MinMem, options.enableDom0Ballooning, options.unixXmlrpcServer]).toEqual([0, false, true])
  expect([options.enableDump, options.domainsPath]).toEqual([false, '/var/lib/xend/domains'])
})

test.each([
  ['(enable-dom0-ballooning maybe)', 'invalid xend config enable-dom0-ballooning: expected bool: maybe'],
  ['(dom0-min-mem 12x)(enable-dom0-ballooning yes)', 'invalid xend config dom0-min-mem: expected int: 12x'],
  ['(dom0-min-mem', 'unexpected EOF'],
])('%s is refused: %s', (text, message) => {
  expect(() => {
    const options = new XendOptions('/x', text)
    return [options.enableDom0Ballooning, options.dom0MinMem]
  }).toThrow(message)
})

test('a configuration is read again', () => {
  const options = new XendOptions('/x', '(dom0-min-mem 100)')
  expect(() => options.reread('(dom0-min-mem')).toThrow('unexpected EOF')
  expect(options.dom0MinMem).toBe(100)
  options.reread('# nothing\n(dom0-min-mem 64) (loglevel INFO)')
  expect([options.dom0MinMem, options.loglevel]).toEqual([64, 'INFO'])
})

test.each<[string, number | undefined, DeviceNumber['key']?]>([
  ['hda', 768],
  ['hda1', 769],
  ['hdb', 832],
  ['hdc', 5632],
  ['hdt63', 23423],
  ['hdu', undefined],
  ['hda64', undefined],
  ['sda', 2048],
  ['sda1', 2049],
  ['/dev/sda1', 2049],
  ['sdb', 2064],
  ['sdp15', 2303],
  ['sdq', 16640],
  ['sda16', undefined],
  ['sda01', undefined],
  ['xvda', 51712],
  ['xvda1', 51713],
  ['xvdb', 51728],
  ['xvdp15', 51967],
  ['xvdq', 2 ** 28 + 16 * 256, 'virtual-device-ext'],
  ['xvdaa1', 2 ** 28 + 26 * 256 + 1, 'virtual-device-ext'],
  ['0x801', 2049],
  ['2049', 2049],
  ['nonsense', undefined],
  // A device of dom0's decides.
  ['special', 0x1234],
])('%s is device %s', (name, devid, key = 'virtual-device') => {
  let found: DeviceNumber | undefined
  const rig = posixRig({
    files: { '/dev/special': { device: ['b', 0x1234] } },
    programs: {
      *'/bin/x'() {
        found = yield* blkdevNameToNumber(name)
        return 0
      },
    },
  })
  rig.run(['x'])
  expect(found).toEqual(devid === undefined ? undefined : { key, devid })
})

test.each([
  ['phy:hda1', '/dev/hda1'],
  ['phy:/dev/vg/x', '/dev/vg/x'],
  ['file:/x', '/x'],
  ['nothing', 'nothing'],
])('%s is about %s', (uname, file) => {
  expect(unameToFile(uname)).toBe(file)
})

test.each([
  ['0', [0]],
  ['0-3,^1', [0, 2, 3]],
  ['0-3,^1,1', [0, 2, 3, 1]],
])('cpus %s', (text, cpus) => {
  expect(cpuList(text)).toEqual(cpus)
})

test.each([
  [[], 'no cpus'],
  [[0], '0'],
  [[0, 1, 2, 3], '0-3'],
  [[0, 2, 3, 5], '0,2-3,5'],
])('ranges of %j: %s', (cpus, text) => {
  expect(cpuRanges(cpus)).toBe(text)
})

test('uuids', () => {
  const text = '6e4d2fbc-0d8a-5c4f-1111-222233334444'
  expect(uuidToString(uuidFromString(text))).toBe(text)
  expect(uuidToString(uuidFromString(text.replace(/-/g, '').toUpperCase()))).toBe(text)
  expect(() => uuidFromString('6e4d')).toThrow('invalid uuid: 6e4d')
})
