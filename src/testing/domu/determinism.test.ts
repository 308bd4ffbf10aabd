/** Design D8 and D9: the same disk, seed and script give the same bytes and the same world, whoever looks on. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { DomainProbe } from '#abi/probe.ts'
import { createWorld } from '#world/world.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { type DefaultDiskBytes, Dom0Host, freshDisk } from '../dom0-host.ts'

/** What a panel learns that is open all the time. */
interface Seen {
  /** The lines of xenstored's access trace. */
  readonly stored: string[]
  /** The last word of each domain, and how many there were. */
  readonly domains: Map<number, DomainProbe>
  told: number
  /** What the tracer has told. */
  traced: number
}

/** As with every panel open: all there is to listen to is listened to, and the monitor is looked at. */
function openPanels({ world }: Dom0Host): Seen {
  const seen: Seen = { stored: [], domains: new Map(), told: 0, traced: 0 }
  world.onProbe((probe) => {
    if (probe.kind === 'xenstore') seen.stored.push(probe.line)
    else if (probe.kind === 'domain-gone') seen.domains.delete(probe.domid)
    else if (probe.kind === 'domain') {
      seen.told++
      seen.domains.set(probe.domid, probe)
    }
  })
  world.onTrace(() => {
    seen.traced++
  })
  world.onInput(() => world.screen())
  world.onLink(() => {})
  world.onState(() => world.screen())
  world.onSerial((line) => line === 'com2' && world.screen())
  return seen
}

/** Created, logged in to, used, ballooned, shut down. */
function life(host: Dom0Host): void {
  host.boot()
  host.run('xm create sebastian')
  host.inGuest('sebastian', 'sebastian', () => {
    host.run('cat /proc/cpuinfo; mount; free')
    host.run('dd if=/dev/urandom of=noise bs=4096 count=16; md5sum noise; sync')
  })
  host.run('xm mem-set sebastian 112')
  host.run('xm list; xenstore-ls /local/domain/1')
  host.run('xm shutdown -w sebastian')
  host.run('xm list; xm info; cat /var/log/xen/xend.log')
}

let base: DefaultDiskBytes
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

describe('a guest’s life', () => {
  let first: Dom0Host
  let digest: string
  beforeAll(() => {
    first = new Dom0Host({ base, seed: 7 })
    life(first)
    digest = first.world.digest()
  }, 120_000)

  test('again with the same seed: the same transcript, the same world, the same disk', () => {
    const again = new Dom0Host({ base, seed: 7 })
    life(again)
    expect(again.text).toBe(first.text)
    expect(again.world.digest()).toBe(digest)
    expect(again.disk.hash()).toBe(first.disk.hash())
  })

  test('with every panel open: the same', () => {
    const watched = new Dom0Host({ base, seed: 7 })
    const seen = openPanels(watched)
    life(watched)
    expect(watched.text).toBe(first.text)
    expect(watched.world.digest()).toBe(digest)
    // They have seen something indeed.
    expect(seen.stored.some((line) => line.includes('/local/domain/1/'))).toBe(true)
    expect([...seen.domains.keys()]).toEqual([0])
    expect(seen.told).toBeGreaterThan(300)
    expect(seen.traced).toBeGreaterThan(10_000)
  })

  test('from its record: the same', () => {
    const record = first.world.record()
    const { seed, memoryMiB, build, diskHash } = record
    const disk = freshDisk(base)
    const again = createWorld({ disk, diskHash, memoryMiB, seed, build, createRing3s: () => undefined })
    let text = ''
    again.onSerial((line, byte) => {
      if (line === 'com1' && byte !== 13) text += String.fromCharCode(byte)
    })
    for (const _ of again.replay(record));
    expect(text).toBe(first.text)
    expect(again.digest()).toBe(digest)
    expect(disk.hash()).toBe(first.disk.hash())
  })
})
