/** The random number generator in Intel's 82802 firmware hub (FWH): three byte registers beside the flash, at the top of memory. */
export const FWH_RNG_BASE = 0xffbc0000
/** Bit 0 turns the generator on; bit 6 says that there is one. */
export const FWH_RNG_HARDWARE_STATUS = 0x15f
export const FWH_RNG_ENABLED = 0x01
export const FWH_RNG_PRESENT = 0x40
/** Bit 0: a byte is ready. */
export const FWH_RNG_STATUS = 0x160
export const FWH_RNG_DATA_READY = 0x01
/** Reading takes the byte. */
export const FWH_RNG_DATA = 0x161
