/** INT 10h in text mode 3: the BIOS's use of the VGA's memory and cursor registers, with its notes in the BIOS data area. */
import type { Mem } from '#abi/mem.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import * as vga from '#abi/pc/vga.ts'
import { BDA_CURSOR, BDA_CURSOR_SHAPE } from './data-area.ts'

export interface Video {
  teletype(byte: number): void
  setCursor(row: number, column: number): void
  cursor(): { readonly row: number; readonly column: number }
  putChar(byte: number, attribute: number): void
  showCursor(visible: boolean): void
  clearScreen(): void
  /** Text from the cursor on, each cell with `attribute`; `\n` begins a new line. */
  print(text: string, attribute?: number): void
}

const BACKSPACE = 8
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const BELL = 7
const ROW_BYTES = vga.VGA_COLUMNS * 2
/** An underline on scan lines 13 and 14. */
const CURSOR_SHAPE = 0x0d0e

export function video(mem: Mem, io: PortIo): Video {
  const crtc = (index: number, value: number): void => {
    io.out8(vga.VGA_CRTC_INDEX, index)
    io.out8(vga.VGA_CRTC_DATA, value)
  }

  const cursor = (): { row: number; column: number } => ({
    row: Math.min(mem.read8(BDA_CURSOR + 1), vga.VGA_ROWS - 1),
    column: Math.min(mem.read8(BDA_CURSOR), vga.VGA_COLUMNS - 1),
  })

  function setCursor(row: number, column: number): void {
    mem.write8(BDA_CURSOR, column)
    mem.write8(BDA_CURSOR + 1, row)
    const cell = row * vga.VGA_COLUMNS + column
    crtc(vga.CRTC_CURSOR_HIGH, (cell >> 8) & 0xff)
    crtc(vga.CRTC_CURSOR_LOW, cell & 0xff)
  }

  const cellAt = (row: number, column: number): number => vga.VGA_TEXT_BASE + row * ROW_BYTES + column * 2

  function blankRow(row: number, attribute: number): void {
    const cells = new Uint8Array(ROW_BYTES)
    for (let i = 0; i < ROW_BYTES; i += 2) {
      cells[i] = 0x20
      cells[i + 1] = attribute
    }
    mem.copyIn(cellAt(row, 0), cells)
  }

  function lineFeed(row: number, column: number): void {
    if (row + 1 < vga.VGA_ROWS) {
      setCursor(row + 1, column)
      return
    }
    const attribute = mem.read8(cellAt(row, column) + 1)
    mem.copyIn(vga.VGA_TEXT_BASE, mem.copyOut(cellAt(1, 0), ROW_BYTES * (vga.VGA_ROWS - 1)))
    blankRow(vga.VGA_ROWS - 1, attribute)
    setCursor(vga.VGA_ROWS - 1, column)
  }

  /** One byte in teletype fashion; without an attribute the cell keeps its own. */
  function type(byte: number, attribute?: number): void {
    const { row, column } = cursor()
    if (byte === BELL) return
    if (byte === BACKSPACE) setCursor(row, Math.max(0, column - 1))
    else if (byte === CARRIAGE_RETURN) setCursor(row, 0)
    else if (byte === LINE_FEED) lineFeed(row, column)
    else {
      mem.write8(cellAt(row, column), byte)
      if (attribute !== undefined) mem.write8(cellAt(row, column) + 1, attribute)
      if (column + 1 < vga.VGA_COLUMNS) setCursor(row, column + 1)
      else lineFeed(row, 0)
    }
  }

  function showCursor(visible: boolean): void {
    const shape = visible ? CURSOR_SHAPE : CURSOR_SHAPE | (vga.CRTC_CURSOR_OFF << 8)
    mem.write16(BDA_CURSOR_SHAPE, shape)
    crtc(vga.CRTC_CURSOR_START, shape >> 8)
    crtc(vga.CRTC_CURSOR_START + 1, shape & 0xff)
  }

  return {
    teletype: (byte) => type(byte & 0xff),
    setCursor: (row, column) =>
      setCursor(Math.min(Math.max(row, 0), vga.VGA_ROWS - 1), Math.min(Math.max(column, 0), vga.VGA_COLUMNS - 1)),
    cursor,
    putChar(byte, attribute) {
      const { row, column } = cursor()
      mem.write8(cellAt(row, column), byte)
      mem.write8(cellAt(row, column) + 1, attribute)
    },
    showCursor,
    clearScreen() {
      crtc(vga.CRTC_START_HIGH, 0)
      crtc(vga.CRTC_START_LOW, 0)
      for (let row = 0; row < vga.VGA_ROWS; row++) blankRow(row, vga.VGA_ATTRIBUTE_DEFAULT)
      setCursor(0, 0)
    },
    print(text, attribute = vga.VGA_ATTRIBUTE_DEFAULT) {
      for (let i = 0; i < text.length; i++) {
        const byte = text.charCodeAt(i)
        if (byte === LINE_FEED) type(CARRIAGE_RETURN)
        type(byte, attribute)
      }
    },
  }
}
