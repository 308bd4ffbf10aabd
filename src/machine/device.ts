/** What every chip has in common: it knows neither its address nor the processor (style.md, "A device"). */

/** A chip with byte-wide registers. Offsets count from the chip's first register. */
export interface PortDevice {
  read(offset: number): number
  write(offset: number, value: number): void
}

/** `state` is one plain object: a snapshot or a digest is a copy of it. */
export interface Chip<State extends object> {
  readonly state: State
  /** The reset pin. What lies behind the chip (disk contents, the clock's battery) stays. */
  reset(): void
}

/** An output pin that is either high or low. */
export type Line = (high: boolean) => void
