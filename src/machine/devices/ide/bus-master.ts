/** The bus master of one IDE channel (SFF-8038i): its registers, and the data that it moves by a table of regions in memory. */
import type { Mem } from '#abi/mem.ts'
import * as ata from '#abi/pc/ide.ts'
import type { IdeState } from './state.ts'

type BusMaster = IdeState['busMaster']

/** The bus master walks at most this many descriptors: a table of 64 KiB. */
const PRDS_MAX = 8192

/** Move `data` by the descriptor table. False: the table ended first. */
export function moveData(busMaster: BusMaster, mem: Mem, data: Uint8Array, toDisk: boolean): boolean {
  const bytes = data.length
  let done = 0
  let last = false
  for (let i = 0; i < PRDS_MAX && done < bytes && !last; i++) {
    const at = busMaster.prdTable + i * ata.PRD_BYTES
    const address = mem.read32(at) & ~1
    const length = Math.min(mem.read16(at + 4) || 65536, bytes - done)
    last = (mem.read16(at + 6) & ata.PRD_END) !== 0
    if (toDisk) data.set(mem.copyOut(address >>> 0, length), done)
    else mem.copyIn(address >>> 0, data.subarray(done, done + length))
    done += length
    if (done === bytes && !last) busMaster.status |= ata.BM_STATUS_ACTIVE
  }
  if (last) busMaster.status &= ~ata.BM_STATUS_ACTIVE
  return done === bytes
}

/** One byte of the registers at offsets 0 to 7. */
export function readBusMaster(busMaster: BusMaster, offset: number): number {
  const { command: bmCommand, status, prdTable } = busMaster
  if (offset === ata.BM_COMMAND) return bmCommand
  if (offset === ata.BM_STATUS) return status
  return offset >= ata.BM_PRD_TABLE ? (prdTable >>> (8 * (offset - ata.BM_PRD_TABLE))) & 0xff : 0
}

export function writeBusMaster(busMaster: BusMaster, offset: number, value: number): void {
  if (offset === ata.BM_COMMAND) {
    const started = value & ~busMaster.command & ata.BM_COMMAND_START
    busMaster.command = value & (ata.BM_COMMAND_START | ata.BM_COMMAND_TO_MEMORY)
    if (started) {
      busMaster.status |= ata.BM_STATUS_ACTIVE
    } else if (!(value & ata.BM_COMMAND_START)) {
      busMaster.status &= ~ata.BM_STATUS_ACTIVE
    }
  } else if (offset === ata.BM_STATUS) {
    // Error and interrupt are cleared by ones; bits 5 and 6 are the software's notes.
    busMaster.status =
      (busMaster.status & ~(value & (ata.BM_STATUS_ERROR | ata.BM_STATUS_INTERRUPT)) & ~0x60) | (value & 0x60)
  } else if (offset >= ata.BM_PRD_TABLE) {
    const shift = 8 * (offset - ata.BM_PRD_TABLE)
    busMaster.prdTable = ((busMaster.prdTable & ~(0xff << shift)) | (value << shift)) & ~3
    busMaster.prdTable >>>= 0
  }
}
