/** The keyboard controller. Scan codes are set 1 (the controller translates), as the BIOS leaves it. */
export const I8042_DATA = 0x60
export const I8042_STATUS = 0x64
export const I8042_COMMAND = 0x64
export const I8042_STATUS_OBF = 0x01
export const I8042_STATUS_IBF = 0x02
/** Pulse the CPU's reset line. */
export const I8042_CMD_RESET = 0xfe
export const KEYBOARD_IRQ = 1
