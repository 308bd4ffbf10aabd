/** One IDE channel with at most a master drive: commands by PIO and by bus master DMA (Linux: ide/ide-io.c, ide-dma.c, ide-probe.c). */

import * as ata from '#abi/pc/ide.ts'
import { EIO } from '#abi/posix/errno.ts'
import { type Gpfn, PAGE_SIZE } from '#abi/xen/types.ts'
import { fail } from '../../errno.ts'
import type { Kernel } from '../../kernel.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import { type Identity, parseIdentity } from './identity.ts'

/** WAIT_CMD, and how often a command is tried (ERROR_MAX counts several at once; this is what comes of it). */
const WAIT_NS = 10e9
const TRIES = 3
const POLL_NS = 50_000
const RESET_NS = 5_000_000
/** WAIT_READY at the probe: a drive that is still busy then is none. */
const PROBE_POLLS = 600
const UNINTERRUPTIBLE = { interruptible: false } as const
const LBA28_END = 0x10000000

export class IdeChannel {
  readonly #kernel: Kernel
  readonly name: string
  readonly base: number
  readonly control: number
  readonly irq: number
  readonly #busMaster: number | undefined
  readonly #interrupts = new WaitQueue()
  #interrupted = false
  #status = 0
  #table: Gpfn | undefined
  readonly #frames: Gpfn[] = []
  useDma = false
  #drive = ''

  constructor(kernel: Kernel, name: string, base: number, control: number, irq: number, busMaster: number | undefined) {
    this.#kernel = kernel
    this.name = name
    this.base = base
    this.control = control
    this.irq = irq
    this.#busMaster = busMaster
  }

