/** VGA text mode 3: 80 x 25 cells of (character CP437, attribute) at 0xB8000. */
export const VGA_TEXT_BASE = 0xb8000
export const VGA_TEXT_BYTES = 0x8000
export const VGA_COLUMNS = 80
export const VGA_ROWS = 25
export const VGA_ATTRIBUTE_DEFAULT = 0x07
export const VGA_CRTC_INDEX = 0x3d4
export const VGA_CRTC_DATA = 0x3d5
export const CRTC_CURSOR_START = 0x0a
/** Bit 5 of CRTC_CURSOR_START hides the cursor. */
export const CRTC_CURSOR_OFF = 0x20
export const CRTC_START_HIGH = 0x0c
export const CRTC_START_LOW = 0x0d
export const CRTC_CURSOR_HIGH = 0x0e
export const CRTC_CURSOR_LOW = 0x0f
