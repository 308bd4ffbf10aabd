import { describe, expect, test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { EBUSY, ENOSYS } from '#abi/posix/errno.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { TtyRig, testDriver } from '#testing/tty-rig.ts'
import type { Kernel } from '../kernel.ts'
import type { DirNode, SynthNode } from '../proc/synth.ts'
import { sysfsRoot } from './sysfs.ts'

/** Answers of xen_version: a number, or bytes at its pointer. */
const ANSWERS: Readonly<Record<number, number | string>> = {
  0: 0x30003,
  1: '.0\0',
  2: 'gcc version 4.1.2\0',
  3: 'xen-3.0-x86_64 \0',
  4: 'Fri Aug 22 10:56:56 2008 +0100 18408:bb5de4bd6b3f\0',
  5: '\0\0\0\0\0\x80\xff\xff',
  6: '\0\0\0\0\x20\0\0\0',
  7: 4096,
}

function build(answers = ANSWERS) {
  const mem = memOf(new Uint8Array(8192))
  const disk = { name: 'hda', major: 3, firstMinor: 0, minors: 64, sectors: 262_144, readOnly: false }
  const partitions = [{ name: 'hda1', minor: 1, start: 63, sectors: 262_081 }]
  const disks = [{ disk, partitions }]
  const modules = new Map([['loop', { users: 2 }]])
  const rig = new TtyRig({
    mem,
    bounce: 4096,
    blocks: { disks } as unknown as Kernel['blocks'],
    modules: modules as unknown as Kernel['modules'],
    vcpu: {
      hypercall(_nr: number, command: number, at: number) {
        const answer = answers[command]
        if (answer === undefined) return -ENOSYS
        if (typeof answer === 'number') return answer
        mem.copyIn(at, bytesOfString(answer))
        return 0
      },
    } as never,
  })
  testDriver(rig)
  const root = sysfsRoot(rig.kernel)
  const find = (path: string): SynthNode | undefined => {
    let node: SynthNode | undefined = root
    for (const name of path.split('/')) node = node?.kind === 'dir' ? node.find(name) : undefined
    return node
  }
  const read = (path: string): string => {
    const node = find(path)
    return node?.kind === 'file' ? node.read!() : 'no file'
  }
  const names = (path: string): string[] => [...(find(path) as DirNode).list()].map(([name]) => name)
  return { read, names, find, disks, modules }
}

test.each([
  ['hypervisor/type', 'xen\n'],
  ['hypervisor/version/major', '3\n'],
  ['hypervisor/version/minor', '3\n'],
  ['hypervisor/version/extra', '.0\n'],
  ['hypervisor/compilation/compiler', 'gcc version 4.1.2\n'],
  ['hypervisor/compilation/compiled_by', '\n'],
  ['hypervisor/properties/capabilities', 'xen-3.0-x86_64 \n'],
  ['hypervisor/properties/changeset', 'Fri Aug 22 10:56:56 2008 +0100 18408:bb5de4bd6b3f\n'],
  ['hypervisor/properties/virtual_start', 'ffff800000000000\n'],
  ['hypervisor/properties/pagesize', '1000\n'],
  ['hypervisor/properties/writable_pt', '32\n'],
  ['block/hda/dev', '3:0\n'],
  ['block/hda/size', '262144\n'],
  ['block/hda/range', '64\n'],
  ['block/hda/removable', '0\n'],
  ['block/hda/hda1/dev', '3:1\n'],
  ['block/hda/hda1/start', '63\n'],
  ['block/hda/hda1/size', '262081\n'],
  ['class/tty/test0/dev', '250:0\n'],
  ['class/tty/console/dev', '5:1\n'],
  ['class/mem/urandom/dev', '1:9\n'],
  ['module/loop/refcnt', '2\n'],
  ['block/hdb/dev', 'no file'],
  ['block/hda/hda2/dev', 'no file'],
  ['class/tty/tty1/dev', 'no file'],
  ['module/ide/refcnt', 'no file'],
])('%s', (path, text) => {
  expect(build().read(path)).toBe(text)
})

test('the root', () => {
  expect(build().names('block')).toEqual(['hda'])
  expect(build().names('block/hda')).toEqual(['dev', 'range', 'removable', 'size', 'hda1'])
})

test('what goes is gone, what stays is the same', () => {
  const { find, names, disks, modules } = build()
  expect(find('block/hda')).toBe(find('block/hda'))
  disks.length = 0
  modules.clear()
  expect([names('block'), names('module'), find('block/hda')]).toEqual([[], [], undefined])
})

describe('errors', () => {
  test('of the hypervisor are the reader’s', () => {
    expect(() => build({}).read('hypervisor/version/extra')).toThrow(expect.objectContaining({ errno: ENOSYS }))
    expect(() => build({}).read('hypervisor/version/major')).toThrow(expect.objectContaining({ errno: ENOSYS }))
  })
  test('the uuid needs xenstore', () => {
    const node = build().find('hypervisor/uuid')
    const ops = node?.kind === 'file' ? node.ops!() : undefined
    expect(() => ops!.read!({} as never, 100, 0).next()).toThrow(expect.objectContaining({ errno: EBUSY }))
  })
})
