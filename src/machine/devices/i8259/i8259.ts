/**
 * The two 8259A interrupt controllers of a PC (Intel data sheet 231468), the second cascaded into input 2 of the first, with the
 * chipset's edge/level registers at 0x4D0.
 */
import {
  PIC_CASCADE_IRQ,
  PIC_ICW1,
  PIC_ICW1_ICW4,
  PIC_ICW1_SINGLE,
  PIC_ICW4_AUTO_EOI,
  PIC_OCW3,
} from '#abi/pc/i8259.ts'
import type { Chip, Line } from '../../device.ts'

export interface PicState {
  /** Input lines as they stand. */
  lines: number
  irr: number
  isr: number
  imr: number
  /** Inputs that are level-triggered. */
  elcr: number
  /** Vector of input 0. */
  base: number
  /** Which initialization word comes next: 0 none, 2, 3 or 4. */
  expects: number
  needsIcw4: boolean
  single: boolean
  autoEoi: boolean
  rotateAutoEoi: boolean
  readIsr: boolean
  poll: boolean
  specialMask: boolean
  /** The input of the lowest priority; the next one has the highest. */
  lowest: number
}

export interface I8259PairState {
  pics: [PicState, PicState]
}

export interface I8259Pair extends Chip<I8259PairState> {
  /** Input 0 to 15. */
  setIrq(irq: number, high: boolean): void
  /** The INT pin towards the processors. */
  output(): boolean
  /** INTA: the vector; a spurious one (input 7) when nothing is pending any more. */
  acknowledge(): number
  /** Whether an edge on input `irq` would be passed on at all. */
  unmasked(irq: number): boolean
  read(pic: 0 | 1, offset: number): number
  write(pic: 0 | 1, offset: number, value: number): void
  readElcr(pic: 0 | 1): number
  writeElcr(pic: 0 | 1, value: number): void
}

export interface I8259Pins {
  readonly int: Line
  /** Masks changed: what `unmasked` says may be different. */
  readonly masksChanged: () => void
}

const initialPic = (): PicState => ({
  lines: 0,
  irr: 0,
  isr: 0,
  imr: 0xff,
  elcr: 0,
  base: 0,
  expects: 0,
  needsIcw4: false,
  single: false,
  autoEoi: false,
  rotateAutoEoi: false,
  readIsr: false,
  poll: false,
  specialMask: false,
  lowest: 7,
})

/** Inputs of timer, keyboard, cascade, clock and coprocessor cannot be level-triggered. */
const ELCR_WRITABLE = [0xf8, 0xde] as const

