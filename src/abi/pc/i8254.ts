/** The 8254 interval timer. */
export const PIT_HZ = 1193182
export const PIT_CH0 = 0x40
export const PIT_CH2 = 0x42
export const PIT_MODE = 0x43
/** Port B of the chipset: bit 0 gates channel 2, bit 5 reads its output. */
export const PORT_B = 0x61
export const PIT_IRQ = 0
/** Port B's bits: gate and output of channel 2, the speaker's data bit, the refresh toggle. */
export const PORT_B_GATE2 = 0x01
export const PORT_B_SPEAKER = 0x02
export const PORT_B_REFRESH = 0x10
export const PORT_B_OUT2 = 0x20
