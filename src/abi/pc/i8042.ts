/** The keyboard controller. Scan codes are set 1 (the controller translates), as the BIOS leaves it. */
export const I8042_DATA = 0x60
export const I8042_STATUS = 0x64
export const I8042_COMMAND = 0x64
export const I8042_STATUS_OBF = 0x01
export const I8042_STATUS_IBF = 0x02
/** Pulse the CPU's reset line. */
export const I8042_CMD_RESET = 0xfe
export const KEYBOARD_IRQ = 1
/** Status: self test passed, last write was a command, keyboard not locked. */
export const I8042_STATUS_SYSTEM = 0x04
export const I8042_STATUS_COMMAND = 0x08
export const I8042_STATUS_UNLOCKED = 0x10
/** Commands to port 0x64. */
export const I8042_CMD_READ_CONFIG = 0x20
export const I8042_CMD_WRITE_CONFIG = 0x60
export const I8042_CMD_SELF_TEST = 0xaa
export const I8042_CMD_INTERFACE_TEST = 0xab
export const I8042_CMD_DISABLE_KEYBOARD = 0xad
export const I8042_CMD_ENABLE_KEYBOARD = 0xae
export const I8042_CMD_READ_OUTPUT = 0xd0
export const I8042_CMD_WRITE_OUTPUT = 0xd1
export const I8042_SELF_TEST_OK = 0x55
/** The controller's configuration byte. */
export const I8042_CONFIG_IRQ = 0x01
export const I8042_CONFIG_SYSTEM = 0x04
export const I8042_CONFIG_DISABLED = 0x10
export const I8042_CONFIG_TRANSLATE = 0x40
/** Its output port. */
export const I8042_OUTPUT_RUN = 0x01
export const I8042_OUTPUT_A20 = 0x02
/** What a keyboard says. */
export const KEYBOARD_ACK = 0xfa
export const KEYBOARD_RESEND = 0xfe
export const KEYBOARD_BAT_OK = 0xaa
export const KEYBOARD_OVERRUN = 0xff
