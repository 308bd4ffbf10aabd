/** The two 8259A interrupt controllers. */
export const PIC1_CMD = 0x20
export const PIC1_DATA = 0x21
export const PIC2_CMD = 0xa0
export const PIC2_DATA = 0xa1
