/** reboot's commands (Linux: reboot.h). */
export const LINUX_REBOOT_CMD_RESTART = 0x01234567
export const LINUX_REBOOT_CMD_HALT = 0xcdef0123
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc
/** Ctrl-Alt-Del restarts at once, or signals init. */
export const LINUX_REBOOT_CMD_CAD_ON = 0x89abcdef
export const LINUX_REBOOT_CMD_CAD_OFF = 0
