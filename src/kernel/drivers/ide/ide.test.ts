import { expect, test } from 'vitest'
import * as ata from '#abi/pc/ide.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import type { Gpfn } from '#abi/xen/types.ts'
import { writePartitions } from '#lib/ondisk/mbr.ts'
import { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { ideChannel } from '#machine/devices/ide/ide.ts'
import { lab } from '#machine/devices/lab.ts'
import { pciBus } from '#machine/devices/pci/pci.ts'
import type { FakeXen } from '#testing/fake-xen.ts'
import { kernelRig } from '#testing/kernel-rig.ts'
import { vfsParts } from '#testing/vfs-rig.ts'
import { BlockLayer, blockInitcalls } from '../../block/make.ts'

const BUS_MASTER = 0xf000

/** The machine's own chips behind the kernel's ports. */
function machine(store: SparseDisk, withPci: boolean) {
  const bench = lab()
  let xen: FakeXen | undefined
  let high = false
  const irq = (level: boolean): void => {
    if (level && !high) xen?.raisePirq(14)
    high = level
  }
  let kernelMem: { readonly mem: FakeXen['vcpu']['mem']; readonly vaOf: (maddr: number) => number } | undefined
  const mem = {
    read16: (at: number) => kernelMem!.mem.read16(kernelMem!.vaOf(at)),
    read32: (at: number) => kernelMem!.mem.read32(kernelMem!.vaOf(at)),
    copyOut: (at: number, length: number) => kernelMem!.mem.copyOut(kernelMem!.vaOf(at), length),
    copyIn: (at: number, bytes: Uint8Array) => kernelMem!.mem.copyIn(kernelMem!.vaOf(at), bytes),
  }
  let flushes = 0
  const chip = ideChannel({
    clock: bench.clock,
    irq: irq as never,
    mem: mem as never,
    disk: store,
    identity: { model: 'XEN PLAYGROUND DISK', serial: '1', firmware: '1' },
    flushed: () => flushes++,
  })
  const pci = pciBus([
    {
      slot: 0x1f,
      fn: 1,
      vendor: 0x8086,
      device: 0x2850,
      revision: 2,
      class: 0x0101,
      progIf: 0x80,
      commandBits: 5,
      command: 5,
      multifunction: true,
      ports: { 4: { bytes: 16, base: BUS_MASTER } },
    },
    {
      slot: 0x1f,
      fn: 0,
      vendor: 0x8086,
      device: 0x2810,
      revision: 2,
      class: 0x0601,
      progIf: 0,
      commandBits: 0,
      command: 0,
    },
  ])
  pci.reset()
  // As the firmware leaves it.
  pci.write(0, 4, 0x80000000 + (0x1f << 11) + (1 << 8) + 0x20)
  pci.write(4, 4, BUS_MASTER | 1)
  pci.write(0, 4, 0x80000000 + (0x1f << 11) + (1 << 8) + 0x04)
  pci.write(4, 2, 1)
  // The chip's clock follows the hypervisor's, and its next event wakes the guest.
  const follow = (): void => {
    if (!xen) return
    const behind = xen.nowNs - bench.clock.now()
    if (behind > 0) bench.run(behind)
    const next = bench.clock.nextNs()
    if (Number.isFinite(next)) xen.at(Math.max(next, xen.nowNs), follow)
  }
  const access = (port: number, bytes: 1 | 2 | 4, value?: number): number => {
    follow()
    let got = bytes === 1 ? 0xff : bytes === 2 ? 0xffff : 0xffffffff
    if (port >= ata.IDE1_BASE && port < ata.IDE1_BASE + 8)
      if (value === undefined) got = chip.read(port - ata.IDE1_BASE, bytes)
      else chip.write(port - ata.IDE1_BASE, bytes, value)
    else if (port === ata.IDE1_CONTROL)
      if (value === undefined) got = chip.readControl()
      else chip.writeControl(value)
    else if (withPci && port >= BUS_MASTER && port < BUS_MASTER + 8)
      for (let i = 0; i < bytes; i++)
        if (value === undefined) got = chip.readBusMaster(port - BUS_MASTER)
        else chip.writeBusMaster(port - BUS_MASTER + i, (value >>> (8 * i)) & 0xff)
    else if (withPci && port < BUS_MASTER + 16 && port >= BUS_MASTER + 8) got = 0
    else if (withPci && port >= 0xcf8 && port < 0xd00)
      if (value === undefined) got = pci.read(port - 0xcf8, bytes)
      else pci.write(port - 0xcf8, bytes, value)
    follow()
    return got
  }
  const io: PortIo = {
    in8: (port) => access(port, 1),
    in16: (port) => access(port, 2),
    in32: (port) => access(port, 4),
    out8: (port, value) => void access(port, 1, value),
    out16: (port, value) => void access(port, 2, value),
    out32: (port, value) => void access(port, 4, value),
  }
  const rig = kernelRig({
    pages: 4096,
    cmdline: 'console=xvc0',
    io,
    parts: { ...vfsParts(), makeBlocks: (kernel) => new BlockLayer(kernel), initcalls: blockInitcalls },
  })
  xen = rig.xen
  kernelMem = {
    mem: rig.kernel.mem,
    vaOf(maddr) {
      const mfn = Math.floor(maddr / 4096)
      for (let pfn = 0; pfn < 4096; pfn++)
        if (rig.kernel.pages.mfn(pfn as Gpfn) === mfn) return rig.kernel.pages.va(pfn as Gpfn) + (maddr % 4096)
      throw new Error('DMA outside the domain')
    },
  }
  rig.settle(() => rig.kernel.blocks.disks.length > 0)
  return { rig, chip, flushes: () => flushes }
}

const partitioned = (): SparseDisk => {
  const store = new SparseDisk(204800)
  writePartitions(store, [{ active: true, type: 0x83, start: 63, sectors: 200000 }])
  for (let n = 0; n < 400; n++) store.write(63 + n, new Uint8Array(512).fill(n))
  return store
}

test.each([true, false])('finds the drive, says so, reads and writes it (bus master: %s)', (withPci) => {
  const store = partitioned()
  const { rig, flushes } = machine(store, withPci)
  rig.run(function* (kernel) {
    const device = kernel.blocks.named('hda1')!
    const bytes = yield* device.readSectors(0, 400)
    expect([bytes[0], bytes[512], bytes[399 * 512]]).toEqual([0, 1, 399 & 255])
    yield* device.write(5, new Uint8Array(1024).fill(0xee))
    yield* device.flush()
  })
  expect(store.read(68, 1)[0]).toBe(0xee)
  expect(flushes()).toBe(1)
  expect(rig.kernel.log.text()).toMatchSnapshot()
})

test('what the drive refuses is EIO, in the words of 2.6.18', () => {
  const { rig } = machine(partitioned(), true)
  expect(() =>
    rig.run(function* (kernel) {
      yield* kernel.blocks.disks[0]!.disk.read(204799, 8)
    }),
  ).toThrow(expect.objectContaining({ errno: 5 }))
  expect(rig.kernel.log.text()).toContain('hda: dma_intr: status=0x51 { DriveReady SeekComplete Error }')
  expect(rig.kernel.log.text()).toContain('end_request: I/O error, dev hda, sector 204799')
})
