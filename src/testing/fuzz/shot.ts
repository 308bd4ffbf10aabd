/** A hypercall that a hostile guest is about to make. */
import type { Mem } from '#abi/mem.ts'
import type { Values } from './values.ts'

export interface Shot {
  readonly nr: number
  readonly args: readonly number[]
  /** `cmd` or what else tells it from others of the same number, for the tally. */
  readonly command?: number
  /** Looks at what came back. What it returns is the result, where a status says more than that. */
  readonly learn?: (mem: Mem, result: number) => number | undefined
}

/** Makes one, with its structs at `at`. */
export type Aim = (v: Values, mem: Mem, at: number) => Shot
