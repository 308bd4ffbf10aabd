/** xen/drivers/video/vga.c: the text console on the monitor. */
import type { Mem } from '#abi/mem.ts'
import type { PortIo } from '#abi/pc/metal.ts'
import {
  CRTC_CURSOR_OFF,
  CRTC_CURSOR_START,
  VGA_ATTRIBUTE_DEFAULT,
  VGA_CRTC_INDEX,
  VGA_TEXT_BASE,
} from '#abi/pc/vga.ts'

/** What the BIOS's mode is, as the trampoline asks it; dom0 gets it too (dom0_vga_console_info). */
export interface VgaMode {
  readonly columns: number
  readonly rows: number
  readonly fontHeight: number
  readonly cursorX: number
  readonly cursorY: number
}

export class Vga {
  /** Undefined: no VGA, or not in text mode 3. */
  mode: VgaMode | undefined
  /** vga=...,keep */
  keep = false
  /** Whether text goes to the screen. */
  active = false
  #x = 0
  #y = 0

  init(mem: Mem, io: PortIo): void {
    if (!this.mode) return
    io.out16(VGA_CRTC_INDEX, (CRTC_CURSOR_OFF << 8) | CRTC_CURSOR_START)
    mem.fill(VGA_TEXT_BASE, this.mode.columns * this.mode.rows * 2, 0)
    this.active = true
  }

  puts(mem: Mem, text: string): void {
    if (!this.active || !this.mode) return
    const { columns, rows } = this.mode
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i) & 0xff
      if (byte === 10 || this.#x >= columns) {
        if (++this.#y >= rows) {
          this.#y = rows - 1
          const line = 2 * columns
          mem.copyIn(VGA_TEXT_BASE, mem.copyOut(VGA_TEXT_BASE + line, this.#y * line))
          mem.fill(VGA_TEXT_BASE + this.#y * line, line, 0)
        }
        this.#x = 0
      }
      if (byte !== 10) {
        const cell = VGA_TEXT_BASE + (this.#x + this.#y * columns) * 2
        mem.write8(cell, byte)
        mem.write8(cell + 1, VGA_ATTRIBUTE_DEFAULT)
        this.#x++
      }
    }
  }
}
