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
  /** What trapped has been dealt with (a guest died of it): the next trap is a new one. */
  forgive(): void
  /** Throws if the code that just came back had used up its fuel and kept the trap to itself (`finally { return }`). */
  check(): void
  /**
   * Run `body` on `units` at most, and on no more than is left but for `keep`, which the caller needs to go on. What it uses counts as used, also
   * while it runs; if it runs dry, only `body` ends: with the trap thrown here, and the caller's fuel restored. `slice`: its preemptible
   * generators yield when they have used so much; 0: never.
   */
  within<T>(units: number, keep: number, body: () => T, slice?: number): T
  /**
   * The inverse, called by code that runs in `within` and serves who was let in there (a hypercall): `body` has `units` more, so that it never
   * ends half-way because its caller has little left. What it uses is the caller's all the same, who traps at his next count if that was too much.
   */
  outside<T>(units: number, body: () => T): T
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
  let drained = false
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
      drained = false
      trapped = undefined
    },
    used: () => filled - Math.max(cell[0]!, 0),
    exhausted: () => cell[0]! < 0,
    drain() {
      filled -= Math.max(cell[0]!, 0)
      drained = true
      cell[0] = -1
    },
    trapped: () => trapped,
    forgive() {
      trapped = undefined
    },
    check() {
      if (cell[0]! < 0) exhaust()
    },
    within(units, keep, body, slice = 0) {
      const left = cell[0]!
      const sliceEnd = cell[1]!
      const granted = Math.max(Math.min(units, left - keep), 0)
      const withheld = left - granted
      filled -= withheld
      cell[0] = granted
      cell[1] = slice > 0 ? Math.max(granted - slice, 0) : 0
      try {
        const value = body()
        if (cell[0]! < 0) exhaust()
        return value
      } finally {
        // A drain inside took the caller's fuel as well, and everybody unwinds.
        if (!drained) {
          filled += withheld
          cell[0] = Math.max(cell[0]!, 0) + withheld
        }
        cell[1] = sliceEnd
      }
    },
    outside(units, body) {
      if (cell[0]! < 0) exhaust()
      filled += units
      cell[0] = cell[0]! + units
      try {
        return body()
      } finally {
        if (!drained) {
          filled -= units
          cell[0] = Math.max(cell[0]! - units, -1)
        }
      }
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
