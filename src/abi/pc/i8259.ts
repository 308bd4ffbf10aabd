/** The two 8259A interrupt controllers. */
export const PIC1_CMD = 0x20
export const PIC1_DATA = 0x21
export const PIC2_CMD = 0xa0
export const PIC2_DATA = 0xa1
/** The chipset's edge/level control registers, one bit per input. */
export const ELCR1 = 0x4d0
export const ELCR2 = 0x4d1
/** The second controller hangs on this input of the first. */
export const PIC_CASCADE_IRQ = 2
/** Command port: bit 4 begins an initialization, bit 3 (without 4) is OCW3. */
export const PIC_ICW1 = 0x10
export const PIC_ICW1_ICW4 = 0x01
export const PIC_ICW1_SINGLE = 0x02
export const PIC_OCW3 = 0x08
export const PIC_ICW4_8086 = 0x01
export const PIC_ICW4_AUTO_EOI = 0x02
/** Non-specific end of interrupt. */
export const PIC_EOI = 0x20
