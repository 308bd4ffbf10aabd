/**
 * The motherboard: which chip answers at which port and frame, and which pin is wired to which. A Core 2 era PC with an ICH8-like
 * south bridge: two 16550s, 8254, two 8259s, I/O APIC, HPET, ACPI power management, real-time clock, keyboard controller, VGA, IDE, PCI,
 * the firmware hub's random number generator, and the host link chip.
 *
 * The A20 gate and DMA channel 2's page registers keep what is written, but no address line is ever masked.
 */
import * as acpi from '#abi/pc/acpi.ts'
import * as apic from '#abi/pc/apic.ts'
import { CPU_COUNT } from '#abi/pc/cpu.ts'
import { FWH_RNG_BASE } from '#abi/pc/fwh-rng.ts'
import * as hl from '#abi/pc/hostlink.ts'
import * as kbc from '#abi/pc/i8042.ts'
import * as pit from '#abi/pc/i8254.ts'
import * as pic from '#abi/pc/i8259.ts'
import * as ata from '#abi/pc/ide.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import * as pciAbi from '#abi/pc/pci.ts'
import * as rtcAbi from '#abi/pc/rtc.ts'
import * as uart from '#abi/pc/uart16550.ts'
import { VGA_TEXT_BASE, VGA_TEXT_BYTES } from '#abi/pc/vga.ts'
import { type Digest, digest } from '#lib/digest.ts'
import { cpuid } from './cpu-identity.ts'
import type { PortDevice } from './device.ts'
import { acpiPm } from './devices/acpi-pm/acpi-pm.ts'
import { fwhRng } from './devices/fwh-rng/fwh-rng.ts'
import { hostlink } from './devices/hostlink/hostlink.ts'
import { hpet } from './devices/hpet/hpet.ts'
import { i8042 } from './devices/i8042/i8042.ts'
import { i8254 } from './devices/i8254/i8254.ts'
import { i8259pair } from './devices/i8259/i8259.ts'
import { type IdeChannel, type IdePins, ideChannel } from './devices/ide/ide.ts'
import { ioapic } from './devices/ioapic/ioapic.ts'
import { type ApicMessage, lapic } from './devices/lapic/lapic.ts'
import { type PciFunction, pciBus } from './devices/pci/pci.ts'
import { rtc } from './devices/rtc/rtc.ts'
import { uart16550 } from './devices/uart16550/uart16550.ts'
import { vga } from './devices/vga/vga.ts'
import { EventQueue } from './events.ts'
import { firmware } from './firmware/firmware.ts'
import type { Machine, MachineConfig, MachineWires } from './machine.ts'
import { createMemory } from './memory.ts'
import { type PortRow, portTable } from './ports.ts'

/** Where the firmware puts the IDE controller's bus master registers. */
const BUS_MASTER_BASE = 0xffa0
const BUS_MASTER_BYTES = 16
const DRIVE = { model: 'PLAYGROUND HARD DISK', serial: 'XPG20090512', firmware: '1.00' }
const SECOND_DRIVE = { ...DRIVE, serial: 'XPG20090513' }

/** Pin of the I/O APIC that an ISA interrupt is wired to; -1: none. The timer is on pin 2, where the cascade would be. */
const ioapicPin = (irq: number): number => (irq === pit.PIT_IRQ ? 2 : irq === pic.PIC_CASCADE_IRQ ? -1 : irq)

