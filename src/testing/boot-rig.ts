/**
 * A bench for boot loaders without a machine: memory, a disk behind BIOS calls, a text screen, keys, and a UART with a VT100 behind it.
 * Time stands still but for `seconds`. Bytes on the line take no time, so the transmitter is always empty.
 */
import { inflateSync } from 'fflate'
import { type Mem, memOf } from '#abi/mem.ts'
import { BIOS_DISK_NOT_READY, BIOS_DISK_OK, type Bios, type E820Entry } from '#abi/pc/bios.ts'
import { E820_RAM, E820_RESERVED } from '#abi/pc/e820.ts'
import { STAGE2_BODY_ADDRESS, STAGE2_PARAMS_OFFSET, stage2_params } from '#abi/pc/grub.ts'
import type { Exit, Metal, MetalEntry, PcpuCode, Regs } from '#abi/pc/metal.ts'
import { COM1_BASE, UART_DLL, UART_DLM, UART_LCR, UART_LCR_DLAB, UART_LSR, UART_RBR } from '#abi/pc/uart16550.ts'
import type { Probe } from '#abi/probe.ts'
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import { bytesOfString } from '#lib/utf8.ts'

const COLUMNS = 80
const ROWS = 25
const MIB = 0x100000
const SECOND_NS = 1_000_000_000
const FIRST_DISK = 0x80
/** A loader that runs so often without waiting spins. */
const RUNS_MAX = 200_000

/** CP437's frames and arrows as Unicode, for snapshots that can be read. */
const SHOWN: ReadonlyMap<number, string> = new Map([
  [218, '┌'],
  [191, '┐'],
  [192, '└'],
  [217, '┘'],
  [196, '─'],
  [179, '│'],
  [0x18, '↑'],
  [0x19, '↓'],
  [0x1a, '→'],
  [0x1b, '←'],
])

/** 80 x 25 cells with a cursor; lines scroll. */
export class TextScreen {
  cells: number[][] = []
  reversed: boolean[][] = []
  row = 0
  column = 0
  cursorVisible = true

  constructor() {
    this.clear()
  }

  clear(): void {
    this.cells = Array.from({ length: ROWS }, () => Array<number>(COLUMNS).fill(32))
    this.reversed = Array.from({ length: ROWS }, () => Array<boolean>(COLUMNS).fill(false))
    this.row = 0
    this.column = 0
  }

  set(byte: number, reversed: boolean): void {
    this.cells[this.row]![this.column] = byte
    this.reversed[this.row]![this.column] = reversed
  }

  /** What the control characters of a teletype do. */
  control(byte: number): void {
    if (byte === 13) this.column = 0
    else if (byte === 8) this.column = Math.max(0, this.column - 1)
    else if (byte === 10 && this.row < ROWS - 1) this.row++
    else if (byte === 10) {
      this.cells = [...this.cells.slice(1), Array<number>(COLUMNS).fill(32)]
      this.reversed = [...this.reversed.slice(1), Array<boolean>(COLUMNS).fill(false)]
    }
  }

  teletype(byte: number, reversed = false): void {
    if (byte < 14 && byte > 6) this.control(byte)
    else {
      this.set(byte, reversed)
      if (++this.column < COLUMNS) return
      this.column = 0
      this.control(10)
    }
  }

  /** The text, without blanks at the ends of lines and empty lines at the end. */
  text(): string {
    const line = (cells: number[]): string =>
      cells
        .map((byte) => SHOWN.get(byte) ?? String.fromCharCode(byte))
        .join('')
        .trimEnd()
    return this.cells.map(line).join('\n').trimEnd()
  }

  /** The reversed row's text, trimmed; undefined without one. */
  marked(): string | undefined {
    const row = this.reversed.findIndex((cells) => cells[5])
    if (row < 0) return undefined
    return this.cells[row]!.filter((_, column) => this.reversed[row]![column])
      .map((byte) => SHOWN.get(byte) ?? String.fromCharCode(byte))
      .join('')
      .trim()
  }
}

