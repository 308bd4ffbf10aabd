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
