/**
 * A VGA in text mode 3 (IBM PS/2 Hardware Interface Technical Reference, video subsystem): 32 KiB of characters and attributes at
 * 0xB8000, the CRT controller's cursor and start address. The other register files keep what is written to them.
 */
import {
  CRTC_CURSOR_HIGH,
  CRTC_CURSOR_LOW,
  CRTC_CURSOR_OFF,
  CRTC_CURSOR_START,
  CRTC_START_HIGH,
  CRTC_START_LOW,
  VGA_ATTRIBUTE_DEFAULT,
  VGA_COLUMNS,
  VGA_ROWS,
  VGA_TEXT_BYTES,
} from '#abi/pc/vga.ts'
import type { Chip, PortDevice } from '../../device.ts'
import type { Clock } from '../../events.ts'
import type { Mmio } from '../../memory.ts'

export interface VgaState {
  memory: Uint8Array
  crtcIndex: number
  crtc: number[]
  sequencerIndex: number
  sequencer: number[]
  graphicsIndex: number
  graphics: number[]
  attributeIndex: number
  attribute: number[]
  /** The attribute port takes an index next, then data. */
  attributeFlip: boolean
  misc: number
  dacMask: number
  dacWrite: number
  dacRead: number
  dac: number[]
}

export interface TextFrame {
  readonly columns: number
  readonly rows: number
  readonly cells: Uint8Array
  readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean }
}

export interface Vga extends Chip<VgaState>, Mmio {
  /** Ports 0x3C0 to 0x3DF; offsets count from 0x3C0. */
  readonly ports: PortDevice
  screen(): TextFrame
  /** Changes with every change that can be seen. */
  version(): number
  /** No signal: nothing on the screen, no cursor. */
  blank(): void
}

/** CRT controller values of mode 3 (80 x 25, 9 x 16 cells), from the register tables of the manual. */
const CRTC_MODE3 = [
  0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f,
  0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
]
const SEQUENCER_MODE3 = [0x03, 0x00, 0x03, 0x00, 0x02]
const GRAPHICS_MODE3 = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff]
const ATTRIBUTE_MODE3 = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f,
  0x08, 0x00,
]
const MISC_MODE3 = 0x67
/** Writing to registers 0-7 is barred while bit 7 of the vertical retrace end register is set. */
const CRTC_PROTECT_REGISTER = 0x11
const CRTC_OFFSET = 0x13
const DAC_BYTES = 768
/** One frame of 449 lines at 31.469 kHz, and when its vertical retrace and its blank are. */
const FRAME_NS = 14_268_017
const RETRACE_FROM_NS = Math.round((FRAME_NS * 412) / 449)
const RETRACE_TO_NS = Math.round((FRAME_NS * 414) / 449)
const DISPLAY_END_NS = Math.round((FRAME_NS * 400) / 449)

const initialState = (): VgaState => {
  const memory = new Uint8Array(VGA_TEXT_BYTES)
  for (let i = 0; i < memory.length; i += 2) {
    memory[i] = 0x20
    memory[i + 1] = VGA_ATTRIBUTE_DEFAULT
  }
  return {
    memory,
    crtcIndex: 0,
    crtc: [...CRTC_MODE3],
    sequencerIndex: 0,
    sequencer: [...SEQUENCER_MODE3],
    graphicsIndex: 0,
    graphics: [...GRAPHICS_MODE3],
    attributeIndex: 0x20,
    attribute: [...ATTRIBUTE_MODE3],
    attributeFlip: true,
    misc: MISC_MODE3,
    dacMask: 0xff,
    dacWrite: 0,
    dacRead: 0,
    dac: new Array<number>(DAC_BYTES).fill(0),
  }
}

