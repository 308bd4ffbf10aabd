/**
 * xen/drivers/char/serial.c: serial ports as byte streams with handles. A handle names a port and which half of the byte space it owns.
 *
 * Where the real code spins on a full transmitter inside printk, this one leaves the bytes in the port's buffer and says so by
 * `spinNs`: the processor then does nothing else until they are out (arch-x86/pcpu.ts), which takes the same time on the line.
 */
import type { Ns16550 } from './ns16550.ts'

export const SERHND_IDX = 1 << 0
/** Newlines get a carriage return. */
export const SERHND_COOKED = 1 << 1
/** Only bytes with bit 7 set, or clear, are this handle's. */
export const SERHND_HI = 1 << 2
export const SERHND_LO = 1 << 3
export const NO_HANDLE = -1

export const SERIAL_RX_BYTES = 32
export const SERIAL_TX_BYTES_DEFAULT = 16384
export const SERIAL_TX_BYTES_MIN = 512

export type SerialRx = (byte: number) => void

/** Bytes in order, oldest first. */
class ByteQueue {
  #bytes: number[] = []
  #head = 0

  get length(): number {
    return this.#bytes.length - this.#head
  }

  push(byte: number): void {
    this.#bytes.push(byte)
  }

  shift(): number | undefined {
    const byte = this.#bytes[this.#head]
    if (byte === undefined) return undefined
    this.#head++
    if (this.#head === this.#bytes.length) {
      this.#bytes = []
      this.#head = 0
    } else if (this.#head >= 4096) {
      this.#bytes = this.#bytes.slice(this.#head)
      this.#head = 0
    }
    return byte
  }
}

interface SerialPort {
  uart: Ns16550 | undefined
  /** From serial_init_postirq on: the transmitter runs by interrupts. */
  asynchronous: boolean
  sync: number
  logEverything: number
  /** The buffer ran full and bytes are being dropped until it is half empty. */
  quench: boolean
  /** A guest has written: it goes on when half of the buffer is free. */
  guestWaits: boolean
  readonly tx: ByteQueue
  readonly rxBuffer: ByteQueue
  rx: SerialRx | undefined
  rxHi: SerialRx | undefined
  rxLo: SerialRx | undefined
}

const makePort = (): SerialPort => ({
  uart: undefined,
  asynchronous: false,
  sync: 0,
  logEverything: 0,
  quench: false,
  guestWaits: false,
  tx: new ByteQueue(),
  rxBuffer: new ByteQueue(),
  rx: undefined,
  rxHi: undefined,
  rxLo: undefined,
})

/** `com1`, `com2`, with H or L. Undefined: `ERROR: bad serial-interface specification`. */
export function parseSerialHandle(conf: string): number | undefined {
  if (conf === 'none') return NO_HANDLE
  const match = /^com([12])([HL])?/.exec(conf)
  if (!match) return undefined
  const half = match[2] === 'H' ? SERHND_HI : match[2] === 'L' ? SERHND_LO : 0
  return Number(match[1]) - 1 + half + SERHND_COOKED
}

export class Serial {
  readonly ports: readonly [SerialPort, SerialPort] = [makePort(), makePort()]
  txBytes = SERIAL_TX_BYTES_DEFAULT

