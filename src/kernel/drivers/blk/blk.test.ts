import { describe, expect, test } from 'vitest'
import { EIO } from '#abi/posix/errno.ts'
import {
  BLKIF_RSP_ERROR,
  BLKIF_RSP_OKAY,
  BLKIF_SEGMENTS,
  blkif_request,
  blkif_request_segment,
  blkif_response,
} from '#abi/xen/io/blkif.ts'
import { FrontRing } from '#abi/xen/io/ring.ts'
import { XenbusState } from '#abi/xen/io/xenbus.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { type FakeGrants, fakeGrants, LOOPBACK_DOMID } from '#testing/fake-grants.ts'
import { kernelRig } from '#testing/kernel-rig.ts'
import { type RamDisk, ramDisk, vfsParts } from '#testing/vfs-rig.ts'
import { Loopback } from '#testing/xenbus-loopback.ts'
import { Errno } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import type { Sleeping } from '../../sched/wait.ts'
import { gnttabInit } from '../../xen/gnttab.ts'
import { blkbackInit } from './back.ts'
import { blkfrontInit } from './front.ts'
import { vbdName } from './vbd-names.ts'

const FRONT = 'domu/device/vbd/'
const BACK = 'backend/vbd/0/'
const SECTORS = 20_000
/** rda, as the script would write it: 240 is f0. */
const PHYSICAL = 'f0:0'

interface Bench {
  readonly kernel: Kernel
  readonly bus: Loopback
  readonly grants: FakeGrants
  readonly disk: RamDisk
  readonly log: () => string
  /** Both halves, started; the back end's device is given. */
  start(options?: { vdev?: number; back?: Record<string, string>; front?: Record<string, string> }): {
    front: ReturnType<Loopback['start']>
    back: ReturnType<Loopback['start']>
  }
  state(path: string): number
  until(met: () => boolean): Sleeping<void>
}

function bench(body: (bench: Bench) => Sleeping<void>): void {
  const rig = kernelRig({ pages: 8192, parts: vfsParts() })
  rig.run(function* (kernel) {
    const grants = fakeGrants(kernel)
    yield* gnttabInit(kernel)
    const bus = new Loopback(kernel)
    kernel.xenbus = bus
    yield* blkfrontInit(kernel)
    yield* blkbackInit(kernel)
    const disk = ramDisk(kernel, new SparseDisk(SECTORS))
    yield* kernel.blocks.addDisk(disk)
    const frames = kernel.pages.used.kernel
    const refs = kernel.grants!.free
    const b: Bench = {
      kernel,
      bus,
      grants,
      disk,
      log: () => kernel.log.text(),
      start({ vdev = 2049, back = {}, front = {} } = {}) {
        const frontNode = `${FRONT}${vdev}`
        const backNode = `${BACK}${vdev}`
        const backKeys = { mode: 'w', dev: '/dev/sda1', 'physical-device': PHYSICAL, online: '0', ...back }
        bus.tree.set(`${frontNode}/state`, '1')
        const backLife = bus.start('backend', backNode, frontNode, backKeys)
        return {
          back: backLife,
          front: bus.start('device', frontNode, backNode, { 'virtual-device': String(vdev), ...front }),
        }
      },
      state: (path) => Number(bus.tree.get(`${path}/state`) ?? 0),
      *until(met) {
        for (let i = 0; i < 2000 && !met(); i++) yield* kernel.sched.sleepFor(1e6)
        expect(met()).toBe(true)
      },
    }
    yield* body(b)
    // Whatever happened, nothing is left behind.
    for (const path of [...bus.tree.keys()]) if (path.endsWith('/state')) bus.remove(path.slice(0, -6))
    for (let i = 0; i < 3000 && (kernel.pages.used.kernel > frames || kernel.blocks.named('rda')!.openers > 0); i++)
      yield* kernel.sched.sleepFor(1e6)
    expect({
      mapped: grants.mapped,
      ports: bus.ports.size,
      refs: kernel.grants!.free,
      frames: kernel.pages.used.kernel,
    }).toEqual({
      mapped: 0,
      ports: 0,
      refs,
      frames,
    })
    expect(kernel.blocks.named('rda')!.openers).toBe(0)
  })
}

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed + (i >> 9)) & 255)

