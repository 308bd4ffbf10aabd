import { describe, expect, test } from 'vitest'
import { HPET_BASE, HPET_CFG, HPET_COUNTER, PM1_SLP_EN, PM1A_CONTROL_BLOCK } from '#abi/pc/acpi.ts'
import * as apic from '#abi/pc/apic.ts'
import { BIOS_DISK_OK, BIOS_DISK_SECTOR_NOT_FOUND } from '#abi/pc/bios.ts'
import { CPU_BRAND, CPU_COUNT } from '#abi/pc/cpu.ts'
import { E820_RAM } from '#abi/pc/e820.ts'
import type { BlockStore } from '#lib/ondisk/block-store.ts'
import { createMachine } from './board.ts'
import type { Machine } from './machine.ts'

const MS = 1_000_000

/** A disk of `sectors` in memory; sector n begins with n. */
function fakeDisk(sectors = 2048): BlockStore & { bytes: Uint8Array } {
  const bytes = new Uint8Array(sectors * 512)
  for (let n = 0; n < sectors; n++) new DataView(bytes.buffer).setUint32(n * 512, n, true)
  bytes.set([0x55, 0xaa], 510)
  return {
    bytes,
    sectors,
    read(lba, count) {
      if (lba + count > sectors) throw new RangeError('outside the disk')
      return bytes.slice(lba * 512, (lba + count) * 512)
    },
    write(lba, part) {
      if (lba * 512 + part.length > bytes.length) throw new RangeError('outside the disk')
      bytes.set(part, lba * 512)
    },
  }
}

function build(options: { memoryMiB?: number; disk?: BlockStore | undefined } = {}) {
  const { memoryMiB, disk } = { memoryMiB: 64, disk: fakeDisk(), ...options }
  const log: string[] = []
  const out: number[] = []
  const run = (ns: number): void => {
    const until = machine.events.now() + ns
    while (machine.events.nextNs() <= until) machine.events.runNext()
    machine.events.advance(until)
  }
  const machine: Machine = createMachine(
    { memoryMiB, disk, seed: 1, epochSeconds: 1242109972 },
    {
      serialOut: (_line, byte) => out.push(byte),
      reset: () => log.push('reset'),
      powerOff: () => log.push('powerOff'),
      startup: (cpu, vector) => log.push(`startup ${cpu} ${vector}`),
      init: (cpu) => log.push(`init ${cpu}`),
      interrupt: (cpu) => log.push(`interrupt ${cpu}`),
      charge: (ns) => machine.events.advance(machine.events.now() + ns),
      diskFlushed: () => log.push('flushed'),
    },
  )
  machine.reset(true)
  const post = (): boolean => {
    const steps = machine.post()
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      run(value as number)
    }
  }
  return { machine, log, out, run, post }
}

function text(machine: Machine): string {
  const { cells, columns, rows } = machine.screen()
  const lines: string[] = []
  for (let row = 0; row < rows; row++) {
    let line = ''
    for (let column = 0; column < columns; column++) {
      const byte = cells[(row * columns + column) * 2]!
      line += byte < 0x20 || byte > 0x7e ? ' ' : String.fromCharCode(byte)
    }
    lines.push(line.trimEnd())
  }
  return lines.join('\n')
}

