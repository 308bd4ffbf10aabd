/** MC146818 real-time clock and CMOS RAM. */
export const RTC_INDEX = 0x70
export const RTC_DATA = 0x71
export const RTC_SECONDS = 0x00
export const RTC_MINUTES = 0x02
export const RTC_HOURS = 0x04
export const RTC_DAY_OF_MONTH = 0x07
export const RTC_MONTH = 0x08
export const RTC_YEAR = 0x09
export const RTC_REG_A = 0x0a
export const RTC_REG_B = 0x0b
export const RTC_REG_C = 0x0c
export const RTC_REG_D = 0x0d
export const RTC_CENTURY = 0x32
/** Update in progress. */
export const RTC_UIP = 0x80
/** Register B: binary instead of BCD; 24 hours. */
export const RTC_DM_BINARY = 0x04
export const RTC_24H = 0x02
export const RTC_IRQ = 8
export const RTC_SECONDS_ALARM = 0x01
export const RTC_MINUTES_ALARM = 0x03
export const RTC_HOURS_ALARM = 0x05
export const RTC_DAY_OF_WEEK = 0x06
/** In 12-hour mode, bit 7 of the hours. */
export const RTC_PM = 0x80
/** Register B: stop updates to set the time; the enables have the places of the flags. */
export const RTC_SET = 0x80
/** Register C, cleared by reading: any enabled; periodic, alarm, update ended. */
export const RTC_IRQ_FLAG = 0x80
export const RTC_PERIODIC_FLAG = 0x40
export const RTC_ALARM_FLAG = 0x20
export const RTC_UPDATE_FLAG = 0x10
/** Register D: the battery is good. */
export const RTC_VALID = 0x80
/** CMOS RAM of AT BIOSes: equipment, memory below 1 MiB and above it in KiB, the same above 16 MiB in 64 KiB, checksum. */
export const CMOS_DISK_TYPES = 0x12
export const CMOS_EQUIPMENT = 0x14
export const CMOS_BASE_MEMORY = 0x15
export const CMOS_EXTENDED_MEMORY = 0x17
export const CMOS_CHECKSUM_FROM = 0x10
export const CMOS_CHECKSUM_TO = 0x2d
export const CMOS_CHECKSUM = 0x2e
export const CMOS_EXTENDED_MEMORY_FOUND = 0x30
export const CMOS_MEMORY_ABOVE_16M = 0x34
