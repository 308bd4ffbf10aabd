/**
 * The keyboard controller (8042 as in the IBM PC/AT Technical Reference) with an MF2 keyboard on its first port and nothing on its
 * second. Scan codes come in as set 1; real hardware sends set 2 and translates, which nobody can tell while translation is on, as
 * the BIOS leaves it.
 */
import {
  I8042_CMD_DISABLE_KEYBOARD,
  I8042_CMD_ENABLE_KEYBOARD,
  I8042_CMD_INTERFACE_TEST,
  I8042_CMD_READ_CONFIG,
  I8042_CMD_READ_OUTPUT,
  I8042_CMD_RESET,
  I8042_CMD_SELF_TEST,
  I8042_CMD_WRITE_CONFIG,
  I8042_CMD_WRITE_OUTPUT,
  I8042_CONFIG_DISABLED,
  I8042_CONFIG_IRQ,
  I8042_CONFIG_SYSTEM,
  I8042_CONFIG_TRANSLATE,
  I8042_OUTPUT_A20,
  I8042_OUTPUT_RUN,
  I8042_SELF_TEST_OK,
  I8042_STATUS_COMMAND,
  I8042_STATUS_OBF,
  I8042_STATUS_SYSTEM,
  I8042_STATUS_UNLOCKED,
  KEYBOARD_ACK,
  KEYBOARD_BAT_OK,
  KEYBOARD_OVERRUN,
  KEYBOARD_RESEND,
} from '#abi/pc/i8042.ts'
import type { Chip, Line } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'

export interface I8042Pins {
  readonly clock: Clock
  readonly irq: Line
  /** The processors' reset line. */
  readonly reset: () => void
}

export interface I8042State {
  config: number
  /** Output port: bit 0 keeps the processor running, bit 1 is the A20 gate. */
  output: number
  /** The last write went to the command port. */
  lastWasCommand: boolean
  /** The byte that the guest may read, or -1. */
  buffer: number
  /** Answers of the controller, before anything from the keyboard. */
  answers: number[]
  /** A controller command that waits for its data byte, or 0. */
  pendingCommand: number
  keyboard: {
    /** Bytes that wait in the keyboard. */
    queue: number[]
    /** When the byte on the wire arrives; -1: none. */
    arrivalNs: number
    scanning: boolean
    leds: number
    typematic: number
    scanSet: number
    /** A keyboard command that waits for its data byte, or 0. */
    pendingCommand: number
    overrun: boolean
  }
}

export interface I8042 extends Chip<I8042State> {
  /** Offset 0 is the data port 0x60, 4 the status and command port 0x64. */
  read(offset: number): number
  write(offset: number, value: number): void
  /** Keys are pressed and released. */
  type(scancodes: readonly number[]): void
}

/** Eleven bits at about 12 kHz. */
const KEYBOARD_BYTE_NS = 900_000
/** The keyboard's own buffer. */
const KEYBOARD_QUEUE_MAX = 16
/** An MF2 keyboard's identity, as translated. */
const KEYBOARD_IDENTITY = [0xab, 0x41]

const initialState = (): I8042State => ({
  config: I8042_CONFIG_TRANSLATE | I8042_CONFIG_DISABLED,
  output: I8042_OUTPUT_RUN | I8042_OUTPUT_A20,
  lastWasCommand: false,
  buffer: -1,
  answers: [],
  pendingCommand: 0,
  keyboard: {
    queue: [],
    arrivalNs: -1,
    scanning: true,
    leds: 0,
    typematic: 0x2b,
    scanSet: 2,
    pendingCommand: 0,
    overrun: false,
  },
})

