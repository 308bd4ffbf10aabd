/**
 * What a boot costs, as counts: times depend on the machine and the hour, these do not (docs/performance.md has the times). The bounds are
 * a third to a half above what is there today. Who meets one has made every boot dearer: look whether that was meant.
 */
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { unpackDisk } from '#lib/ondisk/disk-container.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { createWorld } from '#world/world.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import type { DefaultDiskBytes } from '../dom0-host.ts'

/** Counts what of the machine's code comes into being. */
class CountingLoader extends ImageLoader {
  loads = 0
  loadedBytes = 0
  evaluations = 0

  override *load(...args: Parameters<ImageLoader['load']>): ReturnType<ImageLoader['load']> {
    const image = yield* super.load(...args)
    this.loads++
    this.loadedBytes += image.bytes
    const count = (): unknown => this.evaluations++
    return {
      ...image,
      instantiate() {
        count()
        return image.instantiate()
      },
    }
  }
}

function createHost({ bytes, known }: DefaultDiskBytes) {
  const disk = unpackDisk(new Uint8Array(gunzipSync(bytes)))
  const loader = new CountingLoader(known)
  const world = createWorld({
    disk,
    diskHash: '',
    memoryMiB: 1024,
    seed: 1,
    build: 'test',
    loader,
    createRing3s: () => undefined,
  })
  let text = ''
  world.onSerial((line, byte) => {
    if (line === 'com1') text += String.fromCharCode(byte)
  })
  const count = { slices: 0, outputs: 0 }
  const until = (wanted: string): void => {
    const { length } = text
    const met = (): boolean => {
      count.outputs++
      return text.endsWith(wanted) && text.length > length
    }
    for (;;) {
      const reason = world.runUntil(world.nowNs() + 600e9, met)
      if (reason === 'stopped') return
      if (reason !== 'slice') throw new Error(`no '${wanted}' in:\n${text.slice(-1000)}`)
      count.slices++
    }
  }
  const type = (line: string): void =>
    world.input({ kind: 'serial', line: 'com1', bytes: [...line].map((letter) => letter.charCodeAt(0)) })
  /** What `command` writes. */
  const run = (command: string): string => {
    const from = text.length
    type(`${command}\r`)
    until('# ')
    return text.slice(from)
  }
  return { world, loader, count, until, type, run }
}

describe('from the power button to a login', () => {
  let host: ReturnType<typeof createHost>
  const atLogin = { slices: 0, loads: 0, loadedBytes: 0, evaluations: 0, seconds: 0 }
  beforeAll(async () => {
    host = createHost(await buildDiskAndKnown())
    host.world.powerOn()
    host.until('will be booted automatically')
    host.type('\r')
    host.until('xenhost login: ')
    const { loads, loadedBytes, evaluations } = host.loader
    const seconds = host.world.nowNs() / 1e9
    Object.assign(atLogin, { slices: host.count.slices, loads, loadedBytes, evaluations, seconds })
  }, 120_000)

  test('images are read, and evaluated for each exec', () => {
    expect(atLogin.loads).toBeLessThan(22)
    expect(atLogin.loadedBytes).toBeLessThan(4e6)
    expect(atLogin.evaluations).toBeLessThan(40)
  })

  test('the world is run in slices of bounded work', () => {
    expect(atLogin.slices).toBeLessThan(700)
  })

  test('the serial line is what virtual time goes by', () => {
    expect(atLogin.seconds).toBeLessThan(2)
  })

  test('an idle minute has hardly any step, and none that keeps it from being settled', () => {
    const restNs = host.world.nowNs() + 60e9
    while (host.world.runUntil(restNs, () => false) === 'slice');
    expect(host.world.settled()).toBe(true)
    const endNs = host.world.nowNs() + 60e9
    let instants = 0
    for (let next = host.world.nextNs(); next < endNs; next = host.world.nextNs()) {
      host.world.runUntil(next + 1, () => false)
      instants++
    }
    console.log({ instants })
    expect(instants).toBeLessThan(100)
  })

  test('forks, context switches and interrupts are what the kernel says', () => {
    host.type('root\r')
    host.until('# ')
    const stat = host.run('cat /proc/stat')
    const figure = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(stat)![1])
    expect(figure('processes')).toBeLessThan(60)
    expect(figure('ctxt')).toBeLessThan(500)
    expect(figure('intr')).toBeLessThan(250)
  })
})
