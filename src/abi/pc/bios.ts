/**
 * BIOS services in real mode, as functions. Numbers and results are those of the interrupts named; a call takes the virtual
 * time that the hardware takes.
 */

/** AH of INT 13h: 0 is success. */
export const BIOS_DISK_OK = 0x00
export const BIOS_DISK_BAD_COMMAND = 0x01
export const BIOS_DISK_NOT_READY = 0xaa
export const BIOS_DISK_SECTOR_NOT_FOUND = 0x04
export const BIOS_DISK_TIMEOUT = 0x80

export const SECTOR_BYTES = 512

export interface DriveParameters {
  /** 512-byte sectors in all. */
  readonly sectors: number
  readonly cylinders: number
  readonly heads: number
  readonly sectorsPerTrack: number
}

export interface E820Entry {
  readonly base: number
  readonly length: number
  /** E820_RAM and so on, abi/pc/e820.ts. */
  readonly type: number
}

export interface Bios {
  /** INT 10h AH=0Eh: teletype output of one byte (CP437) at the cursor. */
  teletype(byte: number): void
  /** INT 10h AH=02h: move the cursor; row and column from 0. */
  setCursor(row: number, column: number): void
  /** INT 10h AH=03h. */
  cursor(): { readonly row: number; readonly column: number }
  /** INT 10h AH=09h at the cursor: one character with attribute; the cursor stays. */
  putChar(byte: number, attribute: number): void
  /** INT 10h AH=01h: false hides the cursor. */
  showCursor(visible: boolean): void
  /** INT 10h AX=0600h: clear the screen to light grey on black; cursor to 0,0. */
  clearScreen(): void
  /** INT 16h AH=01h and AH=00h: the next key as (scan code << 8 | ASCII), taken out of the buffer; undefined when there is none. */
  readKey(): number | undefined
  /** INT 16h AH=02h: bit 0 right shift, 1 left shift, 2 control, 3 alt. */
  shiftFlags(): number
  /** INT 12h: KiB of conventional memory. */
  lowMemoryKib(): number
  /** INT 15h AX=E820h: the whole map. */
  memoryMap(): readonly E820Entry[]
  /** INT 13h AH=08h/48h for drive 0x80 on; undefined where there is no such drive. */
  driveParameters(drive: number): DriveParameters | undefined
  /** INT 13h AH=42h: read `count` sectors to physical address `to`. Returns AH. */
  readSectors(drive: number, lba: number, count: number, to: number): number
  /** INT 13h AH=43h. Returns AH. */
  writeSectors(drive: number, lba: number, count: number, from: number): number
  /** INT 1Ah AH=00h: 18.2 Hz ticks since midnight. */
  ticks(): number
  /** INT 19h or a cold start: reset the machine. */
  reboot(): void
  /** APM power off. */
  powerOff(): void
}
