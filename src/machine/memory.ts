/**
 * RAM and the physical address map: which 4 KiB frame is RAM, ROM shadow, a chip's registers or nothing at all (design D3).
 * The bytes lie in one WebAssembly.Memory, allocated once; its last 64 MiB belong to the machine and are no frames.
 *
 * Power-on is instant whatever the size: a frame that was never written is *clean*, reads as zero and is zeroed only when it is first
 * written. Filling a whole frame with zero makes it clean again, so that scrubbing is logical too; unless a processor's TLB leads to
 * the bytes themselves.
 */
import type { Mem } from '#abi/mem.ts'
import type { Digest } from '#lib/digest.ts'
import { CLEAN, CODE, DEVICE, HELD, HOLE, PAGE_BYTES, RAM, ROM, STALE } from './frame-kind.ts'
import { MACHINE_RESERVE_MIB, type ProcessorMemory, processorMemory, type WasmMemory } from './processor-memory.ts'

/** The part of the WebAssembly API that is used here; the world's type project has no DOM library. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory
}

const WASM_PAGE_BYTES = 65536
/** RAM ends below the PCI hole, and the whole allocation stays within 3 GiB. */
export const MEMORY_MIB_MAX = 3008
/** Physical addresses that anything answers at lie below 4 GiB. */
const ADDRESS_TOP = 2 ** 32
const FRAMES = 2 ** 20

export const VGA_APERTURE = 0xa0000
export const ROM_BASE = 0xc0000
export const ROM_TOP = 0x100000
/** The ROM's other address, at the top of the 4 GiB, where a processor fetches its first instruction. */
const ROM_ALIAS_BASE = 0xfffc0000
/** Erased flash reads as ones. */
const ROM_ERASED = 0xff

export type AccessBytes = 1 | 2 | 4

/** Memory-mapped registers. `offset` counts from where the device was mapped; values are unsigned. */
export interface Mmio {
  read(offset: number, bytes: AccessBytes): number
  write(offset: number, bytes: AccessBytes, value: number): void
}

export interface Memory {
  /** What processors work on. */
  readonly processors: ProcessorMemory
  /** The physical address space as processors and bus masters see it. */
  readonly mem: Mem
  readonly ramBytes: number
  /** Let `device` answer at [base, base + bytes), whole frames. */
  map(base: number, bytes: number, device: Mmio): void
  /** The flash chip's programmer: store into the ROM area 0xC0000-0xFFFFF, which is read-only to everybody else. */
  burn(at: number, part: Uint8Array): void
  /** Power was off: all RAM reads as zero, the ROM is erased. */
  powerOn(): void
  /** Feed every frame that is not clean, in order, each with its number. */
  digestInto(digest: Digest): void
  /** Frames that are not clean. */
  dirtyFrames(): number
}

