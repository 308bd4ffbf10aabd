/**
 * Locks this realm before any image runs in it (design D2, docs/adr/0003): what an image can reach through the language, it can
 * neither change nor make code with, and what differs from run to run or from engine to engine is gone.
 *
 * Why not `Object.freeze` on everything: V8 takes a prototype with frozen elements for one that may hold read-only elements, and then stores
 * into every typed array below it 20 to 40 times slower (measured, ADR 0003). So the prototypes that typed arrays and plain objects
 * inherit from are locked property by property.
 */
import { replaceSorts } from './sort.ts'
import { prepareStackTrace } from './stack.ts'

const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, preventExtensions } =
  Reflect
const { freeze, isExtensible } = Object

/** What V8 keeps for a stack trace; crash reports show no more. */
const STACK_FRAMES = 20

/** Methods whose result the language leaves to the engine or to the machine's settings. */
const DIFFERING: readonly (readonly [object, readonly string[]])[] = [
  [
    Math,
    'random sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp expm1 log log1p log2 log10 pow cbrt hypot'.split(
      ' ',
    ),
  ],
  [String.prototype, ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase']],
  [Object.prototype, ['toLocaleString']],
  [Array.prototype, ['toLocaleString']],
  [Number.prototype, ['toLocaleString']],
  [BigInt.prototype, ['toLocaleString']],
  [getPrototypeOf(Uint8Array.prototype) as object, ['toLocaleString']],
  [Array, ['fromAsync']],
  [Error, ['captureStackTrace']],
  // SpiderMonkey's accessor; stack.ts has taken it for itself.
  [Error.prototype, ['stack']],
  [RegExp.prototype, ['compile']],
]

const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]
const ERRORS = [Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]

/** Function prototypes of all four kinds; there is no other name for three of them. */
const functionPrototypes = (): object[] => [
  Function.prototype,
  getPrototypeOf(function* () {}) as object,
  getPrototypeOf(async () => {}) as object,
  getPrototypeOf(async function* () {}) as object,
]

/** Where an image gets in: the globals it may name (toolchain/globals.ts) and what syntax makes. */
const roots = (): unknown[] => [
  ...functionPrototypes(),
  ...TYPED_ARRAYS,
  ...ERRORS,
  ...[Object, Array, String, Number, Boolean, Symbol, BigInt, Math, JSON, Reflect, Map, Set, WeakMap, WeakSet, RegExp],
  ...[ArrayBuffer, DataView, Function, Promise],
  // biome-ignore lint/suspicious/noGlobalIsNan: locked, not called
  // biome-ignore lint/suspicious/noGlobalIsFinite: locked, not called
  ...[parseInt, parseFloat, isNaN, isFinite, encodeURIComponent, decodeURIComponent, encodeURI, decodeURI],
  ...[[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/a/g)].map(
    getPrototypeOf,
  ),
  getOwnPropertyDescriptor(poisoned(), 'callee')?.get,
]

/** A strict function's arguments object, whose `callee` is the one accessor that all of them share. */
function poisoned(): IArguments {
  // biome-ignore lint/complexity/noArguments: it is this object that is wanted
  return arguments
}

/** Lock the realm. Again and again changes nothing. Throws where our own code is not strict: then images could read our arguments. */
export function lockdown(): void {
  if (!isExtensible(Math)) return
  const strict = function (this: unknown) {
    return this === undefined
  }
  if (!apply(strict, undefined, [])) throw new Error('lockdown: not strict code')

  replaceSorts()
  for (const prototype of functionPrototypes()) remove(prototype, 'constructor')
  for (const [owner, names] of DIFFERING) for (const name of names) remove(owner, name)
  for (const key of ownKeys(RegExp)) {
    // The legacy statics ($1, lastMatch, input) tell one image what another has matched. SpiderMonkey holds on to some of them (security.md).
    if (typeof key === 'string' && !['prototype', 'length', 'name', 'escape'].includes(key)) deleteProperty(RegExp, key)
  }
  const ErrorWithHooks = Error as unknown as { stackTraceLimit?: number; prepareStackTrace?: unknown }
  if (ErrorWithHooks.stackTraceLimit !== undefined) {
    ErrorWithHooks.stackTraceLimit = STACK_FRAMES
    ErrorWithHooks.prepareStackTrace = prepareStackTrace
  }
  allowOverrides(Object.prototype, ['constructor', 'toString', 'valueOf', 'hasOwnProperty'])
  for (const { prototype } of ERRORS) allowOverrides(prototype, ['constructor', 'name', 'message', 'toString'])

  /** Those above typed arrays and plain objects: never frozen. */
  const delicate = new Set<object>([Object.prototype, getPrototypeOf(Uint8Array.prototype) as object])
  for (const { prototype } of TYPED_ARRAYS) delicate.add(prototype)
  for (const intrinsic of reachable(roots())) {
    if (delicate.has(intrinsic)) lockEach(intrinsic)
    else freeze(intrinsic)
  }
}

function remove(owner: object, key: PropertyKey): void {
  if (!deleteProperty(owner, key)) throw new Error(`lockdown: ${String(key)} stays`)
}

/** Everything that the roots lead to: by prototypes, properties, getters and setters. */
function reachable(from: unknown[]): Set<object> {
  const found = new Set<object>()
  const todo = from
  while (todo.length > 0) {
    const next = todo.pop()
    if ((typeof next !== 'object' && typeof next !== 'function') || next === null || found.has(next)) continue
    found.add(next)
    todo.push(getPrototypeOf(next))
    for (const key of ownKeys(next)) {
      const { value, get, set } = getOwnPropertyDescriptor(next, key)!
      todo.push(value, get, set)
    }
  }
  return found
}

/**
 * As `freeze`, but for the elements' kind. A property is made anew rather than changed, since V8 inlines only methods that were
 * never redefined.
 */
function lockEach(owner: object): void {
  for (const key of ownKeys(owner)) {
    const { value, get, enumerable, configurable, ...rest } = getOwnPropertyDescriptor(owner, key)!
    if (!configurable) continue
    if (get || rest.set) defineProperty(owner, key, { configurable: false })
    else {
      remove(owner, key)
      defineProperty(owner, key, { value, enumerable: enumerable ?? false, writable: false, configurable: false })
    }
  }
  preventExtensions(owner)
}

/**
 * The override mistake: where `prototype.name` is not writable, `error.name = ...` on what inherits from it throws. So these are
 * accessors, and assigning makes a property of the inheritor's own.
 */
function allowOverrides(prototype: object, names: readonly string[]): void {
  for (const name of names) {
    const descriptor = getOwnPropertyDescriptor(prototype, name)
    if (!descriptor || !('value' in descriptor)) continue
    const { value } = descriptor
    const accessors = {
      get: () => value,
      set(this: unknown, own: unknown) {
        const made =
          this !== prototype &&
          ((typeof this === 'object' && this !== null) || typeof this === 'function') &&
          defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true })
        if (!made) throw new TypeError(`'${name}' is read-only`)
      },
    }
    defineProperty(prototype, name, { ...accessors, enumerable: false, configurable: false })
  }
}
