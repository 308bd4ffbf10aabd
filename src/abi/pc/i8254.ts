/** The 8254 interval timer. */
export const PIT_HZ = 1193182
export const PIT_CH0 = 0x40
export const PIT_CH2 = 0x42
export const PIT_MODE = 0x43
/** Port B of the chipset: bit 0 gates channel 2, bit 5 reads its output. */
export const PORT_B = 0x61
export const PIT_IRQ = 0
