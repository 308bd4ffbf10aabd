/**
 * What is handed to images is frozen through and through: an image that could replace `mem.copyIn` would be handed the world's own arrays,
 * and would run inside the world.
 */

/** Freeze `capability`: plain objects and functions, and what they hold. Throws for anything with inner state of its own: it does not belong there. */
export function harden<T extends object>(capability: T): T {
  const seen = new Set<object>()
  const todo: object[] = [capability]
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const prototype = Object.getPrototypeOf(next)
    if (typeof next !== 'function' && prototype !== null && prototype !== Object.prototype && !Array.isArray(next))
      throw new TypeError('harden: only plain objects and functions go to images')
    Object.freeze(next)
    for (const key of Reflect.ownKeys(next)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(next, key)!
      for (const part of [descriptor.value, descriptor.get, descriptor.set]) {
        if (typeof part === 'function' || (typeof part === 'object' && part !== null)) {
          // A function's `prototype` names the function again.
          if (key === 'prototype' && typeof next === 'function') Object.freeze(part)
          else todo.push(part)
        }
      }
    }
  }
  return capability
}