/** The VT100 at the other end of COM1, as far as GRUB drives it. */
class Vt100 {
  readonly screen = new TextScreen()
  /** Everything received. */
  raw = ''
  #escape = ''
  #reversed = false

  put(byte: number): void {
    this.raw += String.fromCharCode(byte)
    if (byte === 27 || this.#escape !== '') {
      this.#escape += String.fromCharCode(byte)
      if (/[A-Za-z]$/.test(this.#escape)) this.#obey()
    } else this.screen.teletype(byte, this.#reversed)
  }

  #obey(): void {
    const sequence = this.#escape.slice(2)
    this.#escape = ''
    const { screen } = this
    const position = /^(\d+);(\d+)H$/.exec(sequence)
    if (position) {
      screen.row = Number(position[1]) - 1
      screen.column = Number(position[2]) - 1
    } else if (sequence === 'H') {
      screen.row = 0
      screen.column = 0
    } else if (sequence === 'J') screen.clear()
    else if (sequence === '7m') this.#reversed = true
    else if (sequence === 'm') this.#reversed = false
    else throw new Error(`the terminal does not know ESC [ ${sequence}`)
  }
}

export interface RigOptions {
  readonly disk?: BlockStore
  readonly memoryMiB?: number
  /** What the installer tells stage2. */
  readonly configFile?: string
  readonly partition?: number
  /** Sectors that cannot be read. */
  readonly badSectors?: ReadonlySet<number>
  readonly writeProtected?: boolean
}

export class BootRig {
  readonly mem: Mem
  readonly screen = new TextScreen()
  readonly serial = new Vt100()
  readonly probes: Probe[] = []
  readonly metal: Metal
  /** Registers of the UART as last written; 8 and 9 the divisor. */
  readonly uart: number[] = Array(10).fill(0)
  /** What ended the run: a jump, HLT. */
  exit: Exit | undefined
  reboots = 0
  poweredOff = false
  readonly #keys: number[] = []
  readonly #line: number[] = []
  #now = 0
  #code: PcpuCode | undefined
  #waiting: Exit | undefined

  constructor({ disk, memoryMiB = 16, configFile = '/boot/grub/menu.lst', partition = 0, ...faults }: RigOptions = {}) {
    this.mem = memOf(new Uint8Array(memoryMiB * MIB))
    const map: E820Entry[] = [
      { base: 0, length: 0x9fc00, type: E820_RAM },
      { base: 0x9fc00, length: 0x400, type: E820_RESERVED },
      { base: 0xf0000, length: 0x10000, type: E820_RESERVED },
      { base: MIB, length: (memoryMiB - 1) * MIB, type: E820_RAM },
    ]
    stage2_params.write(this.mem, STAGE2_BODY_ADDRESS + STAGE2_PARAMS_OFFSET, {
      install_partition: (partition << 16) | 0xffff,
      version_string: bytesOfString('0.97\0'),
      config_file: bytesOfString(configFile + '\0'),
    })
    this.metal = {
      mem: this.mem,
      io: this.#io(),
      bios: this.#bios(disk, map, faults),
      cpu: { apicId: 0, rdtsc: () => 0, cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }), charge: () => {} },
      natives: { inflate },
      // Boot loaders jump; loading code is a hypervisor's business.
      load: () => ({ ok: false, isImage: false, why: 'nothing is run on the bench' }),
      ring3: () => undefined,
      now: () => this.#now,
      plant: () => {},
      probe: (event) => {
        this.probes.push(event)
      },
      trace: () => {},
    }
  }

  #io(): Metal['io'] {
    const absent = (): number => 0xffffffff
    return {
      in8: (port) => {
        const register = port - COM1_BASE
        if (register === UART_LSR) return 0x60 | (this.#line.length > 0 ? 1 : 0)
        if (register === UART_RBR) return this.#line.shift() ?? 0
        return 0xff
      },
      out8: (port, value) => {
        const register = port - COM1_BASE
        if (register < 0 || register > 7) return
        const latch = (this.uart[UART_LCR]! & UART_LCR_DLAB) !== 0
        if (latch && (register === UART_DLL || register === UART_DLM)) this.uart[8 + register] = value
        else if (register === 0) this.serial.put(value)
        else this.uart[register] = value
      },
      in16: absent,
      in32: absent,
      out16: () => {},
      out32: () => {},
    }
  }