export function i8259pair({ int, masksChanged }: I8259Pins): I8259Pair {
  const state: I8259PairState = { pics: [initialPic(), initialPic()] }
  const [master, slave] = state.pics
  let outputHigh = false

  /** The input that `pic` would now ask for, or -1. */
  function wanted(pic: PicState): number {
    const pending = pic.irr & ~pic.imr
    if (pending === 0) return -1
    for (let i = 1; i <= 8; i++) {
      const input = (pic.lowest + i) & 7
      const bit = 1 << input
      if (pic.isr & bit && !pic.specialMask) return -1
      if (pending & bit && !(pic.isr & bit)) return input
    }
    return -1
  }

  /** The lines have changed: carry the slave's output into the master, and the master's outside. */
  function settle(): void {
    input(master, PIC_CASCADE_IRQ, wanted(slave) >= 0)
    const high = wanted(master) >= 0
    if (high === outputHigh) return
    outputHigh = high
    int(high)
  }

  function input(pic: PicState, n: number, high: boolean): void {
    const bit = 1 << n
    const was = (pic.lines & bit) !== 0
    pic.lines = high ? pic.lines | bit : pic.lines & ~bit
    const level = (pic.elcr & bit) !== 0
    // A request that goes away before it is acknowledged is forgotten: that is where spurious interrupts come from.
    if (!high) pic.irr &= ~bit
    else if (level || !was) pic.irr |= bit
  }

  function take(pic: PicState, n: number): void {
    const bit = 1 << n
    if ((pic.elcr & bit) === 0 || (pic.lines & bit) === 0) pic.irr &= ~bit
    if (pic.autoEoi) {
      if (pic.rotateAutoEoi) pic.lowest = n
    } else pic.isr |= bit
  }

  function endOfInterrupt(pic: PicState, n: number, rotate: boolean): void {
    if (n < 0) return
    pic.isr &= ~(1 << n)
    if (rotate) pic.lowest = n
  }

  const inService = (pic: PicState): number => {
    for (let i = 1; i <= 8; i++) if (pic.isr & (1 << ((pic.lowest + i) & 7))) return (pic.lowest + i) & 7
    return -1
  }

  function ocw2(pic: PicState, value: number): void {
    const n = value & 7
    switch (value >> 5) {
      case 0:
        pic.rotateAutoEoi = false
        break
      case 1:
        endOfInterrupt(pic, inService(pic), false)
        break
      case 3:
        endOfInterrupt(pic, n, false)
        break
      case 4:
        pic.rotateAutoEoi = true
        break
      case 5:
        endOfInterrupt(pic, inService(pic), true)
        break
      case 6:
        pic.lowest = n
        break
      case 7:
        endOfInterrupt(pic, n, true)
        break
      default:
    }
  }

  function ocw3(pic: PicState, value: number): void {
    if (value & 0x04) pic.poll = true
    else if (value & 0x02) pic.readIsr = (value & 0x01) !== 0
    if (value & 0x40) pic.specialMask = (value & 0x20) !== 0
  }

  function writeCommand(pic: PicState, value: number): void {
    if (value & PIC_ICW1) {
      Object.assign(pic, initialPic(), {
        lines: pic.lines,
        elcr: pic.elcr,
        imr: 0,
        base: pic.base,
        expects: 2,
        needsIcw4: (value & PIC_ICW1_ICW4) !== 0,
        single: (value & PIC_ICW1_SINGLE) !== 0,
        irr: pic.lines & pic.elcr,
      })
    } else if (value & PIC_OCW3) ocw3(pic, value)
    else ocw2(pic, value)
  }

  function writeData(pic: PicState, value: number): void {
    if (pic.expects === 0) {
      pic.imr = value
    } else if (pic.expects === 2) {
      pic.base = value & 0xf8
      pic.expects = pic.single ? (pic.needsIcw4 ? 4 : 0) : 3
    } else if (pic.expects === 3) {
      pic.expects = pic.needsIcw4 ? 4 : 0
    } else {
      pic.autoEoi = (value & PIC_ICW4_AUTO_EOI) !== 0
      pic.expects = 0
    }
  }

  /** A vector, or the spurious input 7 when the request has gone. */
  function acknowledgePic(pic: PicState): number {
    const n = wanted(pic)
    if (n < 0) return 7
    take(pic, n)
    return n
  }

  return {
    state,
    setIrq(irq, high) {
      if (irq < 8) input(master, irq, high)
      else input(slave, irq - 8, high)
      settle()
    },
    output: () => outputHigh,
    acknowledge() {
      const n = acknowledgePic(master)
      const vector = n === PIC_CASCADE_IRQ ? slave.base + acknowledgePic(slave) : master.base + n
      // INTA lowers the slave's output; what it still wants is a new edge to the master.
      if (n === PIC_CASCADE_IRQ) input(master, PIC_CASCADE_IRQ, false)
      settle()
      return vector
    },
    unmasked(irq) {
      const pic = irq < 8 ? master : slave
      if (pic.expects !== 0 || pic.imr & (1 << (irq & 7))) return false
      return irq < 8 || (master.imr & (1 << PIC_CASCADE_IRQ)) === 0
    },
    read(index, offset) {
      const pic = state.pics[index]
      if (pic.poll) {
        pic.poll = false
        const n = wanted(pic)
        if (n >= 0) take(pic, n)
        settle()
        return n < 0 ? 0 : 0x80 | n
      }
      if (offset === 1) return pic.imr
      return pic.readIsr ? pic.isr : pic.irr
    },
    write(index, offset, value) {
      const pic = state.pics[index]
      if (offset === 0) writeCommand(pic, value)
      else writeData(pic, value)
      settle()
      masksChanged()
    },
    readElcr: (index) => state.pics[index].elcr,
    writeElcr(index, value) {
      const pic = state.pics[index]
      pic.elcr = value & ELCR_WRITABLE[index]
      pic.irr |= pic.lines & pic.elcr
      settle()
    },
    reset() {
      for (const pic of state.pics) Object.assign(pic, initialPic())
      outputHigh = false
      int(false)
      masksChanged()
    },
  }
}
