/** The BIOS data area at 0x400 (IBM PC/AT Technical Reference, BIOS listing) and the interrupt vectors below it. */
import type { Mem } from '#abi/mem.ts'
import { VGA_CRTC_INDEX } from '#abi/pc/vga.ts'
import { EBDA_BASE } from './memory-map.ts'

const BDA = 0x400
export const BDA_EBDA_SEGMENT = 0x40e
export const BDA_EQUIPMENT = 0x410
export const BDA_MEMORY_KIB = 0x413
/** Shift flags, two bytes. */
export const BDA_SHIFT_FLAGS = 0x417
/** Keyboard ring: offsets of head and tail, and the ring itself, 16 words. */
export const BDA_KEYS_HEAD = 0x41a
export const BDA_KEYS_TAIL = 0x41c
export const BDA_KEYS = 0x41e
export const BDA_KEYS_END = 0x43e
/** Cursor of page 0: column, row. */
export const BDA_CURSOR = 0x450
export const BDA_CURSOR_SHAPE = 0x460
export const BDA_TICKS = 0x46c
export const BDA_WARM_BOOT = 0x472
export const WARM_BOOT_MAGIC = 0x1234
export const BDA_DRIVES = 0x475

/** A lone IRET in the ROM, where every vector points that the firmware's own handlers do not need. */
export const DUMMY_HANDLER = 0xf000ff53
export const LOW_MEMORY_KIB = EBDA_BASE / 1024

/** An 80 x 25 colour screen at boot, an FPU; bits 9 to 11 count the serial ports. */
const EQUIPMENT = 0x0022
const EQUIPMENT_SERIAL_SHIFT = 9

/** `serialPorts`: the base addresses found. */
export function initDataArea(mem: Mem, serialPorts: readonly number[]): void {
  for (let vector = 0; vector < 256; vector++) mem.write32(vector * 4, DUMMY_HANDLER)
  mem.fill(BDA, 0x100, 0)
  for (const [i, base] of serialPorts.entries()) mem.write16(BDA + 2 * i, base)
  mem.write16(BDA_EBDA_SEGMENT, EBDA_BASE / 16)
  mem.write16(BDA_EQUIPMENT, EQUIPMENT | (serialPorts.length << EQUIPMENT_SERIAL_SHIFT))
  mem.write16(BDA_MEMORY_KIB, LOW_MEMORY_KIB)
  mem.write16(BDA_KEYS_HEAD, BDA_KEYS - BDA)
  mem.write16(BDA_KEYS_TAIL, BDA_KEYS - BDA)
  mem.write16(0x480, BDA_KEYS - BDA)
  mem.write16(0x482, BDA_KEYS_END - BDA)
  mem.write8(0x449, 3) // video mode
  mem.write16(0x44a, 80)
  mem.write16(0x44c, 0x1000) // bytes of a page
  mem.write16(0x463, VGA_CRTC_INDEX)
  mem.write8(0x484, 24) // rows - 1
  mem.write16(0x485, 16) // scan lines of a character
  mem.fill(EBDA_BASE, 1024, 0)
  mem.write8(EBDA_BASE, 1) // its size in KiB
}

/** Put a key into the ring; false where it is full (a real BIOS beeps). */
export function pushKey(mem: Mem, key: number): boolean {
  const tail = mem.read16(BDA_KEYS_TAIL)
  const next = after(tail)
  if (next === mem.read16(BDA_KEYS_HEAD)) return false
  mem.write16(BDA + tail, key)
  mem.write16(BDA_KEYS_TAIL, next)
  return true
}

export function takeKey(mem: Mem): number | undefined {
  const head = mem.read16(BDA_KEYS_HEAD)
  if (head === mem.read16(BDA_KEYS_TAIL)) return undefined
  mem.write16(BDA_KEYS_HEAD, after(head))
  return mem.read16(BDA + head)
}

/** The ring's pointers lie in memory that anybody may write: what is outside the ring goes back to its beginning. */
const after = (offset: number): number => {
  const at = BDA + offset + 2
  return at >= BDA_KEYS + 2 && at < BDA_KEYS_END ? at - BDA : BDA_KEYS - BDA
}