describe('power-on self test', () => {
  test('loads the boot sector and tells what it found', () => {
    const { machine, post } = build()
    expect(post()).toBe(true)
    expect(machine.mem.read16(0x7c00 + 510)).toBe(0xaa55)
    const screen = text(machine)
    expect(screen).toContain('Xen Playground BIOS 1.0')
    expect(screen).toContain('E6600 @ 2.40GHz, 2 cores')
    expect(screen).toContain('65536K OK')
    expect(screen).toContain('PLAYGROUND HARD DISK, 1 MB')
    expect(machine.events.now()).toBeLessThan(1000 * MS)
  })

  test.each([
    ['no disk', { disk: undefined }, 'No bootable device.'],
    [
      'no signature',
      { disk: { ...fakeDisk(), read: (_lba: number, n: number) => new Uint8Array(n * 512) } },
      'Operating system not found.',
    ],
  ])('%s: says so and gives up', (_name, options, message) => {
    const { machine, post } = build(options)
    expect(post()).toBe(false)
    expect(text(machine)).toContain(message)
  })

  test('with no memory at all there is not even a screen', () => {
    const { post } = build({ memoryMiB: 0 })
    expect(post()).toBe(false)
  })

  test('finds the tables that systems look for', () => {
    const { machine, post } = build()
    post()
    const { mem } = machine
    const ascii = (at: number, n: number): string => String.fromCharCode(...mem.copyOut(at, n))
    const sum = (at: number, n: number): number => mem.copyOut(at, n).reduce((a, b) => (a + b) & 255, 0)
    let rsdp = 0xe0000
    while (rsdp < 0x100000 && ascii(rsdp, 8) !== 'RSD PTR ') rsdp += 16
    expect(sum(rsdp, 20)).toBe(0)
    const rsdt = mem.read32(rsdp + 16)
    expect(ascii(rsdt, 4)).toBe('RSDT')
    const names: string[] = []
    const length = mem.read32(rsdt + 4)
    for (let at = rsdt + 36; at < rsdt + length; at += 4) {
      const table = mem.read32(at)
      names.push(ascii(table, 4))
      expect(sum(table, mem.read32(table + 4))).toBe(0)
    }
    expect(names).toEqual(['FACP', 'APIC', 'HPET'])
  })

  test('the map has no RAM that does not answer, and all of what remains', () => {
    const { machine, post } = build()
    post()
    for (const { base, length, type } of machine.bios.memoryMap()) {
      if (type !== E820_RAM) continue
      machine.mem.write32(base + length - 4, 0x12345678)
      expect(machine.mem.read32(base + length - 4)).toBe(0x12345678)
    }
    expect(machine.mem.read32(64 * 2 ** 20)).toBe(0xffffffff)
  })
})

describe('disk services', () => {
  test.each([
    [1, 1, 0x8000],
    [3, 300, 0x100000],
    [5, 2, 0x9001],
    [0, 2048, 0x200000],
  ])('reads from %i, %i sectors, to %i', (lba, count, to) => {
    const { machine, post } = build()
    post()
    const before = machine.events.now()
    expect(machine.bios.readSectors(0x80, lba, count, to)).toBe(BIOS_DISK_OK)
    for (const n of [0, count - 1]) expect(machine.mem.read32(to + n * 512)).toBe(lba + n || machine.mem.read32(to))
    expect(machine.events.now() - before).toBeGreaterThan(count * 6000)
  })

  test('writes reach the disk', () => {
    const disk = fakeDisk()
    const { machine, post } = build({ disk })
    post()
    machine.mem.fill(0x8000, 1024, 0xab)
    expect(machine.bios.writeSectors(0x80, 7, 2, 0x8000)).toBe(BIOS_DISK_OK)
    expect(disk.bytes[7 * 512]).toBe(0xab)
    expect(disk.bytes[9 * 512 - 1]).toBe(0xab)
    expect(disk.bytes[9 * 512]).toBe(9)
  })

  test.each([
    ['past the end', 0x80, 2047, 2, BIOS_DISK_SECTOR_NOT_FOUND],
    ['no such drive', 0x81, 0, 1, 1],
    ['negative', 0x80, -1, 1, 1],
  ])('refuses %s', (_name, drive, lba, count, result) => {
    const { machine, post } = build()
    post()
    expect(machine.bios.readSectors(drive, lba, count, 0x8000)).toBe(result)
  })
})