  #port(handle: number): SerialPort | undefined {
    if (handle === NO_HANDLE) return undefined
    const port = this.ports[(handle & SERHND_IDX) === 0 ? 0 : 1]
    return port.uart ? port : undefined
  }

  register(index: 0 | 1, uart: Ns16550): void {
    this.ports[index].uart = uart
  }

  initPreIrq(): void {
    for (const { uart } of this.ports) uart?.initPreIrq()
  }

  /** IRQ of port `index`; undefined when it has none. */
  irq(index: 0 | 1): number | undefined {
    const irq = this.ports[index].uart?.config.irq
    return irq !== undefined && irq > 0 ? irq : undefined
  }

  setRxHandler(handle: number, rx: SerialRx): void {
    if (handle === NO_HANDLE) return
    const port = this.ports[(handle & SERHND_IDX) === 0 ? 0 : 1]
    if (handle & SERHND_LO) port.rxLo = rx
    else if (handle & SERHND_HI) port.rxHi = rx
    else port.rx = rx
  }

  puts(handle: number, text: string): void {
    const port = this.#port(handle)
    if (!port) return
    const high = handle & SERHND_HI ? 0x80 : 0
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i) & 0xff
      if (byte === 10 && handle & SERHND_COOKED) this.#putByte(port, 13 | high)
      this.#putByte(port, handle & SERHND_LO ? byte & 0x7f : byte | high)
    }
  }

  #putByte(port: SerialPort, byte: number): void {
    const { tx } = port
    if (port.asynchronous && port.sync === 0) {
      if (port.quench) {
        if (tx.length > this.txBytes / 2) return
        port.quench = false
      }
      if (tx.length >= this.txBytes && port.logEverything === 0) {
        port.quench = true
        return
      }
    }
    if (tx.length === 0 && port.uart!.txEmpty()) port.uart!.putByte(byte)
    else tx.push(byte)
  }

  /** Feed an empty transmitter. */
  transmit(port: SerialPort): void {
    const uart = port.uart!
    if (port.tx.length === 0 || !uart.txEmpty()) return
    for (let i = 0; i < uart.txFifoBytes; i++) {
      const byte = port.tx.shift()
      if (byte === undefined) break
      uart.putByte(byte)
    }
  }

  /**
   * How long the processor that wrote last must still spin, in ns; undefined when nothing holds it. Sends what the transmitters take. A
   * synchronous port holds it until the last byte is in the shift register.
   */
  spinNs(): number | undefined {
    let spin: number | undefined
    for (const port of this.ports) {
      const { uart, tx } = port
      if (!uart) continue
      const asynchronous = port.asynchronous && port.sync === 0
      const mayStay = asynchronous ? (port.guestWaits ? this.txBytes / 2 : this.txBytes) : 0
      if (tx.length > mayStay) {
        this.transmit(port)
        if (tx.length > mayStay) {
          spin = Math.max(spin ?? 0, uart.characterNs() * uart.txFifoBytes)
          continue
        }
      }
      port.guestWaits = false
      if (!asynchronous && !uart.txEmpty()) spin = Math.max(spin ?? 0, uart.characterNs())
    }
    return spin
  }

  /** A guest's text: never dropped, it waits until half of the buffer is free. */
  guestPuts(handle: number, text: string): void {
    const port = this.#port(handle)
    if (!port) return
    port.guestWaits = true
    port.quench = false
    port.logEverything++
    this.puts(handle, text)
    port.logEverything--
  }

  /** The UART's interrupt: send and receive until it is content. */
  interrupt(index: number): void {
    const port = this.ports[index === 0 ? 0 : 1]
    const { uart } = port
    if (!uart) return
    for (let i = 0; i < SERVICE_MAX && uart.interruptPending(); i++) {
      this.transmit(port)
      this.receive(port)
    }
  }

  /** One byte in, if there is one: to the handler that owns it, else into the buffer. */
  receive(port: SerialPort): boolean {
    const byte = port.uart!.getByte()
    if (byte === undefined) return false
    const handler = port.rx ?? (byte & 0x80 ? port.rxHi : port.rxLo)
    if (handler) handler(byte & 0x7f)
    else if (port.rxBuffer.length < SERIAL_RX_BYTES) port.rxBuffer.push(byte)
    return true
  }

  /** A UART without interrupt: look at it. */
  poll(index: number): void {
    const port = this.ports[index === 0 ? 0 : 1]
    if (!port.uart) return
    for (let i = 0; i < SERVICE_MAX && this.receive(port); i++);
    this.transmit(port)
  }

  startSync(handle: number): void {
    const port = this.#port(handle)
    if (port) port.sync++
  }

  endSync(handle: number): void {
    const port = this.#port(handle)
    if (port) port.sync--
  }

  startLogEverything(handle: number): void {
    const port = this.#port(handle)
    if (!port) return
    port.logEverything++
    port.quench = false
  }

  endLogEverything(handle: number): void {
    const port = this.#port(handle)
    if (port) port.logEverything--
  }
}

/** An interrupt line stuck at a broken chip must not hang the host. */
const SERVICE_MAX = 1024
