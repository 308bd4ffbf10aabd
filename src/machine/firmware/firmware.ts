/**
 * The firmware: power-on self test, the tables that systems look for, and the BIOS services. It works through ports and memory like any
 * program on the boot processor.
 */
import type { Mem } from '#abi/mem.ts'
import { PM1_SLP_EN, PM1_SLP_TYP_SHIFT, PM1A_CONTROL_BLOCK, SLP_TYP_S5 } from '#abi/pc/acpi.ts'
import { BIOS_DISK_OK, type Bios } from '#abi/pc/bios.ts'
import { CPU_BRAND } from '#abi/pc/cpu.ts'
import { BOOT_SECTOR_ADDRESS, BOOT_SIGNATURE, BOOT_SIGNATURE_OFFSET } from '#abi/pc/grub.ts'
import { KEYBOARD_IRQ } from '#abi/pc/i8042.ts'
import { PIT_HZ } from '#abi/pc/i8254.ts'
import { PIC_EOI, PIC1_CMD, PIC2_CMD } from '#abi/pc/i8259.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import { RTC_DATA, RTC_HOURS, RTC_INDEX, RTC_MINUTES, RTC_SECONDS } from '#abi/pc/rtc.ts'
import type { Clock } from '../events.ts'
import { ticksAt } from '../ticks.ts'
import { rsdp, writeAcpiTables } from './acpi-tables.ts'
import * as chipset from './chipset.ts'
import * as bda from './data-area.ts'
import { disks, type FoundDrive } from './disk.ts'
import { keyboard } from './keyboard.ts'
import { LOGO } from './logo.ts'
import { acpiDataBase, acpiNvsBase, BIOS_ROM_BASE, memoryMap, RAM_MIB_MIN } from './memory-map.ts'
import { video } from './video.ts'

export interface FirmwarePlace {
  readonly mem: Mem
  readonly io: PortIo
  readonly clock: Clock
  readonly memoryMiB: number
  readonly cpuCount: number
  /** Store into the ROM: only the firmware's own flash code can. */
  readonly burn: (at: number, part: Uint8Array) => void
  readonly busMaster: number
  readonly placements: readonly chipset.BarPlacement[]
  readonly awaitDrive: (channel: number) => void
  /** Interrupts are let in (STI): serve what is pending. */
  readonly servePending: () => void
  readonly reset: () => void
}

export interface FirmwareState {
  /** Ticks since midnight at power-on, by the real-time clock; the timer counts on from there. */
  ticksAtStart: number
  startNs: number
}

export interface Firmware {
  readonly state: FirmwareState
  readonly bios: Bios
  /** The self test; yields the ns to wait. Returns whether a boot sector lies at 0x7C00. */
  post(): Generator<number, boolean>
  /** Serve an interrupt by the BIOS's own handler; false where `vector` is not one of its own. */
  serve(vector: number): boolean
}

const WHITE = 0x0f
const GREY = 0x07
const CYAN = 0x0b
const GREEN = 0x0a
const RED = 0x0c
const LOGO_COLUMN = 50

const SCREEN_ON_NS = 60_000_000
const MEMORY_TEST_NS = 250_000_000
const MEMORY_TEST_STEPS = 16
const VIDEO_MEMORY = 0xa0000
const MIB = 0x100000
const DRIVES_NS = 40_000_000
const BOOT_NS = 30_000_000
/** The 18.2 Hz clock divides the timer's rate by 65536. */
const TICK_HZ = PIT_HZ / 65536
const DAY_TICKS = 0x1800b0
/** Offsets in the ROM: the table pointer, an IRET, the reset vector, the date and the model byte. */
const RSDP_OFFSET = 0xf5b0
const IRET_OFFSET = 0xff53
const RESET_VECTOR_OFFSET = 0xfff0
const BIOS_DATE = '05/12/09'