describe('keyboard', () => {
  test('keys come through the controller and its interrupt into the BIOS buffer', () => {
    const { machine, post, run } = build()
    post()
    machine.keyboardIn([0x2a, 0x1e, 0x9e, 0xaa, 0xe0, 0x48, 0xe0, 0xc8])
    for (let i = 0; i < 12; i++) {
      run(MS)
      if (machine.interruptPending(0)) expect(machine.acceptInterrupt(0)).toBe(undefined)
    }
    expect(machine.bios.readKey()).toBe(0x1e41)
    expect(machine.bios.readKey()).toBe(0x4800)
    expect(machine.bios.readKey()).toBe(undefined)
  })

  test('a program that never takes interrupts gets its keys too', () => {
    const { machine, post, run } = build()
    post()
    machine.keyboardIn([0x1c, 0x9c])
    run(5 * MS)
    expect(machine.bios.readKey()).toBe(0x1c0d)
  })
})

describe('interrupts', () => {
  /** As a system does: 8259s away, the APICs on. */
  function apicMode(machine: Machine): void {
    machine.io.out8(0x21, 0xff)
    machine.io.out8(0xa1, 0xff)
    machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_SPIV, 0x1ff)
  }
  const route = (machine: Machine, pin: number, low: number, high = 0): void => {
    machine.mem.write32(apic.IOAPIC_BASE, 0x10 + 2 * pin + 1)
    machine.mem.write32(apic.IOAPIC_BASE + 0x10, high)
    machine.mem.write32(apic.IOAPIC_BASE, 0x10 + 2 * pin)
    machine.mem.write32(apic.IOAPIC_BASE + 0x10, low)
  }

  test('the timer reaches the processor by pin 2, and costs no events before it is unmasked', () => {
    const { machine, post, run } = build()
    post()
    apicMode(machine)
    expect(machine.events.pending).toBe(0)
    machine.io.out8(0x43, 0x34)
    machine.io.out8(0x40, 11932 & 0xff)
    machine.io.out8(0x40, 11932 >> 8)
    expect(machine.events.pending).toBe(0)
    route(machine, 2, 0x31)
    let ticks = 0
    for (let i = 0; i < 100; i++) {
      run(MS)
      if (machine.acceptInterrupt(0) === 0x31) {
        ticks++
        machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_EOI, 0)
      }
    }
    expect(ticks).toBe(9)
    route(machine, 2, 0x10031)
    expect(machine.events.pending).toBe(0)
  })

  test('a second processor is started by INIT and STARTUP', () => {
    const { machine, post, log } = build()
    post()
    apicMode(machine)
    machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_ICR2, 1 << 24)
    machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_ICR, 0xc500)
    machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_ICR, 0x8500)
    machine.mem.write32(apic.LAPIC_BASE + apic.LAPIC_ICR, 0x608)
    expect(log.filter((line) => line.includes('1'))).toEqual(['init 1', 'startup 1 8'])
  })

  test('the NMI button reaches the processors whose LINT1 lets it', () => {
    const { machine, post } = build()
    post()
    machine.nmiButton()
    expect(machine.interruptPending(0)).toBe(true)
    expect([machine.takeNmi(0), machine.takeNmi(0), machine.takeNmi(1)]).toEqual([true, false, false])
  })

  test('serial input interrupts after the time that the line takes', () => {
    const { machine, post, run } = build()
    post()
    apicMode(machine)
    route(machine, 4, 0x41)
    machine.io.out8(0x3fc, 0x0b)
    machine.io.out8(0x3f9, 0x01)
    machine.serialIn('com1', [0x61])
    run(1041666 - 10)
    expect(machine.acceptInterrupt(0)).toBe(undefined)
    run(20)
    expect(machine.acceptInterrupt(0)).toBe(0x41)
    expect(machine.io.in8(0x3f8)).toBe(0x61)
  })
})

