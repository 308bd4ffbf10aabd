/** The VGA's text screen (Linux 2.6.18: drivers/video/console/vgacon.c), as dom0's start_info describes it: its memory, its cursor, its origin. */
import {
  CRTC_CURSOR_HIGH,
  CRTC_CURSOR_LOW,
  CRTC_CURSOR_OFF,
  CRTC_CURSOR_START,
  CRTC_START_HIGH,
  CRTC_START_LOW,
  VGA_CRTC_DATA,
  VGA_CRTC_INDEX,
  VGA_TEXT_BASE,
  VGA_TEXT_BYTES,
} from '#abi/pc/vga.ts'
import { PAGE_SIZE, type Vaddr } from '#abi/xen/types.ts'
import {
  __HYPERVISOR_update_va_mapping,
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PCD,
  _PAGE_PRESENT,
  _PAGE_RW,
  dom0_vga_console_info,
  start_info,
  UVMF_INVLPG,
  XEN_VGATYPE_TEXT_MODE_3,
} from '#abi/xen/xen.ts'
import type { Kernel } from '../../kernel.ts'
import type { Terminal } from './terminal.ts'

/** The fixmap's pages for the ISA hole, FIX_ISAMAP; 0xa0000 is the first of them: 0xffffffffff400000. */
const FIX_ISAMAP: Vaddr = -0xc00000
const ISA_START = 0xa0000
const VGA_VA: Vaddr = FIX_ISAMAP + (VGA_TEXT_BASE - ISA_START)
const VGA_CELLS = VGA_TEXT_BYTES / 2
const PAGE_KERNEL_NOCACHE = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_PCD

/** Scan lines of the cursor in a cell of 16: from, to. By CSI ? n c: underline, a third, a half, two thirds, block. */
const CURSOR_LINES: readonly (readonly [number, number])[] = [
  [13, 14],
  [0, 0],
  [13, 14],
  [11, 14],
  [8, 14],
  [5, 14],
  [1, 14],
]
const CRTC_CURSOR_END = 0x0b
const CUR_NONE = 1

export interface ScreenInfo {
  readonly columns: number
  readonly rows: number
  readonly x: number
  readonly y: number
}

/** What Xen tells dom0 of the screen; undefined: there is none, or it shows graphics. */
export function screenInfo({ mem, startInfo, dom0 }: Kernel): ScreenInfo | undefined {
  if (!dom0) return undefined
  const { console_info_off, console_info_size } = start_info.fields
  const at = startInfo + console_info_off.get(mem, startInfo)
  if (console_info_size.get(mem, startInfo) < 14) return undefined
  const { video_type, cursor_x, cursor_y, rows, columns } = dom0_vga_console_info.fields
  if (video_type.get(mem, at) !== XEN_VGATYPE_TEXT_MODE_3) return undefined
  const info = {
    columns: columns.get(mem, at),
    rows: rows.get(mem, at),
    x: cursor_x.get(mem, at),
    y: cursor_y.get(mem, at),
  }
  return info.columns > 0 && info.rows > 0 && info.columns * info.rows <= VGA_CELLS ? info : undefined
}

/** Map the screen's memory. False: the hypervisor refuses. */
export function mapScreen({ vcpu }: Kernel): boolean {
  for (let at = 0; at < VGA_TEXT_BYTES; at += PAGE_SIZE) {
    const entry = VGA_TEXT_BASE + at + PAGE_KERNEL_NOCACHE
    if (vcpu.hypercall(__HYPERVISOR_update_va_mapping, VGA_VA + at, entry, UVMF_INVLPG) !== 0) return false
  }
  return true
}

export class VgaScreen {
  readonly #kernel: Kernel
  readonly columns: number
  readonly rows: number
  /** First cell that is shown. */
  #origin = 0
  #cursor = -1
  #shape = -1

  constructor(kernel: Kernel, { columns, rows }: ScreenInfo) {
    this.#kernel = kernel
    this.columns = columns
    this.rows = rows
    this.#origin = (this.#readCrtc(CRTC_START_HIGH) << 8) | this.#readCrtc(CRTC_START_LOW)
    if (this.#origin + columns * rows > VGA_CELLS) this.#origin = 0
  }

  /** What stands on it goes into `terminal`: somebody else has written it. */
  takeOver(terminal: Terminal): void {
    const bytes = this.#kernel.mem.copyOut(VGA_VA + this.#origin * 2, terminal.cells.length * 2)
    for (let i = 0; i < terminal.cells.length; i++) terminal.cells[i] = bytes[2 * i]! | (bytes[2 * i + 1]! << 8)
    terminal.dirty.fill(0)
    terminal.scrolled = 0
  }

  /** Another terminal comes to the front. */
  redraw(terminal: Terminal): void {
    terminal.dirty.fill(1)
    terminal.scrolled = 0
    this.#setOrigin(0)
    this.show(terminal)
  }

  /** What has changed since the last time. */
  show(terminal: Terminal): void {
    const { columns, rows } = this
    const { dirty } = terminal
    if (terminal.scrolled > 0) {
      const next = this.#origin + terminal.scrolled * columns
      terminal.scrolled = 0
      if (next + columns * rows > VGA_CELLS) {
        dirty.fill(1)
        this.#setOrigin(0)
      } else this.#setOrigin(next)
    }
    const { cells } = terminal
    for (let from = 0; from < rows; from++) {
      if (!dirty[from]) continue
      let to = from
      while (to < rows && dirty[to]) dirty[to++] = 0
      const bytes = new Uint8Array(cells.buffer, from * columns * 2, (to - from) * columns * 2)
      this.#kernel.mem.copyIn(VGA_VA + (this.#origin + from * columns) * 2, bytes)
      from = to
    }
    this.#showCursor(terminal)
  }

  #showCursor(terminal: Terminal): void {
    const type = terminal.cursorType & 0x0f
    const shape = terminal.cursorVisible && type !== CUR_NONE ? Math.min(type, CURSOR_LINES.length - 1) : CUR_NONE
    if (shape !== this.#shape) {
      this.#shape = shape
      const [start, end] = CURSOR_LINES[shape]!
      this.#crtc(CRTC_CURSOR_START, shape === CUR_NONE ? start | CRTC_CURSOR_OFF : start)
      this.#crtc(CRTC_CURSOR_END, end)
    }
    const cursor = this.#origin + terminal.y * this.columns + terminal.x
    if (cursor === this.#cursor) return
    if (cursor >> 8 !== this.#cursor >> 8) this.#crtc(CRTC_CURSOR_HIGH, cursor >> 8)
    this.#crtc(CRTC_CURSOR_LOW, cursor & 255)
    this.#cursor = cursor
  }

  #setOrigin(origin: number): void {
    if (origin === this.#origin) return
    this.#origin = origin
    this.#crtc(CRTC_START_HIGH, origin >> 8)
    this.#crtc(CRTC_START_LOW, origin & 255)
  }

  #crtc(register: number, value: number): void {
    const { io } = this.#kernel.vcpu
    io.out8(VGA_CRTC_INDEX, register)
    io.out8(VGA_CRTC_DATA, value)
  }

  #readCrtc(register: number): number {
    const { io } = this.#kernel.vcpu
    io.out8(VGA_CRTC_INDEX, register)
    return io.in8(VGA_CRTC_DATA)
  }
}
