/**
 * The 8254 interval timer (Intel data sheet 231164) and port B's gate for channel 2. Counts and outputs are worked out from the time.
 *
 * Tickless: rising edges of channel 0 become events only while somebody listens, that is, while an interrupt controller would pass
 * them on (`listen`). Who listens again is told the level, and whether there was an edge meanwhile, as an 8259 latches one.
 * The gates of channels 0 and 1 are tied high, as on every PC, so modes 1 and 5 never trigger there.
 */
import { PIT_HZ, PORT_B_GATE2, PORT_B_OUT2, PORT_B_REFRESH, PORT_B_SPEAKER } from '#abi/pc/i8254.ts'
import type { Chip, Line, PortDevice } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'
import { nsOfTick, ticksAt } from '../../ticks.ts'

export interface I8254Pins {
  readonly clock: Clock
  /** Channel 0's output changes. */
  readonly irq: Line
  /** Channel 0's output has been like this for a while: no edge now. */
  readonly level: Line
}

export interface PitChannel {
  /** 0 to 5. */
  mode: number
  bcd: boolean
  /** 1 low byte only, 2 high byte only, 3 low then high. */
  access: number
  /** 1 to 65536 ticks. */
  count: number
  /** False from a control word until its count has been written. */
  loaded: boolean
  /** Tick at which counting began; where the gate stopped it, `heldTicks` says how far it had come. */
  startTick: number
  heldTicks: number
  gate: boolean
  /** Latched count bytes still to be read, the next first. */
  latched: number[]
  /** Latched status byte, or -1. */
  status: number
  /** The next byte read is the high one. */
  readHigh: boolean
  /** The low byte of a count that is being written, or -1. */
  writeLow: number
}

export interface I8254State {
  channels: PitChannel[]
  speaker: boolean
  listening: boolean
  /** When listening ended. */
  quietTick: number
}

export interface I8254 extends Chip<I8254State>, PortDevice {
  /** Whether edges of channel 0 lead anywhere: without, no event is scheduled. */
  listen(on: boolean): void
  readPortB(): number
  writePortB(value: number): void
}

const initialChannel = (gate: boolean): PitChannel => ({
  mode: 0,
  bcd: false,
  access: 3,
  count: 65536,
  loaded: false,
  startTick: 0,
  heldTicks: -1,
  gate,
  latched: [],
  status: -1,
  readHigh: false,
  writeLow: -1,
})

const initialState = (): I8254State => ({
  channels: [initialChannel(true), initialChannel(true), initialChannel(false)],
  speaker: false,
  listening: false,
  quietTick: 0,
})

/** The DRAM refresh request toggles about every 15 us; port B shows it in bit 4. */
const REFRESH_HALF_NS = 15_085

const fromBcd = (value: number): number =>
  (value & 15) + 10 * ((value >> 4) & 15) + 100 * ((value >> 8) & 15) + 1000 * ((value >> 12) & 15)
const toBcd = (value: number): number =>
  (value % 10) |
  ((Math.floor(value / 10) % 10) << 4) |
  ((Math.floor(value / 100) % 10) << 8) |
  ((Math.floor(value / 1000) % 10) << 12)

