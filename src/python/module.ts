/** What the modules that are ours are made with. */
import { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { indexOf, textOf } from './numbers.ts'
import { Module, type Native, type Value } from './objects.ts'

export function moduleOf(
  name: string,
  natives: readonly Native[],
  constants: Readonly<Record<string, Value>> = {},
): Module {
  const dict = PyDict.of([
    ['__name__', name],
    ['__doc__', null],
  ])
  for (const one of natives) dict.set(one.name, one)
  for (const [key, value] of Object.entries(constants)) dict.set(key, value)
  return new Module(name, dict)
}

export const text = (value: Value | undefined): string => {
  const found = textOf(value ?? null)
  if (found === undefined) throw typeError('coercing to Unicode: need string or buffer, other type found')
  return found
}
export const whole = (value: Value | undefined): number => {
  const n = indexOf(value ?? null)
  if (n === undefined) throw typeError('an integer is required')
  return n
}
