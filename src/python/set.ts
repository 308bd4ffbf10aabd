/** set and frozenset: dicts of keys. */
import { PyDict } from './dict.ts'
import { PySet, type Value } from './objects.ts'

export function setOf(items: Iterable<Value>, frozen = false): PySet {
  const dict = new PyDict()
  for (const item of items) dict.set(item, true)
  return new PySet(dict, frozen)
}

export function setOperation(op: string, a: PySet, b: PySet): PySet | undefined {
  const has = (set: PySet) => (key: Value) => set.dict.has(key)
  const not = (set: PySet) => (key: Value) => !set.dict.has(key)
  switch (op) {
    case '|':
      return setOf([...a.dict.keys(), ...b.dict.keys()], a.frozen)
    case '&':
      return setOf(a.dict.keys().filter(has(b)), a.frozen)
    case '-':
      return setOf(a.dict.keys().filter(not(b)), a.frozen)
    case '^':
      return setOf([...a.dict.keys().filter(not(b)), ...b.dict.keys().filter(not(a))], a.frozen)
  }
  return undefined
}
