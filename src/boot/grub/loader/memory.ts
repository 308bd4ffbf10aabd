/** The machine's memory as the BIOS tells it (stage2/common.c), and what may be loaded where. */
import type { Bios, E820Entry } from '#abi/pc/bios.ts'
import { E820_RAM } from '#abi/pc/e820.ts'
import { Err, fail } from '../errors.ts'

const MIB = 0x100000
/** Below lie the interrupt table and the BIOS data area. */
const LOWEST = 0x1000

export interface MemoryInfo {
  readonly map: readonly E820Entry[]
  /** KiB from 0 to the first hole. */
  readonly lowerKib: number
  /** KiB from 1 MiB to the first hole. */
  readonly probedUpperKib: number
  /** The same, unless `uppermem` said otherwise. */
  upperKib: number
  /** False once `uppermem` has made the map void. */
  mapValid: boolean
}

/** Bytes of RAM from `bottom` on without a gap, whatever the order of the map. */
function availableAt(map: readonly E820Entry[], bottom: number): number {
  let top = bottom
  for (let grown = true; grown; ) {
    grown = false
    for (const { base, length, type } of map)
      if (type === E820_RAM && base <= top && base + length > top) {
        top = base + length
        grown = true
      }
  }
  return Math.min(top, 0xffffffff) - bottom
}

export function probeMemory(bios: Bios): MemoryInfo {
  const map = bios.memoryMap()
  const upperKib = Math.floor(availableAt(map, MIB) / 1024)
  return {
    map,
    lowerKib: Math.floor(availableAt(map, 0) / 1024) || bios.lowMemoryKib(),
    probedUpperKib: upperKib,
    upperKib,
    mapValid: map.length > 0,
  }
}

/** Error 28 unless `length` bytes at `at` are in lower or upper memory: `memcheck` of stage2/char_io.c. */
export function checkRoom(memory: MemoryInfo, at: number, length: number): void {
  const fits = at < MIB ? at + length <= memory.lowerKib * 1024 : at - MIB + length <= memory.upperKib * 1024
  if (at < LOWEST || !fits) fail(Err.wontFit)
}
