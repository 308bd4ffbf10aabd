/** Compiled code: instructions are pairs (operation, argument); operations are the rows of ops.ts. */
import type { Value } from './objects.ts'

export interface Code {
  readonly name: string
  readonly file: string
  readonly ops: Int32Array
  /** The source line of each instruction. */
  readonly lines: Int32Array
  readonly consts: readonly (Value | Code)[]
  readonly names: readonly string[]
  readonly doc: Value
  /** Of a function. */
  readonly params: readonly string[]
  readonly star: string | undefined
  readonly dstar: string | undefined
  readonly generator: boolean
  /** Has variables of its own in a map, not in a dict as modules and classes have. */
  readonly optimized: boolean
}