  #bios(disk: BlockStore | undefined, map: readonly E820Entry[], faults: RigOptions): Bios {
    const { screen, mem } = this
    const ready = (drive: number, lba: number, count: number): boolean =>
      disk !== undefined && drive === FIRST_DISK && lba + count <= disk.sectors
    return {
      teletype: (byte) => screen.teletype(byte),
      setCursor: (row, column) => {
        screen.row = row
        screen.column = column
      },
      cursor: () => ({ row: screen.row, column: screen.column }),
      putChar: (byte, attribute) => screen.set(byte, attribute >> 4 !== 0),
      showCursor: (visible) => {
        screen.cursorVisible = visible
      },
      clearScreen: () => screen.clear(),
      readKey: () => this.#keys.shift(),
      shiftFlags: () => 0,
      lowMemoryKib: () => 639,
      memoryMap: () => map,
      driveParameters: (drive) =>
        disk && drive === FIRST_DISK
          ? { sectors: disk.sectors, cylinders: Math.ceil(disk.sectors / (16 * 63)), heads: 16, sectorsPerTrack: 63 }
          : undefined,
      readSectors: (drive, lba, count, to) => {
        for (let i = 0; i < count; i++) if (faults.badSectors?.has(lba + i)) return BIOS_DISK_NOT_READY
        if (!ready(drive, lba, count)) return BIOS_DISK_NOT_READY
        mem.copyIn(to, disk!.read(lba, count))
        return BIOS_DISK_OK
      },
      writeSectors: (drive, lba, count, from) => {
        if (faults.writeProtected || !ready(drive, lba, count)) return BIOS_DISK_NOT_READY
        disk!.write(lba, mem.copyOut(from, count * SECTOR_BYTES))
        return BIOS_DISK_OK
      },
      ticks: () => 0x12345,
      reboot: () => {
        this.reboots++
      },
      powerOff: () => {
        this.poweredOff = true
      },
    }
  }

  /** Start a loader and run it until it waits for input. */
  start(entry: MetalEntry, regs: Regs = { edx: FIRST_DISK }): this {
    this.exit = undefined
    this.#code = entry(this.metal, regs)
    return this.settle()
  }

  /** Run on until nothing but input or time moves it. */
  settle(): this {
    for (let runs = 0; !this.exit; runs++) {
      if (runs > RUNS_MAX) throw new Error('the loader spins')
      const exit = this.#code!.run(Number.POSITIVE_INFINITY)
      if (exit.kind === 'pause') {
        this.#waiting = exit
        if (exit.forInput) break
        this.#now = Math.max(this.#now, exit.untilNs)
      } else if (exit.kind !== 'run') this.exit = exit
    }
    return this
  }

  /** Let virtual time pass. */
  seconds(count: number): this {
    const end = this.#now + count * SECOND_NS
    while (!this.exit) {
      const until = this.#waiting?.kind === 'pause' ? this.#waiting.untilNs : end
      if (until > end) break
      this.#now = until
      this.settle()
    }
    this.#now = end
    return this
  }

  /** Type on the keyboard: characters, or INT 16h codes of other keys. */
  keys(...keys: readonly (string | number)[]): this {
    for (const key of keys) {
      if (typeof key === 'number') this.#keys.push(key)
      else for (const c of key) this.#keys.push(c === '\n' ? 13 : c.charCodeAt(0))
    }
    return this.settle()
  }

  /** Type at the terminal on COM1. */
  type(text: string): this {
    for (const c of text) this.#line.push(c === '\n' ? 13 : c.charCodeAt(0))
    return this.settle()
  }
}

function inflate(deflated: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(deflated)
  } catch {
    return undefined
  }
}
