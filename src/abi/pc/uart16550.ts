/** The 16550 UART (National Semiconductor PC16550D), offsets from its base port. */
export const COM1_BASE = 0x3f8
export const COM1_IRQ = 4
export const COM2_BASE = 0x2f8
export const COM2_IRQ = 3
/** Divisor 1 means this many bits a second. */
export const UART_CLOCK_BAUD = 115200

export const UART_RBR = 0 // read, DLAB=0
export const UART_THR = 0 // write, DLAB=0
export const UART_DLL = 0 // DLAB=1
export const UART_IER = 1 // DLAB=0
export const UART_DLM = 1 // DLAB=1
export const UART_IIR = 2 // read
export const UART_FCR = 2 // write
export const UART_LCR = 3
export const UART_MCR = 4
export const UART_LSR = 5
export const UART_MSR = 6
export const UART_SCR = 7

export const UART_IER_ERDAI = 0x01
export const UART_IER_ETHREI = 0x02
export const UART_IER_ELSI = 0x04
export const UART_IER_EMSI = 0x08

export const UART_IIR_NOINT = 0x01
export const UART_IIR_THR = 0x02
export const UART_IIR_RDA = 0x04
export const UART_IIR_LSI = 0x06
export const UART_IIR_CTI = 0x0c
export const UART_IIR_FIFO = 0xc0

export const UART_FCR_ENABLE = 0x01
export const UART_FCR_CLRX = 0x02
export const UART_FCR_CLTX = 0x04
/** Receive trigger level, bits 6-7: 1, 4, 8, 14 bytes. */
export const UART_FCR_TRG14 = 0xc0

export const UART_LCR_DLAB = 0x80
export const UART_LCR_8N1 = 0x03

export const UART_MCR_DTR = 0x01
export const UART_MCR_RTS = 0x02
export const UART_MCR_OUT2 = 0x08

export const UART_LSR_DR = 0x01
export const UART_LSR_OE = 0x02
export const UART_LSR_THRE = 0x20
export const UART_LSR_TEMT = 0x40

export const UART_FIFO_BYTES = 16

/** Modem status changed: the lowest priority, code 0. */
export const UART_IIR_MSI = 0x00
/** Loopback: the transmitter feeds the receiver, the outputs the modem inputs. */
export const UART_MCR_LOOP = 0x10
/** Overrun, parity, framing, break: cleared by reading the register. */
export const UART_LSR_ERRORS = 0x1e
export const UART_MSR_DELTAS = 0x0f
export const UART_MSR_CTS = 0x10
export const UART_MSR_DSR = 0x20
export const UART_MSR_DCD = 0x80
