/**
 * The PC16550D serial port (National Semiconductor data sheet, June 1995) with its line and the patient terminal at the other end.
 *
 * Both directions take the time that the programmed speed takes (design D10). Registers are worked out from the time at which they are
 * read, so that a program which polls sees them change; events only move bytes out and raise the interrupt.
 * The outside honours RTS/CTS flow control: it starts no byte while RTS is off or the receiver has no room, so a slow program loses
 * nothing; overruns are still to be had in loopback mode.
 */
import {
  UART_CLOCK_BAUD,
  UART_DLL,
  UART_DLM,
  UART_FCR,
  UART_FCR_CLRX,
  UART_FCR_CLTX,
  UART_FCR_ENABLE,
  UART_FIFO_BYTES,
  UART_IER,
  UART_IER_ELSI,
  UART_IER_EMSI,
  UART_IER_ERDAI,
  UART_IER_ETHREI,
  UART_IIR,
  UART_IIR_CTI,
  UART_IIR_FIFO,
  UART_IIR_LSI,
  UART_IIR_MSI,
  UART_IIR_NOINT,
  UART_IIR_RDA,
  UART_IIR_THR,
  UART_LCR,
  UART_LCR_DLAB,
  UART_LSR,
  UART_LSR_DR,
  UART_LSR_ERRORS,
  UART_LSR_OE,
  UART_LSR_TEMT,
  UART_LSR_THRE,
  UART_MCR,
  UART_MCR_LOOP,
  UART_MCR_OUT2,
  UART_MCR_RTS,
  UART_MSR,
  UART_MSR_CTS,
  UART_MSR_DCD,
  UART_MSR_DELTAS,
  UART_MSR_DSR,
  UART_RBR,
  UART_SCR,
} from '#abi/pc/uart16550.ts'
import type { Chip, Line, PortDevice } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'

export interface Uart16550Pins {
  readonly clock: Clock
  /** The interrupt output behind the OUT2 gate, as PCs wire it. */
  readonly irq: Line
  /** A byte has left on the line, at this moment. */
  readonly transmit: (byte: number) => void
}

/** A byte in the transmitter: in the shift register from `startNs` to `endNs`, waiting in the FIFO before. */
interface Sending {
  readonly byte: number
  readonly startNs: number
  readonly endNs: number
}

export interface Uart16550State {
  ier: number
  fifo: boolean
  /** Receive trigger, bytes. */
  trigger: number
  lcr: number
  mcr: number
  /** Delta bits of the modem status register. */
  msrDeltas: number
  scratch: number
  divisor: number
  /** Error bits of the line status register. */
  errors: number
  received: number[]
  /** When the receive FIFO was last filled or read: the character timeout counts from here. */
  receiveTouchedNs: number
  sending: Sending[]
  /** When the transmit register or FIFO runs empty and the THRE interrupt becomes pending; -1: not under way. */
  emptyAtNs: number
  threPending: boolean
  /** Outside: bytes that wait from `outsideAt` on, and when the one on the line will have arrived (-1: none on the line). */
  outside: number[]
  outsideAt: number
  arrivalNs: number
}

export interface Uart16550 extends Chip<Uart16550State>, PortDevice {
  /** Bytes from outside, queued without limit. */
  receive(bytes: readonly number[]): void
  /** Power was off: what the outside had queued is gone. */
  powerOn(): void
}

const TRIGGERS = [1, 4, 8, 14] as const
/** The FIFO's character timeout, in character times. */
const TIMEOUT_CHARACTERS = 4
const OUTSIDE_CHUNK = 4096

const initialState = (): Uart16550State => ({
  ier: 0,
  fifo: false,
  trigger: 1,
  lcr: 0,
  mcr: 0,
  msrDeltas: 0,
  scratch: 0,
  // The data sheet leaves the divisor undefined at reset; firmware always sets it.
  divisor: 12,
  errors: 0,
  received: [],
  receiveTouchedNs: 0,
  sending: [],
  emptyAtNs: -1,
  threPending: false,
  outside: [],
  outsideAt: 0,
  arrivalNs: -1,
})

