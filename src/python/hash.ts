/** hash() of CPython 2 on x86_64, which decides the order of dicts, and the JavaScript value that stands for a key in a Map. */

import { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { Instance, type Obj, PyFloat, PyList, PyLong, PySet, PyTuple, PyUnicode, type Value } from './objects.ts'

export type MapKey = string | number | bigint | null | Obj

/** Characters that no byte string has mark keys of other kinds. */
const UNICODE = '\uffff'
const TUPLE = '\ufffe'
const OBJECT = '\ufffd'

/** `numbers` tells objects inside tuples apart: one such table per dict. */
export function keyOf(key: Value, numbers: Map<Obj, number>): MapKey {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' || key === null) return key
  if (typeof key === 'boolean') return key ? 1 : 0
  if (key instanceof PyFloat) return key.f
  if (key instanceof PyLong) {
    const small = Number(key.v)
    return Number.isSafeInteger(small) ? small : key.v
  }
  if (key instanceof PyUnicode) return isAscii(key.s) ? key.s : UNICODE + key.s
  if (key instanceof PyTuple) return TUPLE + key.items.map((item) => spell(keyOf(item, numbers), numbers)).join('')
  if (key instanceof PyList) throw typeError('list objects are unhashable')
  if (key instanceof PyDict) throw typeError('dict objects are unhashable')
  if (key instanceof PySet) {
    if (!key.frozen) throw typeError('set objects are unhashable')
    return `${TUPLE}f${key.dict
      .keys()
      .map((item) => spell(keyOf(item, numbers), numbers))
      .sort()
      .join('')}`
  }
  if (key instanceof Instance && key.cls.mro.some((cls) => cls.dict.has('__cmp__') || cls.dict.has('__eq__'))) {
    const hashed = key.cls.mro.some((cls) => cls.dict.has('__hash__'))
    if (!hashed && key.cls.old) throw typeError('unhashable instance')
  }
  return key
}

/** A key as text that starts with its length: tuples of different keys never spell alike. */
function spell(key: MapKey, numbers: Map<Obj, number>): string {
  let text = `${typeof key} ${String(key)}`
  if (typeof key === 'object' && key !== null) {
    if (!numbers.has(key)) numbers.set(key, numbers.size)
    text = OBJECT + numbers.get(key)
  }
  return `${text.length}:${text}`
}

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

const MULTIPLIER = 1000003n
const wrap = (x: bigint): bigint => BigInt.asIntN(64, x)

/** The hash as a signed 64-bit number. */
export function hashOf(value: Value): bigint {
  const hash = rawHash(value)
  return hash === -1n ? -2n : hash
}

function rawHash(value: Value): bigint {
  if (typeof value === 'string') return stringHash(value)
  if (typeof value === 'number') return BigInt(value)
  if (typeof value === 'bigint') return wrap(value)
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (value === null) return 0x8d5a80n
  if (value instanceof PyUnicode) return stringHash(value.s)
  if (value instanceof PyLong) return longHash(value.v)
  if (value instanceof PyFloat) return floatHash(value.f)
  if (value instanceof PyTuple) {
    let x = 0x345678n
    let mult = MULTIPLIER
    let left = value.items.length
    for (const item of value.items) {
      left--
      x = wrap((x ^ hashOf(item)) * mult)
      mult = wrap(mult + 82520n + BigInt(left + left))
    }
    return wrap(x + 97531n)
  }
  return BigInt(Math.floor(value.id / 16))
}

/** Two halves of 32 bits: the product of a half and the multiplier fits a double. */
function stringHash(text: string): bigint {
  if (text.length === 0) return 0n
  let lo = (text.charCodeAt(0) << 7) >>> 0
  let hi = 0
  for (let i = 0; i < text.length; i++) {
    const product = lo * 1000003
    hi = (Math.imul(hi, 1000003) + Math.floor(product / 4294967296)) >>> 0
    lo = ((product % 4294967296) ^ text.charCodeAt(i)) >>> 0
  }
  return wrap((BigInt(hi) << 32n) | BigInt((lo ^ text.length) >>> 0))
}

function longHash(v: bigint): bigint {
  if (wrap(v) === v) return v
  // The sum of its words, carries added in: its remainder by 2^64 - 1.
  const magnitude = v < 0n ? -v : v
  const rest = magnitude % ((1n << 64n) - 1n)
  return wrap(v < 0n ? -rest : rest)
}

function floatHash(f: number): bigint {
  if (Number.isInteger(f)) return longHash(BigInt(f))
  if (Number.isNaN(f)) return 0n
  if (!Number.isFinite(f)) return f > 0 ? 314159n : -271828n
  let fraction = f
  let exponent = 0
  while (Math.abs(fraction) >= 1) {
    fraction /= 2
    exponent++
  }
  while (Math.abs(fraction) < 0.5) {
    fraction *= 2
    exponent--
  }
  fraction *= 2147483648
  const high = Math.trunc(fraction)
  const low = Math.trunc((fraction - high) * 2147483648)
  return wrap(BigInt(high) + BigInt(low) + (BigInt(exponent) << 15n))
}