export function i8254({ clock, irq, level }: I8254Pins): I8254 {
  const state = initialState()
  let timer: Timer | undefined

  const tick = (): number => ticksAt(clock.now(), PIT_HZ)

  const elapsed = (channel: PitChannel, at: number): number =>
    channel.heldTicks >= 0 ? channel.heldTicks : at - channel.startTick

  /** The counting element at tick `at`, 0 to 65535. */
  function countAt(channel: PitChannel, at: number): number {
    const { mode, count } = channel
    const wrap = channel.bcd ? 10000 : 65536
    if (!channel.loaded) return count % wrap
    const gone = elapsed(channel, at)
    let value: number
    if (mode === 2) value = count - (gone % count)
    else if (mode === 3) value = count - (count & 1) - ((2 * gone) % Math.max(count - (count & 1), 2))
    else value = (((count - gone) % wrap) + wrap) % wrap
    return value % wrap
  }

  function outputAt(channel: PitChannel, at: number): boolean {
    if (!channel.loaded) return channel.mode !== 0
    const gone = elapsed(channel, at)
    switch (channel.mode) {
      case 0:
      case 1:
        return gone >= channel.count
      case 2:
        return !channel.gate || gone % channel.count !== channel.count - 1
      case 3:
        return !channel.gate || gone % channel.count < Math.ceil(channel.count / 2)
      default:
        return gone !== channel.count
    }
  }

  /** The first tick after `at` at which channel 0's output rises, or Infinity. */
  function nextRise(at: number): number {
    const channel = state.channels[0]!
    if (!channel.loaded || channel.mode === 1 || channel.mode === 5) return Number.POSITIVE_INFINITY
    const gone = at - channel.startTick
    if (channel.mode === 0) return gone < channel.count ? channel.startTick + channel.count : Number.POSITIVE_INFINITY
    if (channel.mode === 4) {
      return gone <= channel.count ? channel.startTick + channel.count + 1 : Number.POSITIVE_INFINITY
    }
    return channel.startTick + (Math.floor(gone / channel.count) + 1) * channel.count
  }

  function reschedule(): void {
    if (timer) clock.cancel(timer)
    timer = undefined
    if (!state.listening) return
    const rise = nextRise(tick())
    if (rise !== Number.POSITIVE_INFINITY) timer = clock.at(nsOfTick(rise, PIT_HZ), rose)
  }

  function rose(): void {
    timer = undefined
    irq(false)
    irq(true)
    reschedule()
  }

  /** Bring the output pin to where it is now, without inventing an edge. */
  function drive(): void {
    if (state.listening) irq(outputAt(state.channels[0]!, tick()))
    reschedule()
  }

  function control(value: number): void {
    const index = value >> 6
    if (index === 3) {
      // Read-back: bit 5 clear latches counts, bit 4 clear latches status, of the channels in bits 1-3.
      for (let i = 0; i < 3; i++) {
        if ((value & (2 << i)) === 0) continue
        const channel = state.channels[i]!
        if ((value & 0x10) === 0 && channel.status < 0) channel.status = statusOf(channel)
        if ((value & 0x20) === 0) latch(channel)
      }
      return
    }
    const channel = state.channels[index]!
    const access = (value >> 4) & 3
    if (access === 0) {
      latch(channel)
      return
    }
    const mode = (value >> 1) & 7
    Object.assign(channel, {
      mode: mode > 5 ? mode - 4 : mode,
      bcd: (value & 1) !== 0,
      access,
      loaded: false,
      latched: [],
      status: -1,
      readHigh: false,
      writeLow: -1,
    })
    if (index === 0) drive()
  }

  function statusOf(channel: PitChannel): number {
    return (
      (outputAt(channel, tick()) ? 0x80 : 0) |
      (channel.loaded ? 0 : 0x40) |
      (channel.access << 4) |
      (channel.mode << 1) |
      (channel.bcd ? 1 : 0)
    )
  }

  /** The count as its bytes are read with this channel's access mode. */
  function countBytes(channel: PitChannel): number[] {
    const value = countAt(channel, tick())
    const shown = channel.bcd ? toBcd(value) : value
    if (channel.access === 1) return [shown & 0xff]
    if (channel.access === 2) return [shown >> 8]
    return [shown & 0xff, shown >> 8]
  }

  function latch(channel: PitChannel): void {
    if (channel.latched.length === 0) channel.latched = countBytes(channel)
  }

  function readCounter(channel: PitChannel): number {
    if (channel.status >= 0) {
      const { status } = channel
      channel.status = -1
      return status
    }
    if (channel.latched.length > 0) return channel.latched.shift()!
    const bytes = countBytes(channel)
    if (bytes.length === 1) return bytes[0]!
    channel.readHigh = !channel.readHigh
    return channel.readHigh ? bytes[0]! : bytes[1]!
  }

  function writeCounter(channel: PitChannel, value: number): void {
    let word: number
    if (channel.access === 1) word = value
    else if (channel.access === 2) word = value << 8
    else if (channel.writeLow < 0) {
      channel.writeLow = value
      // In mode 0 the first byte already stops the count.
      if (channel.mode === 0) channel.loaded = false
      if (channel === state.channels[0]) drive()
      return
    } else {
      word = (value << 8) | channel.writeLow
      channel.writeLow = -1
    }
    load(channel, channel.bcd ? fromBcd(word) || 10000 : word || 65536)
  }

  function load(channel: PitChannel, count: number): void {
    channel.count = count
    channel.loaded = true
    channel.startTick = tick()
    channel.heldTicks = channel.gate ? -1 : 0
    // Hardware-triggered modes wait for the gate to rise.
    if (channel.mode === 1 || channel.mode === 5) channel.heldTicks = channel.mode === 1 ? count : count + 1
    if (channel === state.channels[0]) drive()
  }

  function setGate(channel: PitChannel, gate: boolean): void {
    if (gate === channel.gate) return
    const at = tick()
    const gone = elapsed(channel, at)
    channel.gate = gate
    if (channel.mode === 1 || channel.mode === 5) {
      if (gate) {
        channel.startTick = at
        channel.heldTicks = -1
      }
    } else if (!gate) channel.heldTicks = gone
    else {
      // A rising gate resumes modes 0 and 4, and starts modes 2 and 3 afresh.
      channel.startTick = channel.mode === 0 || channel.mode === 4 ? at - gone : at
      channel.heldTicks = -1
    }
  }

  return {
    state,
    read: (offset) => (offset < 3 ? readCounter(state.channels[offset]!) : 0xff),
    write(offset, value) {
      if (offset < 3) writeCounter(state.channels[offset]!, value)
      else control(value)
    },
    listen(on) {
      if (on === state.listening) return
      state.listening = on
      const at = tick()
      if (on) {
        if (nextRise(state.quietTick) <= at) level(false)
        level(outputAt(state.channels[0]!, at))
      } else state.quietTick = at
      reschedule()
    },
    readPortB() {
      const now = clock.now()
      const channel = state.channels[2]!
      return (
        (channel.gate ? PORT_B_GATE2 : 0) |
        (state.speaker ? PORT_B_SPEAKER : 0) |
        (Math.floor(now / REFRESH_HALF_NS) % 2 === 1 ? PORT_B_REFRESH : 0) |
        (outputAt(channel, ticksAt(now, PIT_HZ)) ? PORT_B_OUT2 : 0)
      )
    },
    writePortB(value) {
      state.speaker = (value & PORT_B_SPEAKER) !== 0
      setGate(state.channels[2]!, (value & PORT_B_GATE2) !== 0)
    },
    reset() {
      Object.assign(state, initialState())
      if (timer) clock.cancel(timer)
      timer = undefined
    },
  }
}
