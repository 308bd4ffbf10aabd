/** The I/O port space: rows of ports, each with the chip that answers there. */
import type { PortIo } from '#abi/pc/metal.ts'
import type { AccessBytes } from './memory.ts'

/** `count` ports from `from` on. Without `wide` the chip is eight bits wide: a larger access comes as several, the lowest first. */
export interface PortRow {
  readonly from: number
  readonly count: number
  readonly wide?: boolean
  read(offset: number, bytes: AccessBytes): number
  write(offset: number, bytes: AccessBytes, value: number): void
}

export interface PortTable {
  readonly io: PortIo
  /** RangeError where two rows want the same port. */
  add(row: PortRow): void
  remove(row: PortRow): void
}

const PORTS = 65536

export function portTable(initial: readonly PortRow[]): PortTable {
  /** Row number + 1 of each port; 0: nobody. */
  const owner = new Uint8Array(PORTS)
  const rows: PortRow[] = []

  function add(row: PortRow): void {
    for (let port = row.from; port < row.from + row.count; port++)
      if (owner[port] !== 0) throw new RangeError(`two chips at port ${port.toString(16)}`)
    let index = rows.indexOf(row)
    if (index < 0) index = rows.push(row) - 1
    owner.fill(index + 1, row.from, row.from + row.count)
  }

  function read(port: number, bytes: AccessBytes): number {
    const number = owner[port & 0xffff]!
    const row = rows[number - 1]
    if (row && (bytes === 1 || (row.wide && inside(row, port, bytes)))) return row.read(port - row.from, bytes)
    if (bytes === 1) return 0xff
    let value = 0
    // An eight-bit chip sees the lowest address first.
    for (let i = 0; i < bytes; i++) value += read((port + i) & 0xffff, 1) * 2 ** (8 * i)
    return value
  }

  function write(port: number, bytes: AccessBytes, value: number): void {
    const number = owner[port & 0xffff]!
    const row = rows[number - 1]
    if (row && (bytes === 1 || (row.wide && inside(row, port, bytes)))) row.write(port - row.from, bytes, value)
    else if (bytes > 1) for (let i = 0; i < bytes; i++) write((port + i) & 0xffff, 1, (value >>> (8 * i)) & 0xff)
  }

  for (const row of initial) add(row)
  return {
    io: {
      in8: (port) => read(port, 1),
      in16: (port) => read(port, 2),
      in32: (port) => read(port, 4),
      out8: (port, value) => write(port, 1, value & 0xff),
      out16: (port, value) => write(port, 2, value & 0xffff),
      out32: (port, value) => write(port, 4, value >>> 0),
    },
    add,
    remove(row) {
      owner.fill(0, row.from, row.from + row.count)
    },
  }
}

const inside = (row: PortRow, port: number, bytes: number): boolean => port + bytes <= row.from + row.count