function* errnoOf(work: Sleeping<unknown>): Sleeping<number> {
  try {
    yield* work
    return 0
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return error.errno
  }
}

test.each<[number, string, number, number]>([
  [768, 'hda', 0, 64],
  [769, 'hda1', 1, 1],
  [832, 'hdb', 64, 64],
  [5632, 'hdc', 0, 64],
  [2048, 'sda', 0, 16],
  [2049, 'sda1', 1, 1],
  [2064, 'sdb', 16, 16],
  [(65 << 8) | 16, 'sdr', 16, 16],
  [(66 << 8) | 1, 'sdag1', 1, 1],
  [51712, 'xvda', 0, 16],
  [51713, 'xvda1', 1, 1],
  [51728, 'xvdb', 16, 16],
])('device %i is %s', (vdev, name, minor, minors) => {
  expect(vbdName(vdev)).toMatchObject({ name, major: vdev >> 8, minor, minors })
})

test.each([0, -1, 2 ** 28, 2 ** 31, Number.NaN])('device %i there is not', (vdev) => {
  expect(vbdName(vdev)).toBeUndefined()
})

describe('the two halves', () => {
  test('shake hands, and a disk is there', () =>
    bench(function* ({ start, state, until, bus, kernel, log }) {
      start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      expect([state(`${FRONT}2049`), state(`${BACK}2049`)]).toEqual([XenbusState.Connected, XenbusState.Connected])
      expect(
        Object.fromEntries(
          ['sectors', 'info', 'sector-size', 'feature-barrier'].map((k) => [k, bus.tree.get(`${BACK}2049/${k}`)]),
        ),
      ).toEqual({
        sectors: String(SECTORS),
        info: '0',
        'sector-size': '512',
        'feature-barrier': '1',
      })
      expect(bus.tree.get(`${FRONT}2049/protocol`)).toBe('x86_64-abi')
      expect(log()).toMatch(/blkback: ring-ref \d+, event-channel \d+, protocol 1 \(x86_64-abi\)\n/)
      expect(log()).toContain('xen-vbd: registered block device major 8\nblkfront: sda1: barriers enabled\n')
      expect(kernel.sched.tasks.map(({ comm }) => comm)).toContain('blkback.0.sda1')
      expect(kernel.blocks.named('sda1')!.sectors).toBe(SECTORS)
    }))

  test('what is written is read, in pieces of all sizes, and is on the disk', () =>
    bench(function* ({ start, until, kernel, disk }) {
      start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      let at = 3
      for (const count of [1, 7, 8, 9, 87, 88, 89, 176, 264, 600]) {
        const data = bytes(count * 512, count)
        yield* sda1.write(at, data)
        expect(Buffer.compare(disk.store.read(at, count), data)).toBe(0)
        expect(Buffer.compare(yield* sda1.readSectors(at, count), data)).toBe(0)
        at += count
      }
      // Requests of one ring that continue each other become one on the disk again.
      expect(Math.max(...disk.log.map(({ count }) => count))).toBe(256)
    }))

  test('a flush is a barrier that reaches the disk; nothing written, nothing flushed', () =>
    bench(function* ({ start, until, kernel, disk }) {
      start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      yield* sda1.flush()
      expect(disk.flushes).toBe(0)
      const data = bytes(4096, 1)
      yield* sda1.write(100, data)
      yield* sda1.flush()
      expect(disk.flushes).toBe(2)
      expect(disk.store.read(100, 8)).toEqual(data)
      yield* sda1.flush()
      expect(disk.flushes).toBe(2)
    }))

  test('many at a time, in and out', () =>
    bench(function* ({ start, until, kernel, disk }) {
      start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      let left = 20
      for (let i = 0; i < 20; i++)
        kernel.sched.kthread(`w${i}`, function* () {
          const data = bytes(16 * 512, i)
          yield* sda1.write(i * 100, data)
          expect(yield* sda1.readSectors(i * 100, 16)).toEqual(data)
          left--
        })
      yield* until(() => left === 0)
      for (let i = 0; i < 20; i++) expect(disk.store.read(i * 100, 16)).toEqual(bytes(16 * 512, i))
    }))

  test('read-only: the disk says so, and the back end means it', () =>
    bench(function* ({ start, until, kernel, disk, bus }) {
      start({ back: { mode: 'r' } })
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      expect(bus.tree.get(`${BACK}2049/info`)).toBe('4')
      const sda1 = kernel.blocks.named('sda1')!
      expect(sda1.readOnly).toBe(true)
      expect(yield* errnoOf(sda1.queue.write(0, new Uint8Array(512)))).toBe(EIO)
      expect(disk.written).toBe(0)
      expect((yield* sda1.readSectors(0, 8)).length).toBe(4096)
    }))

  test('a whole disk has partitions', () =>
    bench(function* ({ start, until, kernel, disk, log }) {
      const mbr = new Uint8Array(512)
      const view = new DataView(mbr.buffer)
      mbr[446 + 4] = 0x83
      view.setUint32(446 + 8, 63, true)
      view.setUint32(446 + 12, 5000, true)
      view.setUint16(510, 0xaa55, true)
      disk.store.write(0, mbr)
      start({ vdev: 51712 })
      yield* until(() => kernel.blocks.named('xvda1') !== undefined)
      expect(log()).toContain(' xvda: xvda1\n')
      expect(kernel.blocks.named('xvda1')!.sectors).toBe(5000)
    }))

  test("the disk's errors come through", () =>
    bench(function* ({ start, until, kernel, disk, log }) {
      start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      disk.bad.add(50)
      const sda1 = kernel.blocks.named('sda1')!
      expect(yield* errnoOf(sda1.readSectors(48, 8))).toBe(EIO)
      expect(yield* errnoOf(sda1.readSectors(56, 8))).toBe(0)
      expect(yield* errnoOf(sda1.write(48, new Uint8Array(4096)))).toBe(EIO)
      expect(log()).toContain('end_request: I/O error, dev sda1, sector 48\n')
    }))
})