describe('the rest of the board', () => {
  test('power goes off by PM1a, reset comes by three ways', () => {
    const { machine, post, log } = build()
    post()
    log.length = 0
    machine.io.out16(PM1A_CONTROL_BLOCK, PM1_SLP_EN)
    machine.io.out8(0xcf9, 0x02)
    machine.io.out8(0xcf9, 0x06)
    machine.io.out8(0x64, 0xfe)
    machine.io.out8(0x92, 0x01)
    expect(log).toEqual(['powerOff', 'reset', 'reset', 'reset'])
  })

  test('HPET counts while enabled', () => {
    const { machine, run } = build()
    machine.mem.write32(HPET_BASE + HPET_CFG, 1)
    run(1000 * MS)
    expect(machine.mem.read32(HPET_BASE + HPET_COUNTER)).toBe(14318179)
    machine.mem.write32(HPET_BASE + HPET_CFG, 0)
    run(1000 * MS)
    expect(machine.mem.read64(HPET_BASE + HPET_COUNTER)).toBe(14318179n)
  })

  test('the clock shows the epoch', () => {
    const { machine } = build()
    const bcd = [9, 8, 7, 4, 2, 0].map((index) => {
      machine.io.out8(0x70, index)
      return machine.io.in8(0x71).toString(16)
    })
    expect(bcd).toEqual(['9', '5', '12', '6', '32', '52'])
  })

  test('PCI lists what exists, and BARs can be sized and moved', () => {
    const { machine, post } = build()
    post()
    const { io } = machine
    const config = (slot: number, fn: number, at: number): number => {
      io.out32(0xcf8, 0x80000000 + (slot << 11) + (fn << 8) + at)
      return io.in32(0xcfc)
    }
    const found: string[] = []
    for (let slot = 0; slot < 32; slot++)
      for (let fn = 0; fn < 8; fn++) {
        const id = config(slot, fn, 0)
        if (id !== 0xffffffff) found.push(`${slot.toString(16)}.${fn} ${id.toString(16)}`)
      }
    expect(found).toEqual(['0.0 29a08086', '2.0 11111234', '1f.0 28108086', '1f.1 28508086'])
    expect(config(0x1f, 1, 0x20)).toBe(0xffa1)
    io.out32(0xcfc, 0xffffffff)
    expect(io.in32(0xcfc)).toBe(0xfff1)
    io.out32(0xcfc, 0xc000)
    io.out8(0xc000, 8)
    expect([io.in8(0xc000), io.in8(0xffa0)]).toEqual([8, 0xff])
  })

  test('CPUID', () => {
    const { machine } = build()
    let brand = ''
    for (const leaf of [0x80000002, 0x80000003, 0x80000004]) {
      const { eax, ebx, ecx, edx } = machine.cpuid(0, leaf)
      for (const word of [eax, ebx, ecx, edx])
        brand += String.fromCharCode(word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24)
    }
    expect(brand).toBe(`${CPU_BRAND}\0`)
    expect(brand.length).toBe(48)
    expect(machine.cpuid(1, 1)).toMatchObject({ eax: 0x6fb, ebx: 0x01020800 })
    expect(machine.cpuCount).toBe(CPU_COUNT)
  })

  test('the same history gives the same digest, another does not', () => {
    const once = (key: number): string => {
      const { machine, post, run } = build()
      post()
      machine.keyboardIn([key])
      run(5 * MS)
      return machine.digest()
    }
    expect(once(0x1e)).toBe(once(0x1e))
    expect(once(0x1e)).not.toBe(once(0x1f))
  })

  test('a reset keeps RAM, a power-on finds it zero', () => {
    const { machine, post } = build()
    post()
    machine.mem.write32(0x200000, 42)
    machine.reset(false)
    expect(machine.mem.read32(0x200000)).toBe(42)
    machine.reset(true)
    expect(machine.mem.read32(0x200000)).toBe(0)
    expect(machine.mem.read16(0x7c00 + 510)).toBe(0)
    expect(post()).toBe(true)
  })
})