export function i8042({ clock, irq, reset: resetLine }: I8042Pins): I8042 {
  const state = initialState()
  let timer: Timer | undefined

  /** Fill the output buffer as soon as it is empty, from the controller first. */
  function settle(now: number): void {
    const { keyboard } = state
    if (state.buffer < 0 && state.answers.length > 0) state.buffer = state.answers.shift()!
    if ((state.config & I8042_CONFIG_DISABLED) === 0 && keyboard.queue.length > 0 && keyboard.arrivalNs < 0)
      keyboard.arrivalNs = now + KEYBOARD_BYTE_NS
    if (state.buffer < 0 && keyboard.arrivalNs >= 0 && keyboard.arrivalNs <= now) {
      keyboard.arrivalNs = -1
      state.buffer = keyboard.queue.shift()!
      keyboard.overrun = false
      if (keyboard.queue.length > 0) keyboard.arrivalNs = now + KEYBOARD_BYTE_NS
    }
    irq(state.buffer >= 0 && (state.config & I8042_CONFIG_IRQ) !== 0)
    const waits = state.buffer < 0 ? keyboard.arrivalNs : -1
    if (timer?.run !== undefined) {
      if (timer.atNs === waits) return
      clock.cancel(timer)
    }
    timer = waits < 0 ? undefined : clock.at(waits, () => settle(clock.now()))
  }

  function answer(...bytes: readonly number[]): void {
    state.answers.push(...bytes)
  }

  /** The keyboard sends bytes of its own accord or in answer to a command. */
  function fromKeyboard(bytes: readonly number[]): void {
    const { keyboard } = state
    for (const byte of bytes) {
      if (keyboard.queue.length < KEYBOARD_QUEUE_MAX) keyboard.queue.push(byte)
      else if (!keyboard.overrun) {
        keyboard.queue[KEYBOARD_QUEUE_MAX - 1] = KEYBOARD_OVERRUN
        keyboard.overrun = true
      }
    }
  }

  function controllerCommand(value: number): void {
    switch (value) {
      case I8042_CMD_READ_CONFIG:
        answer(state.config)
        break
      case I8042_CMD_WRITE_CONFIG:
      case I8042_CMD_WRITE_OUTPUT:
        state.pendingCommand = value
        break
      case I8042_CMD_SELF_TEST:
        state.config |= I8042_CONFIG_SYSTEM
        answer(I8042_SELF_TEST_OK)
        break
      case I8042_CMD_INTERFACE_TEST:
        answer(0)
        break
      case I8042_CMD_DISABLE_KEYBOARD:
        state.config |= I8042_CONFIG_DISABLED
        break
      case I8042_CMD_ENABLE_KEYBOARD:
        state.config &= ~I8042_CONFIG_DISABLED
        break
      case I8042_CMD_READ_OUTPUT:
        answer(state.output | (state.buffer >= 0 ? 0x10 : 0))
        break
      default:
        // 0xF0-0xFF pulse the low output lines whose bit is clear; line 0 is the processor's reset.
        if (value >= 0xf0 && (value & 1) === (I8042_CMD_RESET & 1)) resetLine()
    }
  }

  function controllerData(command: number, value: number): void {
    if (command === I8042_CMD_WRITE_CONFIG) {
      state.config = value
      return
    }
    state.output = value
    if ((value & I8042_OUTPUT_RUN) === 0) resetLine()
  }

  function keyboardCommand(value: number): void {
    const { keyboard } = state
    // Writing to the keyboard opens its clock line again.
    state.config &= ~I8042_CONFIG_DISABLED
    if (keyboard.pendingCommand !== 0 && value < 0xed) {
      const command = keyboard.pendingCommand
      keyboard.pendingCommand = 0
      if (command === 0xed) keyboard.leds = value & 7
      else if (command === 0xf3) keyboard.typematic = value & 0x7f
      else if (value === 0) fromKeyboard([KEYBOARD_ACK, keyboard.scanSet])
      else if (value <= 3) keyboard.scanSet = value
      if (command !== 0xf0 || value !== 0) fromKeyboard([KEYBOARD_ACK])
      return
    }
    keyboard.pendingCommand = 0
    switch (value) {
      case 0xed: // set LEDs
      case 0xf0: // select or ask scan code set
      case 0xf3: // typematic rate
        keyboard.pendingCommand = value
        fromKeyboard([KEYBOARD_ACK])
        break
      case 0xee: // echo
        fromKeyboard([0xee])
        break
      case 0xf2: // identify
        fromKeyboard([KEYBOARD_ACK, ...KEYBOARD_IDENTITY])
        break
      case 0xf4: // start scanning
      case 0xf5: // stop scanning
      case 0xf6: // defaults
        keyboard.queue = []
        keyboard.scanning = value !== 0xf5
        fromKeyboard([KEYBOARD_ACK])
        break
      case 0xff: // reset
        keyboard.queue = []
        Object.assign(keyboard, { scanning: true, leds: 0, typematic: 0x2b, scanSet: 2 })
        fromKeyboard([KEYBOARD_ACK, KEYBOARD_BAT_OK])
        break
      default:
        fromKeyboard([KEYBOARD_RESEND])
    }
  }

  return {
    state,
    read(offset) {
      const now = clock.now()
      settle(now)
      if (offset === 4) {
        return (
          I8042_STATUS_UNLOCKED |
          (state.buffer >= 0 ? I8042_STATUS_OBF : 0) |
          (state.config & I8042_CONFIG_SYSTEM ? I8042_STATUS_SYSTEM : 0) |
          (state.lastWasCommand ? I8042_STATUS_COMMAND : 0)
        )
      }
      const value = Math.max(state.buffer, 0)
      state.buffer = -1
      // The line falls between two bytes, so that each makes an edge.
      irq(false)
      settle(now)
      return value
    },
    write(offset, value) {
      const now = clock.now()
      settle(now)
      state.lastWasCommand = offset === 4
      if (offset === 4) {
        state.pendingCommand = 0
        controllerCommand(value)
      } else if (state.pendingCommand !== 0) {
        const command = state.pendingCommand
        state.pendingCommand = 0
        controllerData(command, value)
      } else keyboardCommand(value)
      settle(now)
    },
    type(scancodes) {
      const now = clock.now()
      settle(now)
      if (state.keyboard.scanning) fromKeyboard(scancodes)
      settle(now)
    },
    reset() {
      if (timer) clock.cancel(timer)
      timer = undefined
      Object.assign(state, initialState())
      irq(false)
    },
  }
}
