/**
 * Helpers by name. Translated code that is kept is loaded by other processes, out of other bundles: what it calls it calls by a name that is written in the source, which no
 * minifier changes.
 */
import type { Cpu } from '../cpu.ts'
import type { Calculation, Helper, HelperBody, HelperName } from './emitter.ts'

const BY_NAME = new Map<string, Helper>()

/** To be called while modules are evaluated and never later: when `index.ts` has been imported all helpers are there. Each name and each body is for one helper. */
export function helper(name: string, body: HelperBody): Helper {
  if (BY_NAME.has(name)) throw new Error(`two helpers named ${name}`)
  if ('helperName' in body) throw new Error(`a helper named twice, now ${name}`)
  const made = Object.assign(body, { helperName: name as HelperName })
  BY_NAME.set(name, made)
  return made
}

/** The same for one over vectors. */
export function calculation(
  name: string,
  body: (cpu: Cpu, at: number, number: number) => void,
  natively: Calculation['natively'] = [],
): Calculation {
  const made = helper(name, (cpu, at, number) => {
    body(cpu, at as number, number as number)
    return undefined
  })
  return Object.assign(made, { natively })
}

export const isCalculation = (made: Helper): made is Calculation => 'natively' in made

export const helperNamed = (name: string): Helper | undefined => BY_NAME.get(name)

export const helperNames = (): string[] => [...BY_NAME.keys()].sort()