export function firmware(place: FirmwarePlace): Firmware {
  const { mem, io, clock, memoryMiB } = place
  const state: FirmwareState = { ticksAtStart: 0, startNs: 0 }
  const screen = video(mem, io)
  /** Base addresses, as found. */
  let serialPorts: readonly number[] = []
  const keys = keyboard(mem, io, place.reset, place.servePending)
  const drives = disks(place)

  const cmos = (index: number): number => {
    io.out8(RTC_INDEX, index)
    const bcd = io.in8(RTC_DATA)
    return (bcd >> 4) * 10 + (bcd & 15)
  }

  function burnRom(rsdt: number): void {
    const rom = new Uint8Array(0x10000).fill(0xff)
    rom.set(rsdp(rsdt), RSDP_OFFSET)
    rom[IRET_OFFSET] = 0xcf
    // JMP FAR F000:E05B, as in every PC since the first.
    rom.set([0xea, 0x5b, 0xe0, 0x00, 0xf0], RESET_VECTOR_OFFSET)
    for (let i = 0; i < BIOS_DATE.length; i++) rom[RESET_VECTOR_OFFSET + 5 + i] = BIOS_DATE.charCodeAt(i)
    rom[0xfffe] = 0xfc // an AT
    place.burn(BIOS_ROM_BASE, rom)
  }

  /** Everything that programs find ready, before the first line on the screen. */
  function initialize(): void {
    serialPorts = chipset.detectSerial(io)
    bda.initDataArea(mem, serialPorts)
    chipset.programPics(io)
    chipset.programPit(io)
    chipset.programSerial(io, serialPorts)
    chipset.programKeyboard(io)
    chipset.programApics(mem)
    chipset.programPci(io, place.placements)
    const rsdt = writeAcpiTables({
      mem,
      dataBase: acpiDataBase(memoryMiB),
      nvsBase: acpiNvsBase(memoryMiB),
      cpuCount: place.cpuCount,
    })
    burnRom(rsdt)
    state.ticksAtStart = Math.floor((cmos(RTC_HOURS) * 3600 + cmos(RTC_MINUTES) * 60 + cmos(RTC_SECONDS)) * TICK_HZ)
    state.startNs = clock.now()
  }

  /** Whether the word at `at` holds what is written to it. What was there stays there. */
  function keeps(at: number): boolean {
    // Below 4 MiB a step may end in the video memory or the ROM.
    if (at >= VIDEO_MEMORY && at < MIB) return true
    const before = mem.read32(at)
    let kept = true
    for (const pattern of [0x55555555, 0xaaaaaaaa]) {
      mem.write32(at, pattern)
      kept &&= mem.read32(at) === pattern
    }
    mem.write32(at, before)
    return kept
  }

  function* countMemory(): Generator<number, void> {
    const { row, column } = screen.cursor()
    for (let step = 1; step <= MEMORY_TEST_STEPS; step++) {
      screen.setCursor(row, column)
      const kib = Math.floor((memoryMiB * 1024 * step) / MEMORY_TEST_STEPS)
      screen.print(`${kib}K`, WHITE)
      if (!keeps(kib * 1024 - 4)) {
        screen.print(' FAILED\n', RED)
        return
      }
      yield MEMORY_TEST_NS / MEMORY_TEST_STEPS
    }
    screen.print(' OK\n', GREEN)
  }

  function banner(): void {
    screen.clearScreen()
    LOGO.forEach((line, row) => {
      screen.setCursor(row, LOGO_COLUMN)
      screen.print(line, CYAN)
    })
    screen.setCursor(1, 0)
    screen.print('Xen Playground BIOS 1.0\n', WHITE)
    screen.print('A PC of the year 2009, in a browser tab\n\n', GREY)
    screen.setCursor(6, 0)
    screen.print('Main Processor : ')
    screen.print(`${CPU_BRAND.replace(/ +/g, ' ')}, ${place.cpuCount} cores\n`, WHITE)
    screen.print('Memory Testing : ')
  }

  function listDrives(): boolean {
    const [primary, secondary] = drives.detect()
    const count = (primary ? 1 : 0) + (secondary ? 1 : 0)
    mem.write8(bda.BDA_DRIVES, count)
    chipset.programCmos(io, memoryMiB, count)
    const says = (found: FoundDrive): string => `${found.model}, ${Math.floor(found.sectors / 2048)} MB\n`
    screen.print('\nPrimary IDE channel   : ')
    if (primary) screen.print(says(primary), WHITE)
    else screen.print('None\n')
    if (secondary) {
      screen.print('Secondary IDE channel : ')
      screen.print(says(secondary), WHITE)
    }
    screen.print('Serial ports          : ')
    screen.print(`${serialPorts.map((base) => base.toString(16).toUpperCase()).join(', ') || 'None'}\n\n`, WHITE)
    return count > 0
  }

  function boot(present: boolean): boolean {
    if (!present) {
      screen.print('No bootable device.\n', RED)
      return false
    }
    const read = drives.read(0x80, 0, 1, BOOT_SECTOR_ADDRESS)
    if (read !== BIOS_DISK_OK) {
      screen.print('Error loading operating system.\n', RED)
      return false
    }
    if (mem.read16(BOOT_SECTOR_ADDRESS + BOOT_SIGNATURE_OFFSET) !== BOOT_SIGNATURE) {
      screen.print('Operating system not found.\n', RED)
      return false
    }
    return true
  }

  function* post(): Generator<number, boolean> {
    // Without memory there is no stack to call a screen driver with: a real board beeps.
    if (memoryMiB < RAM_MIB_MIN) return false
    initialize()
    banner()
    yield SCREEN_ON_NS
    yield* countMemory()
    const present = listDrives()
    yield DRIVES_NS
    screen.print('Booting from hard disk...\n')
    yield BOOT_NS
    return boot(present)
  }

  function serve(vector: number): boolean {
    const second = vector >= chipset.BIOS_PIC2_BASE && vector < chipset.BIOS_PIC2_BASE + 8
    const first = vector >= chipset.BIOS_PIC1_BASE && vector < chipset.BIOS_PIC1_BASE + 8
    if (!first && !second) return false
    if (vector === chipset.BIOS_PIC1_BASE + KEYBOARD_IRQ) keys.serve()
    if (second) io.out8(PIC2_CMD, PIC_EOI)
    io.out8(PIC1_CMD, PIC_EOI)
    return true
  }

  const bios: Bios = {
    teletype: screen.teletype,
    setCursor: screen.setCursor,
    cursor: screen.cursor,
    putChar: screen.putChar,
    showCursor: screen.showCursor,
    clearScreen: screen.clearScreen,
    readKey: keys.readKey,
    shiftFlags: keys.shiftFlags,
    lowMemoryKib: () => mem.read16(bda.BDA_MEMORY_KIB),
    memoryMap: () => memoryMap(memoryMiB),
    driveParameters: drives.parameters,
    readSectors: drives.read,
    writeSectors: drives.write,
    ticks: () => (state.ticksAtStart + ticksAt(clock.now() - state.startNs, TICK_HZ)) % DAY_TICKS,
    reboot: place.reset,
    powerOff: () => io.out16(PM1A_CONTROL_BLOCK, PM1_SLP_EN | (SLP_TYP_S5 << PM1_SLP_TYP_SHIFT)),
  }

  return { state, bios, post, serve }
}
