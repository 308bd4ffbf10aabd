/**
 * One channel of a PIIX-like IDE controller with at most a master drive: ATA-6 commands by PIO and by bus master DMA (SFF-8038i).
 * A command takes its time on the virtual clock; registers are worked out from the time at which they are read, so that polling and
 * interrupts both work. What is written reaches the BlockStore when the drive says that it is done.
 */
import type { Mem } from '#abi/mem.ts'
import * as ata from '#abi/pc/ide.ts'
import { type BlockStore, SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import type { Chip, Line } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'
import type { AccessBytes } from '../../memory.ts'
import { moveData, readBusMaster, writeBusMaster } from './bus-master.ts'
import { type DriveIdentity, identify } from './identify.ts'
import { address, type IdeState, initialState, nativeMax, push, READY, type Step, shown, signature } from './state.ts'

export interface IdePins {
  readonly clock: Clock
  readonly irq: Line
  /** Where the bus master reads and writes. */
  readonly mem: Mem
  readonly disk: BlockStore | undefined
  readonly identity: Omit<DriveIdentity, 'sectors'>
  /** FLUSH CACHE is done: what was written until now is a batch (design D11). */
  readonly flushed: () => void
}

export interface IdeChannel extends Chip<IdeState> {
  read(offset: number, bytes: AccessBytes): number
  write(offset: number, bytes: AccessBytes, value: number): void
  readControl(): number
  writeControl(value: number): void
  /** Offsets 0 to 7 of the channel's bus master registers. */
  readBusMaster(offset: number): number
  writeBusMaster(offset: number, value: number): void
  /** When the command under way will be done; now or earlier when there is none. */
  doneNs(): number
}

/** Seek, rotation and command overhead together: a drive with its data in the cache. */
const COMMAND_NS = 100_000
const SHORT_COMMAND_NS = 20_000
const RESET_NS = 2_000_000
const BYTES_PER_SECOND = 80e6
/** What an empty channel's data lines read as: pulled up, but DD7 down. */
const NOBODY = 0x7f
const transferNs = (bytes: number): number => Math.round((bytes * 1e9) / BYTES_PER_SECOND)

export function ideChannel({ clock, irq, mem, disk, identity, flushed }: IdePins): IdeChannel {
  const state = initialState()
  let timer: Timer | undefined

  const slaveSelected = (): boolean => (state.device & ata.ATA_DEVICE_SLAVE) !== 0

  function drive(): void {
    irq(state.interrupt && (state.control & ata.ATA_CONTROL_NIEN) === 0)
  }

  function raise(): void {
    state.interrupt = true
    state.busMaster.status |= ata.BM_STATUS_INTERRUPT
    drive()
  }

  /** The drive is busy until `atNs`, then does `step`. */
  function plan(step: Step, atNs: number): void {
    if (step === 'read' || step === 'write' || step === 'dma')
      disk!.prefetch?.(state.lba, Math.max(1, state.sectorsLeft))
    state.step = step
    state.stepAtNs = atNs
    if (timer) clock.cancel(timer)
    timer = step === 'none' || atNs === Number.POSITIVE_INFINITY ? undefined : clock.at(atNs, catchUp)
  }

  function catchUp(): void {
    while (state.step !== 'none' && state.stepAtNs <= clock.now()) {
      const { step } = state
      plan('none', 0)
      perform(step)
    }
  }

  function perform(step: Step): void {
    switch (step) {
      case 'reset':
        signature(state)
        break
      case 'identify':
        offer(identify({ ...identity, sectors: disk!.sectors }, state.ultraMode))
        state.sectorsLeft = 1
        break
      case 'read':
        offer(disk!.read(state.lba, 1))
        break
      case 'write':
        disk!.write(state.lba, state.buffer)
        state.lba++
        state.sectorsLeft--
        if (state.sectorsLeft > 0) accept()
        else state.status = READY
        raise()
        break
      case 'dma':
        transfer()
        break
      case 'flush':
        flushed()
        state.status = READY
        raise()
        break
      default:
        state.status = READY
        raise()
    }
  }

  /** A sector for the host to read. */
  function offer(data: Uint8Array): void {
    state.buffer = data
    state.bufferAt = 0
    state.toDisk = false
    state.status = READY | ata.ATA_STATUS_DRQ
    raise()
  }

  /** Room for a sector that the host writes. */
  function accept(): void {
    state.buffer = new Uint8Array(SECTOR_BYTES)
    state.bufferAt = 0
    state.toDisk = true
    state.status = READY | ata.ATA_STATUS_DRQ
  }

  function fail(error: number): void {
    plan('none', 0)
    state.error = error
    state.status = READY | ata.ATA_STATUS_ERR
    raise()
  }

  /** The host has moved the whole buffer. */
  function bufferMoved(): void {
    state.status = READY
    const now = clock.now()
    if (state.toDisk) {
      plan('write', now + transferNs(SECTOR_BYTES) + (state.sectorsLeft === 1 ? COMMAND_NS : 0))
      return
    }
    state.lba++
    state.sectorsLeft--
    if (state.sectorsLeft > 0) plan('read', now + transferNs(SECTOR_BYTES))
  }

  function command(value: number): void {
    const now = clock.now()
    state.interrupt = false
    drive()
    state.error = 0
    state.status = READY
    switch (value) {
      case ata.ATA_CMD_IDENTIFY:
        plan('identify', now + COMMAND_NS)
        break
      case ata.ATA_CMD_READ_SECTORS:
      case ata.ATA_CMD_READ_SECTORS + 1:
      case ata.ATA_CMD_READ_SECTORS_EXT:
        if (address(state, disk!.sectors, value === ata.ATA_CMD_READ_SECTORS_EXT))
          plan('read', now + COMMAND_NS + transferNs(SECTOR_BYTES))
        else fail(ata.ATA_ERROR_ID_NOT_FOUND)
        break
      case ata.ATA_CMD_WRITE_SECTORS:
      case ata.ATA_CMD_WRITE_SECTORS + 1:
      case ata.ATA_CMD_WRITE_SECTORS_EXT:
        if (address(state, disk!.sectors, value === ata.ATA_CMD_WRITE_SECTORS_EXT)) accept()
        else fail(ata.ATA_ERROR_ID_NOT_FOUND)
        break
      case ata.ATA_CMD_READ_DMA:
      case ata.ATA_CMD_READ_DMA + 1:
      case ata.ATA_CMD_READ_DMA_EXT:
        startDma(false, value === ata.ATA_CMD_READ_DMA_EXT)
        break
      case ata.ATA_CMD_WRITE_DMA:
      case ata.ATA_CMD_WRITE_DMA + 1:
      case ata.ATA_CMD_WRITE_DMA_EXT:
        startDma(true, value === ata.ATA_CMD_WRITE_DMA_EXT)
        break
      case ata.ATA_CMD_VERIFY:
      case ata.ATA_CMD_VERIFY + 1:
      case ata.ATA_CMD_VERIFY_EXT:
        if (address(state, disk!.sectors, value === ata.ATA_CMD_VERIFY_EXT))
          plan('finish', now + COMMAND_NS + transferNs(state.sectorsLeft * SECTOR_BYTES))
        else fail(ata.ATA_ERROR_ID_NOT_FOUND)
        break
      case ata.ATA_CMD_FLUSH:
      case ata.ATA_CMD_FLUSH_EXT:
        plan('flush', now + COMMAND_NS)
        break
      case ata.ATA_CMD_DIAGNOSTIC:
        signature(state)
        plan('finish', now + SHORT_COMMAND_NS)
        state.error = 1
        break
      case ata.ATA_CMD_SET_FEATURES:
        setFeatures(now)
        break
      case ata.ATA_CMD_CHECK_POWER:
        state.count[0] = 0xff // active or idle
        plan('finish', now + SHORT_COMMAND_NS)
        break
      case ata.ATA_CMD_READ_NATIVE_MAX:
      case ata.ATA_CMD_READ_NATIVE_MAX_EXT:
        nativeMax(state, disk!.sectors, value === ata.ATA_CMD_READ_NATIVE_MAX_EXT)
        plan('finish', now + SHORT_COMMAND_NS)
        break
      case ata.ATA_CMD_RECALIBRATE:
      case ata.ATA_CMD_SEEK:
      case ata.ATA_CMD_INIT_PARAMETERS:
      case ata.ATA_CMD_STANDBY_NOW:
      case ata.ATA_CMD_IDLE_NOW:
        plan('finish', now + SHORT_COMMAND_NS)
        break
      default:
        fail(ata.ATA_ERROR_ABORTED)
    }
  }

  function setFeatures(now: number): void {
    const mode = state.count[0]!
    switch (state.features) {
      case 0x03: // transfer mode: PIO, multiword DMA or ultra DMA up to 5
        if (mode >= 0x40 && mode <= 0x45) state.ultraMode = mode & 7
        else if (mode >= 0x40) {
          fail(ata.ATA_ERROR_ABORTED)
          return
        }
        break
      case 0x02: // write cache, look-ahead: on and off make no difference to what is stored when
      case 0x82:
      case 0xaa:
      case 0x55:
        break
      default:
        fail(ata.ATA_ERROR_ABORTED)
        return
    }
    plan('finish', now + SHORT_COMMAND_NS)
  }

  function startDma(toDisk: boolean, wide: boolean): void {
    if (!address(state, disk!.sectors, wide)) {
      fail(ata.ATA_ERROR_ID_NOT_FOUND)
      return
    }
    state.toDisk = toDisk
    state.readyNs = clock.now() + COMMAND_NS + transferNs(state.sectorsLeft * SECTOR_BYTES)
    plan('dma', state.busMaster.command & ata.BM_COMMAND_START ? state.readyNs : Number.POSITIVE_INFINITY)
  }

  /** Drive and bus master are ready: all data moves by the descriptor table. */
  function transfer(): void {
    const { busMaster } = state
    const bytes = state.sectorsLeft * SECTOR_BYTES
    // The direction bit is the driver's to set; when it disagrees with the drive nothing can move.
    if (((busMaster.command & ata.BM_COMMAND_TO_MEMORY) === 0) !== state.toDisk) {
      busMaster.status = (busMaster.status | ata.BM_STATUS_ERROR) & ~ata.BM_STATUS_ACTIVE
      state.status = READY | ata.ATA_STATUS_DRQ
      return
    }
    const data = state.toDisk ? new Uint8Array(bytes) : disk!.read(state.lba, state.sectorsLeft)
    if (!moveData(busMaster, mem, data, state.toDisk)) {
      // The table ended first: the drive waits for ever with its data, until the driver's timeout resets it.
      state.status = READY | ata.ATA_STATUS_DRQ
      return
    }
    if (state.toDisk) disk!.write(state.lba, data)
    state.lba += state.sectorsLeft
    state.sectorsLeft = 0
    state.status = READY
    raise()
  }

  /** The data port moves 16 or 32 bits. */
  function readData(bytes: AccessBytes): number {
    let value = 0
    if (!(state.status & ata.ATA_STATUS_DRQ) || state.toDisk) return 0
    for (let i = 0; i < bytes; i++) value += (state.buffer[state.bufferAt + i] ?? 0) * 2 ** (8 * i)
    state.bufferAt += bytes
    if (state.bufferAt >= state.buffer.length) bufferMoved()
    return value
  }

  function writeData(bytes: AccessBytes, value: number): void {
    if (!(state.status & ata.ATA_STATUS_DRQ) || !state.toDisk) return
    for (let i = 0; i < bytes; i++) state.buffer[state.bufferAt + i] = value >>> (8 * i)
    state.bufferAt += bytes
    if (state.bufferAt >= state.buffer.length) bufferMoved()
  }

  function statusNow(): number {
    if (!disk) return NOBODY
    if (slaveSelected()) return 0
    return state.step !== 'none' ? ata.ATA_STATUS_BSY : state.status
  }

  function readRegister(offset: number): number {
    switch (offset) {
      case ata.ATA_ERROR:
        return state.error
      case ata.ATA_COUNT:
        return shown(state, state.count)
      case ata.ATA_LBA_LOW:
        return shown(state, state.lbaLow)
      case ata.ATA_LBA_MID:
        return shown(state, state.lbaMid)
      case ata.ATA_LBA_HIGH:
        return shown(state, state.lbaHigh)
      case ata.ATA_DEVICE:
        return state.device | 0xa0
      default:
        state.interrupt = false
        drive()
        return statusNow()
    }
  }

  function writeRegister(offset: number, value: number): void {
    // Writing the command block also puts HOB back.
    state.control &= ~0x80
    switch (offset) {
      case ata.ATA_FEATURES:
        state.features = value
        break
      case ata.ATA_COUNT:
        push(state.count, value)
        break
      case ata.ATA_LBA_LOW:
        push(state.lbaLow, value)
        break
      case ata.ATA_LBA_MID:
        push(state.lbaMid, value)
        break
      case ata.ATA_LBA_HIGH:
        push(state.lbaHigh, value)
        break
      case ata.ATA_DEVICE:
        state.device = value
        break
      default:
        // A busy drive and an absent one hear nothing; a diagnostic is for both.
        if (state.step === 'none' && (!slaveSelected() || value === ata.ATA_CMD_DIAGNOSTIC)) command(value)
    }
  }

  return {
    state,
    read(offset, bytes) {
      catchUp()
      if (!disk) return bytes === 1 ? NOBODY : bytes === 2 ? 0xff7f : 0xffffff7f
      if (offset === ata.ATA_DATA) return readData(bytes)
      return readRegister(offset)
    },
    write(offset, bytes, value) {
      catchUp()
      if (!disk) return
      if (offset === ata.ATA_DATA) writeData(bytes, value)
      else writeRegister(offset, value & 0xff)
    },
    readControl() {
      catchUp()
      return statusNow()
    },
    writeControl(value) {
      catchUp()
      const was = state.control
      state.control = value & 0x86
      if (disk && value & ata.ATA_CONTROL_SRST) {
        state.interrupt = false
        plan('reset', Number.POSITIVE_INFINITY)
      } else if (disk && was & ata.ATA_CONTROL_SRST) plan('reset', clock.now() + RESET_NS)
      drive()
    },
    readBusMaster(offset) {
      catchUp()
      return readBusMaster(state.busMaster, offset)
    },
    writeBusMaster(offset, value) {
      catchUp()
      const was = state.busMaster.command
      writeBusMaster(state.busMaster, offset, value)
      if (offset !== ata.BM_COMMAND || state.step !== 'dma') return
      if (value & ~was & ata.BM_COMMAND_START) plan('dma', Math.max(state.readyNs, clock.now()))
      else if (!(value & ata.BM_COMMAND_START)) plan('dma', Number.POSITIVE_INFINITY)
    },
    doneNs: () => (state.step === 'none' ? clock.now() : state.stepAtNs),
    reset() {
      if (timer) clock.cancel(timer)
      timer = undefined
      Object.assign(state, initialState())
      drive()
    },
  }
}
