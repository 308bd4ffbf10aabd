/** ATA-6 command block and the PCI IDE bus master (SFF-8038i rev 1.0), in legacy mode. */
export const IDE1_BASE = 0x1f0
export const IDE1_CONTROL = 0x3f6
export const IDE1_IRQ = 14
export const IDE2_BASE = 0x170
export const IDE2_CONTROL = 0x376
export const IDE2_IRQ = 15

/** Offsets in the command block. */
export const ATA_DATA = 0
export const ATA_ERROR = 1 // read
export const ATA_FEATURES = 1 // write
export const ATA_COUNT = 2
export const ATA_LBA_LOW = 3
export const ATA_LBA_MID = 4
export const ATA_LBA_HIGH = 5
export const ATA_DEVICE = 6
export const ATA_STATUS = 7 // read
export const ATA_COMMAND = 7 // write

export const ATA_STATUS_BSY = 0x80
export const ATA_STATUS_DRDY = 0x40
export const ATA_STATUS_DSC = 0x10
export const ATA_STATUS_DRQ = 0x08
export const ATA_STATUS_ERR = 0x01
export const ATA_ERROR_ABORTED = 0x04
export const ATA_ERROR_ID_NOT_FOUND = 0x10
export const ATA_DEVICE_LBA = 0x40
export const ATA_DEVICE_SLAVE = 0x10
export const ATA_CONTROL_NIEN = 0x02
export const ATA_CONTROL_SRST = 0x04

export const ATA_CMD_RECALIBRATE = 0x10
export const ATA_CMD_READ_SECTORS = 0x20
export const ATA_CMD_READ_SECTORS_EXT = 0x24
export const ATA_CMD_READ_DMA_EXT = 0x25
export const ATA_CMD_READ_NATIVE_MAX_EXT = 0x27
export const ATA_CMD_WRITE_SECTORS = 0x30
export const ATA_CMD_WRITE_SECTORS_EXT = 0x34
export const ATA_CMD_WRITE_DMA_EXT = 0x35
export const ATA_CMD_VERIFY = 0x40
export const ATA_CMD_VERIFY_EXT = 0x42
export const ATA_CMD_SEEK = 0x70
export const ATA_CMD_DIAGNOSTIC = 0x90
export const ATA_CMD_INIT_PARAMETERS = 0x91
export const ATA_CMD_READ_DMA = 0xc8
export const ATA_CMD_WRITE_DMA = 0xca
export const ATA_CMD_STANDBY_NOW = 0xe0
export const ATA_CMD_IDLE_NOW = 0xe1
export const ATA_CMD_CHECK_POWER = 0xe5
export const ATA_CMD_FLUSH = 0xe7
export const ATA_CMD_FLUSH_EXT = 0xea
export const ATA_CMD_IDENTIFY = 0xec
export const ATA_CMD_SET_FEATURES = 0xef
export const ATA_CMD_READ_NATIVE_MAX = 0xf8

/** Bus master registers, offsets in BAR4 of a channel's eight ports. */
export const BM_COMMAND = 0
export const BM_STATUS = 2
export const BM_PRD_TABLE = 4
export const BM_COMMAND_START = 0x01
/** Towards memory, that is, reading the disk. */
export const BM_COMMAND_TO_MEMORY = 0x08
export const BM_STATUS_ACTIVE = 0x01
export const BM_STATUS_ERROR = 0x02
export const BM_STATUS_INTERRUPT = 0x04
/** A physical region descriptor: u32 address, u16 bytes (0: 64 KiB), u16 flags. No region crosses 64 KiB. */
export const PRD_BYTES = 8
export const PRD_END = 0x8000