describe('coming and going', () => {
  test('the tool stack closes it: both close, and the disk is gone', () =>
    bench(function* ({ start, state, until, kernel, bus, log }) {
      const { front, back } = start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      bus.set(`${BACK}2049/state`, '5')
      yield* until(() => front.ended && back.ended)
      expect([state(`${FRONT}2049`), state(`${BACK}2049`)]).toEqual([XenbusState.Closed, XenbusState.Closed])
      expect(kernel.blocks.named('sda1')).toBeUndefined()
      expect(log()).not.toContain('still in use')
    }))

  test('in use it refuses, and goes with its last user', () =>
    bench(function* ({ start, until, kernel, bus }) {
      const { front, back } = start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      yield* sda1.get()
      bus.set(`${BACK}2049/state`, '5')
      yield* until(() => bus.tree.has(`error/${FRONT}2049/error`))
      expect(bus.tree.get(`error/${FRONT}2049/error`)).toBe('16 Device in use; refusing to close')
      yield* sda1.put()
      yield* until(() => front.ended && back.ended)
    }))

  test('the back end vanishes in the middle: errors, and nobody hangs', () =>
    bench(function* ({ start, state, until, kernel, bus }) {
      const { front, back } = start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      yield* sda1.get()
      let errno = -1
      kernel.sched.kthread('reader', function* () {
        errno = yield* errnoOf(sda1.readSectors(0, 600))
      })
      yield* kernel.sched.yieldNow()
      bus.remove(`${BACK}2049`)
      yield* until(() => errno >= 0 && front.ended && back.ended)
      expect(errno).toBe(EIO)
      expect(state(`${FRONT}2049`)).toBe(XenbusState.Closed)
      expect(yield* errnoOf(sda1.readSectors(0, 8))).toBe(EIO)
      expect(yield* errnoOf(sda1.write(0, new Uint8Array(512)))).toBe(EIO)
      yield* sda1.put()
      yield* until(() => kernel.blocks.named('sda1') === undefined)
    }))

  test('the front end vanishes in the middle', () =>
    bench(function* ({ start, until, kernel, bus, grants }) {
      const { back } = start()
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      const sda1 = kernel.blocks.named('sda1')!
      kernel.sched.kthread('reader', function* () {
        yield* errnoOf(sda1.readSectors(0, 600))
      })
      yield* kernel.sched.yieldNow()
      bus.remove(`${FRONT}2049`)
      yield* until(() => back.ended)
      expect(grants.mapped).toBe(0)
    }))

  test('who is kept online is there for the next', () =>
    bench(function* ({ start, until, kernel, bus, log, state }) {
      const { back } = start({ back: { online: '1' } })
      yield* until(() => kernel.blocks.named('sda1') !== undefined)
      bus.set(`${FRONT}2049/state`, '6')
      yield* until(() => state(`${BACK}2049`) === XenbusState.Closed)
      expect(back.ended).toBe(false)
      bus.set(`${FRONT}2049/state`, '1')
      yield* until(() => state(`${BACK}2049`) === XenbusState.InitWait)
      expect(log()).toContain('backend/vbd/0/2049: prepare for reconnect\n')
    }))

  test.each<[string, Record<string, string>, Record<string, string>, string, string]>([
    ['no such device', { 'physical-device': 'f0:99' }, {}, BACK, '2 creating vbd structure'],
    ['nonsense for a device', { 'physical-device': 'loop0' }, {}, BACK, '22 reading physical-device'],
    ['no number of its own', {}, { 'virtual-device': 'sda1' }, FRONT, '2 reading virtual-device'],
    ['a number that is none', {}, { 'virtual-device': '268435456' }, FRONT, `19 xlvbd_add at ${BACK}2049`],
    ['a number that is taken', {}, { 'virtual-device': String(240 << 8) }, FRONT, `19 xlvbd_add at ${BACK}2049`],
  ])('refused: %s', (_what, back, front, half, text) =>
    bench(function* ({ start, until, bus, state }) {
      start({ back, front })
      yield* until(() => bus.tree.has(`error/${half}2049/error`))
      expect(bus.tree.get(`error/${half}2049/error`)).toBe(text)
      expect(state(`${half}2049`)).toBeGreaterThanOrEqual(XenbusState.Closing)
    }),
  )
})

