/** xen/common/rangeset.c: sets of numbers as ranges: which ports, frames and interrupts a domain may touch. */
import { hex } from './lib.ts'

interface Range {
  readonly from: number
  readonly to: number
}

/** ~0ul. */
export const RANGE_MAX = Number.MAX_SAFE_INTEGER

const NOTHING: Range = { from: 1, to: 0 }

export class Rangeset {
  readonly name: string
  readonly #hexadecimal: boolean
  /** Ascending, none touches the next. Ends are inclusive. */
  #ranges: Range[] = []
  /** Where the last question was answered: who asks keeps to one range for a while. */
  #last: Range = NOTHING

  constructor(name: string, hexadecimal: boolean) {
    this.name = name
    this.#hexadecimal = hexadecimal
  }

  get empty(): boolean {
    return this.#ranges.length === 0
  }

  add(from: number, to: number): void {
    const before = this.#ranges.filter((range) => range.to < from - 1)
    const after = this.#ranges.filter((range) => range.from > to + 1)
    const touched = this.#ranges.filter((range) => range.to >= from - 1 && range.from <= to + 1)
    const merged = {
      from: Math.min(from, touched[0]?.from ?? from),
      to: Math.max(to, touched.at(-1)?.to ?? to),
    }
    this.#ranges = [...before, merged, ...after]
    this.#last = NOTHING
  }

  remove(from: number, to: number): void {
    this.#last = NOTHING
    this.#ranges = this.#ranges.flatMap((range) => {
      if (range.to < from || range.from > to) return [range]
      return [
        { from: range.from, to: from - 1 },
        { from: to + 1, to: range.to },
      ].filter((part) => part.from <= part.to)
    })
  }

  /** Whether all of [from, to] is in it. */
  contains(from: number, to: number): boolean {
    if (this.#last.from <= from && to <= this.#last.to) return true
    const found = this.#ranges.find((range) => range.from <= from && to <= range.to)
    if (found) this.#last = found
    return found !== undefined
  }

  /** `{ 0-1f, 22-3f }` */
  text(): string {
    const number = (value: number): string => {
      if (!this.#hexadecimal) return String(value)
      return value === RANGE_MAX ? 'ffffffffffffffff' : hex(value)
    }
    const parts = this.#ranges.map(({ from, to }) => (from === to ? number(from) : `${number(from)}-${number(to)}`))
    return parts.length === 0 ? '{ }' : `{ ${parts.join(', ')} }`
  }
}
