/** Calls as instructions make them: arguments from the stack, Python's functions into a new frame. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { iterate, step } from './iterate.ts'
import { Generator, Instance, Native, PyClass, PyFunction, PyList, PyMethod, PyTuple, type Value } from './objects.ts'
import { checkCount, checkUnbound, type Frame, find, type Vm } from './vm.ts'

const pop = (f: Frame): Value => f.stack.pop() as Value

/** `f(args)` with everything on the stack. */
export function call(vm: Vm, f: Frame, arg: number): Sys<void> | undefined {
  const { stack } = f
  const count = arg & 255
  const keywords = (arg >> 8) & 255
  if (arg >= 65536) return callSpread(vm, f, arg)
  let kw: Map<string, Value> | undefined
  if (keywords > 0) {
    kw = new Map()
    const pairs = stack.splice(stack.length - 2 * keywords) as Value[]
    for (let i = 0; i < pairs.length; i += 2) kw.set(pairs[i] as string, pairs[i + 1]!)
  }
  const args = count === 0 ? [] : (stack.splice(stack.length - count) as Value[])
  return invoke(vm, f, pop(f), args, kw)
}

function* callSpread(vm: Vm, f: Frame, arg: number): Sys<void> {
  const dstar = arg & 131072 ? pop(f) : undefined
  const star = arg & 65536 ? pop(f) : undefined
  const pairs = f.stack.splice(f.stack.length - 2 * ((arg >> 8) & 255)) as Value[]
  const args = f.stack.splice(f.stack.length - (arg & 255)) as Value[]
  const callee = pop(f)
  const called = callee instanceof PyFunction || callee instanceof Native ? callee.name : vm.typeName(callee)
  if (star !== undefined) {
    if (star instanceof PyTuple || star instanceof PyList) for (const one of star.items) args.push(one)
    else {
      const iter = yield* iterate(vm, star, `${called}() argument after * must be a sequence`)
      for (;;) {
        const one = yield* step(vm, iter)
        if (one === undefined) break
        args.push(one)
      }
    }
  }
  const kw = new Map<string, Value>()
  for (let i = 0; i < pairs.length; i += 2) kw.set(pairs[i] as string, pairs[i + 1]!)
  if (dstar !== undefined) {
    if (!(dstar instanceof PyDict)) throw typeError(`${called}() argument after ** must be a dictionary`)
    for (const { key, value } of dstar.entries()) {
      if (typeof key !== 'string') throw typeError(`${called}() keywords must be strings`)
      if (kw.has(key)) throw typeError(`${called}() got multiple values for keyword argument '${key}'`)
      kw.set(key, value)
    }
  }
  const slow = invoke(vm, f, callee, args, kw.size > 0 ? kw : undefined)
  if (slow) yield* slow
}

/** Call: into a new frame if it is Python's function. The value comes on this frame's stack. */
export function invoke(
  vm: Vm,
  f: Frame,
  callee: Value,
  args: readonly Value[],
  kw: Map<string, Value> | undefined,
): Sys<void> | undefined {
  if (callee instanceof Native) {
    checkCount(callee, args.length, kw)
    const all = callee.self === undefined ? args : [callee.self, ...args]
    if (callee.plain) {
      f.stack.push(callee.plain(all, vm, kw))
      return undefined
    }
    return pushed(f, callee.sleeping!(all, vm, kw))
  }
  if (callee instanceof PyMethod) {
    if (callee.self !== undefined) return invoke(vm, f, callee.fn, [callee.self, ...args], kw)
    checkUnbound(callee, args)
    return invoke(vm, f, callee.fn, args, kw)
  }
  if (callee instanceof PyFunction) {
    const frame = vm.frameFor(callee, args, kw)
    if (callee.code.generator) f.stack.push(new Generator(frame))
    else vm.push(frame)
    return undefined
  }
  if (callee instanceof PyClass && !callee.make) {
    const init = find(callee, '__init__')
    if (init instanceof PyFunction) {
      const instance = new Instance(callee, new PyDict())
      if (callee.exception) instance.dict.set('args', new PyTuple(args))
      const frame = vm.frameFor(init, [instance, ...args], kw)
      frame.made = instance
      vm.push(frame)
      return undefined
    }
  }
  return pushed(f, vm.call(callee, args, kw))
}

export function* pushed(f: Frame, value: Sys<Value>): Sys<void> {
  f.stack.push(yield* value)
}