/** Throws RangeError where `memoryMiB` is no size that the board takes, or where the host has not that much memory. */
export function createMemory(memoryMiB: number): Memory {
  if (!Number.isInteger(memoryMiB) || memoryMiB < 0 || memoryMiB > MEMORY_MIB_MAX)
    throw new RangeError(`memory must be 0 to ${MEMORY_MIB_MAX} MiB`)
  const pages = (memoryMiB + MACHINE_RESERVE_MIB) * (2 ** 20 / WASM_PAGE_BYTES)
  const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const { buffer } = wasm
  const ram = new Uint8Array(buffer)
  const view = new DataView(buffer)
  const ramBytes = memoryMiB * 2 ** 20
  const ramFrames = ramBytes / PAGE_BYTES
  const kinds = new Uint8Array(FRAMES).fill(HOLE)
  const devices = new Map<number, { base: number; device: Mmio }>()
  /** Without RAM at that address the ROM's bytes still need a place: the board's own flash. */
  const rom = new Uint8Array(ROM_TOP - ROM_BASE).fill(ROM_ERASED)
  const romView = new DataView(rom.buffer)

  kinds.fill(CLEAN, 0, ramFrames)
  kinds.fill(HOLE, VGA_APERTURE / PAGE_BYTES, ROM_BASE / PAGE_BYTES)
  kinds.fill(ROM, ROM_BASE / PAGE_BYTES, ROM_TOP / PAGE_BYTES)
  kinds.fill(ROM, ROM_ALIAS_BASE / PAGE_BYTES, FRAMES)

  /** Before the first write to a frame, or before somebody reaches its bytes: they must be zero. */
  function soil(frame: number, kind: number = RAM): void {
    if (kinds[frame] === STALE) ram.fill(0, frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES)
    kinds[frame] = kind
  }

  const processors = processorMemory({ wasm, kinds, ramBytes, soil })

  function readSlow(at: number, bytes: AccessBytes): number {
    checkAddress(at)
    if ((at & (PAGE_BYTES - 1)) + bytes > PAGE_BYTES) {
      let value = 0
      for (let i = bytes - 1; i >= 0; i--) value = value * 256 + mem.read8(at + i)
      return value
    }
    if (at >= ADDRESS_TOP) return ones(bytes)
    const frame = at >>> 12
    switch (kinds[frame]) {
      case RAM:
      case HELD:
      case CODE:
        return readView(view, at, bytes)
      case CLEAN:
      case STALE:
        return 0
      case ROM:
        return readView(romView, at % rom.length, bytes)
      case DEVICE: {
        const { base, device } = devices.get(frame)!
        return device.read(at - base, bytes)
      }
      default:
        return ones(bytes)
    }
  }

  function writeSlow(at: number, bytes: AccessBytes, value: number): void {
    checkAddress(at)
    if ((at & (PAGE_BYTES - 1)) + bytes > PAGE_BYTES) {
      for (let i = 0; i < bytes; i++) mem.write8(at + i, (value >>> (8 * i)) & 0xff)
      return
    }
    if (at >= ADDRESS_TOP) return
    const frame = at >>> 12
    const kind = kinds[frame]
    if (kind === DEVICE) {
      const { base, device } = devices.get(frame)!
      device.write(at - base, bytes, bytes === 4 ? value >>> 0 : value & ones(bytes))
    } else if (kind! <= STALE) {
      if (kind! > CODE) soil(frame)
      if (bytes === 1) view.setUint8(at, value)
      else if (bytes === 2) view.setUint16(at, value, true)
      else view.setUint32(at, value, true)
      if (kind === CODE) processors.codeWritten(at, bytes)
    }
  }

  /** The first address from `at` on, at most `end`, where a run of frames of one kind stops. */
  function runEnd(at: number, end: number): number {
    if (at >= ADDRESS_TOP) return end
    let frame = at >>> 12
    const kind = kinds[frame]
    do frame++
    while (frame < FRAMES && frame * PAGE_BYTES < end && kinds[frame] === kind)
    return Math.min(frame * PAGE_BYTES, end)
  }

  const mem: Mem = {
    read8(at) {
      return kinds[at >>> 12]! <= CODE && at < ADDRESS_TOP ? ram[at]! : readSlow(at, 1)
    },
    read16(at) {
      return kinds[at >>> 12]! <= CODE && (at & 4095) <= 4094 && at < ADDRESS_TOP
        ? view.getUint16(at, true)
        : readSlow(at, 2)
    },
    read32(at) {
      return kinds[at >>> 12]! <= CODE && (at & 4095) <= 4092 && at < ADDRESS_TOP
        ? view.getUint32(at, true)
        : readSlow(at, 4)
    },
    read64(at) {
      return kinds[at >>> 12]! <= CODE && (at & 4095) <= 4088 && at < ADDRESS_TOP
        ? view.getBigUint64(at, true)
        : (BigInt(mem.read32(at + 4)) << 32n) | BigInt(mem.read32(at))
    },
    write8(at, value) {
      if (kinds[at >>> 12]! <= HELD && at < ADDRESS_TOP) ram[at] = value
      else writeSlow(at, 1, value)
    },
    write16(at, value) {
      if (kinds[at >>> 12]! <= HELD && (at & 4095) <= 4094 && at < ADDRESS_TOP) view.setUint16(at, value, true)
      else writeSlow(at, 2, value)
    },
    write32(at, value) {
      if (kinds[at >>> 12]! <= HELD && (at & 4095) <= 4092 && at < ADDRESS_TOP) view.setUint32(at, value, true)
      else writeSlow(at, 4, value)
    },
    write64(at, value) {
      if (kinds[at >>> 12]! <= HELD && (at & 4095) <= 4088 && at < ADDRESS_TOP) view.setBigUint64(at, value, true)
      else {
        mem.write32(at, Number(value & 0xffffffffn))
        mem.write32(at + 4, Number((value >> 32n) & 0xffffffffn))
      }
    },
    copyOut(at, length) {
      checkRange(at, length)
      const out = new Uint8Array(length)
      const end = at + length
      for (let from = at; from < end; ) {
        const to = runEnd(from, end)
        const kind = from < ADDRESS_TOP ? kinds[from >>> 12]! : HOLE
        if (kind <= CODE) out.set(ram.subarray(from, to), from - at)
        else if (kind === HOLE) out.fill(0xff, from - at, to - at)
        else if (kind !== CLEAN && kind !== STALE) for (let i = from; i < to; i++) out[i - at] = readSlow(i, 1)
        from = to
      }
      return out
    },
    copyIn(at, part) {
      checkRange(at, part.length)
      const end = at + part.length
      for (let from = at; from < end; ) {
        const to = runEnd(from, end)
        const kind = from < ADDRESS_TOP ? kinds[from >>> 12]! : HOLE
        if (kind === DEVICE) for (let i = from; i < to; i++) writeSlow(i, 1, part[i - at]!)
        else if (kind <= STALE) {
          if (kind > CODE) soilRun(from, to)
          ram.set(part.subarray(from - at, to - at), from)
          if (kind === CODE) processors.codeWritten(from, to - from)
        }
        from = to
      }
    },
    fill(at, length, byte) {
      checkRange(at, length)
      const end = at + length
      for (let from = at; from < end; ) {
        const to = runEnd(from, end)
        const kind = from < ADDRESS_TOP ? kinds[from >>> 12]! : HOLE
        if (kind === DEVICE) for (let i = from; i < to; i++) writeSlow(i, 1, byte & 0xff)
        else if (kind <= STALE) {
          fillRun(from, to, byte, kind)
          if (kind === CODE) processors.codeWritten(from, to - from)
        }
        from = to
      }
    },
  }

  /** All of [from, to) is clean and about to be overwritten: only the frames at the two ends may need zeroing. */
  function soilRun(from: number, to: number): void {
    soil(from >>> 12)
    soil((to - 1) >>> 12)
    kinds.fill(RAM, from >>> 12, ((to - 1) >>> 12) + 1)
  }

  function fillRun(from: number, to: number, byte: number, kind: number): void {
    if (kind > CODE && (byte & 0xff) !== 0) soilRun(from, to)
    if ((byte & 0xff) !== 0 || kind === HELD || kind === CODE) {
      ram.fill(byte, from, to)
      return
    }
    if (kind !== RAM) return
    const wholeFrom = Math.min(Math.ceil(from / PAGE_BYTES) * PAGE_BYTES, to)
    const wholeTo = Math.max(Math.floor(to / PAGE_BYTES) * PAGE_BYTES, wholeFrom)
    ram.fill(0, from, wholeFrom)
    kinds.fill(STALE, wholeFrom / PAGE_BYTES, wholeTo / PAGE_BYTES)
    ram.fill(0, wholeTo, to)
  }

  return {
    processors,
    mem,
    ramBytes,
    map(base, bytes, device) {
      for (let at = base; at < base + bytes; at += PAGE_BYTES) {
        kinds[at >>> 12] = DEVICE
        devices.set(at >>> 12, { base, device })
      }
    },
    burn(at, part) {
      if (at < ROM_BASE || at + part.length > ROM_TOP) throw new RangeError('outside the ROM')
      rom.set(part, at - ROM_BASE)
    },
    powerOn() {
      for (let frame = 0; frame < ramFrames; frame++) if (kinds[frame]! <= CODE) kinds[frame] = STALE
      rom.fill(ROM_ERASED)
    },
    digestInto(digest) {
      for (let frame = 0; frame < ramFrames; frame++) {
        if (kinds[frame]! > CODE) continue
        digest.number(frame).bytes(ram.subarray(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES))
      }
      digest.bytes(rom)
    },
    dirtyFrames() {
      let count = 0
      for (let frame = 0; frame < ramFrames; frame++) if (kinds[frame]! <= CODE) count++
      return count
    },
  }
}

const ones = (bytes: AccessBytes): number => (bytes === 4 ? 0xffffffff : bytes === 2 ? 0xffff : 0xff)

const readView = (view: DataView, at: number, bytes: AccessBytes): number =>
  bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true)

/** An address that is no natural number is a defect of the caller, not a bus cycle. */
function checkAddress(at: number): void {
  if (!Number.isSafeInteger(at) || at < 0) throw new RangeError('not a physical address')
}

function checkRange(at: number, length: number): void {
  checkAddress(at)
  checkAddress(length)
}
