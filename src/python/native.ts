/** Rows of built-in functions: name, fewest and most arguments, what it does. */

import { PyDict } from './dict.ts'
import { Native, type Plain, type Sleeping } from './objects.ts'

export const plain = (name: string, least: number, most: number, fn: Plain): Native =>
  new Native(name, least, most, fn, undefined)
export const sleeping = (name: string, least: number, most: number, fn: Sleeping): Native =>
  new Native(name, least, most, undefined, fn)
/** Takes keywords too. */
export const keyworded = (name: string, least: number, most: number, fn: Sleeping): Native =>
  new Native(name, least, most, undefined, fn, undefined, true)

export const dictOf = (natives: readonly Native[]): PyDict => PyDict.of(natives.map((one) => [one.name, one]))
export const ANY = Number.MAX_SAFE_INTEGER
