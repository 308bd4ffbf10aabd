/** An ATA drive's registers (ATA-6, "Register definitions and descriptions"), and what its channel keeps beside them. */
import * as ata from '#abi/pc/ide.ts'
import { ATA_HEADS, ATA_SECTORS_PER_TRACK, cylindersOf } from './identify.ts'

/** What the drive is about to do at `stepAtNs`. */
export type Step = 'none' | 'reset' | 'identify' | 'read' | 'write' | 'dma' | 'flush' | 'finish'

export interface IdeState {
  features: number
  count: number[]
  lbaLow: number[]
  lbaMid: number[]
  lbaHigh: number[]
  device: number
  control: number
  error: number
  /** DRQ and ERR; BSY follows from `step`. */
  status: number
  step: Step
  /** Infinity while a DMA command waits for the bus master. */
  stepAtNs: number
  /** When the drive has its data ready for DMA. */
  readyNs: number
  lba: number
  sectorsLeft: number
  toDisk: boolean
  buffer: Uint8Array
  bufferAt: number
  ultraMode: number
  interrupt: boolean
  busMaster: { command: number; status: number; prdTable: number }
}

export const READY = ata.ATA_STATUS_DRDY | ata.ATA_STATUS_DSC

export const initialState = (): IdeState => ({
  features: 0,
  count: [1, 0],
  lbaLow: [1, 0],
  lbaMid: [0, 0],
  lbaHigh: [0, 0],
  device: 0,
  control: 0,
  error: 1,
  status: READY,
  step: 'none',
  stepAtNs: 0,
  readyNs: 0,
  lba: 0,
  sectorsLeft: 0,
  toDisk: false,
  buffer: new Uint8Array(0),
  bufferAt: 0,
  ultraMode: 5,
  interrupt: false,
  // Bit 5: the firmware says that drive 0 can do DMA.
  busMaster: { command: 0, status: 0, prdTable: 0 },
})

/** What a drive shows after reset: the ATA signature and a passed diagnostic. */
export function signature(state: IdeState): void {
  Object.assign(state, {
    count: [1, 0],
    lbaLow: [1, 0],
    lbaMid: [0, 0],
    lbaHigh: [0, 0],
    device: 0,
    error: 1,
    status: READY,
  })
}

/** Address and count of the command from the registers. False where they lie outside the disk. */
export function address(state: IdeState, sectors: number, wide: boolean): boolean {
  const { count, lbaLow, lbaMid, lbaHigh, device } = state
  if (wide) {
    state.lba =
      lbaLow[0]! +
      lbaMid[0]! * 2 ** 8 +
      lbaHigh[0]! * 2 ** 16 +
      lbaLow[1]! * 2 ** 24 +
      lbaMid[1]! * 2 ** 32 +
      lbaHigh[1]! * 2 ** 40
    state.sectorsLeft = count[0]! + count[1]! * 256 || 65536
  } else {
    state.sectorsLeft = count[0]! || 256
    if (device & ata.ATA_DEVICE_LBA)
      state.lba = lbaLow[0]! + lbaMid[0]! * 2 ** 8 + lbaHigh[0]! * 2 ** 16 + (device & 15) * 2 ** 24
    else {
      const cylinder = lbaMid[0]! + lbaHigh[0]! * 256
      const sector = lbaLow[0]!
      const head = device & 15
      if (sector === 0 || sector > ATA_SECTORS_PER_TRACK || cylinder >= cylindersOf(sectors)) return false
      state.lba = (cylinder * ATA_HEADS + head) * ATA_SECTORS_PER_TRACK + sector - 1
    }
  }
  return state.lba + state.sectorsLeft <= sectors
}

/** READ NATIVE MAX ADDRESS: where the last sector lies. */
export function nativeMax(state: IdeState, sectors: number, wide: boolean): void {
  const last = sectors - 1
  const byte = (n: number): number => Math.floor(last / 2 ** (8 * n)) % 256
  state.lbaLow = [byte(0), wide ? byte(3) : 0]
  state.lbaMid = [byte(1), wide ? byte(4) : 0]
  state.lbaHigh = [byte(2), wide ? byte(5) : 0]
  if (!wide) state.device = (state.device & 0xf0) | (byte(3) & 15)
}

/** A register that is a two-deep queue: HOB in the control register shows the older byte. */
export const shown = (state: IdeState, pair: readonly number[]): number => pair[state.control & 0x80 ? 1 : 0]!
export const push = (pair: number[], value: number): void => {
  pair[1] = pair[0]!
  pair[0] = value
}
