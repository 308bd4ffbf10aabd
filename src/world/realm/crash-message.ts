/** One line about a thrown value, the same in every engine, made without calling anything of the value's. */
import { FuelExhausted, isStackOverflow } from './fuel.ts'

const MESSAGE_CHARS_MAX = 200
const { getOwnPropertyDescriptor, getPrototypeOf } = Reflect

/** Errors that engines throw themselves, in words of their own: only the kind is told. */
const ENGINE_KINDS = new Map<object, string>(
  [TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError].map((kind) => [kind.prototype, kind.name]),
)

const oneLine = (text: string): string => text.slice(0, MESSAGE_CHARS_MAX).replace(/[^\x20-\x7e]+/g, ' ')

export function crashMessage(thrown: unknown): string {
  if (FuelExhausted.is(thrown)) return 'fuel exhausted'
  if (isStackOverflow(thrown)) return 'stack overflow'
  if (typeof thrown === 'function') return 'threw a function'
  if (typeof thrown === 'symbol') return 'threw a symbol'
  if (typeof thrown !== 'object' || thrown === null) return `threw ${oneLine(String(thrown))}`
  const kind = ENGINE_KINDS.get(getPrototypeOf(thrown) ?? {})
  if (kind !== undefined) return kind
  const message: unknown = getOwnPropertyDescriptor(thrown, 'message')?.value
  return typeof message === 'string' && message !== '' ? oneLine(message) : 'threw an object'
}
