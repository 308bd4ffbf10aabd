/**
 * PCI configuration space by mechanism 1 (PCI Local Bus 2.3, 3.2.2.3.2): one bus, a table of functions with type 0 headers. Base
 * address registers can be sized and moved.
 */
import {
  PCI_BASE_ADDRESS_0,
  PCI_CLASS_DEVICE,
  PCI_CLASS_PROG,
  PCI_COMMAND,
  PCI_COMMAND_IO,
  PCI_DEVICE_ID,
  PCI_HEADER_TYPE,
  PCI_HEADER_TYPE_MULTIFUNCTION,
  PCI_INTERRUPT_LINE,
  PCI_INTERRUPT_PIN,
  PCI_REVISION_ID,
  PCI_STATUS,
  PCI_SUBSYSTEM_ID,
  PCI_SUBSYSTEM_VENDOR_ID,
  PCI_VENDOR_ID,
} from '#abi/pc/pci.ts'
import type { Chip } from '../../device.ts'
import type { AccessBytes } from '../../memory.ts'

/** A function as it is soldered on: bus 0, `slot`, `fn`. */
export interface PciFunction {
  readonly slot: number
  readonly fn: number
  readonly vendor: number
  readonly device: number
  readonly revision: number
  /** Class and subclass, `0x0601`. */
  readonly class: number
  readonly progIf: number
  /** Other functions live in the same slot. */
  readonly multifunction?: boolean
  /** Bits of the command register that the device has. */
  readonly commandBits: number
  /** What of the command register the firmware switches on. */
  readonly command: number
  readonly status?: number
  /** Port ranges by BAR number: size and where the firmware puts them. */
  readonly ports?: Readonly<Record<number, { readonly bytes: number; readonly base: number }>>
  /** A BAR's range moved, appeared (decoding switched on) or vanished (undefined). */
  readonly moved?: (bar: number, base: number | undefined) => void
}

export interface PciState {
  address: number
  /** 256 bytes for each function, in the order of the table. */
  config: number[][]
}

export interface Pci extends Chip<PciState> {
  /** Ports 0xCF8 to 0xCFF; offsets count from 0xCF8. */
  read(offset: number, bytes: AccessBytes): number
  write(offset: number, bytes: AccessBytes, value: number): void
}

const CONFIG_BYTES = 256
const ENABLE = 0x80000000
const BARS = 6
/** Interrupt line: routing as firmware or system notes it. */
const WRITABLE_ALWAYS: Readonly<Record<number, number>> = { [PCI_INTERRUPT_LINE]: 0xff, [0x0c]: 0xff, [0x0d]: 0xf8 }

export function pciBus(functions: readonly PciFunction[]): Pci {
  const state: PciState = { address: 0, config: functions.map(initialConfig) }

  function target(): number {
    if ((state.address & ENABLE) === 0 || (state.address >>> 16) & 0xff) return -1
    const slot = (state.address >>> 11) & 31
    const fn = (state.address >>> 8) & 7
    return functions.findIndex((each) => each.slot === slot && each.fn === fn)
  }

  /** Writable bits of byte `at` of a function's header. */
  function mask(each: PciFunction, at: number): number {
    if (at === PCI_COMMAND || at === PCI_COMMAND + 1) return (each.commandBits >> (8 * (at - PCI_COMMAND))) & 0xff
    if (at >= PCI_BASE_ADDRESS_0 && at < PCI_BASE_ADDRESS_0 + 4 * BARS) {
      const range = each.ports?.[(at - PCI_BASE_ADDRESS_0) >> 2]
      // An I/O range decodes 16 bits; below its size the bits are zero, bit 0 says I/O.
      return range ? ((~(range.bytes - 1) & 0xfffc) >>> (8 * (at & 3))) & 0xff : 0
    }
    return WRITABLE_ALWAYS[at] ?? 0
  }

  function writeByte(index: number, at: number, value: number): void {
    const config = state.config[index]!
    const each = functions[index]!
    if (at === PCI_STATUS + 1) {
      // Error bits are cleared by ones.
      config[at] = config[at]! & ~(value & 0xf9)
      return
    }
    const bits = mask(each, at)
    config[at] = (config[at]! & ~bits) | (value & bits)
  }

  /** Tell the board where each range is decoded now. */
  function solder(index: number): void {
    const each = functions[index]!
    const config = state.config[index]!
    for (const key of Object.keys(each.ports ?? {})) {
      const bar = Number(key)
      const base = (config[PCI_BASE_ADDRESS_0 + 4 * bar]! & 0xfc) | (config[PCI_BASE_ADDRESS_0 + 4 * bar + 1]! << 8)
      const decoded = (config[PCI_COMMAND]! & PCI_COMMAND_IO) !== 0 && base !== 0
      each.moved?.(bar, decoded ? base : undefined)
    }
  }

  return {
    state,
    read(offset, bytes) {
      if (offset < 4) return offset === 0 && bytes === 4 ? state.address : 0xffffffff
      const index = target()
      let value = 0
      for (let i = bytes - 1; i >= 0; i--) {
        const byte = index < 0 ? 0xff : state.config[index]![(state.address & 0xfc) + (offset & 3) + i]!
        value = value * 256 + byte
      }
      return value
    },
    write(offset, bytes, value) {
      if (offset < 4) {
        // Only a whole double word addresses; smaller writes are for other chips (0xCF9).
        if (offset === 0 && bytes === 4) state.address = (value & 0x80fffffc) >>> 0
        return
      }
      const index = target()
      if (index < 0) return
      const at = (state.address & 0xfc) + (offset & 3)
      for (let i = 0; i < bytes; i++) writeByte(index, at + i, (value >>> (8 * i)) & 0xff)
      if (at < PCI_BASE_ADDRESS_0 + 4 * BARS) solder(index)
    },
    reset() {
      state.address = 0
      state.config = functions.map(initialConfig)
      for (const index of functions.keys()) solder(index)
    },
  }
}

function initialConfig(each: PciFunction): number[] {
  const config = new Array<number>(CONFIG_BYTES).fill(0)
  const put16 = (at: number, value: number): void => {
    config[at] = value & 0xff
    config[at + 1] = value >> 8
  }
  put16(PCI_VENDOR_ID, each.vendor)
  put16(PCI_DEVICE_ID, each.device)
  put16(PCI_STATUS, each.status ?? 0)
  config[PCI_REVISION_ID] = each.revision
  config[PCI_CLASS_PROG] = each.progIf
  put16(PCI_CLASS_DEVICE, each.class)
  config[PCI_HEADER_TYPE] = each.multifunction ? PCI_HEADER_TYPE_MULTIFUNCTION : 0
  put16(PCI_SUBSYSTEM_VENDOR_ID, each.vendor)
  put16(PCI_SUBSYSTEM_ID, each.device)
  config[PCI_INTERRUPT_PIN] = 0
  for (const bar of Object.keys(each.ports ?? {})) config[PCI_BASE_ADDRESS_0 + 4 * Number(bar)] = 1
  return config
}