  #sleep(ns: number): Sleeping<unknown> {
    return this.#kernel.sched.sleepFor(ns, UNINTERRUPTIBLE)
  }

  // --- probing ---

  /** The master's IDENTIFY, by polling. Undefined: nobody there. */
  *probe(): Sleeping<Identity | undefined> {
    const { io } = this.#kernel.vcpu
    // Registers that hold what is written to them: a drive, or at least a channel that has had one.
    io.out8(this.base + ata.ATA_DEVICE, 0xa0)
    io.out8(this.base + ata.ATA_LBA_LOW, 0x55)
    io.out8(this.base + ata.ATA_LBA_MID, 0xaa)
    if (io.in8(this.base + ata.ATA_LBA_LOW) !== 0x55 || io.in8(this.base + ata.ATA_LBA_MID) !== 0xaa) return undefined
    io.out8(this.control, ata.ATA_CONTROL_NIEN)
    if (!(yield* this.#idle())) return undefined
    io.out8(this.base + ata.ATA_COMMAND, ata.ATA_CMD_IDENTIFY)
    yield* this.#sleep(POLL_NS)
    if (!(yield* this.#idle())) return undefined
    const status = io.in8(this.base + ata.ATA_STATUS)
    const identity = status & ata.ATA_STATUS_DRQ ? parseIdentity(this.#dataIn()) : undefined
    io.out8(this.control, 0)
    return identity
  }

  *#idle(): Sleeping<boolean> {
    for (let i = 0; i < PROBE_POLLS; i++) {
      if ((this.#kernel.vcpu.io.in8(this.control) & ata.ATA_STATUS_BSY) === 0) return true
      yield* this.#sleep(POLL_NS)
    }
    return false
  }

  /** Its interrupt, and room for DMA of `sectors` at once. */
  *open(drive: string, sectors: number): Sleeping<void> {
    this.#drive = drive
    this.#kernel.irq.requestPirq(this.irq, this.name, () => this.#interrupt())
    if (this.#busMaster === undefined) return
    const { pages } = this.#kernel
    this.#table = yield* pages.alloc('kernel')
    while (this.#frames.length * PAGE_SIZE < sectors * 512) this.#frames.push(yield* pages.alloc('kernel'))
    this.useDma = true
  }

  /** ide_intr: reading the status takes the request away. */
  #interrupt(): void {
    const { io } = this.#kernel.vcpu
    if (this.useDma && this.#busMaster !== undefined) {
      const status = io.in8(this.#busMaster + ata.BM_STATUS)
      io.out8(this.#busMaster + ata.BM_STATUS, (status & 0x60) | ata.BM_STATUS_INTERRUPT)
    }
    this.#status = io.in8(this.base + ata.ATA_STATUS)
    this.#interrupted = true
    this.#interrupts.wakeUp()
  }

  // --- commands ---

  /** Until the drive interrupts; false after ten seconds. */
  *#untilInterrupt(): Sleeping<boolean> {
    const { sched, time } = this.#kernel
    const endNs = time.nowNs() + WAIT_NS
    while (!this.#interrupted) {
      const leftNs = endNs - time.nowNs()
      if (leftNs <= 0) return false
      yield* sched.sleepOn(this.#interrupts, { interruptible: false, timeoutNs: leftNs })
    }
    return true
  }

  #dataIn(): Uint8Array {
    const { io } = this.#kernel.vcpu
    const out = new Uint8Array(512)
    const view = new DataView(out.buffer)
    for (let at = 0; at < 512; at += 4) view.setUint32(at, io.in32(this.base + ata.ATA_DATA), true)
    return out
  }

  #dataOut(bytes: Uint8Array, from: number): void {
    const { io } = this.#kernel.vcpu
    const view = new DataView(bytes.buffer, bytes.byteOffset + from, 512)
    for (let at = 0; at < 512; at += 4) io.out32(this.base + ata.ATA_DATA, view.getUint32(at, true))
  }

  /** Address and count into the registers; then the command, narrow or wide. */
  #issue(lba: number, count: number, narrow: number, wide: number): void {
    const { io } = this.#kernel.vcpu
    const out = (at: number, value: number): void => io.out8(this.base + at, value & 0xff)
    const isWide = lba + count > LBA28_END || count > 256
    if (isWide) {
      out(ata.ATA_DEVICE, 0xa0 | ata.ATA_DEVICE_LBA)
      out(ata.ATA_COUNT, count >> 8)
      out(ata.ATA_LBA_LOW, Math.floor(lba / 2 ** 24))
      out(ata.ATA_LBA_MID, Math.floor(lba / 2 ** 32))
      out(ata.ATA_LBA_HIGH, Math.floor(lba / 2 ** 40))
    } else out(ata.ATA_DEVICE, 0xa0 | ata.ATA_DEVICE_LBA | Math.floor(lba / 2 ** 24))
    out(ata.ATA_COUNT, count)
    out(ata.ATA_LBA_LOW, lba)
    out(ata.ATA_LBA_MID, Math.floor(lba / 2 ** 8))
    out(ata.ATA_LBA_HIGH, Math.floor(lba / 2 ** 16))
    this.#interrupted = false
    out(ata.ATA_COMMAND, isWide ? wide : narrow)
  }

  *read(lba: number, count: number): Sleeping<Uint8Array> {
    const out = new Uint8Array(count * 512)
    yield* this.#try(lba, (dma) => (dma ? this.#dma(lba, out, false) : this.#pioIn(lba, out)))
    return out
  }

  *write(lba: number, bytes: Uint8Array): Sleeping<void> {
    yield* this.#try(lba, (dma) => (dma ? this.#dma(lba, bytes, true) : this.#pioOut(lba, bytes)))
  }

  /** With fewer hopes each time: DMA, DMA again, PIO after a reset. */
  *#try(lba: number, transfer: (dma: boolean) => Sleeping<boolean>): Sleeping<void> {
    for (let i = 0; i < TRIES; i++) {
      if (yield* transfer(this.useDma && i < TRIES - 1)) return
      if (this.#status & ata.ATA_STATUS_ERR && i > 0) break
      yield* this.#reset()
    }
    this.#kernel.log.printk(`<3>end_request: I/O error, dev ${this.#drive}, sector ${lba}\n`)
    fail(EIO)
  }

  /** do_reset1. */
  *#reset(): Sleeping<void> {
    const { io } = this.#kernel.vcpu
    if (this.#busMaster !== undefined) io.out8(this.#busMaster + ata.BM_COMMAND, 0)
    io.out8(this.control, ata.ATA_CONTROL_SRST)
    yield* this.#sleep(POLL_NS)
    io.out8(this.control, 0)
    yield* this.#sleep(RESET_NS)
    const ready = yield* this.#idle()
    this.#kernel.log.printk(`<6>${this.name}: reset: ${ready ? 'success' : 'timed-out'}\n`)
  }

  /** The drive's complaint, in ide_dump_status's words. */
  #complain(where: string): void {
    const { io } = this.#kernel.vcpu
    const { log } = this.#kernel
    const words = (value: number, names: readonly (readonly [number, string])[]): string =>
      names
        .filter(([bit]) => value & bit)
        .map(([, name]) => `${name} `)
        .join('')
    const hex = (value: number): string => value.toString(16).padStart(2, '0')
    log.printk(`<4>${this.#drive}: ${where}: status=0x${hex(this.#status)} { ${words(this.#status, STATUS_NAMES)}}\n`)
    if (!(this.#status & ata.ATA_STATUS_ERR)) return
    const error = io.in8(this.base + ata.ATA_ERROR)
    log.printk(`<4>${this.#drive}: ${where}: error=0x${hex(error)} { ${words(error, ERROR_NAMES)}}\n`)
  }

  #lost(what: string): void {
    this.#status = 0
    this.#kernel.log.printk(`<3>${this.#drive}: ${what}\n`)
  }

  *#pioIn(lba: number, out: Uint8Array): Sleeping<boolean> {
    const count = out.length / 512
    this.#issue(lba, count, ata.ATA_CMD_READ_SECTORS, ata.ATA_CMD_READ_SECTORS_EXT)
    for (let n = 0; n < count; n++) {
      if (!(yield* this.#untilInterrupt())) {
        this.#lost('lost interrupt')
        return false
      }
      this.#interrupted = false
      if (!(this.#status & ata.ATA_STATUS_DRQ) || this.#status & ata.ATA_STATUS_ERR) {
        this.#complain('task_in_intr')
        return false
      }
      out.set(this.#dataIn(), n * 512)
    }
    return true
  }

  *#pioOut(lba: number, bytes: Uint8Array): Sleeping<boolean> {
    const count = bytes.length / 512
    this.#issue(lba, count, ata.ATA_CMD_WRITE_SECTORS, ata.ATA_CMD_WRITE_SECTORS_EXT)
    // The first sector is asked for without an interrupt.
    if (!(yield* this.#idle())) return false
    for (let n = 0; n < count; n++) {
      this.#interrupted = false
      this.#dataOut(bytes, n * 512)
      if (!(yield* this.#untilInterrupt())) {
        this.#lost('lost interrupt')
        return false
      }
      if (this.#status & ata.ATA_STATUS_ERR) {
        this.#complain('task_out_intr')
        return false
      }
    }
    return true
  }

  *#dma(lba: number, bytes: Uint8Array, write: boolean): Sleeping<boolean> {
    const { vcpu, mem, pages } = this.#kernel
    const { io } = vcpu
    const busMaster = this.#busMaster!
    const table = pages.va(this.#table!)
    const parts = Math.ceil(bytes.length / PAGE_SIZE)
    for (let i = 0; i < parts; i++) {
      const frame = this.#frames[i]!
      const length = Math.min(PAGE_SIZE, bytes.length - i * PAGE_SIZE)
      if (write) mem.copyIn(pages.va(frame), bytes.subarray(i * PAGE_SIZE, i * PAGE_SIZE + length))
      mem.write32(table + i * ata.PRD_BYTES, pages.mfn(frame) * PAGE_SIZE)
      mem.write32(table + i * ata.PRD_BYTES + 4, length + (i === parts - 1 ? ata.PRD_END * 65536 : 0))
    }
    io.out32(busMaster + ata.BM_PRD_TABLE, pages.mfn(this.#table!) * PAGE_SIZE)
    const direction = write ? 0 : ata.BM_COMMAND_TO_MEMORY
    io.out8(busMaster + ata.BM_COMMAND, direction)
    const status = io.in8(busMaster + ata.BM_STATUS)
    io.out8(busMaster + ata.BM_STATUS, status | ata.BM_STATUS_ERROR | ata.BM_STATUS_INTERRUPT)
    if (write) this.#issue(lba, bytes.length / 512, ata.ATA_CMD_WRITE_DMA, ata.ATA_CMD_WRITE_DMA_EXT)
    else this.#issue(lba, bytes.length / 512, ata.ATA_CMD_READ_DMA, ata.ATA_CMD_READ_DMA_EXT)
    io.out8(busMaster + ata.BM_COMMAND, direction | ata.BM_COMMAND_START)
    const came = yield* this.#untilInterrupt()
    io.out8(busMaster + ata.BM_COMMAND, direction)
    const after = io.in8(busMaster + ata.BM_STATUS)
    if (!came) {
      this.#lost(`dma_timer_expiry: dma status == 0x${after.toString(16).padStart(2, '0')}`)
      this.#kernel.log.printk(`<3>${this.#drive}: DMA timeout error\n`)
      return false
    }
    if (this.#status & (ata.ATA_STATUS_ERR | ata.ATA_STATUS_DRQ) || after & ata.BM_STATUS_ERROR) {
      this.#complain('dma_intr')
      return false
    }
    if (!write)
      for (let i = 0; i < parts; i++) {
        const length = Math.min(PAGE_SIZE, bytes.length - i * PAGE_SIZE)
        bytes.set(mem.copyOut(pages.va(this.#frames[i]!), length), i * PAGE_SIZE)
      }
    return true
  }

  /** FLUSH CACHE. */
  *flush(wide: boolean): Sleeping<void> {
    const { io } = this.#kernel.vcpu
    io.out8(this.base + ata.ATA_DEVICE, 0xa0)
    this.#interrupted = false
    io.out8(this.base + ata.ATA_COMMAND, wide ? ata.ATA_CMD_FLUSH_EXT : ata.ATA_CMD_FLUSH)
    const came = yield* this.#untilInterrupt()
    if (came && !(this.#status & ata.ATA_STATUS_ERR)) return
    if (came) this.#complain('task_no_data_intr')
    else this.#lost('lost interrupt')
    fail(EIO)
  }
}

const STATUS_NAMES: readonly (readonly [number, string])[] = [
  [0x80, 'Busy'],
  [0x40, 'DriveReady'],
  [0x20, 'DeviceFault'],
  [0x10, 'SeekComplete'],
  [0x08, 'DataRequest'],
  [0x04, 'CorrectedError'],
  [0x02, 'Index'],
  [0x01, 'Error'],
]
const ERROR_NAMES: readonly (readonly [number, string])[] = [
  [0x04, 'DriveStatusError'],
  [0x80, 'BadSector'],
  [0x40, 'UncorrectableError'],
  [0x10, 'SectorIdNotFound'],
  [0x02, 'TrackZeroNotFound'],
  [0x01, 'AddrMarkNotFound'],
]