export function uart16550({ clock, irq, transmit }: Uart16550Pins): Uart16550 {
  const state = initialState()
  let sendTimer: Timer | undefined
  let receiveTimer: Timer | undefined
  let irqHigh = false

  /** Start, data, parity and stop bits of one character at the divisor's speed, in ns. Divisor 0 counts as 65536. */
  function characterNs(): number {
    const parity = (state.lcr >> 3) & 1
    const stop = (state.lcr >> 2) & 1
    const bits = 1 + 5 + (state.lcr & 3) + parity + 1 + stop
    return Math.round((bits * 1e9 * (state.divisor || 65536)) / UART_CLOCK_BAUD)
  }

  const capacity = (): number => (state.fifo ? UART_FIFO_BYTES : 1)

  /** Bytes in the transmit FIFO or holding register. */
  function waiting(now: number): number {
    let count = 0
    for (const { startNs } of state.sending) if (startNs > now) count++
    return count
  }

  /** A character has come in over the line or the loop. */
  function store(byte: number, atNs: number): void {
    if (state.received.length < capacity()) state.received.push(byte)
    else {
      // A full FIFO keeps what it has; the single buffer register is overwritten.
      state.errors |= UART_LSR_OE
      if (!state.fifo) state.received[0] = byte
    }
    state.receiveTouchedNs = atNs
  }

  /** The outside begins a byte as soon as it may. */
  function feed(atNs: number): void {
    if (state.arrivalNs >= 0 || state.outsideAt === state.outside.length) return
    const ready = (state.mcr & UART_MCR_RTS) !== 0 && (state.mcr & UART_MCR_LOOP) === 0
    if (ready && state.received.length < capacity()) state.arrivalNs = atNs + characterNs()
  }

  function takeOutside(): number {
    const byte = state.outside[state.outsideAt++]!
    // A long paste is not moved up for every byte.
    if (state.outsideAt === state.outside.length || state.outsideAt === OUTSIDE_CHUNK) {
      state.outside = state.outside.slice(state.outsideAt)
      state.outsideAt = 0
    }
    return byte
  }

  /** Let everything happen that was due by `now`, save what only events may do. Returns whether anything did. */
  function catchUp(now: number): boolean {
    let happened = false
    while (state.arrivalNs >= 0 && state.arrivalNs <= now) {
      happened = true
      const at = state.arrivalNs
      state.arrivalNs = -1
      store(takeOutside(), at)
      feed(at)
    }
    if (state.emptyAtNs >= 0 && state.emptyAtNs <= now) {
      happened = true
      state.emptyAtNs = -1
      state.threPending = true
    }
    return happened
  }

  /** When the character timeout interrupt is due, or -1. */
  const timeoutNs = (): number =>
    state.fifo && state.received.length > 0 ? state.receiveTouchedNs + TIMEOUT_CHARACTERS * characterNs() : -1

  /** IIR bits 0-3: the pending interrupt of the highest priority. */
  function identify(now: number): number {
    if (state.ier & UART_IER_ELSI && state.errors !== 0) return UART_IIR_LSI
    if (state.ier & UART_IER_ERDAI) {
      if (state.received.length >= (state.fifo ? state.trigger : 1)) return UART_IIR_RDA
      const timeout = timeoutNs()
      if (timeout >= 0 && timeout <= now) return UART_IIR_CTI
    }
    if (state.ier & UART_IER_ETHREI && state.threPending) return UART_IIR_THR
    if (state.ier & UART_IER_EMSI && state.msrDeltas !== 0) return UART_IIR_MSI
    return UART_IIR_NOINT
  }

  /** Bring the interrupt line and the timers in step with the state. */
  function settle(now: number): void {
    const gate = (state.mcr & UART_MCR_OUT2) !== 0 && (state.mcr & UART_MCR_LOOP) === 0
    const high = gate && identify(now) !== UART_IIR_NOINT
    if (high !== irqHigh) {
      irqHigh = high
      irq(high)
    }
    schedule(now)
  }

  function schedule(now: number): void {
    if (sendTimer === undefined && state.sending.length > 0) sendTimer = clock.at(state.sending[0]!.endNs, sent)
    let next = state.arrivalNs
    const timeout = state.ier & UART_IER_ERDAI ? timeoutNs() : -1
    if (timeout > now && (next < 0 || timeout < next)) next = timeout
    if (receiveTimer !== undefined && receiveTimer.run !== undefined) {
      if (receiveTimer.atNs === next) return
      clock.cancel(receiveTimer)
    }
    receiveTimer = next < 0 ? undefined : clock.at(next, touched)
  }

  /** Event: the first byte has left. */
  function sent(): void {
    sendTimer = undefined
    const { byte, endNs } = state.sending.shift()!
    const now = Math.max(clock.now(), endNs)
    if (state.mcr & UART_MCR_LOOP) store(byte, endNs)
    else transmit(byte)
    touchedAt(now)
  }

  const touched = (): void => touchedAt(clock.now())

  function touchedAt(now: number): void {
    catchUp(now)
    settle(now)
  }

  function send(byte: number, now: number): void {
    state.threPending = false
    if (waiting(now) >= capacity()) {
      // The holding register is overwritten; a full FIFO drops the newest.
      if (state.fifo) return
      const last = state.sending.pop()!
      state.sending.push({ ...last, byte })
      return
    }
    const startNs = Math.max(now, state.sending.at(-1)?.endNs ?? now)
    state.sending.push({ byte, startNs, endNs: startNs + characterNs() })
    if (startNs > now) state.emptyAtNs = startNs
    else state.threPending = true
  }

  function writeFcr(value: number, now: number): void {
    const enable = (value & UART_FCR_ENABLE) !== 0
    const change = enable !== state.fifo
    state.fifo = enable
    state.trigger = enable ? TRIGGERS[value >> 6]! : 1
    if (change || value & UART_FCR_CLRX) state.received = []
    if (change || value & UART_FCR_CLTX) clearSending(now)
  }

  /** Drop what waits in the FIFO; the byte in the shift register goes on. */
  function clearSending(now: number): void {
    const kept = state.sending.filter(({ startNs }) => startNs <= now)
    if (kept.length === state.sending.length) return
    state.sending = kept
    state.emptyAtNs = -1
    state.threPending = true
  }

  function writeMcr(value: number, now: number): void {
    const before = modemLines()
    state.mcr = value & 0x1f
    const changed = before ^ modemLines()
    // Deltas of CTS, DSR and DCD show any change; RI's only its end.
    state.msrDeltas |= (changed >> 4) & 0b1011
    if (before & 0x40 && changed & 0x40) state.msrDeltas |= 0b0100
    feed(now)
  }

  /** Bits 4-7 of the modem status register: a terminal that is switched on, or in loopback our own outputs. */
  function modemLines(): number {
    if ((state.mcr & UART_MCR_LOOP) === 0) return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD
    const { mcr } = state
    return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4)
  }

  function read(offset: number): number {
    const now = clock.now()
    const happened = catchUp(now)
    // Programs poll the line status: looking at it changes nothing unless there were errors to clear.
    const looks = offset === UART_LSR && state.errors === 0
    const value = readRegister(offset, now)
    if (happened || !looks) settle(now)
    return value
  }

  function readRegister(offset: number, now: number): number {
    const dlab = (state.lcr & UART_LCR_DLAB) !== 0
    switch (offset) {
      case UART_RBR: {
        if (dlab) return state.divisor & 0xff
        const byte = state.received.shift() ?? 0
        state.receiveTouchedNs = now
        feed(now)
        return byte
      }
      case UART_IER:
        return dlab ? state.divisor >> 8 : state.ier
      case UART_IIR: {
        const cause = identify(now)
        // Reading the register that names it acknowledges a THRE interrupt.
        if (cause === UART_IIR_THR) state.threPending = false
        return cause | (state.fifo ? UART_IIR_FIFO : 0)
      }
      case UART_LCR:
        return state.lcr
      case UART_MCR:
        return state.mcr
      case UART_LSR: {
        let value = state.errors
        state.errors = 0
        if (state.received.length > 0) value |= UART_LSR_DR
        if (waiting(now) === 0) value |= UART_LSR_THRE
        if ((state.sending.at(-1)?.endNs ?? now) <= now) value |= UART_LSR_TEMT
        return value & (UART_LSR_ERRORS | UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT)
      }
      case UART_MSR: {
        const value = modemLines() | state.msrDeltas
        state.msrDeltas &= ~UART_MSR_DELTAS
        return value
      }
      default:
        return state.scratch
    }
  }

  function write(offset: number, value: number): void {
    const now = clock.now()
    catchUp(now)
    const dlab = (state.lcr & UART_LCR_DLAB) !== 0
    if (dlab && offset === UART_DLL) state.divisor = (state.divisor & 0xff00) | value
    else if (dlab && offset === UART_DLM) state.divisor = (value << 8) | (state.divisor & 0xff)
    else if (offset === UART_RBR) send(value, now)
    else if (offset === UART_IER) {
      // Enabling the interrupt while the transmitter is empty raises it at once.
      if (value & ~state.ier & UART_IER_ETHREI && waiting(now) === 0) state.threPending = true
      state.ier = value & 0x0f
    } else if (offset === UART_FCR) writeFcr(value, now)
    else if (offset === UART_LCR) state.lcr = value
    else if (offset === UART_MCR) writeMcr(value, now)
    else if (offset === UART_SCR) state.scratch = value
    feed(now)
    settle(now)
  }

  function reset(): void {
    const outside = state.outside.slice(state.outsideAt)
    if (sendTimer) clock.cancel(sendTimer)
    if (receiveTimer) clock.cancel(receiveTimer)
    sendTimer = receiveTimer = undefined
    Object.assign(state, initialState(), { outside })
    irqHigh = false
    irq(false)
  }

  return {
    state,
    read,
    write,
    reset,
    receive(bytes) {
      const now = clock.now()
      catchUp(now)
      for (const byte of bytes) state.outside.push(byte & 0xff)
      feed(now)
      settle(now)
    },
    powerOn() {
      reset()
      state.outside = []
    },
  }
}
