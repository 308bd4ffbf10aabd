/**
 * Fuel (design D5): what bounds the time of images. One cell per world; the world fills it before it runs any image code and
 * reads afterwards what was used.
 */

/** What `$x` throws. Only this file makes one, and no image ever holds one: every catch clause rethrows it. */
export class FuelExhausted extends Error {
  readonly #mark = true
  constructor() {
    super('fuel exhausted')
  }
  static is(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #mark in value && value.#mark
  }
}

export interface Fuel {
  /** [0] what is left; below zero: used up. [1] what should be left when the time slice ends, 0 for no slice. */
  readonly cell: Int32Array
  /** Fill up, and start counting what is used. `sliceEnd`: preemptible generators yield once less than this is left. */
  refill(units: number, sliceEnd?: number): void
  /** Since the last refill. */
  used(): number
  exhausted(): boolean
  /** Use up what is left, so that the running code comes back at once; `used` does not count it. */
  drain(): void
  /** The first trap since the refill: where the fuel ran out. */
  trapped(): unknown
  /** Throws if the code that just came back had used up its fuel and kept the trap to itself (`finally { return }`). */
  check(): void
  /** `$x`. */
  readonly trap: () => undefined
  /** `$k`. */
  readonly guard: (caught: unknown) => void
}

export const FUEL_MAX = 0x7fffffff

const RangeErrorPrototype = RangeError.prototype
const { getOwnPropertyDescriptor, getPrototypeOf } = Reflect

/** The engine ran out of stack: V8 throws a RangeError, SpiderMonkey an InternalError. An image that forges one only harms itself. */
export function isStackOverflow(caught: unknown): boolean {
  if (typeof caught !== 'object' || caught === null) return false
  const message: unknown = getOwnPropertyDescriptor(caught, 'message')?.value
  if (getPrototypeOf(caught) === RangeErrorPrototype) return message === 'Maximum call stack size exceeded'
  return message === 'too much recursion'
}

export function createFuel(): Fuel {
  const cell = new Int32Array(2)
  let filled = 0
  let trapped: FuelExhausted | undefined

  const exhaust = (): never => {
    cell[0] = -1 // so that a count which goes on in `finally` clauses never wraps around
    trapped ??= new FuelExhausted()
    throw trapped
  }
  return {
    cell,
    refill(units, sliceEnd = 0) {
      filled = Math.min(Math.max(units, 0), FUEL_MAX)
      cell[0] = filled
      cell[1] = Math.max(sliceEnd, 0)
      trapped = undefined
    },
    used: () => filled - Math.max(cell[0]!, 0),
    exhausted: () => cell[0]! < 0,
    drain() {
      filled -= Math.max(cell[0]!, 0)
      cell[0] = -1
    },
    trapped: () => trapped,
    check() {
      if (cell[0]! < 0) exhaust()
    },
    trap() {
      if (cell[0]! < 0) exhaust()
      return undefined
    },
    guard(caught) {
      if (cell[0]! < 0) exhaust()
      if (FuelExhausted.is(caught) || isStackOverflow(caught)) throw caught
    },
  }
}