export function createMachine(config: MachineConfig, wires: MachineWires): Machine {
  const events = new EventQueue()
  const memory = createMemory(config.memoryMiB)
  const { mem } = memory
  const latches = { post: 0, port92: 0, resetControl: 0, pages: new Array<number>(16).fill(0), nmiMasked: false }
  let selected = 0

  const lapics = Array.from({ length: CPU_COUNT }, (_, id) =>
    lapic({
      clock: events,
      id,
      wake: () => wires.interrupt(id),
      send: (message, shorthand) => sendIpi(id, message, shorthand),
      broadcastEoi: (vector) => io24.endOfInterrupt(vector),
      lintChanged: routesChanged,
    }),
  )
  const io24 = ioapic({ send: (message) => deliver(message, targets(message)), masksChanged: routesChanged })
  const pics = i8259pair({ int: intChanged, masksChanged: routesChanged })
  const isa = (irq: number) => (high: boolean) => {
    pics.setIrq(irq, high)
    if (ioapicPin(irq) >= 0) io24.setPin(ioapicPin(irq), high)
  }

  const timer = i8254({
    clock: events,
    irq: isa(pit.PIT_IRQ),
    level(high) {
      pics.setIrq(pit.PIT_IRQ, high)
      io24.preset(ioapicPin(pit.PIT_IRQ), high)
    },
  })
  const keyboard = i8042({ clock: events, irq: isa(kbc.KEYBOARD_IRQ), reset: wires.reset })
  const clock = rtc({ clock: events, irq: isa(rtcAbi.RTC_IRQ), epochSeconds: config.epochSeconds })
  const power = acpiPm({ clock: events, sci: isa(acpi.SCI_IRQ), powerOff: wires.powerOff })
  const hpetBlock = hpet({ clock: events })
  const noise = fwhRng({ clock: events, seed: config.seed })
  const display = vga({ clock: events })
  const serial = {
    com1: uart16550({ clock: events, irq: isa(uart.COM1_IRQ), transmit: (byte) => wires.serialOut('com1', byte) }),
    com2: uart16550({ clock: events, irq: isa(uart.COM2_IRQ), transmit: (byte) => wires.serialOut('com2', byte) }),
  }
  const links = hostlink({
    irq: isa(hl.HOSTLINK_IRQ),
    mem,
    output: (id, output) => wires.linkOut?.(id, output),
    trace: (bytes) => wires.trace?.(bytes),
  })
  const ide = (irq: number, pins: Pick<IdePins, 'disk' | 'identity' | 'flushed'>): IdeChannel =>
    ideChannel({ clock: events, irq: isa(irq), mem, ...pins })
  const ide1 = ide(ata.IDE1_IRQ, { disk: config.disk, identity: DRIVE, flushed: () => wires.diskFlushed?.() })
  // What is written to the second disk lives as long as the machine: nobody stores it.
  const ide2 = ide(ata.IDE2_IRQ, { disk: config.secondDisk, identity: SECOND_DRIVE, flushed: () => {} })

  /** IPIs and I/O interrupts find their processors. */
  function targets(message: ApicMessage): number[] {
    const found: number[] = []
    for (const [id, each] of lapics.entries()) if (each.matches(message)) found.push(id)
    return found
  }

  function deliver({ mode, vector, level }: ApicMessage, to: readonly number[]): void {
    let receivers = to
    if (mode === apic.APIC_DM_LOWEST && to.length > 1) {
      receivers = [to.reduce((best, id) => (lapics[id]!.priority() < lapics[best]!.priority() ? id : best))]
    }
    for (const id of receivers) {
      if (mode === apic.APIC_DM_INIT) {
        lapics[id]!.init()
        wires.init(id)
      } else if (mode === apic.APIC_DM_STARTUP) wires.startup(id, vector)
      else lapics[id]!.deliver(mode, vector, level)
    }
  }

  function sendIpi(from: number, message: ApicMessage, shorthand: number): void {
    const everybody = lapics.map((_, id) => id)
    if (shorthand === 0) deliver(message, targets(message))
    else if (shorthand === 1) deliver(message, [from])
    else deliver(message, shorthand === 2 ? everybody : everybody.filter((id) => id !== from))
  }

  function intChanged(high: boolean): void {
    if (high) for (const [id, each] of lapics.entries()) if (each.acceptsExtInt()) wires.interrupt(id)
  }

  /** Masks have changed: the timer's edges are wanted while one of the two controllers would pass them on. */
  function routesChanged(): void {
    const byPic = pics.unmasked(pit.PIT_IRQ) && lapics.some((each) => each.acceptsExtInt())
    timer.listen(byPic || io24.unmasked(ioapicPin(pit.PIT_IRQ)))
    if (pics.output()) intChanged(true)
  }

  function nmi(): void {
    if (!latches.nmiMasked) for (const each of lapics) each.lint1()
  }

  const busMaster = (first: number): PortRow => ({
    from: first,
    count: BUS_MASTER_BYTES,
    read: (offset) => (offset < 8 ? ide1.readBusMaster(offset) : ide2.readBusMaster(offset - 8)),
    write: (offset, _bytes, value) =>
      offset < 8 ? ide1.writeBusMaster(offset, value) : ide2.writeBusMaster(offset - 8, value),
  })
  let busMasterRow: PortRow | undefined

  const functions: PciFunction[] = [
    pciFunction(0x00, 0, 0x29a0, 0x0600, 0x00), // 82P965/G965 memory controller hub
    {
      ...pciFunction(0x02, 0, 0x1111, 0x0300, 0x00), // a bare VGA, without linear frame buffer
      vendor: 0x1234,
      revision: 0,
      commandBits: pciAbi.PCI_COMMAND_IO | pciAbi.PCI_COMMAND_MEMORY,
      command: pciAbi.PCI_COMMAND_IO | pciAbi.PCI_COMMAND_MEMORY,
    },
    { ...pciFunction(0x1f, 0, 0x2810, 0x0601, 0x00), multifunction: true }, // ICH8 LPC bridge
    {
      ...pciFunction(0x1f, 1, 0x2850, 0x0101, 0x80), // ICH8M IDE: both channels at their old addresses, bus master
      commandBits: pciAbi.PCI_COMMAND_IO | pciAbi.PCI_COMMAND_MASTER,
      command: pciAbi.PCI_COMMAND_IO | pciAbi.PCI_COMMAND_MASTER,
      multifunction: true,
      ports: { 4: { bytes: BUS_MASTER_BYTES, base: BUS_MASTER_BASE } },
      moved(_bar, base) {
        if (busMasterRow) table.remove(busMasterRow)
        busMasterRow = base === undefined ? undefined : busMaster(base)
        if (busMasterRow) table.add(busMasterRow)
      },
    },
  ]
  const pci = pciBus(functions)

  const table = portTable(portRows())
  const io: PortIo = table.io

  /** The port map. */
  function portRows(): PortRow[] {
    const byte = (from: number, count: number, device: PortDevice, stride = 0): PortRow => ({
      from,
      count,
      read: (offset) => device.read(offset + stride),
      write: (offset, _bytes, value) => device.write(offset + stride, value),
    })
    const latch = (from: number, read: () => number, write: (value: number) => void): PortRow =>
      byte(from, 1, { read, write: (_offset, value) => write(value) })
    const channel = (base: number, control: number, each: IdeChannel): PortRow[] => [
      { from: base, count: 8, wide: true, read: each.read, write: each.write },
      latch(control, each.readControl, each.writeControl),
    ]
    return [
      ...([0, 1] as const).map((n) =>
        byte(n === 0 ? pic.PIC1_CMD : pic.PIC2_CMD, 2, {
          read: (offset) => pics.read(n, offset),
          write: (offset, value) => pics.write(n, offset, value),
        }),
      ),
      byte(pic.ELCR1, 2, {
        read: (offset) => pics.readElcr(offset === 0 ? 0 : 1),
        write: (offset, value) => pics.writeElcr(offset === 0 ? 0 : 1, value),
      }),
      byte(pit.PIT_CH0, 4, timer),
      latch(
        kbc.I8042_DATA,
        () => keyboard.read(0),
        (value) => keyboard.write(0, value),
      ),
      latch(
        kbc.I8042_STATUS,
        () => keyboard.read(4),
        (value) => keyboard.write(4, value),
      ),
      latch(pit.PORT_B, timer.readPortB, timer.writePortB),
      byte(rtcAbi.RTC_INDEX, 2, {
        read: clock.read,
        write(offset, value) {
          if (offset === 0) latches.nmiMasked = (value & 0x80) !== 0
          clock.write(offset, value)
        },
      }),
      // The DMA page registers; 0x80 among them shows POST codes and is everybody's delay.
      byte(0x80, 16, {
        read: (offset) => latches.pages[offset]!,
        write(offset, value) {
          latches.pages[offset] = value
        },
      }),
      latch(
        0xed,
        () => 0xff,
        () => {},
      ),
      latch(0x92, () => latches.port92, writePort92),
      ...channel(ata.IDE1_BASE, ata.IDE1_CONTROL, ide1),
      ...channel(ata.IDE2_BASE, ata.IDE2_CONTROL, ide2),
      byte(uart.COM1_BASE, 8, serial.com1),
      byte(uart.COM2_BASE, 8, serial.com2),
      byte(0x3c0, 0x20, display.ports),
      { from: hl.HOSTLINK_BASE, count: hl.HOSTLINK_PORTS, wide: true, read: links.read, write: links.write },
      { from: acpi.PM1A_EVENT_BLOCK, count: 12, wide: true, read: power.read, write: power.write },
      {
        from: pciAbi.PCI_CONFIG_ADDRESS,
        count: 8,
        wide: true,
        read: (offset, bytes) => (offset === 1 && bytes === 1 ? latches.resetControl : pci.read(offset, bytes)),
        write(offset, bytes, value) {
          if (offset === 1 && bytes === 1) writeResetControl(value)
          else pci.write(offset, bytes, value)
        },
      },
    ]
  }

  function writePort92(value: number): void {
    const rise = value & ~latches.port92 & 1
    latches.port92 = value & 3
    if (rise) wires.reset()
  }

  function writeResetControl(value: number): void {
    const rise = value & ~latches.resetControl & 4
    latches.resetControl = value & 0x0e
    if (rise) wires.reset()
  }

  memory.map(VGA_TEXT_BASE, VGA_TEXT_BYTES, display)
  memory.map(apic.IOAPIC_BASE, 4096, io24)
  memory.map(acpi.HPET_BASE, 4096, hpetBlock)
  memory.map(FWH_RNG_BASE, 4096, noise)
  memory.map(apic.LAPIC_BASE, 4096, {
    read: (offset, bytes) => lapics[selected]!.read(offset, bytes),
    write: (offset, bytes, value) => lapics[selected]!.write(offset, bytes, value),
  })

  const program = firmware({
    mem,
    io,
    clock: events,
    memoryMiB: config.memoryMiB,
    cpuCount: CPU_COUNT,
    burn: memory.burn,
    busMaster: BUS_MASTER_BASE,
    placements: functions.map(({ slot, fn, command, ports }) => ({ slot, fn, command, ports: ports ?? {} })),
    awaitDrive(channel) {
      const ns = (channel === 0 ? ide1 : ide2).doneNs() - events.now()
      if (ns > 0 && ns !== Number.POSITIVE_INFINITY) wires.charge(ns)
    },
    servePending() {
      while (pics.output() && lapics[0]!.acceptsExtInt()) if (!program.serve(pics.acknowledge())) break
    },
    reset: wires.reset,
  })

  const chips = {
    pics,
    io24,
    timer,
    keyboard,
    clock,
    power,
    hpetBlock,
    noise,
    display,
    ...serial,
    ide1,
    ide2,
    pci,
    links,
  }

  function reset(cold: boolean): void {
    if (cold) memory.powerOn()
    for (const chip of Object.values(chips)) chip.reset()
    for (const each of lapics) each.reset()
    if (cold) for (const each of Object.values(serial)) each.powerOn()
    Object.assign(latches, {
      post: 0,
      port92: 0,
      resetControl: 0,
      pages: new Array<number>(16).fill(0),
      nmiMasked: false,
    })
    selected = 0
  }

  return {
    events,
    mem,
    processorMemory: memory.processors,
    io,
    bios: program.bios,
    cpuCount: CPU_COUNT,
    cpuid,
    selectCpu(cpu) {
      selected = cpu
    },
    acceptInterrupt(cpu) {
      const local = lapics[cpu]!
      if (local.pending()) return local.accept()
      while (pics.output() && local.acceptsExtInt()) {
        const vector = pics.acknowledge()
        // In real mode the vectors lead into the firmware, whose handlers are this machine's own business.
        if (!program.serve(vector)) return vector
      }
      return undefined
    },
    interruptPending(cpu) {
      const local = lapics[cpu]!
      return local.nmiPending() || local.pending() || (pics.output() && local.acceptsExtInt())
    },
    nmiPending: (cpu) => lapics[cpu]!.nmiPending(),
    takeNmi: (cpu) => lapics[cpu]!.takeNmi(),
    serialIn: (line, bytes) => serial[line].receive(bytes),
    keyboardIn: (scancodes) => keyboard.type(scancodes),
    linkIn: links.receive,
    nmiButton: nmi,
    reset,
    powerDown() {
      reset(true)
      display.blank()
    },
    post: program.post,
    screen: display.screen,
    screenVersion: display.version,
    digest() {
      const fold = digest()
      foldState(fold, { latches, selected, firmware: program.state })
      for (const each of lapics) foldState(fold, each.state)
      for (const [name, chip] of Object.entries(chips)) {
        fold.text(name)
        foldState(fold, chip.state)
      }
      memory.digestInto(fold)
      return fold.hex()
    },
  }
}

/** A function of an Intel chipset, revision 2, that decodes nothing by itself. */
const pciFunction = (slot: number, fn: number, device: number, kind: number, progIf: number): PciFunction => ({
  slot,
  fn,
  vendor: 0x8086,
  device,
  revision: 2,
  class: kind,
  progIf,
  commandBits: 0,
  command: 0,
})

/** A chip's state, piece by piece in the order of its fields. */
function foldState(fold: Digest, value: unknown): void {
  if (typeof value === 'number') fold.number(value)
  else if (typeof value === 'string') fold.text(value)
  else if (value instanceof Uint8Array) fold.number(value.length).bytes(value)
  else if (Array.isArray(value)) {
    fold.number(value.length)
    for (const each of value) foldState(fold, each)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      fold.text(key)
      foldState(fold, each)
    }
  } else fold.text(String(value))
}