describe('a hostile front end', () => {
  interface Hostile extends Bench {
    readonly ring: FrontRing
    readonly ringVa: number
    readonly port: number
    /** A frame that is granted, and its reference. */
    readonly frame: Gpfn
    readonly ref: number
    send(values: {
      operation?: number
      nr_segments?: number
      sector?: bigint
      gref?: number
      first?: number
      last?: number
    }): Sleeping<number>
  }

  /** A back end, and on the other side bytes. */
  function hostile(keys: Record<string, string>, body: (h: Hostile) => Sleeping<void>): void {
    bench(function* (b) {
      const { kernel, bus } = b
      const grants = kernel.grants!
      const page = kernel.pages.allocNow('kernel')!
      const frame = kernel.pages.allocNow('kernel')!
      const ringRef = grants.grantAccess(LOOPBACK_DOMID, page, false)
      const ref = grants.grantAccess(LOOPBACK_DOMID, frame, false)
      const port = kernel.irq.bindListening(LOOPBACK_DOMID, 'hostile', () => {})
      const ringVa = kernel.pages.va(page)
      const ring = new FrontRing(kernel.mem, ringVa, blkif_request.size)
      const node = `${FRONT}2049`
      for (const [key, value] of Object.entries({
        'ring-ref': String(ringRef),
        'event-channel': String(port),
        protocol: 'x86_64-abi',
        state: '3',
        ...keys,
      }))
        bus.tree.set(`${node}/${key}`, value)
      const back = bus.start('backend', `${BACK}2049`, node, {
        mode: 'w',
        dev: 'sda1',
        'physical-device': PHYSICAL,
        online: '0',
      })
      let id = 1n
      yield* body({
        ...b,
        ring,
        ringVa,
        port,
        frame,
        ref,
        *send({ operation = 0, nr_segments = 1, sector = 0n, gref = ref, first = 0, last = 7 }) {
          const { mem } = kernel
          const at = ring.request()
          blkif_request.write(mem, at, { operation, nr_segments, handle: 0, id: id++, sector_number: sector })
          for (let i = 0; i < 11; i++)
            blkif_request_segment.write(mem, at + BLKIF_SEGMENTS + 8 * i, { gref, first_sect: first, last_sect: last })
          if (ring.push()) kernel.irq.notify(port)
          let answer: number | undefined
          yield* b.until(() => {
            answer ??= ring.response()
            return answer !== undefined
          })
          ring.finalCheck()
          return blkif_response.fields.status.get(mem, answer!)
        },
      })
      bus.remove(node)
      yield* b.until(() => back.ended)
      kernel.irq.unbind(port)
      for (const [r, pfn] of [
        [ringRef, page],
        [ref, frame],
      ] as const) {
        expect(grants.endAccess(r)).toBe(true)
        kernel.pages.release(pfn, 'kernel')
      }
    })
  }

  test('requests that are none are answered as such, and good ones after them are served', () =>
    hostile({}, function* ({ send, disk, until, state }) {
      yield* until(() => state(`${BACK}2049`) === XenbusState.Connected)
      expect(yield* send({})).toBe(BLKIF_RSP_OKAY)
      const bad = [
        { operation: 3 },
        { operation: 255 },
        { nr_segments: 0 },
        { nr_segments: 12 },
        { nr_segments: 255 },
        { first: 5, last: 4 },
        { last: 8 },
        { last: 255 },
        { sector: BigInt(SECTORS) },
        { sector: BigInt(SECTORS - 7) },
        { sector: (1n << 64n) - 1n },
        { sector: 1n << 53n },
        { gref: 5 },
        { gref: 0xffffffff },
        { operation: 1, gref: 5 },
        { nr_segments: 11, sector: BigInt(SECTORS - 87) },
      ]
      for (const values of bad) expect([values, yield* send(values)]).toEqual([values, BLKIF_RSP_ERROR])
      expect(disk.log.filter(({ write }) => write)).toEqual([])
      expect(yield* send({ operation: 1, nr_segments: 11, sector: BigInt(SECTORS - 88) })).toBe(BLKIF_RSP_OKAY)
      expect(yield* send({ first: 3, last: 3, sector: BigInt(SECTORS - 1) })).toBe(BLKIF_RSP_OKAY)
      expect(yield* send({ operation: 2 })).toBe(BLKIF_RSP_OKAY)
    }))

  test("an empty barrier is a flush, as a current Linux's front end sends it: of no sector", () =>
    hostile({}, function* ({ send, disk, until, state }) {
      yield* until(() => state(`${BACK}2049`) === XenbusState.Connected)
      const empty = { operation: 2, nr_segments: 0, sector: (1n << 64n) - 1n }
      expect(yield* send(empty)).toBe(BLKIF_RSP_OKAY)
      expect(disk.flushes).toBe(1)
      disk.flush = function* () {
        throw new Errno(EIO)
      }
      expect(yield* send(empty)).toBe(BLKIF_RSP_ERROR)
    }))

  test.each([33, 0x80000000, 0xffffffff])(
    'requests up to %i: the connection is closed, and the disk is untouched',
    (prod) =>
      hostile({}, function* ({ kernel, ringVa, port, until, state, bus, disk }) {
        yield* until(() => state(`${BACK}2049`) === XenbusState.Connected)
        kernel.mem.write32(ringVa, prod)
        kernel.irq.notify(port)
        yield* until(() => state(`${BACK}2049`) === XenbusState.Closing)
        expect(bus.tree.get(`error/${BACK}2049/error`)).toBe('22 ring indexes make no sense')
        expect(disk.log).toEqual([])
      }),
  )

  test.each<[string, Record<string, string>, RegExp]>([
    ['a ring that is not granted', { 'ring-ref': '7' }, /^22 mapping ring-ref 7 port \d+$/],
    ['no number for a ring', { 'ring-ref': '-1' }, /^2 reading domu\/device\/vbd\/2049\/ring-ref and event-channel$/],
    ['a port that is nobody', { 'event-channel': '77' }, /^22 mapping ring-ref \d+ port 77$/],
    ['another ABI', { protocol: 'ia64-abi' }, /^22 unknown fe protocol ia64-abi$/],
  ])('refused: %s', (_what, keys, text) =>
    hostile(keys, function* ({ bus, until, state }) {
      yield* until(() => state(`${BACK}2049`) === XenbusState.Closing)
      expect(bus.tree.get(`error/${BACK}2049/error`)).toMatch(text)
    }),
  )
})