export function vga({ clock }: { readonly clock: Clock }): Vga {
  const state = initialState()
  let version = 0

  const startCell = (): number => (state.crtc[CRTC_START_HIGH]! << 8) | state.crtc[CRTC_START_LOW]!

  function writeCrtc(value: number): void {
    const index = state.crtcIndex
    if (index >= state.crtc.length) return
    // The lowest line-compare bit in the overflow register stays writable.
    if (index < 8 && state.crtc[CRTC_PROTECT_REGISTER]! & 0x80) {
      if (index === 7) state.crtc[7] = (state.crtc[7]! & ~0x10) | (value & 0x10)
      return
    }
    if (state.crtc[index] === value) return
    state.crtc[index] = value
    version++
  }

  function writeAttribute(value: number): void {
    if (state.attributeFlip) state.attributeIndex = value & 0x3f
    else if ((state.attributeIndex & 0x1f) < state.attribute.length) {
      state.attribute[state.attributeIndex & 0x1f] = value & 0x3f
      version++
    }
    state.attributeFlip = !state.attributeFlip
  }

  /** Input status 1: bit 0 no display, bit 3 vertical retrace; reading it makes the attribute port take an index. */
  function inputStatus(): number {
    state.attributeFlip = true
    const at = clock.now() % FRAME_NS
    return (at >= DISPLAY_END_NS ? 0x01 : 0) | (at >= RETRACE_FROM_NS && at < RETRACE_TO_NS ? 0x08 : 0)
  }

  const ports: PortDevice = {
    read(offset) {
      switch (offset) {
        case 0x00:
          return state.attributeIndex
        case 0x01:
          return state.attribute[state.attributeIndex & 0x1f] ?? 0
        case 0x02: // input status 0: the monitor's sense line
          return 0x10
        case 0x04:
          return state.sequencerIndex
        case 0x05:
          return state.sequencer[state.sequencerIndex] ?? 0
        case 0x06:
          return state.dacMask
        case 0x07: // DAC state: ready for reads
          return 0x03
        case 0x08:
          return Math.floor(state.dacWrite / 3)
        case 0x09: {
          const value = state.dac[state.dacRead]!
          state.dacRead = (state.dacRead + 1) % DAC_BYTES
          return value
        }
        case 0x0c:
          return state.misc
        case 0x0e:
          return state.graphicsIndex
        case 0x0f:
          return state.graphics[state.graphicsIndex] ?? 0
        case 0x14:
          return state.crtcIndex
        case 0x15:
          return state.crtc[state.crtcIndex] ?? 0
        case 0x1a:
          return inputStatus()
        default:
          // The monochrome addresses and feature control: nobody there while the colour addresses are selected.
          return 0xff
      }
    },
    write(offset, value) {
      switch (offset) {
        case 0x00:
          writeAttribute(value)
          break
        case 0x02:
          state.misc = value
          break
        case 0x04:
          state.sequencerIndex = value
          break
        case 0x05:
          if (state.sequencerIndex < state.sequencer.length) state.sequencer[state.sequencerIndex] = value
          break
        case 0x06:
          state.dacMask = value
          break
        case 0x07:
          state.dacRead = value * 3
          break
        case 0x08:
          state.dacWrite = value * 3
          break
        case 0x09:
          state.dac[state.dacWrite] = value & 0x3f
          state.dacWrite = (state.dacWrite + 1) % DAC_BYTES
          break
        case 0x0e:
          state.graphicsIndex = value
          break
        case 0x0f:
          if (state.graphicsIndex < state.graphics.length) state.graphics[state.graphicsIndex] = value
          break
        case 0x14:
          state.crtcIndex = value
          break
        case 0x15:
          writeCrtc(value)
          break
        default:
      }
    },
  }

  return {
    state,
    ports,
    read(offset, bytes) {
      let value = 0
      for (let i = bytes - 1; i >= 0; i--) value = value * 256 + state.memory[offset + i]!
      return value
    },
    write(offset, bytes, value) {
      for (let i = 0; i < bytes; i++) {
        const byte = (value >>> (8 * i)) & 0xff
        if (state.memory[offset + i] === byte) continue
        state.memory[offset + i] = byte
        version++
      }
    },
    screen() {
      const bytes = VGA_COLUMNS * VGA_ROWS * 2
      const cells = new Uint8Array(bytes)
      // A row lies the offset register's words (two cells each) behind the one above; the memory wraps.
      const rowCells = (state.crtc[CRTC_OFFSET] ?? 0) * 2
      for (let row = 0; row < VGA_ROWS; row++) {
        const from = ((startCell() + row * rowCells) * 2) % VGA_TEXT_BYTES
        const tail = Math.min(VGA_COLUMNS * 2, VGA_TEXT_BYTES - from)
        cells.set(state.memory.subarray(from, from + tail), row * VGA_COLUMNS * 2)
        if (tail < VGA_COLUMNS * 2)
          cells.set(state.memory.subarray(0, VGA_COLUMNS * 2 - tail), row * VGA_COLUMNS * 2 + tail)
      }
      const at = ((state.crtc[CRTC_CURSOR_HIGH]! << 8) | state.crtc[CRTC_CURSOR_LOW]!) - startCell()
      const inside = at >= 0 && at < VGA_COLUMNS * VGA_ROWS
      return {
        columns: VGA_COLUMNS,
        rows: VGA_ROWS,
        cells,
        cursor: {
          row: inside ? Math.floor(at / VGA_COLUMNS) : 0,
          column: inside ? at % VGA_COLUMNS : 0,
          visible: inside && (state.crtc[CRTC_CURSOR_START]! & CRTC_CURSOR_OFF) === 0,
        },
      }
    },
    version: () => version,
    blank() {
      state.memory.fill(0)
      state.crtc[CRTC_CURSOR_START]! |= CRTC_CURSOR_OFF
      version++
    },
    reset() {
      Object.assign(state, initialState())
      version++
    },
  }
}
