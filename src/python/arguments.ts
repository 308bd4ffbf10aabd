/** Binding a call's arguments to parameters, with the interpreter's complaints. */

import { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { type Keywords, type PyFunction, PyTuple, type Value } from './objects.ts'

export function bindArguments(fn: PyFunction, args: readonly Value[], kw: Keywords | undefined): Map<string, Value> {
  const { params, star, dstar } = fn.code
  const vars = new Map<string, Value>()
  const given = args.length
  const count = Math.min(given, params.length)
  for (let i = 0; i < count; i++) vars.set(params[i]!, args[i]!)
  if (given > params.length && star === undefined) throw wrongCount(fn, given + (kw?.size ?? 0), kw)
  if (star !== undefined) vars.set(star, new PyTuple(args.slice(params.length)))
  const rest = dstar === undefined ? undefined : new PyDict()
  if (kw)
    for (const [name, value] of kw) {
      if (params.includes(name)) {
        if (vars.has(name)) throw typeError(`${fn.name}() got multiple values for keyword argument '${name}'`)
        vars.set(name, value)
      } else if (rest) rest.set(name, value)
      else throw typeError(`${fn.name}() got an unexpected keyword argument '${name}'`)
    }
  if (dstar !== undefined) vars.set(dstar, rest!)
  const firstDefault = params.length - fn.defaults.length
  for (let i = given; i < params.length; i++) {
    if (vars.has(params[i]!)) continue
    if (i < firstDefault)
      throw wrongCount(fn, given + [...(kw?.keys() ?? [])].filter((name) => params.includes(name)).length, kw)
    vars.set(params[i]!, fn.defaults[i - firstDefault]!)
  }
  return vars
}

function wrongCount(fn: PyFunction, given: number, kw: Keywords | undefined): Error {
  const { params, star } = fn.code
  const least = params.length - fn.defaults.length
  if (params.length === 0 && star === undefined) return typeError(`${fn.name}() takes no arguments (${given} given)`)
  const exactly = star === undefined && fn.defaults.length === 0
  const bound = exactly ? 'exactly' : given < least ? 'at least' : 'at most'
  const count = given < least ? least : params.length
  const kind = kw && kw.size > 0 ? 'non-keyword ' : ''
  return typeError(`${fn.name}() takes ${bound} ${count} ${kind}argument${count === 1 ? '' : 's'} (${given} given)`)
}
